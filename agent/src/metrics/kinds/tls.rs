//! What the last probe of a check measured: tls.

use super::{Gauge, Measured};
use rules::evidence::TlsFacts;

/// What is told of it.
pub(super) const GAUGES: &[&Gauge] = &[];

/// Adds what `facts` say.
pub(super) fn measure(_facts: &TlsFacts, _measured: &mut Vec<Measured>) {}
