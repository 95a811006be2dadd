//! The series of `dns` modules.

use super::Seen;
use super::network::{self, seconds};
use crate::blackbox::exposition::Gauges;
use config::blackbox::DnsModule;
use rules::check::Target;
use rules::evidence::{DnsAnswer, Evidence, Facts, Phase};
use std::net::IpAddr;

pub(super) fn write(module: &DnsModule, seen: Option<&Seen<'_>>, gauges: &mut Gauges) {
    network::write(seen.and_then(literal), seen, gauges);
    let nothing = Evidence::default();
    let evidence = seen.map_or(&nothing, |seen| seen.evidence);
    let answer = answer(evidence);
    let count = |records: fn(&DnsAnswer) -> u32| answer.map_or(0.0, |answer| f64::from(records(answer)));
    let mut set = |name, help, value| gauges.set(name, help, value);
    let help = "Returns number of entries in the answer resource record list";
    set("probe_dns_answer_rrs", help, count(|answer| answer.answer.records));
    let help = "Returns number of entries in the authority resource record list";
    set("probe_dns_authority_rrs", help, count(|answer| answer.authority.records));
    let help = "Returns number of entries in the additional resource record list";
    set("probe_dns_additional_rrs", help, count(|answer| answer.additional.records));
    let help = "Displays whether or not the query was executed successfully";
    set("probe_dns_query_succeeded", help, count(|_| 1));
    if let (Some(answer), "SOA") = (answer, module.query_type.as_str()) {
        let serial = answer.serial.map_or(0.0, f64::from);
        set("probe_dns_serial", "Returns the serial number of the zone", serial);
    }
    write_phases(evidence, answer.is_some(), gauges);
}

/// The name server's host, if it is an address.
fn literal(seen: &Seen<'_>) -> Option<IpAddr> {
    let Target::Dns(target) = seen.target else { return None };
    target.host.parse().ok()
}

fn answer(evidence: &Evidence) -> Option<&DnsAnswer> {
    let Some(Facts::Dns(facts)) = &evidence.facts else { return None };
    facts.answer.as_ref()
}

fn write_phases(evidence: &Evidence, is_answered: bool, gauges: &mut Gauges) {
    let sum = |phases: &[Phase]| {
        let lengths = phases.iter().filter_map(|phase| evidence.phases.length(*phase));
        lengths.reduce(|left, right| left + right).map(seconds)
    };
    let phases = [
        ("resolve", sum(&[Phase::Resolve])),
        ("connect", sum(&[Phase::Connect, Phase::Tls])),
        ("request", sum(&[Phase::FirstByte, Phase::Transfer])),
    ];
    for (word, length) in phases {
        if let Some(length) = length.or(is_answered.then_some(0.0)) {
            gauges.set_with(
                "probe_dns_duration_seconds",
                "Duration of DNS request by phase",
                &[("phase", word)],
                length,
            );
        }
    }
}
