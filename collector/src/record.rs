//! What people put on record, in memory and followed from the ledger: every agreement's entries.
//!
//! Whoever appends decides from the entries so far what to append; if another collector was faster,
//! the decision is made again from what that one wrote. So two collectors that see one outage open
//! one incident, and no leader is needed. Nothing is shown before it is durable, and an entry whose
//! hash doesn't follow from its predecessor's is refused with its number (`record/chain.rs`).
//!
//! It never judges what an entry means: that is `rules::record`, a function of the entries.

pub mod acts;
pub mod body;
mod bounds;
pub mod chain;
#[cfg(test)]
mod tests;

use crate::ledger::books::{Booked, Booking, Issued, Message, StoredEntry};
use crate::ledger::{Ledger, LedgerError};
use body::Unreadable;
pub use bounds::OutOfBounds;
use chain::{GENESIS, Head};
use daemon::admin::Readiness;
use daemon::clock::Clock;
use rules::id::AgreementId;
use rules::record::{Entry, Fact};
use rules::time::Timestamp;
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// How many entries a record may have: decades of one customer's affairs, and few enough to be held
/// in memory for every agreement.
pub const ENTRIES_MAX: usize = 100_000;

/// Entries that are read from the ledger at once.
const ENTRIES_AT_ONCE: usize = 1_000;
/// How often one append is decided. Each collision means that somebody else's went through, so this
/// many others must have been faster, one after the other; it needs no pause.
const ATTEMPTS_MAX: usize = 64;
/// How often the ledger is asked what other collectors recorded.
const FOLLOW_EVERY: Duration = Duration::from_secs(1);
/// What stands in the way when records can't be followed.
const RECORDS: &str = "records";

/// Why a record can't be read or appended to.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The ledger failed; whether an append happened is open.
    #[error("failed to reach the record")]
    Ledger(#[from] LedgerError),
    /// An entry is not what was written.
    #[error(
        "failed to read the record of `{agreement}`: the hash of entry {number} does not follow from its contents; \
         it was changed after it was written, so restore the ledger from a backup"
    )]
    Broken {
        /// Whose record.
        agreement: AgreementId,
        /// Which entry.
        number: u64,
    },
    /// An entry is missing.
    #[error(
        "failed to read the record of `{agreement}`: entry {number} is missing; \
         restore the ledger from a backup"
    )]
    Missing {
        /// Whose record.
        agreement: AgreementId,
        /// Which entry.
        number: u64,
    },
    /// A later version of this program wrote an entry.
    #[error("failed to read the record of `{agreement}`: entry {number} {why}")]
    Unreadable {
        /// Whose record.
        agreement: AgreementId,
        /// Which entry.
        number: u64,
        /// What is not understood.
        #[source]
        why: Unreadable,
    },
    /// A text is too long, or has what it must not have.
    #[error(transparent)]
    OutOfBounds(#[from] OutOfBounds),
    /// The record is full.
    #[error("failed to append to the record of `{0}`: it has {ENTRIES_MAX} entries, the most a record may have")]
    Full(AgreementId),
    /// Others were always faster.
    #[error("failed to append to the record of `{0}`: others were faster {ATTEMPTS_MAX} times; try again")]
    Busy(AgreementId),
}

/// What an append is decided from.
#[derive(Clone, Copy, Debug)]
pub struct Before<'a> {
    /// The entries so far, in order.
    pub entries: &'a [Entry],
    /// The number that the first appended entry will have.
    pub next: u64,
    /// When it will have been recorded.
    pub at: Timestamp,
}

/// What to append; if nothing is in it, nothing is written.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Draft {
    /// The facts, each an entry.
    pub facts: Vec<Fact>,
    /// What to tell because of them.
    pub messages: Vec<Message>,
    /// A statement that is issued with them.
    pub issued: Option<Issued>,
}

impl Draft {
    /// A single fact that nobody is told.
    pub fn fact(fact: Fact) -> Draft {
        Draft { facts: vec![fact], ..Draft::default() }
    }

    fn is_empty(&self) -> bool {
        self.facts.is_empty() && self.messages.is_empty() && self.issued.is_none()
    }
}

/// All agreements' records; cheap to clone.
#[derive(Clone)]
pub struct Record {
    ledger: Arc<dyn Ledger>,
    clock: Clock,
    kept: Arc<RwLock<BTreeMap<AgreementId, Kept>>>,
    changes: watch::Sender<u64>,
}

/// One agreement's record.
#[derive(Clone)]
struct Kept {
    entries: Arc<Vec<Entry>>,
    /// The last entry's hash.
    hash: [u8; 32],
}

impl Default for Kept {
    fn default() -> Kept {
        Kept { entries: Arc::default(), hash: GENESIS }
    }
}

impl std::fmt::Debug for Record {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Record").finish_non_exhaustive()
    }
}

impl Record {
    /// Reads all records of `ledger` and checks them.
    pub async fn load(ledger: Arc<dyn Ledger>, clock: Clock) -> Result<Record, RecordError> {
        let record = Record { ledger, clock, kept: Arc::default(), changes: watch::Sender::new(0) };
        record.follow().await?;
        Ok(record)
    }

    /// An agreement's entries, in order.
    pub fn entries(&self, agreement: &AgreementId) -> Arc<Vec<Entry>> {
        self.kept(agreement).entries
    }

    /// An agreement's entries, and the head that they end with.
    pub fn heard(&self, agreement: &AgreementId) -> (Arc<Vec<Entry>>, Head) {
        let Kept { entries, hash } = self.kept(agreement);
        let head = Head { entries: entries.len() as u64, hash };
        (entries, head)
    }

    /// An agreement's entries as they lie in the ledger, from `number` on, at most `limit`.
    pub async fn stored(
        &self,
        agreement: &AgreementId,
        number: u64,
        limit: usize,
    ) -> Result<Vec<StoredEntry>, RecordError> {
        Ok(self.ledger.entries_from(agreement, number, limit).await?)
    }

    /// Counts up whenever entries came in, from whichever collector.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// Appends what `decide` says, in `by`'s name, and returns the new entries.
    ///
    /// `decide` is asked again whenever somebody else was faster. After an error of the ledger it is
    /// open whether the append happened; to ask once more is safe if `decide` looks whether what it
    /// wants is there already.
    pub async fn append<E: From<RecordError>>(
        &self,
        agreement: &AgreementId,
        by: &str,
        mut decide: impl FnMut(Before<'_>) -> Result<Draft, E>,
    ) -> Result<Vec<Entry>, E> {
        for _ in 0..ATTEMPTS_MAX {
            let before = self.kept(agreement);
            let next = before.entries.len() as u64 + 1;
            let last_at = before.entries.last().map_or(Timestamp::MIN, |last| last.recorded_at);
            // Another collector's clock may be a little ahead; a record's instants never go back.
            let at = self.clock.wall().max(last_at);
            let draft = decide(Before { entries: &before.entries, next, at })?;
            if draft.is_empty() {
                return Ok(Vec::new());
            }
            if let Some(entries) = self.book(agreement, &before, next, at, by, draft).await.map_err(E::from)? {
                return Ok(entries);
            }
            self.read_on(agreement).await.map_err(E::from)?;
        }
        Err(RecordError::Busy(agreement.clone()).into())
    }

    /// Writes a draft after `before`; nothing if somebody was faster.
    async fn book(
        &self,
        agreement: &AgreementId,
        before: &Kept,
        next: u64,
        at: Timestamp,
        by: &str,
        draft: Draft,
    ) -> Result<Option<Vec<Entry>>, RecordError> {
        if ENTRIES_MAX < before.entries.len() + draft.facts.len() {
            return Err(RecordError::Full(agreement.clone()));
        }
        let Draft { facts, messages, issued } = draft;
        let (mut entries, mut stored, mut hash) = (Vec::new(), Vec::new(), before.hash);
        for (number, fact) in (next..).zip(facts) {
            bounds::check(by, &fact)?;
            let mut written =
                StoredEntry { number, recorded_at: at, recorded_by: by.to_owned(), body: body::write(&fact), hash };
            hash = chain::hash(agreement, &hash, &written);
            written.hash = hash;
            stored.push(written);
            entries.push(Entry { number, recorded_at: at, recorded_by: by.to_owned(), fact });
        }
        let booking = Booking { agreement: agreement.clone(), next, entries: stored, messages, issued };
        match self.ledger.book(booking).await? {
            Booked::Collided => Ok(None),
            Booked::Durable => {
                self.take_in(agreement, next, &entries, hash);
                Ok(Some(entries))
            }
        }
    }

    /// Takes in what others recorded since the last look.
    pub async fn follow(&self) -> Result<(), RecordError> {
        for (agreement, length) in self.ledger.records().await? {
            if (self.kept(&agreement).entries.len() as u64) < length {
                self.read_on(&agreement).await?;
            }
            let held = self.kept(&agreement).entries.len() as u64;
            if held < length {
                return Err(RecordError::Missing { agreement, number: held + 1 });
            }
        }
        Ok(())
    }

    /// Follows the ledger until `cancel`.
    pub async fn keep_up(self, readiness: Readiness, cancel: CancellationToken) {
        loop {
            tokio::select! {
                () = cancel.cancelled() => return,
                () = self.clock.sleep(FOLLOW_EVERY) => {}
            }
            match self.follow().await {
                Ok(()) => readiness.clear(RECORDS),
                Err(error) => {
                    let error = daemon::error_text::whole(&error);
                    tracing::warn!(error, "Records could not be followed; trying again in a second");
                    readiness.block(RECORDS, error);
                }
            }
        }
    }

    /// Reads an agreement's entries beyond those that are held, and checks that they follow.
    async fn read_on(&self, agreement: &AgreementId) -> Result<(), RecordError> {
        loop {
            let Kept { entries, mut hash } = self.kept(agreement);
            let next = entries.len() as u64 + 1;
            let stored = self.ledger.entries_from(agreement, next, ENTRIES_AT_ONCE).await?;
            if stored.is_empty() {
                return Ok(());
            }
            let mut read = Vec::with_capacity(stored.len());
            for (number, stored) in (next..).zip(&stored) {
                hash = chain::follow(agreement, number, &hash, stored)?;
                read.push(decoded(agreement, stored)?);
            }
            self.take_in(agreement, next, &read, hash);
        }
    }

    /// Shows entries from `next` on, unless somebody has shown them already.
    fn take_in(&self, agreement: &AgreementId, next: u64, entries: &[Entry], hash: [u8; 32]) {
        let mut all = self.kept.write().unwrap_or_else(PoisonError::into_inner);
        let kept = all.entry(agreement.clone()).or_default();
        if kept.entries.len() as u64 + 1 == next && !entries.is_empty() {
            Arc::make_mut(&mut kept.entries).extend_from_slice(entries);
            kept.hash = hash;
            drop(all);
            self.changes.send_modify(|changes| *changes += 1);
        }
    }

    fn kept(&self, agreement: &AgreementId) -> Kept {
        let all = self.kept.read().unwrap_or_else(PoisonError::into_inner);
        all.get(agreement).cloned().unwrap_or_default()
    }
}

fn decoded(agreement: &AgreementId, stored: &StoredEntry) -> Result<Entry, RecordError> {
    let number = stored.number;
    let fact = body::read(&stored.body);
    let fact = fact.map_err(|why| RecordError::Unreadable { agreement: agreement.clone(), number, why })?;
    Ok(Entry { number, recorded_at: stored.recorded_at, recorded_by: stored.recorded_by.clone(), fact })
}
