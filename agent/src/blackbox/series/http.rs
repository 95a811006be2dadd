//! The series of `http` modules.

use super::Seen;
use super::network::{self, seconds};
use super::tls::{self, Part, Parts};
use crate::blackbox::exposition::Gauges;
use config::blackbox::HttpModule;
use rules::check::{HttpTarget, Look, Redirects, Target};
use rules::evidence::{Evidence, Fault, HttpFacts, HttpVersion, Phase, Transport};
use rules::judge::Complaint;
use std::net::IpAddr;
use url::{Host, Url};

/// The peer's words for our phases.
const PHASES: [(Phase, &str); 5] = [
    (Phase::Resolve, "resolve"),
    (Phase::Connect, "connect"),
    (Phase::Tls, "tls"),
    (Phase::FirstByte, "processing"),
    (Phase::Transfer, "transfer"),
];

pub(super) fn write(module: &HttpModule, seen: Option<&Seen<'_>>, gauges: &mut Gauges) {
    let target = seen.and_then(page);
    network::write(target.and_then(literal), seen, gauges);
    let nothing = Evidence::default();
    let evidence = seen.map_or(&nothing, |seen| seen.evidence);
    let facts = evidence.http.as_ref().filter(|facts| is_last(facts, target, evidence));
    let mut set = |name, help, value| gauges.set(name, help, value);
    set("probe_http_status_code", "Response HTTP status code", facts.map_or(0.0, |facts| f64::from(facts.status)));
    set("probe_http_content_length", "Length of http content response", facts.map_or(0.0, content_length));
    let help = "Length of uncompressed response body";
    set("probe_http_uncompressed_body_length", help, facts.map_or(0.0, |facts| body_length(module, facts, evidence)));
    set("probe_http_redirects", "The number of redirects", redirects(target, evidence));
    let is_secured = facts.is_some_and(|facts| facts.transport == Transport::Tls);
    set("probe_http_ssl", "Indicates if SSL was used for the final redirect", f64::from(u8::from(is_secured)));
    let help = "Returns the version of HTTP of the probe response";
    set("probe_http_version", help, facts.map_or(0.0, |facts| version(facts.version)));
    let by_content = seen.and_then(|seen| failed_by(module, seen));
    let failed = |kind| f64::from(u8::from(by_content == Some(kind)));
    set("probe_failed_due_to_regex", "Indicates if probe failed due to regex", failed(Content::Regexp));
    if module.fail_if_body_json_matches_cel.is_some() || module.fail_if_body_json_not_matches_cel.is_some() {
        let help = "Indicates if probe failed due to CEL expression not matching";
        set("probe_failed_due_to_cel", help, failed(Content::Cel));
    }
    if let Some(at) = facts.and_then(|facts| facts.last_modified) {
        let help = "Returns the Last-Modified HTTP response header in unixtime";
        set("probe_http_last_modified_timestamp_seconds", help, at.as_millis().div_euclid(1000) as f64);
    }
    write_phases(evidence, gauges);
    if let Some(facts) = &evidence.tls {
        tls::write(facts, Parts { last_chain_expiry: Part::Written, cipher: Part::Written }, gauges);
    }
}

fn page<'a>(seen: &Seen<'a>) -> Option<&'a HttpTarget> {
    let Target::Http(target) = seen.target else { return None };
    Some(target)
}

/// The target's host, if it is an address.
fn literal(target: &HttpTarget) -> Option<IpAddr> {
    match Url::parse(&target.url).ok()?.host()? {
        Host::Ipv4(address) => Some(address.into()),
        Host::Ipv6(address) => Some(address.into()),
        Host::Domain(_) => None,
    }
}

fn content_length(facts: &HttpFacts) -> f64 {
    facts.content_length.map_or(-1.0, |length| length as f64)
}

/// How much of the body was read: of one that is too large, as much as it may be.
fn body_length(module: &HttpModule, facts: &HttpFacts, evidence: &Evidence) -> f64 {
    let is_too_large = evidence.failure.as_ref().is_some_and(|failure| failure.fault == Fault::TooLarge);
    let limit = Some(module.body_size_limit.0).filter(|limit| is_too_large && *limit != 0);
    limit.unwrap_or(facts.body_bytes) as f64
}

/// Whether an answer was the last one due: a redirect that is followed leads to another.
fn is_last(facts: &HttpFacts, target: Option<&HttpTarget>, evidence: &Evidence) -> bool {
    let Some(failure) = &evidence.failure else { return true };
    !is_followed(facts, target) || failure.fault == Fault::Redirect
}

fn is_followed(facts: &HttpFacts, target: Option<&HttpTarget>) -> bool {
    leads(facts) && target.is_some_and(|target| target.options.redirects == Redirects::Follow)
}

fn leads(facts: &HttpFacts) -> bool {
    matches!(facts.status, 301 | 302 | 303 | 307 | 308)
}

/// How many redirects came, one that was not followed to an answer included.
fn redirects(target: Option<&HttpTarget>, evidence: &Evidence) -> f64 {
    let Some(facts) = &evidence.http else { return 0.0 };
    let is_open = leads(facts) && (evidence.failure.is_some() || !is_followed(facts, target));
    f64::from(facts.redirects) + f64::from(u8::from(is_open))
}

fn version(version: HttpVersion) -> f64 {
    match version {
        HttpVersion::V1_0 => 1.0,
        HttpVersion::V1_1 => 1.1,
        HttpVersion::V2 => 2.0,
        HttpVersion::V3 => 3.0,
    }
}

/// What an answer failed by.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Content {
    Regexp,
    Cel,
}

fn failed_by(module: &HttpModule, seen: &Seen<'_>) -> Option<Content> {
    match seen.complaint? {
        Complaint::Content(rule) => match rule.look {
            Look::Body(_) | Look::Header { .. } => Some(Content::Regexp),
            Look::Json(_) => Some(Content::Cel),
        },
        // A body that can't be read to its end matches nothing.
        Complaint::Broken(failure) if failure.fault == Fault::TooLarge && seen.evidence.http.is_some() => {
            let looks =
                !module.fail_if_body_matches_regexp.is_empty() || !module.fail_if_body_not_matches_regexp.is_empty();
            looks.then_some(Content::Regexp)
        }
        Complaint::Broken(_)
        | Complaint::Late(_)
        | Complaint::Status(_)
        | Complaint::Unmet { .. }
        | Complaint::Unable { .. } => None,
    }
}

/// A phase that was not reached has no series, unless the probe needed none of it.
fn write_phases(evidence: &Evidence, gauges: &mut Gauges) {
    let is_answered = evidence.http.is_some();
    for (phase, word) in PHASES {
        let length = evidence.phases.length(phase).map(seconds);
        if let Some(length) = length.or(is_answered.then_some(0.0)) {
            let help = "Duration of http request by phase, summed over all redirects";
            gauges.set_with("probe_http_duration_seconds", help, &[("phase", word)], length);
        }
    }
}
