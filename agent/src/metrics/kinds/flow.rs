//! What the last probe of a check measured: flow.

use super::{Gauge, Measured};
use rules::evidence::FlowFacts;

/// What is told of it.
pub(super) const GAUGES: &[&Gauge] = &[];

/// Adds what `facts` say.
pub(super) fn measure(_facts: &FlowFacts, _measured: &mut Vec<Measured>) {}
