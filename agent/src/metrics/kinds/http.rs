//! What the last probe of a check measured: http.

use super::{Gauge, Measured};
use rules::evidence::{HttpFacts, HttpVersion, Transport};

const STATUS: Gauge =
    Gauge { name: "nines_probe_http_status_code", help: "The status of the last probe's last answer.", label: None };
const VERSION: Gauge = Gauge {
    name: "nines_probe_http_version",
    help: "The version of HTTP of the last probe's last answer: 1.0, 1.1, 2 or 3.",
    label: None,
};
const TLS: Gauge = Gauge {
    name: "nines_probe_http_tls",
    help: "1 when the last probe's last answer came over TLS, else 0.",
    label: None,
};
const REDIRECTS: Gauge =
    Gauge { name: "nines_probe_http_redirects", help: "Redirects that the last probe followed.", label: None };
const ANNOUNCED: Gauge = Gauge {
    name: "nines_probe_http_content_length_bytes",
    help: "The length of body that the last probe's last answer announced; absent if it announced none.",
    label: None,
};
const WIRE: Gauge = Gauge {
    name: "nines_probe_http_wire_bytes",
    help: "Bytes of body that came to the last probe, as sent.",
    label: None,
};
const BODY: Gauge = Gauge {
    name: "nines_probe_http_body_bytes",
    help: "Bytes of body that the last probe read, its compression undone.",
    label: None,
};
const MODIFIED: Gauge = Gauge {
    name: "nines_probe_http_last_modified_timestamp_seconds",
    help: "When the last probe's last answer said that it last changed; absent if it did not say.",
    label: None,
};

/// What is told of an HTTP answer.
pub(super) const GAUGES: &[&Gauge] = &[&STATUS, &VERSION, &TLS, &REDIRECTS, &ANNOUNCED, &WIRE, &BODY, &MODIFIED];

/// Adds what `facts` say.
pub(super) fn measure(facts: &HttpFacts, measured: &mut Vec<Measured>) {
    let mut put = |gauge, value| measured.push(Measured::new(gauge, value));
    put(&STATUS, f64::from(facts.status));
    put(&VERSION, number(facts.version));
    put(&TLS, if facts.transport == Transport::Tls { 1.0 } else { 0.0 });
    put(&REDIRECTS, f64::from(facts.redirects));
    if let Some(length) = facts.content_length {
        put(&ANNOUNCED, length as f64);
    }
    put(&WIRE, facts.wire_bytes as f64);
    put(&BODY, facts.body_bytes as f64);
    if let Some(modified) = facts.last_modified {
        put(&MODIFIED, modified.as_millis() as f64 / 1000.0);
    }
}

fn number(version: HttpVersion) -> f64 {
    match version {
        HttpVersion::V1_0 => 1.0,
        HttpVersion::V1_1 => 1.1,
        HttpVersion::V2 => 2.0,
        HttpVersion::V3 => 3.0,
    }
}
