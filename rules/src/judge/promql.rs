//! What can be wrong with the answer of a `promql` check.

use super::Complaint;
use crate::check::PromqlTarget;
use crate::evidence::PromqlFacts;

/// The first thing that is wrong, if anything is.
pub(super) fn complaint(_target: &PromqlTarget, _facts: &PromqlFacts) -> Option<Complaint<'static>> {
    None
}
