//! How a certificate is judged: the key `tls_config`.

use crate::node::Node;
use crate::reading::Reading;
use crate::reading::keys::Keys;
use crate::scalar::{truth, words};
use rules::check::{TlsRule, Verify};
use serde_json::{Map, Value, json};

/// Reads `tls_config` from the keys of a check.
pub(super) fn read(keys: &mut Keys<'_>, reading: &mut Reading) -> TlsRule {
    keys.or("tls_config", TlsRule::default(), reading, rule)
}

fn rule(node: &Node, reading: &mut Reading) -> Option<TlsRule> {
    let mut keys = Keys::of(node, "`tls_config`", reading)?;
    let skip = keys.or("insecure_skip_verify", false, reading, truth);
    let ca_file = keys.optional("ca_file", reading, words);
    let server_name = keys.optional("server_name", reading, words);
    keys.end(reading);
    Some(TlsRule { verify: if skip { Verify::Nothing } else { Verify::Chain }, ca_file, server_name })
}

/// Writes `rule` under the key that it is read from.
pub(super) fn write(rule: &TlsRule, keys: &mut Map<String, Value>) {
    let TlsRule { verify, ca_file, server_name } = rule;
    let mut tls = Map::new();
    tls.insert("insecure_skip_verify".to_owned(), json!(matches!(verify, Verify::Nothing)));
    tls.extend(ca_file.as_ref().map(|file| ("ca_file".to_owned(), json!(file))));
    tls.extend(server_name.as_ref().map(|name| ("server_name".to_owned(), json!(name))));
    keys.insert("tls_config".to_owned(), Value::Object(tls));
}
