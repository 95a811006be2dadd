//! What can be wrong with the answer of a `grpc` check.

use super::Complaint;
use crate::check::GrpcTarget;
use crate::evidence::GrpcFacts;

/// The first thing that is wrong, if anything is.
pub(super) fn complaint(_target: &GrpcTarget, _facts: &GrpcFacts) -> Option<Complaint<'static>> {
    None
}
