//! One pass over the files of a configuration: what was read, what is wrong, what is doubtful.
//!
//! A reader that meets a mistake records it and goes on, so that one run shows every mistake. A value
//! that stands in for one that could not be read never leaves this crate: the end of a load refuses.

pub(crate) mod keys;
pub mod words;

use crate::files;
use crate::node::{self, Node, Value};
use crate::source::{Finding, Source, Span};
use std::path::{Path, PathBuf};

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
    /// Nowhere: variables were filled in before, and what looks like one came with a target's labels.
    Filled,
}

/// What an attempt met.
pub(crate) struct Met {
    /// The mistakes.
    pub(crate) problems: Vec<(Span, String)>,
    /// Where a text had the environment's variables filled in.
    pub(crate) expanded: Vec<Span>,
}

/// The state of one load.
pub(crate) struct Reading {
    sources: Vec<Source>,
    problems: Vec<(Span, String)>,
    warnings: Vec<(Span, String)>,
    /// Where a text had the environment's variables filled in.
    pub(crate) expanded: Vec<Span>,
    /// What relative paths are relative to.
    pub(crate) base_dir: PathBuf,
    pub(crate) environment: Environment,
}

impl Reading {
    pub(crate) fn new(base_dir: PathBuf, environment: Environment) -> Reading {
        let (problems, warnings, expanded) = (Vec::new(), Vec::new(), Vec::new());
        Reading { sources: Vec::new(), problems, warnings, expanded, base_dir, environment }
    }

    /// A reading of values that stand in no file; all of them are at the first byte of an empty one.
    pub(crate) fn of_nothing(base_dir: PathBuf, environment: Environment) -> Reading {
        let mut reading = Reading::new(base_dir, environment);
        reading.sources.push(Source::new("", ""));
        reading
    }

    /// Does `read` in a file of this machine, which may name the environment's variables even where a
    /// template that is filled in already may not.
    pub(crate) fn within_a_file<T>(&mut self, read: impl FnOnce(&mut Reading) -> T) -> T {
        let around = self.environment;
        if around == Environment::Filled {
            self.environment = Environment::Process;
        }
        let read = read(self);
        self.environment = around;
        read
    }

    /// Does `read` and hands out what it met instead of recording it.
    pub(crate) fn attempt(&mut self, read: impl FnOnce(&mut Reading)) -> Met {
        let problems = std::mem::take(&mut self.problems);
        let warnings = std::mem::take(&mut self.warnings);
        let expanded = std::mem::take(&mut self.expanded);
        read(self);
        self.warnings = warnings;
        Met {
            problems: std::mem::replace(&mut self.problems, problems),
            expanded: std::mem::replace(&mut self.expanded, expanded),
        }
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
        record(&mut self.problems, at, message.into(), PROBLEMS_MAX);
        None
    }

    /// Records a doubt.
    pub(crate) fn warn(&mut self, at: Span, message: impl Into<String>) {
        record(&mut self.warnings, at, message.into(), WARNINGS_MAX);
    }

    /// Keeps what stands at `at` out of every excerpt: it may be a secret.
    pub(crate) fn conceal(&mut self, at: Span) {
        self.sources[at.file].concealed.push(at.start..at.end);
    }

    /// The directory of the file that `at` stands in.
    pub(crate) fn dir_of(&self, at: Span) -> PathBuf {
        match at.file {
            // What is read first was named by whoever began the load, with the directory it is to have.
            0 => self.base_dir.clone(),
            _ => files::base_dir(Path::new(&self.sources[at.file].name)).to_owned(),
        }
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

/// Keeps a finding unless it is there already: what several versions have in common is said once.
fn record(recorded: &mut Vec<(Span, String)>, at: Span, message: String, count_max: usize) {
    let is_there = recorded.iter().any(|(known_at, known)| *known_at == at && *known == message);
    if recorded.len() < count_max && !is_there {
        recorded.push((at, message));
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

#[cfg(test)]
mod tests {
    use super::keys::Keys;
    use super::*;

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
