//! What the last probe of a check measured: icmp.

use super::{Gauge, Measured};
use rules::evidence::IcmpFacts;

/// What is told of it.
pub(super) const GAUGES: &[&Gauge] = &[];

/// Adds what `facts` say.
pub(super) fn measure(_facts: &IcmpFacts, _measured: &mut Vec<Measured>) {}
