//! From the ledger into memory: rows, checkpoint, and the blocks since.
//!
//! Between a checkpoint and the present only results in order came (see [`super`]), so the closed
//! runs of the ledger go before the open ones of the checkpoint, and the blocks since are pushed.
//! If one of these is missing or doesn't fit, the fold is made from the first block on, as long as
//! no block was forgotten: blocks are only forgotten once a checkpoint holds them.

use super::{AgentFold, CheckpointWanted};
use crate::commit::INCARNATION_IMPORTED;
use crate::ledger::{Checkpoint, Derived, Hour, Ledger, LedgerError, StoredBlock};
use rules::block::Block;
use rules::id::AgentId;
use rules::run::{Run, Series};
use rules::time::Timestamp;
use std::sync::Arc;

/// How many blocks are read at once; at most 16 MiB.
const BLOCKS_AT_ONCE: usize = 64;

/// `agent`'s fold as of everything committed, with the runs that ended after `since`.
pub(crate) async fn load(ledger: &dyn Ledger, agent: &AgentId, since: Timestamp) -> Result<AgentFold, LedgerError> {
    let checkpoint = ledger.checkpoint(agent).await?;
    if let Some(mut fold) = checkpoint.and_then(|bytes| AgentFold::from_checkpoint(agent.clone(), &bytes)) {
        fold.take_closed_runs(ledger.derived(agent, since).await?);
        fold.since = since;
        if fold.follow(ledger).await? == Followed::InOrder {
            return Ok(fold);
        }
    }
    let mut fold = Scratch::fold(ledger, agent).await?.fold;
    fold.own_hours = None;
    fold.forget_before(since);
    Ok(fold)
}

/// The block that says nothing but its place: in the lane of imported history it marks that series
/// were erased.
fn empty(block: &Block) -> Block {
    Block { agent: block.agent.clone(), seq: block.seq, series: Vec::new(), tombstones: Vec::new() }
}

/// Whether blocks could be taken in without reading others again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Followed {
    /// All of them were.
    InOrder,
    /// One of them had late results, or marks an erasure: the fold must be loaded anew.
    Late,
}

impl AgentFold {
    /// Takes in what others committed since.
    pub(crate) async fn follow(&mut self, ledger: &dyn Ledger) -> Result<Followed, LedgerError> {
        loop {
            let blocks = ledger.blocks_from(&self.agent, self.position, BLOCKS_AT_ONCE).await?;
            if blocks.is_empty() {
                return Ok(Followed::InOrder);
            }
            let mut marked = false;
            for stored in &blocks {
                let block = self.decoded(stored)?;
                marked |= stored.incarnation == INCARNATION_IMPORTED.0 && block == empty(&block);
                self.push(&block);
            }
            if self.has_late() || marked {
                return Ok(Followed::Late);
            }
            self.effects();
        }
    }

    fn take_closed_runs(&mut self, derived: Vec<Derived>) {
        for Derived { series: key, runs, .. } in derived {
            let known = self.index.get(&key.service).and_then(|checks| checks.get(&key.check));
            // A series that began after the checkpoint is made of the blocks since.
            let Some(index) = known else { continue };
            let series = &mut self.series[*index].series;
            let Some(open) = series.runs().last().copied() else { continue };
            let closed = runs.into_iter().filter(|run| run.first_at < open.first_at);
            *series = Series::resume(closed.chain([open]).collect(), series.last().copied());
        }
    }

    fn decoded(&self, stored: &StoredBlock) -> Result<Block, LedgerError> {
        let corrupt = |what| LedgerError::Corrupt { what };
        if stored.position != self.position {
            let (found, wanted) = (stored.position, self.position);
            return Err(corrupt(format!("agent {}: block {found} where block {wanted} belongs", self.agent)));
        }
        let undecodable = |error| corrupt(format!("block {} of agent {}: {error}", stored.position, self.agent));
        Block::decode(&stored.bytes).map_err(undecodable)
    }
}

/// A fold made of all blocks, with everything that is derived from them.
pub(crate) struct Scratch {
    pub(crate) fold: AgentFold,
}

impl Scratch {
    /// Folds all of `agent`'s blocks from the first one on; never a part of them.
    pub(crate) async fn fold(ledger: &dyn Ledger, agent: &AgentId) -> Result<Scratch, LedgerError> {
        if let Some(forgotten) = ledger.forgotten(agent).await? {
            return Err(LedgerError::Forgotten { agent: agent.clone(), blocks: forgotten.position });
        }
        let mut fold = AgentFold::new(agent.clone());
        fold.own_hours = Some(Vec::new());
        loop {
            let stored = ledger.blocks_from(agent, fold.position, BLOCKS_AT_ONCE).await?;
            if stored.is_empty() {
                return Ok(Scratch { fold });
            }
            let before = fold.position;
            let mut blocks = Vec::with_capacity(stored.len());
            for stored in &stored {
                let block = fold.decoded(stored)?;
                fold.push(&block);
                blocks.push(Arc::new(block));
            }
            fold.settle(ledger, &blocks, before, CheckpointWanted::WhenDue).await?;
        }
    }

    /// What belongs into the ledger: closed runs and hours in order of series, and the rest as a
    /// checkpoint.
    pub(crate) fn derived(&self) -> (Vec<Derived>, Checkpoint) {
        let own = |index: usize| self.fold.own_hours.as_ref().and_then(|own| own.get(index));
        let hours = |index| own(index).map(|hours| hours.values().cloned().collect::<Vec<Hour>>()).unwrap_or_default();
        let closed = |runs: &[Run]| runs.split_last().map(|(_, closed)| closed.to_vec()).unwrap_or_default();
        let series = self.fold.series.iter().enumerate();
        let derived = series.map(|(index, series)| Derived {
            series: self.fold.key(index),
            runs: closed(series.series.runs()),
            hours: hours(index),
        });
        let mut derived: Vec<Derived> =
            derived.filter(|derived| !derived.runs.is_empty() || !derived.hours.is_empty()).collect();
        derived.sort_unstable_by(|a, b| a.series.cmp(&b.series));
        (derived, self.fold.to_checkpoint())
    }
}
