//! The configuration as it is written: YAML that reads as if somebody had typed it, with a comment where
//! each thing came from and what was left out.

use super::Imported;
use serde_json::{Map, Value};
use std::fmt::Write as _;

/// A configuration that is being written.
#[derive(Default)]
pub(super) struct Page {
    notes: Vec<String>,
    left_out: Vec<String>,
    checks: String,
    sources: String,
}

impl Page {
    /// Adds a comment at the top.
    pub(super) fn say(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }

    /// Says what is not carried over.
    pub(super) fn leave_out(&mut self, what: impl Into<String>) {
        self.left_out.push(what.into());
    }

    /// Adds a check of `service`.
    pub(super) fn check(&mut self, origin: &str, service: &str, name: Option<&str>, keys: Map<String, Value>) {
        let _ = writeln!(self.checks, "  # {}", comment(origin));
        write_check(&mut self.checks, 2, Some(service), name, &keys);
    }

    /// Adds a source of targets.
    pub(super) fn source(
        &mut self,
        origin: &str,
        name: &str,
        place: &Map<String, Value>,
        service: &str,
        select: Map<String, Value>,
        template: Map<String, Value>,
    ) {
        let out = &mut self.sources;
        // Writing to a string can't fail.
        let _ = writeln!(out, "  # {}\n  - source: {}", comment(origin), scalar(&Value::from(name)));
        for (key, value) in place {
            let _ = writeln!(out, "    {key}: {}", scalar(value));
        }
        if !select.is_empty() {
            let _ = writeln!(out, "    select: {}", scalar(&Value::Object(select)));
        }
        let _ = writeln!(out, "    service: {}\n    checks:", scalar(&Value::from(service.replace('{', "{{"))));
        write_check(out, 6, None, None, &template);
    }

    pub(super) fn end(self) -> Imported {
        let mut yaml = String::new();
        for note in &self.notes {
            let _ = writeln!(yaml, "# {}", comment(note));
        }
        if !self.left_out.is_empty() {
            yaml.push_str("#\n# Not carried over:\n");
        }
        for what in &self.left_out {
            let _ = writeln!(yaml, "# - {}", comment(what));
        }
        yaml.push_str("agent: imported\nreferences: [\"tcp:1.1.1.1:443\", \"tcp:8.8.8.8:53\"]\n");
        for (key, entries) in [("checks", &self.checks), ("discovery", &self.sources)] {
            if !entries.is_empty() {
                let _ = write!(yaml, "\n{key}:\n{entries}");
            }
        }
        Imported { yaml, left_out: self.left_out }
    }
}

/// Writes a check as an entry of a list: what names it, what is looked at, how often, and the rest.
fn write_check(out: &mut String, indent: usize, service: Option<&str>, name: Option<&str>, keys: &Map<String, Value>) {
    const LAST: [&str; 2] = ["every", "timeout"];
    let named = [("service", service), ("check", name)];
    let named = named.into_iter().filter_map(|(key, text)| Some((key, Value::from(text?))));
    let kind = |key: &&String| super::modules::is_kind(key);
    let first = keys.iter().filter(|(key, _)| kind(key));
    let then = keys.iter().filter(|(key, _)| LAST.contains(&key.as_str()));
    let rest = keys.iter().filter(|(key, _)| !kind(key) && !LAST.contains(&key.as_str()));
    let others = first.chain(then).chain(rest).map(|(key, value)| (key.as_str(), value.clone()));
    for (number, (key, value)) in named.chain(others).enumerate() {
        let mark = if number == 0 { "- " } else { "  " };
        let _ = writeln!(out, "{:indent$}{mark}{key}: {}", "", scalar(&value));
    }
}

/// A value on one line: a plain word where YAML takes it for itself, and JSON otherwise.
fn scalar(value: &Value) -> String {
    let is_plain = |text: &str| {
        text.starts_with(|c: char| c.is_ascii_alphabetic())
            && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_./".contains(c))
            && !["true", "false", "null", "yes", "no", "on", "off", "y", "n"]
                .contains(&text.to_ascii_lowercase().as_str())
    };
    let is_length = |text: &str| {
        text.starts_with(|c: char| c.is_ascii_digit())
            && text.ends_with(['s', 'm', 'h'])
            && text.chars().all(char::is_alphanumeric)
    };
    match value.as_str() {
        Some(text) if is_plain(text) || is_length(text) => text.to_owned(),
        Some(_) | None => value.to_string(),
    }
}

/// A text that ends no comment.
fn comment(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
