//! What can be wrong with the answer of a `dns` check.

use super::Complaint;
use crate::check::DnsTarget;
use crate::evidence::DnsFacts;

/// The first thing that is wrong, if anything is.
pub(super) fn complaint(_target: &DnsTarget, _facts: &DnsFacts) -> Option<Complaint<'static>> {
    None
}
