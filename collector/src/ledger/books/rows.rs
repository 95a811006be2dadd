//! The rows of the books that both stores share, and the way from them to values.
//!
//! Instants are whole Unix milliseconds, a month is its text, a message's state is a small number.
//! A row that can't be a value is [`LedgerError::Corrupt`]; nothing is guessed.

use super::{Attempt, Forgotten, Issued, Message, PublishedKey, Queued, Seal, StoredEntry, Turn};
use crate::ledger::LedgerError;
use crate::ledger::rows::name;
use rules::id::AgreementId;
use rules::time::Timestamp;

/// The longest error kept of an attempt, in bytes: enough for a person, whatever a receiver said.
const ERROR_BYTES_MAX: usize = 2_000;
/// How many blocks are forgotten in one transaction; each is some KiB.
pub(crate) const FORGOTTEN_AT_ONCE: i64 = 1_024;

/// A message waits for its next attempt.
pub(crate) const WAITING: i64 = 0;
/// A message was delivered.
pub(crate) const DELIVERED: i64 = 1;
/// A message was given up.
pub(crate) const GIVEN_UP: i64 = 2;

/// `number, recorded_at, recorded_by, body, hash`.
pub(crate) type EntryRow = (i64, i64, String, String, Vec<u8>);
/// `message, agreement, channel, body, due_at, attempts, incident, entry`.
pub(crate) type MessageRow = (String, String, String, String, i64, i64, Option<i64>, Option<i64>);
/// `month, version, issued_at, sha256, bytes`.
pub(crate) type IssuedRow = (String, i64, i64, Vec<u8>, Vec<u8>);
/// `number, sealed_at, manifest, sha256, verified_at`.
pub(crate) type SealRow = (i64, i64, String, Vec<u8>, Option<i64>);
/// `key_id, public, published_at, retired_at`.
pub(crate) type KeyRow = (String, Vec<u8>, i64, Option<i64>);

/// An entry from its row.
pub(crate) fn entry((number, recorded_at, recorded_by, body, hash): EntryRow) -> Result<StoredEntry, LedgerError> {
    let hash = bytes(hash, "an entry's hash")?;
    let recorded_at = Timestamp::from_millis(recorded_at);
    Ok(StoredEntry { number: number.cast_unsigned(), recorded_at, recorded_by, body, hash })
}

/// A record's length from its row.
pub(crate) fn record((agreement, entries): (String, i64)) -> Result<(AgreementId, u64), LedgerError> {
    Ok((name(&agreement)?, entries.cast_unsigned()))
}

/// A waiting message from its row.
pub(crate) fn queued(row: MessageRow) -> Result<Queued, LedgerError> {
    let (key, agreement, channel, body, due_at, attempts, incident, entry) = row;
    let turn =
        |(incident, entry): (i64, i64)| Turn { incident: incident.cast_unsigned(), entry: entry.cast_unsigned() };
    let (agreement, turn) = (name(&agreement)?, incident.zip(entry).map(turn));
    let message = Message { key, agreement, channel, body, due_at: Timestamp::from_millis(due_at), turn };
    Ok(Queued { message, attempts: narrow(attempts, "a message's number of attempts")? })
}

/// An issued statement from its row.
pub(crate) fn issued(agreement: &AgreementId, row: IssuedRow) -> Result<Issued, LedgerError> {
    let (month, version, issued_at, sha256, content) = row;
    Ok(Issued {
        agreement: agreement.clone(),
        month: month.parse().map_err(|_| corrupt(format!("a statement is of the month `{month}`")))?,
        version: narrow(version, "a statement's version")?,
        issued_at: Timestamp::from_millis(issued_at),
        sha256: bytes(sha256, "a statement's hash")?,
        bytes: content,
    })
}

/// A seal from its row.
pub(crate) fn seal((number, sealed_at, manifest, sha256, verified_at): SealRow) -> Result<Seal, LedgerError> {
    Ok(Seal {
        number: number.cast_unsigned(),
        sealed_at: Timestamp::from_millis(sealed_at),
        manifest,
        sha256: bytes(sha256, "a seal's hash")?,
        verified_at: verified_at.map(Timestamp::from_millis),
    })
}

/// A key from its row.
pub(crate) fn key((id, public, published_at, retired_at): KeyRow) -> Result<PublishedKey, LedgerError> {
    let public = bytes(public, "a public key")?;
    let published_at = Timestamp::from_millis(published_at);
    Ok(PublishedKey { id, public, published_at, retired_at: retired_at.map(Timestamp::from_millis) })
}

/// What was forgotten, from `position, until_at`.
pub(crate) fn forgotten((position, until): (i64, i64)) -> Forgotten {
    Forgotten { position: position.cast_unsigned(), until: Timestamp::from_millis(until) }
}

/// What an attempt leaves of its message: its state, when (settled, or due again), and the error.
pub(crate) fn settled(attempt: &Attempt) -> (i64, i64, Option<String>) {
    match attempt {
        Attempt::Delivered { at } => (DELIVERED, at.as_millis(), None),
        Attempt::Again { due_at, error } => (WAITING, due_at.as_millis(), Some(kept(error))),
        Attempt::GivenUp { at, error } => (GIVEN_UP, at.as_millis(), Some(kept(error))),
    }
}

/// An error as both stores can keep it: bounded, and without the character that PostgreSQL refuses.
fn kept(error: &str) -> String {
    let end = error.floor_char_boundary(ERROR_BYTES_MAX);
    error[..end].replace('\0', "\u{fffd}")
}

fn bytes<const N: usize>(found: Vec<u8>, what: &str) -> Result<[u8; N], LedgerError> {
    let length = found.len();
    found.try_into().map_err(|_| corrupt(format!("{what} has {length} bytes and not {N}")))
}

fn narrow(number: i64, what: &str) -> Result<u32, LedgerError> {
    u32::try_from(number).map_err(|_| corrupt(format!("{what} is {number}")))
}

fn corrupt(what: String) -> LedgerError {
    LedgerError::Corrupt { what }
}
