//! One agent's results, folded: the sole owner of that agent's series.
//!
//! Blocks go in, in the order of their positions; what changes of runs and hours comes out as
//! [`Effect`]s for the same transaction. Folding forgets order: any order, batching or repetition
//! of the same results gives the same runs and hours (`accounting.md` section 4). The fold never
//! writes and never decides whether a block counts; if the ledger refuses what it said, whoever
//! holds it drops it and loads it again.
//!
//! A commit in which late results were taken in carries a checkpoint, so that between a checkpoint
//! and the present only results in order came, and the rows in the ledger are those of the fold.

mod checkpoint;
pub(crate) mod hour;
mod late;
mod load;
mod publish;
pub(crate) mod series;

pub(crate) use load::{Followed, Scratch, load};

use crate::ledger::{Checkpoint, Effect, Hour, Ledger, LedgerError};
use rules::block::{Block, BlockSeries, Tombstone};
use rules::id::{AgentId, CheckId, ServiceId};
use rules::result::SeriesKey;
use rules::time::Timestamp;
use series::SeriesFold;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// How many blocks after a checkpoint the next one is due: a start reads at most so many.
const CHECKPOINT_EVERY: u64 = 512;

/// How many tombstones are remembered for people to see; the gaps they stand for are in the runs.
const TOMBSTONES_REMEMBERED: usize = 256;

/// One agent's series, up to a position.
#[derive(Clone, Debug)]
pub(crate) struct AgentFold {
    agent: AgentId,
    /// How many of the agent's blocks are in it.
    position: u64,
    /// The position of the last checkpoint that is known to be durable.
    checkpointed: u64,
    index: HashMap<ServiceId, HashMap<CheckId, usize>>,
    series: Vec<SeriesFold>,
    /// The series that changed since the last [`AgentFold::publish`].
    changed: Vec<usize>,
    tombstones: Vec<Tombstone>,
    /// Up to and including when results have come.
    last_at: Option<Timestamp>,
    /// Runs that ended at or before this are in the ledger only.
    since: Timestamp,
    /// All closed hours by series, if the ledger's are not those of this position.
    own_hours: Option<Vec<BTreeMap<Timestamp, Hour>>>,
}

/// What one commit must write of a fold.
#[derive(Debug)]
pub(crate) struct Settled {
    pub(crate) effects: Vec<Effect>,
    pub(crate) checkpoint: Option<Checkpoint>,
}

/// Whether a checkpoint is written before it is due.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum CheckpointWanted {
    /// Now.
    Now,
    /// When [`CHECKPOINT_EVERY`] blocks have come since the last one, or late results.
    WhenDue,
}

impl AgentFold {
    /// The fold of no blocks.
    pub(crate) fn new(agent: AgentId) -> AgentFold {
        AgentFold {
            agent,
            position: 0,
            checkpointed: 0,
            index: HashMap::new(),
            series: Vec::new(),
            changed: Vec::new(),
            tombstones: Vec::new(),
            last_at: None,
            since: Timestamp::MIN,
            own_hours: None,
        }
    }

    pub(crate) fn agent(&self) -> &AgentId {
        &self.agent
    }

    /// How many of the agent's blocks are in it.
    pub(crate) fn position(&self) -> u64 {
        self.position
    }

    /// Takes in the block at its position.
    pub(crate) fn push(&mut self, block: &Block) {
        self.position += 1;
        for part in &block.series {
            let index = self.index_of(part);
            let series = &mut self.series[index];
            if !std::mem::replace(&mut series.changed, true) {
                self.changed.push(index);
            }
            for result in &part.results {
                series.push(result, part.pace);
            }
        }
        self.tombstones.extend_from_slice(&block.tombstones);
        let surplus = self.tombstones.len().saturating_sub(TOMBSTONES_REMEMBERED);
        self.tombstones.drain(..surplus);
        self.last_at = self.last_at.max(block.span().map(|(_, last)| last));
    }

    /// Takes in what came late among `batch`, the blocks pushed since the last call, of which the
    /// first has position `before`; says what a commit of them must write.
    pub(crate) async fn settle(
        &mut self,
        ledger: &dyn Ledger,
        batch: &[Arc<Block>],
        before: u64,
        wanted: CheckpointWanted,
    ) -> Result<Settled, LedgerError> {
        let late = self.has_late();
        if late {
            self.take_in_late(ledger, batch, before).await?;
        }
        let due = late || CHECKPOINT_EVERY <= self.position - self.checkpointed;
        let effects = self.effects();
        let checkpoint = (due || wanted == CheckpointWanted::Now).then(|| self.to_checkpoint());
        Ok(Settled { effects, checkpoint })
    }

    /// Remembers that the checkpoint of the present position is durable.
    pub(crate) fn checkpointed(&mut self) {
        self.checkpointed = self.position;
    }

    /// Whether anything was folded that no checkpoint holds.
    pub(crate) fn is_ahead_of_checkpoint(&self) -> bool {
        self.checkpointed < self.position
    }

    /// Forgets runs that ended at or before `instant`; the ledger has them.
    pub(crate) fn forget_before(&mut self, instant: Timestamp) {
        if instant <= self.since {
            return;
        }
        self.since = instant;
        for (index, series) in self.series.iter_mut().enumerate() {
            let before = series.series.runs().len();
            series.series.forget_before(instant);
            if series.series.runs().len() < before {
                series.published = None;
                if !std::mem::replace(&mut series.changed, true) {
                    self.changed.push(index);
                }
            }
        }
    }

    /// Drops the series of `services`; says which they were. What is left is for a checkpoint only.
    pub(crate) fn expel(&mut self, services: &BTreeSet<ServiceId>) -> Vec<SeriesKey> {
        let (index, series) = (std::mem::take(&mut self.index), std::mem::take(&mut self.series));
        drop(index);
        self.changed.clear();
        let mut expelled = Vec::new();
        for series in series {
            if services.contains(&series.service) {
                let (service, check) = (series.service, series.check);
                expelled.push(SeriesKey { agent: self.agent.clone(), service, check });
            } else {
                self.add(series);
            }
        }
        expelled
    }

    fn has_late(&self) -> bool {
        self.changed.iter().any(|index| !self.series[*index].pending.late.is_empty())
    }

    fn effects(&mut self) -> Vec<Effect> {
        let mut effects = Vec::new();
        for index in &self.changed {
            let series = &mut self.series[*index];
            let pending = std::mem::take(&mut series.pending);
            if let Some(own) = &mut self.own_hours {
                own.resize_with(own.len().max(index + 1), BTreeMap::new);
                let own = &mut own[*index];
                if let Some(from) = pending.forget_from {
                    own.retain(|hour, _| *hour < from);
                }
                own.extend(pending.hours.iter().map(|hour| (hour.hour, hour.clone())));
            }
            if pending.forget_from.is_none() && pending.runs.is_empty() && pending.hours.is_empty() {
                continue;
            }
            let (service, check) = (series.service.clone(), series.check.clone());
            effects.push(Effect {
                series: SeriesKey { agent: self.agent.clone(), service, check },
                forget_from: pending.forget_from,
                runs: pending.runs,
                hours: pending.hours,
            });
        }
        effects
    }

    fn index_of(&mut self, part: &BlockSeries) -> usize {
        if let Some(index) = self.index.get(&part.service).and_then(|checks| checks.get(&part.check)) {
            return *index;
        }
        self.add(SeriesFold::new(part.service.clone(), part.check.clone(), part.pace))
    }

    fn add(&mut self, series: SeriesFold) -> usize {
        let index = self.series.len();
        self.index.entry(series.service.clone()).or_default().insert(series.check.clone(), index);
        self.series.push(series);
        index
    }
}
