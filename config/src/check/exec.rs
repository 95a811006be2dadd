//! An `exec` check and its options.

use crate::node::Node;
use crate::reading::keys::Keys;
use crate::reading::{Reading, text};
use rules::check::ExecTarget;
use serde_json::{Map, Value, json};

/// Reads the target at `node` and its options from the keys beside it.
pub(super) fn read(node: &Node, _keys: &mut Keys<'_>, reading: &mut Reading) -> Option<ExecTarget> {
    text(node, reading).map(|address| ExecTarget { address: address.to_owned() })
}

/// Writes `exec` under the keys that it is read from.
pub(super) fn write(exec: &ExecTarget, keys: &mut Map<String, Value>) {
    keys.insert("exec".to_owned(), json!(exec.address));
}
