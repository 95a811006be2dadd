//! Who may send results, and how an agent shows who it is.

use super::AgentCredential;
use crate::node::Node;
use crate::reading::keys::Keys;
use crate::reading::{Placed, Reading, placed};
use crate::scalar::{parsed, words};
use crate::secret::sha256;
use crate::source::Span;
use rules::id::AgentId;
use std::collections::BTreeMap;

/// Reads one agent's credential.
pub(super) fn read(node: &Node, takes_certificates: bool, reading: &mut Reading) -> Option<Placed<AgentCredential>> {
    let mut keys = Keys::of(node, "an agent's credential", reading)?;
    let agent: Option<Placed<AgentId>> = keys.required("agent", reading, placed(parsed));
    let token = keys.take("token_sha256");
    let certificate = keys.take("certificate");
    keys.end(reading);
    let agent = agent?;
    if token.is_none() && certificate.is_none() {
        let name = &agent.value;
        let message = format!(
            "agent `{name}` has no credential; add `token_sha256` (printf %s \"$TOKEN\" | sha256sum) or `certificate`"
        );
        return reading.problem(agent.at, message);
    }
    if let Some((key, _)) = certificate
        && !takes_certificates
    {
        let message = "no client certificate is ever asked for; add `listen.tls.client_ca_file`, or use `token_sha256`";
        reading.problem::<()>(key.at, message);
    }
    let token_sha256 = match token {
        Some((_, node)) => Some(sha256(node, reading)?),
        None => None,
    };
    let certificate = certificate.and_then(|(_, node)| words(node, reading));
    Some(Placed { at: agent.at, value: AgentCredential { agent: agent.value, token_sha256, certificate } })
}

/// Refuses an agent, a token or a certificate that comes twice.
pub(super) fn distinct(credentials: &[Placed<AgentCredential>], reading: &mut Reading) {
    let mut agents: BTreeMap<&AgentId, Span> = BTreeMap::new();
    let mut tokens: BTreeMap<[u8; 32], Span> = BTreeMap::new();
    let mut certificates: BTreeMap<&str, Span> = BTreeMap::new();
    for Placed { at, value } in credentials {
        if let Some(first) = agents.insert(&value.agent, *at) {
            let (agent, first) = (&value.agent, reading.shown(first));
            reading.problem::<()>(*at, format!("agent `{agent}` is given twice, first at {first}; keep one"));
        }
        let token = value.token_sha256.and_then(|token| tokens.insert(token, *at));
        let certificate = value.certificate.as_deref().and_then(|name| certificates.insert(name, *at));
        if let Some(first) = token.or(certificate) {
            let first = reading.shown(first);
            reading
                .problem::<()>(*at, format!("this credential is another agent's at {first}; give each agent its own"));
        }
    }
}
