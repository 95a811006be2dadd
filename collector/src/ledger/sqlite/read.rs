//! What is read from the ledger in SQLite; nothing here writes.

use crate::ledger::rows::{BlockRow, HOUR_MS, HourRow, RunRow, name, whole_hour_from};
use crate::ledger::{Checkpoint, Derived, Hour, Lane, LedgerError, StoredBlock};
use rules::id::AgentId;
use rules::interval::Interval;
use rules::result::SeriesKey;
use rules::time::Timestamp;
use rusqlite::{Connection, OptionalExtension, Params, Row, TransactionBehavior, params};
use std::collections::HashMap;

const LANES: &str = "SELECT agent, incarnation, next_seq FROM lanes JOIN agents USING (agent_id)
    ORDER BY agent, incarnation";
const POSITIONS: &str = "SELECT agent, position FROM agents ORDER BY agent";
const BLOCKS_FROM: &str = "SELECT blocks.* FROM blocks JOIN agents USING (agent_id)
    WHERE agents.agent = ?1 AND blocks.position >= ?2 ORDER BY blocks.position LIMIT ?3";
/// No block of the agent is longer than `span_ms_max`, so the index on ends bounds the search.
const BLOCKS_WITHIN: &str = "SELECT blocks.* FROM agents JOIN blocks USING (agent_id)
    WHERE agents.agent = ?1 AND last_at >= ?2 AND last_at < ?3 + span_ms_max AND first_at < ?3";
const BLOCK: &str = "SELECT blocks.* FROM blocks JOIN agents USING (agent_id)
    WHERE agents.agent = ?1 AND incarnation = ?2 AND seq = ?3";
const SERIES: &str = "SELECT agent_id, series_id, service, check_name FROM series JOIN agents USING (agent_id)
    WHERE agents.agent = ?1 ORDER BY service, check_name";
const RUNS: &str = "SELECT * FROM runs WHERE agent_id = ?1 AND until_at >= ?2 ORDER BY series_id, first_at";
const HOURS: &str = "SELECT * FROM hours WHERE agent_id = ?1 AND hour >= ?2 ORDER BY hour";
/// Names each hour, so that it is found by key among the other series' hours.
const HOURS_WITHIN: &str = "WITH RECURSIVE own (agent_id, series_id) AS (
        SELECT agent_id, series_id FROM series JOIN agents USING (agent_id)
        WHERE agents.agent = ?1 AND service = ?2 AND check_name = ?3
    ), named (hour) AS (
        SELECT max(?4, (SELECT min(hour) FROM hours WHERE agent_id = (SELECT agent_id FROM own)))
        UNION ALL
        SELECT hour + ?6 FROM named WHERE hour + ?6 < ?5
            AND hour + ?6 <= (SELECT max(hour) FROM hours WHERE agent_id = (SELECT agent_id FROM own))
    ) SELECT hours.* FROM own CROSS JOIN named CROSS JOIN hours
    WHERE hours.agent_id = own.agent_id AND hours.hour = named.hour AND hours.series_id = own.series_id
        AND hours.hour < ?5 ORDER BY hours.hour";
const CHECKPOINT: &str = "SELECT checkpoints.position, bytes FROM checkpoints JOIN agents USING (agent_id)
    WHERE agents.agent = ?1";

/// Says what was being read when SQLite refused.
pub(super) fn reading(doing: &'static str) -> impl Fn(rusqlite::Error) -> LedgerError {
    move |source| LedgerError::Sqlite { doing, source }
}

/// All lanes.
pub(crate) fn lanes(connection: &mut Connection) -> Result<Vec<Lane>, LedgerError> {
    let row = |row: &Row<'_>| Ok((row.get(0)?, row.get::<_, i64>(1)?, row.get::<_, i64>(2)?));
    let rows: Vec<(String, _, _)> = query(connection, LANES, [], row).map_err(reading("read the lanes"))?;
    let lane = |(agent, incarnation, next_seq): (String, i64, i64)| {
        let agent = name(&agent)?;
        Ok(Lane { agent, incarnation: incarnation.cast_unsigned(), next_seq: next_seq.cast_unsigned() })
    };
    rows.into_iter().map(lane).collect()
}

/// Every agent's position.
pub(crate) fn positions(connection: &mut Connection) -> Result<Vec<(AgentId, u64)>, LedgerError> {
    let row = |row: &Row<'_>| Ok((row.get(0)?, row.get::<_, i64>(1)?));
    let rows: Vec<(String, _)> = query(connection, POSITIONS, [], row).map_err(reading("read the positions"))?;
    rows.into_iter().map(|(agent, position)| Ok((name(&agent)?, position.cast_unsigned()))).collect()
}

/// The agent's blocks from `position` on.
pub(crate) fn blocks_from(
    connection: &mut Connection,
    agent: &AgentId,
    position: u64,
    limit: usize,
) -> Result<Vec<StoredBlock>, LedgerError> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    blocks(connection, BLOCKS_FROM, params![agent.as_str(), position.cast_signed(), limit])
}

/// The agent's blocks that may hold results within `interval`.
pub(crate) fn blocks_within(
    connection: &mut Connection,
    agent: &AgentId,
    interval: Interval,
) -> Result<Vec<StoredBlock>, LedgerError> {
    let bounds = params![agent.as_str(), interval.from().as_millis(), interval.until().as_millis()];
    let mut found = blocks(connection, BLOCKS_WITHIN, bounds)?;
    found.sort_unstable_by_key(|block| block.position);
    Ok(found)
}

/// One block.
pub(crate) fn block(
    connection: &mut Connection,
    agent: &AgentId,
    incarnation: u64,
    seq: u64,
) -> Result<Option<StoredBlock>, LedgerError> {
    let key = params![agent.as_str(), incarnation.cast_signed(), seq.cast_signed()];
    blocks(connection, BLOCK, key).map(|found| found.into_iter().next())
}

/// What is derived for the agent's series, as of one instant: the three tables are read together.
pub(crate) fn derived(
    connection: &mut Connection,
    agent: &AgentId,
    since: Timestamp,
) -> Result<Vec<Derived>, LedgerError> {
    let refuse = reading("read what is derived");
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Deferred).map_err(&refuse)?;
    let row = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?));
    let rows: Vec<(i64, i64, String, String)> = query(&transaction, SERIES, [agent.as_str()], row).map_err(&refuse)?;
    let Some((agent_id, ..)) = rows.first() else { return Ok(Vec::new()) };
    let agent_id = *agent_id;
    let mut derived = Vec::with_capacity(rows.len());
    let mut places = HashMap::with_capacity(rows.len());
    for (place, (_, series_id, service, check)) in rows.iter().enumerate() {
        let series = SeriesKey { agent: agent.clone(), service: name(service)?, check: name(check)? };
        derived.push(Derived { series, runs: Vec::new(), hours: Vec::new() });
        places.insert(*series_id, place);
    }
    let runs = query(&transaction, RUNS, [agent_id, since.as_millis()], |row| Ok((row.get("series_id")?, run(row)?)));
    for (series_id, run) in runs.map_err(&refuse)? {
        derived[place(&places, series_id)?].runs.push(run.try_into()?);
    }
    let from = since.as_millis() - HOUR_MS;
    let hours = query(&transaction, HOURS, [agent_id, from], |row| Ok((row.get("series_id")?, hour(row)?)));
    for (series_id, hour) in hours.map_err(&refuse)? {
        derived[place(&places, series_id)?].hours.push(hour.try_into()?);
    }
    derived.retain(|series| !series.runs.is_empty() || !series.hours.is_empty());
    Ok(derived)
}

/// The closed hours of one series that begin within `interval`.
pub(crate) fn hours(
    connection: &mut Connection,
    series: &SeriesKey,
    interval: Interval,
) -> Result<Vec<Hour>, LedgerError> {
    let (from, until) = (whole_hour_from(interval.from()).as_millis(), interval.until().as_millis());
    let (agent, service, check) = (series.agent.as_str(), series.service.as_str(), series.check.as_str());
    let found = query(connection, HOURS_WITHIN, params![agent, service, check, from, until, HOUR_MS], hour);
    found.map_err(reading("read a series' hours"))?.into_iter().map(Hour::try_from).collect()
}

/// The agent's checkpoint.
pub(crate) fn checkpoint(connection: &mut Connection, agent: &AgentId) -> Result<Option<Checkpoint>, LedgerError> {
    let row = |row: &Row<'_>| {
        let position: i64 = row.get(0)?;
        Ok(Checkpoint { position: position.cast_unsigned(), bytes: row.get(1)? })
    };
    let found = connection.prepare_cached(CHECKPOINT).and_then(|mut s| s.query_row([agent.as_str()], row).optional());
    found.map_err(reading("read a checkpoint"))
}

/// How many blocks lie in quarantine.
pub(crate) fn quarantined(connection: &mut Connection) -> Result<u64, LedgerError> {
    let count = connection.query_row("SELECT count(*) FROM quarantine", [], |row| row.get::<_, i64>(0));
    count.map(i64::cast_unsigned).map_err(reading("count what lies in quarantine"))
}

pub(super) fn query<T>(
    connection: &Connection,
    sql: &str,
    params: impl Params,
    row: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Vec<T>> {
    connection.prepare_cached(sql)?.query_map(params, row)?.collect()
}

fn blocks(connection: &Connection, sql: &str, params: impl Params) -> Result<Vec<StoredBlock>, LedgerError> {
    let row = |row: &Row<'_>| {
        Ok(BlockRow {
            position: row.get("position")?,
            incarnation: row.get("incarnation")?,
            seq: row.get("seq")?,
            received_at: row.get("received_at")?,
            first_at: row.get("first_at")?,
            last_at: row.get("last_at")?,
            results: row.get("results")?,
            bytes: row.get("bytes")?,
        })
    };
    let rows = query(connection, sql, params, row).map_err(reading("read blocks"))?;
    rows.into_iter().map(StoredBlock::try_from).collect()
}

fn place(places: &HashMap<i64, usize>, series_id: i64) -> Result<usize, LedgerError> {
    let lost = || LedgerError::Corrupt { what: format!("series {series_id} has rows and no name") };
    places.get(&series_id).copied().ok_or_else(lost)
}

fn run(row: &Row<'_>) -> rusqlite::Result<RunRow> {
    Ok(RunRow {
        kind: row.get("kind")?,
        first_at: row.get("first_at")?,
        last_at: row.get("last_at")?,
        until_at: row.get("until_at")?,
        results: row.get("results")?,
        causes: row.get("causes")?,
    })
}

fn hour(row: &Row<'_>) -> rusqlite::Result<HourRow> {
    Ok(HourRow {
        hour: row.get("hour")?,
        ups: row.get("ups")?,
        timeouts: row.get("timeouts")?,
        other_downs: row.get("other_downs")?,
        voids: row.get("voids")?,
        extras: row.get("extras")?,
        untimed: row.get("untimed")?,
        sum_us: row.get("sum_us")?,
        histogram: row.get("histogram")?,
    })
}
