//! The ledger, opened beside a collector that may be running: for commands that read or mend it.

use super::Failure;
use crate::archive::store::Store;
use crate::archive::{Archive, deepened};
use crate::commit::Committer;
use crate::evidence::LedgerEvidence;
use crate::ledger::{self, Ledger};
use crate::metrics::Metrics;
use crate::record::Record;
use crate::serve::ledger_url;
use crate::state::State;
use config::collector::CollectorConfig;
use config::collector::evidence::StoreUrl;
use daemon::clock::Clock;
use std::sync::Arc;

/// Opens the ledger that `config` names, together with its archive.
pub(crate) async fn open(config: &CollectorConfig) -> Result<Arc<dyn Ledger>, Failure> {
    let (ledger, archive) = open_both(config, None).await?;
    Ok(deepened(ledger, archive.as_ref()))
}

/// Opens the ledger and the archive that `config` names; `store` takes the place of the archive's.
pub(crate) async fn open_both(
    config: &CollectorConfig,
    store: Option<StoreUrl>,
) -> Result<(Arc<dyn Ledger>, Option<Arc<Archive>>), Failure> {
    let ledger = ledger::open(&ledger_url(&config.ledger)).await;
    let ledger = ledger.map_err(|error| Failure::run("open the ledger", error))?;
    let store = match (store, &config.archive) {
        (Some(named), _) => Store::open_existing(&named).map(Some),
        (None, Some(archive)) => Store::open(&archive.store).map(Some),
        (None, None) => Ok(None),
    };
    let store = store.map_err(|error| Failure::run("open the archive", error))?;
    let archive = store.map(|store| Arc::new(Archive::new(Arc::clone(&ledger), store)));
    Ok((ledger, archive))
}

/// A store as it is named on the command line: a directory, or a bucket's address.
pub(crate) fn store_url(text: &str) -> StoreUrl {
    match text.contains("://") {
        true => StoreUrl::Cloud(text.to_owned()),
        false => StoreUrl::Directory(text.into()),
    }
}

/// Reads what people put on record in `ledger`.
pub(crate) async fn record(ledger: Arc<dyn Ledger>, clock: &Clock) -> Result<Record, Failure> {
    Record::load(ledger, clock.clone()).await.map_err(|error| Failure::run("read the record", error))
}

/// Opens the ledger and loads what is committed.
pub(crate) async fn evidence(config: &CollectorConfig, clock: &Clock) -> Result<LedgerEvidence, Failure> {
    loaded(open(config).await?, clock).await
}

/// Loads what is committed in `ledger`.
pub(crate) async fn loaded(ledger: Arc<dyn Ledger>, clock: &Clock) -> Result<LedgerEvidence, Failure> {
    let state = State::default();
    let (mut committer, _commits) = Committer::new(Arc::clone(&ledger), state.clone(), Metrics::new(), clock.clone());
    committer.load_all().await.map_err(|error| Failure::run("load what is committed", error))?;
    Ok(LedgerEvidence::new(ledger, state))
}
