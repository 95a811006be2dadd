//! The series of `tcp`, `unix` and `websocket` modules.

use super::Seen;
use super::network::{self, seconds};
use super::tls::{self, Part, Parts};
use crate::blackbox::exposition::Gauges;
use config::blackbox::QueryResponse;
use rules::check::Target;
use rules::evidence::{DialogFacts, Evidence, Expectation, Facts, Phase, Said};
use std::net::IpAddr;
use url::{Host, Url};

pub(super) fn tcp(steps: &[QueryResponse], seen: Option<&Seen<'_>>, gauges: &mut Gauges) {
    network::write(seen.and_then(literal), seen, gauges);
    lines(steps, seen, gauges);
}

pub(super) fn unix(steps: &[QueryResponse], seen: Option<&Seen<'_>>, gauges: &mut Gauges) {
    // The peer asks first whether there is anybody.
    if evidence(seen).is_some_and(|evidence| evidence.facts.is_some()) {
        lines(steps, seen, gauges);
    }
}

pub(super) fn websocket(steps: &[QueryResponse], seen: Option<&Seen<'_>>, gauges: &mut Gauges) {
    network::write(seen.and_then(literal), seen, gauges);
    let status = evidence(seen).map_or(0, upgrade);
    gauges.set("probe_websocket_status_code", "Response HTTP status code", f64::from(status));
    let help = "Indicates if the websocket connection was successfully upgraded";
    gauges.set("probe_websocket_connection_upgraded", help, f64::from(u8::from(status == 101)));
    if status == 101 && !steps.is_empty() {
        let is_unmet = seen.is_some_and(|seen| seen.complaint.is_some());
        let help = "Indicates if probe failed due to regex";
        gauges.set("probe_websocket_failed_due_to_regex", help, f64::from(u8::from(is_unmet)));
    }
    let phases = [
        (Phase::Resolve, "resolve"),
        (Phase::Connect, "connect"),
        (Phase::FirstByte, "processing"),
        (Phase::Transfer, "transfer"),
    ];
    for (phase, word) in phases {
        if let Some(length) = evidence(seen).and_then(|evidence| evidence.phases.length(phase)) {
            let help = "Duration of websocket request by phase";
            gauges.set_with("probe_websocket_duration_seconds", help, &[("phase", word)], seconds(length));
        }
    }
}

/// The status of the answer to the request to upgrade.
fn upgrade(evidence: &Evidence) -> u16 {
    let Some(Facts::Ws(facts)) = &evidence.facts else { return 0 };
    facts.status
}

/// The series of a dialog in lines.
fn lines(steps: &[QueryResponse], seen: Option<&Seen<'_>>, gauges: &mut Gauges) {
    let unmet = |by| dialog(seen).and_then(|facts| facts.unmet.as_ref()).is_some_and(|unmet| unmet.by == by);
    let failed = |by| f64::from(u8::from(unmet(by)));
    gauges.set("probe_failed_due_to_regex", "Indicates if probe failed due to regex", failed(Expectation::Regexp));
    if steps.iter().any(|step| !step.expect_bytes.0.is_empty()) {
        let help = "Indicates if probe failed due to bytes";
        gauges.set("probe_failed_due_to_bytes", help, failed(Expectation::Bytes));
    }
    let labels: Vec<(&str, &str)> = dialog(seen)
        .map(|facts| facts.labels.iter().map(|(name, value)| (name.as_str(), Said::as_str(value))).collect())
        .unwrap_or_default();
    if !labels.is_empty() {
        gauges.set_with("probe_expect_info", "Explicit content matched", &labels, 1.0);
    }
    if let Some(facts) = evidence(seen).and_then(|evidence| evidence.tls.as_ref()) {
        tls::write(facts, Parts { last_chain_expiry: Part::Written, cipher: Part::LeftOut }, gauges);
    }
}

fn evidence<'a>(seen: Option<&Seen<'a>>) -> Option<&'a Evidence> {
    seen.map(|seen| seen.evidence)
}

fn dialog<'a>(seen: Option<&Seen<'a>>) -> Option<&'a DialogFacts> {
    evidence(seen)?.facts.as_ref()?.dialog()
}

/// The target's host, if it is an address.
fn literal(seen: &Seen<'_>) -> Option<IpAddr> {
    if let Target::Tcp(target) = seen.target {
        return target.host.parse().ok();
    }
    let Target::Ws(target) = seen.target else { return None };
    match Url::parse(&target.address).ok()?.host()? {
        Host::Ipv4(address) => Some(address.into()),
        Host::Ipv6(address) => Some(address.into()),
        Host::Domain(_) => None,
    }
}
