//! What the last probe of a check measured: ws.

use super::{Gauge, Measured, dialog};
use rules::evidence::WsFacts;

const STATUS: Gauge = Gauge {
    name: "nines_probe_ws_status_code",
    help: "The status of the last probe's request to upgrade; 101: it is a WebSocket.",
    label: None,
};

/// What is told of a WebSocket, beside its dialog.
pub(super) const GAUGES: &[&Gauge] = &[&STATUS];

/// Adds what `facts` say.
pub(super) fn measure(facts: &WsFacts, measured: &mut Vec<Measured>) {
    measured.push(Measured::new(&STATUS, f64::from(facts.status)));
    if 0 < facts.dialog.steps {
        dialog::measure(&facts.dialog, measured);
    }
}
