//! The people who may see and record things through the console and the API.

use super::named::{self, distinct};
use crate::node::Node;
use crate::reading::keys::Keys;
use crate::reading::words::word;
use crate::reading::{Placed, Reading, placed};
use crate::scalar::name;
use crate::secret::sha256;
use crate::source::Span;
use rules::id::{AgentId, AgreementId};
use std::collections::{BTreeMap, BTreeSet};

/// The name under which the collector itself stands on record.
pub const COLLECTORS_OWN_NAME: &str = "nines";

/// One person, or one program in a person's name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct User {
    /// The name under which the record keeps what the user did.
    pub user: String,
    /// What the user may do.
    pub role: Role,
    /// SHA-256 of the user's token, which signs in to the console and to the API.
    pub token_sha256: [u8; 32],
    /// The agreements the user sees; absent: all. A viewer always has a list.
    pub agreements: Option<BTreeSet<AgreementId>>,
}

/// What a user may do.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Role {
    /// Sees its own agreements.
    Viewer,
    /// Records exclusions, incidents and effort, and approves what others claimed.
    Operator,
    /// Also rotates keys, issues amendments, returns and erases evidence.
    Admin,
}

/// Reads one user, who may see agreements among `known`.
pub(super) fn read(node: &Node, known: &BTreeSet<AgreementId>, reading: &mut Reading) -> Option<Placed<User>> {
    let mut keys = Keys::of(node, "a user", reading)?;
    let user = keys.required("user", reading, placed(name));
    let roles = [("viewer", Role::Viewer), ("operator", Role::Operator), ("admin", Role::Admin)];
    let role = keys.required("role", reading, word(&roles));
    let token_sha256 = keys.required("token_sha256", reading, sha256);
    let agreements = keys.take("agreements").map(|(_, node)| named::agreements(node, known, reading));
    keys.end(reading);
    let (Placed { at, value: user }, role) = (user?, role?);
    if user == COLLECTORS_OWN_NAME {
        let message = format!("`{user}` is what the record calls the collector itself; give the user another name");
        return reading.problem(at, message);
    }
    if role == Role::Viewer && agreements.is_none() {
        let message = format!(
            "user `{user}` is a viewer and has no `agreements`; list those it may see, or make it an `operator`, who sees all"
        );
        return reading.problem(at, message);
    }
    let agreements = match agreements {
        Some(agreements) => Some(agreements?),
        None => None,
    };
    Some(Placed { at, value: User { user, role, token_sha256: token_sha256?, agreements } })
}

/// Refuses a user's name that comes twice, and a token that is somebody else's, be it an agent's.
pub(super) fn all_distinct(users: &[Placed<User>], agents: &[Placed<super::AgentCredential>], reading: &mut Reading) {
    distinct("user", users.iter().map(|user| (user.value.user.as_str(), user.at)), reading);
    let of_agent =
        |placed: &Placed<super::AgentCredential>| Some((placed.value.token_sha256?, placed.value.agent.clone()));
    let of_agents: BTreeMap<[u8; 32], AgentId> = agents.iter().filter_map(of_agent).collect();
    let mut tokens: BTreeMap<[u8; 32], Span> = BTreeMap::new();
    for Placed { at, value } in users {
        if let Some(first) = tokens.insert(value.token_sha256, *at) {
            let first = reading.shown(first);
            let message = format!("this token is another user's at {first}; give each user its own");
            reading.problem::<()>(*at, message);
        }
        if let Some(agent) = of_agents.get(&value.token_sha256) {
            let message =
                format!("this token is agent `{agent}`'s, which could then act for the user; give each its own");
            reading.problem::<()>(*at, message);
        }
    }
}
