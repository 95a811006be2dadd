//! A `promql` check and its options.

use crate::node::Node;
use crate::reading::keys::Keys;
use crate::reading::{Reading, text};
use rules::check::PromqlTarget;
use serde_json::{Map, Value, json};

/// Reads the target at `node` and its options from the keys beside it.
pub(super) fn read(node: &Node, _keys: &mut Keys<'_>, reading: &mut Reading) -> Option<PromqlTarget> {
    text(node, reading).map(|address| PromqlTarget { address: address.to_owned() })
}

/// Writes `promql` under the keys that it is read from.
pub(super) fn write(promql: &PromqlTarget, keys: &mut Map<String, Value>) {
    keys.insert("promql".to_owned(), json!(promql.address));
}
