//! The collector's configuration.

pub mod evidence;
mod listen;
pub mod notify;
pub mod users;

pub(crate) use listen::address;

use self::evidence::{ArchiveConfig, ClosingConfig, GRACE_DEFAULT};
use self::notify::{Channel, Report};
use self::users::User;
use crate::agreement::Agreements;
use crate::files;
use crate::node::Node;
use crate::policy::{self, Policies};
use crate::reading::keys::Keys;
use crate::reading::{ConfigError, Environment, Loaded, Placed, Reading, list, placed, text};
use crate::scalar::{parsed, words};
use crate::secret::{Secret, expanded};
use crate::source::Span;
use rules::agreement::Agreement;
use rules::id::AgentId;
use rules::policy::Policy;
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where the console is when nothing is said.
pub const WEB_DEFAULT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 9600);
/// Where results are taken in when nothing is said.
pub const AGENTS_DEFAULT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 9601);
/// The directory of signing keys when nothing is said, relative to the configuration's directory.
const KEYS_DEFAULT: &str = "data/keys";
/// The ledger when nothing is said, relative to the configuration's directory.
const LEDGER_DEFAULT: &str = "data/ledger.db";

/// What a collector is to do.
#[derive(Clone, PartialEq, Debug)]
pub struct CollectorConfig {
    /// Where it listens.
    pub listen: Listen,
    /// Where the ledger is.
    pub ledger: LedgerUrl,
    /// Who may send; empty: nobody.
    pub agents: Vec<AgentCredential>,
    /// The files' policies in order, then the presets that agreements name.
    pub policies: Vec<Arc<Policy>>,
    /// What was promised: every version of every agreement, those of one agreement in order of time.
    pub agreements: Vec<Agreement>,
    /// Who may see and record things; empty: whoever reaches the console sees everything and records
    /// nothing.
    pub users: Vec<User>,
    /// Whom the collector tells what.
    pub channels: Vec<Channel>,
    /// The statements that are sent regularly.
    pub reports: Vec<Report>,
    /// Where evidence is archived; absent: it stays in the ledger.
    pub archive: Option<ArchiveConfig>,
    /// How statements are signed and closed.
    pub closing: ClosingConfig,
}

/// Where a collector listens.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Listen {
    /// Console, API and `/metrics`.
    pub web: SocketAddr,
    /// Results from agents.
    pub agents: SocketAddr,
    /// For both; absent: plain text, on loopback only.
    pub tls: Option<TlsFiles>,
}

/// The files of a server's side of TLS.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TlsFiles {
    /// The certificate chain, PEM.
    pub cert_file: PathBuf,
    /// The private key, PEM.
    pub key_file: PathBuf,
    /// The authorities of clients' certificates; absent: clients show none.
    pub client_ca_file: Option<PathBuf>,
}

/// Where the ledger is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum LedgerUrl {
    /// An SQLite file.
    Sqlite(PathBuf),
    /// An SQLite database that ends with the process.
    SqliteMemory,
    /// A PostgreSQL server; the URL may hold a password.
    Postgres(Secret),
}

/// One agent that may send, and how it shows who it is: by token, by certificate, or by either.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AgentCredential {
    /// Whom it lets in.
    pub agent: AgentId,
    /// SHA-256 of its token.
    pub token_sha256: Option<[u8; 32]>,
    /// The name in its client certificate.
    pub certificate: Option<String>,
}

/// Reads the file at `path` and those it names.
pub fn load(path: &Path) -> Result<Loaded<CollectorConfig>, ConfigError> {
    parse(&files::read(path)?, &path.display().to_string(), files::base_dir(path))
}

/// Reads `text` as the file `name`, whose relative paths are relative to `base_dir`.
pub fn parse(text: &str, name: &str, base_dir: &Path) -> Result<Loaded<CollectorConfig>, ConfigError> {
    let mut reading = Reading::new(base_dir.to_owned(), Environment::Process);
    let config = reading.parse(name, text).and_then(|node| read(&node, &mut reading));
    reading.end(config)
}

fn read(node: &Node, reading: &mut Reading) -> Option<CollectorConfig> {
    let mut keys = Keys::of(node, "a collector's configuration", reading)?;
    let listen = listen::read(keys.take("listen").map(|(_, node)| node), reading);
    let ledger_default = LedgerUrl::Sqlite(reading.base_dir.join(LEDGER_DEFAULT));
    let ledger = keys.or("ledger", ledger_default, reading, ledger);
    let takes_certificates = listen.as_ref().and_then(|listen| listen.tls.as_ref()?.client_ca_file.as_ref()).is_some();
    let agents_node = keys.take("agents").map(|(_, node)| node);
    let agents =
        agents_node.and_then(|node| list(|node, reading| credential(node, takes_certificates, reading))(node, reading));
    let policies_node = keys.take("policies").map(|(_, node)| node);
    let agreements = keys.required("agreements", reading, |node, reading| Some(files::entries(node, reading)));
    keys.end(reading);
    if let Some(agents) = &agents {
        distinct(agents, reading);
    }
    let known = agents.as_ref().map(|agents| agents.iter().map(|placed| placed.value.agent.clone()).collect());
    let policies = policies_node.map_or_else(Vec::new, |node| files::entries(node, reading));
    let drafts = policies.iter().filter_map(|node| policy::read(node, reading)).collect();
    let policies = Policies::gather(drafts, reading);
    let mut held = Agreements::new(policies, known);
    let agreements = agreements?.iter().filter_map(|node| held.read(node, reading)).collect();
    Some(CollectorConfig {
        listen: listen?,
        ledger,
        agents: agents.into_iter().flatten().map(|placed| placed.value).collect(),
        policies: held.policies.in_order,
        agreements,
        users: Vec::new(),
        channels: Vec::new(),
        reports: Vec::new(),
        archive: None,
        closing: ClosingConfig { keys: reading.base_dir.join(KEYS_DEFAULT), grace: GRACE_DEFAULT },
    })
}

fn ledger(node: &Node, reading: &mut Reading) -> Option<LedgerUrl> {
    let url = expanded(node, reading)?;
    if !url.starts_with("sqlite:") {
        reading.conceal(node.at);
        let authority = text(node, reading)?.split_once("://").and_then(|(_, rest)| rest.split_once('@'));
        if authority.is_some_and(|(user, _)| user.contains(':') && !user.contains("${")) {
            reading.warn(
                node.at,
                "the ledger's password stands in the file; write `${NAME}` in its place, for an environment variable",
            );
        }
    }
    match url.split_once(':') {
        Some(("sqlite", ":memory:")) => Some(LedgerUrl::SqliteMemory),
        Some(("sqlite", path)) if !path.is_empty() => Some(LedgerUrl::Sqlite(reading.base_dir.join(path))),
        Some(("postgres" | "postgresql", rest)) if rest.starts_with("//") && 2 < rest.len() => {
            Some(LedgerUrl::Postgres(Secret::new(url)))
        }
        // The text is shown nowhere: it may hold a password.
        _ => reading.problem(node.at, "this is no ledger; write `sqlite:PATH` or `postgres://user@host/database`"),
    }
}

fn credential(node: &Node, takes_certificates: bool, reading: &mut Reading) -> Option<Placed<AgentCredential>> {
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
        Some((_, node)) => Some(digest(node, reading)?),
        None => None,
    };
    let certificate = certificate.and_then(|(_, node)| words(node, reading));
    Some(Placed { at: agent.at, value: AgentCredential { agent: agent.value, token_sha256, certificate } })
}

/// 32 bytes in hexadecimal. The text is shown nowhere: it may be the token itself.
fn digest(node: &Node, reading: &mut Reading) -> Option<[u8; 32]> {
    let given = text(node, reading)?;
    let mut digest = [0; 32];
    let is_hex = given.len() == 64 && given.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !is_hex {
        reading.conceal(node.at);
        let message = format!(
            "this is no SHA-256: it has {} characters instead of 64 hexadecimal digits; write what `printf %s \"$TOKEN\" | sha256sum` prints",
            given.chars().count()
        );
        return reading.problem(node.at, message);
    }
    for (byte, pair) in digest.iter_mut().zip(given.as_bytes().chunks_exact(2)) {
        *byte = pair.iter().fold(0, |byte, digit| byte << 4 | hex_value(*digit));
    }
    Some(digest)
}

fn hex_value(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        _ => digit.to_ascii_lowercase() - b'a' + 10,
    }
}

/// Refuses an agent, a token or a certificate that comes twice.
fn distinct(credentials: &[Placed<AgentCredential>], reading: &mut Reading) {
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
