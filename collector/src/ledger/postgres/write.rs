//! What changes the ledger in PostgreSQL: each function is one transaction.
//!
//! Agents are moved first, in the order of their names, so that two collectors wait for each other
//! instead of standing in each other's way; the row of its agent then guards all that an agent has.
//! Rows go in by arrays, a statement a table, whatever their number.

use super::put;
use crate::ledger::{Advance, Checkpoint, Committed, Derived, Effect, Lane, Quarantined, effects};
use deadpool_postgres::{Object, Transaction};
use futures_util::future::try_join_all;
use rules::id::AgentId;
use rules::time::Timestamp;
use std::collections::BTreeMap;
use tokio_postgres::Error;

const GRANT: &str = "INSERT INTO agents (agent, position, incarnation_last, span_ms_max) VALUES ($1, 0, 1, 0)
    ON CONFLICT (agent) DO UPDATE SET incarnation_last = agents.incarnation_last + 1
    RETURNING agent_id, incarnation_last";
const INSERT_LANE: &str = "INSERT INTO lanes (agent_id, incarnation, next_seq, granted_at) VALUES ($1, $2, $3, $4)";
const CREATE_AGENTS: &str = "INSERT INTO agents (agent, position, incarnation_last, span_ms_max)
    SELECT agent, 0, 0, 0 FROM unnest($1::text[]) AS new (agent) ON CONFLICT DO NOTHING";
const MOVE_AGENT: &str = "UPDATE agents SET position = $3, span_ms_max = greatest(span_ms_max, $4)
    WHERE agent = $1 AND position = $2 RETURNING agent_id";
const CREATE_LANES: &str = "INSERT INTO lanes (agent_id, incarnation, next_seq)
    SELECT agent_id, 0, next_seq FROM unnest($1::bigint[], $2::bigint[]) AS new (agent_id, next_seq)
    ON CONFLICT DO NOTHING";
const MOVE_LANE: &str = "UPDATE lanes SET next_seq = $4 WHERE agent_id = $1 AND incarnation = $2 AND next_seq = $3";

/// Grants `agent` a fresh incarnation.
pub(crate) async fn grant(
    connection: &mut Object,
    agent: &AgentId,
    first_seq: u64,
    now: Timestamp,
) -> Result<Lane, Error> {
    let transaction = connection.transaction().await?;
    let row = transaction.query_one(GRANT, &[&agent.as_str()]).await?;
    let (agent_id, incarnation): (i64, i64) = (row.try_get("agent_id")?, row.try_get("incarnation_last")?);
    let next_seq = first_seq.cast_signed();
    transaction.execute(INSERT_LANE, &[&agent_id, &incarnation, &next_seq, &now.as_millis()]).await?;
    settle(transaction).await?;
    Ok(Lane { agent: agent.clone(), incarnation: incarnation.cast_unsigned(), next_seq: first_seq })
}

/// Writes all advances, or none.
pub(crate) async fn commit(connection: &mut Object, advances: &[Advance]) -> Result<Committed, Error> {
    let transaction = connection.transaction().await?;
    let mut sorted: Vec<&Advance> = advances.iter().collect();
    sorted.sort_by(|a, b| a.agent.cmp(&b.agent));
    create_agents(&transaction, &sorted).await?;
    let moved = try_join_all(sorted.iter().map(|advance| {
        move_agent(&transaction, &advance.agent, advance.position, advance.position_after(), advance.span_ms_max())
    }));
    let (mut claimed, mut collided) = (Vec::new(), Vec::new());
    for (advance, agent_id) in sorted.into_iter().zip(moved.await?) {
        match agent_id {
            Some(agent_id) => claimed.push((agent_id, advance)),
            None => collided.push(advance.agent.clone()),
        }
    }
    create_lanes(&transaction, &claimed).await?;
    let lanes = try_join_all(claimed.iter().map(|(agent_id, advance)| move_lane(&transaction, *agent_id, advance)));
    let astray = lanes.await?.into_iter().zip(&claimed).filter(|(moved, _)| *moved != 1);
    collided.extend(astray.map(|(_, (_, advance))| advance.agent.clone()));
    if !collided.is_empty() {
        transaction.rollback().await?;
        return Ok(Committed::collided(collided));
    }
    write(&transaction, &claimed).await?;
    settle(transaction).await?;
    Ok(Committed::Durable)
}

/// Puts everything derived for `agent` anew.
pub(crate) async fn replace_derived(
    connection: &mut Object,
    agent: &AgentId,
    position: u64,
    derived: &[Derived],
    checkpoint: &Checkpoint,
) -> Result<Committed, Error> {
    let transaction = connection.transaction().await?;
    let Some(agent_id) = move_agent(&transaction, agent, position, position, 0).await? else {
        transaction.rollback().await?;
        return Ok(Committed::collided(vec![agent.clone()]));
    };
    transaction.execute("DELETE FROM runs WHERE agent_id = $1", &[&agent_id]).await?;
    transaction.execute("DELETE FROM hours WHERE agent_id = $1", &[&agent_id]).await?;
    let effect = |Derived { series, runs, hours }: &Derived| Effect {
        series: series.clone(),
        forget_from: None,
        runs: runs.clone(),
        hours: hours.clone(),
    };
    let effects: Vec<Effect> = derived.iter().map(effect).collect();
    let effects = effects::merge(&effects).into_iter().map(|effect| (agent_id, effect));
    put::effects(&transaction, &effects.collect::<Vec<_>>()).await?;
    put::checkpoints(&transaction, &BTreeMap::from([(agent_id, checkpoint)])).await?;
    settle(transaction).await?;
    Ok(Committed::Durable)
}

/// Keeps refused bytes.
pub(crate) async fn quarantine(connection: &mut Object, refused: &Quarantined) -> Result<(), Error> {
    let transaction = connection.transaction().await?;
    put::quarantined(&transaction, &[refused]).await?;
    settle(transaction).await
}

/// Commits, without the statement time-out: if that ended the wait for a synchronous standby, the
/// server would warn and say "committed" although the standby has nothing yet. The caller's own
/// deadline ends the wait instead, and says that the outcome is open.
pub(super) async fn settle(transaction: Transaction<'_>) -> Result<(), Error> {
    transaction.batch_execute("SET LOCAL statement_timeout = 0").await?;
    transaction.commit().await
}

async fn create_agents(transaction: &Transaction<'_>, advances: &[&Advance]) -> Result<(), Error> {
    let new = advances.iter().filter(|advance| advance.position == 0);
    let new: Vec<&str> = new.map(|advance| advance.agent.as_str()).collect();
    if !new.is_empty() {
        transaction.execute(CREATE_AGENTS, &[&new]).await?;
    }
    Ok(())
}

/// Moves the agent if it stands where the caller says; its row's id if so.
async fn move_agent(
    transaction: &Transaction<'_>,
    agent: &AgentId,
    position: u64,
    position_after: u64,
    span_ms_max: i64,
) -> Result<Option<i64>, Error> {
    let statement = transaction.prepare_cached(MOVE_AGENT).await?;
    let (position, after) = (position.cast_signed(), position_after.cast_signed());
    let row = transaction.query_opt(&statement, &[&agent.as_str(), &position, &after, &span_ms_max]).await?;
    row.map(|row| row.try_get("agent_id")).transpose()
}

async fn create_lanes(transaction: &Transaction<'_>, claimed: &[(i64, &Advance)]) -> Result<(), Error> {
    let imported = claimed.iter().filter(|(_, advance)| advance.incarnation == 0);
    let (agent_ids, next_seqs): (Vec<i64>, Vec<i64>) =
        imported.map(|(agent_id, advance)| (*agent_id, advance.next_seq.cast_signed())).unzip();
    if !agent_ids.is_empty() {
        transaction.execute(CREATE_LANES, &[&agent_ids, &next_seqs]).await?;
    }
    Ok(())
}

async fn move_lane(transaction: &Transaction<'_>, agent_id: i64, advance: &Advance) -> Result<u64, Error> {
    let statement = transaction.prepare_cached(MOVE_LANE).await?;
    let (incarnation, next_seq) = (advance.incarnation.cast_signed(), advance.next_seq.cast_signed());
    let after = advance.next_seq_after.cast_signed();
    transaction.execute(&statement, &[&agent_id, &incarnation, &next_seq, &after]).await
}

async fn write(transaction: &Transaction<'_>, claimed: &[(i64, &Advance)]) -> Result<(), Error> {
    let blocks: Vec<_> =
        claimed.iter().flat_map(|(agent_id, advance)| advance.blocks.iter().map(|block| (*agent_id, block))).collect();
    put::blocks(transaction, &blocks).await?;
    let agent_ids: BTreeMap<&AgentId, i64> =
        claimed.iter().map(|(agent_id, advance)| (&advance.agent, *agent_id)).collect();
    let merged = effects::merge(claimed.iter().flat_map(|(_, advance)| &advance.effects));
    let merged = merged.into_iter().map(|effect| (agent_ids[&effect.series.agent], effect)).collect::<Vec<_>>();
    put::effects(transaction, &merged).await?;
    let checkpoints = claimed.iter().filter_map(|(agent_id, advance)| Some((*agent_id, advance.checkpoint.as_ref()?)));
    put::checkpoints(transaction, &checkpoints.collect()).await?;
    let refused: Vec<&Quarantined> = claimed.iter().flat_map(|(_, advance)| &advance.quarantined).collect();
    put::quarantined(transaction, &refused).await
}
