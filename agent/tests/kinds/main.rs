//! Probes of every kind against real servers, or scripted ones where no real one misbehaves on demand.
//! The kind `http` has a program of its own beside this one, `prober`.
#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]

mod dns;
mod exec;
mod flow;
mod grpc;
mod heartbeat;
mod icmp;
mod page;
mod promql;
mod secured;
mod tcp;
mod tls;
mod unix;
mod ws;

use agent::prober::Prober;
use daemon::clock::Clock;
use rules::check::Target;
use rules::evidence::Evidence;
use rules::judge::{Circumstances, judge};
use rules::outcome::Outcome;
use std::time::Duration;

/// More than any probe here takes, however busy the machine is.
const AMPLE: Duration = Duration::from_secs(20);

/// One probe of `target` and what it comes to.
async fn probe(target: &Target, timeout: Duration) -> (Evidence, Outcome) {
    let prober = Prober::new(Clock::system()).unwrap();
    let evidence = prober.probe(&prober.plan(target, timeout)).await;
    let outcome = judge(&evidence, target, timeout, Circumstances::default());
    (evidence, outcome)
}
