//! What the last probe of a check measured: page.

use super::{Gauge, Measured};
use rules::evidence::PageFacts;

/// What is told of it.
pub(super) const GAUGES: &[&Gauge] = &[];

/// Adds what `facts` say.
pub(super) fn measure(_facts: &PageFacts, _measured: &mut Vec<Measured>) {}
