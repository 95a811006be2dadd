//! A `heartbeat` check and its options.

use crate::node::Node;
use crate::reading::keys::Keys;
use crate::reading::{Reading, text};
use rules::check::HeartbeatTarget;
use serde_json::{Map, Value, json};

/// Reads the target at `node` and its options from the keys beside it.
pub(super) fn read(node: &Node, _keys: &mut Keys<'_>, reading: &mut Reading) -> Option<HeartbeatTarget> {
    text(node, reading).map(|address| HeartbeatTarget { address: address.to_owned() })
}

/// Writes `heartbeat` under the keys that it is read from.
pub(super) fn write(heartbeat: &HeartbeatTarget, keys: &mut Map<String, Value>) {
    keys.insert("heartbeat".to_owned(), json!(heartbeat.address));
}
