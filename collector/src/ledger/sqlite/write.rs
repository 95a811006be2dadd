//! What changes the ledger in SQLite: each function is one transaction.
//!
//! Every transaction takes the write lock when it begins, so what it has read still holds when it
//! writes, also against another process on the same file. A crash before `COMMIT` has reached the
//! disk leaves nothing of it, a crash after leaves all.

use crate::ledger::rows::{HOUR_MS, HourRow, RunRow, whole_hour_from};
use crate::ledger::{Advance, Checkpoint, Committed, Derived, Effect, Hour, Lane, Quarantined, StoredBlock};
use rules::id::AgentId;
use rules::result::SeriesKey;
use rules::run::Run;
use rules::time::Timestamp;
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};

const GRANT: &str = "INSERT INTO agents (agent, position, incarnation_last, span_ms_max) VALUES (?1, 0, 1, 0)
    ON CONFLICT (agent) DO UPDATE SET incarnation_last = incarnation_last + 1
    RETURNING agent_id, incarnation_last";
const INSERT_LANE: &str = "INSERT INTO lanes (agent_id, incarnation, next_seq, granted_at) VALUES (?1, ?2, ?3, ?4)
    ON CONFLICT DO NOTHING";
const CREATE_AGENT: &str = "INSERT INTO agents (agent, position, incarnation_last, span_ms_max) VALUES (?1, 0, 0, 0)
    ON CONFLICT DO NOTHING";
const MOVE_AGENT: &str = "UPDATE agents SET position = ?3, span_ms_max = max(span_ms_max, ?4)
    WHERE agent = ?1 AND position = ?2 RETURNING agent_id";
const MOVE_LANE: &str = "UPDATE lanes SET next_seq = ?4 WHERE agent_id = ?1 AND incarnation = ?2 AND next_seq = ?3";
const INSERT_BLOCK: &str = "INSERT INTO blocks
    (agent_id, position, incarnation, seq, received_at, first_at, last_at, results, bytes)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
const FIND_SERIES: &str = "SELECT series_id FROM series WHERE agent_id = ?1 AND service = ?2 AND check_name = ?3";
const INSERT_SERIES: &str =
    "INSERT INTO series (agent_id, service, check_name) VALUES (?1, ?2, ?3) RETURNING series_id";
const FORGET_RUNS: &str = "DELETE FROM runs WHERE agent_id = ?1 AND series_id = ?2 AND first_at >= ?3";
/// Names each hour to forget, so that it is found by key among the other series' hours.
const FORGET_HOURS: &str = "DELETE FROM hours WHERE agent_id = ?1 AND series_id = ?2 AND hour IN (
    WITH RECURSIVE forgotten (hour) AS (
        SELECT max(?3, (SELECT min(hour) FROM hours WHERE agent_id = ?1))
        UNION ALL
        SELECT hour + ?4 FROM forgotten WHERE hour + ?4 <= (SELECT max(hour) FROM hours WHERE agent_id = ?1)
    ) SELECT hour FROM forgotten)";
const PUT_RUN: &str = "INSERT OR REPLACE INTO runs
    (agent_id, series_id, first_at, last_at, until_at, kind, results, causes) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
const PUT_HOUR: &str = "INSERT OR REPLACE INTO hours
    (agent_id, hour, series_id, ups, timeouts, other_downs, voids, extras, untimed, sum_us, histogram)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
const PUT_CHECKPOINT: &str = "INSERT OR REPLACE INTO checkpoints (agent_id, position, bytes) VALUES (?1, ?2, ?3)";
const INSERT_QUARANTINE: &str = "INSERT INTO quarantine (agent, incarnation, seq, received_at, reason, bytes)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6)";

/// Grants `agent` a fresh incarnation.
pub(crate) fn grant(
    connection: &mut Connection,
    agent: AgentId,
    first_seq: u64,
    now: Timestamp,
) -> rusqlite::Result<Lane> {
    let transaction = begin(connection)?;
    let (agent_id, incarnation): (i64, i64) = transaction
        .prepare_cached(GRANT)?
        .query_row([agent.as_str()], |row| Ok((row.get("agent_id")?, row.get("incarnation_last")?)))?;
    let lane = params![agent_id, incarnation, first_seq.cast_signed(), now.as_millis()];
    transaction.prepare_cached(INSERT_LANE)?.execute(lane)?;
    transaction.commit()?;
    Ok(Lane { agent, incarnation: incarnation.cast_unsigned(), next_seq: first_seq })
}

/// Writes all advances, or none.
pub(crate) fn commit(connection: &mut Connection, advances: &[Advance]) -> rusqlite::Result<Committed> {
    let transaction = begin(connection)?;
    let mut collided = Vec::new();
    for advance in advances {
        match claim(&transaction, advance)? {
            Some(agent_id) if collided.is_empty() => write(&transaction, agent_id, advance)?,
            Some(_) => {}
            None => collided.push(advance.agent.clone()),
        }
    }
    if !collided.is_empty() {
        transaction.rollback()?;
        return Ok(Committed::collided(collided));
    }
    transaction.commit()?;
    Ok(Committed::Durable)
}

/// Puts everything derived for `agent` anew.
pub(crate) fn replace_derived(
    connection: &mut Connection,
    agent: &AgentId,
    position: u64,
    derived: &[Derived],
    checkpoint: &Checkpoint,
) -> rusqlite::Result<Committed> {
    let transaction = begin(connection)?;
    let Some(agent_id) = move_agent(&transaction, agent, position, position, 0)? else {
        transaction.rollback()?;
        return Ok(Committed::collided(vec![agent.clone()]));
    };
    transaction.prepare_cached("DELETE FROM runs WHERE agent_id = ?1")?.execute([agent_id])?;
    transaction.prepare_cached("DELETE FROM hours WHERE agent_id = ?1")?.execute([agent_id])?;
    for Derived { series, runs, hours } in derived {
        let series_id = series_id(&transaction, agent_id, series)?;
        put(&transaction, agent_id, series_id, runs, hours)?;
    }
    put_checkpoint(&transaction, agent_id, checkpoint)?;
    transaction.commit()?;
    Ok(Committed::Durable)
}

/// Keeps refused bytes.
pub(crate) fn quarantine(connection: &mut Connection, refused: &Quarantined) -> rusqlite::Result<()> {
    let transaction = begin(connection)?;
    insert_quarantined(&transaction, refused)?;
    transaction.commit()
}

pub(super) fn begin(connection: &mut Connection) -> rusqlite::Result<Transaction<'_>> {
    connection.transaction_with_behavior(TransactionBehavior::Immediate)
}

/// Moves the agent and its lane if both stand where the advance says; its row's id if so.
fn claim(transaction: &Transaction<'_>, advance: &Advance) -> rusqlite::Result<Option<i64>> {
    if advance.position == 0 {
        transaction.prepare_cached(CREATE_AGENT)?.execute([advance.agent.as_str()])?;
    }
    let (position, after) = (advance.position, advance.position_after());
    let Some(agent_id) = move_agent(transaction, &advance.agent, position, after, advance.span_ms_max())? else {
        return Ok(None);
    };
    let (incarnation, next_seq) = (advance.incarnation.cast_signed(), advance.next_seq.cast_signed());
    if incarnation == 0 {
        let lane = params![agent_id, incarnation, next_seq, None::<i64>];
        transaction.prepare_cached(INSERT_LANE)?.execute(lane)?;
    }
    let step = [agent_id, incarnation, next_seq, advance.next_seq_after.cast_signed()];
    let moved = transaction.prepare_cached(MOVE_LANE)?.execute(step)?;
    Ok((moved == 1).then_some(agent_id))
}

fn move_agent(
    transaction: &Transaction<'_>,
    agent: &AgentId,
    position: u64,
    position_after: u64,
    span_ms_max: i64,
) -> rusqlite::Result<Option<i64>> {
    let step = params![agent.as_str(), position.cast_signed(), position_after.cast_signed(), span_ms_max];
    transaction.prepare_cached(MOVE_AGENT)?.query_row(step, |row| row.get("agent_id")).optional()
}

fn write(transaction: &Transaction<'_>, agent_id: i64, advance: &Advance) -> rusqlite::Result<()> {
    for block in &advance.blocks {
        insert_block(transaction, agent_id, block)?;
    }
    for effect in &advance.effects {
        apply(transaction, agent_id, effect)?;
    }
    if let Some(checkpoint) = &advance.checkpoint {
        put_checkpoint(transaction, agent_id, checkpoint)?;
    }
    advance.quarantined.iter().try_for_each(|refused| insert_quarantined(transaction, refused))
}

fn insert_block(transaction: &Transaction<'_>, agent_id: i64, block: &StoredBlock) -> rusqlite::Result<()> {
    transaction.prepare_cached(INSERT_BLOCK)?.execute(params![
        agent_id,
        block.position.cast_signed(),
        block.incarnation.cast_signed(),
        block.seq.cast_signed(),
        block.received_at.as_millis(),
        block.span.map(|(first, _)| first.as_millis()),
        block.span.map(|(_, last)| last.as_millis()),
        block.results,
        block.bytes,
    ])?;
    Ok(())
}

fn apply(transaction: &Transaction<'_>, agent_id: i64, effect: &Effect) -> rusqlite::Result<()> {
    let series_id = series_id(transaction, agent_id, &effect.series)?;
    if let Some(from) = effect.forget_from {
        transaction.prepare_cached(FORGET_RUNS)?.execute([agent_id, series_id, from.as_millis()])?;
        let hours = [agent_id, series_id, whole_hour_from(from).as_millis(), HOUR_MS];
        transaction.prepare_cached(FORGET_HOURS)?.execute(hours)?;
    }
    put(transaction, agent_id, series_id, &effect.runs, &effect.hours)
}

fn series_id(transaction: &Transaction<'_>, agent_id: i64, series: &SeriesKey) -> rusqlite::Result<i64> {
    let key = params![agent_id, series.service.as_str(), series.check.as_str()];
    let found = transaction.prepare_cached(FIND_SERIES)?.query_row(key, |row| row.get(0)).optional()?;
    match found {
        Some(series_id) => Ok(series_id),
        None => transaction.prepare_cached(INSERT_SERIES)?.query_row(key, |row| row.get(0)),
    }
}

fn put(
    transaction: &Transaction<'_>,
    agent_id: i64,
    series_id: i64,
    runs: &[Run],
    hours: &[Hour],
) -> rusqlite::Result<()> {
    for run in runs {
        let RunRow { kind, first_at, last_at, until_at, results, causes } = RunRow::from(run);
        let row = params![agent_id, series_id, first_at, last_at, until_at, kind, results, causes];
        transaction.prepare_cached(PUT_RUN)?.execute(row)?;
    }
    for hour in hours {
        let HourRow { hour, ups, timeouts, other_downs, voids, extras, untimed, sum_us, histogram } =
            HourRow::from(hour);
        let row =
            params![agent_id, hour, series_id, ups, timeouts, other_downs, voids, extras, untimed, sum_us, histogram];
        transaction.prepare_cached(PUT_HOUR)?.execute(row)?;
    }
    Ok(())
}

fn put_checkpoint(transaction: &Transaction<'_>, agent_id: i64, checkpoint: &Checkpoint) -> rusqlite::Result<()> {
    let row = params![agent_id, checkpoint.position.cast_signed(), checkpoint.bytes];
    transaction.prepare_cached(PUT_CHECKPOINT)?.execute(row)?;
    Ok(())
}

fn insert_quarantined(transaction: &Transaction<'_>, refused: &Quarantined) -> rusqlite::Result<()> {
    transaction.prepare_cached(INSERT_QUARANTINE)?.execute(params![
        refused.agent.as_str(),
        refused.incarnation.cast_signed(),
        refused.seq.cast_signed(),
        refused.received_at.as_millis(),
        refused.reason,
        refused.bytes,
    ])?;
    Ok(())
}
