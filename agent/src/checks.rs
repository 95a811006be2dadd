//! Which checks stand: those of the configuration's file, those the collector hands out, and those discovered.
//!
//! What the collector said last is kept beside the spool, so that an agent starts without it. A
//! file or document that is wrong changes nothing and is said to be wrong. Nothing here probes.

use crate::discovery::Discovery;
use crate::metrics::Metrics;
use crate::orders::Orders;
use crate::uplink::{Collector, FetchError};
use config::agent::AgentConfig;
use config::check_document;
use config::reading::{ConfigError, Loaded};
use daemon::admin::Readiness;
use daemon::clock::Clock;
use daemon::reload::FileWatch;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use rules::check::Assignment;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::spawn_blocking;
use tokio_util::sync::CancellationToken;

/// The file in the spool's directory that holds the collector's last document.
const KEPT_FILE: &str = "checks.json";
/// The shortest and the longest wait after a collector that could not be asked.
const RETRY_MIN: Duration = Duration::from_secs(1);
const RETRY_MAX: Duration = Duration::from_secs(60);
/// The part of readiness that this module has a say in.
const READINESS: &str = "checks";

/// Keeps the orders current.
pub(crate) struct Keeper {
    pub(crate) config: AgentConfig,
    /// Watches the file the configuration came from; absent inside another program.
    pub(crate) file: Option<FileWatch>,
    pub(crate) source: Option<Source>,
    pub(crate) discovery: Discovery,
    /// What the collector said last.
    pub(crate) from_collector: Vec<Assignment>,
    pub(crate) orders: watch::Sender<Arc<Orders>>,
    pub(crate) clock: Clock,
    pub(crate) metrics: Metrics,
    pub(crate) readiness: Readiness,
}

impl Keeper {
    /// Works until `stop`.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        self.metrics.reload_successful.set(1);
        self.discovery.follow(&self.config.discovery);
        self.renew().await;
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = changed(&mut self.file) => {
                    self.reload().await;
                }
                checks = next(&mut self.source), if self.config.checks.from_collector => {
                    tracing::info!(checks = checks.len(), "Collector handed out checks");
                    self.from_collector = checks;
                    self.readiness.clear(READINESS);
                }
                () = self.discovery.changed() => {}
            }
            self.renew().await;
        }
    }

    /// Reads the file again; keeps what it had if that is wrong.
    async fn reload(&mut self) {
        let Some(path) = self.file.as_ref().map(|watch| watch.path().to_owned()) else { return };
        let read = path.clone();
        let loaded = spawn_blocking(move || config::agent::load(&read)).await;
        match loaded.expect("reading a configuration doesn't panic") {
            Ok(loaded) => {
                self.metrics.reload_successful.set(1);
                let Loaded { value: config, warnings } = loaded;
                warnings.iter().for_each(|warning| tracing::warn!(%warning, "Configuration is doubtful"));
                if needs_restart(&self.config, &config) {
                    tracing::warn!(
                        "Name, collector, spool, listening address and heartbeats' token change at the next start only"
                    );
                }
                self.config.checks = config.checks;
                self.config.references = config.references;
                self.config.reach = config.reach;
                self.config.programs = config.programs;
                self.config.discovery = config.discovery;
                self.discovery.follow(&self.config.discovery);
                tracing::info!(file = %path.display(), "Configuration was read again");
            }
            Err(error) => {
                self.metrics.reload_successful.set(0);
                tracing::error!(%error, "Configuration is wrong, the old one stays");
            }
        }
    }

    /// Prepares what stands now and hands it to whoever probes.
    async fn renew(&mut self) {
        let before = Arc::clone(&self.orders.borrow());
        let assignments = self.assignments();
        let AgentConfig { references, reach, .. } = self.config.clone();
        let clock = self.clock.clone();
        let prepared = spawn_blocking(move || Orders::prepare(assignments, &references, &reach, Some(&before), &clock));
        match prepared.await.expect("preparing checks doesn't panic") {
            Ok(orders) => drop(self.orders.send_replace(Arc::new(orders))),
            Err(error) => tracing::error!(%error, "Checks can't be prepared, the old ones stay"),
        }
    }

    /// What this agent is to probe. A check of the file stands before one of the same name from the
    /// collector, and either before a discovered one: what somebody wrote is meant.
    fn assignments(&mut self) -> Vec<Assignment> {
        let AgentConfig { agent, checks, programs, .. } = &self.config;
        let from_collector = self.from_collector.iter().filter(|_| checks.from_collector);
        let from_collector = from_collector.cloned().map(|assignment| programs.permit(assignment));
        let written: Vec<Assignment> = from_collector.chain(checks.list.iter().cloned()).collect();
        let discovered = self.discovery.assignments(&written);
        let discovered = discovered.into_iter().map(|assignment| programs.permit(assignment));
        let all = discovered.chain(written);
        all.filter(|assignment| assignment.check.agents.include(agent)).collect()
    }
}

fn needs_restart(old: &AgentConfig, new: &AgentConfig) -> bool {
    let of = |config: &AgentConfig| {
        let AgentConfig { agent, collector, spool, listen, reports, .. } = config.clone();
        (agent, collector, spool, listen, reports)
    };
    of(old) != of(new)
}

async fn changed(file: &mut Option<FileWatch>) {
    match file {
        Some(watch) => drop(watch.changed().await),
        None => std::future::pending().await,
    }
}

async fn next(source: &mut Option<Source>) -> Vec<Assignment> {
    match source {
        Some(source) => source.next().await,
        None => std::future::pending().await,
    }
}

/// Asks the collector what to check, for as long as it takes to hear something new.
pub(crate) struct Source {
    collector: Collector,
    kept: PathBuf,
    etag: Option<String>,
    clock: Clock,
    chance: StdRng,
}

impl Source {
    pub(crate) fn new(collector: Collector, dir: &Path, clock: Clock, seed: u64) -> Source {
        let chance = StdRng::seed_from_u64(seed);
        Source { collector, kept: dir.join(KEPT_FILE), etag: None, clock, chance }
    }

    /// The next list that differs from the last one. Safe to drop at any time: what was not
    /// returned is asked for again.
    async fn next(&mut self) -> Vec<Assignment> {
        let mut wait = RETRY_MIN;
        loop {
            match self.collector.fetch_checks(self.etag.as_deref()).await {
                Ok(None) => wait = RETRY_MIN,
                Ok(Some(fetched)) => {
                    wait = RETRY_MIN;
                    let read = read(&fetched.document);
                    match read {
                        Ok(checks) => {
                            self.keep(fetched.document).await;
                            self.etag = fetched.etag;
                            return checks;
                        }
                        Err(error) => {
                            tracing::error!(%error, "Collector's checks can't be read, the old ones stay");
                            self.etag = fetched.etag;
                            self.clock.sleep(RETRY_MIN).await;
                        }
                    }
                }
                Err(FetchError::NotNow { reason, retry_after }) => {
                    tracing::info!(reason, "Collector can't be asked what to check");
                    let spread = self.chance.random_range(0..=millis(wait));
                    let pause = retry_after.unwrap_or_default().max(Duration::from_millis(spread));
                    self.clock.sleep(pause.clamp(RETRY_MIN / 4, RETRY_MAX)).await;
                    wait = (wait * 2).min(RETRY_MAX);
                }
            }
        }
    }

    async fn keep(&self, document: Vec<u8>) {
        let path = self.kept.clone();
        let kept = spawn_blocking(move || replace(&path, &document)).await;
        if let Err(error) = kept.expect("writing a file doesn't panic") {
            let file = self.kept.display();
            tracing::warn!(%file, %error, "Checks can't be kept for the next start");
        }
    }
}

fn millis(length: Duration) -> u64 {
    u64::try_from(length.as_millis()).unwrap_or(u64::MAX)
}

fn read(document: &[u8]) -> Result<Vec<Assignment>, ConfigError> {
    check_document::from_json(&String::from_utf8_lossy(document))
}

/// What the collector said before the last stop; absent if it never did.
pub(crate) fn kept(dir: &Path) -> Option<Vec<Assignment>> {
    let path = dir.join(KEPT_FILE);
    let document = std::fs::read(&path).ok()?;
    match read(&document) {
        Ok(checks) => Some(checks),
        Err(error) => {
            tracing::warn!(file = %path.display(), %error, "Kept checks can't be read, waiting for the collector");
            None
        }
    }
}

/// Says that there is nothing to do yet.
pub(crate) fn await_collector(readiness: &Readiness) {
    readiness.block(READINESS, "waiting for the collector's first list of checks");
}

/// Replaces the file whole: a crash leaves the old one or the new one.
pub(crate) fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let fresh = path.with_extension("new");
    let mut file = std::fs::File::create(&fresh)?;
    file.write_all(content)?;
    file.sync_all()?;
    std::fs::rename(fresh, path)
}
