//! The collector as one thing that starts, runs and stops.
//!
//! [`Collector::start`] opens the ledger and binds both listeners, so that whoever starts it knows
//! the addresses; [`Collector::run`] works until it is cancelled. It stops in order: listeners take
//! nothing new and let open requests end, then the committer writes what waits and its
//! checkpoints. What is killed instead loses nothing that was acknowledged.

use crate::archive::store::{Store, StoreError};
use crate::archive::{self, Archive, Keeper};
use crate::closing::closer::Closer;
use crate::commit::{Commits, Committer, LEDGER};
use crate::evidence::LedgerEvidence;
use crate::incidents::Incidents;
use crate::ingest::Ingest;
use crate::ledger::{self, Ledger, LedgerError};
use crate::metrics::Metrics;
use crate::notify::Telling;
use crate::outages::{Outages, Watcher};
use crate::promised;
use crate::record::{Record, RecordError};
use crate::state::State;
use axum::Router;
use config::collector::{CollectorConfig, LedgerUrl};
use daemon::admin::Readiness;
use daemon::clock::Clock;
use daemon::error_text::whole;
use daemon::listener::{BindError, Listener};
use daemon::reload::FileWatch;
use daemon::shutdown::within;
use daemon::tls::{Tls, TlsError, TlsFiles};
use rules::agreement::Agreement;
use rules::standing::StandingRule;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// How long waiting blocks and checkpoints may take to be written at the end.
const FLUSH_TIME: Duration = Duration::from_secs(15);

/// Why a collector can't start, or could not go on.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The ledger can't be opened or read.
    #[error("failed to open the ledger")]
    Ledger(#[from] LedgerError),
    /// A record can't be read: what it says would be missing from statements.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The archive's store can't be opened.
    #[error("failed to archive evidence")]
    Store(#[from] StoreError),
    /// An address can't be listened on.
    #[error("failed to {0}")]
    Bind(#[source] BindError),
    /// The TLS files can't be used.
    #[error("failed to {0}")]
    Tls(#[source] TlsError),
    /// Nobody could be told anything.
    #[error("failed to make a client for notifications")]
    Client(#[source] reqwest::Error),
    /// A part of it panicked.
    #[error("a part of the collector ended unexpectedly")]
    Ended(#[source] tokio::task::JoinError),
}

/// What pages, API and metrics are made of; cheap to clone.
#[derive(Clone)]
pub struct Facts {
    /// The configuration in force.
    pub config: watch::Receiver<Arc<CollectorConfig>>,
    /// The same with what stands on record among it: what live parts go by.
    pub promised: watch::Receiver<Arc<CollectorConfig>>,
    /// What is committed.
    pub state: State,
    /// What a month is drawn up from.
    pub evidence: LedgerEvidence,
    /// What people put on record.
    pub record: Record,
    /// What services are now.
    pub outages: Outages,
    /// What the process counts about itself.
    pub metrics: Metrics,
    /// What stands between the process and its work.
    pub readiness: Readiness,
    /// The time.
    pub clock: Clock,
    /// Ends requests that wait when the process stops.
    pub cancel: CancellationToken,
}

/// A collector that is bound and not yet working.
pub struct Collector {
    facts: Facts,
    config: watch::Sender<Arc<CollectorConfig>>,
    promised: watch::Sender<Arc<CollectorConfig>>,
    committer: Committer,
    commits: Commits,
    ledger: Arc<dyn Ledger>,
    archive: Option<Arc<Archive>>,
    web: Listener,
    agents: Listener,
    stopping: CancellationToken,
}

impl Collector {
    /// Opens the ledger and binds the listeners; port 0 lets the system choose.
    pub async fn start(config: CollectorConfig, clock: Clock) -> Result<Collector, ServeError> {
        let tls = config.listen.tls.as_ref().map(|files| Tls::load(&tls_files(files))).transpose();
        let tls = tls.map_err(ServeError::Tls)?;
        let bind = async |address| {
            let listener = Listener::bind(address).await.map_err(ServeError::Bind)?;
            Ok::<_, ServeError>(match &tls {
                Some(tls) => listener.with_tls(tls.clone()),
                None => listener,
            })
        };
        let (web, agents) = (bind(config.listen.web).await?, bind(config.listen.agents).await?);
        let own = ledger::open(&ledger_url(&config.ledger)).await?;
        let archive = config.archive.as_ref().map(|archive| Store::open(&archive.store)).transpose()?;
        let archive = archive.map(|store| Arc::new(Archive::new(Arc::clone(&own), store)));
        if archive.is_none() {
            warn_of_deletion(&config);
        }
        let ledger = archive::deepened(own, archive.as_ref());
        let (state, metrics, readiness) = (State::default(), Metrics::new(), Readiness::new());
        readiness.block(LEDGER, "its agents are being loaded");
        let (committer, commits) = Committer::new(Arc::clone(&ledger), state.clone(), metrics.clone(), clock.clone());
        let committer = committer.telling(readiness.clone());
        let (sender, config) = watch::channel(Arc::new(config));
        let evidence = LedgerEvidence::new(Arc::clone(&ledger), state.clone());
        let record = Record::load(Arc::clone(&ledger), clock.clone()).await?;
        let (joining, promised) = watch::channel(promised::joined(&config.borrow(), &record));
        let stopping = CancellationToken::new();
        let (outages, cancel) = (Outages::default(), stopping.clone());
        let facts = Facts { config, promised, state, evidence, record, outages, metrics, readiness, clock, cancel };
        Ok(Collector {
            facts,
            config: sender,
            promised: joining,
            committer,
            commits,
            ledger,
            archive,
            web,
            agents,
            stopping,
        })
    }

    /// Where the console, the API and `/metrics` are.
    pub fn web_address(&self) -> SocketAddr {
        self.web.address()
    }

    /// Where agents send to.
    pub fn agents_address(&self) -> SocketAddr {
        self.agents.address()
    }

    /// What it knows, for pages and for programs that contain it.
    pub fn facts(&self) -> Facts {
        self.facts.clone()
    }

    /// Gives the configuration a new value from outside a file.
    pub fn configure(&self) -> watch::Sender<Arc<CollectorConfig>> {
        self.config.clone()
    }

    /// Works until `cancel`, serving `pages` on the web listener. `file` is the configuration to
    /// read again when it changes.
    pub async fn run(
        self,
        pages: Router,
        file: Option<FileWatch>,
        cancel: CancellationToken,
    ) -> Result<(), ServeError> {
        let Collector { facts, config, promised, mut committer, commits, ledger, archive, web, agents, stopping } =
            self;
        let (web_address, agents_address) = (web.address(), agents.address());
        let (evidence, record) = (facts.evidence.clone(), facts.record.clone());
        let closer = Closer::new(Arc::clone(&ledger), evidence, record, facts.config.clone(), facts.clock.clone());
        let ingest = Ingest::new(
            commits,
            Arc::clone(&ledger),
            facts.promised.clone(),
            facts.metrics.clone(),
            facts.clock.clone(),
            stopping.clone(),
        );
        let (listeners_end, committer_end) = (CancellationToken::new(), CancellationToken::new());
        let mut listeners = JoinSet::new();
        listeners.spawn(web.serve(pages, listeners_end.clone()));
        listeners.spawn(agents.serve(ingest.router(), listeners_end.clone()));
        let mut watchers = JoinSet::new();
        watchers.spawn(facts.record.clone().keep_up(facts.readiness.clone(), stopping.clone()));
        let (config_now, record) = (facts.config.clone(), facts.record.clone());
        watchers.spawn(promised::keep_up(config_now, record, promised, stopping.clone()));
        if let Some(watch) = file {
            watchers.spawn(reload(watch, config, stopping.clone()));
        }
        if let Some(archive) = archive {
            let (config, clock) = (facts.config.clone(), facts.clock.clone());
            let keeper = Keeper::new(archive, facts.record.clone(), config, clock, facts.metrics.registry());
            watchers.spawn(keeper.run(stopping.clone()));
        }
        let telling = Telling::new(&facts, Arc::clone(&ledger)).map_err(ServeError::Client)?;
        let mut incidents = Incidents::new(&facts);
        let mut working = JoinSet::new();
        let (end, readiness) = (committer_end.clone(), facts.readiness.clone());
        let watching = stopping.clone();
        working.spawn(async move {
            committer.load_all().await?;
            let outages = Watcher::begin(facts.outages, facts.state, facts.promised, facts.clock);
            // What is open now has its incident before anybody asks.
            incidents.look().await;
            readiness.clear(LEDGER);
            tracing::info!(web = %web_address, agents = %agents_address, "Collector is ready");
            let mut derived = JoinSet::new();
            derived.spawn(outages.run(watching.clone()));
            derived.spawn(closer.run(watching.clone()));
            derived.spawn(incidents.run(watching.clone()));
            derived.spawn(telling.run(watching));
            committer.run(end).await;
            derived.join_all().await;
            Ok::<_, LedgerError>(())
        });
        let ended = tokio::select! {
            () = cancel.cancelled() => None,
            ended = working.join_next() => ended,
        };
        stopping.cancel();
        listeners_end.cancel();
        listeners.join_all().await;
        committer_end.cancel();
        let flush = async { working.join_next().await };
        let ended = match ended {
            Some(ended) => Some(ended),
            None => within("flush", FLUSH_TIME, flush).await.flatten(),
        };
        watchers.join_all().await;
        match ended {
            Some(Err(panicked)) => Err(ServeError::Ended(panicked)),
            Some(Ok(Err(error))) => Err(ServeError::Ledger(error)),
            Some(Ok(Ok(()))) | None => Ok(()),
        }
    }
}

/// What a policy deletes can only go once the others' results are safe in an archive.
fn warn_of_deletion(config: &CollectorConfig) {
    let deletes = |rule: &StandingRule| rule.data_deleted.or(rule.terminated_deleted).or(rule.trial).is_some();
    let standing = |agreement: &Agreement| deletes(&agreement.policy.standing);
    for agreement in config.agreements.iter().filter(|agreement| standing(agreement)) {
        let (agreement, policy) = (&agreement.id, &agreement.policy.id);
        tracing::warn!(%agreement, %policy, "The policy deletes data at some standings; without `evidence` nothing is deleted");
    }
}

/// Reads the configuration again whenever its file changes; a bad one leaves the old in force.
async fn reload(mut watch: FileWatch, config: watch::Sender<Arc<CollectorConfig>>, cancel: CancellationToken) {
    let path = watch.path().to_owned();
    loop {
        tokio::select! {
            () = cancel.cancelled() => return,
            _ = watch.changed() => {}
        }
        match config::collector::load(&path) {
            Ok(loaded) => {
                for warning in &loaded.warnings {
                    tracing::warn!(%warning, "Configuration has a doubtful place");
                }
                let before = Arc::clone(&config.borrow());
                if (&before.listen, &before.ledger) != (&loaded.value.listen, &loaded.value.ledger) {
                    tracing::warn!("`listen` and `ledger` take effect at the next start; the rest applies now");
                }
                config.send_replace(Arc::new(loaded.value));
                tracing::info!(file = %path.display(), "Configuration reloaded");
            }
            Err(error) => {
                tracing::error!(file = %path.display(), error = %whole(&error), "Configuration is wrong; the old one stays");
            }
        }
    }
}

fn tls_files(files: &config::collector::TlsFiles) -> TlsFiles {
    TlsFiles {
        cert_file: files.cert_file.clone(),
        key_file: files.key_file.clone(),
        client_ca_file: files.client_ca_file.clone(),
    }
}

/// The ledger's address as [`ledger::open`] reads it.
pub fn ledger_url(url: &LedgerUrl) -> String {
    match url {
        LedgerUrl::Sqlite(path) => format!("sqlite:{}", path.display()),
        LedgerUrl::SqliteMemory => "sqlite::memory:".to_owned(),
        LedgerUrl::Postgres(secret) => secret.expose().to_owned(),
    }
}

#[cfg(test)]
mod heard;
#[cfg(test)]
mod tests;
