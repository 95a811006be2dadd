//! Tries a template out before any target is there, so that its mistakes are found when it is read.
//!
//! A label may hold anything, so several kinds of text are tried in its place. What is wrong with all of
//! them, at a word that has no label in it, is a mistake of the template.

use super::Text;
use crate::agent::discovery::{ADDRESS, Labels};
use crate::check::read_assigned;
use crate::node::{Key, Node, Value};
use crate::reading::Reading;
use crate::source::Span;

/// What addresses look like: Prometheus' own, a page's, a name.
const ADDRESSES: &[&str] = &["host.example:80", "https://host.example/", "host.example"];
/// What labels look like: a name, a number, a duration, and what an address may be.
const TEXTS: &[&str] = &["name", "1", "30s", "GET", "host.example:80", "https://host.example/", "wss://host.example/"];

/// Records the mistakes of the template `node` with `entries`; returns where it reads the environment.
pub(super) fn try_out(node: &Node, entries: &[(Key, Node)], reading: &mut Reading) -> Vec<Span> {
    let mut open = Vec::new();
    open_places(node, &mut open);
    let mut best = None;
    for address in ADDRESSES {
        for text in TEXTS {
            let tried = Node { at: node.at, value: Value::Map(sampled(node.at, entries, address, text)) };
            let met = reading.attempt(|reading| drop(read_assigned(&tried, reading)));
            let mistakes = met.problems.len();
            if best.as_ref().is_none_or(|(fewest, _)| mistakes < *fewest) {
                best = Some((mistakes, met));
            }
            if mistakes == 0 || open.is_empty() {
                return end(best, &open, reading);
            }
        }
    }
    end(best, &open, reading)
}

fn end(best: Option<(usize, crate::reading::Met)>, open: &[Span], reading: &mut Reading) -> Vec<Span> {
    let Some((_, met)) = best else { return Vec::new() };
    for (at, message) in met.problems {
        if !open.contains(&at) {
            reading.problem::<()>(at, message);
        }
    }
    met.expanded
}

/// Where texts with labels in them stand.
fn open_places(node: &Node, open: &mut Vec<Span>) {
    match &node.value {
        Value::Nothing => {}
        Value::Text(text) if Text::parse(text).is_fixed() => {}
        Value::Text(_) => open.push(node.at),
        Value::List(nodes) => nodes.iter().for_each(|node| open_places(node, open)),
        Value::Map(entries) => entries.iter().for_each(|(_, node)| open_places(node, open)),
    }
}

/// The check for a target whose labels all hold `text`; it has a name in any case.
fn sampled(at: Span, entries: &[(Key, Node)], address: &str, text: &str) -> Vec<(Key, Node)> {
    let named = |name: &str, value: &str| {
        (Key { at, name: name.to_owned() }, Node { at, value: Value::Text(value.to_owned()) })
    };
    let rest = entries.iter().filter(|(key, _)| key.name != "check" && key.name != "service");
    let rest = rest.map(|(key, node)| (key.clone(), filled(node, address, text)));
    [named("check", "sample"), named("service", "sample")].into_iter().chain(rest).collect()
}

fn filled(node: &Node, address: &str, text: &str) -> Node {
    let value = match &node.value {
        Value::Nothing => Value::Nothing,
        Value::Text(given) => Value::Text(Text::parse(given).sampled(address, text)),
        Value::List(nodes) => Value::List(nodes.iter().map(|node| filled(node, address, text)).collect()),
        Value::Map(entries) => {
            Value::Map(entries.iter().map(|(key, node)| (key.clone(), filled(node, address, text))).collect())
        }
    };
    Node { at: node.at, value }
}

impl Text {
    fn sampled(&self, address: &str, text: &str) -> String {
        let names = self.labels().filter(|name| !["address", "host", "port"].contains(name));
        let labels = names.map(|name| (name.to_owned(), text.to_owned()));
        let labels: Labels = labels.chain([(ADDRESS.to_owned(), address.to_owned())]).collect();
        self.filled(&labels).unwrap_or_else(|_| text.to_owned())
    }
}
