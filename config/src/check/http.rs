//! An `http` check and its options, under blackbox_exporter's names.

pub(crate) mod auth;
pub(crate) mod content;
pub(crate) mod headers;
pub(crate) mod options;
mod proxy;

use crate::node::Node;
use crate::reading::keys::Keys;
use crate::reading::words::word;
use crate::reading::{Placed, Reading, one_or_list, placed, text};
use crate::scalar::{truth, whole};
use crate::secret::check_secret_file;
use headers::is_token;
use rules::check::{HttpTarget, HttpVersions, SecretSource, Secured};
use rules::evidence::HttpVersion;
use serde_json::{Map, Value, json};
use std::ops::RangeInclusive;

/// The versions' names, as answers spell them.
const VERSIONS: &[(&str, HttpVersion)] = &[
    ("HTTP/1.0", HttpVersion::V1_0),
    ("HTTP/1.1", HttpVersion::V1_1),
    ("HTTP/2.0", HttpVersion::V2),
    ("HTTP/3.0", HttpVersion::V3),
];

/// Reads the target at `node` and its options from the keys beside it.
pub(super) fn read(node: &Node, keys: &mut Keys<'_>, reading: &mut Reading) -> Option<HttpTarget> {
    let method = keys.or("method", "GET".to_owned(), reading, method);
    let headers = headers::read(keys, reading);
    let body = body(keys, reading);
    let valid_status_codes = keys.or("valid_status_codes", Vec::new(), reading, one_or_list(status_codes));
    let valid_versions = keys.or("valid_http_versions", Vec::new(), reading, one_or_list(placed(version)));
    let secured = secured(keys, reading);
    let content = content::read(keys, reading);
    let compression_at = keys.place("compression");
    let options = options::read(keys, reading);
    let url = absolute_url(node, reading)?;
    let target = match HttpTarget::parse(url) {
        Ok(target) => target,
        Err(error) => return reading.problem(node.at, error.to_string()),
    };
    let options = options?;
    if let Some(compression) = options.compression {
        headers::check_encoding(&headers, compression, compression_at, reading);
    }
    check_versions(&valid_versions, options.versions, reading);
    let valid_versions = valid_versions.into_iter().map(|version| version.value).collect();
    Some(HttpTarget {
        method,
        headers,
        body: body?,
        valid_status_codes,
        valid_versions,
        secured: secured?,
        content,
        options,
        ..target
    })
}

/// A URL with its scheme. It is shown in no message if it may hold a password.
pub(crate) fn absolute_url<'n>(node: &'n Node, reading: &mut Reading) -> Option<&'n str> {
    let url = text(node, reading)?;
    if url.contains('@') {
        reading.conceal(node.at);
    }
    if !url.contains("://") {
        let url = url.escape_debug();
        return reading.problem(node.at, format!("`{url}` is no absolute URL; write one such as `https://host/path`"));
    }
    Some(url)
}

/// A request's method.
pub(crate) fn method(node: &Node, reading: &mut Reading) -> Option<String> {
    let given = text(node, reading)?;
    if given.is_empty() || !given.chars().all(|c| is_token(c) && !c.is_ascii_lowercase()) {
        let given = given.escape_debug();
        return reading
            .problem(node.at, format!("`{given}` is no method; write one in capitals, such as `GET` or `POST`"));
    }
    Some(given.to_owned())
}

/// `body` or `body_file`, of a check or a request.
pub(crate) fn body(keys: &mut Keys<'_>, reading: &mut Reading) -> Option<Option<SecretSource>> {
    match (keys.take("body"), keys.take("body_file")) {
        (None, None) => Some(None),
        (Some((_, node)), None) => text(node, reading).map(SecretSource::given).map(Some),
        (None, Some((_, node))) => check_secret_file(node, reading).map(Some),
        (Some(_), Some((key, _))) => {
            reading.problem(key.at, "`body` and `body_file` are both given; keep one of the two")
        }
    }
}

/// One status or a range of them.
pub(crate) fn status_codes(node: &Node, reading: &mut Reading) -> Option<RangeInclusive<u16>> {
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

/// How [`status_codes`] are written.
pub(crate) fn written_status_codes(ranges: &[RangeInclusive<u16>]) -> Value {
    ranges.iter().map(|range| format!("{}-{}", range.start(), range.end())).collect()
}

fn version(node: &Node, reading: &mut Reading) -> Option<HttpVersion> {
    word(VERSIONS)(node, reading)
}

fn secured(keys: &mut Keys<'_>, reading: &mut Reading) -> Option<Secured> {
    let refused = keys.or("fail_if_ssl", false, reading, truth);
    let required = keys.optional("fail_if_not_ssl", reading, placed(truth));
    match (refused, required) {
        (true, Some(Placed { at, value: true })) => {
            reading.problem(at, "with both `fail_if_ssl` and `fail_if_not_ssl` no answer is good; keep one of the two")
        }
        (true, _) => Some(Secured::Refused),
        (false, Some(Placed { value: true, .. })) => Some(Secured::Required),
        (false, _) => Some(Secured::Either),
    }
}

/// Refuses versions of which no answer can be, for they are not offered.
fn check_versions(valid: &[Placed<HttpVersion>], offered: HttpVersions, reading: &mut Reading) {
    for Placed { at, value: version } in valid {
        let is_3 = *version == HttpVersion::V3;
        if is_3 != (offered == HttpVersions::Http3) {
            let message = if is_3 {
                "an answer is `HTTP/3.0` only with `enable_http3: true` and `enable_http2: false`; add them, or leave this version out"
            } else {
                "with `enable_http3` every answer is `HTTP/3.0`; leave the other versions out"
            };
            reading.problem::<()>(*at, message);
        }
    }
}

/// Writes `http` under the keys that it is read from.
pub(super) fn write(http: &HttpTarget, keys: &mut Map<String, Value>) {
    let HttpTarget { url, method, headers, body, valid_status_codes, valid_versions, secured, content, options } = http;
    let mut put = |key: &str, value: Value| keys.insert(key.to_owned(), value);
    put("http", json!(url));
    put("method", json!(method));
    match body {
        None => {}
        Some(SecretSource::Given(body)) => drop(put("body", json!(body.expose()))),
        Some(SecretSource::File(file)) => drop(put("body_file", json!(file))),
    }
    put("valid_status_codes", written_status_codes(valid_status_codes));
    let names = |version: &HttpVersion| VERSIONS.iter().find(|(_, known)| known == version).map(|(name, _)| *name);
    put("valid_http_versions", valid_versions.iter().filter_map(names).collect());
    put("fail_if_ssl", json!(*secured == Secured::Refused));
    put("fail_if_not_ssl", json!(*secured == Secured::Required));
    headers::write(headers, keys);
    content::write(content, keys);
    options::write(options, keys);
}
