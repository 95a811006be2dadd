//! How `nines check` shows what a name server answered.

use super::Row;
use rules::evidence::{DnsAnswer, DnsFacts, Edns, TcpFallback};
use serde_json::{Value, json};

pub(super) fn rows(facts: &DnsFacts) -> Vec<Row> {
    let mut rows = Vec::new();
    if let Some(answer) = &facts.answer {
        let DnsAnswer { rcode, authoritative, bytes, answer, authority, additional, serial, shown } = answer;
        let whose = if *authoritative { ", the name's own server" } else { "" };
        rows.push(("answer", format!("{rcode}, {bytes} bytes{whose}")));
        let (answer, authority, additional) = (answer.records, authority.records, additional.records);
        rows.push(("records", format!("{answer} answer, {authority} authority, {additional} additional")));
        rows.extend(serial.map(|serial| ("serial", serial.to_string())));
        rows.extend(shown.iter().map(|record| ("record", record.to_string())));
    }
    if facts.fallback == TcpFallback::Truncated {
        rows.push(("tcp", "the answer by UDP was cut".to_owned()));
    }
    if facts.edns == Edns::Refused {
        rows.push(("edns", "not known to the server".to_owned()));
    }
    if 0 < facts.ignored {
        rows.push(("ignored", format!("{} that answered another question", facts.ignored)));
    }
    rows
}

pub(super) fn json(facts: &DnsFacts) -> Value {
    let DnsFacts { fallback, edns, ignored, answer } = facts;
    json!({
        "tcp_fallback": matches!(fallback, TcpFallback::Truncated),
        "edns": matches!(edns, Edns::Used),
        "ignored": ignored,
        "answer": answer.as_ref().map(|answer| json!({
            "rcode": answer.rcode.to_string(),
            "authoritative": answer.authoritative,
            "bytes": answer.bytes,
            "answer_rrs": answer.answer.records,
            "authority_rrs": answer.authority.records,
            "additional_rrs": answer.additional.records,
            "serial": answer.serial,
            "records": answer.shown.iter().map(|record| record.as_str()).collect::<Vec<_>>(),
        })),
    })
}
