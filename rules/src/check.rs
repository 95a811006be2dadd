//! What a check is: a standing instruction to look at a target.

pub mod target;

use crate::id::{AgentId, CheckId, ObjectiveId, ServiceId};
use crate::result::Pace;
use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::RangeInclusive;
use core::time::Duration;

/// `every` when a check doesn't say.
pub const EVERY_DEFAULT: Duration = Duration::from_secs(30);
/// `timeout` when a check doesn't say; never longer than `every`.
pub const TIMEOUT_DEFAULT: Duration = Duration::from_secs(10);
/// How much of a body is read when a check doesn't say: enough for any page that a person reads.
pub const BODY_BYTES_DEFAULT: u64 = 10 * 1024 * 1024;
/// How many redirects are followed, as in blackbox_exporter and browsers' order of magnitude.
pub const REDIRECTS_MAX: usize = 10;

/// A standing instruction: what to look at, how often, what to expect.
#[derive(Clone, PartialEq, Debug)]
pub struct Check {
    /// Its name, unique within its service.
    pub id: CheckId,
    /// What to look at, and what to expect there.
    pub target: Target,
    /// The distance of its slots.
    pub every: Duration,
    /// One deadline over all phases of a probe; at most `every`.
    pub timeout: Duration,
    /// Whether it takes part in the service's availability (section 5).
    pub counts: Counts,
    /// The latency objective that its elapsed times are held against.
    pub objective: Option<ObjectiveId>,
    /// Who probes it, within what its service allows.
    pub agents: Vantages,
}

impl Check {
    /// What travels with each of its results.
    pub fn pace(&self) -> Pace {
        Pace { every: self.every, timeout: self.timeout }
    }
}

/// A check of a service, as handed to an agent.
#[derive(Clone, PartialEq, Debug)]
pub struct Assignment {
    /// The service it belongs to.
    pub service: ServiceId,
    /// The instruction.
    pub check: Arc<Check>,
}

/// Whether a check takes part in availability.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Counts {
    /// It does: `counts: true`.
    Yes,
    /// It only measures latency.
    No,
}

/// Who probes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Vantages {
    /// Every agent.
    All,
    /// These.
    Only(BTreeSet<AgentId>),
}

impl Vantages {
    /// Whether `agent` is one of them.
    pub fn include(&self, agent: &AgentId) -> bool {
        match self {
            Vantages::All => true,
            Vantages::Only(agents) => agents.contains(agent),
        }
    }
}

/// What is looked at, by kind.
#[derive(Clone, PartialEq, Debug)]
pub enum Target {
    /// A page.
    Http(HttpTarget),
    /// A port that accepts connections.
    Tcp(TcpTarget),
}

impl Target {
    /// The kind's word in configuration.
    pub fn kind(&self) -> &'static str {
        match self {
            Target::Http(_) => "http",
            Target::Tcp(_) => "tcp",
        }
    }

    /// The address as the operator wrote it.
    pub fn address(&self) -> &str {
        match self {
            Target::Http(http) => &http.url,
            Target::Tcp(tcp) => &tcp.address,
        }
    }
}

/// A page and what is expected of it. The names are blackbox_exporter's where it has them.
#[derive(Clone, PartialEq, Debug)]
pub struct HttpTarget {
    /// An absolute `http` or `https` URL.
    pub url: String,
    /// `GET` unless said otherwise.
    pub method: String,
    /// Sent with the request, in order.
    pub headers: Vec<(String, String)>,
    /// Sent with the request.
    pub body: Option<String>,
    /// Statuses that are up; empty: 200 to 299.
    pub valid_status_codes: Vec<RangeInclusive<u16>>,
    /// Whether redirects are followed, [`REDIRECTS_MAX`] at most.
    pub redirects: Redirects,
    /// Content that must or must not be there.
    pub content: Vec<ContentRule>,
    /// A body larger than this fails.
    pub body_bytes_max: u64,
    /// Which address family is tried.
    pub ip: IpPreference,
    /// How the certificate is judged.
    pub tls: TlsRule,
}

/// Whether a redirect is an answer or a way to one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Redirects {
    /// They are followed and the last answer is judged.
    Follow,
    /// The first answer is judged.
    Stop,
}

/// One expectation about the answer's content.
#[derive(Clone, PartialEq, Debug)]
pub struct ContentRule {
    /// Where it looks.
    pub part: ContentPart,
    /// What it looks for.
    pub pattern: Pattern,
    /// Whether finding it is good or bad.
    pub fails: FailsIf,
}

/// The part of an answer that a rule looks at.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ContentPart {
    /// The body, as bytes.
    Body,
    /// The values of this header; its name in lower case.
    Header(String),
}

/// When a content rule fails.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FailsIf {
    /// The pattern is found.
    Found,
    /// The pattern is not found.
    Missing,
}

/// Which address family is tried.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum IpPreference {
    /// Every address of the name, in the resolver's order.
    #[default]
    Any,
    /// IPv4 first, then IPv6.
    PreferV4,
    /// IPv6 first, then IPv4.
    PreferV6,
    /// IPv4 and nothing else.
    OnlyV4,
    /// IPv6 and nothing else.
    OnlyV6,
}

/// How a certificate is judged.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct TlsRule {
    /// Whether an invalid certificate is a failure.
    pub verify: Verify,
    /// A file of authorities that are trusted instead of the machine's.
    pub ca_file: Option<String>,
    /// The name asked for and verified instead of the URL's host.
    pub server_name: Option<String>,
}

/// Whether certificates are verified.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Verify {
    /// An invalid certificate fails the probe.
    #[default]
    Chain,
    /// Any certificate will do: `insecure_skip_verify`.
    Nothing,
}

/// A port that must accept a connection.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TcpTarget {
    /// `host:port`, as written; an IPv6 address stands in brackets.
    pub address: String,
    /// The host of `address`, without brackets.
    pub host: String,
    /// The port of `address`.
    pub port: u16,
    /// Which address family is tried.
    pub ip: IpPreference,
}

/// A regular expression that compiled, over bytes.
#[derive(Clone, Debug)]
pub struct Pattern(regex::bytes::Regex);

impl Pattern {
    /// Compiles `source`; the error is the regular expression library's own text.
    pub fn new(source: &str) -> Result<Pattern, regex::Error> {
        regex::bytes::Regex::new(source).map(Pattern)
    }

    /// The expression as written.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Whether it is found anywhere in `haystack`.
    pub fn is_found(&self, haystack: &[u8]) -> bool {
        self.0.is_match(haystack)
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Pattern) -> bool {
        self.as_str() == other.as_str()
    }
}
