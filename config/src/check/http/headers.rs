//! Headers to be sent: `headers`, and `http_headers` with values, secrets and files.

use crate::node::{Key, Node};
use crate::reading::keys::Keys;
use crate::reading::{Placed, Reading, list, one_or_list, placed};
use crate::secret::{check_secret, check_secret_file, expanded};
use crate::source::Span;
use rules::check::{Compression, SecretSource};
use serde_json::{Value, json};

/// What `http_headers` must not set, for another key does or the protocol itself; a name that ends in
/// `-` stands for all that begin so. The list is that of blackbox_exporter.
const RESERVED: &[&str] = &[
    "authorization",
    "host",
    "content-encoding",
    "content-length",
    "content-type",
    "user-agent",
    "connection",
    "keep-alive",
    "proxy-",
    "www-authenticate",
    "accept-encoding",
    "x-prometheus-",
    "x-amz-",
];

/// A header and what it carries.
pub(crate) type Header = (String, SecretSource);

/// Reads `headers` and `http_headers` from the keys of a check or a request.
pub(crate) fn read(keys: &mut Keys<'_>, reading: &mut Reading) -> Vec<Header> {
    let mut headers = keys.or("headers", Vec::new(), reading, plain);
    headers.extend(keys.or("http_headers", Vec::new(), reading, sourced));
    headers
}

/// Refuses a header that asks for another encoding than `compression`, which stands at `at`.
pub(super) fn check_encoding(headers: &[Header], compression: Compression, at: Span, reading: &mut Reading) {
    for (name, value) in headers {
        let SecretSource::Given(value) = value else { continue };
        if name.eq_ignore_ascii_case("accept-encoding") && !accepts(value.expose(), compression.as_str()) {
            let (asked, word) = (value.expose().escape_debug(), compression.as_str());
            let message = format!(
                "the header `{name}: {asked}` does not ask for `compression: {word}`; leave the header out, or name `{word}` in it"
            );
            reading.problem::<()>(at, message);
        }
    }
}

/// Whether the header's `value` asks for `encoding`: the best of those that it names counts.
fn accepts(value: &str, encoding: &str) -> bool {
    let mut named: Vec<(&str, f32)> = value.split(',').map(quality).collect();
    if value.trim().is_empty() {
        return true;
    }
    named.sort_by(|left, right| right.1.total_cmp(&left.1));
    let asked = named.into_iter().find(|(name, _)| *name == encoding || *name == "*");
    asked.is_some_and(|(_, quality)| 0.0 < quality)
}

fn quality(part: &str) -> (&str, f32) {
    match part.rsplit_once(';') {
        None => (part.trim(), 1.0),
        Some((name, parameter)) => {
            let quality = parameter.trim().strip_prefix("q=").and_then(|quality| quality.parse().ok());
            (name.trim(), quality.unwrap_or(0.0))
        }
    }
}

/// A map of names to values, or a list of such maps where order or repetition matters.
fn plain(node: &Node, reading: &mut Reading) -> Option<Vec<Header>> {
    let maps = one_or_list(header_map)(node, reading)?;
    Some(maps.into_iter().flatten().collect())
}

fn header_map(node: &Node, reading: &mut Reading) -> Option<Vec<Header>> {
    let mut keys = Keys::of(node, "`headers`", reading)?;
    Some(keys.rest().into_iter().filter_map(|(key, node)| header(key, node, reading)).collect())
}

fn header(key: &Key, node: &Node, reading: &mut Reading) -> Option<Header> {
    reading.conceal(node.at);
    let name = name(key, reading)?;
    Some((name, SecretSource::given(value(node, reading)?)))
}

/// A map of names to `values`, `secrets` and `files`.
fn sourced(node: &Node, reading: &mut Reading) -> Option<Vec<Header>> {
    let mut keys = Keys::of(node, "`http_headers`", reading)?;
    let headers: Vec<Vec<Header>> =
        keys.rest().into_iter().filter_map(|(key, node)| sourced_header(key, node, reading)).collect();
    Some(headers.into_iter().flatten().collect())
}

fn sourced_header(key: &Key, node: &Node, reading: &mut Reading) -> Option<Vec<Header>> {
    let name = name(key, reading)?;
    let lower = name.to_ascii_lowercase();
    if RESERVED.iter().any(|taken| lower == *taken || (taken.ends_with('-') && lower.starts_with(taken))) {
        let message = format!(
            "`{name}` is not for `http_headers`; use the key that is made for it (`authorization`, `compression`, …), or `headers`"
        );
        return reading.problem(key.at, message);
    }
    let mut keys = Keys::of(node, "a header of `http_headers`", reading)?;
    let values = keys.or("values", Vec::new(), reading, list(value));
    let secrets = keys.or("secrets", Vec::new(), reading, list(placed(check_secret)));
    let files = keys.or("files", Vec::new(), reading, list(check_secret_file));
    keys.end(reading);
    let mut headers: Vec<Header> = Vec::new();
    headers.extend(values.into_iter().map(|value| (name.clone(), SecretSource::given(value))));
    for Placed { at, value: secret } in secrets {
        if secret.expose().contains(is_forbidden) {
            reading.problem::<()>(at, CONTROL_CHARACTER);
        }
        headers.push((name.clone(), SecretSource::Given(secret)));
    }
    headers.extend(files.into_iter().map(|file| (name.clone(), file)));
    Some(headers)
}

fn name(key: &Key, reading: &mut Reading) -> Option<String> {
    if key.name.is_empty() || !key.name.chars().all(is_token) {
        let name = key.name.escape_debug();
        return reading.problem(key.at, format!("`{name}` is no header name; use letters, digits and hyphens"));
    }
    Some(key.name.clone())
}

const CONTROL_CHARACTER: &str = "a header's value has a control character; write it on one line without any";

/// A header's value, with the environment's variables in it.
pub(super) fn value(node: &Node, reading: &mut Reading) -> Option<String> {
    let value = expanded(node, reading)?;
    if value.contains(is_forbidden) {
        return reading.problem(node.at, CONTROL_CHARACTER);
    }
    Some(value)
}

fn is_forbidden(c: char) -> bool {
    c.is_control() && c != '\t'
}

/// Whether `c` may stand in a method or a header's name (RFC 9110's token).
pub(crate) fn is_token(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c)
}

/// Writes `headers` under the keys that they are read from.
pub(crate) fn write(headers: &[Header], keys: &mut serde_json::Map<String, Value>) {
    let mut given = Vec::new();
    let mut files: Vec<(&str, Vec<&str>)> = Vec::new();
    for (name, source) in headers {
        match source {
            SecretSource::Given(value) => given.push(json!({ name.clone(): value.expose() })),
            SecretSource::File(file) => match files.iter_mut().find(|(known, _)| known == name) {
                Some((_, list)) => list.push(file),
                None => files.push((name, vec![file])),
            },
        }
    }
    keys.insert("headers".to_owned(), Value::Array(given));
    if !files.is_empty() {
        let files = files.into_iter().map(|(name, files)| (name.to_owned(), json!({ "files": files })));
        keys.insert("http_headers".to_owned(), Value::Object(files.collect()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_asks_for_an_encoding_by_its_best_quality() {
        let check = |value: &str, encoding: &str, expected: bool| {
            assert_eq!(accepts(value, encoding), expected, "{value:?} {encoding}");
        };
        check("", "gzip", true);
        check("gzip", "gzip", true);
        check("*", "gzip", true);
        check("br", "gzip", false);
        check("br, gzip", "gzip", true);
        check("br, *", "gzip", true);
        check("gzip;q=0.8, br;q=1.0", "br", true);
        check("gzip;q=0.0", "gzip", false);
        check("br;q=1.0, *;q=0.0", "gzip", false);
        check("*;q=0.0, gzip;q=0.1", "gzip", true);
        check("*, gzip;q=0.0", "gzip", true);
        check("gzip;q=x", "gzip", false);
        check("identity", "identity", true);
    }
}
