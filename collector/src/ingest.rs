//! What agents may ask of the collector: a lane, to take blocks, and what to check.
//!
//! The protocol is drawn in `rules::delivery`. Every request is known to be an agent's before its
//! body is read, and bounded before it is looked at. Nothing is acknowledged before it is durable,
//! and nothing here folds or writes: that is [`crate::commit`]'s.

mod blocks;
mod checks;
mod door;
mod problem;
mod register;
mod time;

use crate::commit::Commits;
use crate::ledger::Ledger;
use crate::metrics::Metrics;
use axum::Router;
use axum::routing::{get, post};
use config::collector::CollectorConfig;
use daemon::clock::Clock;
use door::Places;
use rules::delivery::{BLOCKS_PATH, CHECKS_PATH, REGISTER_PATH, TIME_PATH};
use std::sync::Arc;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// What the agents' routes need; cheap to clone.
#[derive(Clone)]
pub(crate) struct Ingest {
    pub(crate) commits: Commits,
    pub(crate) ledger: Arc<dyn Ledger>,
    pub(crate) config: watch::Receiver<Arc<CollectorConfig>>,
    pub(crate) metrics: Metrics,
    pub(crate) clock: Clock,
    /// Ends long polls when the process stops.
    pub(crate) cancel: CancellationToken,
    places: Arc<Places>,
}

impl Ingest {
    pub(crate) fn new(
        commits: Commits,
        ledger: Arc<dyn Ledger>,
        config: watch::Receiver<Arc<CollectorConfig>>,
        metrics: Metrics,
        clock: Clock,
        cancel: CancellationToken,
    ) -> Ingest {
        Ingest { commits, ledger, config, metrics, clock, cancel, places: Arc::default() }
    }

    /// The routes of the agents' listener.
    pub(crate) fn router(self) -> Router {
        Router::new()
            .route(REGISTER_PATH, post(register::register))
            .route(BLOCKS_PATH, post(blocks::blocks))
            .route(CHECKS_PATH, get(checks::checks))
            .route(TIME_PATH, get(time::time))
            .with_state(self)
    }
}
