//! Where a collector listens; beyond loopback it does so with TLS only.

use super::{AGENTS_DEFAULT, Listen, TlsFiles, WEB_DEFAULT};
use crate::node::Node;
use crate::reading::keys::Keys;
use crate::reading::{Placed, Reading, placed, text};
use crate::secret::path;
use std::net::SocketAddr;

/// Reads the key `listen`, if it is there.
pub(super) fn read(node: Option<&Node>, reading: &mut Reading) -> Option<Listen> {
    let Some(node) = node else {
        return Some(Listen { web: WEB_DEFAULT, agents: AGENTS_DEFAULT, tls: None });
    };
    let mut keys = Keys::of(node, "`listen`", reading)?;
    let web = keys.or("web", Placed { at: node.at, value: WEB_DEFAULT }, reading, placed(address));
    let agents = keys.or("agents", Placed { at: node.at, value: AGENTS_DEFAULT }, reading, placed(address));
    let tls = keys.take("tls").map(|(_, node)| tls_files(node, reading));
    keys.end(reading);
    if tls.is_none() {
        for Placed { at, value } in [web, agents] {
            if !value.ip().is_loopback() {
                let message = format!(
                    "{value} is reachable from outside and has no TLS; add `listen.tls` with `cert_file` and `key_file`, or listen on 127.0.0.1"
                );
                reading.problem::<()>(at, message);
            }
        }
    }
    if web.value == agents.value && web.value.port() != 0 {
        let message = format!("`web` and `agents` both listen on {}; give each its own port", web.value);
        reading.problem::<()>(agents.at, message);
    }
    let tls = match tls {
        Some(tls) => Some(tls?),
        None => None,
    };
    Some(Listen { web: web.value, agents: agents.value, tls })
}

/// An address and port to listen on.
pub(crate) fn address(node: &Node, reading: &mut Reading) -> Option<SocketAddr> {
    let given = text(node, reading)?;
    given.parse().ok().or_else(|| {
        let message = format!(
            "`{}` is no address to listen on; write one such as `127.0.0.1:9600` or `[::1]:9600`",
            given.escape_debug()
        );
        reading.problem(node.at, message)
    })
}

fn tls_files(node: &Node, reading: &mut Reading) -> Option<TlsFiles> {
    let mut keys = Keys::of(node, "`tls`", reading)?;
    let cert_file = keys.required("cert_file", reading, path);
    let key_file = keys.required("key_file", reading, path);
    let client_ca_file = keys.optional("client_ca_file", reading, path);
    keys.end(reading);
    Some(TlsFiles { cert_file: cert_file?, key_file: key_file?, client_ca_file })
}
