//! What can be wrong with the answer of an `icmp` check.

use super::Complaint;
use crate::check::IcmpTarget;
use crate::evidence::IcmpFacts;

/// The first thing that is wrong, if anything is.
pub(super) fn complaint(_target: &IcmpTarget, _facts: &IcmpFacts) -> Option<Complaint<'static>> {
    None
}
