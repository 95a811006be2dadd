//! How `nines check` shows grpc facts.

use super::Row;
use rules::evidence::GrpcFacts;
use serde_json::{Value, json};

pub(super) fn rows(_facts: &GrpcFacts) -> Vec<Row> {
    Vec::new()
}

pub(super) fn json(_facts: &GrpcFacts) -> Value {
    json!({})
}
