//! What must or must not be found in an answer.

use super::Pattern;
use alloc::string::String;

/// One expectation about the answer's content.
#[derive(Clone, PartialEq, Debug)]
pub struct ContentRule {
    /// Where it looks.
    pub part: ContentPart,
    /// What it looks for.
    pub pattern: Pattern,
    /// Whether finding it is good or bad.
    pub fails: FailsIf,
}

/// The part of an answer that a rule looks at.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ContentPart {
    /// The body, as bytes.
    Body,
    /// The values of this header; its name in lower case.
    Header(String),
}

/// When a content rule fails.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FailsIf {
    /// The pattern is found.
    Found,
    /// The pattern is not found.
    Missing,
}
