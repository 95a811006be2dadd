//! What was said in a dialog.

/// What was said in a dialog.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct DialogFacts {}
