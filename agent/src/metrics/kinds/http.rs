//! What the last probe of a check measured: http.

use super::{Gauge, Measured};
use rules::evidence::HttpFacts;

const STATUS: Gauge =
    Gauge { name: "nines_probe_http_status_code", help: "The status of the last probe's last answer.", label: None };
const BODY: Gauge =
    Gauge { name: "nines_probe_http_body_bytes", help: "Bytes of body that the last probe read.", label: None };
const REDIRECTS: Gauge =
    Gauge { name: "nines_probe_http_redirects", help: "Redirects that the last probe followed.", label: None };

/// What is told of an HTTP answer.
pub(super) const GAUGES: &[&Gauge] = &[&STATUS, &BODY, &REDIRECTS];

/// Adds what `facts` say.
pub(super) fn measure(facts: &HttpFacts, measured: &mut Vec<Measured>) {
    measured.push(Measured::new(&STATUS, f64::from(facts.status)));
    measured.push(Measured::new(&BODY, facts.body_bytes as f64));
    measured.push(Measured::new(&REDIRECTS, f64::from(facts.redirects)));
}
