//! The books in PostgreSQL: what people record, what is to be told, what was issued and sealed.

mod read;
mod write;

use super::PostgresLedger;
use super::connection::refused;
use crate::ledger::LedgerError;
use crate::ledger::books::{
    Attempt, Booked, Booking, Books, Forgotten, Issued, Outbox, PublishedKey, Queued, Seal, StoredEntry,
};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use rules::id::{AgentId, AgreementId};
use rules::period::Month;
use rules::time::Timestamp;
use std::sync::Arc;

const READ: &str = "read the books";
const BOOK: &str = "book";
const CLAIM: &str = "claim a message";
const SETTLE: &str = "settle a message";
const SEAL: &str = "keep a seal";
const VERIFY: &str = "verify a seal";
const FORGET: &str = "forget blocks";
const PUBLISH: &str = "publish a key";
const RETIRE: &str = "retire a key";

impl Books for PostgresLedger {
    fn book(&self, booking: Booking) -> BoxFuture<'_, Result<Booked, LedgerError>> {
        booking.assert_consistent();
        let booking = Arc::new(booking);
        let run = self.connections.run(BOOK, move |connection| {
            let booking = Arc::clone(&booking);
            async move { write::book(connection, &booking).await.map_err(refused(BOOK)) }.boxed()
        });
        run.boxed()
    }

    fn entries_from(
        &self,
        agreement: &AgreementId,
        number: u64,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<StoredEntry>, LedgerError>> {
        let agreement = agreement.clone();
        let run = self.connections.run(READ, move |connection| {
            let agreement = agreement.clone();
            async move { read::entries_from(connection, &agreement, number, limit).await }.boxed()
        });
        run.boxed()
    }

    fn records(&self) -> BoxFuture<'_, Result<Vec<(AgreementId, u64)>, LedgerError>> {
        self.connections.run(READ, |connection| read::records(connection).boxed()).boxed()
    }

    fn due_messages(&self, now: Timestamp, limit: usize) -> BoxFuture<'_, Result<Vec<Queued>, LedgerError>> {
        self.connections.run(READ, move |connection| read::due_messages(connection, now, limit).boxed()).boxed()
    }

    fn claim_message(&self, key: &str, attempts: u32, until: Timestamp) -> BoxFuture<'_, Result<bool, LedgerError>> {
        let key = key.to_owned();
        let run = self.connections.run(CLAIM, move |connection| {
            let key = key.clone();
            async move { write::claim_message(connection, &key, attempts, until).await.map_err(refused(CLAIM)) }.boxed()
        });
        run.boxed()
    }

    fn settle_message(&self, key: &str, attempt: Attempt) -> BoxFuture<'_, Result<(), LedgerError>> {
        let (key, attempt) = (key.to_owned(), Arc::new(attempt));
        let run = self.connections.run(SETTLE, move |connection| {
            let (key, attempt) = (key.clone(), Arc::clone(&attempt));
            async move { write::settle_message(connection, &key, &attempt).await.map_err(refused(SETTLE)) }.boxed()
        });
        run.boxed()
    }

    fn outbox(&self) -> BoxFuture<'_, Result<Outbox, LedgerError>> {
        self.connections.run(READ, |connection| read::outbox(connection).boxed()).boxed()
    }

    fn issued(&self, agreement: &AgreementId, month: Option<Month>) -> BoxFuture<'_, Result<Vec<Issued>, LedgerError>> {
        let agreement = agreement.clone();
        let run = self.connections.run(READ, move |connection| {
            let agreement = agreement.clone();
            async move { read::issued(connection, &agreement, month).await }.boxed()
        });
        run.boxed()
    }

    fn seal(&self, seal: Seal) -> BoxFuture<'_, Result<Booked, LedgerError>> {
        let seal = Arc::new(seal);
        let run = self.connections.run(SEAL, move |connection| {
            let seal = Arc::clone(&seal);
            async move { write::seal(connection, &seal).await.map_err(refused(SEAL)) }.boxed()
        });
        run.boxed()
    }

    fn verify_seal(&self, number: u64, at: Timestamp) -> BoxFuture<'_, Result<(), LedgerError>> {
        let run = self.connections.run(VERIFY, move |connection| {
            async move { write::verify_seal(connection, number, at).await.map_err(refused(VERIFY)) }.boxed()
        });
        run.boxed()
    }

    fn seals_from(&self, number: u64, limit: usize) -> BoxFuture<'_, Result<Vec<Seal>, LedgerError>> {
        self.connections.run(READ, move |connection| read::seals_from(connection, number, limit).boxed()).boxed()
    }

    fn forget_blocks(
        &self,
        agent: &AgentId,
        position: u64,
        before: Timestamp,
    ) -> BoxFuture<'_, Result<u64, LedgerError>> {
        let agent = agent.clone();
        let steps = async move {
            let mut forgotten = 0;
            loop {
                let step = self.connections.run(FORGET, |connection| {
                    let agent = agent.clone();
                    let step = async move { write::forget_blocks(connection, &agent, position, before).await };
                    step.map(|outcome| outcome.map_err(refused(FORGET))).boxed()
                });
                match step.await? {
                    0 => return Ok(forgotten),
                    some => forgotten += some,
                }
            }
        };
        steps.boxed()
    }

    fn forgotten(&self, agent: &AgentId) -> BoxFuture<'_, Result<Option<Forgotten>, LedgerError>> {
        let agent = agent.clone();
        let run = self.connections.run(READ, move |connection| {
            let agent = agent.clone();
            async move { read::forgotten(connection, &agent).await }.boxed()
        });
        run.boxed()
    }

    fn publish_key(&self, key: PublishedKey) -> BoxFuture<'_, Result<(), LedgerError>> {
        let key = Arc::new(key);
        let run = self.connections.run(PUBLISH, move |connection| {
            let key = Arc::clone(&key);
            async move { write::publish_key(connection, &key).await.map_err(refused(PUBLISH)) }.boxed()
        });
        run.boxed()
    }

    fn retire_key(&self, id: &str, at: Timestamp) -> BoxFuture<'_, Result<(), LedgerError>> {
        let id = id.to_owned();
        let run = self.connections.run(RETIRE, move |connection| {
            let id = id.clone();
            async move { write::retire_key(connection, &id, at).await.map_err(refused(RETIRE)) }.boxed()
        });
        run.boxed()
    }

    fn keys(&self) -> BoxFuture<'_, Result<Vec<PublishedKey>, LedgerError>> {
        self.connections.run(READ, |connection| read::keys(connection).boxed()).boxed()
    }
}
