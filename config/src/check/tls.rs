//! A `tls` check and its options.

use super::dialog::{hex, hex_text};
use super::{route, trust};
use crate::node::Node;
use crate::reading::keys::Keys;
use crate::reading::words::word;
use crate::reading::{Reading, one_or_list, text};
use crate::scalar::{duration, duration_text, words};
use rules::check::{StartTls, TlsTarget};
use serde_json::{Map, Value, json};
use std::time::Duration;

/// Reads the target at `node` and its options from the keys beside it.
pub(super) fn read(node: &Node, keys: &mut Keys<'_>, reading: &mut Reading) -> Option<TlsTarget> {
    let route = route::read(keys, reading);
    let starttls =
        keys.optional("starttls", reading, word(&StartTls::ALL.map(|protocol| (protocol.as_str(), protocol))));
    let expires_in_at_least = keys.or("expires_in_at_least", Duration::ZERO, reading, duration);
    let names = keys.or("certificate_names", Vec::new(), reading, one_or_list(words));
    let fingerprints = keys.or("certificate_sha256", Vec::new(), reading, one_or_list(fingerprint));
    let tls = trust::read(keys, reading);
    let address = text(node, reading)?;
    match TlsTarget::parse(address) {
        Ok(target) => {
            Some(TlsTarget { starttls, expires_in_at_least, names, fingerprints, route: route?, tls, ..target })
        }
        Err(error) => reading.problem(node.at, error.to_string()),
    }
}

fn fingerprint(node: &Node, reading: &mut Reading) -> Option<[u8; 32]> {
    match <[u8; 32]>::try_from(hex(node, reading)?) {
        Ok(sha256) => Some(sha256),
        Err(bytes) => {
            let count = bytes.len();
            reading
                .problem(node.at, format!("a SHA-256 has 32 bytes and this has {count}; write 64 hexadecimal digits"))
        }
    }
}

/// Writes `tls` under the keys that it is read from.
pub(super) fn write(tls: &TlsTarget, keys: &mut Map<String, Value>) {
    let TlsTarget { address, host: _, port: _, starttls, expires_in_at_least, names, fingerprints, route, tls } = tls;
    let mut put = |key: &str, value: Value| keys.insert(key.to_owned(), value);
    put("tls", json!(address));
    if let Some(protocol) = starttls {
        put("starttls", json!(protocol.as_str()));
    }
    put("expires_in_at_least", json!(duration_text(*expires_in_at_least)));
    put("certificate_names", json!(names));
    put("certificate_sha256", fingerprints.iter().map(|sha256| hex_text(sha256)).collect());
    trust::write(tls, keys);
    route::write(route, keys);
}
