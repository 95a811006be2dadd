//! What the last probe of a check measured: dns.

use super::{Gauge, Measured};
use rules::evidence::DnsFacts;

/// What is told of it.
pub(super) const GAUGES: &[&Gauge] = &[];

/// Adds what `facts` say.
pub(super) fn measure(_facts: &DnsFacts, _measured: &mut Vec<Measured>) {}
