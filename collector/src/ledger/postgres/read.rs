//! What is read from the ledger in PostgreSQL; nothing here writes.

use super::connection::refused;
use crate::ledger::rows::{BlockRow, HOUR_MS, HourRow, RunRow, name, whole_hour_from};
use crate::ledger::{Checkpoint, Derived, Hour, Lane, LedgerError, StoredBlock};
use deadpool_postgres::{Object, Transaction};
use rules::id::AgentId;
use rules::interval::Interval;
use rules::result::SeriesKey;
use rules::time::Timestamp;
use std::collections::HashMap;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Error, IsolationLevel, Row};

const LANES: &str = "SELECT agent, incarnation, next_seq FROM lanes JOIN agents USING (agent_id)";
const POSITIONS: &str = "SELECT agent, position FROM agents";
const BLOCKS_FROM: &str = "SELECT blocks.* FROM blocks JOIN agents USING (agent_id)
    WHERE agents.agent = $1 AND blocks.position >= $2 ORDER BY blocks.position LIMIT $3";
/// No block of the agent is longer than `span_ms_max`, so the index on ends bounds the search.
const BLOCKS_WITHIN: &str = "SELECT blocks.* FROM agents JOIN blocks USING (agent_id)
    WHERE agents.agent = $1 AND last_at >= $2 AND last_at < $3 + span_ms_max AND first_at < $3
    ORDER BY blocks.position";
const BLOCK: &str = "SELECT blocks.* FROM blocks JOIN agents USING (agent_id)
    WHERE agents.agent = $1 AND incarnation = $2 AND seq = $3";
const SERIES: &str = "SELECT agent_id, series_id, service, check_name FROM series JOIN agents USING (agent_id)
    WHERE agents.agent = $1";
const RUNS: &str = "SELECT * FROM runs WHERE agent_id = $1 AND until_at >= $2 ORDER BY series_id, first_at";
const HOURS: &str = "SELECT * FROM hours WHERE agent_id = $1 AND hour >= $2 ORDER BY hour";
/// Names each hour, so that it is found by key among the other series' hours. Of an agent without
/// hours both bounds are null, and no hour is named.
const HOURS_WITHIN: &str = "SELECT hours.* FROM agents JOIN series USING (agent_id)
    CROSS JOIN LATERAL (
        SELECT min(hour) AS first, max(hour) AS last FROM hours WHERE hours.agent_id = agents.agent_id
    ) AS kept
    CROSS JOIN LATERAL generate_series(
        CASE WHEN kept.first < $4::bigint THEN $4::bigint ELSE kept.first END,
        CASE WHEN $5::bigint <= kept.last THEN $5::bigint - 1 ELSE kept.last END,
        $6::bigint
    ) AS named (hour)
    JOIN hours ON hours.agent_id = agents.agent_id AND hours.hour = named.hour AND hours.series_id = series.series_id
    WHERE agents.agent = $1 AND series.service = $2 AND series.check_name = $3 ORDER BY hours.hour";
const CHECKPOINT: &str = "SELECT checkpoints.position, bytes FROM checkpoints JOIN agents USING (agent_id)
    WHERE agents.agent = $1";

/// All lanes.
pub(crate) async fn lanes(connection: &Object) -> Result<Vec<Lane>, LedgerError> {
    let rows = connection.query(LANES, &[]).await.map_err(refused("read the lanes"))?;
    let mut lanes = rows.iter().map(lane).collect::<Result<Vec<_>, _>>()?;
    lanes.sort_unstable_by(|a, b| (&a.agent, a.incarnation).cmp(&(&b.agent, b.incarnation)));
    Ok(lanes)
}

fn lane(row: &Row) -> Result<Lane, LedgerError> {
    let cells = || -> Result<(&str, i64, i64), Error> { Ok((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?)) };
    let (agent, incarnation, next_seq) = cells().map_err(refused("read the lanes"))?;
    let agent = name(agent)?;
    Ok(Lane { agent, incarnation: incarnation.cast_unsigned(), next_seq: next_seq.cast_unsigned() })
}

/// Every agent's position.
pub(crate) async fn positions(connection: &Object) -> Result<Vec<(AgentId, u64)>, LedgerError> {
    let refused = refused("read the positions");
    let mut positions = Vec::new();
    for row in connection.query(POSITIONS, &[]).await.map_err(&refused)? {
        let agent = name(row.try_get(0).map_err(&refused)?)?;
        positions.push((agent, row.try_get::<_, i64>(1).map_err(&refused)?.cast_unsigned()));
    }
    positions.sort_unstable();
    Ok(positions)
}

/// The agent's blocks from `position` on.
pub(crate) async fn blocks_from(
    connection: &Object,
    agent: &AgentId,
    position: u64,
    limit: usize,
) -> Result<Vec<StoredBlock>, LedgerError> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    blocks(connection, BLOCKS_FROM, &[&agent.as_str(), &position.cast_signed(), &limit]).await
}

/// The agent's blocks that may hold results within `interval`.
pub(crate) async fn blocks_within(
    connection: &Object,
    agent: &AgentId,
    interval: Interval,
) -> Result<Vec<StoredBlock>, LedgerError> {
    let (from, until) = (interval.from().as_millis(), interval.until().as_millis());
    blocks(connection, BLOCKS_WITHIN, &[&agent.as_str(), &from, &until]).await
}

/// One block.
pub(crate) async fn block(
    connection: &Object,
    agent: &AgentId,
    incarnation: u64,
    seq: u64,
) -> Result<Option<StoredBlock>, LedgerError> {
    let key: [&(dyn ToSql + Sync); 3] = [&agent.as_str(), &incarnation.cast_signed(), &seq.cast_signed()];
    blocks(connection, BLOCK, &key).await.map(|found| found.into_iter().next())
}

async fn blocks(
    connection: &Object,
    sql: &str,
    params: &[&(dyn ToSql + Sync)],
) -> Result<Vec<StoredBlock>, LedgerError> {
    let refused = refused("read blocks");
    let statement = connection.prepare_cached(sql).await.map_err(&refused)?;
    let rows = connection.query(&statement, params).await.map_err(&refused)?;
    rows.iter().map(|row| block_row(row).map_err(&refused)?.try_into()).collect()
}

fn block_row(row: &Row) -> Result<BlockRow, Error> {
    Ok(BlockRow {
        position: row.try_get("position")?,
        incarnation: row.try_get("incarnation")?,
        seq: row.try_get("seq")?,
        received_at: row.try_get("received_at")?,
        first_at: row.try_get("first_at")?,
        last_at: row.try_get("last_at")?,
        results: row.try_get("results")?,
        bytes: row.try_get("bytes")?,
    })
}

/// What is derived for the agent's series, as of one instant: the three tables are read together.
pub(crate) async fn derived(
    connection: &mut Object,
    agent: &AgentId,
    since: Timestamp,
) -> Result<Vec<Derived>, LedgerError> {
    let refused = refused("read what is derived");
    let together = connection.build_transaction().isolation_level(IsolationLevel::RepeatableRead).read_only(true);
    let transaction = together.start().await.map_err(&refused)?;
    let rows = transaction.query(SERIES, &[&agent.as_str()]).await.map_err(&refused)?;
    let Some(first) = rows.first() else { return Ok(Vec::new()) };
    let agent_id: i64 = first.try_get(0).map_err(&refused)?;
    let mut by_series = HashMap::with_capacity(rows.len());
    for row in &rows {
        let cells = || -> Result<(i64, &str, &str), Error> { Ok((row.try_get(1)?, row.try_get(2)?, row.try_get(3)?)) };
        let (series_id, service, check) = cells().map_err(&refused)?;
        let series = SeriesKey { agent: agent.clone(), service: name(service)?, check: name(check)? };
        by_series.insert(series_id, Derived { series, runs: Vec::new(), hours: Vec::new() });
    }
    let since = since.as_millis();
    for (series_id, run) in rows_of(&transaction, RUNS, agent_id, since, run_row).await.map_err(&refused)? {
        series_mut(&mut by_series, series_id)?.runs.push(run.try_into()?);
    }
    for (series_id, hour) in
        rows_of(&transaction, HOURS, agent_id, since - HOUR_MS, hour_row).await.map_err(&refused)?
    {
        series_mut(&mut by_series, series_id)?.hours.push(hour.try_into()?);
    }
    let told = by_series.into_values().filter(|series| !series.runs.is_empty() || !series.hours.is_empty());
    let mut derived: Vec<Derived> = told.collect();
    derived.sort_unstable_by(|a, b| a.series.cmp(&b.series));
    Ok(derived)
}

async fn rows_of<T>(
    transaction: &Transaction<'_>,
    sql: &str,
    agent_id: i64,
    since: i64,
    row_of: impl Fn(&Row) -> Result<T, Error>,
) -> Result<Vec<(i64, T)>, Error> {
    let rows = transaction.query(sql, &[&agent_id, &since]).await?;
    rows.iter().map(|row| Ok((row.try_get("series_id")?, row_of(row)?))).collect()
}

fn series_mut(by_series: &mut HashMap<i64, Derived>, series_id: i64) -> Result<&mut Derived, LedgerError> {
    let lost = || LedgerError::Corrupt { what: format!("series {series_id} has rows and no name") };
    by_series.get_mut(&series_id).ok_or_else(lost)
}

fn run_row(row: &Row) -> Result<RunRow, Error> {
    Ok(RunRow {
        kind: row.try_get("kind")?,
        first_at: row.try_get("first_at")?,
        last_at: row.try_get("last_at")?,
        until_at: row.try_get("until_at")?,
        results: row.try_get("results")?,
        causes: row.try_get("causes")?,
    })
}

fn hour_row(row: &Row) -> Result<HourRow, Error> {
    Ok(HourRow {
        hour: row.try_get("hour")?,
        ups: row.try_get("ups")?,
        timeouts: row.try_get("timeouts")?,
        other_downs: row.try_get("other_downs")?,
        voids: row.try_get("voids")?,
        extras: row.try_get("extras")?,
        untimed: row.try_get("untimed")?,
        sum_us: row.try_get("sum_us")?,
        histogram: row.try_get("histogram")?,
    })
}

/// The closed hours of one series that begin within `interval`.
pub(crate) async fn hours(
    connection: &Object,
    series: &SeriesKey,
    interval: Interval,
) -> Result<Vec<Hour>, LedgerError> {
    let refused = refused("read a series' hours");
    let (from, until) = (whole_hour_from(interval.from()).as_millis(), interval.until().as_millis());
    let (agent, service, check) = (series.agent.as_str(), series.service.as_str(), series.check.as_str());
    let rows = connection.query(HOURS_WITHIN, &[&agent, &service, &check, &from, &until, &HOUR_MS]).await;
    let rows: Result<Vec<_>, Error> = rows.map_err(&refused)?.iter().map(hour_row).collect();
    rows.map_err(&refused)?.into_iter().map(Hour::try_from).collect()
}

/// The agent's checkpoint.
pub(crate) async fn checkpoint(connection: &Object, agent: &AgentId) -> Result<Option<Checkpoint>, LedgerError> {
    let refused = refused("read a checkpoint");
    let Some(row) = connection.query_opt(CHECKPOINT, &[&agent.as_str()]).await.map_err(&refused)? else {
        return Ok(None);
    };
    let position: i64 = row.try_get(0).map_err(&refused)?;
    Ok(Some(Checkpoint { position: position.cast_unsigned(), bytes: row.try_get(1).map_err(&refused)? }))
}

/// How many blocks lie in quarantine.
pub(crate) async fn quarantined(connection: &Object) -> Result<u64, LedgerError> {
    let refused = refused("count what lies in quarantine");
    let row = connection.query_one("SELECT count(*) FROM quarantine", &[]).await.map_err(&refused)?;
    row.try_get::<_, i64>(0).map(i64::cast_unsigned).map_err(&refused)
}
