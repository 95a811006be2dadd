//! Rows into PostgreSQL's tables, by arrays: one statement a table, none if there is nothing to write.
//!
//! Nothing here begins or ends a transaction; whoever calls holds the agents' rows.

use crate::ledger::rows::{HourRow, RunRow, whole_hour_from};
use crate::ledger::{Checkpoint, Effect, Quarantined, StoredBlock};
use deadpool_postgres::Transaction;
use std::collections::{BTreeMap, HashMap};
use tokio_postgres::{Error, Row};

const INSERT_BLOCKS: &str = "INSERT INTO blocks
    (agent_id, position, incarnation, seq, received_at, first_at, last_at, results, bytes)
    SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[],
        $7::bigint[], $8::bigint[], $9::bytea[])";
const FIND_SERIES: &str = "SELECT agent_id, service, check_name, series_id
    FROM unnest($1::bigint[], $2::text[], $3::text[]) AS wanted (agent_id, service, check_name)
    JOIN series USING (agent_id, service, check_name)";
const INSERT_SERIES: &str = "INSERT INTO series (agent_id, service, check_name)
    SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[])
    RETURNING agent_id, service, check_name, series_id";
const FORGET_RUNS: &str = "DELETE FROM runs
    USING unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS late (agent_id, series_id, from_at)
    WHERE runs.agent_id = late.agent_id AND runs.series_id = late.series_id AND runs.first_at >= late.from_at";
const FORGET_HOURS: &str = "DELETE FROM hours
    USING unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS late (agent_id, series_id, from_hour)
    WHERE hours.agent_id = late.agent_id AND hours.series_id = late.series_id AND hours.hour >= late.from_hour";
const PUT_RUNS: &str = "INSERT INTO runs
    (agent_id, series_id, first_at, last_at, until_at, kind, results, causes)
    SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[],
        $7::bigint[], $8::bytea[])
    ON CONFLICT (agent_id, series_id, first_at) DO UPDATE SET last_at = excluded.last_at,
        until_at = excluded.until_at, kind = excluded.kind, results = excluded.results, causes = excluded.causes";
const PUT_HOURS: &str = "INSERT INTO hours
    (agent_id, hour, series_id, ups, timeouts, other_downs, voids, extras, untimed, sum_us, histogram)
    SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[],
        $7::bigint[], $8::bigint[], $9::bigint[], $10::text[], $11::bytea[])
    ON CONFLICT (agent_id, hour, series_id) DO UPDATE SET ups = excluded.ups, timeouts = excluded.timeouts,
        other_downs = excluded.other_downs, voids = excluded.voids, extras = excluded.extras,
        untimed = excluded.untimed, sum_us = excluded.sum_us, histogram = excluded.histogram";
const PUT_CHECKPOINTS: &str = "INSERT INTO checkpoints (agent_id, position, bytes)
    SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bytea[])
    ON CONFLICT (agent_id) DO UPDATE SET position = excluded.position, bytes = excluded.bytes";
const INSERT_QUARANTINE: &str = "INSERT INTO quarantine (agent, incarnation, seq, received_at, reason, bytes)
    SELECT * FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[], $5::text[], $6::bytea[])";

/// Appends blocks, each with its agent's id.
pub(crate) async fn blocks(transaction: &Transaction<'_>, blocks: &[(i64, &StoredBlock)]) -> Result<(), Error> {
    if blocks.is_empty() {
        return Ok(());
    }
    let statement = transaction.prepare_cached(INSERT_BLOCKS).await?;
    let agent_ids = column(blocks, |(agent_id, _)| *agent_id);
    let positions = column(blocks, |(_, block)| block.position.cast_signed());
    let incarnations = column(blocks, |(_, block)| block.incarnation.cast_signed());
    let seqs = column(blocks, |(_, block)| block.seq.cast_signed());
    let received = column(blocks, |(_, block)| block.received_at.as_millis());
    let firsts = column(blocks, |(_, block)| block.span.map(|(first, _)| first.as_millis()));
    let lasts = column(blocks, |(_, block)| block.span.map(|(_, last)| last.as_millis()));
    let results = column(blocks, |(_, block)| i64::from(block.results));
    let bytes = column(blocks, |(_, block)| block.bytes.as_slice());
    let columns: [&(dyn tokio_postgres::types::ToSql + Sync); 9] =
        [&agent_ids, &positions, &incarnations, &seqs, &received, &firsts, &lasts, &results, &bytes];
    transaction.execute(&statement, &columns).await?;
    Ok(())
}

/// Applies effects, at most one a series, each with its agent's id.
pub(crate) async fn effects(transaction: &Transaction<'_>, effects: &[(i64, Effect)]) -> Result<(), Error> {
    if effects.is_empty() {
        return Ok(());
    }
    let keyed = series(transaction, effects).await?;
    forget(transaction, &keyed).await?;
    put_runs(transaction, &keyed).await?;
    put_hours(transaction, &keyed).await
}

/// Replaces the checkpoints of agents, by their ids.
pub(crate) async fn checkpoints(
    transaction: &Transaction<'_>,
    checkpoints: &BTreeMap<i64, &Checkpoint>,
) -> Result<(), Error> {
    if checkpoints.is_empty() {
        return Ok(());
    }
    let agent_ids: Vec<i64> = checkpoints.keys().copied().collect();
    let positions: Vec<i64> = checkpoints.values().map(|checkpoint| checkpoint.position.cast_signed()).collect();
    let bytes: Vec<&[u8]> = checkpoints.values().map(|checkpoint| checkpoint.bytes.as_slice()).collect();
    let statement = transaction.prepare_cached(PUT_CHECKPOINTS).await?;
    transaction.execute(&statement, &[&agent_ids, &positions, &bytes]).await?;
    Ok(())
}

/// Keeps refused bytes.
pub(crate) async fn quarantined(transaction: &Transaction<'_>, refused: &[&Quarantined]) -> Result<(), Error> {
    if refused.is_empty() {
        return Ok(());
    }
    let agents = column(refused, |refused| refused.agent.as_str());
    let incarnations = column(refused, |refused| refused.incarnation.cast_signed());
    let seqs = column(refused, |refused| refused.seq.cast_signed());
    let received = column(refused, |refused| refused.received_at.as_millis());
    let reasons = column(refused, |refused| refused.reason.as_str());
    let bytes = column(refused, |refused| refused.bytes.as_slice());
    transaction.execute(INSERT_QUARANTINE, &[&agents, &incarnations, &seqs, &received, &reasons, &bytes]).await?;
    Ok(())
}

/// An effect, and where its rows belong.
struct Keyed<'a> {
    agent_id: i64,
    series_id: i64,
    effect: &'a Effect,
}

/// Finds the effects' series, and makes those that are new.
async fn series<'a>(transaction: &Transaction<'_>, effects: &'a [(i64, Effect)]) -> Result<Vec<Keyed<'a>>, Error> {
    let mut known: HashMap<(i64, String, String), i64> = HashMap::new();
    let key = |(agent_id, effect): &(i64, Effect)| {
        (*agent_id, effect.series.service.as_str().to_owned(), effect.series.check.as_str().to_owned())
    };
    let mut unknown: Vec<_> = effects.iter().map(key).collect();
    for sql in [FIND_SERIES, INSERT_SERIES] {
        unknown.retain(|key| !known.contains_key(key));
        if unknown.is_empty() {
            break;
        }
        let statement = transaction.prepare_cached(sql).await?;
        let agent_ids = column(&unknown, |(agent_id, ..)| *agent_id);
        let services = column(&unknown, |(_, service, _)| service.as_str());
        let checks = column(&unknown, |(.., check)| check.as_str());
        for row in transaction.query(&statement, &[&agent_ids, &services, &checks]).await? {
            let (key, series_id) = named_series(&row)?;
            known.insert(key, series_id);
        }
    }
    let keyed = |pair: &'a (i64, Effect)| Keyed { agent_id: pair.0, series_id: known[&key(pair)], effect: &pair.1 };
    Ok(effects.iter().map(keyed).collect())
}

fn named_series(row: &Row) -> Result<((i64, String, String), i64), Error> {
    Ok(((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?), row.try_get(3)?))
}

async fn forget(transaction: &Transaction<'_>, effects: &[Keyed<'_>]) -> Result<(), Error> {
    let late: Vec<_> = effects.iter().filter_map(|keyed| Some((keyed, keyed.effect.forget_from?))).collect();
    if late.is_empty() {
        return Ok(());
    }
    let agent_ids = column(&late, |(keyed, _)| keyed.agent_id);
    let series_ids = column(&late, |(keyed, _)| keyed.series_id);
    let instants = column(&late, |(_, from)| from.as_millis());
    let hours = column(&late, |(_, from)| whole_hour_from(*from).as_millis());
    transaction.execute(FORGET_RUNS, &[&agent_ids, &series_ids, &instants]).await?;
    transaction.execute(FORGET_HOURS, &[&agent_ids, &series_ids, &hours]).await?;
    Ok(())
}

async fn put_runs(transaction: &Transaction<'_>, effects: &[Keyed<'_>]) -> Result<(), Error> {
    let runs: Vec<(&Keyed<'_>, RunRow)> =
        effects.iter().flat_map(|keyed| keyed.effect.runs.iter().map(move |run| (keyed, RunRow::from(run)))).collect();
    if runs.is_empty() {
        return Ok(());
    }
    let statement = transaction.prepare_cached(PUT_RUNS).await?;
    let agent_ids = column(&runs, |(keyed, _)| keyed.agent_id);
    let series_ids = column(&runs, |(keyed, _)| keyed.series_id);
    let firsts = column(&runs, |(_, run)| run.first_at);
    let lasts = column(&runs, |(_, run)| run.last_at);
    let untils = column(&runs, |(_, run)| run.until_at);
    let kinds = column(&runs, |(_, run)| run.kind);
    let results = column(&runs, |(_, run)| run.results);
    let causes = column(&runs, |(_, run)| run.causes.as_slice());
    let columns: [&(dyn tokio_postgres::types::ToSql + Sync); 8] =
        [&agent_ids, &series_ids, &firsts, &lasts, &untils, &kinds, &results, &causes];
    transaction.execute(&statement, &columns).await?;
    Ok(())
}

async fn put_hours(transaction: &Transaction<'_>, effects: &[Keyed<'_>]) -> Result<(), Error> {
    let hours: Vec<(&Keyed<'_>, HourRow)> = effects
        .iter()
        .flat_map(|keyed| keyed.effect.hours.iter().map(move |hour| (keyed, HourRow::from(hour))))
        .collect();
    if hours.is_empty() {
        return Ok(());
    }
    let statement = transaction.prepare_cached(PUT_HOURS).await?;
    let agent_ids = column(&hours, |(keyed, _)| keyed.agent_id);
    let starts = column(&hours, |(_, hour)| hour.hour);
    let series_ids = column(&hours, |(keyed, _)| keyed.series_id);
    let ups = column(&hours, |(_, hour)| hour.ups);
    let timeouts = column(&hours, |(_, hour)| hour.timeouts);
    let other_downs = column(&hours, |(_, hour)| hour.other_downs);
    let voids = column(&hours, |(_, hour)| hour.voids);
    let extras = column(&hours, |(_, hour)| hour.extras);
    let untimed = column(&hours, |(_, hour)| hour.untimed);
    let sums = column(&hours, |(_, hour)| hour.sum_us.as_str());
    let histograms = column(&hours, |(_, hour)| hour.histogram.as_slice());
    let columns: [&(dyn tokio_postgres::types::ToSql + Sync); 11] = [
        &agent_ids,
        &starts,
        &series_ids,
        &ups,
        &timeouts,
        &other_downs,
        &voids,
        &extras,
        &untimed,
        &sums,
        &histograms,
    ];
    transaction.execute(&statement, &columns).await?;
    Ok(())
}

pub(super) fn column<'a, T, C>(rows: &'a [T], cell: impl Fn(&'a T) -> C) -> Vec<C> {
    rows.iter().map(cell).collect()
}
