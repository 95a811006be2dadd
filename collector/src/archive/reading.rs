//! Manifests, files and blocks out of the archive.

use super::catalogue::checked;
use super::digest::Digest;
use super::file::read;
use super::manifest::{Manifest, SealedFile};
use super::rows::{Placed, SeriesRows, blocks};
use super::{Archive, ArchiveError, FILES_REMEMBERED};
use crate::ledger::{LedgerError, StoredBlock};
use bytes::Bytes;
use rules::id::{AgentId, ServiceId};
use rules::interval::Interval;
use rules::record::Ground;
use rules::time::Timestamp;
use std::sync::{Arc, PoisonError};

/// Which of a seal's files are read.
#[derive(Clone, Copy, Debug)]
pub(super) enum Wanted<'a> {
    /// All of them.
    All,
    /// Those with results within an interval, of one service or of all.
    Within(Interval, Option<&'a ServiceId>),
}

impl Wanted<'_> {
    fn has(&self, file: &SealedFile) -> bool {
        match self {
            Wanted::All => true,
            Wanted::Within(interval, service) => {
                let touches = file.first_at < interval.until() && interval.from() <= file.last_at;
                touches && service.is_none_or(|service| file.services.binary_search(service).is_ok())
            }
        }
    }
}

impl Archive {
    /// Learns what was sealed since the last call.
    pub async fn refresh(&self) -> Result<(), ArchiveError> {
        self.catalogue.refresh(&*self.ledger).await
    }

    /// The manifest of one seal.
    pub(crate) async fn manifest(&self, number: u64) -> Result<Manifest, ArchiveError> {
        let seal = self.ledger.seals_from(number, 1).await?.into_iter().next();
        let seal = seal.filter(|seal| seal.number == number);
        let missing = || ArchiveError::Chain { number, what: "it is missing".to_owned() };
        let seal = seal.ok_or_else(missing)?;
        let manifest = Manifest::from_json(&seal.manifest)
            .map_err(|source| ArchiveError::Manifest { place: format!("of seal {number}"), source })?;
        let before = manifest.predecessor.map(|digest| (number - 1, digest));
        checked(&seal, before)
    }

    /// The results in one file; nothing if they were erased.
    pub(crate) async fn file(
        &self,
        manifest: &Manifest,
        index: usize,
    ) -> Result<Option<Arc<Vec<SeriesRows>>>, ArchiveError> {
        let file = &manifest.files[index];
        // Asked first: what is gone must not be told from memory.
        match self.catalogue.disposed(manifest.number, u32::try_from(index).unwrap_or(u32::MAX)) {
            Some(Ground::Erasure | Ground::Standing) => return Ok(None),
            Some(Ground::Retention | Ground::Returned) => {
                return Err(ArchiveError::Gone { agreement: file.agreement.clone(), until: file.last_at });
            }
            None => {}
        }
        if let Some(rows) = self.remembered(&file.sha256) {
            return Ok(Some(rows));
        }
        let Some(bytes) = self.store.read(&file.place).await? else {
            return Err(damaged(file, "is not there"));
        };
        let rows = Arc::new(decoded(manifest.number, file.clone(), bytes).await?);
        let mut remembered = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        remembered.push_front((file.sha256, Arc::clone(&rows)));
        remembered.truncate(FILES_REMEMBERED);
        Ok(Some(rows))
    }

    /// A file as it lies in the store, if it is whole; nothing if it is gone on purpose.
    pub(crate) async fn sealed_bytes(&self, manifest: &Manifest, index: usize) -> Result<Option<Bytes>, ArchiveError> {
        let file = &manifest.files[index];
        if self.catalogue.disposed(manifest.number, u32::try_from(index).unwrap_or(u32::MAX)).is_some() {
            return Ok(None);
        }
        match self.store.read(&file.place).await? {
            Some(bytes) if Digest::of(&bytes) == file.sha256 => Ok(Some(bytes)),
            Some(_) => Err(damaged(file, "has another digest than was sealed")),
            None => Err(damaged(file, "is not there")),
        }
    }

    fn remembered(&self, digest: &Digest) -> Option<Arc<Vec<SeriesRows>>> {
        let mut remembered = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        let index = remembered.iter().position(|(of, _)| of == digest)?;
        let found = remembered.remove(index)?;
        let rows = Arc::clone(&found.1);
        remembered.push_front(found);
        Some(rows)
    }

    /// `agent`'s blocks of one seal, put together from the files that are wanted.
    pub(super) async fn blocks_of(
        &self,
        number: u64,
        agent: &AgentId,
        wanted: Wanted<'_>,
    ) -> Result<Vec<StoredBlock>, ArchiveError> {
        let manifest = self.manifest(number).await?;
        let files = self.files(&manifest, wanted).await?;
        let series = || files.iter().flat_map(|rows| rows.iter());
        let covers = manifest.covers.iter().filter(|cover| cover.agent == *agent);
        let placed = covers.flat_map(|cover| blocks(cover, series()));
        Ok(placed.map(|placed| stored(placed, manifest.sealed_at)).collect())
    }

    /// The results in those of a seal's files that are wanted, and not gone.
    pub(super) async fn files(
        &self,
        manifest: &Manifest,
        wanted: Wanted<'_>,
    ) -> Result<Vec<Arc<Vec<SeriesRows>>>, ArchiveError> {
        let mut files = Vec::new();
        for (index, _) in manifest.files.iter().enumerate().filter(|(_, file)| wanted.has(file)) {
            files.extend(self.file(manifest, index).await?);
        }
        Ok(files)
    }
}

/// The results in `bytes`, if they are what was sealed as `file`.
pub(super) async fn decoded(number: u64, file: SealedFile, bytes: Bytes) -> Result<Vec<SeriesRows>, ArchiveError> {
    tokio::task::spawn_blocking(move || {
        if Digest::of(&bytes) != file.sha256 {
            return Err(damaged(&file, "has another digest than was sealed"));
        }
        let (label, series) = read(bytes).map_err(|source| ArchiveError::File { place: file.place.clone(), source })?;
        let rows: usize = series.iter().map(|series| series.rows.len()).sum();
        if label.seal != number || label.agreement != file.agreement || rows as u64 != file.rows {
            return Err(damaged(&file, "is labelled otherwise than its manifest says"));
        }
        Ok(series)
    })
    .await?
}

pub(super) fn damaged(file: &SealedFile, what: &str) -> ArchiveError {
    ArchiveError::Damaged { place: file.place.clone(), what: what.to_owned() }
}

/// A block as the ledger had it. When the collector had it is not sealed; that it had it when it
/// sealed it is.
fn stored(placed: Placed, sealed_at: Timestamp) -> StoredBlock {
    let Placed { position, incarnation, block } = placed;
    StoredBlock {
        position,
        incarnation,
        seq: block.seq,
        received_at: sealed_at,
        span: block.span(),
        results: u32::try_from(block.len()).unwrap_or(u32::MAX),
        bytes: block.encode(),
    }
}

impl From<ArchiveError> for LedgerError {
    fn from(error: ArchiveError) -> LedgerError {
        if let ArchiveError::Gone { .. } = error {
            return LedgerError::Gone { what: error.to_string() };
        }
        if let ArchiveError::Ledger(error) = error { error } else { LedgerError::Archive(Box::new(error)) }
    }
}
