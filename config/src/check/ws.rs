//! A `ws` check and its options, under blackbox_exporter's names.

use super::dialog::{self, Over};
use super::http::{auth, headers};
use super::{route, trust};
use crate::node::Node;
use crate::reading::keys::Keys;
use crate::reading::{Reading, text};
use rules::check::{HttpAuth, WsTarget};
use serde_json::{Map, Value, json};

/// Headers that the upgrade itself writes.
const OWN: &[&str] =
    &["connection", "upgrade", "sec-websocket-key", "sec-websocket-version", "sec-websocket-extensions"];

/// Reads the target at `node` and its options from the keys beside it.
pub(super) fn read(node: &Node, keys: &mut Keys<'_>, reading: &mut Reading) -> Option<WsTarget> {
    let headers = headers::read(keys, reading);
    if let Some((name, _)) = headers.iter().find(|(name, _)| OWN.contains(&name.to_ascii_lowercase().as_str())) {
        reading.problem::<()>(keys.at, format!("the header `{name}` is written by the upgrade itself; leave it out"));
    }
    let auth = auth::read(keys, reading);
    if let Some(HttpAuth::OAuth2(_)) = &auth {
        reading.problem::<()>(keys.at, "`oauth2` can't be used with `ws`; use `basic_auth` or `authorization`");
    }
    let dialog = dialog::read(Over::Messages, keys, reading);
    let route = route::read(keys, reading);
    let tls = trust::read(keys, reading);
    let url = text(node, reading)?;
    if url.contains('@') {
        reading.conceal(node.at);
    }
    match WsTarget::parse(url) {
        Ok(target) => Some(WsTarget { headers, auth: auth?, dialog, route: route?, tls, ..target }),
        Err(error) => reading.problem(node.at, error.to_string()),
    }
}

/// Writes `ws` under the keys that it is read from.
pub(super) fn write(ws: &WsTarget, keys: &mut Map<String, Value>) {
    let WsTarget { address, headers, auth, dialog, route, tls } = ws;
    keys.insert("ws".to_owned(), json!(address));
    headers::write(headers, keys);
    auth::write(auth, keys);
    dialog::write(dialog, keys);
    route::write(route, keys);
    trust::write(tls, keys);
}
