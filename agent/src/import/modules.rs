//! Modules as checks: their options have the same names here, so they stand beside the target as they are.
//!
//! Each check is read as the agent would read it; an option that is not known here is left out and said.

use super::jobs::Pace;
use config::reading::ConfigError;
use config::scalar::{duration_text, parse_duration};
use regex::Regex;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::LazyLock;
use std::time::Duration;

/// blackbox_exporter's probers and our kinds.
const KINDS: &[(&str, &str)] = &[
    ("http", "http"),
    ("tcp", "tcp"),
    ("dns", "dns"),
    ("icmp", "icmp"),
    ("grpc", "grpc"),
    ("unix", "unix"),
    ("websocket", "ws"),
];
/// Options whose values are secrets, wherever they stand.
const SECRETS: &[&str] = &["password", "credentials", "bearer_token", "client_secret", "key"];

/// A variable that an import names.
static VARIABLE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\$\{NINES_[A-Z0-9_]*\}").expect("the expression is written here and compiles"));

/// The modules of a file.
pub(super) struct Modules(BTreeMap<String, Value>);

/// A check of a module, and what it leaves out.
pub(super) struct Made {
    pub(super) keys: Map<String, Value>,
    pub(super) left_out: Vec<String>,
}

impl Modules {
    pub(super) fn new(file: &Value) -> Modules {
        let modules = file["modules"].as_object().into_iter().flatten();
        Modules(modules.map(|(name, module)| (name.clone(), module.clone())).collect())
    }

    /// The kind of check that the module `name` makes.
    pub(super) fn kind(&self, name: &str) -> Result<&'static str, String> {
        let module = self.0.get(name).ok_or_else(|| format!("there is no module `{name}`"))?;
        let prober = module["prober"].as_str().unwrap_or("");
        let kind = KINDS.iter().find(|(known, _)| *known == prober).map(|(_, kind)| *kind);
        kind.ok_or_else(|| format!("nobody here is the prober `{prober}` of the module `{name}`"))
    }

    /// The check of `address` by the module `name`.
    pub(super) fn check(&self, name: &str, address: &str, pace: Pace) -> Result<Made, String> {
        let kind = self.kind(name)?;
        let address =
            if kind == "http" && !address.contains("://") { format!("http://{address}") } else { address.to_owned() };
        self.made(name, kind, &address, &address, pace)
    }

    /// The check of what `sample` is an example of; `address` stands in its place.
    pub(super) fn made(&self, name: &str, kind: &str, address: &str, sample: &str, pace: Pace) -> Result<Made, String> {
        let module = &self.0[name];
        let options = module[module["prober"].as_str().unwrap_or("")].as_object().cloned().unwrap_or_default();
        let mut left_out = Vec::new();
        let mut keys = Map::from_iter([(kind.to_owned(), json!(sample))]);
        keys.insert("every".to_owned(), json!(duration_text(pace.every)));
        keys.insert("timeout".to_owned(), json!(duration_text(timeout(module, pace))));
        for (option, value) in options {
            let place = [name.to_owned(), option.clone()];
            // Here `service` says whose check it is.
            let option =
                if (kind, option.as_str()) == ("grpc", "service") { "grpc_service".to_owned() } else { option };
            keys.insert(option, concealed(value, &place, &mut left_out));
        }
        loop {
            match refused(&keys) {
                None => break,
                Some(Refusal::Unknown(option)) if keys.remove(&option).is_some() => {
                    left_out.push(format!("the option `{option}` of the module `{name}` is not known here"));
                }
                Some(Refusal::Unknown(why) | Refusal::Other(why)) => return Err(why),
            }
        }
        keys.insert(kind.to_owned(), json!(address));
        Ok(Made { keys, left_out })
    }
}

enum Refusal {
    /// An option that there is not.
    Unknown(String),
    Other(String),
}

/// What the agent would say against a check of these keys.
fn refused(keys: &Map<String, Value>) -> Option<Refusal> {
    let mut check = keys.clone();
    check.insert("check".to_owned(), json!("sample"));
    // Whoever runs the agent sets the variables; one that is set already stands for them here.
    let check = VARIABLE.replace_all(&Value::Object(check).to_string(), "$${PATH}").into_owned();
    let text = format!(r#"{{"agent": "sample", "checks": [{check}]}}"#);
    let Err(ConfigError::Wrong(findings)) = config::agent::parse(&text, "sample", Path::new("")) else { return None };
    let message = findings.into_iter().next().map(|finding| finding.message).unwrap_or_default();
    let unknown = message.strip_prefix("unknown key `").and_then(|rest| rest.split_once("` in a check;"));
    Some(match unknown {
        Some((option, _)) => Refusal::Unknown(option.to_owned()),
        None => Refusal::Other(message),
    })
}

/// `value` with secrets replaced by variables of the environment, and dollar signs in headers doubled.
fn concealed(value: Value, place: &[String], left_out: &mut Vec<String>) -> Value {
    let name = place.last().map_or("", String::as_str);
    let in_headers = place.iter().any(|part| part == "headers" || part == "http_headers");
    match value {
        Value::String(_) if SECRETS.contains(&name) => {
            let variable = place.join("_").to_ascii_uppercase();
            let variable: String = variable.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
            left_out
                .push(format!("the secret `{}`: set NINES_{variable} for the agent, or name a file", place.join(".")));
            json!(format!("${{NINES_{variable}}}"))
        }
        Value::String(text) if in_headers => json!(text.replace('$', "$$")),
        Value::Array(values) => values.into_iter().map(|value| concealed(value, place, left_out)).collect(),
        Value::Object(entries) => {
            let of = |(name, value): (String, Value)| {
                let place = [place, std::slice::from_ref(&name)].concat();
                let value = concealed(value, &place, left_out);
                (name, value)
            };
            Value::Object(entries.into_iter().map(of).collect())
        }
        other @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => other,
    }
}

/// As blackbox_exporter reckons it: the module's, unless the scrape's is shorter.
fn timeout(module: &Value, pace: Pace) -> Duration {
    let own = module["timeout"].as_str().and_then(|text| parse_duration(text).ok()).filter(|own| !own.is_zero());
    own.map_or(pace.timeout, |own| own.min(pace.timeout))
}

/// Whether `key` says what is looked at.
pub(super) fn is_kind(key: &str) -> bool {
    KINDS.iter().any(|(_, kind)| *kind == key)
}

/// What a check of `address` is called.
pub(super) fn name_of(address: &str) -> String {
    let name = address.split_once("://").map_or(address, |(_, rest)| rest).trim_end_matches('/');
    let allowed = |c: char| if c.is_alphanumeric() || "-_.:@=[]".contains(c) { c } else { '_' };
    let name: String = name.chars().map(allowed).take(100).collect();
    if name.is_empty() { "target".to_owned() } else { name }
}
