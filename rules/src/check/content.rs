//! What must or must not be found in an answer.

use super::Pattern;
use alloc::string::String;

/// One expectation about the answer's content.
#[derive(Clone, PartialEq, Debug)]
pub struct ContentRule {
    /// What it looks for, and where.
    pub look: Look,
    /// Whether finding it is good or bad.
    pub fails: FailsIf,
}

/// What a content rule looks for, and where.
#[derive(Clone, PartialEq, Debug)]
pub enum Look {
    /// A pattern in the body, as bytes.
    Body(Pattern),
    /// A pattern in any value of a header.
    Header {
        /// Its name, in lower case.
        name: String,
        /// What one of its values must or must not match.
        pattern: Pattern,
        /// What it means that no such header is there.
        missing: Missing,
    },
    /// A condition in the Common Expression Language on the body read as JSON, its variable `body`;
    /// whoever made this value has seen it compile.
    Json(String),
}

/// What it means that a header is not there.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Missing {
    /// The rule fails, whichever way it looks.
    #[default]
    Fails,
    /// The rule holds: `allow_missing`.
    Holds,
}

/// When a content rule fails.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FailsIf {
    /// It is found.
    Found,
    /// It is not found.
    Missing,
}
