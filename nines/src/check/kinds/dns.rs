//! How `nines check` shows dns facts.

use super::Row;
use rules::evidence::DnsFacts;
use serde_json::{Value, json};

pub(super) fn rows(_facts: &DnsFacts) -> Vec<Row> {
    Vec::new()
}

pub(super) fn json(_facts: &DnsFacts) -> Value {
    json!({})
}
