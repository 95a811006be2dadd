//! The series of `icmp` modules.

use super::Seen;
use super::network::{self, seconds};
use crate::blackbox::exposition::Gauges;
use rules::check::Target;
use rules::evidence::{Evidence, Facts, IcmpFacts, Phase};
use std::net::IpAddr;

pub(super) fn write(seen: Option<&Seen<'_>>, gauges: &mut Gauges) {
    network::write(seen.and_then(literal), seen, gauges);
    let nothing = Evidence::default();
    let evidence = seen.map_or(&nothing, |seen| seen.evidence);
    let reply = facts(evidence).and_then(|facts| facts.round_trips.iter().flatten().next().map(|rtt| (facts, *rtt)));
    if let Some((facts, _)) = reply
        && let Some(hops) = facts.reply_hops
    {
        gauges.set("probe_icmp_reply_hop_limit", "Replied packet hop limit (TTL for ipv4)", f64::from(hops));
    }
    let phases = [
        ("resolve", evidence.phases.length(Phase::Resolve)),
        ("setup", evidence.phases.length(Phase::Connect).or(reply.map(|_| std::time::Duration::ZERO))),
        ("rtt", reply.map(|(_, rtt)| rtt)),
    ];
    for (word, length) in phases {
        if let Some(length) = length.map(seconds) {
            gauges.set_with(
                "probe_icmp_duration_seconds",
                "Duration of icmp request by phase",
                &[("phase", word)],
                length,
            );
        }
    }
}

/// The target's host, if it is an address.
fn literal(seen: &Seen<'_>) -> Option<IpAddr> {
    let Target::Icmp(target) = seen.target else { return None };
    target.host.parse().ok()
}

fn facts(evidence: &Evidence) -> Option<&IcmpFacts> {
    let Some(Facts::Icmp(facts)) = &evidence.facts else { return None };
    Some(facts)
}
