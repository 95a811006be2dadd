//! A `unix` check and its options, under blackbox_exporter's names.

use super::dialog::{self, Over};
use super::trust;
use crate::node::Node;
use crate::reading::keys::Keys;
use crate::reading::{Reading, text};
use rules::check::{Security, TlsBegins, UnixTarget, Verify};
use serde_json::{Map, Value, json};

/// Reads the target at `node` and its options from the keys beside it.
pub(super) fn read(node: &Node, keys: &mut Keys<'_>, reading: &mut Reading) -> Option<UnixTarget> {
    let security = dialog::read_security(keys, reading);
    let tls = trust::read(keys, reading);
    let dialog = dialog::read(Over::Stream, keys, reading);
    let speaks_tls = security == Security::Tls || dialog.iter().any(|step| step.tls == TlsBegins::Here);
    if speaks_tls && tls.verify == Verify::Chain && tls.server_name.is_none() {
        let message = "a socket's path is no name that a certificate could be for; add `server_name` or `insecure_skip_verify: true` to `tls_config`";
        return reading.problem(node.at, message);
    }
    let address = text(node, reading)?;
    match UnixTarget::parse(address) {
        Ok(target) => Some(UnixTarget { security, tls, dialog, ..target }),
        Err(error) => reading.problem(node.at, error.to_string()),
    }
}

/// Writes `unix` under the keys that it is read from.
pub(super) fn write(unix: &UnixTarget, keys: &mut Map<String, Value>) {
    let UnixTarget { address, security, tls, dialog } = unix;
    keys.insert("unix".to_owned(), json!(address));
    dialog::write_security(*security, keys);
    trust::write(tls, keys);
    dialog::write(dialog, keys);
}
