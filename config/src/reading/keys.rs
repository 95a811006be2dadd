//! The keys of a map: each asked for by name, and those that nobody asked for refused.

use super::Reading;
use super::words::{listed, nearest};
use crate::node::{Key, Node, Value};
use crate::source::Span;

/// The keys of a map while they are taken out one by one; what is never asked for is unknown.
pub(crate) struct Keys<'n> {
    what: &'static str,
    pub(crate) at: Span,
    entries: Vec<Option<(&'n Key, &'n Node)>>,
    known: Vec<&'static str>,
}

impl<'n> Keys<'n> {
    /// The keys of `node`, which describes `what`; nothing is a map without keys.
    pub(crate) fn of(node: &'n Node, what: &'static str, reading: &mut Reading) -> Option<Keys<'n>> {
        let entries = match &node.value {
            Value::Nothing => Vec::new(),
            Value::Map(entries) => entries.iter().map(|(key, node)| Some((key, node))).collect(),
            Value::Text(_) | Value::List(_) => {
                let shape = node.value.shape();
                return reading
                    .problem(node.at, format!("{shape} stands where {what} should; write its keys and values"));
            }
        };
        Some(Keys { what, at: node.at, entries, known: Vec::new() })
    }

    /// Where `key` stands that was not taken out yet, or else the map.
    pub(crate) fn place(&self, key: &str) -> Span {
        self.entries.iter().flatten().find(|(found, _)| found.name == key).map_or(self.at, |(found, _)| found.at)
    }

    /// Takes out `key`, if it is there.
    pub(crate) fn take(&mut self, key: &'static str) -> Option<(&'n Key, &'n Node)> {
        if !self.known.contains(&key) {
            self.known.push(key);
        }
        self.entries.iter_mut().find(|entry| entry.is_some_and(|(found, _)| found.name == key))?.take()
    }

    /// What stands at `key`, without taking it out.
    pub(crate) fn peek(&self, key: &str) -> Option<&'n Node> {
        self.entries.iter().flatten().find(|(found, _)| found.name == key).map(|(_, node)| *node)
    }

    /// The value of `key`, if it is there and can be read.
    pub(crate) fn optional<T>(
        &mut self,
        key: &'static str,
        reading: &mut Reading,
        read: impl FnOnce(&'n Node, &mut Reading) -> Option<T>,
    ) -> Option<T> {
        let (_, node) = self.take(key)?;
        read(node, reading)
    }

    /// The value of `key`, or `default` if it is not there.
    pub(crate) fn or<T>(
        &mut self,
        key: &'static str,
        default: T,
        reading: &mut Reading,
        read: impl FnOnce(&'n Node, &mut Reading) -> Option<T>,
    ) -> T {
        self.optional(key, reading, read).unwrap_or(default)
    }

    /// The value of `key`, which must be there.
    pub(crate) fn required<T>(
        &mut self,
        key: &'static str,
        reading: &mut Reading,
        read: impl FnOnce(&'n Node, &mut Reading) -> Option<T>,
    ) -> Option<T> {
        match self.take(key) {
            Some((_, node)) => read(node, reading),
            None => reading.problem(self.at, format!("{} has no `{key}`; add the key `{key}`", self.what)),
        }
    }

    /// Every entry that was not taken out, for maps whose keys are data.
    pub(crate) fn rest(&mut self) -> Vec<(&'n Key, &'n Node)> {
        self.entries.iter_mut().filter_map(Option::take).collect()
    }

    /// Refuses the keys that nobody asked for.
    pub(crate) fn end(self, reading: &mut Reading) {
        for (key, _) in self.entries.iter().flatten() {
            let right = match nearest(&key.name, self.known.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("its keys are {}", listed(&self.known)),
            };
            reading.problem::<()>(key.at, format!("unknown key `{}` in {}; {right}", key.name, self.what));
        }
    }
}
