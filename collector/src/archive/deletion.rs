//! Data that must be gone because of its customer's standing: erased by the collector itself.
//!
//! What is due is said by `rules::record::deletion`, from the configuration and the record. Before anything
//! is erased the whole record is read from the ledger again, its chain is checked, and it is held against
//! what issued statements heard of it: a record that can't be read, was changed or cut off deletes
//! nothing. While the standing lasts it is looked again every day, for
//! what came late; what is gone already is not erased twice.

use super::erasure::Means;
use super::keeper::Keeper;
use super::seal::Promised;
use super::{ArchiveError, Belongings, deepened};
use crate::closing::issued::noted;
use crate::ledger::LedgerError;
use crate::record::{self, Record};
use config::collector::CollectorConfig;
use rules::agreement::Agreement;
use rules::id::AgreementId;
use rules::record::Ground;
use rules::record::deletion::{Deletion, deletion};
use rules::time::Timestamp;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// How often it is looked for what came after an erasure, and told that one waits.
const AGAIN_EVERY: Duration = Duration::from_hours(24);

/// When each agreement whose data must be gone was last seen to.
#[derive(Debug, Default)]
pub(super) struct Deletions(BTreeMap<AgreementId, Timestamp>);

impl Deletions {
    /// Whether it is time to see to `agreement`, and notes that it was.
    fn is_time(&self, agreement: &AgreementId, now: Timestamp) -> bool {
        self.0.get(agreement).is_none_or(|last| last.plus(AGAIN_EVERY) <= now)
    }
}

impl Keeper {
    /// Erases the data of every customer whose standing says so.
    pub(super) async fn delete(&mut self, config: &CollectorConfig, now: Timestamp) -> Result<(), ArchiveError> {
        let mut waiting = 0;
        let mut due: Vec<&Agreement> = Vec::new();
        for version in config.nearest(now) {
            match of(version, &self.record, now) {
                Deletion::NotDue => drop(self.deletions.0.remove(&version.id)),
                Deletion::NotYet(since) => {
                    waiting += 1;
                    if self.deletions.is_time(&version.id, now) {
                        self.deletions.0.insert(version.id.clone(), now);
                        let agreement = &version.id;
                        tracing::warn!(%agreement, %since, "Data is to be deleted and its standing is not on record, or not for a day yet; it stays");
                    }
                }
                Deletion::Due(_) if self.deletions.is_time(&version.id, now) => due.push(version),
                Deletion::Due(_) => {}
            }
        }
        self.counts.erasures_waiting.set(waiting);
        if due.is_empty() {
            return Ok(());
        }
        // Read from the ledger, every hash of it checked: what is in memory decides nothing here.
        let read = Record::load(Arc::clone(&self.archive.ledger), self.clock.clone()).await?;
        for version in due {
            self.check_whole(&version.id).await?;
            if let Deletion::Due(since) = of(version, &read, now) {
                self.erase(config, &version.id, since, now).await?;
                self.deletions.0.insert(version.id.clone(), now);
            }
        }
        Ok(())
    }

    /// Whether the record is as long as issued statements heard it: what was cut off may have said that
    /// the customer paid.
    async fn check_whole(&self, agreement: &AgreementId) -> Result<(), LedgerError> {
        let corrupt = |error: &dyn std::error::Error| LedgerError::Corrupt { what: daemon::error_text::whole(error) };
        let ledger = &*self.archive.ledger;
        let noted = noted(ledger, agreement).await.map_err(|error| corrupt(&error))?;
        record::chain::verify(ledger, agreement, &noted).await.map_err(|error| corrupt(&error)).map(drop)
    }

    async fn erase(
        &self,
        config: &CollectorConfig,
        agreement: &AgreementId,
        since: Timestamp,
        now: Timestamp,
    ) -> Result<(), ArchiveError> {
        let own = Belongings::of(&config.agreements, agreement);
        let promised = Promised::by(&config.agreements);
        let ledger = deepened(Arc::clone(&self.archive.ledger), Some(&self.archive));
        let means = Means { ledger: &ledger, promised: &promised, record: &self.record, ground: Ground::Standing };
        let erased = self.archive.erase(&own, &means, now).await?;
        if 0 < erased.results || 0 < erased.series {
            self.counts.erasures.inc();
            self.counts.disposed.inc_by(erased.files);
            let (results, files, blocks) = (erased.results, erased.files, erased.blocks);
            tracing::info!(%agreement, %since, results, files, blocks, "Data erased because of the customer's standing");
        }
        Ok(())
    }
}

fn of(version: &Agreement, record: &Record, now: Timestamp) -> Deletion {
    deletion(&version.standing, &version.policy.standing, &record.entries(&version.id), now)
}
