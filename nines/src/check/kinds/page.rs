//! How `nines check` shows page facts.

use super::Row;
use rules::evidence::PageFacts;
use serde_json::{Value, json};

pub(super) fn rows(_facts: &PageFacts) -> Vec<Row> {
    Vec::new()
}

pub(super) fn json(_facts: &PageFacts) -> Value {
    json!({})
}
