//! What each step of a flow came to.

/// What each step of a flow came to.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct FlowFacts {}
