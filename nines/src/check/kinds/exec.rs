//! How `nines check` shows exec facts.

use super::Row;
use rules::evidence::ExecFacts;
use serde_json::{Value, json};

pub(super) fn rows(_facts: &ExecFacts) -> Vec<Row> {
    Vec::new()
}

pub(super) fn json(_facts: &ExecFacts) -> Value {
    json!({})
}
