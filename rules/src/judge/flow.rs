//! What can be wrong with the answer of a `flow` check.

use super::Complaint;
use crate::check::FlowTarget;
use crate::evidence::FlowFacts;

/// The first thing that is wrong, if anything is.
pub(super) fn complaint(_target: &FlowTarget, _facts: &FlowFacts) -> Option<Complaint<'static>> {
    None
}
