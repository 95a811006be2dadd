//! What can be wrong with the answer of a `tls` check.

use super::Complaint;
use crate::check::TlsTarget;
use crate::evidence::Evidence;

/// The first thing that is wrong, if anything is.
pub(super) fn complaint(_target: &TlsTarget, _evidence: &Evidence) -> Option<Complaint<'static>> {
    None
}
