//! What can be wrong with the answer of a `ws` check.

use super::Complaint;
use crate::check::WsTarget;
use crate::evidence::WsFacts;

/// The first thing that is wrong, if anything is.
pub(super) fn complaint(_target: &WsTarget, _facts: &WsFacts) -> Option<Complaint<'static>> {
    None
}
