//! What a check is: a standing instruction to look at a target.

pub mod target;

// How one gets there, and what is expected there
mod content;
mod dialog;
mod pattern;
mod reprobe;
mod route;
mod secret;
mod trust;
// One file a kind
mod dns;
mod exec;
mod flow;
mod grpc;
mod heartbeat;
mod http;
mod icmp;
mod page;
mod promql;
mod tcp;
mod tls;
mod unix;
mod ws;

pub use content::{ContentRule, FailsIf, Look, Missing};
pub use dialog::{DIALOG_STEPS_MAX, DialogStep, Heeded, Sending, StartTls, TlsBegins};
pub use dns::{DnsTarget, DnsTransport, QueryClass, QueryType, Rcode, RecordRules, Recursion};
pub use exec::{ARGUMENTS_MAX, CommandError, DependsOn, ExecTarget, Permission, Warning};
pub use flow::{
    Capture, CaptureFrom, Confidence, Expectation, FlowTarget, Polling, Runs, Step, StepRequest, Template,
    TemplateError, Timed, Tolerance,
};
pub use grpc::{GrpcTarget, Metadata};
pub use heartbeat::{GRACE_DEFAULT, HeartbeatTarget, JobSchedule};
pub use http::{
    Compression, HttpAuth, HttpOptions, HttpTarget, HttpVersions, OAuth2, Proxy, ProxyChoice, Redirects, ResolvedBy,
    Secured,
};
pub use icmp::{
    Fragments, HOPS_DEFAULT, IcmpTarget, LOSS_PERCENT_MAX_DEFAULT, PACKETS_APART_DEFAULT, PACKETS_DEFAULT, PACKETS_MAX,
    PAYLOAD_BYTES_DEFAULT, PAYLOAD_BYTES_MAX,
};
pub use page::{ASSETS_DEFAULT, ASSETS_MAX, Origins, PAGE_BYTES_DEFAULT, PageTarget};
pub use pattern::Pattern;
pub use promql::{Bound, NoData, PromqlTarget, Relation, SeriesRule, ServerFailure};
pub use reprobe::{REPROBE_EVERY_DEFAULT, REPROBE_UNTIL_UP_DEFAULT, Reprobe};
pub use route::{IpPreference, Route};
pub use secret::{Secret, SecretSource};
pub use tcp::{Security, TcpTarget};
pub use tls::TlsTarget;
pub use trust::{Pem, TlsIdentity, TlsRule, TlsVersions, Verify};
pub use unix::UnixTarget;
pub use ws::WsTarget;

use crate::id::{AgentId, CheckId, ObjectiveId, ServiceId};
use crate::result::Pace;
use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::sync::Arc;
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
    /// How it is looked at between its slots while it fails; nothing: by its slots only.
    pub reprobe: Option<Reprobe>,
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
    Http(Box<HttpTarget>),
    /// A port that accepts connections.
    Tcp(TcpTarget),
    /// A port that speaks TLS, and its certificate.
    Tls(TlsTarget),
    /// A name server and a question.
    Dns(Box<DnsTarget>),
    /// A host that answers echo requests.
    Icmp(IcmpTarget),
    /// A service that answers the gRPC health protocol.
    Grpc(GrpcTarget),
    /// A WebSocket.
    Ws(WsTarget),
    /// A socket in the file system.
    Unix(UnixTarget),
    /// A sequence of requests that together do one thing.
    Flow(FlowTarget),
    /// A local command with the exit codes of Nagios plugins.
    Exec(ExecTarget),
    /// A job that reports when it runs.
    Heartbeat(HeartbeatTarget),
    /// A query to a Prometheus server, held against a bound.
    Promql(PromqlTarget),
    /// A page with everything that a browser would fetch for it.
    Page(PageTarget),
}

impl Target {
    /// The kind's word in configuration.
    pub fn kind(&self) -> &'static str {
        match self {
            Target::Http(_) => "http",
            Target::Tcp(_) => "tcp",
            Target::Tls(_) => "tls",
            Target::Dns(_) => "dns",
            Target::Icmp(_) => "icmp",
            Target::Grpc(_) => "grpc",
            Target::Ws(_) => "ws",
            Target::Unix(_) => "unix",
            Target::Flow(_) => "flow",
            Target::Exec(_) => "exec",
            Target::Heartbeat(_) => "heartbeat",
            Target::Promql(_) => "promql",
            Target::Page(_) => "page",
        }
    }

    /// What is looked at, as the operator wrote it.
    pub fn address(&self) -> &str {
        match self {
            Target::Http(target) => &target.url,
            Target::Tcp(target) => &target.address,
            Target::Tls(target) => &target.address,
            Target::Dns(target) => &target.address,
            Target::Icmp(target) => &target.address,
            Target::Grpc(target) => &target.address,
            Target::Ws(target) => &target.address,
            Target::Unix(target) => &target.address,
            Target::Exec(target) => &target.program,
            Target::Flow(target) => &target.name,
            Target::Heartbeat(target) => &target.address,
            Target::Promql(target) => &target.query,
            Target::Page(target) => &target.url,
        }
    }
}
