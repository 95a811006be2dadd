//! A `tcp` check and its options.

use super::route;
use crate::node::Node;
use crate::reading::keys::Keys;
use crate::reading::{Reading, text};
use rules::check::TcpTarget;
use serde_json::{Map, Value, json};

/// Reads the target at `node` and its options from the keys beside it.
pub(super) fn read(node: &Node, keys: &mut Keys<'_>, reading: &mut Reading) -> Option<TcpTarget> {
    let route = route::read(keys, reading);
    let address = text(node, reading)?;
    match TcpTarget::parse(address) {
        Ok(target) => Some(TcpTarget { route: route?, ..target }),
        Err(error) => reading.problem(node.at, error.to_string()),
    }
}

/// Writes `tcp` under the keys that it is read from.
pub(super) fn write(tcp: &TcpTarget, keys: &mut Map<String, Value>) {
    keys.insert("tcp".to_owned(), json!(tcp.address));
    route::write(&tcp.route, keys);
}
