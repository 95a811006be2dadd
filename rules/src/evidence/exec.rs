//! What a command answered.

/// What a command answered.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct ExecFacts {}
