//! A `flow` check and its options.

use crate::node::Node;
use crate::reading::keys::Keys;
use crate::reading::{Reading, text};
use rules::check::FlowTarget;
use serde_json::{Map, Value, json};

/// Reads the target at `node` and its options from the keys beside it.
pub(super) fn read(node: &Node, _keys: &mut Keys<'_>, reading: &mut Reading) -> Option<FlowTarget> {
    text(node, reading).map(|address| FlowTarget { address: address.to_owned() })
}

/// Writes `flow` under the keys that it is read from.
pub(super) fn write(flow: &FlowTarget, keys: &mut Map<String, Value>) {
    keys.insert("flow".to_owned(), json!(flow.address));
}
