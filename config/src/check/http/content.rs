//! The `fail_if_…` keys about an answer's content, in the order in which they are judged: headers,
//! body, JSON.

use crate::node::Node;
use crate::reading::keys::Keys;
use crate::reading::{Reading, one_or_list, text};
use crate::scalar::{truth, words};
use rules::check::{ContentRule, FailsIf, Look, Missing, Pattern};
use serde_json::{Map, Value, json};

/// The keys, each with what it reads and when its rules fail.
const KEYS: &[(&str, Read, FailsIf)] = &[
    ("fail_if_header_matches", header, FailsIf::Found),
    ("fail_if_header_not_matches", header, FailsIf::Missing),
    ("fail_if_body_matches_regexp", body, FailsIf::Found),
    ("fail_if_body_not_matches_regexp", body, FailsIf::Missing),
    ("fail_if_body_json_matches_cel", json, FailsIf::Found),
    ("fail_if_body_json_not_matches_cel", json, FailsIf::Missing),
];

/// Reads what a rule looks for.
type Read = fn(&Node, &mut Reading) -> Option<Look>;

/// Reads the rules from the keys of a check or a request.
pub(crate) fn read(keys: &mut Keys<'_>, reading: &mut Reading) -> Vec<ContentRule> {
    let mut rules = Vec::new();
    for (key, read, fails) in KEYS {
        let looks = keys.or(key, Vec::new(), reading, one_or_list(*read));
        rules.extend(looks.into_iter().map(|look| ContentRule { look, fails: *fails }));
    }
    rules
}

/// A pattern in the body.
pub(crate) fn body(node: &Node, reading: &mut Reading) -> Option<Look> {
    pattern(node, reading).map(Look::Body)
}

/// A pattern in a header.
pub(crate) fn header(node: &Node, reading: &mut Reading) -> Option<Look> {
    let mut keys = Keys::of(node, "a header match", reading)?;
    let header = keys.required("header", reading, words);
    let pattern = keys.required("regexp", reading, pattern);
    let allowed = keys.or("allow_missing", false, reading, truth);
    keys.end(reading);
    let missing = if allowed { Missing::Holds } else { Missing::Fails };
    Some(Look::Header { name: header?.to_ascii_lowercase(), pattern: pattern?, missing })
}

/// A condition in the Common Expression Language, compiled here so that a mistake has its place.
pub(crate) fn json(node: &Node, reading: &mut Reading) -> Option<Look> {
    let given = words(node, reading)?;
    match cel::Program::compile(&given) {
        Ok(_) => Some(Look::Json(given)),
        Err(error) => {
            let error = error.to_string();
            let why = error.lines().next().unwrap_or("it does not compile").trim_start_matches("ERROR: ");
            reading.problem(
                node.at,
                format!("this CEL expression does not compile: {why}; write one such as `body.status == 'ok'`"),
            )
        }
    }
}

/// A regular expression.
pub(crate) fn pattern(node: &Node, reading: &mut Reading) -> Option<Pattern> {
    let given = text(node, reading)?;
    match Pattern::new(given) {
        Ok(pattern) => Some(pattern),
        Err(error) => {
            // The library draws the expression over several lines; its last one says what is wrong.
            let error = error.to_string();
            let why = error.lines().last().unwrap_or("it does not compile");
            let why = why.trim_start_matches("error: ");
            reading.problem(
                node.at,
                format!("this regular expression does not compile: {why}; escape what is meant literally with `\\`"),
            )
        }
    }
}

/// Writes `rules` under the keys that they are read from.
pub(crate) fn write(rules: &[ContentRule], keys: &mut Map<String, Value>) {
    for rule in rules {
        let (key, value) = entry(rule);
        let list = keys.entry(key).or_insert_with(|| json!([]));
        if let Value::Array(list) = list {
            list.push(value);
        }
    }
}

/// The key and value that a rule is read from.
pub(crate) fn entry(ContentRule { look, fails }: &ContentRule) -> (&'static str, Value) {
    let by_end = |found, missing| match fails {
        FailsIf::Found => found,
        FailsIf::Missing => missing,
    };
    match look {
        Look::Body(pattern) => {
            (by_end("fail_if_body_matches_regexp", "fail_if_body_not_matches_regexp"), json!(pattern.as_str()))
        }
        Look::Json(condition) => {
            (by_end("fail_if_body_json_matches_cel", "fail_if_body_json_not_matches_cel"), json!(condition))
        }
        Look::Header { name, pattern, missing } => {
            let allowed = *missing == Missing::Holds;
            let value = json!({ "header": name, "regexp": pattern.as_str(), "allow_missing": allowed });
            (by_end("fail_if_header_matches", "fail_if_header_not_matches"), value)
        }
    }
}
