//! What changes the books in SQLite: each function is one transaction.

use crate::ledger::books::rows::{DELIVERED, FORGOTTEN_AT_ONCE, WAITING, settled};
use crate::ledger::books::{Attempt, Booked, Booking, Issued, PublishedKey, Seal};
use crate::ledger::sqlite::write::begin;
use rules::id::AgentId;
use rules::time::Timestamp;
use rusqlite::{Connection, OptionalExtension, Transaction, params};

const CREATE_RECORD: &str = "INSERT INTO records (agreement, entries) VALUES (?1, 0) ON CONFLICT DO NOTHING";
const MOVE_RECORD: &str = "UPDATE records SET entries = entries + ?3 WHERE agreement = ?1 AND entries = ?2";
const INSERT_ENTRY: &str = "INSERT INTO entries (agreement, number, recorded_at, recorded_by, body, hash)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
const INSERT_MESSAGE: &str =
    "INSERT INTO messages (message, agreement, channel, body, due_at, attempts, state, incident, entry)
    VALUES (?1, ?2, ?3, ?4, ?5, 0, ?6, ?7, ?8) ON CONFLICT DO NOTHING";
const INSERT_STATEMENT: &str = "INSERT INTO statements (agreement, month, version, issued_at, sha256, bytes)
    SELECT ?1, ?2, ?3, ?4, ?5, ?6
    WHERE (SELECT coalesce(max(version), 0) FROM statements WHERE agreement = ?1 AND month = ?2) + 1 = ?3";
const CLAIM: &str = "UPDATE messages SET attempts = attempts + 1, due_at = ?3
    WHERE message = ?1 AND attempts = ?2 AND state = ?4";
const SETTLE: &str = "UPDATE messages SET state = ?2, due_at = ?3, error = ?4
    WHERE message = ?1 AND (state = ?5 OR (?2 = ?6 AND state <> ?6))";
const INSERT_SEAL: &str = "INSERT INTO seals (number, sealed_at, manifest, sha256, verified_at)
    SELECT ?1, ?2, ?3, ?4, ?5 WHERE (SELECT coalesce(max(number), 0) FROM seals) + 1 = ?1";
const VERIFY_SEAL: &str = "UPDATE seals SET verified_at = ?2 WHERE number = ?1";
const PUBLISH_KEY: &str = "INSERT INTO signing_keys (key_id, public, published_at, retired_at)
    VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING";
const RETIRE_KEY: &str = "UPDATE signing_keys SET retired_at = ?2 WHERE key_id = ?1 AND retired_at IS NULL";

/// Blocks that the checkpoint doesn't hold are what a start reads.
const CHECKPOINTED: &str = "SELECT agents.agent_id, min(?2, checkpoints.position)
    FROM agents JOIN checkpoints USING (agent_id) WHERE agent = ?1";
/// The end of the blocks to forget: a position, none if there are no blocks.
const FORGET_UNTIL: &str = "SELECT min(
        coalesce((SELECT min(position) FROM blocks WHERE agent_id = ?1 AND position < ?2 AND ?3 <= last_at), ?2),
        (SELECT min(position) FROM blocks WHERE agent_id = ?1) + ?4)";
const LAST_FORGOTTEN: &str = "SELECT max(last_at) FROM blocks WHERE agent_id = ?1 AND position < ?2";
const FORGET: &str = "DELETE FROM blocks WHERE agent_id = ?1 AND position < ?2";
const NOTE_FORGOTTEN: &str = "INSERT INTO forgotten (agent_id, position, until_at) VALUES (?1, ?2, ?3)
    ON CONFLICT (agent_id) DO UPDATE SET position = excluded.position, until_at = max(until_at, excluded.until_at)";

/// Writes all of a booking, or nothing.
pub(crate) fn book(connection: &mut Connection, booking: &Booking) -> rusqlite::Result<Booked> {
    let transaction = begin(connection)?;
    let agreement = booking.agreement.as_str();
    if booking.next == 1 {
        transaction.prepare_cached(CREATE_RECORD)?.execute([agreement])?;
    }
    let step = params![agreement, booking.next.cast_signed() - 1, booking.entries.len() as i64];
    let moved = transaction.prepare_cached(MOVE_RECORD)?.execute(step)?;
    let issued = match &booking.issued {
        Some(issued) if moved == 1 => insert_statement(&transaction, issued)?,
        _ => moved,
    };
    if moved != 1 || issued != 1 {
        transaction.rollback()?;
        return Ok(Booked::Collided);
    }
    for entry in &booking.entries {
        let row = params![
            agreement,
            entry.number.cast_signed(),
            entry.recorded_at.as_millis(),
            entry.recorded_by,
            entry.body,
            entry.hash
        ];
        transaction.prepare_cached(INSERT_ENTRY)?.execute(row)?;
    }
    for message in &booking.messages {
        let (of, due_at) = (message.agreement.as_str(), message.due_at.as_millis());
        let incident = message.turn.map(|turn| turn.incident.cast_signed());
        let entry = message.turn.map(|turn| turn.entry.cast_signed());
        let row = params![message.key, of, message.channel, message.body, due_at, WAITING, incident, entry];
        transaction.prepare_cached(INSERT_MESSAGE)?.execute(row)?;
    }
    transaction.commit()?;
    Ok(Booked::Durable)
}

fn insert_statement(transaction: &Transaction<'_>, issued: &Issued) -> rusqlite::Result<usize> {
    transaction.prepare_cached(INSERT_STATEMENT)?.execute(params![
        issued.agreement.as_str(),
        issued.month.to_string(),
        issued.version,
        issued.issued_at.as_millis(),
        issued.sha256,
        issued.bytes,
    ])
}

/// Takes a message for one attempt.
pub(crate) fn claim_message(
    connection: &mut Connection,
    key: &str,
    attempts: u32,
    until: Timestamp,
) -> rusqlite::Result<bool> {
    let transaction = begin(connection)?;
    let step = params![key, attempts, until.as_millis(), WAITING];
    let claimed = transaction.prepare_cached(CLAIM)?.execute(step)? == 1;
    transaction.commit()?;
    Ok(claimed)
}

/// Notes what became of an attempt.
pub(crate) fn settle_message(connection: &mut Connection, key: &str, attempt: &Attempt) -> rusqlite::Result<()> {
    let transaction = begin(connection)?;
    let (state, at, error) = settled(attempt);
    transaction.prepare_cached(SETTLE)?.execute(params![key, state, at, error, WAITING, DELIVERED])?;
    transaction.commit()
}

/// Keeps a seal if its number is the next.
pub(crate) fn seal(connection: &mut Connection, seal: &Seal) -> rusqlite::Result<Booked> {
    let transaction = begin(connection)?;
    let verified_at = seal.verified_at.map(Timestamp::as_millis);
    let row = params![seal.number.cast_signed(), seal.sealed_at.as_millis(), seal.manifest, seal.sha256, verified_at];
    let kept = transaction.prepare_cached(INSERT_SEAL)?.execute(row)?;
    transaction.commit()?;
    Ok(if kept == 1 { Booked::Durable } else { Booked::Collided })
}

/// Notes that a seal's files were found whole.
pub(crate) fn verify_seal(connection: &mut Connection, number: u64, at: Timestamp) -> rusqlite::Result<()> {
    let transaction = begin(connection)?;
    transaction.prepare_cached(VERIFY_SEAL)?.execute([number.cast_signed(), at.as_millis()])?;
    transaction.commit()
}

/// Forgets the first of the blocks that may be forgotten; says how many.
pub(crate) fn forget_blocks(
    connection: &mut Connection,
    agent: &AgentId,
    position: u64,
    before: Timestamp,
) -> rusqlite::Result<u64> {
    let transaction = begin(connection)?;
    let within = params![agent.as_str(), i64::try_from(position).unwrap_or(i64::MAX)];
    let checkpointed: Option<(i64, i64)> =
        transaction.prepare_cached(CHECKPOINTED)?.query_row(within, |row| row.try_into()).optional()?;
    let Some((agent_id, position)) = checkpointed else { return Ok(0) };
    let bounds = [agent_id, position, before.as_millis(), FORGOTTEN_AT_ONCE];
    let until: Option<i64> = transaction.prepare_cached(FORGET_UNTIL)?.query_row(bounds, |row| row.get(0))?;
    let Some(until) = until else { return Ok(0) };
    let last_at: Option<i64> =
        transaction.prepare_cached(LAST_FORGOTTEN)?.query_row([agent_id, until], |row| row.get(0))?;
    let gone = transaction.prepare_cached(FORGET)?.execute([agent_id, until])?;
    if 0 < gone {
        let until_at = last_at.map_or(Timestamp::MIN.as_millis(), |last_at| last_at + 1);
        transaction.prepare_cached(NOTE_FORGOTTEN)?.execute([agent_id, until, until_at])?;
    }
    transaction.commit()?;
    Ok(gone as u64)
}

/// Publishes a key.
pub(crate) fn publish_key(connection: &mut Connection, key: &PublishedKey) -> rusqlite::Result<()> {
    let transaction = begin(connection)?;
    let retired_at = key.retired_at.map(Timestamp::as_millis);
    let row = params![key.id, key.public, key.published_at.as_millis(), retired_at];
    transaction.prepare_cached(PUBLISH_KEY)?.execute(row)?;
    transaction.commit()
}

/// Retires a key.
pub(crate) fn retire_key(connection: &mut Connection, id: &str, at: Timestamp) -> rusqlite::Result<()> {
    let transaction = begin(connection)?;
    transaction.prepare_cached(RETIRE_KEY)?.execute(params![id, at.as_millis()])?;
    transaction.commit()
}
