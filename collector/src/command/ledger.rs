//! The ledger, opened beside a collector that may be running: for commands that read or mend it.

use super::Failure;
use crate::commit::Committer;
use crate::evidence::LedgerEvidence;
use crate::ledger::{self, Ledger};
use crate::metrics::Metrics;
use crate::serve::ledger_url;
use crate::state::State;
use config::collector::CollectorConfig;
use daemon::clock::Clock;
use std::sync::Arc;

/// Opens the ledger that `config` names.
pub(crate) async fn open(config: &CollectorConfig) -> Result<Arc<dyn Ledger>, Failure> {
    let opened = ledger::open(&ledger_url(&config.ledger)).await;
    opened.map_err(|error| Failure::run("open the ledger", error))
}

/// Opens the ledger and loads what is committed.
pub(crate) async fn evidence(config: &CollectorConfig, clock: &Clock) -> Result<LedgerEvidence, Failure> {
    let ledger = open(config).await?;
    let state = State::default();
    let (mut committer, _commits) = Committer::new(Arc::clone(&ledger), state.clone(), Metrics::new(), clock.clone());
    committer.load_all().await.map_err(|error| Failure::run("load what is committed", error))?;
    Ok(LedgerEvidence::new(ledger, state))
}
