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
//! It can't show that its end was cut off or all of it written anew: for that, its last hash must have
//! been noted elsewhere.

use super::RecordError;
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

/// What checking a whole record found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Verified {
    /// How many entries follow each other.
    pub entries: u64,
    /// The last one's hash.
    pub hash: [u8; 32],
}

/// Reads an agreement's whole record from the ledger and checks that it follows, whether or not
/// this version understands what its entries say.
pub async fn verify(ledger: &dyn Ledger, agreement: &AgreementId) -> Result<Verified, RecordError> {
    let length = length(ledger, agreement).await?;
    let mut verified = Verified { entries: 0, hash: GENESIS };
    loop {
        let stored = ledger.entries_from(agreement, verified.entries + 1, ENTRIES_AT_ONCE).await?;
        for entry in &stored {
            let number = verified.entries + 1;
            verified = Verified { entries: number, hash: follow(agreement, number, &verified.hash, entry)? };
        }
        if stored.is_empty() && verified.entries < length {
            return Err(RecordError::Missing { agreement: agreement.clone(), number: verified.entries + 1 });
        }
        if stored.is_empty() {
            return Ok(verified);
        }
    }
}

async fn length(ledger: &dyn Ledger, agreement: &AgreementId) -> Result<u64, LedgerError> {
    let records = ledger.records().await?;
    Ok(records.into_iter().find(|(known, _)| known == agreement).map_or(0, |(_, length)| length))
}

/// A hash in lower-case hexadecimal.
pub(crate) fn hexadecimal(bytes: &[u8; 32]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(64), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing into a string can't fail");
        text
    })
}
