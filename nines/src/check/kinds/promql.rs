//! How `nines check` shows promql facts.

use super::Row;
use rules::evidence::PromqlFacts;
use serde_json::{Value, json};

pub(super) fn rows(_facts: &PromqlFacts) -> Vec<Row> {
    Vec::new()
}

pub(super) fn json(_facts: &PromqlFacts) -> Value {
    json!({})
}
