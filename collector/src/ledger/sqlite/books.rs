//! The books in SQLite: what people record, what is to be told, what was issued and sealed.

mod read;
mod write;

use super::SqliteLedger;
use crate::ledger::LedgerError;
use crate::ledger::books::{
    Attempt, Booked, Booking, Books, Forgotten, Issued, Outbox, PublishedKey, Queued, Seal, StoredEntry,
};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use rules::id::{AgentId, AgreementId};
use rules::period::Month;
use rules::time::Timestamp;

impl Books for SqliteLedger {
    fn book(&self, booking: Booking) -> BoxFuture<'_, Result<Booked, LedgerError>> {
        booking.assert_consistent();
        self.write("book", move |connection| write::book(connection, &booking)).boxed()
    }

    fn entries_from(
        &self,
        agreement: &AgreementId,
        number: u64,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<StoredEntry>, LedgerError>> {
        let agreement = agreement.clone();
        self.read(move |connection| read::entries_from(connection, &agreement, number, limit))
    }

    fn records(&self) -> BoxFuture<'_, Result<Vec<(AgreementId, u64)>, LedgerError>> {
        self.read(read::records)
    }

    fn due_messages(&self, now: Timestamp, limit: usize) -> BoxFuture<'_, Result<Vec<Queued>, LedgerError>> {
        self.read(move |connection| read::due_messages(connection, now, limit))
    }

    fn claim_message(&self, key: &str, attempts: u32, until: Timestamp) -> BoxFuture<'_, Result<bool, LedgerError>> {
        let key = key.to_owned();
        self.write("claim a message", move |connection| write::claim_message(connection, &key, attempts, until)).boxed()
    }

    fn settle_message(&self, key: &str, attempt: Attempt) -> BoxFuture<'_, Result<(), LedgerError>> {
        let key = key.to_owned();
        self.write("settle a message", move |connection| write::settle_message(connection, &key, &attempt)).boxed()
    }

    fn outbox(&self) -> BoxFuture<'_, Result<Outbox, LedgerError>> {
        self.read(read::outbox)
    }

    fn issued(&self, agreement: &AgreementId, month: Option<Month>) -> BoxFuture<'_, Result<Vec<Issued>, LedgerError>> {
        let agreement = agreement.clone();
        self.read(move |connection| read::issued(connection, &agreement, month))
    }

    fn seal(&self, seal: Seal) -> BoxFuture<'_, Result<Booked, LedgerError>> {
        self.write("keep a seal", move |connection| write::seal(connection, &seal)).boxed()
    }

    fn verify_seal(&self, number: u64, at: Timestamp) -> BoxFuture<'_, Result<(), LedgerError>> {
        self.write("verify a seal", move |connection| write::verify_seal(connection, number, at)).boxed()
    }

    fn seals_from(&self, number: u64, limit: usize) -> BoxFuture<'_, Result<Vec<Seal>, LedgerError>> {
        self.read(move |connection| read::seals_from(connection, number, limit))
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
                let agent = agent.clone();
                let step = move |connection: &mut _| write::forget_blocks(connection, &agent, position, before);
                match self.write("forget blocks", step).await? {
                    0 => return Ok(forgotten),
                    some => forgotten += some,
                }
            }
        };
        steps.boxed()
    }

    fn forgotten(&self, agent: &AgentId) -> BoxFuture<'_, Result<Option<Forgotten>, LedgerError>> {
        let agent = agent.clone();
        self.read(move |connection| read::forgotten(connection, &agent))
    }

    fn publish_key(&self, key: PublishedKey) -> BoxFuture<'_, Result<(), LedgerError>> {
        self.write("publish a key", move |connection| write::publish_key(connection, &key)).boxed()
    }

    fn retire_key(&self, id: &str, at: Timestamp) -> BoxFuture<'_, Result<(), LedgerError>> {
        let id = id.to_owned();
        self.write("retire a key", move |connection| write::retire_key(connection, &id, at)).boxed()
    }

    fn keys(&self) -> BoxFuture<'_, Result<Vec<PublishedKey>, LedgerError>> {
        self.read(read::keys)
    }
}
