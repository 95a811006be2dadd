//! One sealing: blocks that are not sealed yet become files, a manifest, and a row in the books.
//!
//! Objects are written first and the row last; until it is there nothing happened. Of two collectors
//! that seal at once one gets the row; the other deletes what it wrote and nobody needs.

use super::digest::Digest;
use super::file::{Label, write};
use super::manifest::{Cover, Manifest, SealedFile};
use super::rows::{Gathered, SeriesRows};
use super::{Archive, ArchiveError, place};
use crate::ledger::StoredBlock;
use crate::ledger::books::{Booked, Seal};
use bytes::Bytes;
use rules::agreement::Agreement;
use rules::block::Block;
use rules::id::{AgentId, AgreementId, ServiceId};
use rules::time::Timestamp;
use std::collections::{BTreeSet, HashMap};

/// The most results of a seal, give or take a few blocks: about 80 MB while it is made. What is left
/// over is sealed next, at once.
const RESULTS_MAX: usize = 1 << 19;
/// How many blocks are read at once; at most 16 MiB.
const BLOCKS_AT_ONCE: usize = 64;

/// Which agreement promises which service.
#[derive(Clone, Debug, Default)]
pub struct Promised(HashMap<ServiceId, AgreementId>);

impl Promised {
    /// What `agreements` promise.
    pub fn by<'a>(agreements: impl IntoIterator<Item = &'a Agreement>) -> Promised {
        let services = |agreement: &'a Agreement| agreement.services.iter().map(move |of| (of, agreement));
        let pairs = agreements.into_iter().flat_map(services);
        Promised(pairs.map(|(service, agreement)| (service.id.clone(), agreement.id.clone())).collect())
    }

    pub(super) fn of(&self, service: &ServiceId) -> Option<AgreementId> {
        self.0.get(service).cloned()
    }
}

/// What became of a sealing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sealed {
    /// Everything was sealed before.
    Nothing,
    /// This seal was made.
    Seal(u64),
    /// Another collector was faster.
    Forestalled,
}

/// What a seal will hold.
#[derive(Default)]
struct Content {
    covers: Vec<Cover>,
    gathered: Gathered,
    results: usize,
}

impl Archive {
    /// Seals blocks that are not sealed yet, at most so many at once.
    pub async fn seal(&self, promised: &Promised, now: Timestamp) -> Result<Sealed, ArchiveError> {
        self.refresh().await?;
        let content = self.unsealed(promised).await?;
        if content.covers.is_empty() {
            return Ok(Sealed::Nothing);
        }
        let before = self.catalogue.last();
        let number = before.map_or(1, |(number, _)| number + 1);
        let Content { covers, gathered, .. } = content;
        let made = tokio::task::spawn_blocking(move || files(gathered, number, now)).await??;
        let (files, bytes): (Vec<_>, Vec<_>) = made.into_iter().unzip();
        for (file, bytes) in files.iter().zip(bytes) {
            self.store.put(&file.place, bytes).await?;
        }
        let predecessor = before.map(|(_, digest)| digest);
        let manifest = Manifest { number, sealed_at: now, predecessor, covers, files, disposed: Vec::new() };
        self.book(&manifest).await
    }

    /// Writes a manifest and its row; takes back what was written if another collector was faster.
    pub(super) async fn book(&self, manifest: &Manifest) -> Result<Sealed, ArchiveError> {
        let text = manifest.to_json();
        let digest = Digest::of(text.as_bytes());
        let place = place::of_manifest(manifest.number, &digest);
        self.store.put(&place, Bytes::from(text.clone())).await?;
        let (number, sealed_at) = (manifest.number, manifest.sealed_at);
        let seal = Seal { number, sealed_at, manifest: text, sha256: digest.0, verified_at: None };
        if self.ledger.seal(seal.clone()).await? == Booked::Durable {
            self.catalogue.take(&seal)?;
            return Ok(Sealed::Seal(number));
        }
        // The winner may have written the same bytes under the same name.
        let winner = self.manifest(number).await?;
        let kept: BTreeSet<&str> = winner.files.iter().map(|file| file.place.as_str()).collect();
        for file in manifest.files.iter().filter(|file| !kept.contains(file.place.as_str())) {
            self.store.delete(&file.place).await?;
        }
        if winner != *manifest {
            self.store.delete(&place).await?;
        }
        Ok(Sealed::Forestalled)
    }

    async fn unsealed(&self, promised: &Promised) -> Result<Content, ArchiveError> {
        let sealed = self.catalogue.sealed();
        let mut content = Content::default();
        for (agent, position) in self.ledger.positions().await? {
            let from = sealed.get(&agent).copied().unwrap_or(0);
            self.gather(&mut content, promised, &agent, from, position).await?;
            if RESULTS_MAX <= content.results {
                break;
            }
        }
        Ok(content)
    }

    async fn gather(
        &self,
        content: &mut Content,
        promised: &Promised,
        agent: &AgentId,
        from: u64,
        position: u64,
    ) -> Result<(), ArchiveError> {
        let mut cover = Cover { agent: agent.clone(), from, until: from, lanes: Vec::new(), tombstones: Vec::new() };
        while cover.until < position && content.results < RESULTS_MAX {
            let blocks = self.ledger.blocks_from(agent, cover.until, BLOCKS_AT_ONCE).await?;
            if blocks.is_empty() {
                break;
            }
            for stored in &blocks {
                let block = decoded(agent, cover.until, stored)?;
                content.results += block.len();
                content.gathered.push(stored.incarnation, &block, |service| promised.of(service));
                cover.push(stored.incarnation, stored.seq, &block.tombstones);
            }
        }
        if cover.from < cover.until {
            content.covers.push(cover);
        }
        Ok(())
    }
}

/// The block that must stand at `position`.
pub(super) fn decoded(agent: &AgentId, position: u64, stored: &StoredBlock) -> Result<Block, ArchiveError> {
    if stored.position != position {
        let what = format!("agent {agent}: block {} where block {position} belongs", stored.position);
        return Err(ArchiveError::Ledger(crate::ledger::LedgerError::Corrupt { what }));
    }
    Block::decode(&stored.bytes).map_err(|source| ArchiveError::Block { agent: agent.clone(), position, source })
}

fn files(gathered: Gathered, number: u64, now: Timestamp) -> Result<Vec<(SealedFile, Bytes)>, ArchiveError> {
    let made = gathered.into_files().map(|(agreement, series)| file(agreement, &series, number, now));
    made.filter_map(Result::transpose).collect()
}

/// The file of `series` that seal `number` makes, placed by the day of `at`; none if there are no results.
pub(super) fn file(
    agreement: Option<AgreementId>,
    series: &[SeriesRows],
    number: u64,
    at: Timestamp,
) -> Result<Option<(SealedFile, Bytes)>, ArchiveError> {
    let Some((first_at, last_at)) = span(series) else { return Ok(None) };
    let label = Label { seal: number, agreement: agreement.clone() };
    let bytes = write(&label, series)?;
    let sha256 = Digest::of(&bytes);
    let mut services: Vec<ServiceId> = series.iter().map(|of| of.series.service.clone()).collect();
    services.dedup();
    let file = SealedFile {
        place: place::of_file(agreement.as_ref(), at, number, &sha256),
        agreement,
        services,
        bytes: bytes.len() as u64,
        rows: series.iter().map(|of| of.rows.len() as u64).sum(),
        sha256,
        first_at,
        last_at,
    };
    Ok(Some((file, Bytes::from(bytes))))
}

pub(super) fn span(series: &[SeriesRows]) -> Option<(Timestamp, Timestamp)> {
    let spans = series.iter().filter_map(|of| Some((of.rows.first()?.result.at, of.rows.last()?.result.at)));
    spans.reduce(|(first, last), (from, until)| (first.min(from), last.max(until)))
}
