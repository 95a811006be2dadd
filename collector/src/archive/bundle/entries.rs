//! `record.ndjson`: a record as a bundle holds it, an entry a line, with what it takes to follow its chain.

use crate::archive::digest::{Digest, NotADigest};
use crate::ledger::books::StoredEntry;
use rules::time::NotAnInstant;
use serde::{Deserialize, Serialize};

/// An entry's line. `body` is the text as it lies in the ledger, because its hash covers those bytes.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    number: u64,
    recorded_at: String,
    recorded_by: String,
    body: String,
    hash: String,
}

/// A line that is no entry.
#[derive(Debug, thiserror::Error)]
pub enum NotAnEntry {
    /// It has not the keys of one.
    #[error("it is no entry of a bundle's record")]
    Shape(#[from] serde_json::Error),
    /// When it was recorded is no instant.
    #[error("its `recorded_at`: {0}")]
    Instant(NotAnInstant),
    /// Its hash is none.
    #[error("its `hash`: {0}")]
    Digest(NotADigest),
}

/// Writes an entry's line, with its end.
pub(crate) fn write(entry: &StoredEntry) -> String {
    let written = Written {
        number: entry.number,
        recorded_at: entry.recorded_at.to_string(),
        recorded_by: entry.recorded_by.clone(),
        body: entry.body.clone(),
        hash: Digest(entry.hash).to_string(),
    };
    serde_json::to_string(&written).expect("texts and numbers are always JSON") + "\n"
}

/// Reads an entry's line.
pub(crate) fn read(line: &str) -> Result<StoredEntry, NotAnEntry> {
    let Written { number, recorded_at, recorded_by, body, hash } = serde_json::from_str(line)?;
    let recorded_at = recorded_at.parse().map_err(NotAnEntry::Instant)?;
    let hash: Digest = hash.parse().map_err(NotAnEntry::Digest)?;
    Ok(StoredEntry { number, recorded_at, recorded_by, body, hash: hash.0 })
}
