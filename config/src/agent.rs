//! The agent's configuration.

pub mod discovery;
mod programs;
mod reports;

pub use programs::Programs;
pub use reports::Reports;

use crate::check;
use crate::check_document::assignments;
use crate::collector::address;
use crate::files;
use crate::node::{Node, Value};
use crate::reading::keys::Keys;
use crate::reading::{ConfigError, Environment, Loaded, Placed, Reading, list, placed, text};
use crate::scalar::{parsed, size};
use crate::secret::{Secret, path, secret_file, secret_from_environment};
use rules::check::{Assignment, HttpTarget, Target};
use rules::id::AgentId;
use rules::reach::{Reach, Scope};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

/// Where `/metrics` and `/probe` are when nothing is said.
pub const LISTEN_DEFAULT: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 9602);
/// Where the spool is when nothing is said.
const SPOOL_DIR_DEFAULT: &str = "/var/lib/nines";
/// How large the spool may grow when nothing is said: weeks of a thousand checks.
pub const SPOOL_BYTES_DEFAULT: u64 = 1 << 30;
/// The smallest spool: less than this holds a few blocks only.
const SPOOL_BYTES_MIN: u64 = 1 << 20;

/// What an agent is to do.
#[derive(Clone, PartialEq, Debug)]
pub struct AgentConfig {
    /// Its name.
    pub agent: AgentId,
    /// Whom it sends to; absent: it runs alone, with metrics and logs only.
    pub collector: Option<Uplink>,
    /// Where results wait.
    pub spool: Spool,
    /// What tells whether its own network is there.
    pub references: Vec<Target>,
    /// Where `/metrics` and `/probe` are; absent: nowhere.
    pub listen: Option<SocketAddr>,
    /// What it may connect to.
    pub reach: Reach,
    /// Which programs it starts for checks that are not from its own file.
    pub programs: Programs,
    /// How jobs report to it.
    pub reports: Reports,
    /// What it probes.
    pub checks: Checks,
    /// Where it finds more to probe.
    pub discovery: Vec<discovery::Source>,
}

/// The way to a collector.
#[derive(Clone, PartialEq, Debug)]
pub struct Uplink {
    /// `https://host:port`, or `http://` on loopback; without a slash at its end.
    pub url: String,
    /// Shows who it is.
    pub token: Option<Secret>,
    /// Shows who it is, and whom it trusts.
    pub tls: UplinkTls,
}

/// The files of a client's side of TLS.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct UplinkTls {
    /// The client certificate's chain and its key, PEM.
    pub identity: Option<Identity>,
    /// The authorities trusted instead of the machine's.
    pub ca_file: Option<PathBuf>,
}

/// A client certificate.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Identity {
    /// The certificate chain, PEM.
    pub cert_file: PathBuf,
    /// The private key, PEM.
    pub key_file: PathBuf,
}

/// Where results wait.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Spool {
    /// Its directory.
    pub dir: PathBuf,
    /// How many bytes it may take.
    pub bytes_max: u64,
}

/// What an agent probes.
#[derive(Clone, PartialEq, Debug)]
pub struct Checks {
    /// Whether the collector is asked.
    pub from_collector: bool,
    /// What stands in the file.
    pub list: Vec<Assignment>,
}

/// Reads the file at `path`.
pub fn load(path: &Path) -> Result<Loaded<AgentConfig>, ConfigError> {
    parse(&files::read(path)?, &path.display().to_string(), files::base_dir(path))
}

/// Reads `text` as the file `name`, whose relative paths are relative to `base_dir`.
pub fn parse(text: &str, name: &str, base_dir: &Path) -> Result<Loaded<AgentConfig>, ConfigError> {
    let mut reading = Reading::new(base_dir.to_owned(), Environment::Process);
    let config = reading.parse(name, text).and_then(|node| read(&node, &mut reading));
    reading.end(config)
}

fn read(node: &Node, reading: &mut Reading) -> Option<AgentConfig> {
    let mut keys = Keys::of(node, "an agent's configuration", reading)?;
    let agent: Option<AgentId> = keys.required("agent", reading, parsed);
    let collector_at = keys.take("collector").map(|(_, node)| node);
    let collector = uplink(collector_at, &mut keys, reading);
    let spool = spool(&mut keys, reading);
    let references = keys.or("references", Vec::new(), reading, list(target));
    let listen = keys.or("listen", Some(LISTEN_DEFAULT), reading, listen);
    let reach = keys.or("reach", Reach::default(), reading, reach);
    let programs = keys.or("exec", Programs::default(), reading, programs::read);
    let reports = keys.or("heartbeat", Reports::default(), reading, reports::read);
    let discovery = keys.or("discovery", Vec::new(), reading, discovery::read);
    let checks_node = keys.take("checks");
    keys.end(reading);
    let agent = agent?;
    let checks = match checks_node {
        Some((_, node)) => checks(node, &agent, reading)?,
        None => Checks { from_collector: collector_at.is_some(), list: Vec::new() },
    };
    if checks.from_collector
        && collector_at.is_none()
        && let Some((key, _)) = checks_node
    {
        let message = "checks come from the collector and there is none; add `collector`, or list the checks here";
        reading.problem::<()>(key.at, message);
    }
    reports::advise(&reports, &checks, listen, keys_at(node), reading);
    if references.is_empty() {
        let message = "no `references`, so an outage of the agent's own network looks like outages of its targets; name two, such as `\"tcp:1.1.1.1:443\"`";
        reading.warn(keys_at(node), message);
    }
    Some(AgentConfig { agent, collector, spool, references, listen, reach, programs, reports, checks, discovery })
}

/// The first word of a map, for what is missing in all of it.
fn keys_at(node: &Node) -> crate::source::Span {
    match &node.value {
        Value::Map(entries) => entries.first().map_or(node.at, |(key, _)| key.at),
        Value::Nothing | Value::Text(_) | Value::List(_) => node.at,
    }
}

/// The way to the collector at the URL `node`; its keys stand beside that.
fn uplink(node: Option<&Node>, keys: &mut Keys<'_>, reading: &mut Reading) -> Option<Uplink> {
    let token = keys.optional("token_file", reading, secret_file);
    let token_in_environment = keys.optional("token", reading, placed(secret_from_environment));
    let tls = keys.optional("tls", reading, uplink_tls);
    let token = match (token, token_in_environment) {
        (Some(_), Some(Placed { at, .. })) => {
            return reading.problem(at, "a token is given twice, here and by `token_file`; keep one");
        }
        (file, environment) => file.or(environment.map(|token| token.value)),
    };
    let node = node?;
    let url = collector_url(node, reading)?;
    let tls = tls.unwrap_or_default();
    if token.is_none() && tls.identity.is_none() && url.starts_with("https:") {
        let message =
            "nothing shows the collector who this agent is; add `token_file`, or `tls` with `cert_file` and `key_file`";
        reading.warn(node.at, message);
    }
    Some(Uplink { url, token, tls })
}

/// A URL without path; plain text on loopback only.
fn collector_url(node: &Node, reading: &mut Reading) -> Option<String> {
    let given = text(node, reading)?;
    if let Err(error) = HttpTarget::parse(given) {
        return reading.problem(node.at, error.to_string());
    }
    let url = given.strip_suffix('/').unwrap_or(given);
    let (scheme, authority) = url.split_once("://")?;
    if authority.contains(['/', '?', '#']) {
        return reading
            .problem(node.at, "a collector's URL has a path; write scheme, host and port only: `https://host:9601`");
    }
    if scheme.eq_ignore_ascii_case("http") && !is_loopback(authority) {
        return reading
            .problem(node.at, "results would travel in plain text; write `https://`, or a collector on 127.0.0.1");
    }
    Some(url.to_owned())
}

/// Whether a host, with or without a port, is this machine.
pub(crate) fn is_loopback(authority: &str) -> bool {
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or(rest),
        None => authority.split(':').next().unwrap_or(authority),
    };
    host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

fn uplink_tls(node: &Node, reading: &mut Reading) -> Option<UplinkTls> {
    let mut keys = Keys::of(node, "`tls`", reading)?;
    let identity = identity("`tls`", &mut keys, reading);
    let ca_file = keys.optional("ca_file", reading, path);
    keys.end(reading);
    Some(UplinkTls { identity: identity?, ca_file })
}

/// The client certificate among the keys of `what`, if there is one.
fn identity(what: &str, keys: &mut Keys<'_>, reading: &mut Reading) -> Option<Option<Identity>> {
    let cert_file = keys.optional("cert_file", reading, path);
    let key_file = keys.optional("key_file", reading, path);
    match (cert_file, key_file) {
        (Some(cert_file), Some(key_file)) => Some(Some(Identity { cert_file, key_file })),
        (None, None) => Some(None),
        (Some(_), None) => reading.problem(keys.at, format!("{what} has a `cert_file` and no `key_file`; add it")),
        (None, Some(_)) => reading.problem(keys.at, format!("{what} has a `key_file` and no `cert_file`; add it")),
    }
}

fn spool(keys: &mut Keys<'_>, reading: &mut Reading) -> Spool {
    let default = Spool { dir: PathBuf::from(SPOOL_DIR_DEFAULT), bytes_max: SPOOL_BYTES_DEFAULT };
    keys.or("spool", default.clone(), reading, |node, reading| {
        let mut keys = Keys::of(node, "`spool`", reading)?;
        let dir = keys.or("dir", default.dir, reading, path);
        let at_most = Placed { at: node.at, value: default.bytes_max };
        let at_most = keys.or("at_most", at_most, reading, placed(size));
        keys.end(reading);
        if at_most.value < SPOOL_BYTES_MIN {
            return reading
                .problem(at_most.at, "a spool of less than 1MiB holds next to nothing; write a size such as `1GiB`");
        }
        Some(Spool { dir, bytes_max: at_most.value })
    })
}

/// The networks that may and may not be connected to.
fn reach(node: &Node, reading: &mut Reading) -> Option<Reach> {
    let mut keys = Keys::of(node, "`reach`", reading)?;
    let allow = keys.or("allow", Vec::new(), reading, list(parsed));
    let refuse = keys.or("refuse", Vec::new(), reading, list(parsed));
    keys.end(reading);
    Some(Reach { scope: Scope::Operator, allow, refuse })
}

fn target(node: &Node, reading: &mut Reading) -> Option<Target> {
    match Target::parse(text(node, reading)?) {
        Ok(target) => Some(target),
        Err(error) => reading.problem(node.at, error.to_string()),
    }
}

fn listen(node: &Node, reading: &mut Reading) -> Option<Option<SocketAddr>> {
    match &node.value {
        Value::Text(word) if word == "none" => Some(None),
        Value::Nothing | Value::Text(_) | Value::List(_) | Value::Map(_) => address(node, reading).map(Some),
    }
}

/// `from_collector`, a list of checks, or a list that holds that word among checks.
fn checks(node: &Node, agent: &AgentId, reading: &mut Reading) -> Option<Checks> {
    let is_word = |node: &Node| matches!(&node.value, Value::Text(word) if word == "from_collector");
    match &node.value {
        Value::Text(_) if is_word(node) => Some(Checks { from_collector: true, list: Vec::new() }),
        Value::List(nodes) => {
            let from_collector = nodes.iter().any(is_word);
            let drafts =
                nodes.iter().filter(|node| !is_word(node)).filter_map(|node| check::read_assigned(node, reading));
            let drafts = drafts.collect();
            let service = agent.as_str().parse().ok()?;
            Some(Checks { from_collector, list: assignments(drafts, Some(&service), reading) })
        }
        Value::Nothing => Some(Checks { from_collector: false, list: Vec::new() }),
        Value::Text(_) | Value::Map(_) => {
            reading.problem(node.at, "these are no checks; write `from_collector`, a list of checks, or a list of both")
        }
    }
}
