//! What a `dns` module asks a name server.

use super::{Refusal, route, tls};
use crate::blackbox::Regexp;
use crate::blackbox::dns::{self, DnsModule};
use rules::check::{DnsTarget, DnsTransport, Pattern, QueryClass, QueryType, Rcode, RecordRules, Recursion};

pub(super) fn target(module: &DnsModule, address: &str) -> Result<DnsTarget, Refusal> {
    let target = DnsTarget::new(address, &module.query_name).map_err(|error| Refusal::new(error.to_string()))?;
    let transport = match (module.transport_protocol.as_str(), module.dns_over_tls) {
        ("" | "udp", false) => DnsTransport::Udp,
        ("tcp", false) => DnsTransport::Tcp,
        ("tcp", true) => DnsTransport::Tls,
        ("" | "udp", true) => return Err(Refusal::new("expected transport protocol tcp for DNS over TLS")),
        (other, _) => return Err(Refusal::new(format!("expected transport protocol udp or tcp, not `{other}`"))),
    };
    let valid_rcodes: Result<Vec<Rcode>, Refusal> = module.valid_rcodes.iter().map(|word| rcode(word)).collect();
    let module_route = route(&module.preferred_ip_protocol, module.ip_protocol_fallback, &module.source_ip_address)?;
    Ok(DnsTarget {
        query_type: QueryType::from_word(&module.query_type).unwrap_or(QueryType::ANY),
        query_class: QueryClass::from_word(&module.query_class).unwrap_or(QueryClass::IN),
        recursion: if module.recursion_desired { Recursion::Desired } else { Recursion::NotDesired },
        transport,
        valid_rcodes: valid_rcodes?,
        answer: rules(&module.validate_answer_rrs),
        authority: rules(&module.validate_authority_rrs),
        additional: rules(&module.validate_additional_rrs),
        route: module_route,
        tls: tls(&module.tls_config)?,
        ..target
    })
}

fn rcode(word: &str) -> Result<Rcode, Refusal> {
    Rcode::from_word(word).ok_or_else(|| Refusal::new(format!("invalid rcode `{word}`")))
}

fn rules(given: &dns::RecordRules) -> RecordRules {
    let patterns =
        |regexps: &[Regexp]| -> Vec<Pattern> { regexps.iter().map(|regexp| regexp.pattern.clone()).collect() };
    RecordRules {
        matches: patterns(&given.fail_if_matches_regexp),
        all_match: patterns(&given.fail_if_all_match_regexp),
        not_matches: patterns(&given.fail_if_not_matches_regexp),
        none_matches: patterns(&given.fail_if_none_matches_regexp),
    }
}
