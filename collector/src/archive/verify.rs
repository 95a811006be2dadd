//! Nothing leaves the ledger on trust: every file of a seal is read back from the store, put together
//! into blocks again, and held against the ledger's, result by result.

use super::reading::Wanted;
use super::rows::{blocks, in_order};
use super::seal::decoded;
use super::{Archive, ArchiveError};
use rules::time::Timestamp;
use std::time::Duration;

/// How many blocks are read at once; at most 16 MiB.
const BLOCKS_AT_ONCE: usize = 64;

impl Archive {
    /// Verifies every seal that was not verified yet; says how many.
    pub async fn verify(&self, now: Timestamp) -> Result<u64, ArchiveError> {
        let mut verified = 0;
        for number in self.catalogue.unverified() {
            self.compare(number).await?;
            self.ledger.verify_seal(number, now).await?;
            verified += 1;
        }
        if 0 < verified {
            self.refresh().await?;
        }
        Ok(verified)
    }

    /// Holds a seal against the ledger's blocks.
    async fn compare(&self, number: u64) -> Result<(), ArchiveError> {
        let manifest = self.manifest(number).await?;
        let files = self.files(&manifest, Wanted::All).await?;
        for cover in &manifest.covers {
            let mut archived = blocks(cover, files.iter().flat_map(|rows| rows.iter())).into_iter();
            let mut position = cover.from;
            while position < cover.until {
                let ledger = self.ledger.blocks_from(&cover.agent, position, BLOCKS_AT_ONCE).await?;
                let differs = |position| ArchiveError::Differs { number, agent: cover.agent.clone(), position };
                if ledger.is_empty() {
                    return Err(differs(position));
                }
                for stored in ledger.iter().take_while(|stored| stored.position < cover.until) {
                    let block = in_order(&decoded(&cover.agent, position, stored)?);
                    let same = archived.next().is_some_and(|placed| {
                        (placed.position, placed.incarnation) == (stored.position, stored.incarnation)
                            && placed.block == block
                    });
                    if !same || block.seq != stored.seq {
                        return Err(differs(position));
                    }
                    position += 1;
                }
            }
        }
        Ok(())
    }

    /// Forgets the ledger's blocks whose seals were verified `keep` ago or longer; says how many.
    pub async fn forget(&self, keep: Duration, now: Timestamp) -> Result<u64, ArchiveError> {
        let mut forgotten = 0;
        for (agent, position) in self.catalogue.verified_by(now.minus(keep)) {
            forgotten += self.ledger.forget_blocks(&agent, position, Timestamp::MAX).await?;
        }
        Ok(forgotten)
    }

    /// How many blocks no seal covers yet.
    pub(crate) async fn unsealed_blocks(&self) -> Result<u64, ArchiveError> {
        let sealed = self.catalogue.sealed();
        let positions = self.ledger.positions().await?;
        let open = positions
            .into_iter()
            .map(|(agent, position)| position.saturating_sub(sealed.get(&agent).copied().unwrap_or(0)));
        Ok(open.sum())
    }

    /// When the last seal was made.
    pub(crate) fn last_sealed_at(&self) -> Option<Timestamp> {
        self.catalogue.last_sealed_at()
    }
}
