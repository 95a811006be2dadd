//! An `icmp` check and its options, under blackbox_exporter's names where it has them.

use super::route;
use crate::node::Node;
use crate::reading::keys::Keys;
use crate::reading::{Reading, text};
use crate::scalar::{duration_text, length, truth, whole};
use rules::check::{
    Fragments, HOPS_DEFAULT, IcmpTarget, LOSS_PERCENT_MAX_DEFAULT, PACKETS_APART_DEFAULT, PACKETS_DEFAULT,
};
use rules::check::{PACKETS_MAX, PAYLOAD_BYTES_DEFAULT, PAYLOAD_BYTES_MAX};
use serde_json::{Map, Value, json};

/// Reads the target at `node` and its options from the keys beside it.
pub(super) fn read(node: &Node, keys: &mut Keys<'_>, reading: &mut Reading) -> Option<IcmpTarget> {
    let packets =
        keys.or("packets", PACKETS_DEFAULT.into(), reading, between("number of packets", 1, PACKETS_MAX.into()));
    let packets_apart = keys.or("interval", PACKETS_APART_DEFAULT, reading, length);
    let payload_bytes =
        keys.or("payload_size", PAYLOAD_BYTES_DEFAULT, reading, between("number of bytes", 0, PAYLOAD_BYTES_MAX));
    let dont_fragment = keys.or("dont_fragment", false, reading, truth);
    let hops = keys.or("ttl", HOPS_DEFAULT.into(), reading, between("hop limit", 0, 255));
    let loss = keys.or("max_loss", LOSS_PERCENT_MAX_DEFAULT.into(), reading, loss);
    let rtt_max = keys.optional("max_rtt", reading, length);
    let route = route::read(keys, reading);
    match IcmpTarget::parse(text(node, reading)?) {
        Ok(target) => Some(IcmpTarget {
            packets: u8::try_from(packets).ok()?,
            packets_apart,
            payload_bytes,
            fragments: if dont_fragment { Fragments::Forbidden } else { Fragments::Allowed },
            // As in blackbox_exporter, 0 is the default.
            hops: u8::try_from(hops).ok().filter(|hops| 0 < *hops).unwrap_or(HOPS_DEFAULT),
            loss_percent_max: u8::try_from(loss).ok()?,
            rtt_max,
            route: route?,
            ..target
        }),
        Err(error) => reading.problem(node.at, error.to_string()),
    }
}

/// A whole number from `least` to `most`.
fn between(what: &'static str, least: u16, most: u16) -> impl FnOnce(&Node, &mut Reading) -> Option<u16> {
    move |node, reading| {
        let given = text(node, reading)?;
        whole(given).filter(|number| (least..=most).contains(number)).or_else(|| {
            let given = given.escape_debug();
            reading.problem(node.at, format!("`{given}` is no {what}; write a whole number from {least} to {most}"))
        })
    }
}

/// Whole percents, with or without the sign.
fn loss(node: &Node, reading: &mut Reading) -> Option<u16> {
    let given = text(node, reading)?;
    let digits = given.strip_suffix('%').map_or(given, str::trim_end);
    whole(digits).filter(|percent| (0..=99).contains(percent)).or_else(|| {
        let given = given.escape_debug();
        reading.problem(node.at, format!("`{given}` is no share of lost packets; write one from `0%` to `99%`"))
    })
}

/// Writes `icmp` under the keys that it is read from.
pub(super) fn write(icmp: &IcmpTarget, keys: &mut Map<String, Value>) {
    let IcmpTarget {
        address,
        host: _,
        packets,
        packets_apart,
        payload_bytes,
        fragments,
        hops,
        loss_percent_max,
        rtt_max,
        route,
    } = icmp;
    let mut put = |key: &str, value: Value| keys.insert(key.to_owned(), value);
    put("icmp", json!(address));
    put("packets", json!(packets));
    put("interval", json!(duration_text(*packets_apart)));
    put("payload_size", json!(payload_bytes));
    put("dont_fragment", json!(matches!(fragments, Fragments::Forbidden)));
    put("ttl", json!(hops));
    put("max_loss", json!(format!("{loss_percent_max}%")));
    if let Some(rtt_max) = rtt_max {
        put("max_rtt", json!(duration_text(*rtt_max)));
    }
    route::write(route, keys);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check_document::{from_json, to_json};
    use std::time::Duration;

    /// Reads a check with `options`, writes it, and reads it again.
    #[track_caller]
    fn read_twice(options: &str) -> IcmpTarget {
        let document = format!(r#"{{"checks":[{{"service":"s","check":"c",{options}}}]}}"#);
        let first = from_json(&document).unwrap_or_else(|error| panic!("{error}"));
        let again = from_json(&to_json(&first)).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(first, again);
        let rules::check::Target::Icmp(target) = &first[0].check.target else { panic!("another kind was read") };
        target.clone()
    }

    #[test]
    fn every_option_comes_back() {
        let target = read_twice(
            r#""icmp":"2001:db8::1","packets":10,"interval":"250ms","payload_size":1400,"dont_fragment":true,"ttl":5,
            "max_loss":"20%","max_rtt":"80ms","source_ip_address":"::1","preferred_ip_protocol":"ip6""#,
        );
        assert_eq!((target.packets, target.payload_bytes, target.hops, target.loss_percent_max), (10, 1400, 5, 20));
        assert_eq!((target.fragments, target.rtt_max), (Fragments::Forbidden, Some(Duration::from_millis(80))));
        assert_eq!(read_twice(r#""icmp":"a.example","ttl":0"#), IcmpTarget::parse("a.example").unwrap());
    }
}
