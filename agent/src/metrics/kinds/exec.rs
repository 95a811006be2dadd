//! What the last probe of a check measured: exec.

use super::{Gauge, Measured};
use rules::evidence::ExecFacts;

/// What is told of it.
pub(super) const GAUGES: &[&Gauge] = &[];

/// Adds what `facts` say.
pub(super) fn measure(_facts: &ExecFacts, _measured: &mut Vec<Measured>) {}
