//! What the last probe of a check measured: page.

use super::{Gauge, Measured};
use rules::evidence::PageFacts;

const ASSETS: Gauge = Gauge {
    name: "nines_probe_page_assets",
    help: "Assets that the page of the last probe needed, less those left out.",
    label: None,
};
const FAILED: Gauge =
    Gauge { name: "nines_probe_page_failed_assets", help: "Assets that failed in the last probe.", label: None };
const BYTES: Gauge = Gauge {
    name: "nines_probe_page_bytes",
    help: "Bytes of body that the last probe read, of the page and its assets.",
    label: None,
};
const DOCUMENT: Gauge = Gauge {
    name: "nines_probe_page_document_seconds",
    help: "From the start of the last probe to the last byte of the page itself, without its assets.",
    label: None,
};
const SLOWEST: Gauge = Gauge {
    name: "nines_probe_page_slowest_asset_seconds",
    help: "How long the asset took that took longest in the last probe.",
    label: None,
};

/// What is told of it.
pub(super) const GAUGES: &[&Gauge] = &[&ASSETS, &FAILED, &BYTES, &DOCUMENT, &SLOWEST];

/// Adds what `facts` say.
pub(super) fn measure(facts: &PageFacts, measured: &mut Vec<Measured>) {
    measured.push(Measured::new(&ASSETS, f64::from(facts.assets)));
    measured.push(Measured::new(&FAILED, f64::from(facts.failed)));
    measured.push(Measured::new(&BYTES, facts.bytes as f64));
    measured.extend(facts.document.map(|elapsed| Measured::new(&DOCUMENT, elapsed.as_secs_f64())));
    measured.extend(facts.slowest.as_ref().map(|asset| Measured::new(&SLOWEST, asset.elapsed.as_secs_f64())));
}
