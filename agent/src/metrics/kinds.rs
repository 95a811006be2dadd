//! What the last probe of a check measured beyond its phases, by kind of check.
//!
//! One file a kind: its gauges, and their values from the evidence. A label's value comes from the
//! configuration (the name of a step) or from a fixed list, never from a target.

mod dialog;
mod dns;
mod exec;
mod flow;
mod grpc;
mod http;
mod icmp;
mod page;
mod promql;
mod tls;
mod ws;

use rules::evidence::{Evidence, Facts};

/// A gauge that checks of some kind have.
#[derive(PartialEq, Eq, Debug)]
pub(crate) struct Gauge {
    pub(crate) name: &'static str,
    pub(crate) help: &'static str,
    /// The label beside those of the check, if it has one.
    pub(crate) label: Option<&'static str>,
}

/// A gauge's value.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Measured {
    pub(crate) gauge: &'static Gauge,
    /// The value of the gauge's own label; empty if it has none.
    pub(crate) label: Box<str>,
    pub(crate) value: f64,
}

impl Measured {
    pub(crate) fn new(gauge: &'static Gauge, value: f64) -> Measured {
        Measured { gauge, label: Box::default(), value }
    }

    pub(crate) fn labelled(gauge: &'static Gauge, label: &str, value: f64) -> Measured {
        Measured { gauge, label: label.into(), value }
    }
}

/// The gauges of all kinds, in the order of the page.
pub(crate) fn gauges() -> impl Iterator<Item = &'static Gauge> {
    let kinds = [
        dialog::GAUGES,
        dns::GAUGES,
        exec::GAUGES,
        flow::GAUGES,
        grpc::GAUGES,
        http::GAUGES,
        icmp::GAUGES,
        page::GAUGES,
        promql::GAUGES,
        tls::GAUGES,
        ws::GAUGES,
    ];
    kinds.into_iter().flatten().copied()
}

/// What a probe measured.
pub(crate) fn measured(evidence: &Evidence) -> Box<[Measured]> {
    let mut measured = Vec::new();
    if let Some(facts) = &evidence.http {
        http::measure(facts, &mut measured);
    }
    if let Some(facts) = &evidence.tls {
        tls::measure(facts, &mut measured);
    }
    match &evidence.facts {
        None => {}
        Some(Facts::Dialog(facts)) => dialog::measure(facts, &mut measured),
        Some(Facts::Dns(facts)) => dns::measure(facts, &mut measured),
        Some(Facts::Icmp(facts)) => icmp::measure(facts, &mut measured),
        Some(Facts::Grpc(facts)) => grpc::measure(facts, &mut measured),
        Some(Facts::Ws(facts)) => ws::measure(facts, &mut measured),
        Some(Facts::Flow(facts)) => flow::measure(facts, &mut measured),
        Some(Facts::Exec(facts)) => exec::measure(facts, &mut measured),
        Some(Facts::Promql(facts)) => promql::measure(facts, &mut measured),
        Some(Facts::Page(facts)) => page::measure(facts, &mut measured),
    }
    measured.into()
}
