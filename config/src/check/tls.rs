//! A `tls` check and its options.

use crate::node::Node;
use crate::reading::keys::Keys;
use crate::reading::{Reading, text};
use rules::check::TlsTarget;
use serde_json::{Map, Value, json};

/// Reads the target at `node` and its options from the keys beside it.
pub(super) fn read(node: &Node, _keys: &mut Keys<'_>, reading: &mut Reading) -> Option<TlsTarget> {
    text(node, reading).map(|address| TlsTarget { address: address.to_owned() })
}

/// Writes `tls` under the keys that it is read from.
pub(super) fn write(tls: &TlsTarget, keys: &mut Map<String, Value>) {
    keys.insert("tls".to_owned(), json!(tls.address));
}
