//! Checks with places in them for a target's labels: `http: "http://{address}/healthz"`.
//!
//! `{label}` is replaced by that label's text and `{{label}}` by `{label}`; `{address}`, `{host}` and `{port}`
//! come from the target's address unless it has labels of these names. Braces around anything else, and
//! braces after a `$`, stay as they are. What comes from a label is never looked up in the environment: `${NAME}`
//! is replaced when the template is read, labels are filled in afterwards.

mod sample;
mod text;

use super::name::check_id;
use super::{
    ADDRESS, CHECK_EVERY, CHECK_KIND, CHECK_NAME, CHECK_SERVICE, CHECK_TARGET, CHECK_TIMEOUT, Labels, PARAM_MODULE,
};
use crate::check::read_assigned;
use crate::node::{Key, Node, Value};
use crate::reading::words::either;
use crate::reading::{ConfigError, Environment, Reading, list};
use crate::source::Span;
use rules::check::Assignment;
use rules::id::SourceId;
use std::path::{Path, PathBuf};
use std::sync::Arc;
pub(super) use text::Text;
pub(super) use text::is_label;

/// Where the words of a filled template stand: nowhere in a file.
const NOWHERE: Span = Span { file: 0, start: 0, end: 0 };

/// The kinds that a target may ask for itself.
const OWN_KINDS: &[&str] = &["http", "tcp", "tls", "icmp", "grpc", "ws"];

/// How targets become checks.
#[derive(Clone, PartialEq, Debug)]
pub enum Recipe {
    /// One check a template.
    Templates(Vec<Template>),
    /// Each target says itself what is to be checked, by the labels that begin with `__check_`.
    Own {
        /// The service of all of them; absent: as the target says.
        service: Option<Text>,
    },
}

/// A check with places for labels.
#[derive(Clone, PartialEq, Debug)]
pub struct Template {
    /// Its name; absent: the source's name and the target's address.
    check: Option<Text>,
    service: Text,
    /// Every key but `check` and `service`.
    keys: Vec<(String, Shape)>,
    base_dir: PathBuf,
}

/// What a key of a template holds.
#[derive(Clone, PartialEq, Debug)]
enum Shape {
    Nothing,
    Text(Text),
    List(Vec<Shape>),
    Map(Vec<(String, Shape)>),
}

/// A target of which no check can be made, and why.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0}")]
pub struct NotACheck(String);

impl Recipe {
    pub(super) fn checks(&self, source: &SourceId, labels: &Labels) -> Vec<Result<Assignment, NotACheck>> {
        match self {
            Recipe::Templates(templates) => templates.iter().map(|template| template.check(source, labels)).collect(),
            Recipe::Own { service } => vec![own_check(source, service.as_ref(), labels)],
        }
    }
}

impl Template {
    fn check(&self, source: &SourceId, labels: &Labels) -> Result<Assignment, NotACheck> {
        let id = match &self.check {
            Some(name) => name.filled(labels)?,
            None => format!("{source}:{}", labels.get(ADDRESS).ok_or_else(|| no_label(ADDRESS))?),
        };
        let service = self.service.filled(labels)?;
        let mut entries = vec![entry("service", service), entry("check", check_id(&id).to_string())];
        for (name, shape) in &self.keys {
            entries.push((Key { at: NOWHERE, name: name.clone() }, shape.filled(labels)?));
        }
        read_check(entries, &self.base_dir)
    }
}

/// The check that the target asks for.
fn own_check(source: &SourceId, service: Option<&Text>, labels: &Labels) -> Result<Assignment, NotACheck> {
    let said = |label: &str| labels.get(label).cloned();
    let required = |label: &str| said(label).ok_or_else(|| no_label(label));
    let service = match service {
        Some(service) => service.filled(labels)?,
        None => required(CHECK_SERVICE)?,
    };
    let id = check_id(&format!("{source}:{}", required(CHECK_NAME)?));
    let mut entries = vec![entry("service", service), entry("check", id.to_string())];
    entries.push(entry(own_kind(labels)?, required(CHECK_TARGET)?));
    entries.extend(said(CHECK_EVERY).map(|every| entry("every", every)));
    entries.extend(said(CHECK_TIMEOUT).map(|timeout| entry("timeout", timeout)));
    read_check(entries, Path::new(""))
}

/// The kind that a target asks for; those that read files or run commands are the operator's to choose.
fn own_kind(labels: &Labels) -> Result<&'static str, NotACheck> {
    match (labels.get(CHECK_KIND), labels.get(PARAM_MODULE)) {
        (Some(asked), _) => OWN_KINDS.iter().find(|kind| *kind == asked).copied().ok_or_else(|| {
            let (asked, kinds) = (asked.escape_debug(), either(OWN_KINDS));
            NotACheck(format!("it asks for the kind `{asked}`; it may ask for {kinds}"))
        }),
        (None, Some(module)) => {
            let module = module.escape_debug();
            Err(NotACheck(format!("nobody says what the module `{module}` looks for; give the source `checks` for it")))
        }
        (None, None) => Err(no_label(CHECK_KIND)),
    }
}

fn no_label(label: &str) -> NotACheck {
    NotACheck(format!("it has no label `{label}`"))
}

fn entry(name: &str, text: String) -> (Key, Node) {
    (Key { at: NOWHERE, name: name.to_owned() }, Node { at: NOWHERE, value: Value::Text(text) })
}

/// Reads a check whose labels are filled in, under the rules for checks in a file.
fn read_check(entries: Vec<(Key, Node)>, base_dir: &Path) -> Result<Assignment, NotACheck> {
    let mut reading = Reading::of_nothing(base_dir.to_owned(), Environment::Filled);
    let assigned = read_assigned(&Node { at: NOWHERE, value: Value::Map(entries) }, &mut reading);
    match reading.end(assigned) {
        Ok(loaded) => {
            let (service, draft) = loaded.value;
            let service = service.ok_or_else(|| NotACheck("it has no service".to_owned()))?.value;
            Ok(Assignment { service, check: Arc::new(draft.check) })
        }
        Err(ConfigError::Wrong(findings)) => {
            let messages: Vec<String> = findings.into_iter().map(|finding| finding.message).collect();
            Err(NotACheck(messages.join("; ")))
        }
        Err(error @ ConfigError::Unreadable { .. }) => Err(NotACheck(error.to_string())),
    }
}

impl Shape {
    /// Takes `node` apart; texts at the places `expanded` had the environment's variables filled in.
    fn of(node: &Node, expanded: &[Span], reading: &mut Reading) -> Option<Shape> {
        Some(match &node.value {
            Value::Nothing => Shape::Nothing,
            Value::Text(given) if expanded.contains(&node.at) => Shape::Text(Text::expanded(given, node, reading)?),
            Value::Text(given) => Shape::Text(Text::parse(given)),
            Value::List(nodes) => {
                Shape::List(nodes.iter().map(|node| Shape::of(node, expanded, reading)).collect::<Option<_>>()?)
            }
            Value::Map(entries) => Shape::Map(shapes(entries.iter(), expanded, reading)?),
        })
    }

    fn filled(&self, labels: &Labels) -> Result<Node, NotACheck> {
        let value = match self {
            Shape::Nothing => Value::Nothing,
            Shape::Text(text) => Value::Text(text.filled(labels)?),
            Shape::List(shapes) => {
                Value::List(shapes.iter().map(|shape| shape.filled(labels)).collect::<Result<_, _>>()?)
            }
            Shape::Map(entries) => {
                let entry = |(name, shape): &(String, Shape)| {
                    Ok((Key { at: NOWHERE, name: name.clone() }, shape.filled(labels)?))
                };
                Value::Map(entries.iter().map(entry).collect::<Result<_, NotACheck>>()?)
            }
        };
        Ok(Node { at: NOWHERE, value })
    }
}

fn shapes<'n>(
    entries: impl Iterator<Item = &'n (Key, Node)>,
    expanded: &[Span],
    reading: &mut Reading,
) -> Option<Vec<(String, Shape)>> {
    entries.map(|(key, node)| Some((key.name.clone(), Shape::of(node, expanded, reading)?))).collect()
}

/// Reads the templates of a source, whose checks belong to `service` unless they name another.
pub(super) fn read(node: &Node, service: Option<&Text>, reading: &mut Reading) -> Option<Vec<Template>> {
    let many = match &node.value {
        Value::List(nodes) if !nodes.is_empty() => 1 < nodes.len(),
        Value::Nothing | Value::Text(_) | Value::Map(_) | Value::List(_) => {
            return reading.problem(node.at, "no list of templates is here; add one, or leave the key out");
        }
    };
    list(|node: &Node, reading: &mut Reading| template(node, service, many, reading))(node, reading)
}

fn template(node: &Node, service: Option<&Text>, one_of_many: bool, reading: &mut Reading) -> Option<Template> {
    let Value::Map(entries) = &node.value else {
        let shape = node.value.shape();
        return reading.problem(node.at, format!("{shape} stands where a check's template should; write its keys"));
    };
    let expanded = sample::try_out(node, entries, reading);
    let named = |name: &str| entries.iter().find(|(key, _)| key.name == name).map(|(_, node)| node);
    let check = match named("check") {
        Some(node) => Some(check_name(node, reading)?),
        None if one_of_many => {
            let message = "one of several templates has no `check`, so their checks would have one name; add `check`, such as `check: \"{address}-tls\"`";
            return reading.problem(node.at, message);
        }
        None => None,
    };
    let service = match (named("service"), service) {
        (Some(node), _) => self::service(node, reading)?,
        (None, Some(service)) => service.clone(),
        (None, None) => {
            let message =
                "nothing says whose checks these are; add `service`, such as `service: shop` or `service: \"{team}\"`";
            return reading.problem(node.at, message);
        }
    };
    let rest = entries.iter().filter(|(key, _)| key.name != "check" && key.name != "service");
    let keys = shapes(rest, &expanded, reading)?;
    Some(Template { check, service, keys, base_dir: reading.base_dir.clone() })
}

/// A name that tells a source's targets apart.
fn check_name(node: &Node, reading: &mut Reading) -> Option<Text> {
    let given = crate::reading::text(node, reading)?;
    let name = Text::parse(given);
    if name.is_fixed() {
        let given = given.escape_debug();
        let message =
            format!("every target's check would be named `{given}`; put a label into it, such as `{{address}}`");
        return reading.problem(node.at, message);
    }
    Some(name)
}

/// A service's name, with or without labels in it.
pub(super) fn service(node: &Node, reading: &mut Reading) -> Option<Text> {
    let given = crate::reading::text(node, reading)?;
    let service = Text::parse(given);
    if service.is_fixed() {
        crate::scalar::parsed::<rules::id::ServiceId>(node, reading)?;
    }
    Some(service)
}

#[cfg(test)]
mod tests;
