//! One pass over the files of a configuration: what was read, what is wrong, what is doubtful.
//!
//! A reader that meets a mistake records it and goes on, so that one run shows every mistake. A value
//! that stands in for one that could not be read never leaves this crate: the end of a load refuses.

use crate::node::{self, Key, Node, Value};
use crate::source::{Finding, Source, Span};
use std::path::PathBuf;

/// How many mistakes of one load are kept: more than anybody reads at once.
const PROBLEMS_MAX: usize = 100;

/// How many doubts of one load are kept.
const WARNINGS_MAX: usize = 1000;

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A file can't be read.
    #[error("{}: {source}; name a file that exists and that this user may read", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// What the files say is wrong, file by file from top to bottom; never empty.
    #[error("{}", shown(.0))]
    Wrong(Vec<Finding>),
}

fn shown(findings: &[Finding]) -> String {
    findings.iter().map(Finding::to_string).collect::<Vec<_>>().join("\n")
}

/// A configuration that can be used, and what is doubtful about it.
#[derive(Clone, PartialEq, Debug)]
pub struct Loaded<T> {
    /// The configuration.
    pub value: T,
    /// What an operator should look at; nothing that stops a program.
    pub warnings: Vec<Finding>,
}

/// Where `${NAME}` in a secret comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Environment {
    /// This process's environment.
    Process,
    /// Nowhere: the text came from another machine, which must not learn ours.
    Sealed,
}

/// The state of one load.
pub(crate) struct Reading {
    sources: Vec<Source>,
    problems: Vec<(Span, String)>,
    warnings: Vec<(Span, String)>,
    /// What relative paths are relative to.
    pub(crate) base_dir: PathBuf,
    pub(crate) environment: Environment,
}

impl Reading {
    pub(crate) fn new(base_dir: PathBuf, environment: Environment) -> Reading {
        Reading { sources: Vec::new(), problems: Vec::new(), warnings: Vec::new(), base_dir, environment }
    }

    /// Takes `text` in as a file and reads it as YAML.
    pub(crate) fn parse(&mut self, name: &str, text: &str) -> Option<Node> {
        let file = self.sources.len();
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        self.sources.push(Source::new(name, text));
        match node::parse(text, file) {
            Ok(node) => Some(node),
            Err(refusal) => {
                self.sources[file].conceal_by_key(refusal.at.start);
                self.problem(refusal.at, refusal.message)
            }
        }
    }

    /// Records a mistake; returns nothing, in the place of what could not be read.
    pub(crate) fn problem<T>(&mut self, at: Span, message: impl Into<String>) -> Option<T> {
        if self.problems.len() < PROBLEMS_MAX {
            self.problems.push((at, message.into()));
        }
        None
    }

    /// Records a doubt.
    pub(crate) fn warn(&mut self, at: Span, message: impl Into<String>) {
        if self.warnings.len() < WARNINGS_MAX {
            self.warnings.push((at, message.into()));
        }
    }

    /// Keeps what stands at `at` out of every excerpt: it may be a secret.
    pub(crate) fn conceal(&mut self, at: Span) {
        self.sources[at.file].concealed.push(at.start..at.end);
    }

    /// How `at` is named in a message about another place.
    pub(crate) fn shown(&self, at: Span) -> String {
        let place = self.sources[at.file].place(at.start..at.end);
        format!("{}:{}", place.file, place.line)
    }

    /// The value, if nothing was wrong.
    pub(crate) fn end<T>(self, value: Option<T>) -> Result<Loaded<T>, ConfigError> {
        match value {
            Some(value) if self.problems.is_empty() => {
                Ok(Loaded { value, warnings: findings(&self.sources, self.warnings) })
            }
            _ => Err(ConfigError::Wrong(findings(&self.sources, self.problems))),
        }
    }
}

/// What was recorded, as somebody meets it who reads the files from top to bottom.
fn findings(sources: &[Source], mut recorded: Vec<(Span, String)>) -> Vec<Finding> {
    recorded.sort_by_key(|(at, _)| (at.file, at.start));
    let finding = |(at, message): (Span, String)| Finding { place: sources[at.file].place(at.start..at.end), message };
    recorded.into_iter().map(finding).collect()
}

/// A value and where it stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Placed<T> {
    pub(crate) at: Span,
    pub(crate) value: T,
}

/// Reads with `read` and keeps the place.
pub(crate) fn placed<T>(
    mut read: impl FnMut(&Node, &mut Reading) -> Option<T>,
) -> impl FnMut(&Node, &mut Reading) -> Option<Placed<T>> {
    move |node, reading| read(node, reading).map(|value| Placed { at: node.at, value })
}

/// The text of a single value.
pub(crate) fn text<'n>(node: &'n Node, reading: &mut Reading) -> Option<&'n str> {
    match &node.value {
        Value::Text(text) => Some(text),
        Value::Nothing => reading.problem(node.at, "nothing stands here; write a value, or leave the key out"),
        Value::List(_) | Value::Map(_) => {
            reading.problem(node.at, format!("{} stands here; write a single value", node.value.shape()))
        }
    }
}

/// A list, read entry by entry; nothing is an empty list.
pub(crate) fn list<T>(
    mut read: impl FnMut(&Node, &mut Reading) -> Option<T>,
) -> impl FnOnce(&Node, &mut Reading) -> Option<Vec<T>> {
    move |node, reading| match &node.value {
        Value::Nothing => Some(Vec::new()),
        Value::List(nodes) => Some(nodes.iter().filter_map(|node| read(node, reading)).collect()),
        Value::Text(_) | Value::Map(_) => reading
            .problem(node.at, format!("{} stands here; write a list: `[…]` or lines with `-`", node.value.shape())),
    }
}

/// A list, or a single entry in its place.
pub(crate) fn one_or_list<T>(
    mut read: impl FnMut(&Node, &mut Reading) -> Option<T>,
) -> impl FnOnce(&Node, &mut Reading) -> Option<Vec<T>> {
    move |node, reading| match &node.value {
        Value::Nothing | Value::List(_) => list(read)(node, reading),
        Value::Text(_) | Value::Map(_) => read(node, reading).map(|value| vec![value]),
    }
}

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

    /// Takes out `key`, if it is there.
    pub(crate) fn take(&mut self, key: &'static str) -> Option<(&'n Key, &'n Node)> {
        self.known.push(key);
        self.entries.iter_mut().find(|entry| entry.is_some_and(|(found, _)| found.name == key))?.take()
    }

    /// Takes out `key` without listing it among the keys that are known.
    pub(crate) fn take_quietly(&mut self, key: &str) -> Option<(&'n Key, &'n Node)> {
        self.entries.iter_mut().find(|entry| entry.is_some_and(|(found, _)| found.name == key))?.take()
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

/// One of a closed set of words.
pub(crate) fn word<T: Copy>(choices: &[(&'static str, T)]) -> impl FnOnce(&Node, &mut Reading) -> Option<T> {
    move |node, reading| {
        let given = text(node, reading)?;
        if let Some((_, value)) = choices.iter().find(|(word, _)| *word == given) {
            return Some(*value);
        }
        let words: Vec<&'static str> = choices.iter().map(|(word, _)| *word).collect();
        let right = match nearest(given, words.iter().copied()) {
            Some(near) if 3 < words.len() => format!("did you mean `{near}`?"),
            _ => format!("write {}", either(&words)),
        };
        reading.problem(node.at, format!("`{}` is not one of the words here; {right}", given.escape_debug()))
    }
}

/// The word of `known` that `given` is most likely a misspelling of.
pub(crate) fn nearest<'k>(given: &str, known: impl Iterator<Item = &'k str>) -> Option<&'k str> {
    known
        .map(|word| (strsim::normalized_damerau_levenshtein(given, word), word))
        .filter(|(likeness, _)| 0.5 <= *likeness)
        .max_by(|(left, _), (right, _)| left.total_cmp(right))
        .map(|(_, word)| word)
}

/// `a`, `b` and `c`.
pub(crate) fn listed(words: &[&str]) -> String {
    joined(words, "and")
}

/// `a`, `b` or `c`.
pub(crate) fn either(words: &[&str]) -> String {
    joined(words, "or")
}

fn joined(words: &[&str], last: &str) -> String {
    match words {
        [] => "none".to_owned(),
        [only] => format!("`{only}`"),
        [first @ .., end] => {
            let first: Vec<String> = first.iter().map(|word| format!("`{word}`")).collect();
            format!("{} {last} `{end}`", first.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_key_names_the_nearest_known_one() {
        let check = |given: &str, expected: Option<&str>| {
            assert_eq!(nearest(given, ["every", "timeout", "objective"].into_iter()), expected, "{given}");
        };
        check("evry", Some("every"));
        check("time_out", Some("timeout"));
        check("colour", None);
    }

    #[test]
    fn every_mistake_of_a_file_is_recorded_not_only_the_first() {
        let mut reading = Reading::new(PathBuf::new(), Environment::Sealed);
        let node = reading.parse("a.yaml", "evry: 1\ntimeut: 2\n").unwrap();
        let mut keys = Keys::of(&node, "a check", &mut reading).unwrap();
        let every = keys.optional("every", &mut reading, |node, reading| text(node, reading));
        keys.take("timeout");
        keys.end(&mut reading);
        assert_eq!(every, None);
        let Err(ConfigError::Wrong(problems)) = reading.end(Some(())) else { panic!("not refused") };
        assert_eq!(problems.len(), 2);
    }
}
