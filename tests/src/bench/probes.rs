//! What one probe costs: CPU time of a whole agent, divided by the probes it began, less what it takes to do nothing.

use super::Effort;
use super::authority::Authority;
use super::blackbox::{Blackbox, Who};
use super::fleet::Fleet;
use super::floor::{Visit, micros_a_visit};
use super::machine::micros_each;
use super::secured::Secured;
use super::table::{Goal, Row};
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;
use tests::target::Target;

/// One kind of probe: what the agent, the peer and the floor are told.
struct Kind {
    what: &'static str,
    check: String,
    module: &'static str,
    target: String,
    address: SocketAddr,
    visit: Visit,
    goal: f64,
}

pub(crate) async fn rows(effort: Effort) -> Vec<Row> {
    let (target, authority) = (Target::start(), Authority::new());
    let secured = Secured::start(&authority).await;
    let blackbox = Blackbox::start(Who::Peer, authority.file()).await;
    let idle = idle(effort).await;
    let kinds = [
        Kind {
            what: "one HTTP probe, CPU",
            check: format!("http: '{}'", target.url()),
            module: "http",
            target: target.url(),
            address: target.address(),
            visit: Visit::Http,
            goal: 120.0,
        },
        Kind {
            what: "one HTTPS probe, CPU",
            check: format!("http: '{}', tls_config: {{ ca_file: '{}' }}", secured.url(), authority.file().display()),
            module: "https",
            target: secured.url(),
            address: secured.address(),
            visit: Visit::Https(authority.client()),
            goal: 500.0,
        },
        Kind {
            what: "one TCP probe, CPU",
            check: format!("tcp: '{}'", target.address()),
            module: "tcp",
            target: target.address().to_string(),
            address: target.address(),
            visit: Visit::Tcp,
            goal: 40.0,
        },
    ];
    let mut rows = vec![Row::new("agent that probes nothing, CPU", "ms a second", idle * 1e3)];
    for kind in kinds {
        let fleet = Fleet::start(effort.of(400, 40), &kind.check, Duration::from_secs(1)).await;
        let (cpu, probes) = fleet.watch(effort.watched()).await;
        assert_eq!(fleet.failures().await, 0.0, "{}", kind.what);
        drop(fleet);
        let cpu = cpu.saturating_sub(effort.watched().mul_f64(idle));
        let peer = match &blackbox {
            Some(blackbox) => Some(blackbox.micros_a_probe(kind.module, &kind.target, effort.watched()).await),
            None => None,
        };
        let floor = micros_a_visit(kind.visit, kind.address, effort.of(3_000, 100)).await;
        let row = Row::new(kind.what, "µs", micros_each(cpu, probes)).floor(floor);
        rows.push(row.peer(peer).goal(Goal::AtMost(kind.goal)));
    }
    rows.push(asked(&target.url(), blackbox.as_ref(), authority.file(), effort).await);
    rows
}

/// One probe that Prometheus asks for.
async fn asked(target: &str, peer: Option<&Blackbox>, authority: &Path, effort: Effort) -> Row {
    let agent = Blackbox::start(Who::Agent, authority).await.unwrap();
    let ours = agent.micros_a_probe("http", target, effort.watched()).await;
    let theirs = match peer {
        Some(peer) => Some(peer.micros_a_probe("http", target, effort.watched()).await),
        None => None,
    };
    Row::new("one HTTP probe by `/probe`, CPU", "µs", ours).peer(theirs).goal(Goal::AtMost(200.0))
}

/// The share of a core that an agent takes whose only check is not due.
async fn idle(effort: Effort) -> f64 {
    let fleet = Fleet::start(1, "tcp: '127.0.0.1:1'", Duration::from_secs(24 * 3600)).await;
    let (cpu, _) = fleet.watch(effort.watched()).await;
    cpu.as_secs_f64() / effort.watched().as_secs_f64()
}
