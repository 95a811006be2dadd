//! A text with places for labels.

use super::{NotACheck, no_label};
use crate::agent::discovery::{ADDRESS, Labels};
use crate::node::{Node, Value};
use crate::reading::Reading;
use crate::secret::expanded;
use std::fmt;

/// The longest text that labels may make: no address or header is longer.
const FILLED_BYTES_MAX: usize = 64 * 1024;

/// A text with places for labels. It may hold a secret, so it is never shown.
#[derive(Clone, PartialEq)]
pub struct Text(Vec<Part>);

#[derive(Clone, PartialEq)]
enum Part {
    Literal(String),
    Label(String),
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[template]")
    }
}

/// Whether `name` can be a label's, as in Prometheus.
pub(in crate::agent::discovery) fn is_label(name: &str) -> bool {
    let is_letter = |c: char| c.is_ascii_alphabetic() || c == '_';
    name.starts_with(is_letter) && name.chars().all(|c| is_letter(c) || c.is_ascii_digit())
}

impl Text {
    /// Finds the places for labels in `given`.
    pub(in crate::agent::discovery) fn parse(given: &str) -> Text {
        let mut parts = Parts::default();
        let mut rest = given;
        while let Some(at) = rest.find(['{', '$']) {
            let (before, after) = rest.split_at(at);
            parts.literal(before);
            let read = if let Some(name) = label(after) {
                parts.0.push(Part::Label(name.to_owned()));
                name.len() + 2
            } else if let Some(name) = escaped_label(after) {
                parts.literal(&after[1..name.len() + 3]);
                name.len() + 4
            } else {
                // `$$` and `${` are the environment's.
                let read = if after.starts_with("$$") || after.starts_with("${") { 2 } else { 1 };
                parts.literal(&after[..read]);
                read
            };
            rest = &after[read..];
        }
        parts.literal(rest);
        Text(parts.0)
    }

    /// Finds the places for labels in `given` and fills in the environment's variables around them.
    pub(in crate::agent::discovery) fn expanded(given: &str, node: &Node, reading: &mut Reading) -> Option<Text> {
        let parts = Text::parse(given).0.into_iter().map(|part| match part {
            Part::Literal(text) => {
                expanded(&Node { at: node.at, value: Value::Text(text) }, reading).map(Part::Literal)
            }
            label @ Part::Label(_) => Some(label),
        });
        parts.collect::<Option<_>>().map(Text)
    }

    /// Whether there is no place for a label in it.
    pub(in crate::agent::discovery) fn is_fixed(&self) -> bool {
        self.0.iter().all(|part| matches!(part, Part::Literal(_)))
    }

    /// The labels it has places for.
    pub(super) fn labels(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|part| match part {
            Part::Literal(_) => None,
            Part::Label(name) => Some(name.as_str()),
        })
    }

    /// The text for a target with `labels`.
    pub(super) fn filled(&self, labels: &Labels) -> Result<String, NotACheck> {
        let mut out = String::new();
        for part in &self.0 {
            match part {
                Part::Literal(text) => out.push_str(text),
                Part::Label(name) => out.push_str(value(name, labels).ok_or_else(|| no_label(name))?),
            }
        }
        if FILLED_BYTES_MAX < out.len() {
            return Err(NotACheck(format!("its labels make a text of more than {FILLED_BYTES_MAX} bytes")));
        }
        Ok(out)
    }
}

/// Parts as they are found; literals that meet are one.
#[derive(Default)]
struct Parts(Vec<Part>);

impl Parts {
    fn literal(&mut self, text: &str) {
        match self.0.last_mut() {
            Some(Part::Literal(last)) => last.push_str(text),
            Some(Part::Label(_)) | None if !text.is_empty() => self.0.push(Part::Literal(text.to_owned())),
            Some(Part::Label(_)) | None => {}
        }
    }
}

/// The label's name, if `text` begins with one in braces.
fn label(text: &str) -> Option<&str> {
    let (name, _) = text.strip_prefix('{')?.split_once('}')?;
    is_label(name).then_some(name)
}

/// The label's name, if `text` begins with one in two pairs of braces.
fn escaped_label(text: &str) -> Option<&str> {
    let name = label(text.strip_prefix('{')?)?;
    text[name.len() + 3..].starts_with('}').then_some(name)
}

/// The label `name`, or that part of the address which has its name.
fn value<'l>(name: &str, labels: &'l Labels) -> Option<&'l str> {
    labels.get(name).map(String::as_str).or_else(|| {
        let address = labels.get(ADDRESS)?.as_str();
        match name {
            "address" => Some(address),
            "host" => Some(host_and_port(address).0),
            "port" => host_and_port(address).1,
            _ => None,
        }
    })
}

/// The host, in brackets if it is an IPv6 address there, and the port of an address or URL.
fn host_and_port(address: &str) -> (&str, Option<&str>) {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    let authority = authority.rsplit_once('@').map_or(authority, |(_, authority)| authority);
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) => {
            // An IPv6 address without brackets has colons and no port.
            if host.contains(':') && !host.starts_with('[') { (authority, None) } else { (host, Some(port)) }
        }
        _ => (authority, None),
    }
}
