//! The collector's configuration.

mod credential;
pub mod evidence;
mod in_force;
mod listen;
mod named;
pub mod notify;
pub mod reports;
pub mod users;

pub(crate) use listen::address;

use self::evidence::{ArchiveConfig, ClosingConfig};
use self::notify::Channel;
use self::reports::Report;
use self::users::User;
use crate::agreement::Agreements;
use crate::files;
use crate::node::Node;
use crate::policy;
use crate::policy::versions::Policies;
use crate::reading::keys::Keys;
use crate::reading::{ConfigError, Environment, Loaded, Reading, list, text};
use crate::secret::{Secret, expanded};
use rules::agreement::Agreement;
use rules::id::AgentId;
use rules::policy::Policy;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where the console is when nothing is said.
pub const WEB_DEFAULT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 9600);
/// Where results are taken in when nothing is said.
pub const AGENTS_DEFAULT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 9601);
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
    let agents =
        keys.optional("agents", reading, list(|node, reading| credential::read(node, takes_certificates, reading)));
    let policies_node = keys.take("policies").map(|(_, node)| node);
    let agreements = keys.required("agreements", reading, |node, reading| Some(files::entries(node, reading)));
    let users_node = keys.take("users").map(|(_, node)| node);
    let notify_node = keys.take("notify").map(|(_, node)| node);
    let reports_node = keys.take("reports").map(|(_, node)| node);
    let archive = keys.optional("evidence", reading, evidence::archive);
    let closing = keys.or("closing", ClosingConfig::default_in(reading), reading, evidence::closing);
    keys.end(reading);
    if let Some(agents) = &agents {
        credential::distinct(agents, reading);
    }
    if let Some(archive) = &archive {
        evidence::kept_until_closed(archive.value.keep_blocks, archive.at, &closing, reading);
    }
    let known = agents.as_ref().map(|agents| agents.iter().map(|placed| placed.value.agent.clone()).collect());
    let policies = policies_node.map_or_else(Vec::new, |node| files::entries(node, reading));
    let drafts = policies.iter().filter_map(|node| policy::read(node, reading)).collect();
    let policies = Policies::gather(drafts, reading);
    let mut held = Agreements::new(policies, known);
    let drafts = agreements?.iter().filter_map(|node| held.read(node, reading)).collect();
    let agreements = held.resolve(drafts, reading);
    let known = held.names();
    let users = users_node.and_then(|node| list(|node, reading| users::read(node, &known, reading))(node, reading));
    let users = users.unwrap_or_default();
    let agents = agents.unwrap_or_default();
    users::all_distinct(&users, &agents, reading);
    let channels = notify_node.and_then(|node| notify::read(node, &known, reading)).unwrap_or_default();
    let reports = reports_node.and_then(|node| reports::read(node, &known, &channels, reading)).unwrap_or_default();
    Some(CollectorConfig {
        listen: listen?,
        ledger,
        agents: agents.into_iter().map(|placed| placed.value).collect(),
        policies: held.policies.in_order,
        agreements,
        users: users.into_iter().map(|placed| placed.value).collect(),
        channels,
        reports,
        archive: archive.map(|placed| placed.value),
        closing,
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
