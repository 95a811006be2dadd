//! A `dns` check and its options.

use crate::node::Node;
use crate::reading::keys::Keys;
use crate::reading::{Reading, text};
use rules::check::DnsTarget;
use serde_json::{Map, Value, json};

/// Reads the target at `node` and its options from the keys beside it.
pub(super) fn read(node: &Node, _keys: &mut Keys<'_>, reading: &mut Reading) -> Option<DnsTarget> {
    text(node, reading).map(|address| DnsTarget { address: address.to_owned() })
}

/// Writes `dns` under the keys that it is read from.
pub(super) fn write(dns: &DnsTarget, keys: &mut Map<String, Value>) {
    keys.insert("dns".to_owned(), json!(dns.address));
}
