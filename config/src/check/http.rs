//! An `http` check and its options, under blackbox_exporter's names.

use super::{route, trust};
use crate::node::{Key, Node};
use crate::reading::keys::Keys;
use crate::reading::{Reading, one_or_list, text};
use crate::scalar::{size, truth, whole, words};
use crate::secret::expanded;
use rules::check::{BODY_BYTES_DEFAULT, ContentPart, ContentRule, FailsIf, HttpTarget, Pattern, Redirects};
use serde_json::{Map, Value, json};
use std::ops::RangeInclusive;

/// Reads the target at `node` and its options from the keys beside it.
pub(super) fn read(node: &Node, keys: &mut Keys<'_>, reading: &mut Reading) -> Option<HttpTarget> {
    let method = keys.or("method", "GET".to_owned(), reading, method);
    let headers = keys.or("headers", Vec::new(), reading, headers);
    let body = keys.optional("body", reading, |node, reading| text(node, reading).map(str::to_owned));
    let valid_status_codes = keys.or("valid_status_codes", Vec::new(), reading, one_or_list(status_codes));
    let follow = keys.or("follow_redirects", true, reading, truth);
    let content = content(keys, reading);
    let body_bytes_max = keys.or("body_size_limit", BODY_BYTES_DEFAULT, reading, size);
    let route = route::read(keys, reading);
    let tls = trust::read(keys, reading);
    let url = text(node, reading)?;
    if url.contains('@') {
        reading.conceal(node.at);
    }
    if !url.contains("://") {
        let url = url.escape_debug();
        return reading.problem(node.at, format!("`{url}` is no absolute URL; write one such as `https://host/path`"));
    }
    match HttpTarget::parse(url) {
        Ok(target) => Some(HttpTarget {
            method,
            headers,
            body,
            valid_status_codes,
            redirects: if follow { Redirects::Follow } else { Redirects::Stop },
            content,
            body_bytes_max,
            route: route?,
            tls,
            ..target
        }),
        Err(error) => reading.problem(node.at, error.to_string()),
    }
}

/// Whether `c` may stand in a method or a header's name (RFC 9110's token).
fn is_token(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c)
}

fn method(node: &Node, reading: &mut Reading) -> Option<String> {
    let given = text(node, reading)?;
    if given.is_empty() || !given.chars().all(|c| is_token(c) && !c.is_ascii_lowercase()) {
        let given = given.escape_debug();
        return reading
            .problem(node.at, format!("`{given}` is no method; write one in capitals, such as `GET` or `POST`"));
    }
    Some(given.to_owned())
}

/// A map of names to values, or a list of such maps where order or repetition matters.
fn headers(node: &Node, reading: &mut Reading) -> Option<Vec<(String, String)>> {
    let maps = one_or_list(header_map)(node, reading)?;
    Some(maps.into_iter().flatten().collect())
}

fn header_map(node: &Node, reading: &mut Reading) -> Option<Vec<(String, String)>> {
    let mut keys = Keys::of(node, "`headers`", reading)?;
    Some(keys.rest().into_iter().filter_map(|(key, node)| header(key, node, reading)).collect())
}

fn header(key: &Key, node: &Node, reading: &mut Reading) -> Option<(String, String)> {
    reading.conceal(node.at);
    if key.name.is_empty() || !key.name.chars().all(is_token) {
        let name = key.name.escape_debug();
        return reading.problem(key.at, format!("`{name}` is no header name; use letters, digits and hyphens"));
    }
    let value = expanded(node, reading)?;
    if value.contains(|c: char| c.is_control() && c != '\t') {
        let message = "a header's value has a control character; write it on one line without any";
        return reading.problem(node.at, message);
    }
    Some((key.name.clone(), value))
}

fn status_codes(node: &Node, reading: &mut Reading) -> Option<RangeInclusive<u16>> {
    let given = text(node, reading)?;
    let status = |part: &str| whole::<u16>(part.trim()).filter(|status| (100..=599).contains(status));
    let range = match given.split_once('-') {
        Some((first, last)) => status(first).zip(status(last)),
        None => status(given).map(|status| (status, status)),
    };
    match range {
        Some((first, last)) if first <= last => Some(first..=last),
        _ => {
            let given = given.escape_debug();
            reading.problem(
                node.at,
                format!("`{given}` is no status code; write one from 100 to 599, or a range such as \"200-299\""),
            )
        }
    }
}

/// The four keys about content, in the order they are judged.
fn content(keys: &mut Keys<'_>, reading: &mut Reading) -> Vec<ContentRule> {
    let mut rules = Vec::new();
    let body = [("fail_if_body_matches_regexp", FailsIf::Found), ("fail_if_body_not_matches_regexp", FailsIf::Missing)];
    for (key, fails) in body {
        let patterns = keys.or(key, Vec::new(), reading, one_or_list(pattern));
        rules.extend(patterns.into_iter().map(|pattern| ContentRule { part: ContentPart::Body, pattern, fails }));
    }
    let header = [("fail_if_header_matches", FailsIf::Found), ("fail_if_header_not_matches", FailsIf::Missing)];
    for (key, fails) in header {
        let matches = keys.or(key, Vec::new(), reading, one_or_list(header_match));
        rules.extend(matches.into_iter().map(|(part, pattern)| ContentRule { part, pattern, fails }));
    }
    rules
}

/// A regular expression.
pub(super) fn pattern(node: &Node, reading: &mut Reading) -> Option<Pattern> {
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

fn header_match(node: &Node, reading: &mut Reading) -> Option<(ContentPart, Pattern)> {
    let mut keys = Keys::of(node, "a header match", reading)?;
    let header = keys.required("header", reading, words);
    let pattern = keys.required("regexp", reading, pattern);
    keys.end(reading);
    Some((ContentPart::Header(header?.to_ascii_lowercase()), pattern?))
}

/// Writes `http` under the keys that it is read from.
pub(super) fn write(http: &HttpTarget, keys: &mut Map<String, Value>) {
    let HttpTarget { url, method, headers, body, valid_status_codes, redirects, content, body_bytes_max, route, tls } =
        http;
    let mut put = |key: &str, value: Value| keys.insert(key.to_owned(), value);
    put("http", json!(url));
    put("method", json!(method));
    put("headers", headers.iter().map(|(name, value)| json!({ name.clone(): value })).collect());
    if let Some(body) = body {
        put("body", json!(body));
    }
    let codes = valid_status_codes.iter().map(|range| format!("{}-{}", range.start(), range.end()));
    put("valid_status_codes", codes.collect());
    put("follow_redirects", json!(matches!(redirects, Redirects::Follow)));
    put("body_size_limit", json!(body_bytes_max));
    trust::write(tls, keys);
    for rule in content {
        let (key, value) = content_entry(rule);
        let list = keys.entry(key).or_insert_with(|| json!([]));
        if let Value::Array(list) = list {
            list.push(value);
        }
    }
    route::write(route, keys);
}

fn content_entry(ContentRule { part, pattern, fails }: &ContentRule) -> (&'static str, Value) {
    let regexp = pattern.as_str();
    match (part, fails) {
        (ContentPart::Body, FailsIf::Found) => ("fail_if_body_matches_regexp", json!(regexp)),
        (ContentPart::Body, FailsIf::Missing) => ("fail_if_body_not_matches_regexp", json!(regexp)),
        (ContentPart::Header(header), FailsIf::Found) => {
            ("fail_if_header_matches", json!({ "header": header, "regexp": regexp }))
        }
        (ContentPart::Header(header), FailsIf::Missing) => {
            ("fail_if_header_not_matches", json!({ "header": header, "regexp": regexp }))
        }
    }
}
