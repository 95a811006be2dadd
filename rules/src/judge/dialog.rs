//! What can be wrong with the answer of a `dialog` check.

use super::Complaint;
use crate::evidence::DialogFacts;

/// The first thing that is wrong, if anything is.
pub(super) fn complaint(_facts: &DialogFacts) -> Option<Complaint<'static>> {
    None
}
