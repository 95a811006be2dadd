//! The series of `grpc` modules.

use super::Seen;
use super::network::{self, seconds};
use super::tls::{self, Part, Parts};
use crate::blackbox::exposition::Gauges;
use rules::check::Target;
use rules::evidence::{Evidence, Facts, Failure, Fault, GrpcFacts, Phase, ServingStatus};
use std::net::IpAddr;

/// The number of a call that came to no status of its own: the server is not there.
const UNAVAILABLE: u32 = 14;
/// The number of a call that did not come to its end in time.
const DEADLINE_EXCEEDED: u32 = 4;

pub(super) fn write(seen: Option<&Seen<'_>>, gauges: &mut Gauges) {
    network::write(seen.and_then(literal), seen, gauges);
    let nothing = Evidence::default();
    let evidence = seen.map_or(&nothing, |seen| seen.evidence);
    let facts = facts(evidence);
    let is_asked = !evidence.attempts.is_empty();
    let status = facts.and_then(|facts| facts.status.as_ref()).map(|status| status.code.0);
    let broken = evidence.failure.as_ref().filter(|_| is_asked).map(code);
    let status = f64::from(status.or(broken).unwrap_or(0));
    gauges.set("probe_grpc_status_code", "Response gRPC status code", status);
    let is_secured = status == 0.0 && facts.is_some() && evidence.tls.is_some();
    gauges.set("probe_grpc_ssl", "Indicates if SSL was used for the connection", f64::from(u8::from(is_secured)));
    if is_asked {
        let serving = facts.and_then(|facts| facts.serving);
        for known in ServingStatus::ALL {
            let value = f64::from(u8::from(serving == Some(known)));
            let labels = [("serving_status", known.as_str())];
            gauges.set_with("probe_grpc_healthcheck_response", "Response HealthCheck response", &labels, value);
        }
    }
    write_phases(evidence, gauges);
    if let Some(facts) = &evidence.tls {
        tls::write(facts, Parts { last_chain_expiry: Part::LeftOut, cipher: Part::LeftOut }, gauges);
    }
}

fn code(failure: &Failure) -> u32 {
    if failure.fault == Fault::Deadline { DEADLINE_EXCEEDED } else { UNAVAILABLE }
}

/// The target's host, if it is an address.
fn literal(seen: &Seen<'_>) -> Option<IpAddr> {
    let Target::Grpc(target) = seen.target else { return None };
    target.host.parse().ok()
}

fn facts(evidence: &Evidence) -> Option<&GrpcFacts> {
    let Some(Facts::Grpc(facts)) = &evidence.facts else { return None };
    Some(facts)
}

fn write_phases(evidence: &Evidence, gauges: &mut Gauges) {
    let check = [Phase::Connect, Phase::Tls, Phase::FirstByte, Phase::Transfer];
    let check = check.iter().filter_map(|phase| evidence.phases.length(*phase)).reduce(|left, right| left + right);
    for (word, length) in [("resolve", evidence.phases.length(Phase::Resolve)), ("check", check)] {
        if let Some(length) = length.map(seconds) {
            gauges.set_with(
                "probe_grpc_duration_seconds",
                "Duration of gRPC request by phase",
                &[("phase", word)],
                length,
            );
        }
    }
}
