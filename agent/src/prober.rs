//! Looks at targets: one probe is one new look, and what it saw is [`Evidence`].
//!
//! One file a protocol. A prober gathers and never judges ([`rules::judge`] does), never retries,
//! and keeps nothing of one probe for the next but what configuration alone decides. Make a new one
//! on reload: it reads the machine's resolvers, hosts file and authorities only once.

// One file a kind
mod dns;
mod exec;
mod flow;
mod grpc;
mod http;
mod icmp;
mod page;
mod promql;
mod tcp;
mod tls;
mod unix;
mod ws;
// How a target is reached and talked to
mod certificate;
mod connect;
mod dialog;
mod handshake;
mod resolve;
// And what was noted on the way
mod trace;

use daemon::clock::Clock;
use handshake::Clients;
pub use resolve::NoResolver;
use resolve::Resolvers;
use rules::check::Target;
use rules::evidence::{Evidence, Fault, Said};
use rules::reach::Reach;
use std::time::Duration;
use tokio::time::timeout;
use trace::{Break, Trace};

/// Probes targets of every kind.
#[derive(Debug)]
pub struct Prober {
    means: Means,
}

/// What probers of every kind reach targets with.
#[derive(Debug)]
struct Means {
    clock: Clock,
    resolvers: Resolvers,
    clients: Clients,
    reach: Reach,
}

/// A target, read once for all its probes.
#[derive(Debug)]
pub struct Plan {
    way: Result<Way, Said>,
    timeout: Duration,
}

/// How a target of each kind is looked at.
#[derive(Debug)]
enum Way {
    Http(Box<http::Page>),
    Tcp(tcp::Port),
    Tls(Box<tls::Tls>),
    Dns(Box<dns::Dns>),
    Icmp(Box<icmp::Icmp>),
    Grpc(Box<grpc::Grpc>),
    Ws(Box<ws::Ws>),
    Unix(Box<unix::Unix>),
    Flow(Box<flow::Flow>),
    Exec(Box<exec::Exec>),
    Promql(Box<promql::Promql>),
    Page(Box<page::Page>),
}

impl Plan {
    /// Why no probe of this target can be carried out here, such as a missing file of authorities.
    /// Its probes say so too, as evidence for `void(prober)`.
    pub fn defect(&self) -> Option<&str> {
        self.way.as_ref().err().map(Said::as_str)
    }

    /// One deadline over all phases of a probe.
    pub fn timeout(&self) -> Duration {
        self.timeout
    }
}

impl Prober {
    /// Reads what this machine says about names. It may go wherever an operator may.
    pub fn new(clock: Clock) -> Result<Prober, NoResolver> {
        Prober::within(Reach::default(), clock)
    }

    /// A prober that connects to nothing beyond `reach`.
    pub fn within(reach: Reach, clock: Clock) -> Result<Prober, NoResolver> {
        let clients = Clients::new(&clock);
        Ok(Prober { means: Means { clock, resolvers: Resolvers::from_system()?, clients, reach } })
    }

    /// Prepares `target` for probes that end after `timeout` at the latest. May read files.
    pub fn plan(&self, target: &Target, timeout: Duration) -> Plan {
        let means = &self.means;
        let way = match target {
            Target::Http(target) => http::Page::prepare(target, means).map(Box::new).map(Way::Http),
            Target::Tcp(target) => tcp::Port::prepare(target, means).map(Way::Tcp),
            Target::Tls(target) => tls::Tls::prepare(target, means).map(Box::new).map(Way::Tls),
            Target::Dns(target) => dns::Dns::prepare(target, means).map(Box::new).map(Way::Dns),
            Target::Icmp(target) => icmp::Icmp::prepare(target, means).map(Box::new).map(Way::Icmp),
            Target::Grpc(target) => grpc::Grpc::prepare(target, means).map(Box::new).map(Way::Grpc),
            Target::Ws(target) => ws::Ws::prepare(target, means).map(Box::new).map(Way::Ws),
            Target::Unix(target) => unix::Unix::prepare(target, means).map(Box::new).map(Way::Unix),
            Target::Flow(target) => flow::Flow::prepare(target, means).map(Box::new).map(Way::Flow),
            Target::Exec(target) => exec::Exec::prepare(target, means).map(Box::new).map(Way::Exec),
            Target::Promql(target) => promql::Promql::prepare(target, means).map(Box::new).map(Way::Promql),
            Target::Page(target) => page::Page::prepare(target, means).map(Box::new).map(Way::Page),
            Target::Heartbeat(_) => Err(Break::new(Fault::Instruction, "a heartbeat is waited for, not looked at")),
        };
        Plan { way: way.map_err(|defect| defect.detail), timeout }
    }

    /// Looks once. Ends when the plan's timeout is over at the latest; safe to drop at any time.
    pub async fn probe(&self, plan: &Plan) -> Evidence {
        let mut trace = Trace::begin(&self.means.clock);
        let end = match &plan.way {
            Ok(way) => match timeout(plan.timeout, self.look(way, plan.timeout, &mut trace)).await {
                Ok(end) => end,
                Err(_) => Err(Break::new(Fault::Deadline, &format!("no end within {:?}", plan.timeout))),
            },
            Err(defect) => Err(Break { fault: Fault::Instruction, detail: defect.clone() }),
        };
        trace.end(end)
    }

    async fn look(&self, way: &Way, budget: Duration, trace: &mut Trace) -> Result<(), Break> {
        let means = &self.means;
        match way {
            Way::Http(way) => way.look(means, budget, trace).await,
            Way::Tcp(way) => way.look(means, budget, trace).await,
            // What these hold while they look would otherwise be room that every probe of a page or port takes.
            Way::Tls(way) => Box::pin(way.look(means, budget, trace)).await,
            Way::Dns(way) => Box::pin(way.look(means, budget, trace)).await,
            Way::Icmp(way) => Box::pin(way.look(means, budget, trace)).await,
            Way::Grpc(way) => Box::pin(way.look(means, budget, trace)).await,
            Way::Ws(way) => Box::pin(way.look(means, budget, trace)).await,
            Way::Unix(way) => Box::pin(way.look(means, budget, trace)).await,
            Way::Flow(way) => Box::pin(way.look(means, budget, trace)).await,
            Way::Exec(way) => Box::pin(way.look(means, budget, trace)).await,
            Way::Promql(way) => Box::pin(way.look(means, budget, trace)).await,
            Way::Page(way) => Box::pin(way.look(means, budget, trace)).await,
        }
    }
}
