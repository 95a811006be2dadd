//! What the last probe of a check measured: ws.

use super::{Gauge, Measured};
use rules::evidence::WsFacts;

/// What is told of it.
pub(super) const GAUGES: &[&Gauge] = &[];

/// Adds what `facts` say.
pub(super) fn measure(_facts: &WsFacts, _measured: &mut Vec<Measured>) {}
