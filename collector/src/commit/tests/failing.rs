//! What a collector does when its ledger fails before or after a commit reached the disk.

use super::*;
use crate::ledger::books::{
    Attempt, Booked, Booking, Books, Forgotten, Issued, Outbox, PublishedKey, Queued, Seal, StoredEntry,
};
use crate::ledger::{Advance, Checkpoint, Committed, Hour, Lane, LedgerError, Quarantined, StoredBlock};
use crate::record::{Before, Draft, Record, RecordError};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use rules::id::AgreementId;
use rules::record::Fact;
use std::sync::Mutex;

/// Where it fails.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Failing {
    Never,
    /// Nothing was written.
    Before,
    /// All was written, and the answer was lost.
    After,
}

/// A real ledger whose next commit or booking fails.
struct FailingLedger {
    real: Arc<dyn Ledger>,
    failing: Mutex<Failing>,
}

impl Ledger for FailingLedger {
    fn grant(&self, agent: &AgentId, first_seq: u64, now: Timestamp) -> BoxFuture<'_, Result<Lane, LedgerError>> {
        self.real.grant(agent, first_seq, now)
    }
    fn lanes(&self) -> BoxFuture<'_, Result<Vec<Lane>, LedgerError>> {
        self.real.lanes()
    }
    fn positions(&self) -> BoxFuture<'_, Result<Vec<(AgentId, u64)>, LedgerError>> {
        self.real.positions()
    }
    fn commit(&self, advances: Vec<Advance>) -> BoxFuture<'_, Result<Committed, LedgerError>> {
        let failing = std::mem::replace(&mut *self.failing.lock().unwrap(), Failing::Never);
        let lost = || LedgerError::Corrupt { what: "the connection was lost".into() };
        async move {
            if failing == Failing::Before {
                return Err(lost());
            }
            let committed = self.real.commit(advances).await;
            if failing == Failing::After { Err(lost()) } else { committed }
        }
        .boxed()
    }
    fn quarantine(&self, bytes: Quarantined) -> BoxFuture<'_, Result<(), LedgerError>> {
        self.real.quarantine(bytes)
    }
    fn quarantined(&self) -> BoxFuture<'_, Result<u64, LedgerError>> {
        self.real.quarantined()
    }
    fn blocks_from(
        &self,
        agent: &AgentId,
        position: u64,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<StoredBlock>, LedgerError>> {
        self.real.blocks_from(agent, position, limit)
    }
    fn blocks_within(
        &self,
        agent: &AgentId,
        interval: Interval,
    ) -> BoxFuture<'_, Result<Vec<StoredBlock>, LedgerError>> {
        self.real.blocks_within(agent, interval)
    }
    fn block(
        &self,
        agent: &AgentId,
        incarnation: u64,
        seq: u64,
    ) -> BoxFuture<'_, Result<Option<StoredBlock>, LedgerError>> {
        self.real.block(agent, incarnation, seq)
    }
    fn derived(&self, agent: &AgentId, since: Timestamp) -> BoxFuture<'_, Result<Vec<Derived>, LedgerError>> {
        self.real.derived(agent, since)
    }
    fn hours(&self, series: &SeriesKey, interval: Interval) -> BoxFuture<'_, Result<Vec<Hour>, LedgerError>> {
        self.real.hours(series, interval)
    }
    fn checkpoint(&self, agent: &AgentId) -> BoxFuture<'_, Result<Option<Checkpoint>, LedgerError>> {
        self.real.checkpoint(agent)
    }
    fn replace_derived(
        &self,
        agent: &AgentId,
        position: u64,
        derived: Vec<Derived>,
        checkpoint: Checkpoint,
    ) -> BoxFuture<'_, Result<Committed, LedgerError>> {
        self.real.replace_derived(agent, position, derived, checkpoint)
    }
}

impl Books for FailingLedger {
    fn book(&self, booking: Booking) -> BoxFuture<'_, Result<Booked, LedgerError>> {
        let failing = std::mem::replace(&mut *self.failing.lock().unwrap(), Failing::Never);
        let lost = || LedgerError::Corrupt { what: "the connection was lost".into() };
        async move {
            if failing == Failing::Before {
                return Err(lost());
            }
            let booked = self.real.book(booking).await;
            if failing == Failing::After { Err(lost()) } else { booked }
        }
        .boxed()
    }
    fn entries_from(
        &self,
        agreement: &AgreementId,
        number: u64,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<StoredEntry>, LedgerError>> {
        self.real.entries_from(agreement, number, limit)
    }
    fn records(&self) -> BoxFuture<'_, Result<Vec<(AgreementId, u64)>, LedgerError>> {
        self.real.records()
    }
    fn due_messages(&self, now: Timestamp, limit: usize) -> BoxFuture<'_, Result<Vec<Queued>, LedgerError>> {
        self.real.due_messages(now, limit)
    }
    fn claim_message(&self, key: &str, attempts: u32, until: Timestamp) -> BoxFuture<'_, Result<bool, LedgerError>> {
        self.real.claim_message(key, attempts, until)
    }
    fn settle_message(&self, key: &str, attempt: Attempt) -> BoxFuture<'_, Result<(), LedgerError>> {
        self.real.settle_message(key, attempt)
    }
    fn outbox(&self) -> BoxFuture<'_, Result<Outbox, LedgerError>> {
        self.real.outbox()
    }
    fn issued(&self, agreement: &AgreementId, month: Option<Month>) -> BoxFuture<'_, Result<Vec<Issued>, LedgerError>> {
        self.real.issued(agreement, month)
    }
    fn seal(&self, seal: Seal) -> BoxFuture<'_, Result<Booked, LedgerError>> {
        self.real.seal(seal)
    }
    fn verify_seal(&self, number: u64, at: Timestamp) -> BoxFuture<'_, Result<(), LedgerError>> {
        self.real.verify_seal(number, at)
    }
    fn seals_from(&self, number: u64, limit: usize) -> BoxFuture<'_, Result<Vec<Seal>, LedgerError>> {
        self.real.seals_from(number, limit)
    }
    fn forget_blocks(
        &self,
        agent: &AgentId,
        position: u64,
        before: Timestamp,
    ) -> BoxFuture<'_, Result<u64, LedgerError>> {
        self.real.forget_blocks(agent, position, before)
    }
    fn forgotten(&self, agent: &AgentId) -> BoxFuture<'_, Result<Option<Forgotten>, LedgerError>> {
        self.real.forgotten(agent)
    }
    fn publish_key(&self, key: PublishedKey) -> BoxFuture<'_, Result<(), LedgerError>> {
        self.real.publish_key(key)
    }
    fn retire_key(&self, id: &str, at: Timestamp) -> BoxFuture<'_, Result<(), LedgerError>> {
        self.real.retire_key(id, at)
    }
    fn keys(&self) -> BoxFuture<'_, Result<Vec<PublishedKey>, LedgerError>> {
        self.real.keys()
    }
}

async fn a_resend_after_the_failure_counts_once(failing: Failing) {
    let real = ledger::open("sqlite::memory:").await.unwrap();
    let ledger = Arc::new(FailingLedger { real, failing: Mutex::new(Failing::Never) });
    let mut bench = Bench::on(Arc::clone(&ledger) as Arc<dyn Ledger>).await;
    bench.send(&ups(0..5)).await;
    *ledger.failing.lock().unwrap() = failing;
    let block = bench.offered(&ups(5..9));
    assert_eq!(bench.offer(vec![block.clone()]).await, Answer::Unavailable);
    assert!(bench.committer.readiness.obstacles().is_some_and(|line| line.contains("ledger")));
    let shown = bench.state.series(&key("login")).unwrap();
    assert_eq!(shown.runs().map(|run| run.results).sum::<u32>(), 5, "nothing is shown that may not be there");
    assert_eq!(bench.offer(vec![block]).await, Answer::Committed { next_seq: 3, refused: vec![] });
    assert_eq!(bench.committer.readiness.obstacles(), None);
    bench.agrees_with(&ups(0..9)).await;
}

#[tokio::test]
async fn a_commit_that_failed_is_sent_again_and_counts_once() {
    a_resend_after_the_failure_counts_once(Failing::Before).await;
}

#[tokio::test]
async fn a_commit_whose_answer_was_lost_is_sent_again_and_counts_once() {
    a_resend_after_the_failure_counts_once(Failing::After).await;
}

async fn an_append_after_the_failure_is_made_once(failing: Failing) {
    let real = ledger::open("sqlite::memory:").await.unwrap();
    let ledger = Arc::new(FailingLedger { real, failing: Mutex::new(failing) });
    let (clock, _) = Clock::manual(Timestamp::from_millis(BEGAN));
    let record = Record::load(Arc::clone(&ledger) as Arc<dyn Ledger>, clock).await.unwrap();
    let acme: AgreementId = "acme".parse().unwrap();
    let decide = |before: Before<'_>| {
        let draft = Draft::fact(Fact::Approval { entry: 1 });
        Ok::<_, RecordError>(if before.entries.is_empty() { draft } else { Draft::default() })
    };
    assert!(matches!(record.append(&acme, "lee", decide).await, Err(RecordError::Ledger(_))));
    assert_eq!(record.entries(&acme).len(), 0, "nothing is shown that may not be there");
    record.append(&acme, "lee", decide).await.unwrap();
    assert_eq!(record.entries(&acme).len(), 1);
    assert_eq!(ledger.records().await.unwrap(), [(acme, 1)]);
}

#[tokio::test]
async fn an_append_that_failed_is_made_again_and_counts_once() {
    an_append_after_the_failure_is_made_once(Failing::Before).await;
}

#[tokio::test]
async fn an_append_whose_answer_was_lost_counts_once() {
    an_append_after_the_failure_is_made_once(Failing::After).await;
}
