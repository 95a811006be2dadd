//! An `unix` check and its options.

use crate::node::Node;
use crate::reading::keys::Keys;
use crate::reading::{Reading, text};
use rules::check::UnixTarget;
use serde_json::{Map, Value, json};

/// Reads the target at `node` and its options from the keys beside it.
pub(super) fn read(node: &Node, _keys: &mut Keys<'_>, reading: &mut Reading) -> Option<UnixTarget> {
    text(node, reading).map(|address| UnixTarget { address: address.to_owned() })
}

/// Writes `unix` under the keys that it is read from.
pub(super) fn write(unix: &UnixTarget, keys: &mut Map<String, Value>) {
    keys.insert("unix".to_owned(), json!(unix.address));
}
