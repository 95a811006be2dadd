//! What a query came to.

/// What a query came to.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct PromqlFacts {}
