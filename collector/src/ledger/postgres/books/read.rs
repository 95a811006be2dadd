//! What is read from the books in PostgreSQL; nothing here writes.
//!
//! Names are put in order here and not by the database, whose collation may be any.

use crate::ledger::LedgerError;
use crate::ledger::books::rows::{self, DELIVERED, GIVEN_UP, WAITING};
use crate::ledger::books::{Forgotten, Issued, Outbox, PublishedKey, Queued, Seal, StoredEntry};
use crate::ledger::postgres::connection::refused;
use deadpool_postgres::Object;
use rules::id::{AgentId, AgreementId};
use rules::period::Month;
use rules::time::Timestamp;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Error, Row};

const ENTRIES: &str = "SELECT number, recorded_at, recorded_by, body, hash FROM entries
    WHERE agreement = $1 AND number >= $2 ORDER BY number LIMIT $3";
const RECORDS: &str = "SELECT agreement, entries FROM records";
const DUE: &str = "SELECT message, agreement, channel, body, due_at, attempts, incident, entry
    FROM (SELECT *, row_number() OVER (PARTITION BY channel ORDER BY due_at, message) AS nth FROM messages AS due
          WHERE state = $1 AND due_at <= $2 AND NOT EXISTS (
              SELECT 1 FROM messages AS before WHERE before.state = $1 AND before.channel = due.channel
              AND before.agreement = due.agreement AND before.incident = due.incident AND before.entry < due.entry)) AS due
    WHERE nth <= $3 ORDER BY due_at";
const OUTBOX: &str = "SELECT state, count(*) FROM messages GROUP BY state";
const ISSUED: &str = "SELECT month, version, issued_at, sha256, bytes FROM statements
    WHERE agreement = $1 AND ($2::text IS NULL OR month = $2)";
const SEALS: &str = "SELECT number, sealed_at, manifest, sha256, verified_at FROM seals
    WHERE number >= $1 ORDER BY number LIMIT $2";
const FORGOTTEN: &str = "SELECT forgotten.position, until_at FROM forgotten JOIN agents USING (agent_id)
    WHERE agent = $1";
const KEYS: &str = "SELECT key_id, public, published_at, retired_at FROM signing_keys";

/// An agreement's entries from `number` on.
pub(crate) async fn entries_from(
    connection: &Object,
    agreement: &AgreementId,
    number: u64,
    limit: usize,
) -> Result<Vec<StoredEntry>, LedgerError> {
    let page: [&(dyn ToSql + Sync); 3] = [&agreement.as_str(), &number.cast_signed(), &at_most(limit)];
    let row = |row: &Row| Ok((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?, row.try_get(3)?, row.try_get(4)?));
    let found = query(connection, ENTRIES, &page, row).await.map_err(refused("read a record"))?;
    found.into_iter().map(rows::entry).collect()
}

/// How many entries each record has.
pub(crate) async fn records(connection: &Object) -> Result<Vec<(AgreementId, u64)>, LedgerError> {
    let found = query(connection, RECORDS, &[], |row| Ok((row.try_get(0)?, row.try_get(1)?))).await;
    let found = found.map_err(refused("read the records"))?.into_iter().map(rows::record);
    let mut records = found.collect::<Result<Vec<_>, _>>()?;
    records.sort_unstable();
    Ok(records)
}

/// Messages whose attempt is due.
pub(crate) async fn due_messages(
    connection: &Object,
    now: Timestamp,
    limit: usize,
) -> Result<Vec<Queued>, LedgerError> {
    let row = |row: &Row| {
        let (key, agreement, channel) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
        let (body, due_at, attempts) = (row.try_get(3)?, row.try_get(4)?, row.try_get(5)?);
        Ok((key, agreement, channel, body, due_at, attempts, row.try_get(6)?, row.try_get(7)?))
    };
    let due = query(connection, DUE, &[&WAITING, &now.as_millis(), &at_most(limit)], row).await;
    due.map_err(refused("read due messages"))?.into_iter().map(rows::queued).collect()
}

/// What the outbox holds.
pub(crate) async fn outbox(connection: &Object) -> Result<Outbox, LedgerError> {
    let counted = query(connection, OUTBOX, &[], |row| Ok((row.try_get::<_, i64>(0)?, row.try_get::<_, i64>(1)?)));
    let counted = counted.await.map_err(refused("count messages"))?;
    let of = |state| counted.iter().find(|(found, _)| *found == state).map_or(0, |(_, count)| count.cast_unsigned());
    Ok(Outbox { waiting: of(WAITING), delivered: of(DELIVERED), given_up: of(GIVEN_UP) })
}

/// The statements issued for an agreement.
pub(crate) async fn issued(
    connection: &Object,
    agreement: &AgreementId,
    month: Option<Month>,
) -> Result<Vec<Issued>, LedgerError> {
    let month = month.map(|month| month.to_string());
    let row = |row: &Row| Ok((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?, row.try_get(3)?, row.try_get(4)?));
    let found = query(connection, ISSUED, &[&agreement.as_str(), &month], row).await;
    let found = found.map_err(refused("read issued statements"))?;
    let mut issued: Vec<Issued> =
        found.into_iter().map(|row| rows::issued(agreement, row)).collect::<Result<_, _>>()?;
    issued.sort_unstable_by_key(|issued| (issued.month, issued.version));
    Ok(issued)
}

/// Seals from `number` on.
pub(crate) async fn seals_from(connection: &Object, number: u64, limit: usize) -> Result<Vec<Seal>, LedgerError> {
    let row = |row: &Row| Ok((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?, row.try_get(3)?, row.try_get(4)?));
    let found = query(connection, SEALS, &[&number.cast_signed(), &at_most(limit)], row).await;
    found.map_err(refused("read seals"))?.into_iter().map(rows::seal).collect()
}

/// What of the agent's blocks was forgotten.
pub(crate) async fn forgotten(connection: &Object, agent: &AgentId) -> Result<Option<Forgotten>, LedgerError> {
    let found = query(connection, FORGOTTEN, &[&agent.as_str()], |row| Ok((row.try_get(0)?, row.try_get(1)?))).await;
    Ok(found.map_err(refused("read what was forgotten"))?.pop().map(rows::forgotten))
}

/// All keys.
pub(crate) async fn keys(connection: &Object) -> Result<Vec<PublishedKey>, LedgerError> {
    let row = |row: &Row| Ok((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?, row.try_get(3)?));
    let found = query(connection, KEYS, &[], row).await.map_err(refused("read keys"))?;
    let mut keys = found.into_iter().map(rows::key).collect::<Result<Vec<_>, _>>()?;
    keys.sort_unstable_by(|a, b| (a.published_at, &a.id).cmp(&(b.published_at, &b.id)));
    Ok(keys)
}

async fn query<T>(
    connection: &Object,
    sql: &str,
    params: &[&(dyn ToSql + Sync)],
    row: impl Fn(&Row) -> Result<T, Error>,
) -> Result<Vec<T>, Error> {
    let statement = connection.prepare_cached(sql).await?;
    connection.query(&statement, params).await?.iter().map(row).collect()
}

fn at_most(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}
