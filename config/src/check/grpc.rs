//! A `grpc` check and its options.

use crate::node::Node;
use crate::reading::keys::Keys;
use crate::reading::{Reading, text};
use rules::check::GrpcTarget;
use serde_json::{Map, Value, json};

/// Reads the target at `node` and its options from the keys beside it.
pub(super) fn read(node: &Node, _keys: &mut Keys<'_>, reading: &mut Reading) -> Option<GrpcTarget> {
    text(node, reading).map(|address| GrpcTarget { address: address.to_owned() })
}

/// Writes `grpc` under the keys that it is read from.
pub(super) fn write(grpc: &GrpcTarget, keys: &mut Map<String, Value>) {
    keys.insert("grpc".to_owned(), json!(grpc.address));
}
