//! How TLS is spoken to a target: the key `tls_config`, under blackbox_exporter's names.

use crate::node::Node;
use crate::reading::keys::Keys;
use crate::reading::words::word;
use crate::reading::{Reading, text};
use crate::scalar::{truth, words};
use crate::secret::expanded;
use crate::source::Span;
use rules::check::{Pem, TlsIdentity, TlsRule, TlsVersions, Verify};
use rules::evidence::TlsVersion;
use serde_json::{Map, Value, json};

/// The words for versions that blackbox_exporter knows; the first two are no longer spoken.
const VERSIONS: [(&str, Option<TlsVersion>); 4] =
    [("TLS10", None), ("TLS11", None), ("TLS12", Some(TlsVersion::V1_2)), ("TLS13", Some(TlsVersion::V1_3))];

/// Reads `tls_config` from the keys of a check.
pub(super) fn read(keys: &mut Keys<'_>, reading: &mut Reading) -> TlsRule {
    keys.or("tls_config", TlsRule::default(), reading, rule)
}

fn rule(node: &Node, reading: &mut Reading) -> Option<TlsRule> {
    let mut keys = Keys::of(node, "`tls_config`", reading)?;
    let skip = keys.or("insecure_skip_verify", false, reading, truth);
    let ca = pem(&mut keys, "ca", "ca_file", reading).and_then(|(_, pem)| pem);
    let identity = identity(&mut keys, reading);
    let server_name = keys.optional("server_name", reading, words);
    let versions = versions(&mut keys, reading);
    keys.end(reading);
    let verify = if skip { Verify::Nothing } else { Verify::Chain };
    Some(TlsRule { verify, ca, identity, server_name, versions: versions? })
}

fn identity(keys: &mut Keys<'_>, reading: &mut Reading) -> Option<TlsIdentity> {
    let certificate = pem(keys, "cert", "cert_file", reading);
    let key = pem(keys, "key", "key_file", reading);
    match (certificate, key) {
        (Some((_, certificate)), Some((_, key))) => Some(TlsIdentity { certificate: certificate?, key: key? }),
        (Some((at, _)), None) => {
            reading.problem(at, "a client's certificate stands here without its key; add `key_file`")
        }
        (None, Some((at, _))) => reading.problem(at, "a key stands here without its certificate; add `cert_file`"),
        (None, None) => None,
    }
}

/// Where PEM is given: its text at the key `inline`, or its file at the key `file`; and the PEM, if it
/// can be read.
fn pem(
    keys: &mut Keys<'_>,
    inline: &'static str,
    file: &'static str,
    reading: &mut Reading,
) -> Option<(Span, Option<Pem>)> {
    match (keys.take(inline), keys.take(file)) {
        (Some(_), Some((key, _))) => {
            let problem = format!("both `{inline}` and `{file}` stand here; keep one of them");
            Some((key.at, reading.problem(key.at, problem)))
        }
        (Some((key, node)), None) => Some((key.at, inline_pem(node, reading))),
        (None, Some((key, node))) => Some((key.at, words(node, reading).map(Pem::File))),
        (None, None) => None,
    }
}

fn inline_pem(node: &Node, reading: &mut Reading) -> Option<Pem> {
    reading.conceal(node.at);
    let pem = expanded(node, reading)?;
    if !pem.contains("-----BEGIN ") {
        return reading.problem(
            node.at,
            "this is no PEM; write a text that begins with `-----BEGIN`, or name a file with the key that ends in `_file`",
        );
    }
    Some(Pem::Inline(pem))
}

fn versions(keys: &mut Keys<'_>, reading: &mut Reading) -> Option<TlsVersions> {
    let spoken = TlsVersions::default();
    // A minimum that nobody speaks any longer leaves out nothing that could be spoken.
    let min = keys.optional("min_version", reading, word(&VERSIONS)).flatten().unwrap_or(spoken.min());
    let Some((key, node)) = keys.take("max_version") else {
        return TlsVersions::new(min, spoken.max());
    };
    let Some(max) = word(&VERSIONS)(node, reading)? else {
        let given = text(node, reading)?;
        return reading.problem(
            node.at,
            format!("nothing older than TLS 1.2 is spoken, so `{given}` leaves no version; write `TLS12` or `TLS13`"),
        );
    };
    TlsVersions::new(min, max)
        .or_else(|| reading.problem(key.at, "`max_version` is below `min_version`; swap them, or leave one out"))
}

fn version(version: TlsVersion) -> &'static str {
    match version {
        TlsVersion::V1_2 => "TLS12",
        TlsVersion::V1_3 => "TLS13",
    }
}

/// Writes `rule` under the key that it is read from.
pub(super) fn write(rule: &TlsRule, keys: &mut Map<String, Value>) {
    let TlsRule { verify, ca, identity, server_name, versions } = rule;
    let mut tls = Map::new();
    tls.insert("insecure_skip_verify".to_owned(), json!(matches!(verify, Verify::Nothing)));
    if let Some(ca) = ca {
        write_pem(ca, "ca", "ca_file", &mut tls);
    }
    if let Some(TlsIdentity { certificate, key }) = identity {
        write_pem(certificate, "cert", "cert_file", &mut tls);
        write_pem(key, "key", "key_file", &mut tls);
    }
    tls.extend(server_name.as_ref().map(|name| ("server_name".to_owned(), json!(name))));
    tls.insert("min_version".to_owned(), json!(version(versions.min())));
    tls.insert("max_version".to_owned(), json!(version(versions.max())));
    keys.insert("tls_config".to_owned(), Value::Object(tls));
}

fn write_pem(pem: &Pem, inline: &str, file: &str, tls: &mut Map<String, Value>) {
    match pem {
        Pem::Inline(text) => tls.insert(inline.to_owned(), json!(text)),
        Pem::File(path) => tls.insert(file.to_owned(), json!(path)),
    };
}
