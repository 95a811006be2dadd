//! What can be wrong with the answer of an `exec` check.

use super::Complaint;
use crate::check::ExecTarget;
use crate::evidence::ExecFacts;

/// The first thing that is wrong, if anything is.
pub(super) fn complaint(_target: &ExecTarget, _facts: &ExecFacts) -> Option<Complaint<'static>> {
    None
}
