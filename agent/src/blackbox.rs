//! A drop-in for blackbox_exporter: its modules, its endpoints, its exposition, our probers.
//!
//! Targets are named by whoever asks, so what may be connected to is the prober's reach, probes run
//! bounded in number and time, and nothing that a module keeps secret is ever answered. It keeps
//! modules and the probes asked for lately, and never judges otherwise than scheduled checks are.

// Without an agent around it
pub mod alone;
// A probe, from its parameters to its page
mod exposition;
mod parameters;
mod probe;
mod series;
mod timeout;
// What else is answered
mod history;
mod log;
mod own;
mod pages;

use crate::prober::{NoResolver, Prober};
use axum::Router;
use axum::routing::{any, get};
use config::blackbox::{LoadError, Modules};
use daemon::clock::Clock;
use daemon::reload::{Change, FileWatch};
use history::History;
use own::Own;
use prometheus::Registry;
use rules::reach::Reach;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Semaphore, watch};
use tokio::task::spawn_blocking;
use tokio_util::sync::CancellationToken;

/// How many probes run at once; more wait. At 256 KiB each they stay within 128 MiB.
const PROBES_MAX: usize = 512;

/// What the drop-in is told beside its modules.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Settings {
    /// The file of modules.
    pub file: PathBuf,
    /// What is kept back from a scrape's timeout for the way back.
    pub timeout_offset: Duration,
    /// How many probes are kept for `/logs`, and as many failures beyond.
    pub history_limit: usize,
    /// Where probes may go.
    pub reach: Reach,
}

/// A drop-in that can't start.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Its modules can't be used.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The machine says nothing about names.
    #[error(transparent)]
    Resolver(#[from] NoResolver),
}

/// The drop-in; its handlers share it.
#[derive(Debug)]
pub(crate) struct Blackbox {
    settings: Settings,
    modules: watch::Sender<Arc<Modules>>,
    /// Made anew with the modules: it remembers authorities that it has read.
    prober: watch::Sender<Arc<Prober>>,
    /// Held while modules are read, so that two readings do not overtake each other.
    reading: tokio::sync::Mutex<()>,
    history: Mutex<History>,
    places: Semaphore,
    own: Own,
    clock: Clock,
}

impl Blackbox {
    /// Reads the modules; its own figures are kept in `registry`. Blocks for as long as the files it reads do.
    pub(crate) fn open(settings: Settings, registry: &Registry, clock: Clock) -> Result<Arc<Blackbox>, OpenError> {
        let modules = config::blackbox::load(&settings.file)?;
        let prober = Prober::within(settings.reach.clone(), clock.clone())?;
        let blackbox = Blackbox {
            modules: watch::Sender::new(Arc::default()),
            prober: watch::Sender::new(Arc::new(prober)),
            reading: tokio::sync::Mutex::default(),
            history: Mutex::new(History::new(settings.history_limit)),
            places: Semaphore::new(PROBES_MAX),
            own: Own::new(registry),
            settings,
            clock,
        };
        blackbox.take(modules);
        Ok(Arc::new(blackbox))
    }

    /// The endpoints that are blackbox_exporter's alone, without `/metrics`.
    pub(crate) fn router(self: &Arc<Blackbox>) -> Router {
        Router::new()
            .route("/", get(pages::index))
            .route("/probe", get(probe::answer))
            .route("/config", get(pages::config))
            .route("/logs", get(pages::logs))
            .route("/-/healthy", get(pages::healthy))
            .route("/-/reload", any(pages::reload))
            .with_state(Arc::clone(self))
    }

    /// Reads the modules again whenever their file changes or SIGHUP comes, until `stop`.
    pub(crate) async fn keep(self: Arc<Blackbox>, mut file: FileWatch, stop: CancellationToken) {
        loop {
            let change = tokio::select! {
                () = stop.cancelled() => return,
                change = file.changed() => change,
            };
            let asked = match change {
                Change::Asked => "signal",
                Change::Content => "change",
            };
            // What failed was told where it was decided.
            let _ = self.reload(asked).await;
        }
    }

    /// Reads the modules again; those that stand stay if that fails. The error is for whoever asked.
    async fn reload(&self, asked: &'static str) -> Result<(), String> {
        let _turn = self.reading.lock().await;
        let (file, reach, clock) = (self.settings.file.clone(), self.settings.reach.clone(), self.clock.clone());
        let read = move || -> Result<(Modules, Prober), OpenError> {
            Ok((config::blackbox::load(&file)?, Prober::within(reach, clock)?))
        };
        match spawn_blocking(read).await.expect("reading modules doesn't panic") {
            Ok((modules, prober)) => {
                self.prober.send_replace(Arc::new(prober));
                self.take(modules);
                tracing::info!(asked, "Modules were read again");
                Ok(())
            }
            Err(error) => {
                self.own.reload_successful.set(0);
                tracing::error!(asked, %error, "Modules can't be used, those before stay");
                Err(error.to_string())
            }
        }
    }

    fn take(&self, modules: Modules) {
        modules.warnings.iter().for_each(|warning| tracing::warn!(%warning, "Modules are doubtful"));
        self.modules.send_replace(Arc::new(modules));
        self.own.reload_successful.set(1);
        let millis = self.clock.wall().as_millis();
        self.own.reloaded_at.set(millis as f64 / 1000.0);
    }

    fn history(&self) -> std::sync::MutexGuard<'_, History> {
        self.history.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
