//! The names that steps may use: those of variables and secrets from the start, and those of
//! captures from the step that makes them.

use super::NAMES_MAX;
use crate::node::Node;
use crate::reading::words::nearest;
use crate::reading::{Placed, Reading, text};
use crate::source::Span;
use rules::check::{SecretSource, Template, TemplateError};
use std::collections::{BTreeMap, BTreeSet};

/// What stands in the place of what is not known yet: a letter for a name or path, a digit for a port.
const STAND_INS: [&str; 2] = ["x", "1"];
/// The longest text that is looked at before the flow runs.
const EXPANDED_BYTES_MAX: usize = 64 * 1024;

/// The names known so far.
pub(super) struct Names {
    variables: BTreeMap<String, String>,
    secrets: BTreeSet<String>,
    captures: BTreeSet<String>,
}

/// Refuses what can't stand in `${…}`.
pub(super) fn check(name: &str, at: Span, reading: &mut Reading) -> Option<()> {
    match Template::parse(&format!("${{{name}}}")) {
        Ok(template) if template.names().eq([name]) => Some(()),
        Ok(_) | Err(_) => {
            let name = name.escape_debug();
            let message =
                format!("`{name}` is no name; write letters, digits and `_`, beginning with a letter, at most 64");
            reading.problem(at, message)
        }
    }
}

impl Names {
    pub(super) fn of(
        variables: &[Placed<(String, String)>],
        secrets: &[Placed<(String, SecretSource)>],
        reading: &mut Reading,
    ) -> Names {
        let mut names = Names { variables: BTreeMap::new(), secrets: BTreeSet::new(), captures: BTreeSet::new() };
        for Placed { value: (name, value), .. } in variables {
            names.variables.insert(name.clone(), value.clone());
        }
        for Placed { at, value: (name, _) } in secrets {
            if names.variables.contains_key(name) || !names.secrets.insert(name.clone()) {
                let message = format!("`{name}` is given twice, among the variables or secrets; rename one");
                reading.problem::<()>(*at, message);
            }
        }
        names
    }

    /// Takes in the name of a capture, which may be that of an earlier one.
    pub(super) fn capture(&mut self, name: &str, at: Span, reading: &mut Reading) -> Option<()> {
        check(name, at, reading)?;
        if self.variables.contains_key(name) || self.secrets.contains(name) {
            let message = format!("`{name}` is a variable or secret already; capture under another name");
            return reading.problem(at, message);
        }
        self.captures.insert(name.to_owned());
        if NAMES_MAX < self.captures.len() {
            return reading.problem(at, format!("a flow captures more than {NAMES_MAX} values; leave some out"));
        }
        Some(())
    }

    /// A text in which every `${name}` is known.
    pub(super) fn template(&self, node: &Node, reading: &mut Reading) -> Option<Template> {
        let template = match Template::parse(text(node, reading)?) {
            Ok(template) => template,
            Err(error) => return reading.problem(node.at, error.to_string()),
        };
        let unknown = template.names().find(|name| !self.is_known(name)).map(str::to_owned);
        let Some(unknown) = unknown else { return Some(template) };
        let known = self.variables.keys().chain(&self.secrets).chain(&self.captures).map(String::as_str);
        let right = match nearest(&unknown, known) {
            Some(near) => format!("did you mean `${{{near}}}`?"),
            None => "add it to `variables` or `secrets`, capture it in a step before, or write `$$` for a dollar sign"
                .to_owned(),
        };
        reading.problem(node.at, format!("nothing is known as `{unknown}` here; {right}"))
    }

    fn is_known(&self, name: &str) -> bool {
        self.variables.contains_key(name) || self.secrets.contains(name) || self.captures.contains(name)
    }

    /// Whether the whole of `template` is for the flow's run to say: it begins with what is not a
    /// variable.
    pub(super) fn begins_unknown(&self, template: &Template) -> bool {
        template.as_str().starts_with("${")
            && template.names().next().is_some_and(|name| !self.variables.contains_key(name))
    }

    /// What `template` may come to, with stand-ins for what is not known before the flow runs.
    pub(super) fn samples(&self, template: &Template) -> Result<Vec<String>, TemplateError> {
        let sample = |stand_in| {
            let known = |name: &str| Some(self.variables.get(name).map_or(stand_in, String::as_str));
            template.expand(known, EXPANDED_BYTES_MAX)
        };
        STAND_INS.into_iter().map(sample).collect()
    }
}
