//! What can be wrong with the answer of a `page` check.

use super::Complaint;
use crate::check::PageTarget;
use crate::evidence::PageFacts;

/// The first thing that is wrong, if anything is.
pub(super) fn complaint(_target: &PageTarget, _facts: &PageFacts) -> Option<Complaint<'static>> {
    None
}
