//! What was said in a dialog.

use super::{Facts, Said};
use alloc::string::String;
use alloc::vec::Vec;

/// What was said in a dialog.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct DialogFacts {
    /// How many steps it has.
    pub steps: u32,
    /// How many of them were done.
    pub done: u32,
    /// What the target said last: a line, a message, or the bytes that were looked through.
    pub heard: Said,
    /// The labels of the steps, with what was found for them.
    pub labels: Vec<(String, Said)>,
    /// What was waited for and did not come; absent if everything came, or the connection broke.
    pub unmet: Option<Unmet>,
}

/// What was waited for and did not come.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Unmet {
    /// The step that waited, from 1.
    pub step: u32,
    /// By what it was looked for.
    pub by: Expectation,
    /// What was looked for, as it is written in the check.
    pub expected: Said,
    /// How the waiting ended.
    pub end: Ending,
}

/// By what an answer is recognized.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Expectation {
    /// A regular expression on a line or message.
    Regexp,
    /// Bytes.
    Bytes,
}

impl Expectation {
    /// The word used in metrics and pages.
    pub fn as_str(self) -> &'static str {
        match self {
            Expectation::Regexp => "regexp",
            Expectation::Bytes => "bytes",
        }
    }
}

/// How waiting for an answer ended.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Ending {
    /// The target had no more to say.
    Closed,
    /// Something came that could not be waited past.
    Rejected,
}

impl Facts {
    /// What was said in a dialog, if there was one.
    pub fn dialog(&self) -> Option<&DialogFacts> {
        match self {
            Facts::Dialog(facts) => Some(facts),
            Facts::Ws(facts) => Some(&facts.dialog),
            Facts::Dns(_)
            | Facts::Icmp(_)
            | Facts::Grpc(_)
            | Facts::Flow(_)
            | Facts::Exec(_)
            | Facts::Promql(_)
            | Facts::Page(_) => None,
        }
    }

    /// The same, to go on noting.
    pub fn dialog_mut(&mut self) -> Option<&mut DialogFacts> {
        match self {
            Facts::Dialog(facts) => Some(facts),
            Facts::Ws(facts) => Some(&mut facts.dialog),
            Facts::Dns(_)
            | Facts::Icmp(_)
            | Facts::Grpc(_)
            | Facts::Flow(_)
            | Facts::Exec(_)
            | Facts::Promql(_)
            | Facts::Page(_) => None,
        }
    }
}
