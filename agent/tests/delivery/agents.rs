//! An agent without probers: a spool and its uplink, on a clock that the test moves.

use crate::collecting::TOKEN;
use agent::spool::{self, Outlet, Recorded, Settings, Spool, SpoolHandle};
use agent::uplink::{Collector, Uplink, UplinkHandle};
use config::agent::UplinkTls;
use config::secret::Secret;
use daemon::clock::{Clock, Hand};
use rules::outcome::Outcome;
use rules::result::{Pace, ProbeResult};
use rules::time::Timestamp;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);
pub(crate) const AGENT: &str = "seoul-1";

pub(crate) struct Agent {
    pub(crate) handle: SpoolHandle,
    pub(crate) uplink: UplinkHandle,
    hand: Hand,
    stop: CancellationToken,
    tasks: JoinSet<()>,
}

/// The way to a collector without TLS.
pub(crate) fn plain(address: SocketAddr) -> config::agent::Uplink {
    let token = Some(Secret::new(TOKEN));
    config::agent::Uplink { url: format!("http://{address}"), token, tls: UplinkTls::default() }
}

pub(crate) fn collector(agent: &str, uplink: &config::agent::Uplink, clock: &Clock) -> Collector {
    Collector::new(agent.parse().unwrap(), uplink, clock.clone()).unwrap()
}

/// The instant that the result number `number` stands at.
pub(crate) fn at(number: u64) -> Timestamp {
    NOW.plus(Duration::from_millis(number))
}

async fn open(agent: &str, dir: &Path, clock: &Clock) -> (SpoolHandle, Outlet, Spool) {
    let settings = Settings { agent: agent.parse().unwrap(), dir: dir.to_owned(), at_most: 1 << 30 };
    loop {
        // The tasks of an agent that was dropped let go of the lock when its runtime gets to them.
        match spool::open(settings.clone(), clock.clone()) {
            Ok(opened) => return opened,
            Err(spool::SpoolError::InUse { .. }) => tokio::task::yield_now().await,
            Err(error) => panic!("{error}"),
        }
    }
}

async fn record(handle: &SpoolHandle, number: u64) {
    let recorded = Recorded {
        service: "apm-prod".parse().unwrap(),
        check: "login".parse().unwrap(),
        pace: Pace { every: Duration::from_secs(30), timeout: Duration::from_secs(10) },
        result: ProbeResult::of_slot(at(number), Outcome::Up, Duration::from_millis(48)),
        note: None,
    };
    handle.record(recorded).await.unwrap();
}

/// Leaves the results with `numbers` in the spool, as an agent without a collector does.
pub(crate) async fn backlog(dir: &Path, clock: &Clock, numbers: std::ops::Range<u64>) {
    let (handle, outlet, spool) = open(AGENT, dir, clock).await;
    drop(outlet);
    let (stop, mut tasks) = (CancellationToken::new(), JoinSet::new());
    tasks.spawn(spool.run(stop.clone()));
    for number in numbers {
        record(&handle, number).await;
    }
    stop.cancel();
    tasks.join_next().await.unwrap().unwrap();
}

impl Agent {
    pub(crate) async fn start(dir: &Path, uplink: &config::agent::Uplink, time: (Clock, Hand)) -> Agent {
        Agent::named(AGENT, dir, uplink, time).await
    }

    pub(crate) async fn named(
        agent: &str,
        dir: &Path,
        uplink: &config::agent::Uplink,
        (clock, hand): (Clock, Hand),
    ) -> Agent {
        let (handle, outlet, spool) = open(agent, dir, &clock).await;
        let (uplink, working) = Uplink::new(collector(agent, uplink, &clock), outlet, clock, 7);
        let (stop, mut tasks) = (CancellationToken::new(), JoinSet::new());
        tasks.spawn(spool.run(stop.clone()));
        tasks.spawn(working.run(stop.clone()));
        Agent { handle, uplink, hand, stop, tasks }
    }

    pub(crate) async fn record(&self, number: u64) {
        record(&self.handle, number).await;
    }

    /// Lets time pass until `reached`.
    pub(crate) async fn until(&self, reached: impl Fn(&Agent) -> bool) {
        while !reached(self) {
            self.hand.advance(Duration::from_millis(20));
            tokio::task::yield_now().await;
        }
    }

    /// Lets time pass until the last request failed for a reason that says `word`.
    pub(crate) async fn fails_with(&self, word: &str) {
        self.until(|agent| agent.uplink.state().last_error.is_some_and(|error| error.contains(word))).await;
        assert!(!self.uplink.state().connected);
    }

    /// Lets time pass until all of at least `blocks` blocks are acknowledged.
    pub(crate) async fn delivered(&self, blocks: u64) {
        self.until(|agent| {
            let depth = agent.handle.depth();
            depth.results == 0 && depth.blocks() == 0 && blocks <= agent.taken()
        })
        .await;
    }

    /// Blocks that the spool ever made.
    pub(crate) fn taken(&self) -> u64 {
        self.handle.depth().held.next - 1
    }

    pub(crate) async fn stop(mut self) {
        self.stop.cancel();
        while let Some(ended) = self.tasks.join_next().await {
            ended.unwrap();
        }
    }
}
