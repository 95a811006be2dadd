//! What a name server answered.

/// What a name server answered.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct DnsFacts {}
