//! What the last probe of a check measured: dialog.

use super::{Gauge, Measured};
use rules::evidence::DialogFacts;

/// What is told of it.
pub(super) const GAUGES: &[&Gauge] = &[];

/// Adds what `facts` say.
pub(super) fn measure(_facts: &DialogFacts, _measured: &mut Vec<Measured>) {}
