//! What a probe's answer said, by kind of check: as rows of text, and as JSON.
//!
//! One file a kind. Everything that came from outside arrives here without control characters.

mod dialog;
mod dns;
mod exec;
mod flow;
mod grpc;
mod icmp;
mod page;
mod promql;
mod ws;

use rules::evidence::Facts;
use serde_json::Value;

/// A row of text: a word of at most ten letters, and what stands beside it.
pub(super) type Row = (&'static str, String);

/// The facts as rows of text.
pub(super) fn rows(facts: &Facts) -> Vec<Row> {
    match facts {
        Facts::Dialog(facts) => dialog::rows(facts),
        Facts::Dns(facts) => dns::rows(facts),
        Facts::Icmp(facts) => icmp::rows(facts),
        Facts::Grpc(facts) => grpc::rows(facts),
        Facts::Ws(facts) => ws::rows(facts),
        Facts::Flow(facts) => flow::rows(facts),
        Facts::Exec(facts) => exec::rows(facts),
        Facts::Promql(facts) => promql::rows(facts),
        Facts::Page(facts) => page::rows(facts),
    }
}

/// The facts as JSON: the key that they stand under, and their object.
pub(super) fn json(facts: &Facts) -> (&'static str, Value) {
    match facts {
        Facts::Dialog(facts) => ("dialog", dialog::json(facts)),
        Facts::Dns(facts) => ("dns", dns::json(facts)),
        Facts::Icmp(facts) => ("icmp", icmp::json(facts)),
        Facts::Grpc(facts) => ("grpc", grpc::json(facts)),
        Facts::Ws(facts) => ("ws", ws::json(facts)),
        Facts::Flow(facts) => ("flow", flow::json(facts)),
        Facts::Exec(facts) => ("exec", exec::json(facts)),
        Facts::Promql(facts) => ("promql", promql::json(facts)),
        Facts::Page(facts) => ("page", page::json(facts)),
    }
}
