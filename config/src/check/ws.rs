//! A `ws` check and its options.

use crate::node::Node;
use crate::reading::keys::Keys;
use crate::reading::{Reading, text};
use rules::check::WsTarget;
use serde_json::{Map, Value, json};

/// Reads the target at `node` and its options from the keys beside it.
pub(super) fn read(node: &Node, _keys: &mut Keys<'_>, reading: &mut Reading) -> Option<WsTarget> {
    text(node, reading).map(|address| WsTarget { address: address.to_owned() })
}

/// Writes `ws` under the keys that it is read from.
pub(super) fn write(ws: &WsTarget, keys: &mut Map<String, Value>) {
    keys.insert("ws".to_owned(), json!(ws.address));
}
