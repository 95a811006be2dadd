//! A `promql` check and its options.

use super::http::options;
use crate::node::Node;
use crate::reading::keys::Keys;
use crate::reading::words::word;
use crate::reading::{Reading, text};
use crate::scalar::{parsed, words};
use rules::check::{Bound, HttpTarget, NoData, PromqlTarget, Relation, SeriesRule, ServerFailure};
use rules::number::Number;
use serde_json::{Map, Value, json};

/// The bounds by their keys.
const RELATIONS: [(&str, Relation); 4] = [
    ("at_least", Relation::AtLeast),
    ("at_most", Relation::AtMost),
    ("above", Relation::Above),
    ("below", Relation::Below),
];
const SERIES: [(&str, SeriesRule); 2] = [("all", SeriesRule::All), ("any", SeriesRule::Any)];
const NO_DATA: [(&str, NoData); 3] = [("void", NoData::Void), ("down", NoData::Down), ("up", NoData::Up)];
const SERVER_FAILURE: [(&str, ServerFailure); 2] = [("void", ServerFailure::Void), ("down", ServerFailure::Down)];

/// Reads the query at `node` and its options from the keys beside it.
pub(super) fn read(node: &Node, keys: &mut Keys<'_>, reading: &mut Reading) -> Option<PromqlTarget> {
    let options = options::read(keys, reading);
    let server = keys.required("server", reading, server);
    let mut bounds = Vec::new();
    let mut is_bounded = false;
    for (key, relation) in RELATIONS {
        let Some((_, node)) = keys.take(key) else { continue };
        is_bounded = true;
        bounds.extend(limit(node, reading).map(|limit| Bound { relation, limit }));
    }
    let series = keys.or("series", SeriesRule::All, reading, word(&SERIES));
    let no_data = keys.or("no_data", NoData::Void, reading, word(&NO_DATA));
    let server_failure = keys.or("server_failure", ServerFailure::Void, reading, word(&SERVER_FAILURE));
    let query = words(node, reading)?;
    if !is_bounded {
        let message = "a query without a bound is always up; add `at_least`, `at_most`, `above` or `below`";
        return reading.problem(node.at, message);
    }
    Some(PromqlTarget { query, server: server?, bounds, series, no_data, server_failure, options: options? })
}

/// The server's URL, without a slash at its end.
fn server(node: &Node, reading: &mut Reading) -> Option<String> {
    let given = text(node, reading)?;
    if given.contains('@') {
        reading.conceal(node.at);
    }
    if given.contains(['?', '#']) {
        return reading
            .problem(node.at, "a server's URL has no `?` and no `#`; write one such as `http://prometheus:9090`");
    }
    match HttpTarget::parse(given) {
        Ok(_) => Some(given.trim_end_matches('/').to_owned()),
        Err(error) => reading.problem(node.at, error.to_string()),
    }
}

fn limit(node: &Node, reading: &mut Reading) -> Option<Number> {
    let number: Number = parsed(node, reading)?;
    if !number.is_finite() {
        return reading.problem(node.at, "an infinite bound holds for everything or nothing; write a number");
    }
    Some(number)
}

/// Writes `promql` under the keys that it is read from.
pub(super) fn write(promql: &PromqlTarget, keys: &mut Map<String, Value>) {
    let PromqlTarget { query, server, bounds, series, no_data, server_failure, options } = promql;
    let mut put = |key: &str, value: Value| keys.insert(key.to_owned(), value);
    put("promql", json!(query));
    put("server", json!(server));
    for Bound { relation, limit } in bounds {
        put(word_of(&RELATIONS, relation), json!(limit.to_string()));
    }
    put("series", json!(word_of(&SERIES, series)));
    put("no_data", json!(word_of(&NO_DATA, no_data)));
    put("server_failure", json!(word_of(&SERVER_FAILURE, server_failure)));
    options::write(options, keys);
}

fn word_of<T: PartialEq>(words: &[(&'static str, T)], value: &T) -> &'static str {
    words.iter().find(|(_, known)| known == value).map_or("", |(word, _)| word)
}
