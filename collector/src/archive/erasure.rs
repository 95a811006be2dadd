//! An agreement's evidence, erased: its files, its results in blocks, and what was derived from them.
//!
//! A block holds results of many agreements and its bytes are what the agent signed for with its
//! checksum, so no block is rewritten. Instead everything is sealed and verified first; then the
//! blocks leave the ledger early, and the other agreements' evidence is read from the archive. For
//! each agent an empty block in the lane of imported history marks the place: with it, in one
//! transaction, the derived rows go and the checkpoint without them comes, and collectors that run
//! load the agent anew.
//!
//! What stays are accounts: issued statements, the record, the names of series, and the manifests,
//! which say how many results there were. Free pages of a database keep bytes until they are used
//! again, and so do backups; `docs/evidence.md` says what to do about them.

use super::seal::{Promised, Sealed};
use super::{Archive, ArchiveError, Belongings};
use crate::commit::INCARNATION_IMPORTED;
use crate::fold::load;
use crate::ledger::{Advance, Checkpoint, Committed, Effect, Ledger, LedgerError, StoredBlock};
use rules::block::{AT_MIN, Block};
use rules::delivery::SEQ_FIRST;
use rules::id::{AgentId, ServiceId};
use rules::record::Ground;
use rules::time::Timestamp;
use std::collections::BTreeSet;
use std::sync::Arc;

/// How often it is tried to get between two commits of an agent.
const ATTEMPTS_MAX: usize = 20;

/// What an erasure did.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Erased {
    /// Series whose derived rows are gone.
    pub series: u64,
    /// Files that are gone.
    pub files: u64,
    /// Results that they held.
    pub results: u64,
    /// Blocks that left the ledger before their time.
    pub blocks: u64,
}

impl Archive {
    /// Erases what belongs to an agreement. `ledger` is the archive's own with its archive.
    pub async fn erase(
        &self,
        ledger: &Arc<dyn Ledger>,
        own: &Belongings,
        promised: &Promised,
        now: Timestamp,
    ) -> Result<Erased, ArchiveError> {
        self.refresh().await?;
        let mut erased = Erased::default();
        let mut agents = Vec::new();
        for (agent, _) in self.ledger.positions().await? {
            let series = expel(&**ledger, &agent, &own.services, now).await?;
            erased.series += series;
            if 0 < series {
                agents.push(agent);
            }
        }
        while let Sealed::Seal(_) | Sealed::Forestalled = self.seal(promised, now).await? {}
        self.verify(now).await?;
        let doomed = self.doomed(&own.agreement, Ground::Erasure, |_, _| true).await?;
        erased.results = doomed.iter().map(|file| file.results).sum();
        erased.files = self.dispose(&doomed, now).await?;
        let verified = self.catalogue.verified_by(Timestamp::MAX);
        for agent in agents {
            let position = verified.get(&agent).copied().unwrap_or(0);
            erased.blocks += self.ledger.forget_blocks(&agent, position, Timestamp::MAX).await?;
        }
        Ok(erased)
    }
}

/// Drops the series of `services` from all that is derived for `agent`; says how many there were.
async fn expel(
    ledger: &dyn Ledger,
    agent: &AgentId,
    services: &BTreeSet<ServiceId>,
    now: Timestamp,
) -> Result<u64, LedgerError> {
    for _ in 0..ATTEMPTS_MAX {
        let mut fold = load(ledger, agent, Timestamp::MAX).await?;
        let position = fold.position();
        let expelled = fold.expel(services);
        if expelled.is_empty() {
            return Ok(0);
        }
        let incarnation = INCARNATION_IMPORTED.0;
        let lanes = ledger.lanes().await?;
        let lane = lanes.into_iter().find(|lane| lane.agent == *agent && lane.incarnation == incarnation);
        let seq = lane.map_or(SEQ_FIRST, |lane| lane.next_seq);
        let marker = Block { agent: agent.clone(), seq, series: Vec::new(), tombstones: Vec::new() };
        fold.push(&marker);
        let checkpoint: Checkpoint = fold.to_checkpoint();
        let gone = expelled.len() as u64;
        let effects = expelled.into_iter().map(|series| Effect {
            series,
            forget_from: Some(AT_MIN),
            runs: Vec::new(),
            hours: Vec::new(),
        });
        let advance = Advance {
            agent: agent.clone(),
            position,
            incarnation,
            next_seq: seq,
            next_seq_after: seq + 1,
            blocks: vec![StoredBlock {
                position,
                incarnation,
                seq,
                received_at: now,
                span: None,
                results: 0,
                bytes: marker.encode(),
            }],
            effects: effects.collect(),
            checkpoint: Some(checkpoint),
            quarantined: Vec::new(),
        };
        if ledger.commit(vec![advance]).await? == Committed::Durable {
            return Ok(gone);
        }
    }
    let what = format!("agent {agent} committed blocks all the while; stop its collectors and try again");
    Err(LedgerError::Ended { what })
}
