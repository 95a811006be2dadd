//! What a page and its assets came to.

/// What a page and its assets came to.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct PageFacts {}
