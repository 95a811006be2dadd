//! Files that are gone on purpose: retention and erasure.
//!
//! First a seal says which files are gone and why, then they are deleted, then the agreement's record
//! says how many there were. A crash between two of these leaves a file that is declared gone, which
//! the next tidying deletes (`tidying.rs`), or a record that says less than the chain, which the next
//! round makes up for.

use super::manifest::{Disposed, Manifest, SealedFile};
use super::seal::{Promised, Sealed};
use super::{Archive, ArchiveError};
use crate::ledger::LedgerError;
use crate::record::{Before, Draft, Record, RecordError};
use rules::agreement::Agreement;
use rules::id::AgreementId;
use rules::period::{Month, Zone};
use rules::record::{BY_NINES, Fact, Ground};
use rules::time::Timestamp;
use std::collections::BTreeSet;
use std::time::Duration;

/// How many seals are read at once.
const SEALS_AT_ONCE: usize = 64;
/// The most files that one seal says are gone; what is left over is said by the next.
const FILES_MAX: usize = 10_000;

impl Archive {
    /// The files that are not gone and that `fits`, to be gone on `ground` and on the record of `whose`.
    pub(crate) async fn doomed(
        &self,
        whose: Option<&AgreementId>,
        ground: Ground,
        fits: impl Fn(&SealedFile) -> bool,
    ) -> Result<Vec<Disposed>, ArchiveError> {
        let (mut doomed, mut next) = (Vec::new(), 1);
        loop {
            let seals = self.ledger.seals_from(next, SEALS_AT_ONCE).await?;
            for seal in &seals {
                next = seal.number + 1;
                let manifest = Manifest::from_json(&seal.manifest)
                    .map_err(|source| ArchiveError::Manifest { place: format!("of seal {}", seal.number), source })?;
                for (file, index) in manifest.files.iter().zip(0u32..) {
                    let there = self.catalogue.disposed(seal.number, index).is_none();
                    if there && seal.verified_at.is_some() && fits(file) {
                        doomed.push(Disposed {
                            seal: seal.number,
                            file: index,
                            place: file.place.clone(),
                            agreement: whose.cloned(),
                            ground,
                            results: file.rows,
                            until: file.last_at,
                        });
                    }
                }
            }
            if seals.len() < SEALS_AT_ONCE {
                return Ok(doomed);
            }
        }
    }

    /// Says that files are gone, and deletes them. Says how many; fewer if another collector is at it.
    pub(crate) async fn dispose(&self, doomed: &[Disposed], now: Timestamp) -> Result<u64, ArchiveError> {
        let mut gone = 0;
        for disposed in doomed.chunks(FILES_MAX) {
            let before = self.catalogue.last();
            let manifest = Manifest {
                number: before.map_or(1, |(number, _)| number + 1),
                sealed_at: now,
                predecessor: before.map(|(_, digest)| digest),
                covers: Vec::new(),
                files: Vec::new(),
                disposed: disposed.to_vec(),
            };
            match self.book(&manifest).await? {
                Sealed::Seal(_) => {}
                // Whoever was faster may have said the same; the next round looks again.
                Sealed::Forestalled | Sealed::Nothing => break,
            }
            for file in disposed {
                self.store.delete(&file.place).await?;
                gone += 1;
            }
        }
        Ok(gone)
    }

    /// Disposes of what `agreement`'s retention no longer keeps: files all of whose results are older,
    /// of months that have a final statement.
    pub(crate) async fn retire(&self, agreement: &Agreement, now: Timestamp) -> Result<u64, ArchiveError> {
        let Some(retention) = agreement.policy.retention else { return Ok(0) };
        let issued = self.ledger.issued(&agreement.id, None).await?;
        let closed: BTreeSet<Month> = issued.into_iter().map(|issued| issued.month).collect();
        let before = now.minus(retention);
        let over = |file: &SealedFile| {
            file.agreement.as_ref() == Some(&agreement.id)
                && file.last_at < before
                && months(file.first_at, file.last_at, &agreement.zone).all(|month| closed.contains(&month))
        };
        let doomed = self.doomed(Some(&agreement.id), Ground::Retention, over).await?;
        self.dispose(&doomed, now).await
    }

    /// Disposes of results older than `keep` that no agreement promised when they were sealed, nor does
    /// now: what is promised by now may be needed.
    pub(crate) async fn retire_unpromised(
        &self,
        keep: Duration,
        promised: &Promised,
        now: Timestamp,
    ) -> Result<u64, ArchiveError> {
        let before = now.minus(keep);
        let over = |file: &SealedFile| {
            let nobodys = || file.services.iter().all(|service| promised.of(service).is_none());
            file.agreement.is_none() && file.last_at < before && nobodys()
        };
        // Nobody's account needs them: whoever reads goes on without, as after an erasure.
        let doomed = self.doomed(None, Ground::Erasure, over).await?;
        self.dispose(&doomed, now).await
    }

    /// Brings every agreement's record up to what the chain says is gone.
    pub(crate) async fn account(&self, record: &Record) -> Result<(), RecordError> {
        let gone = self.catalogue.gone().into_iter();
        let totals =
            gone.flat_map(|(agreement, totals)| totals.into_iter().map(move |total| (agreement.clone(), total)));
        for (agreement, total) in totals {
            let missing = |before: Before<'_>| -> Result<Draft, RecordError> {
                let mut disposal = total.clone();
                for entry in before.entries {
                    if let Fact::Disposal(told) = &entry.fact
                        && told.ground == total.ground
                    {
                        disposal.files = disposal.files.saturating_sub(told.files);
                        disposal.results = disposal.results.saturating_sub(told.results);
                    }
                }
                Ok(if disposal.files == 0 { Draft::default() } else { Draft::fact(Fact::Disposal(disposal)) })
            };
            record.append(&agreement, BY_NINES, missing).await?;
        }
        Ok(())
    }
}

/// The months that a file's results lie in.
fn months(first: Timestamp, last: Timestamp, zone: &Zone) -> impl Iterator<Item = Month> {
    let end = Month::containing(last, zone);
    std::iter::successors(Some(Month::containing(first, zone)), move |month| (*month < end).then(|| month.next()))
}

impl From<RecordError> for ArchiveError {
    fn from(error: RecordError) -> ArchiveError {
        ArchiveError::Ledger(match error {
            RecordError::Ledger(error) => error,
            RecordError::Broken { .. }
            | RecordError::Missing { .. }
            | RecordError::Unreadable { .. }
            | RecordError::OutOfBounds(_)
            | RecordError::Full(_)
            | RecordError::Busy(_) => LedgerError::Corrupt { what: daemon::error_text::whole(&error) },
        })
    }
}
