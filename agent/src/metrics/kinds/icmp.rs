//! What the last probe of a check measured: icmp.

use super::{Gauge, Measured};
use rules::evidence::IcmpFacts;

const SENT: Gauge =
    Gauge { name: "nines_probe_icmp_packets_sent", help: "Packets that the last probe sent.", label: None };
const RECEIVED: Gauge =
    Gauge { name: "nines_probe_icmp_packets_received", help: "Replies that came to the last probe.", label: None };
const LOSS: Gauge =
    Gauge { name: "nines_probe_icmp_loss_ratio", help: "The share of packets without reply, 0 to 1.", label: None };
const RTT: Gauge = Gauge {
    name: "nines_probe_icmp_rtt_seconds",
    help: "Round trips of the last probe: min, mean, max and stddev.",
    label: Some("stat"),
};
const HOPS: Gauge = Gauge {
    name: "nines_probe_icmp_reply_hop_limit",
    help: "The hop limit (TTL) that the last reply arrived with.",
    label: None,
};

/// What is told of replies to echo requests.
pub(super) const GAUGES: &[&Gauge] = &[&SENT, &RECEIVED, &LOSS, &RTT, &HOPS];

/// Adds what `facts` say.
pub(super) fn measure(facts: &IcmpFacts, measured: &mut Vec<Measured>) {
    measured.push(Measured::new(&SENT, f64::from(facts.sent())));
    measured.push(Measured::new(&RECEIVED, f64::from(facts.received())));
    measured.extend(facts.loss_ratio().map(|ratio| Measured::new(&LOSS, ratio)));
    let stats = [
        ("min", facts.rtt_min()),
        ("mean", facts.rtt_mean()),
        ("max", facts.rtt_max()),
        ("stddev", facts.rtt_stddev()),
    ];
    for (stat, rtt) in stats {
        measured.extend(rtt.map(|rtt| Measured::labelled(&RTT, stat, rtt.as_secs_f64())));
    }
    measured.extend(facts.reply_hops.map(|hops| Measured::new(&HOPS, f64::from(hops))));
}
