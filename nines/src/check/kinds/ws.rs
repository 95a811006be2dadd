//! How `nines check` shows ws facts.

use super::Row;
use rules::evidence::WsFacts;
use serde_json::{Value, json};

pub(super) fn rows(_facts: &WsFacts) -> Vec<Row> {
    Vec::new()
}

pub(super) fn json(_facts: &WsFacts) -> Value {
    json!({})
}
