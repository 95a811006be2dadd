//! A `dns` check and its options, under blackbox_exporter's names.

use super::http::content::pattern;
use super::{route, trust};
use crate::node::Node;
use crate::reading::keys::Keys;
use crate::reading::words::word;
use crate::reading::{Placed, Reading, one_or_list, placed, text};
use crate::scalar::{truth, words};
use rules::check::target::TargetError;
use rules::check::{DnsTarget, DnsTransport, Pattern, QueryClass, QueryType, Rcode, RecordRules, Recursion};
use serde_json::{Map, Value, json};

/// Reads the target at `node` and its options from the keys beside it.
pub(super) fn read(node: &Node, keys: &mut Keys<'_>, reading: &mut Reading) -> Option<DnsTarget> {
    let query_name = keys.required("query_name", reading, placed(words));
    let query_type = keys.or("query_type", QueryType::ANY, reading, query_type);
    let query_class = keys.or("query_class", QueryClass::IN, reading, query_class);
    let recursion = keys.or("recursion_desired", true, reading, truth);
    let transport = transport(keys, reading);
    let valid_rcodes = keys.or("valid_rcodes", Vec::new(), reading, one_or_list(rcode));
    let answer = keys.or("validate_answer_rrs", RecordRules::default(), reading, record_rules);
    let authority = keys.or("validate_authority_rrs", RecordRules::default(), reading, record_rules);
    let additional = keys.or("validate_additional_rrs", RecordRules::default(), reading, record_rules);
    let route = route::read(keys, reading);
    let tls = trust::read(keys, reading);
    let address = text(node, reading)?;
    let Placed { at: name_at, value: query_name } = query_name?;
    // Each is tried with a stand-in for the other, so that both are said to be wrong, where they stand.
    let mut said = |at, tried: Result<DnsTarget, TargetError>| match tried {
        Ok(_) => Some(()),
        Err(error) => reading.problem(at, error.to_string()),
    };
    let address_is_good = said(node.at, DnsTarget::new(address, "."));
    said(name_at, DnsTarget::new("localhost", &query_name)).and(address_is_good)?;
    Some(DnsTarget {
        query_type,
        query_class,
        recursion: if recursion { Recursion::Desired } else { Recursion::NotDesired },
        transport: transport?,
        valid_rcodes,
        answer,
        authority,
        additional,
        route: route?,
        tls,
        ..DnsTarget::new(address, &query_name).ok()?
    })
}

/// How the question travels, by blackbox_exporter's two keys; TLS needs no `transport_protocol: tcp`.
fn transport(keys: &mut Keys<'_>, reading: &mut Reading) -> Option<DnsTransport> {
    let chosen = keys.optional("transport_protocol", reading, placed(protocol));
    let over_tls = keys.or("dns_over_tls", false, reading, truth);
    match chosen {
        Some(Placed { at, value: DnsTransport::Udp }) if over_tls => {
            reading.problem(at, "`dns_over_tls: true` goes by TCP; write `transport_protocol: tcp`, or leave it out")
        }
        _ if over_tls => Some(DnsTransport::Tls),
        Some(Placed { value, .. }) => Some(value),
        None => Some(DnsTransport::Udp),
    }
}

fn protocol(node: &Node, reading: &mut Reading) -> Option<DnsTransport> {
    word(&[("udp", DnsTransport::Udp), ("tcp", DnsTransport::Tcp)])(node, reading)
}

fn query_type(node: &Node, reading: &mut Reading) -> Option<QueryType> {
    let given = text(node, reading)?;
    QueryType::from_word(given).or_else(|| {
        let given = given.escape_debug();
        reading.problem(
            node.at,
            format!("`{given}` is no type of record; write one in capitals, such as `A`, `MX` or `TYPE65280`"),
        )
    })
}

fn query_class(node: &Node, reading: &mut Reading) -> Option<QueryClass> {
    let given = text(node, reading)?;
    QueryClass::from_word(given).or_else(|| {
        let given = given.escape_debug();
        reading
            .problem(node.at, format!("`{given}` is no class of records; write `IN`, or `CH` or `HS` if that is meant"))
    })
}

fn rcode(node: &Node, reading: &mut Reading) -> Option<Rcode> {
    let given = text(node, reading)?;
    Rcode::from_word(given).or_else(|| {
        let given = given.escape_debug();
        reading.problem(
            node.at,
            format!("`{given}` is no response code; write one in capitals, such as `NOERROR` or `NXDOMAIN`"),
        )
    })
}

fn record_rules(node: &Node, reading: &mut Reading) -> Option<RecordRules> {
    let mut keys = Keys::of(node, "rules about records", reading)?;
    let mut patterns = |key| keys.or(key, Vec::new(), reading, one_or_list(pattern));
    let rules = RecordRules {
        matches: patterns("fail_if_matches_regexp"),
        all_match: patterns("fail_if_all_match_regexp"),
        not_matches: patterns("fail_if_not_matches_regexp"),
        none_matches: patterns("fail_if_none_matches_regexp"),
    };
    keys.end(reading);
    Some(rules)
}

/// Writes `dns` under the keys that it is read from.
pub(super) fn write(dns: &DnsTarget, keys: &mut Map<String, Value>) {
    let DnsTarget {
        address,
        host: _,
        port: _,
        query_name,
        query_type,
        query_class,
        recursion,
        transport,
        valid_rcodes,
        answer,
        authority,
        additional,
        route,
        tls,
    } = dns;
    let mut put = |key: &str, value: Value| keys.insert(key.to_owned(), value);
    put("dns", json!(address));
    put("query_name", json!(query_name));
    put("query_type", json!(query_type.to_string()));
    put("query_class", json!(query_class.to_string()));
    put("recursion_desired", json!(matches!(recursion, Recursion::Desired)));
    put("transport_protocol", json!(if matches!(transport, DnsTransport::Udp) { "udp" } else { "tcp" }));
    put("dns_over_tls", json!(matches!(transport, DnsTransport::Tls)));
    put("valid_rcodes", valid_rcodes.iter().map(|rcode| json!(rcode.to_string())).collect());
    put("validate_answer_rrs", record_rules_json(answer));
    put("validate_authority_rrs", record_rules_json(authority));
    put("validate_additional_rrs", record_rules_json(additional));
    trust::write(tls, keys);
    route::write(route, keys);
}

fn record_rules_json(RecordRules { matches, all_match, not_matches, none_matches }: &RecordRules) -> Value {
    let sources = |patterns: &[Pattern]| patterns.iter().map(|pattern| json!(pattern.as_str())).collect::<Value>();
    json!({
        "fail_if_matches_regexp": sources(matches),
        "fail_if_all_match_regexp": sources(all_match),
        "fail_if_not_matches_regexp": sources(not_matches),
        "fail_if_none_matches_regexp": sources(none_matches),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check_document::{from_json, to_json};

    /// Reads a check with `options`, writes it, and reads it again.
    #[track_caller]
    fn read_twice(options: &str) -> DnsTarget {
        let document = format!(r#"{{"checks":[{{"service":"s","check":"c",{options}}}]}}"#);
        let first = from_json(&document).unwrap_or_else(|error| panic!("{error}"));
        let again = from_json(&to_json(&first)).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(first, again);
        let rules::check::Target::Dns(target) = &first[0].check.target else { panic!("another kind was read") };
        (**target).clone()
    }

    #[test]
    fn every_option_comes_back() {
        let rules = |a: &str| {
            format!(
                r#"{{"fail_if_matches_regexp":["{a}1","x"],"fail_if_all_match_regexp":"{a}2",
                "fail_if_not_matches_regexp":["{a}3"],"fail_if_none_matches_regexp":["{a}4"]}}"#
            )
        };
        let target = read_twice(&format!(
            r#""dns":"[2001:db8::53]:8853","query_name":"example.com","query_type":"MX","query_class":"CH",
            "recursion_desired":false,"dns_over_tls":true,"valid_rcodes":["NOERROR","NXDOMAIN","RCODE3841"],
            "tls_config":{{"server_name":"ns.example"}},"preferred_ip_protocol":"ip6","source_ip_address":"::1",
            "validate_answer_rrs":{},"validate_authority_rrs":{},"validate_additional_rrs":{}"#,
            rules("a"),
            rules("b"),
            rules("c")
        ));
        assert_eq!((target.transport, target.recursion), (DnsTransport::Tls, Recursion::NotDesired));
        assert_eq!(target.additional.none_matches[0].as_str(), "c4");
        assert_eq!((target.port(), target.valid_rcodes.len()), (8853, 3));
    }

    #[test]
    fn a_check_that_says_only_server_and_name_asks_as_blackbox_exporter_does() {
        let target = read_twice(r#""dns":"192.0.2.53","query_name":"example.com""#);
        assert_eq!((target.query_type, target.query_class), (QueryType::ANY, QueryClass::IN));
        assert_eq!((target.transport, target.recursion, target.port()), (DnsTransport::Udp, Recursion::Desired, 53));
        let tcp = read_twice(r#""dns":"ns.example","query_name":".","transport_protocol":"tcp""#);
        assert_eq!((tcp.transport, tcp.port()), (DnsTransport::Tcp, 53));
    }
}
