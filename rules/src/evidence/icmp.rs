//! What came back of the echo requests.

/// What came back of the echo requests.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct IcmpFacts {}
