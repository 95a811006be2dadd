//! A ledger together with what it forgot: blocks that lie in the archive are read from there, as if
//! they had never left.
//!
//! Whoever folds, explains or rebuilds asks a ledger for blocks and need not know where they lie.
//! Everything else goes straight to the ledger.

mod delegation;

use super::reading::Wanted;
use super::{Archive, ArchiveError};
use crate::ledger::books::Forgotten;
use crate::ledger::{Ledger, LedgerError, StoredBlock};
use rules::id::{AgentId, ServiceId};
use rules::interval::Interval;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

/// `ledger` with its archive, if it has one.
pub fn deepened(ledger: Arc<dyn Ledger>, archive: Option<&Arc<Archive>>) -> Arc<dyn Ledger> {
    match archive {
        Some(archive) => Arc::new(ArchivedLedger::new(ledger, Arc::clone(archive))),
        None => ledger,
    }
}

/// A ledger and its archive.
pub struct ArchivedLedger {
    ledger: Arc<dyn Ledger>,
    archive: Arc<Archive>,
    /// The blocks that were put together last, for whoever reads on.
    last: Mutex<Option<Blocks>>,
}

/// One agent's blocks of one seal.
#[derive(Clone)]
struct Blocks {
    agent: AgentId,
    /// The last seal there was then: a later one may say that some of it is gone.
    sealed: Option<u64>,
    blocks: Arc<Vec<StoredBlock>>,
}

impl ArchivedLedger {
    /// `ledger` with its `archive`.
    pub fn new(ledger: Arc<dyn Ledger>, archive: Arc<Archive>) -> ArchivedLedger {
        ArchivedLedger { ledger, archive, last: Mutex::default() }
    }

    /// What of `agent`'s blocks neither the ledger nor the archive can give whole.
    async fn gone(&self, agent: &AgentId) -> Result<Option<Forgotten>, LedgerError> {
        if self.ledger.forgotten(agent).await?.is_none() {
            return Ok(None);
        }
        self.archive.refresh().await?;
        Ok(self.archive.catalogue.retired(agent))
    }

    async fn blocks_at(&self, agent: &AgentId, position: u64, limit: usize) -> Result<Vec<StoredBlock>, LedgerError> {
        let blocks = self.ledger.blocks_from(agent, position, limit).await?;
        if blocks.first().is_some_and(|block| block.position == position) {
            return Ok(blocks);
        }
        match self.ledger.forgotten(agent).await? {
            Some(forgotten) if position < forgotten.position => {
                Ok(self.archived_from(agent, position, limit).await?.unwrap_or(blocks))
            }
            _ => Ok(blocks),
        }
    }

    /// Blocks of the archive from `position` on; nothing if it has none there.
    async fn archived_from(
        &self,
        agent: &AgentId,
        position: u64,
        limit: usize,
    ) -> Result<Option<Vec<StoredBlock>>, ArchiveError> {
        let part = |blocks: &[StoredBlock]| {
            let from = blocks.partition_point(|block| block.position < position);
            blocks[from..].iter().take(limit).cloned().collect::<Vec<_>>()
        };
        self.archive.refresh().await?;
        let sealed = self.archive.catalogue.last().map(|(number, _)| number);
        let remembered = self.last.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(last) = remembered.filter(|last| last.agent == *agent && last.sealed == sealed)
            && last.blocks.first().is_some_and(|first| first.position <= position)
            && last.blocks.last().is_some_and(|last| position <= last.position)
        {
            return Ok(Some(part(&last.blocks)));
        }
        let Some(number) = self.archive.catalogue.covering(agent, position) else { return Ok(None) };
        let blocks = Arc::new(self.archive.blocks_of(number, agent, Wanted::All).await?);
        let found = part(&blocks);
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) =
            Some(Blocks { agent: agent.clone(), sealed, blocks });
        Ok(Some(found))
    }

    async fn within(
        &self,
        agent: &AgentId,
        service: Option<&ServiceId>,
        interval: Interval,
    ) -> Result<Vec<StoredBlock>, LedgerError> {
        // Read first: what is forgotten meanwhile is then found twice, and never missed.
        let own = self.ledger.blocks_within(agent, interval).await?;
        let forgotten = match self.ledger.forgotten(agent).await? {
            Some(forgotten) if interval.from() < forgotten.until => forgotten,
            _ => return Ok(own),
        };
        self.archive.refresh().await?;
        let kept: BTreeSet<u64> = own.iter().map(|block| block.position).collect();
        let mut blocks = Vec::new();
        for number in self.archive.catalogue.within(agent, interval) {
            let found = self.archive.blocks_of(number, agent, Wanted::Within(interval, service)).await?;
            blocks.extend(found.into_iter().filter(|block| {
                let touches = |(first, last)| first < interval.until() && interval.from() <= last;
                block.position < forgotten.position
                    && !kept.contains(&block.position)
                    && block.span.is_some_and(touches)
            }));
        }
        blocks.extend(own);
        blocks.sort_unstable_by_key(|block| block.position);
        Ok(blocks)
    }
}
