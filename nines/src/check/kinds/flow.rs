//! How `nines check` shows flow facts.

use super::Row;
use rules::evidence::FlowFacts;
use serde_json::{Value, json};

pub(super) fn rows(_facts: &FlowFacts) -> Vec<Row> {
    Vec::new()
}

pub(super) fn json(_facts: &FlowFacts) -> Value {
    json!({})
}
