//! A check from its keys: the kind is the key that holds the target.

// How one gets there, what is said, and how soon again
mod dialog;
mod reprobe;
mod route;
mod trust;
// One file a kind: from keys to a target, and back
mod dns;
mod exec;
pub(crate) mod flow;
mod grpc;
mod heartbeat;
pub(crate) mod http;
mod icmp;
mod page;
mod promql;
mod tcp;
mod tls;
mod unix;
mod ws;

use crate::node::{Node, Value};
use crate::reading::keys::Keys;
use crate::reading::words::{either, word};
use crate::reading::{Placed, Reading, list, placed};
use crate::scalar::{duration_text, length, parsed};
use crate::source::Span;
use rules::check::{Check, Counts, EVERY_DEFAULT, Reprobe, TIMEOUT_DEFAULT, Target, Vantages};
use rules::id::{AgentId, ObjectiveId, ServiceId};
use serde_json::Map;

/// Reads a target at the kind's own key, and its options from the keys beside it.
type ReadKind = fn(&Node, &mut Keys<'_>, &mut Reading) -> Option<Target>;

/// The kinds by their keys.
const KINDS: &[(&str, ReadKind)] = &[
    ("http", |node, keys, reading| http::read(node, keys, reading).map(Box::new).map(Target::Http)),
    ("tcp", |node, keys, reading| tcp::read(node, keys, reading).map(Target::Tcp)),
    ("tls", |node, keys, reading| tls::read(node, keys, reading).map(Target::Tls)),
    ("dns", |node, keys, reading| dns::read(node, keys, reading).map(Box::new).map(Target::Dns)),
    ("icmp", |node, keys, reading| icmp::read(node, keys, reading).map(Target::Icmp)),
    ("grpc", |node, keys, reading| grpc::read(node, keys, reading).map(Target::Grpc)),
    ("ws", |node, keys, reading| ws::read(node, keys, reading).map(Target::Ws)),
    ("unix", |node, keys, reading| unix::read(node, keys, reading).map(Target::Unix)),
    ("flow", |node, keys, reading| flow::read(node, keys, reading).map(Target::Flow)),
    ("exec", |node, keys, reading| exec::read(node, keys, reading).map(Target::Exec)),
    ("heartbeat", |node, keys, reading| heartbeat::read(node, keys, reading).map(Target::Heartbeat)),
    ("promql", |node, keys, reading| promql::read(node, keys, reading).map(Target::Promql)),
    ("page", |node, keys, reading| page::read(node, keys, reading).map(Target::Page)),
];

/// A check, and where it says what others may be warned about.
#[derive(Clone, Debug)]
pub(crate) struct CheckDraft {
    pub(crate) check: Check,
    pub(crate) id_at: Span,
    pub(crate) every_at: Span,
    pub(crate) objective_at: Span,
    pub(crate) agents: Named,
}

/// Reads one check of a service.
pub(crate) fn read(node: &Node, reading: &mut Reading) -> Option<CheckDraft> {
    let keys = Keys::of(node, "a check", reading)?;
    read_keys(keys, reading)
}

/// Reads one check that may name its service.
pub(crate) fn read_assigned(node: &Node, reading: &mut Reading) -> Option<(Option<Placed<ServiceId>>, CheckDraft)> {
    let mut keys = Keys::of(node, "a check", reading)?;
    let service = keys.take("service");
    let draft = read_keys(keys, reading);
    let service = match service {
        Some((_, node)) => Some(placed(parsed)(node, reading)?),
        None => None,
    };
    Some((service, draft?))
}

fn read_keys(mut keys: Keys<'_>, reading: &mut Reading) -> Option<CheckDraft> {
    let at = keys.at;
    let id = keys.required("check", reading, placed(parsed));
    let timeout = keys.optional("timeout", reading, placed(length));
    let reprobe = keys.optional("reprobe", reading, reprobe::read);
    let counts = keys.or("counts", Counts::Yes, reading, word(&[("true", Counts::Yes), ("false", Counts::No)]));
    let objective: Option<Placed<ObjectiveId>> = keys.optional("objective", reading, placed(parsed));
    let agents = keys.or("agents", Named::All, reading, agents);
    let target = target(&mut keys, reading);
    let every = if let Some(Target::Heartbeat(heartbeat)) = &target {
        // It took the key itself: its times may say how far they lie apart.
        Placed { at, value: heartbeat.every() }
    } else {
        keys.or("every", Placed { at, value: EVERY_DEFAULT }, reading, placed(length))
    };
    keys.end(reading);
    if let Some(Placed { at, value: timeout }) = timeout
        && every.value < timeout
    {
        let (every, timeout) = (duration_text(every.value), duration_text(timeout));
        let message = format!("timeout {timeout} is longer than every {every}; write a timeout of at most {every}");
        reading.problem::<()>(at, message);
    }
    let (id, target) = (id?, target?);
    let check = Check {
        id: id.value,
        reprobe: reprobe::settle(reprobe, &target, every.value, reading),
        target,
        every: every.value,
        timeout: timeout.map_or(TIMEOUT_DEFAULT.min(every.value), |timeout| timeout.value),
        counts,
        objective: objective.as_ref().map(|objective| objective.value.clone()),
        agents: agents.vantages(),
    };
    let objective_at = objective.map_or(at, |objective| objective.at);
    Some(CheckDraft { check, id_at: id.at, every_at: every.at, objective_at, agents })
}

/// Who is to probe, and where that is said.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Named {
    All,
    Only(Vec<Placed<AgentId>>),
}

impl Named {
    /// The agents that are named one by one.
    pub(crate) fn listed(&self) -> &[Placed<AgentId>] {
        match self {
            Named::All => &[],
            Named::Only(agents) => agents,
        }
    }

    pub(crate) fn vantages(&self) -> Vantages {
        match self {
            Named::All => Vantages::All,
            Named::Only(agents) => Vantages::Only(agents.iter().map(|agent| agent.value.clone()).collect()),
        }
    }
}

/// `all`, or a list of agents.
pub(crate) fn agents(node: &Node, reading: &mut Reading) -> Option<Named> {
    match &node.value {
        Value::List(nodes) if nodes.is_empty() => {
            reading.problem(node.at, "an empty list lets nobody probe; write `all` or name the agents")
        }
        Value::List(_) => list(placed(parsed))(node, reading).map(Named::Only),
        Value::Nothing | Value::Text(_) | Value::Map(_) => word(&[("all", Named::All)])(node, reading),
    }
}

/// The target, by the kind's key, with the options of its kind.
fn target(keys: &mut Keys<'_>, reading: &mut Reading) -> Option<Target> {
    // Beside another kind `tls: true` says how that one is spoken to.
    let is_truth = |node: &Node| matches!(&node.value, Value::Text(text) if text == "true" || text == "false");
    let is_option = keys.peek("tls").is_some_and(is_truth)
        && KINDS.iter().any(|(kind, _)| *kind != "tls" && keys.peek(kind).is_some());
    let kinds = KINDS.iter().filter(|(kind, _)| !(is_option && *kind == "tls"));
    let mut found = kinds.filter_map(|(kind, read)| keys.take(kind).map(|(key, node)| (*kind, key, node, read)));
    match (found.next(), found.next()) {
        (Some((_, _, node, read)), None) => {
            drop(found);
            read(node, keys, reading)
        }
        (Some((first, ..)), Some((second, key, ..))) => {
            reading.problem(key.at, format!("a check has two kinds, `{first}` and `{second}`; make two checks of it"))
        }
        (None, _) => {
            drop(found);
            let kinds: Vec<&str> = KINDS.iter().map(|(kind, _)| *kind).collect();
            let kinds = either(&kinds);
            reading
                .problem(keys.at, format!("a check has no target; add {kinds}, such as `http: \"https://host/path\"`"))
        }
    }
}

/// Writes how soon a target that fails is looked at again.
pub(crate) fn write_reprobe(reprobe: Option<Reprobe>) -> serde_json::Value {
    reprobe::write(reprobe)
}

/// Writes `target` with every option, under the keys that it is read from.
pub(crate) fn write(target: &Target, keys: &mut Map<String, serde_json::Value>) {
    match target {
        Target::Http(target) => http::write(target, keys),
        Target::Tcp(target) => tcp::write(target, keys),
        Target::Tls(target) => tls::write(target, keys),
        Target::Dns(target) => dns::write(target, keys),
        Target::Icmp(target) => icmp::write(target, keys),
        Target::Grpc(target) => grpc::write(target, keys),
        Target::Ws(target) => ws::write(target, keys),
        Target::Unix(target) => unix::write(target, keys),
        Target::Flow(target) => flow::write(target, keys),
        Target::Exec(target) => exec::write(target, keys),
        Target::Heartbeat(target) => heartbeat::write(target, keys),
        Target::Promql(target) => promql::write(target, keys),
        Target::Page(target) => page::write(target, keys),
    }
}
