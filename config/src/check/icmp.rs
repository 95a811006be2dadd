//! An `icmp` check and its options.

use crate::node::Node;
use crate::reading::keys::Keys;
use crate::reading::{Reading, text};
use rules::check::IcmpTarget;
use serde_json::{Map, Value, json};

/// Reads the target at `node` and its options from the keys beside it.
pub(super) fn read(node: &Node, _keys: &mut Keys<'_>, reading: &mut Reading) -> Option<IcmpTarget> {
    text(node, reading).map(|address| IcmpTarget { address: address.to_owned() })
}

/// Writes `icmp` under the keys that it is read from.
pub(super) fn write(icmp: &IcmpTarget, keys: &mut Map<String, Value>) {
    keys.insert("icmp".to_owned(), json!(icmp.address));
}
