//! What each step of a flow came to.

use super::{Failure, Said};
use crate::id::StepId;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

/// What each step of a flow came to, in the flow's order; a step that was not begun is there too.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct FlowFacts {
    /// The steps.
    pub steps: Vec<StepFacts>,
}

/// What a step came to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StepFacts {
    /// Its name.
    pub name: StepId,
    /// From the start of the flow to its own.
    pub began: Duration,
    /// How long it took, with all its repetitions and the waiting between them.
    pub elapsed: Duration,
    /// How many requests it made.
    pub requests: u32,
    /// The status of its last answer.
    pub status: Option<u16>,
    /// How it ended.
    pub end: StepEnd,
}

/// How a step ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum StepEnd {
    /// It was not begun: a step before it failed.
    NotBegun,
    /// It was not begun: what this name should stand for was never captured, so there is nothing that it could act on.
    Needless(String),
    /// It was cut off by the end of the flow's time.
    CutOff,
    /// Everything was as expected.
    Done,
    /// It ran, and something was not as expected.
    Failed(Shortfall),
}

/// What was not as expected of a step.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Shortfall {
    /// The request did not get to the end of its answer, or the step not to its own in time.
    Broken(Failure),
    /// The status is not an expected one.
    Status(u16),
    /// The content rule with this number, from zero, is broken.
    Content(usize),
    /// The answer lacks what should be captured under this name.
    Capture(String),
    /// What was captured before makes a request that can't be sent, or not to there.
    Request(Said),
}
