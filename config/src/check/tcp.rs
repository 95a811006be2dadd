//! A `tcp` check and its options, under blackbox_exporter's names.

use super::dialog::{self, Over};
use super::{route, trust};
use crate::node::Node;
use crate::reading::keys::Keys;
use crate::reading::{Reading, text};
use rules::check::TcpTarget;
use serde_json::{Map, Value, json};

/// Reads the target at `node` and its options from the keys beside it.
pub(super) fn read(node: &Node, keys: &mut Keys<'_>, reading: &mut Reading) -> Option<TcpTarget> {
    let route = route::read(keys, reading);
    let security = dialog::read_security(keys, reading);
    let tls = trust::read(keys, reading);
    let dialog = dialog::read(Over::Stream, keys, reading);
    let address = text(node, reading)?;
    match TcpTarget::parse(address) {
        Ok(target) => Some(TcpTarget { route: route?, security, tls, dialog, ..target }),
        Err(error) => reading.problem(node.at, error.to_string()),
    }
}

/// Writes `tcp` under the keys that it is read from.
pub(super) fn write(tcp: &TcpTarget, keys: &mut Map<String, Value>) {
    let TcpTarget { address, host: _, port: _, route, security, tls, dialog } = tcp;
    keys.insert("tcp".to_owned(), json!(address));
    dialog::write_security(*security, keys);
    trust::write(tls, keys);
    dialog::write(dialog, keys);
    route::write(route, keys);
}
