//! Which targets of a source count: conditions on labels, all of which must hold.

use crate::node::{Key, Node, Value};
use crate::reading::keys::Keys;
use crate::reading::{Reading, list, text};
use crate::scalar::truth;
use rules::check::Pattern;

use super::Labels;

/// Conditions on labels; without one every target counts.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Select(Vec<(String, Condition)>);

/// What a label is held against; an absent label is no text at all.
#[derive(Clone, PartialEq, Debug)]
enum Condition {
    OneOf(Vec<String>),
    NoneOf(Vec<String>),
    /// The whole text matches, as in Prometheus.
    Matches(Pattern),
    MatchesNot(Pattern),
    Present,
    Absent,
}

impl Select {
    /// Whether a target with `labels` counts.
    pub fn keeps(&self, labels: &Labels) -> bool {
        self.0.iter().all(|(label, condition)| condition.holds(labels.get(label).map(String::as_str)))
    }
}

impl Condition {
    fn holds(&self, text: Option<&str>) -> bool {
        let is_among = |texts: &[String]| text.is_some_and(|text| texts.iter().any(|one| one == text));
        let matches = |pattern: &Pattern| text.is_some_and(|text| pattern.is_found(text.as_bytes()));
        match self {
            Condition::OneOf(texts) => is_among(texts),
            Condition::NoneOf(texts) => !is_among(texts),
            Condition::Matches(pattern) => matches(pattern),
            Condition::MatchesNot(pattern) => !matches(pattern),
            Condition::Present => text.is_some(),
            Condition::Absent => text.is_none(),
        }
    }
}

/// Reads a map of labels to conditions: `{ env: prod, team: [a, b], tier: { matches: "web|api" } }`.
pub(super) fn read(node: &Node, reading: &mut Reading) -> Option<Select> {
    let mut keys = Keys::of(node, "`select`", reading)?;
    let conditions = keys.rest().into_iter().filter_map(|(key, node)| conditions(key, node, reading));
    Some(Select(conditions.flatten().collect()))
}

fn conditions(key: &Key, node: &Node, reading: &mut Reading) -> Option<Vec<(String, Condition)>> {
    if !super::template::is_label(&key.name) {
        let name = key.name.escape_debug();
        let message = format!("`{name}` is no label; labels have letters, digits and `_`, and begin with no digit");
        return reading.problem(key.at, message);
    }
    let named = |condition| (key.name.clone(), condition);
    match &node.value {
        Value::Text(given) => Some(vec![named(Condition::OneOf(vec![given.clone()]))]),
        Value::List(_) => Some(vec![named(Condition::OneOf(texts(node, reading)?))]),
        Value::Map(_) => Some(spelled(node, reading)?.into_iter().map(named).collect()),
        Value::Nothing => reading.problem(
            node.at,
            "nothing stands here; write a text, a list of texts, or a condition such as `{ present: true }`",
        ),
    }
}

/// Conditions by their words.
fn spelled(node: &Node, reading: &mut Reading) -> Option<Vec<Condition>> {
    let mut keys = Keys::of(node, "a condition on a label", reading)?;
    let one_of = keys.optional("is", reading, texts).map(Condition::OneOf);
    let none_of = keys.optional("is_not", reading, texts).map(Condition::NoneOf);
    let matches = keys.optional("matches", reading, pattern).map(Condition::Matches);
    let matches_not = keys.optional("matches_not", reading, pattern).map(Condition::MatchesNot);
    let present = keys.optional("present", reading, truth);
    let present = present.map(|present| if present { Condition::Present } else { Condition::Absent });
    let at = keys.at;
    keys.end(reading);
    let all: Vec<_> = [one_of, none_of, matches, matches_not, present].into_iter().flatten().collect();
    if all.is_empty() {
        return reading
            .problem(at, "a condition says nothing; write `is`, `is_not`, `matches`, `matches_not` or `present`");
    }
    Some(all)
}

fn texts(node: &Node, reading: &mut Reading) -> Option<Vec<String>> {
    let read = |node: &Node, reading: &mut Reading| text(node, reading).map(str::to_owned);
    match &node.value {
        Value::List(_) => list(read)(node, reading),
        Value::Nothing | Value::Text(_) | Value::Map(_) => read(node, reading).map(|text| vec![text]),
    }
}

/// A regular expression that the whole text has to match.
fn pattern(node: &Node, reading: &mut Reading) -> Option<Pattern> {
    let given = text(node, reading)?;
    let compiled = Pattern::new(given).and_then(|_| Pattern::new(&format!("^(?s:{given})$")));
    match compiled {
        Ok(pattern) => Some(pattern),
        Err(error) => {
            let error = error.to_string();
            let why = error.lines().last().unwrap_or("it does not compile").trim_start_matches("error: ");
            reading.problem(
                node.at,
                format!("this regular expression does not compile: {why}; escape what is meant literally with `\\`"),
            )
        }
    }
}
