//! What a `flow` check does: requests in turn that together do one thing, such as making a project.
//!
//! A flow is a value like any other target. What is secret in it has a type that no output shows;
//! what its steps learn while they run is never kept here.

mod template;

pub use template::{Template, TemplateError};

use super::{ContentRule, HttpOptions, Pattern, SecretSource};
use crate::id::StepId;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use core::ops::RangeInclusive;
use core::time::Duration;

/// A sequence of requests that together do one thing.
#[derive(Clone, PartialEq, Debug)]
pub struct FlowTarget {
    /// The file's path as written, or the name that a flow within a check gives itself.
    pub name: String,
    /// What `${name}` in a step stands for.
    pub variables: BTreeMap<String, String>,
    /// What `${name}` in a step stands for, and no output shows.
    pub secrets: BTreeMap<String, SecretSource>,
    /// How much of the timeout is kept for the steps that always run; absent: a tenth.
    pub reserve: Option<Duration>,
    /// The steps in turn; those that always run stand last.
    pub steps: Vec<Step>,
    /// How HTTP is spoken in every step.
    pub options: HttpOptions,
}

/// One request of a flow, repeated if it polls, and what is expected of its answer.
#[derive(Clone, PartialEq, Debug)]
pub struct Step {
    /// Its name, unique within the flow.
    pub name: StepId,
    /// What is asked.
    pub request: StepRequest,
    /// What each answer must keep.
    pub expect: Expectation,
    /// What the answer waited for must keep, if the request is repeated until then.
    pub until: Option<Polling>,
    /// What later steps use of the answer, by name.
    pub captures: Vec<Capture>,
    /// How long it may take, with all its repetitions; absent: as long as the flow.
    pub timeout: Option<Duration>,
    /// Whether it runs when a step before it failed.
    pub runs: Runs,
    /// Whether its time is the flow's.
    pub timed: Timed,
    /// Whether its failure is the flow's.
    pub tolerance: Tolerance,
}

/// What a step asks.
#[derive(Clone, PartialEq, Debug)]
pub struct StepRequest {
    /// `GET` unless said otherwise.
    pub method: String,
    /// An absolute `http` or `https` URL, once expanded.
    pub url: Template,
    /// Sent with the request, in order.
    pub headers: Vec<(String, Template)>,
    /// Sent with the request.
    pub body: Option<Template>,
}

/// What an answer must keep.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Expectation {
    /// The statuses that are good; empty: those that are good where it stands.
    pub valid_status_codes: Vec<RangeInclusive<u16>>,
    /// Content that must or must not be there.
    pub content: Vec<ContentRule>,
}

/// A request that is repeated.
#[derive(Clone, PartialEq, Debug)]
pub struct Polling {
    /// What the answer waited for keeps.
    pub until: Expectation,
    /// From the end of one request to the start of the next.
    pub every: Duration,
}

/// A part of an answer, kept for later steps.
#[derive(Clone, PartialEq, Debug)]
pub struct Capture {
    /// What `${name}` stands for from then on.
    pub name: String,
    /// Where it is found.
    pub from: CaptureFrom,
    /// Whether outputs may show it.
    pub confidence: Confidence,
}

/// Where a capture is found.
#[derive(Clone, PartialEq, Debug)]
pub enum CaptureFrom {
    /// The first node that this JSONPath (RFC 9535) names in the body; whoever made this value has
    /// seen it read.
    Json(String),
    /// A header's first value.
    Header {
        /// Its name, in lower case.
        name: String,
        /// What of it; absent: all.
        pattern: Option<Pattern>,
    },
    /// What the first group of a pattern matches in the body, or all that it matches if it has none.
    Body(Pattern),
    /// The value of a cookie that the answer sets.
    Cookie(String),
}

/// Whether outputs may show a text.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Confidence {
    /// They may.
    #[default]
    Open,
    /// It is blotted out wherever an answer repeats it: `secret: true`.
    Secret,
}

/// When a step runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Runs {
    /// When all before it went well.
    #[default]
    InTurn,
    /// Whatever happened before, also when the flow's time is over: `always: true`.
    Always,
}

/// Whether a step's time is the flow's.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Timed {
    /// It is part of it.
    #[default]
    Yes,
    /// It is left out, as that of logging in.
    No,
}

/// Whether a step's failure is the flow's.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Tolerance {
    /// It is.
    #[default]
    None,
    /// It is told and nothing more: `may_fail: true`.
    MayFail,
}
