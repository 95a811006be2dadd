//! How `nines check` shows icmp facts.

use super::Row;
use rules::evidence::IcmpFacts;
use serde_json::{Value, json};

pub(super) fn rows(_facts: &IcmpFacts) -> Vec<Row> {
    Vec::new()
}

pub(super) fn json(_facts: &IcmpFacts) -> Value {
    json!({})
}
