//! What the last probe of a check measured: dns.

use super::{Gauge, Measured};
use rules::evidence::{DnsFacts, TcpFallback};

const RCODE: Gauge =
    Gauge { name: "nines_probe_dns_rcode", help: "The response code of the last answer, as its number.", label: None };
const RECORDS: Gauge = Gauge {
    name: "nines_probe_dns_records",
    help: "Records of the last answer by section, the record of extensions aside.",
    label: Some("section"),
};
const BYTES: Gauge =
    Gauge { name: "nines_probe_dns_answer_bytes", help: "The length of the last answer.", label: None };
const SERIAL: Gauge = Gauge {
    name: "nines_probe_dns_serial",
    help: "The serial number of the SOA record in the last answer.",
    label: None,
};
const FALLBACK: Gauge = Gauge {
    name: "nines_probe_dns_tcp_fallback",
    help: "1 when the last answer by UDP was cut and asked for again by TCP.",
    label: None,
};

/// What is told of a name server's answer.
pub(super) const GAUGES: &[&Gauge] = &[&RCODE, &RECORDS, &BYTES, &SERIAL, &FALLBACK];

/// Adds what `facts` say.
pub(super) fn measure(facts: &DnsFacts, measured: &mut Vec<Measured>) {
    let fallback = match facts.fallback {
        TcpFallback::No => 0.0,
        TcpFallback::Truncated => 1.0,
    };
    measured.push(Measured::new(&FALLBACK, fallback));
    let Some(answer) = &facts.answer else { return };
    measured.push(Measured::new(&RCODE, f64::from(answer.rcode.0)));
    let sections = [("answer", &answer.answer), ("authority", &answer.authority), ("additional", &answer.additional)];
    for (section, facts) in sections {
        measured.push(Measured::labelled(&RECORDS, section, f64::from(facts.records)));
    }
    measured.push(Measured::new(&BYTES, f64::from(answer.bytes)));
    measured.extend(answer.serial.map(|serial| Measured::new(&SERIAL, f64::from(serial))));
}
