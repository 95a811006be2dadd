//! How HTTP is spoken: the keys that every kind has that speaks it, under blackbox_exporter's names.

use super::{auth, proxy};
use crate::check::{route, trust};
use crate::reading::keys::Keys;
use crate::reading::words::word;
use crate::reading::{Placed, Reading, placed};
use crate::scalar::{size, truth};
use rules::check::{BODY_BYTES_DEFAULT, Compression, HttpOptions, HttpVersions, Redirects};
use serde_json::{Map, Value, json};

/// The words for encodings.
const COMPRESSIONS: &[(&str, Compression)] = &[
    ("gzip", Compression::Gzip),
    ("br", Compression::Brotli),
    ("deflate", Compression::Deflate),
    ("identity", Compression::Identity),
];

/// Reads the options from the keys beside that of the kind.
pub(crate) fn read(keys: &mut Keys<'_>, reading: &mut Reading) -> Option<HttpOptions> {
    let versions = versions(keys, reading);
    let redirects = redirects(keys, reading);
    let compression = keys.optional("compression", reading, word(COMPRESSIONS));
    let body_bytes_max = keys.or("body_size_limit", BODY_BYTES_DEFAULT, reading, size);
    let route = route::read(keys, reading);
    let tls = trust::read(keys, reading);
    let proxy = proxy::read(keys, reading);
    let auth = auth::read(keys, reading);
    Some(HttpOptions {
        route: route?,
        tls,
        versions: versions?,
        proxy: proxy?,
        auth: auth?,
        compression,
        redirects,
        body_bytes_max,
    })
}

fn versions(keys: &mut Keys<'_>, reading: &mut Reading) -> Option<HttpVersions> {
    let http2 = keys.optional("enable_http2", reading, placed(truth));
    let http3 = keys.optional("enable_http3", reading, placed(truth));
    match (http2.map(|it| it.value), http3) {
        (Some(false), Some(Placed { value: true, .. })) => Some(HttpVersions::Http3),
        (_, Some(Placed { at, value: true })) => reading.problem(
            at,
            "`enable_http3` is for HTTP/3 and nothing else; add `enable_http2: false`, or leave `enable_http3` out",
        ),
        (Some(false), _) => Some(HttpVersions::Http1),
        (Some(true) | None, _) => Some(HttpVersions::Http2OrHttp1),
    }
}

fn redirects(keys: &mut Keys<'_>, reading: &mut Reading) -> Redirects {
    let follow = keys.or("follow_redirects", true, reading, truth);
    // The peer's old key for the same.
    let stop = keys.or("no_follow_redirects", false, reading, truth);
    if follow && !stop { Redirects::Follow } else { Redirects::Stop }
}

/// Writes `options` under the keys that they are read from.
pub(crate) fn write(options: &HttpOptions, keys: &mut Map<String, Value>) {
    let HttpOptions { route, tls, versions, proxy, auth, compression, redirects, body_bytes_max } = options;
    let mut put = |key: &str, value: Value| keys.insert(key.to_owned(), value);
    put("enable_http2", json!(*versions == HttpVersions::Http2OrHttp1));
    put("enable_http3", json!(*versions == HttpVersions::Http3));
    put("follow_redirects", json!(*redirects == Redirects::Follow));
    if let Some(compression) = compression {
        put("compression", json!(compression.as_str()));
    }
    put("body_size_limit", json!(body_bytes_max));
    route::write(route, keys);
    trust::write(tls, keys);
    proxy::write(proxy, keys);
    auth::write(auth, keys);
}
