//! What a step keeps of its answer, from the key `capture`.

use super::names::Names;
use crate::check::http::content::pattern;
use crate::node::{Key, Node};
use crate::reading::keys::Keys;
use crate::reading::{Reading, text};
use crate::scalar::{truth, words};
use rules::check::{Capture, CaptureFrom, Confidence};
use serde_json_path::JsonPath;

/// Reads a place in an answer.
type ReadPlace = fn(&Node, &mut Reading) -> Option<CaptureFrom>;

/// The places by their keys.
const PLACES: [(&str, ReadPlace); 4] = [
    ("json", |node, reading| json_path(node, reading).map(CaptureFrom::Json)),
    ("header", |node, reading| {
        words(node, reading).map(|name| CaptureFrom::Header { name: name.to_ascii_lowercase(), pattern: None })
    }),
    ("body", |node, reading| pattern(node, reading).map(CaptureFrom::Body)),
    ("cookie", |node, reading| words(node, reading).map(CaptureFrom::Cookie)),
];

/// Reads a map of names to places in an answer.
pub(super) fn read(node: &Node, names: &mut Names, reading: &mut Reading) -> Option<Vec<Capture>> {
    let entries = Keys::of(node, "`capture`", reading)?.rest();
    let mut captures: Vec<Capture> =
        entries.into_iter().filter_map(|(key, node)| capture(key, node, names, reading)).collect();
    captures.sort_by(|left, right| left.name.cmp(&right.name));
    Some(captures)
}

fn capture(key: &Key, node: &Node, names: &mut Names, reading: &mut Reading) -> Option<Capture> {
    let mut keys = Keys::of(node, "a capture", reading)?;
    let places = PLACES.map(|(place, read)| keys.take(place).map(|(_, node)| (node, read)));
    let regexp = keys.take("regexp");
    let secret = keys.or("secret", false, reading, truth);
    keys.end(reading);
    names.capture(&key.name, key.at, reading)?;
    let mut places = places.into_iter().flatten();
    let (Some((node, read)), None) = (places.next(), places.next()) else {
        let message = "a capture has one place that it is found in; write `json`, `header`, `body` or `cookie`";
        return reading.problem(key.at, message);
    };
    let mut from = read(node, reading);
    if let Some((regexp, node)) = regexp {
        let given = pattern(node, reading);
        match &mut from {
            Some(CaptureFrom::Header { pattern, .. }) => *pattern = given,
            Some(CaptureFrom::Json(_) | CaptureFrom::Body(_) | CaptureFrom::Cookie(_)) => {
                let message = "`regexp` is for a header; write `body: …` for a pattern in the body";
                reading.problem::<()>(regexp.at, message);
            }
            None => {}
        }
    }
    let confidence = if secret { Confidence::Secret } else { Confidence::Open };
    Some(Capture { name: key.name.clone(), from: from?, confidence })
}

fn json_path(node: &Node, reading: &mut Reading) -> Option<String> {
    let given = text(node, reading)?;
    match JsonPath::parse(given) {
        Ok(_) => Some(given.to_owned()),
        Err(error) => {
            let given = given.escape_debug();
            let message = format!("`{given}` is no JSONPath: {error}; write one such as `$.project.id`");
            reading.problem(node.at, message)
        }
    }
}
