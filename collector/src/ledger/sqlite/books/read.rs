//! What is read from the books in SQLite; nothing here writes.

use crate::ledger::LedgerError;
use crate::ledger::books::rows::{self, DELIVERED, GIVEN_UP, WAITING};
use crate::ledger::books::{Forgotten, Issued, Outbox, PublishedKey, Queued, Seal, StoredEntry};
use crate::ledger::sqlite::read::{query, reading};
use rules::id::{AgentId, AgreementId};
use rules::period::Month;
use rules::time::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};

const ENTRIES: &str = "SELECT number, recorded_at, recorded_by, body, hash FROM entries
    WHERE agreement = ?1 AND number >= ?2 ORDER BY number LIMIT ?3";
const RECORDS: &str = "SELECT agreement, entries FROM records ORDER BY agreement";
const DUE: &str = "SELECT message, agreement, channel, body, due_at, attempts, incident, entry
    FROM (SELECT *, row_number() OVER (PARTITION BY channel ORDER BY due_at, message) AS nth FROM messages AS due
          WHERE state = ?1 AND due_at <= ?2 AND NOT EXISTS (
              SELECT 1 FROM messages AS before WHERE before.state = ?1 AND before.channel = due.channel
              AND before.agreement = due.agreement AND before.incident = due.incident AND before.entry < due.entry))
    WHERE nth <= ?3 ORDER BY due_at, message";
const OUTBOX: &str = "SELECT state, count(*) FROM messages GROUP BY state";
const ISSUED: &str = "SELECT month, version, issued_at, sha256, bytes FROM statements
    WHERE agreement = ?1 AND (?2 IS NULL OR month = ?2) ORDER BY month, version";
const SEALS: &str = "SELECT number, sealed_at, manifest, sha256, verified_at FROM seals
    WHERE number >= ?1 ORDER BY number LIMIT ?2";
const FORGOTTEN: &str = "SELECT forgotten.position, until_at FROM forgotten JOIN agents USING (agent_id)
    WHERE agent = ?1";
const KEYS: &str = "SELECT key_id, public, published_at, retired_at FROM signing_keys ORDER BY published_at, key_id";

/// An agreement's entries from `number` on.
pub(crate) fn entries_from(
    connection: &mut Connection,
    agreement: &AgreementId,
    number: u64,
    limit: usize,
) -> Result<Vec<StoredEntry>, LedgerError> {
    let page = params![agreement.as_str(), number.cast_signed(), at_most(limit)];
    let found = query(connection, ENTRIES, page, |row| row.try_into());
    found.map_err(reading("read a record"))?.into_iter().map(rows::entry).collect()
}

/// How many entries each record has.
pub(crate) fn records(connection: &mut Connection) -> Result<Vec<(AgreementId, u64)>, LedgerError> {
    let found = query(connection, RECORDS, [], |row| row.try_into());
    found.map_err(reading("read the records"))?.into_iter().map(rows::record).collect()
}

/// Messages whose attempt is due.
pub(crate) fn due_messages(
    connection: &mut Connection,
    now: Timestamp,
    limit: usize,
) -> Result<Vec<Queued>, LedgerError> {
    let due = query(connection, DUE, params![WAITING, now.as_millis(), at_most(limit)], |row| row.try_into());
    due.map_err(reading("read due messages"))?.into_iter().map(rows::queued).collect()
}

/// What the outbox holds.
pub(crate) fn outbox(connection: &mut Connection) -> Result<Outbox, LedgerError> {
    let counted = query(connection, OUTBOX, [], |row: &Row<'_>| <(i64, i64)>::try_from(row));
    let counted = counted.map_err(reading("count messages"))?;
    let of = |state| counted.iter().find(|(found, _)| *found == state).map_or(0, |(_, count)| count.cast_unsigned());
    Ok(Outbox { waiting: of(WAITING), delivered: of(DELIVERED), given_up: of(GIVEN_UP) })
}

/// The statements issued for an agreement.
pub(crate) fn issued(
    connection: &mut Connection,
    agreement: &AgreementId,
    month: Option<Month>,
) -> Result<Vec<Issued>, LedgerError> {
    let wanted = params![agreement.as_str(), month.map(|month| month.to_string())];
    let found = query(connection, ISSUED, wanted, |row| row.try_into());
    let found = found.map_err(reading("read issued statements"))?;
    found.into_iter().map(|row| rows::issued(agreement, row)).collect()
}

/// Seals from `number` on.
pub(crate) fn seals_from(connection: &mut Connection, number: u64, limit: usize) -> Result<Vec<Seal>, LedgerError> {
    let found = query(connection, SEALS, params![number.cast_signed(), at_most(limit)], |row| row.try_into());
    found.map_err(reading("read seals"))?.into_iter().map(rows::seal).collect()
}

/// What of the agent's blocks was forgotten.
pub(crate) fn forgotten(connection: &mut Connection, agent: &AgentId) -> Result<Option<Forgotten>, LedgerError> {
    let found = connection
        .prepare_cached(FORGOTTEN)
        .and_then(|mut statement| statement.query_row([agent.as_str()], |row| row.try_into()).optional());
    Ok(found.map_err(reading("read what was forgotten"))?.map(rows::forgotten))
}

/// All keys.
pub(crate) fn keys(connection: &mut Connection) -> Result<Vec<PublishedKey>, LedgerError> {
    let found = query(connection, KEYS, [], |row| row.try_into());
    found.map_err(reading("read keys"))?.into_iter().map(rows::key).collect()
}

fn at_most(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}
