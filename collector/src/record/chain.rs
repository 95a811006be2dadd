//! The chain of hashes through a record: what makes a changed, missing or moved entry found.
//!
//! An entry's hash is SHA-256 over these bytes, one after the other:
//!
//! | bytes | what |
//! | --- | --- |
//! | 16 | `nines record v1\n` |
//! | 32 | the predecessor's hash; zeros for the first entry |
//! | 8 + n | the agreement's name, UTF-8, after its length |
//! | 8 | the entry's number |
//! | 8 | when it was recorded, in milliseconds since the Unix epoch, signed |
//! | 8 + n | who recorded it, UTF-8, after its length |
//! | 8 + n | the body, the JSON text as it lies in the ledger, after its length |
//!
//! Numbers and lengths are big-endian, 64 bits. The chain shows that nothing in the middle was changed.
//! It can't show that its end was cut off or all of it written anew: for that, its head must have been
//! noted elsewhere. Every issued statement notes it, signed ([`Noted`]).

use super::RecordError;
use crate::digest::hex;
use crate::ledger::Ledger;
use crate::ledger::LedgerError;
use crate::ledger::books::StoredEntry;
use rules::id::AgreementId;
use sha2::{Digest, Sha256};

/// What goes before the first entry.
pub(crate) const GENESIS: [u8; 32] = [0; 32];
const DOMAIN: &[u8; 16] = b"nines record v1\n";
/// Entries that are read at once.
const ENTRIES_AT_ONCE: usize = 1_000;

/// The hash of an entry after one whose hash is `predecessor`. Its own `hash` plays no part.
pub fn hash(agreement: &AgreementId, predecessor: &[u8; 32], entry: &StoredEntry) -> [u8; 32] {
    let mut hasher = Sha256::new();
    hasher.update(DOMAIN);
    hasher.update(predecessor);
    add_text(&mut hasher, agreement.as_str());
    hasher.update(entry.number.to_be_bytes());
    hasher.update(entry.recorded_at.as_millis().to_be_bytes());
    add_text(&mut hasher, &entry.recorded_by);
    add_text(&mut hasher, &entry.body);
    hasher.finalize().into()
}

fn add_text(hasher: &mut Sha256, text: &str) {
    hasher.update((text.len() as u64).to_be_bytes());
    hasher.update(text);
}

/// Checks that `entry` is the one numbered `number` and follows `predecessor`; its hash if so.
pub(crate) fn follow(
    agreement: &AgreementId,
    number: u64,
    predecessor: &[u8; 32],
    entry: &StoredEntry,
) -> Result<[u8; 32], RecordError> {
    if entry.number != number {
        return Err(RecordError::Missing { agreement: agreement.clone(), number });
    }
    let hash = hash(agreement, predecessor, entry);
    if hash != entry.hash {
        return Err(RecordError::Broken { agreement: agreement.clone(), number });
    }
    Ok(hash)
}

/// Why a record is not what it was.
#[derive(Debug, thiserror::Error)]
pub enum NotWhole {
    /// It can't be read, or does not follow.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// An issued statement heard more of it.
    #[error(
        "failed to verify the record of `{agreement}`: {} heard its entry {} and was put on record as the next, but it \
         ends at entry {ends}; its end was cut off", .noted.by, .noted.head.entries
    )]
    CutOff {
        /// Whose record.
        agreement: AgreementId,
        /// What was heard of it.
        noted: Noted,
        /// Its last entry.
        ends: u64,
    },
    /// An issued statement heard something else.
    #[error(
        "failed to verify the record of `{agreement}`: {} heard its entry {} with hash {}, but that entry has hash {}; \
         it was written anew",
        .noted.by, .noted.head.entries, hex(&.noted.head.hash), hex(.found)
    )]
    WrittenAnew {
        /// Whose record.
        agreement: AgreementId,
        /// What was heard of it.
        noted: Noted,
        /// The entry's hash.
        found: [u8; 32],
    },
}

/// How far a record goes, and what vouches for all of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Head {
    /// How many entries it has.
    pub entries: u64,
    /// The last one's hash; zeros if there is none.
    pub hash: [u8; 32],
}

impl Head {
    /// That of a record without entries.
    pub const EMPTY: Head = Head { entries: 0, hash: GENESIS };
}

/// A head that an issued statement noted. The statement itself is the next entry, or one of the next:
/// both were written in one transaction.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Noted {
    /// The head.
    pub head: Head,
    /// Which statement, as messages call it.
    pub by: String,
}

/// A record on its way from the first entry to the last, held against what was noted of it.
#[derive(Debug)]
pub struct Walk<'a> {
    agreement: &'a AgreementId,
    noted: &'a [Noted],
    head: Head,
}

impl<'a> Walk<'a> {
    /// Before the first entry of `agreement`'s record.
    pub fn new(agreement: &'a AgreementId, noted: &'a [Noted]) -> Walk<'a> {
        Walk { agreement, noted, head: Head::EMPTY }
    }

    /// Checks the next entry.
    pub fn take(&mut self, entry: &StoredEntry) -> Result<(), NotWhole> {
        let entries = self.head.entries + 1;
        let hash = follow(self.agreement, entries, &self.head.hash, entry)?;
        self.head = Head { entries, hash };
        let other = self.noted.iter().find(|noted| noted.head.entries == entries && noted.head.hash != hash);
        other.map_or(Ok(()), |noted| {
            Err(NotWhole::WrittenAnew { agreement: self.agreement.clone(), noted: noted.clone(), found: hash })
        })
    }

    /// The head, if nothing that was noted lies beyond it.
    pub fn end(self) -> Result<Head, NotWhole> {
        let ends = self.head.entries;
        match self.noted.iter().filter(|noted| ends <= noted.head.entries).max_by_key(|noted| noted.head.entries) {
            Some(noted) => Err(NotWhole::CutOff { agreement: self.agreement.clone(), noted: noted.clone(), ends }),
            None => Ok(self.head),
        }
    }
}

/// Reads an agreement's whole record from the ledger and checks that it follows and holds what was
/// noted of it, whether or not this version understands what its entries say.
pub async fn verify(ledger: &dyn Ledger, agreement: &AgreementId, noted: &[Noted]) -> Result<Head, NotWhole> {
    let length = length(ledger, agreement).await.map_err(RecordError::Ledger)?;
    let mut walk = Walk::new(agreement, noted);
    loop {
        let stored = ledger.entries_from(agreement, walk.head.entries + 1, ENTRIES_AT_ONCE).await;
        let stored = stored.map_err(RecordError::Ledger)?;
        for entry in &stored {
            walk.take(entry)?;
        }
        if stored.is_empty() && walk.head.entries < length {
            return Err(RecordError::Missing { agreement: agreement.clone(), number: walk.head.entries + 1 }.into());
        }
        if stored.is_empty() {
            return walk.end();
        }
    }
}

async fn length(ledger: &dyn Ledger, agreement: &AgreementId) -> Result<u64, LedgerError> {
    let records = ledger.records().await?;
    Ok(records.into_iter().find(|(known, _)| known == agreement).map_or(0, |(_, length)| length))
}
