//! What changes the books in PostgreSQL: each function is one transaction.
//!
//! The row of its agreement's record guards all that a booking writes; of two that want to be the
//! first to insert something, the second waits for the first and then finds it there.

use crate::ledger::books::rows::{DELIVERED, FORGOTTEN_AT_ONCE, WAITING, settled};
use crate::ledger::books::{Attempt, Booked, Booking, Issued, Message, PublishedKey, Seal, StoredEntry};
use crate::ledger::postgres::put::column;
use crate::ledger::postgres::write::settle;
use deadpool_postgres::{Object, Transaction};
use rules::id::{AgentId, AgreementId};
use rules::time::Timestamp;
use tokio_postgres::Error;
use tokio_postgres::types::ToSql;

const CREATE_RECORD: &str = "INSERT INTO records (agreement, entries) VALUES ($1, 0) ON CONFLICT DO NOTHING";
const MOVE_RECORD: &str = "UPDATE records SET entries = entries + $3 WHERE agreement = $1 AND entries = $2";
const INSERT_ENTRIES: &str = "INSERT INTO entries (agreement, number, recorded_at, recorded_by, body, hash)
    SELECT $1::text, new.* FROM unnest($2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::bytea[]) AS new";
const INSERT_MESSAGES: &str =
    "INSERT INTO messages (message, agreement, channel, body, due_at, incident, entry, attempts, state)
    SELECT new.*, 0, $8::bigint
    FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::bigint[], $7::bigint[]) AS new
    ON CONFLICT DO NOTHING";
const INSERT_STATEMENT: &str = "INSERT INTO statements (agreement, month, version, issued_at, sha256, bytes)
    SELECT $1::text, $2::text, $3::bigint, $4::bigint, $5::bytea, $6::bytea
    WHERE (SELECT coalesce(max(version), 0) FROM statements WHERE agreement = $1 AND month = $2) + 1 = $3
    ON CONFLICT DO NOTHING";
const CLAIM: &str = "UPDATE messages SET attempts = attempts + 1, due_at = $3
    WHERE message = $1 AND attempts = $2 AND state = $4";
const SETTLE: &str = "UPDATE messages SET state = $2, due_at = $3, error = $4
    WHERE message = $1 AND (state = $5 OR ($2::bigint = $6::bigint AND state <> $6))";
const INSERT_SEAL: &str = "INSERT INTO seals (number, sealed_at, manifest, sha256, verified_at)
    SELECT $1::bigint, $2::bigint, $3::text, $4::bytea, $5::bigint
    WHERE (SELECT coalesce(max(number), 0) FROM seals) + 1 = $1 ON CONFLICT DO NOTHING";
const VERIFY_SEAL: &str = "UPDATE seals SET verified_at = $2 WHERE number = $1";
const PUBLISH_KEY: &str = "INSERT INTO signing_keys (key_id, public, published_at, retired_at)
    VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
const RETIRE_KEY: &str = "UPDATE signing_keys SET retired_at = $2 WHERE key_id = $1 AND retired_at IS NULL";

/// Blocks that the checkpoint doesn't hold are what a start reads. The agent's row is locked, so
/// that no two forget at once.
const CHECKPOINTED: &str = "SELECT agents.agent_id, least($2, checkpoints.position)
    FROM agents JOIN checkpoints USING (agent_id) WHERE agent = $1 FOR UPDATE OF agents";
/// The end of the blocks to forget: a position, none if there are no blocks.
const FORGET_UNTIL: &str = "SELECT CASE WHEN kept.first < oldest.first + $4 THEN kept.first ELSE oldest.first + $4 END
    FROM (SELECT min(position) AS first FROM blocks WHERE agent_id = $1) AS oldest CROSS JOIN (
        SELECT coalesce(min(position), $2) AS first FROM blocks
        WHERE agent_id = $1 AND position < $2 AND $3 <= last_at
    ) AS kept";
const LAST_FORGOTTEN: &str = "SELECT max(last_at) FROM blocks WHERE agent_id = $1 AND position < $2";
const FORGET: &str = "DELETE FROM blocks WHERE agent_id = $1 AND position < $2";
const NOTE_FORGOTTEN: &str = "INSERT INTO forgotten (agent_id, position, until_at) VALUES ($1, $2, $3)
    ON CONFLICT (agent_id) DO UPDATE SET position = excluded.position,
        until_at = greatest(forgotten.until_at, excluded.until_at)";

/// Writes all of a booking, or nothing.
pub(crate) async fn book(connection: &mut Object, booking: &Booking) -> Result<Booked, Error> {
    let transaction = connection.transaction().await?;
    let agreement = booking.agreement.as_str();
    if booking.next == 1 {
        transaction.execute(CREATE_RECORD, &[&agreement]).await?;
    }
    let (length, more) = (booking.next.cast_signed() - 1, booking.entries.len() as i64);
    let moved = transaction.execute(MOVE_RECORD, &[&agreement, &length, &more]).await?;
    let issued = match &booking.issued {
        Some(issued) if moved == 1 => insert_statement(&transaction, issued).await?,
        _ => moved,
    };
    if moved != 1 || issued != 1 {
        transaction.rollback().await?;
        return Ok(Booked::Collided);
    }
    insert_entries(&transaction, &booking.agreement, &booking.entries).await?;
    insert_messages(&transaction, &booking.messages).await?;
    settle(transaction).await?;
    Ok(Booked::Durable)
}

async fn insert_statement(transaction: &Transaction<'_>, issued: &Issued) -> Result<u64, Error> {
    let (agreement, month, version) = (issued.agreement.as_str(), issued.month.to_string(), i64::from(issued.version));
    let (issued_at, sha256) = (issued.issued_at.as_millis(), issued.sha256.as_slice());
    transaction.execute(INSERT_STATEMENT, &[&agreement, &month, &version, &issued_at, &sha256, &issued.bytes]).await
}

async fn insert_entries(
    transaction: &Transaction<'_>,
    agreement: &AgreementId,
    entries: &[StoredEntry],
) -> Result<(), Error> {
    if entries.is_empty() {
        return Ok(());
    }
    let numbers = column(entries, |entry| entry.number.cast_signed());
    let instants = column(entries, |entry| entry.recorded_at.as_millis());
    let people = column(entries, |entry| entry.recorded_by.as_str());
    let bodies = column(entries, |entry| entry.body.as_str());
    let hashes = column(entries, |entry| entry.hash.as_slice());
    transaction.execute(INSERT_ENTRIES, &[&agreement.as_str(), &numbers, &instants, &people, &bodies, &hashes]).await?;
    Ok(())
}

async fn insert_messages(transaction: &Transaction<'_>, messages: &[Message]) -> Result<(), Error> {
    if messages.is_empty() {
        return Ok(());
    }
    let keys = column(messages, |message| message.key.as_str());
    let agreements = column(messages, |message| message.agreement.as_str());
    let channels = column(messages, |message| message.channel.as_str());
    let bodies = column(messages, |message| message.body.as_str());
    let due = column(messages, |message| message.due_at.as_millis());
    let incidents = column(messages, |message| message.turn.map(|turn| turn.incident.cast_signed()));
    let entries = column(messages, |message| message.turn.map(|turn| turn.entry.cast_signed()));
    let columns: [&(dyn ToSql + Sync); 8] =
        [&keys, &agreements, &channels, &bodies, &due, &incidents, &entries, &WAITING];
    transaction.execute(INSERT_MESSAGES, &columns).await?;
    Ok(())
}

/// Takes a message for one attempt.
pub(crate) async fn claim_message(
    connection: &mut Object,
    key: &str,
    attempts: u32,
    until: Timestamp,
) -> Result<bool, Error> {
    let transaction = connection.transaction().await?;
    let (attempts, until) = (i64::from(attempts), until.as_millis());
    let claimed = transaction.execute(CLAIM, &[&key, &attempts, &until, &WAITING]).await? == 1;
    settle(transaction).await?;
    Ok(claimed)
}

/// Notes what became of an attempt.
pub(crate) async fn settle_message(connection: &mut Object, key: &str, attempt: &Attempt) -> Result<(), Error> {
    let transaction = connection.transaction().await?;
    let (state, at, error) = settled(attempt);
    transaction.execute(SETTLE, &[&key, &state, &at, &error, &WAITING, &DELIVERED]).await?;
    settle(transaction).await
}

/// Keeps a seal if its number is the next.
pub(crate) async fn seal(connection: &mut Object, seal: &Seal) -> Result<Booked, Error> {
    let transaction = connection.transaction().await?;
    let (number, sealed_at) = (seal.number.cast_signed(), seal.sealed_at.as_millis());
    let (sha256, verified_at) = (seal.sha256.as_slice(), seal.verified_at.map(Timestamp::as_millis));
    let kept = transaction.execute(INSERT_SEAL, &[&number, &sealed_at, &seal.manifest, &sha256, &verified_at]).await?;
    settle(transaction).await?;
    Ok(if kept == 1 { Booked::Durable } else { Booked::Collided })
}

/// Notes that a seal's files were found whole.
pub(crate) async fn verify_seal(connection: &mut Object, number: u64, at: Timestamp) -> Result<(), Error> {
    let transaction = connection.transaction().await?;
    transaction.execute(VERIFY_SEAL, &[&number.cast_signed(), &at.as_millis()]).await?;
    settle(transaction).await
}

/// Forgets the first of the blocks that may be forgotten; says how many.
pub(crate) async fn forget_blocks(
    connection: &mut Object,
    agent: &AgentId,
    position: u64,
    before: Timestamp,
) -> Result<u64, Error> {
    let transaction = connection.transaction().await?;
    let position = i64::try_from(position).unwrap_or(i64::MAX);
    let checkpointed = transaction.query_opt(CHECKPOINTED, &[&agent.as_str(), &position]).await?;
    let Some(checkpointed) = checkpointed else { return Ok(0) };
    let (agent_id, position): (i64, i64) = (checkpointed.try_get(0)?, checkpointed.try_get(1)?);
    let before = before.as_millis();
    let until = transaction.query_one(FORGET_UNTIL, &[&agent_id, &position, &before, &FORGOTTEN_AT_ONCE]).await?;
    let Some(until) = until.try_get::<_, Option<i64>>(0)? else { return Ok(0) };
    let last_at: Option<i64> = transaction.query_one(LAST_FORGOTTEN, &[&agent_id, &until]).await?.try_get(0)?;
    let gone = transaction.execute(FORGET, &[&agent_id, &until]).await?;
    if 0 < gone {
        let until_at = last_at.map_or(Timestamp::MIN.as_millis(), |last_at| last_at + 1);
        transaction.execute(NOTE_FORGOTTEN, &[&agent_id, &until, &until_at]).await?;
    }
    settle(transaction).await?;
    Ok(gone)
}

/// Publishes a key.
pub(crate) async fn publish_key(connection: &mut Object, key: &PublishedKey) -> Result<(), Error> {
    let transaction = connection.transaction().await?;
    let (public, retired_at) = (key.public.as_slice(), key.retired_at.map(Timestamp::as_millis));
    transaction.execute(PUBLISH_KEY, &[&key.id, &public, &key.published_at.as_millis(), &retired_at]).await?;
    settle(transaction).await
}

/// Retires a key.
pub(crate) async fn retire_key(connection: &mut Object, id: &str, at: Timestamp) -> Result<(), Error> {
    let transaction = connection.transaction().await?;
    transaction.execute(RETIRE_KEY, &[&id, &at.as_millis()]).await?;
    settle(transaction).await
}
