//! An agreement's evidence, erased: its files, its results in blocks, and what was derived from them.
//!
//! A block holds results of many agreements and its bytes are what the agent signed for with its
//! checksum, so no block is rewritten. Instead everything is sealed and verified first; then the
//! blocks leave the ledger early, and the other agreements' evidence is read from the archive. For
//! each agent an empty block in the lane of imported history marks the place: with it, in one
//! transaction, the derived rows go and the checkpoint without them comes, and collectors that run
//! load the agent anew. As long as that mark lies in the ledger, blocks before it do too: so whoever
//! comes after a crash knows that they still must go.
//!
//! What stays are accounts: issued statements, the record, the names of series, and the manifests,
//! which say how many results there were. Free pages of a database keep bytes until they are used
//! again, and so do backups; `docs/evidence.md` says what to do about them.

use super::seal::{Promised, Sealed};
use super::{Archive, ArchiveError, Belongings};
use crate::commit::INCARNATION_IMPORTED;
use crate::fold::load;
use crate::ledger::{Advance, Checkpoint, Committed, Effect, Lane, Ledger, LedgerError, StoredBlock};
use crate::record::Record;
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

/// What an erasure goes by.
pub struct Means<'a> {
    /// The archive's ledger together with its archive.
    pub ledger: &'a Arc<dyn Ledger>,
    /// Whose every other result is.
    pub promised: &'a Promised,
    /// Where it is put down.
    pub record: &'a Record,
    /// Why it is done.
    pub ground: Ground,
}

impl Archive {
    /// Erases what belongs to an agreement. It may be called again and again, after a crash and by several
    /// collectors at once: each step looks at what is still there.
    ///
    /// The record says so before any figure changes, so that nobody amends a statement for want of what
    /// was erased.
    pub async fn erase(&self, own: &Belongings, means: &Means<'_>, now: Timestamp) -> Result<Erased, ArchiveError> {
        let mut erased = Erased::default();
        self.seal_all(means.promised, now).await?;
        (erased.files, erased.results) = self.dispose_of(own, means.ground, now).await?;
        self.account(means.record).await?;
        for (agent, _) in self.ledger.positions().await? {
            erased.series += expel(&**means.ledger, &agent, &own.services, now).await?;
        }
        self.seal_all(means.promised, now).await?;
        erased.blocks = self.forget_erased().await?;
        self.bury().await?;
        Ok(erased)
    }

    /// Seals and verifies all that is committed, so that nobody else's results are lost with a block.
    async fn seal_all(&self, promised: &Promised, now: Timestamp) -> Result<(), ArchiveError> {
        while let Sealed::Seal(_) | Sealed::Forestalled = self.seal(promised, now).await? {}
        self.verify(now).await.map(drop)
    }

    /// Disposes of the agreement's files until none is left; says how many it deleted, and how many
    /// results they held.
    async fn dispose_of(&self, own: &Belongings, ground: Ground, now: Timestamp) -> Result<(u64, u64), ArchiveError> {
        let (mut files, mut results) = (0, 0);
        for _ in 0..ATTEMPTS_MAX {
            self.refresh().await?;
            let doomed = self.doomed(Some(&own.agreement), ground, |file| own.has(file)).await?;
            if doomed.is_empty() {
                return Ok((files, results));
            }
            let gone = self.dispose(&doomed, now).await?;
            files += gone;
            results +=
                doomed.iter().take(usize::try_from(gone).unwrap_or(usize::MAX)).map(|file| file.results).sum::<u64>();
        }
        let what = "other collectors sealed all the while; try again".to_owned();
        Err(ArchiveError::Ledger(LedgerError::Ended { what }))
    }

    /// Forgets the blocks of every agent whose ledger still has the mark of an erasure: they may hold
    /// what was erased. All of them lie in the archive, without it.
    async fn forget_erased(&self) -> Result<u64, ArchiveError> {
        let mut forgotten = 0;
        let verified = self.catalogue.verified_by(Timestamp::MAX);
        for (agent, position) in verified {
            if self.is_marked(&agent).await? {
                forgotten += self.ledger.forget_blocks(&agent, position, Timestamp::MAX).await?;
            }
        }
        Ok(forgotten)
    }

    /// Whether the last block of `agent`'s imported history marks an erasure and lies in the ledger.
    async fn is_marked(&self, agent: &AgentId) -> Result<bool, ArchiveError> {
        let lane = imported(&*self.ledger, agent).await?;
        let Some(seq) = lane.and_then(|next_seq| next_seq.checked_sub(1)) else { return Ok(false) };
        let last = self.ledger.block(agent, INCARNATION_IMPORTED.0, seq).await?;
        Ok(last.is_some_and(|block| block.results == 0 && block.span.is_none()))
    }
}

/// The number that comes next in `agent`'s lane of imported history, if it has one.
async fn imported(ledger: &dyn Ledger, agent: &AgentId) -> Result<Option<u64>, LedgerError> {
    let lanes = ledger.lanes().await?;
    let own = |lane: &Lane| lane.agent == *agent && lane.incarnation == INCARNATION_IMPORTED.0;
    Ok(lanes.into_iter().find(own).map(|lane| lane.next_seq))
}

/// Drops the series of `services` from all that is derived for `agent`; says how many there were.
pub(super) async fn expel(
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
        let seq = imported(ledger, agent).await?.unwrap_or(SEQ_FIRST);
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
