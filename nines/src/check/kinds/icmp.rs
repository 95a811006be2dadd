//! How `nines check` shows what came back of the echo requests.

use super::Row;
use crate::check::json::micros;
use rules::evidence::{IcmpFacts, IcmpSocket};
use serde_json::{Value, json};
use std::time::Duration;

pub(super) fn rows(facts: &IcmpFacts) -> Vec<Row> {
    let mut rows = vec![("packets", format!("{} sent, {} answered", facts.sent(), facts.received()))];
    let stats = [facts.rtt_min(), facts.rtt_mean(), facts.rtt_max(), facts.rtt_stddev()];
    if let [Some(min), Some(mean), Some(max), Some(stddev)] = stats {
        rows.push(("rtt", format!("min {min:.1?}, mean {mean:.1?}, max {max:.1?}, stddev {stddev:.1?}")));
    }
    rows.extend(facts.reply_hops.map(|hops| ("hop limit", hops.to_string())));
    if 0 < facts.ignored {
        rows.push(("ignored", format!("{} packets that were no reply", facts.ignored)));
    }
    rows
}

pub(super) fn json(facts: &IcmpFacts) -> Value {
    let micros = |rtt: Option<Duration>| rtt.map(micros);
    json!({
        "packets_sent": facts.sent(),
        "packets_received": facts.received(),
        "loss_ratio": facts.loss_ratio(),
        "rtt_us": facts.round_trips.iter().map(|rtt| micros(*rtt)).collect::<Vec<_>>(),
        "rtt_min_us": micros(facts.rtt_min()),
        "rtt_mean_us": micros(facts.rtt_mean()),
        "rtt_max_us": micros(facts.rtt_max()),
        "rtt_stddev_us": micros(facts.rtt_stddev()),
        "reply_hop_limit": facts.reply_hops,
        "ignored": facts.ignored,
        "socket": match facts.socket {
            IcmpSocket::Ping => "ping",
            IcmpSocket::Raw => "raw",
        },
    })
}
