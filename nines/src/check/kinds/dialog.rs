//! How `nines check` shows what was said in a dialog.

use super::Row;
use rules::evidence::{DialogFacts, Ending, Unmet};
use serde_json::{Map, Value, json};

pub(super) fn rows(facts: &DialogFacts) -> Vec<Row> {
    let mut rows = vec![("dialog", format!("{} of {} steps", facts.done, facts.steps))];
    if !facts.heard.as_str().is_empty() {
        rows.push(("heard", facts.heard.to_string()));
    }
    rows.extend(facts.labels.iter().map(|(name, value)| ("label", format!("{name} = {value}"))));
    rows
}

pub(super) fn json(facts: &DialogFacts) -> Value {
    let labels: Map<String, Value> =
        facts.labels.iter().map(|(name, value)| (name.clone(), json!(value.as_str()))).collect();
    json!({
        "steps": facts.steps,
        "done": facts.done,
        "heard": facts.heard.as_str(),
        "labels": labels,
        "unmet": facts.unmet.as_ref().map(unmet),
    })
}

fn unmet(Unmet { step, by, expected, end }: &Unmet) -> Value {
    let end = match end {
        Ending::Closed => "closed",
        Ending::Rejected => "rejected",
    };
    json!({ "step": step, "by": by.as_str(), "expected": expected.as_str(), "end": end })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rules::evidence::Said;

    #[test]
    fn a_dialog_shows_how_far_it_got_and_what_was_found() {
        let labels = vec![("ver".to_owned(), Said::new("2.0\u{1b}"))];
        let facts = DialogFacts { steps: 2, done: 1, heard: Said::new("hi"), labels, unmet: None };
        let expected: Vec<Row> = vec![
            ("dialog", "1 of 2 steps".to_owned()),
            ("heard", "hi".to_owned()),
            ("label", "ver = 2.0\\u{1b}".to_owned()),
        ];
        assert_eq!(rows(&facts), expected);
        assert_eq!(json(&facts)["labels"], json!({ "ver": "2.0\\u{1b}" }));
    }
}
