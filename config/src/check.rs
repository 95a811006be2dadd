//! A check from its keys: the kind is the key that holds the target.

mod http;

use crate::node::{Node, Value};
use crate::reading::keys::Keys;
use crate::reading::words::{either, word};
use crate::reading::{Placed, Reading, list, placed, text};
use crate::scalar::{duration_text, length, parsed, truth};
use crate::source::Span;
use rules::check::{Check, Counts, EVERY_DEFAULT, IpPreference, TIMEOUT_DEFAULT, Target, TcpTarget, Vantages};
use rules::id::{AgentId, ObjectiveId, ServiceId};

/// The kinds that can be probed.
const KINDS: &[&str] = &["http", "tcp"];
/// The kinds that have a name and no prober yet.
const KINDS_TO_COME: &[&str] = &["tls", "dns", "icmp", "grpc", "ws", "flow", "exec", "heartbeat", "promql"];

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
    let every = keys.or("every", Placed { at, value: EVERY_DEFAULT }, reading, placed(length));
    let timeout = keys.optional("timeout", reading, placed(length));
    let counts = keys.or("counts", Counts::Yes, reading, word(&[("true", Counts::Yes), ("false", Counts::No)]));
    let objective: Option<Placed<ObjectiveId>> = keys.optional("objective", reading, placed(parsed));
    let agents = keys.or("agents", Named::All, reading, agents);
    let target = target(&mut keys, reading);
    keys.end(reading);
    if let Some(Placed { at, value: timeout }) = timeout
        && every.value < timeout
    {
        let (every, timeout) = (duration_text(every.value), duration_text(timeout));
        let message = format!("timeout {timeout} is longer than every {every}; write a timeout of at most {every}");
        reading.problem::<()>(at, message);
    }
    let id = id?;
    let check = Check {
        id: id.value,
        target: target?,
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
    let http = keys.take("http");
    let tcp = keys.take("tcp");
    for kind in KINDS_TO_COME {
        if let Some((key, _)) = keys.take_quietly(kind) {
            let built = either(KINDS);
            keys.rest();
            return reading.problem(key.at, format!("kind `{kind}` is not built yet; use {built}"));
        }
    }
    match (http, tcp) {
        (Some((_, node)), None) => http::read(node, keys, reading).map(Target::Http),
        (None, Some((_, node))) => tcp_target(node, keys, reading).map(Target::Tcp),
        (Some(_), Some((key, _))) => {
            reading.problem(key.at, "a check has two kinds, `http` and `tcp`; make two checks of it")
        }
        (None, None) => {
            let kinds = either(KINDS);
            reading
                .problem(keys.at, format!("a check has no target; add {kinds}, such as `http: \"https://host/path\"`"))
        }
    }
}

fn tcp_target(node: &Node, keys: &mut Keys<'_>, reading: &mut Reading) -> Option<TcpTarget> {
    let ip = ip_preference(keys, reading);
    let address = text(node, reading)?;
    match TcpTarget::parse(address) {
        Ok(target) => Some(TcpTarget { ip: ip?, ..target }),
        Err(error) => reading.problem(node.at, error.to_string()),
    }
}

/// Which address family is tried, by blackbox_exporter's two keys.
fn ip_preference(keys: &mut Keys<'_>, reading: &mut Reading) -> Option<IpPreference> {
    let preferred = keys.optional("preferred_ip_protocol", reading, word(&[("ip4", false), ("ip6", true)]));
    let fallback = keys.optional("ip_protocol_fallback", reading, placed(truth));
    match (preferred, fallback) {
        (None, Some(Placed { at, value: false })) => reading.problem(
            at,
            "`ip_protocol_fallback: false` says not what to stay with; add `preferred_ip_protocol: ip4` or `ip6`",
        ),
        (None, _) => Some(IpPreference::Any),
        (Some(false), Some(Placed { value: false, .. })) => Some(IpPreference::OnlyV4),
        (Some(true), Some(Placed { value: false, .. })) => Some(IpPreference::OnlyV6),
        (Some(false), _) => Some(IpPreference::PreferV4),
        (Some(true), _) => Some(IpPreference::PreferV6),
    }
}
