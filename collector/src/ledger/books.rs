//! The other half of the ledger: what people put on record, what is to be told, what was issued and
//! what was sealed.
//!
//! Everything is append-only but three marks: a message's next attempt, a seal's verification, a
//! key's retirement. Of two collectors that write the same number, the first wins and the second is
//! told [`Booked::Collided`]; nothing of its booking happened, and it reads again before it goes on.

pub(crate) mod rows;

use super::LedgerError;
use futures_util::future::BoxFuture;
use rules::id::{AgentId, AgreementId};
use rules::period::Month;
use rules::time::Timestamp;

/// One line of an agreement's record as it lies in the ledger.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StoredEntry {
    /// Its number: 1, 2, 3, … without a gap.
    pub number: u64,
    /// When it was recorded.
    pub recorded_at: Timestamp,
    /// By whom.
    pub recorded_by: String,
    /// The fact, as `record` writes it (JSON).
    pub body: String,
    /// SHA-256 over its predecessor's hash and all of the above: a chain.
    pub hash: [u8; 32],
}

/// Something to tell somebody, once.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Message {
    /// Names the event and the channel; of two messages with one key the first is told and the
    /// second is not kept. Receivers get it as the idempotency key.
    pub key: String,
    /// Whose affair it is.
    pub agreement: AgreementId,
    /// The channel's name in the configuration.
    pub channel: String,
    /// What to say, as `notify` writes it (JSON).
    pub body: String,
    /// When to tell it first.
    pub due_at: Timestamp,
    /// Its place among what is told of one incident; nothing: it may be told whenever it is due.
    pub turn: Option<Turn>,
}

/// What is told of an agreement's incident on one channel is told in order: a receiver that hears
/// that it is over before it hears that it began believes for good that it goes on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Turn {
    /// The incident.
    pub incident: u64,
    /// The entry that is told: those with smaller numbers go first.
    pub entry: u64,
}

/// A message that waits.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Queued {
    /// The message; its `due_at` is that of the next attempt.
    pub message: Message,
    /// How many attempts were begun.
    pub attempts: u32,
}

/// What became of an attempt.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Attempt {
    /// The receiver has it.
    Delivered {
        /// When.
        at: Timestamp,
    },
    /// It failed and is to be tried again.
    Again {
        /// When.
        due_at: Timestamp,
        /// Why it failed.
        error: String,
    },
    /// It failed for good.
    GivenUp {
        /// When.
        at: Timestamp,
        /// Why.
        error: String,
    },
}

/// What the outbox holds, for metrics.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Outbox {
    /// Messages that wait.
    pub waiting: u64,
    /// Messages that were delivered.
    pub delivered: u64,
    /// Messages that were given up.
    pub given_up: u64,
}

/// A statement as it was issued; never changed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Issued {
    /// Whose.
    pub agreement: AgreementId,
    /// For which period.
    pub month: Month,
    /// 1 for the first final one; each amendment is one more.
    pub version: u32,
    /// When.
    pub issued_at: Timestamp,
    /// SHA-256 of its canonical JSON without the seal.
    pub sha256: [u8; 32],
    /// The signed canonical JSON, byte for byte.
    pub bytes: Vec<u8>,
}

/// What happens together or not at all.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Booking {
    /// Whose record.
    pub agreement: AgreementId,
    /// The number that the record's next entry must have.
    pub next: u64,
    /// The entries, numbered from `next`; may be none.
    pub entries: Vec<StoredEntry>,
    /// What to tell because of it; may be none.
    pub messages: Vec<Message>,
    /// A statement that is issued by it; of its agreement.
    pub issued: Option<Issued>,
}

/// What became of a booking, a seal or a key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Booked {
    /// All of it is durable.
    Durable,
    /// None of it happened: somebody was faster.
    Collided,
}

/// One sealing of evidence: what was archived, and that it was found again.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Seal {
    /// Its number: 1, 2, 3, …
    pub number: u64,
    /// When.
    pub sealed_at: Timestamp,
    /// The manifest, as `archive` writes it (JSON); it names its predecessor's SHA-256.
    pub manifest: String,
    /// SHA-256 of the manifest.
    pub sha256: [u8; 32],
    /// When every file was read back and found whole.
    pub verified_at: Option<Timestamp>,
}

/// A public key that statements are or were signed with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PublishedKey {
    /// SHA-256 of the public key, the first 16 bytes in hexadecimal.
    pub id: String,
    /// The Ed25519 public key.
    pub public: [u8; 32],
    /// When it was published.
    pub published_at: Timestamp,
    /// From when on nothing is signed with it.
    pub retired_at: Option<Timestamp>,
}

/// What of an agent's blocks is no longer in the ledger.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Forgotten {
    /// The blocks before this position are gone; those from it on are all there.
    pub position: u64,
    /// Every result in them was earlier than this.
    pub until: Timestamp,
}

impl Booking {
    /// Stops the program if the booking contradicts itself: that is our mistake, and the ledger must
    /// not keep it.
    pub(super) fn assert_consistent(&self) {
        let agreement = &self.agreement;
        assert!(1 <= self.next, "entries of {agreement} are numbered from 1");
        let numbered = self.entries.iter().map(|entry| entry.number).eq((self.next..).take(self.entries.len()));
        assert!(numbered, "entries of {agreement} are numbered from {} on", self.next);
        let own = self.issued.as_ref().is_none_or(|issued| issued.agreement == *agreement);
        assert!(own, "a booking of {agreement} issues its own statement");
    }
}

/// The promise of a store's books; a call that fails leaves open whether it happened, as in
/// [`super::Ledger`].
pub trait Books: Send + Sync + 'static {
    /// Makes a booking durable in one transaction, or nothing of it. A statement's version must be
    /// the one after its month's last; otherwise the booking collides.
    ///
    /// # Panics
    /// If its entries are not numbered from `next`, or its statement is another agreement's.
    fn book(&self, booking: Booking) -> BoxFuture<'_, Result<Booked, LedgerError>>;

    /// An agreement's entries from `number` on, in order, at most `limit`.
    fn entries_from(
        &self,
        agreement: &AgreementId,
        number: u64,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<StoredEntry>, LedgerError>>;

    /// How many entries each agreement's record has: what a collector polls to follow its
    /// neighbours.
    fn records(&self) -> BoxFuture<'_, Result<Vec<(AgreementId, u64)>, LedgerError>>;

    /// Messages whose attempt is due at `now` and whose turn it is, the longest due first, at most `limit`
    /// of each channel: one whose receiver is away must not stand before the others.
    fn due_messages(&self, now: Timestamp, limit: usize) -> BoxFuture<'_, Result<Vec<Queued>, LedgerError>>;

    /// Takes a message for one attempt if nobody else has since it was read with `attempts`: its
    /// next attempt is then due at `until`, should this one never be heard of again.
    fn claim_message(&self, key: &str, attempts: u32, until: Timestamp) -> BoxFuture<'_, Result<bool, LedgerError>>;

    /// Notes what became of an attempt. Delivered stays delivered, whatever another attempt says.
    fn settle_message(&self, key: &str, attempt: Attempt) -> BoxFuture<'_, Result<(), LedgerError>>;

    /// What the outbox holds.
    fn outbox(&self) -> BoxFuture<'_, Result<Outbox, LedgerError>>;

    /// The statements issued for an agreement, of one month or of all, by month and version; their
    /// bytes too.
    fn issued(&self, agreement: &AgreementId, month: Option<Month>) -> BoxFuture<'_, Result<Vec<Issued>, LedgerError>>;

    /// Keeps a seal, if its number is the next.
    fn seal(&self, seal: Seal) -> BoxFuture<'_, Result<Booked, LedgerError>>;

    /// Notes that a seal's files were found whole, as of the last time.
    fn verify_seal(&self, number: u64, at: Timestamp) -> BoxFuture<'_, Result<(), LedgerError>>;

    /// Seals from `number` on, in order, at most `limit`.
    fn seals_from(&self, number: u64, limit: usize) -> BoxFuture<'_, Result<Vec<Seal>, LedgerError>>;

    /// Forgets `agent`'s blocks before `position`, up to the first one that doesn't end before
    /// `before`: they lie in a verified archive. What is derived from them stays, and so do blocks
    /// that its checkpoint doesn't hold. Says how many.
    ///
    /// It goes in steps, each a transaction, so that commits need not wait for all of it.
    fn forget_blocks(
        &self,
        agent: &AgentId,
        position: u64,
        before: Timestamp,
    ) -> BoxFuture<'_, Result<u64, LedgerError>>;

    /// What of `agent`'s blocks was forgotten; nothing if all are there.
    fn forgotten(&self, agent: &AgentId) -> BoxFuture<'_, Result<Option<Forgotten>, LedgerError>>;

    /// Publishes a key; one that is known already stays as it is.
    fn publish_key(&self, key: PublishedKey) -> BoxFuture<'_, Result<(), LedgerError>>;

    /// Retires a key.
    fn retire_key(&self, id: &str, at: Timestamp) -> BoxFuture<'_, Result<(), LedgerError>>;

    /// All keys, the oldest first.
    fn keys(&self) -> BoxFuture<'_, Result<Vec<PublishedKey>, LedgerError>>;
}
