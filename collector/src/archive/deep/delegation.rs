//! What an archived ledger leaves to the ledger: all but the reading of blocks.

use super::ArchivedLedger;
use crate::ledger::books::{
    Attempt, Booked, Booking, Books, Forgotten, Issued, Outbox, PublishedKey, Queued, Seal, StoredEntry,
};
use crate::ledger::{
    Advance, Checkpoint, Committed, Derived, Hour, Lane, Ledger, LedgerError, Quarantined, StoredBlock,
};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use rules::id::{AgentId, AgreementId, ServiceId};
use rules::interval::Interval;
use rules::period::Month;
use rules::result::SeriesKey;
use rules::time::Timestamp;

impl Ledger for ArchivedLedger {
    fn grant(&self, agent: &AgentId, first_seq: u64, now: Timestamp) -> BoxFuture<'_, Result<Lane, LedgerError>> {
        self.ledger.grant(agent, first_seq, now)
    }

    fn lanes(&self) -> BoxFuture<'_, Result<Vec<Lane>, LedgerError>> {
        self.ledger.lanes()
    }

    fn positions(&self) -> BoxFuture<'_, Result<Vec<(AgentId, u64)>, LedgerError>> {
        self.ledger.positions()
    }

    fn commit(&self, advances: Vec<Advance>) -> BoxFuture<'_, Result<Committed, LedgerError>> {
        self.ledger.commit(advances)
    }

    fn quarantine(&self, bytes: Quarantined) -> BoxFuture<'_, Result<(), LedgerError>> {
        self.ledger.quarantine(bytes)
    }

    fn quarantined(&self) -> BoxFuture<'_, Result<u64, LedgerError>> {
        self.ledger.quarantined()
    }

    fn blocks_from(
        &self,
        agent: &AgentId,
        position: u64,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<StoredBlock>, LedgerError>> {
        let agent = agent.clone();
        async move { self.blocks_at(&agent, position, limit).await }.boxed()
    }

    fn blocks_within(
        &self,
        agent: &AgentId,
        interval: Interval,
    ) -> BoxFuture<'_, Result<Vec<StoredBlock>, LedgerError>> {
        let agent = agent.clone();
        async move { self.within(&agent, None, interval).await }.boxed()
    }

    fn blocks_of(
        &self,
        agent: &AgentId,
        service: &ServiceId,
        interval: Interval,
    ) -> BoxFuture<'_, Result<Vec<StoredBlock>, LedgerError>> {
        let (agent, service) = (agent.clone(), service.clone());
        async move { self.within(&agent, Some(&service), interval).await }.boxed()
    }

    fn forgotten_of(&self, _: &AgentId, _: &ServiceId) -> BoxFuture<'_, Result<Option<Forgotten>, LedgerError>> {
        // What is gone for good is told by whoever asks for its blocks.
        std::future::ready(Ok(None)).boxed()
    }

    fn block(
        &self,
        agent: &AgentId,
        incarnation: u64,
        seq: u64,
    ) -> BoxFuture<'_, Result<Option<StoredBlock>, LedgerError>> {
        // Only asked when an agent sends a block again, which it keeps for a day; blocks are kept longer.
        self.ledger.block(agent, incarnation, seq)
    }

    fn derived(&self, agent: &AgentId, since: Timestamp) -> BoxFuture<'_, Result<Vec<Derived>, LedgerError>> {
        self.ledger.derived(agent, since)
    }

    fn hours(&self, series: &SeriesKey, interval: Interval) -> BoxFuture<'_, Result<Vec<Hour>, LedgerError>> {
        self.ledger.hours(series, interval)
    }

    fn checkpoint(&self, agent: &AgentId) -> BoxFuture<'_, Result<Option<Checkpoint>, LedgerError>> {
        self.ledger.checkpoint(agent)
    }

    fn replace_derived(
        &self,
        agent: &AgentId,
        position: u64,
        derived: Vec<Derived>,
        checkpoint: Checkpoint,
    ) -> BoxFuture<'_, Result<Committed, LedgerError>> {
        self.ledger.replace_derived(agent, position, derived, checkpoint)
    }
}

impl Books for ArchivedLedger {
    fn book(&self, booking: Booking) -> BoxFuture<'_, Result<Booked, LedgerError>> {
        self.ledger.book(booking)
    }

    fn entries_from(
        &self,
        agreement: &AgreementId,
        number: u64,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<StoredEntry>, LedgerError>> {
        self.ledger.entries_from(agreement, number, limit)
    }

    fn records(&self) -> BoxFuture<'_, Result<Vec<(AgreementId, u64)>, LedgerError>> {
        self.ledger.records()
    }

    fn due_messages(&self, now: Timestamp, limit: usize) -> BoxFuture<'_, Result<Vec<Queued>, LedgerError>> {
        self.ledger.due_messages(now, limit)
    }

    fn claim_message(&self, key: &str, attempts: u32, until: Timestamp) -> BoxFuture<'_, Result<bool, LedgerError>> {
        self.ledger.claim_message(key, attempts, until)
    }

    fn settle_message(&self, key: &str, attempt: Attempt) -> BoxFuture<'_, Result<(), LedgerError>> {
        self.ledger.settle_message(key, attempt)
    }

    fn outbox(&self) -> BoxFuture<'_, Result<Outbox, LedgerError>> {
        self.ledger.outbox()
    }

    fn issued(&self, agreement: &AgreementId, month: Option<Month>) -> BoxFuture<'_, Result<Vec<Issued>, LedgerError>> {
        self.ledger.issued(agreement, month)
    }

    fn seal(&self, seal: Seal) -> BoxFuture<'_, Result<Booked, LedgerError>> {
        self.ledger.seal(seal)
    }

    fn verify_seal(&self, number: u64, at: Timestamp) -> BoxFuture<'_, Result<(), LedgerError>> {
        self.ledger.verify_seal(number, at)
    }

    fn seals_from(&self, number: u64, limit: usize) -> BoxFuture<'_, Result<Vec<Seal>, LedgerError>> {
        self.ledger.seals_from(number, limit)
    }

    fn forget_blocks(
        &self,
        agent: &AgentId,
        position: u64,
        before: Timestamp,
    ) -> BoxFuture<'_, Result<u64, LedgerError>> {
        self.ledger.forget_blocks(agent, position, before)
    }

    fn forgotten(&self, agent: &AgentId) -> BoxFuture<'_, Result<Option<Forgotten>, LedgerError>> {
        let agent = agent.clone();
        async move { self.gone(&agent).await }.boxed()
    }

    fn publish_key(&self, key: PublishedKey) -> BoxFuture<'_, Result<(), LedgerError>> {
        self.ledger.publish_key(key)
    }

    fn retire_key(&self, id: &str, at: Timestamp) -> BoxFuture<'_, Result<(), LedgerError>> {
        self.ledger.retire_key(id, at)
    }

    fn keys(&self) -> BoxFuture<'_, Result<Vec<PublishedKey>, LedgerError>> {
        self.ledger.keys()
    }
}
