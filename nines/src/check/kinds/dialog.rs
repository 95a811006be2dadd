//! How `nines check` shows dialog facts.

use super::Row;
use rules::evidence::DialogFacts;
use serde_json::{Value, json};

pub(super) fn rows(_facts: &DialogFacts) -> Vec<Row> {
    Vec::new()
}

pub(super) fn json(_facts: &DialogFacts) -> Value {
    json!({})
}
