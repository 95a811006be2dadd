//! What the last probe of a check measured: grpc.

use super::{Gauge, Measured};
use rules::evidence::GrpcFacts;

/// What is told of it.
pub(super) const GAUGES: &[&Gauge] = &[];

/// Adds what `facts` say.
pub(super) fn measure(_facts: &GrpcFacts, _measured: &mut Vec<Measured>) {}
