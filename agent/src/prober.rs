//! Looks at targets: one probe is one new look, and what it saw is [`Evidence`].
//!
//! One file a protocol. A prober gathers and never judges ([`rules::judge`] does), never retries,
//! and keeps nothing of one probe for the next but what configuration alone decides. Make a new one
//! on reload: it reads the machine's resolvers, hosts file and authorities only once.

mod connect;
mod http;
mod resolve;
mod tcp;

mod certificate;
mod tls;

mod trace;

use self::http::Page;
use daemon::clock::Clock;
pub use resolve::NoResolver;
use resolve::Resolvers;
use rules::check::Target;
use rules::evidence::{Evidence, Fault, Said};
use std::time::Duration;
use tcp::Port;
use tls::Clients;
use tokio::time::timeout;
use trace::{Break, Trace};

/// Probes targets of every kind.
#[derive(Debug)]
pub struct Prober {
    clock: Clock,
    resolvers: Resolvers,
    clients: Clients,
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
    Http(Box<Page>),
    Tcp(Port),
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
    /// Reads what this machine says about names.
    pub fn new(clock: Clock) -> Result<Prober, NoResolver> {
        let clients = Clients::new(&clock);
        Ok(Prober { clock, resolvers: Resolvers::from_system()?, clients })
    }

    /// Prepares `target` for probes that end after `timeout` at the latest. May read files.
    pub fn plan(&self, target: &Target, timeout: Duration) -> Plan {
        let way = match target {
            Target::Http(target) => Page::prepare(target, &self.clients).map(|page| Way::Http(Box::new(page))),
            Target::Tcp(target) => Port::prepare(target).map(Way::Tcp),
        };
        Plan { way: way.map_err(|defect| defect.detail), timeout }
    }

    /// Looks once. Ends when the plan's timeout is over at the latest; safe to drop at any time.
    pub async fn probe(&self, plan: &Plan) -> Evidence {
        let mut trace = Trace::begin(&self.clock);
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
        match way {
            Way::Http(page) => page.look(&self.resolvers, &self.clients, budget, trace).await,
            Way::Tcp(port) => port.look(&self.resolvers, budget, trace).await,
        }
    }
}
