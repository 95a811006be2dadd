//! What the last probe of a check measured: tls.

use super::{Gauge, Measured};
use rules::evidence::{TlsFacts, Trust};

const VERSION: Gauge = Gauge {
    name: "nines_probe_tls_version_info",
    help: "The version of TLS that the last probe spoke, as a label; always 1.",
    label: Some("version"),
};
const VERIFIED: Gauge = Gauge {
    name: "nines_probe_tls_verified",
    help: "Whether the chain shown last was verified; absent if nobody asked for that.",
    label: None,
};
const LAST_CHAIN: Gauge = Gauge {
    name: "nines_probe_tls_last_chain_expiry_timestamp_seconds",
    help: "When the last of the verified chains expires; absent if none was verified.",
    label: None,
};

/// What is told of TLS.
pub(super) const GAUGES: &[&Gauge] = &[&VERSION, &VERIFIED, &LAST_CHAIN];

/// Adds what `facts` say.
pub(super) fn measure(facts: &TlsFacts, measured: &mut Vec<Measured>) {
    if let Some(version) = facts.version {
        measured.push(Measured::labelled(&VERSION, version.as_str(), 1.0));
    }
    match &facts.trust {
        Trust::Unasked => {}
        Trust::Refused(_) => measured.push(Measured::new(&VERIFIED, 0.0)),
        Trust::Verified { last_chain_expires_at } => {
            measured.push(Measured::new(&VERIFIED, 1.0));
            measured.push(Measured::new(&LAST_CHAIN, last_chain_expires_at.as_millis() as f64 / 1000.0));
        }
    }
}
