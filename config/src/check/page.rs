//! A `page` check and its options.

use crate::node::Node;
use crate::reading::keys::Keys;
use crate::reading::{Reading, text};
use rules::check::PageTarget;
use serde_json::{Map, Value, json};

/// Reads the target at `node` and its options from the keys beside it.
pub(super) fn read(node: &Node, _keys: &mut Keys<'_>, reading: &mut Reading) -> Option<PageTarget> {
    text(node, reading).map(|address| PageTarget { address: address.to_owned() })
}

/// Writes `page` under the keys that it is read from.
pub(super) fn write(page: &PageTarget, keys: &mut Map<String, Value>) {
    keys.insert("page".to_owned(), json!(page.address));
}
