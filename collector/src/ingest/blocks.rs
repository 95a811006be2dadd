//! `POST /agents/v1/blocks`: takes blocks in, and answers once they are durable.

use super::Ingest;
use super::door::Caller;
use super::problem::Problem;
use crate::commit::{Answer, INCARNATION_IMPORTED, OfferedBlock};
use crate::metrics::Refusal;
use axum::body::Body;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Json, Response};
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use rules::block::Block;
use rules::delivery::{Incarnation, POST_BYTES_MAX, SEQ_MAX, split_body};
use rules::id::AgentId;
use rules::time::Timestamp;
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

/// The latest believable result is this far ahead of the collector's clock: further than any clock
/// that was merely set by hand.
const AHEAD_MAX: Duration = Duration::from_hours(24);
/// When to come back after the ledger refused.
const RETRY_LEDGER: Duration = Duration::from_secs(5);

#[derive(Deserialize)]
pub(super) struct Lane {
    incarnation: u64,
    first_seq: u64,
}

pub(super) async fn blocks(
    State(ingest): State<Ingest>,
    Caller(agent): Caller,
    Query(lane): Query<Lane>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    match take(&ingest, agent, &lane, &headers, body).await {
        Ok(response) => response,
        Err(problem) => ingest.refuse(problem),
    }
}

async fn take(
    ingest: &Ingest,
    agent: AgentId,
    lane: &Lane,
    headers: &HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let admitted = ingest.admit(&agent, headers, body, POST_BYTES_MAX).await?;
    let blocks = decoded(&agent, lane.first_seq, &admitted.bytes, ingest.clock.wall())?;
    let held = i64::try_from(admitted.bytes.len()).unwrap_or(i64::MAX);
    ingest.metrics.bytes_in_flight.add(held);
    let incarnation = Incarnation(lane.incarnation);
    let answer = match incarnation == INCARNATION_IMPORTED {
        true => Answer::UnknownIncarnation,
        false => ingest.commits.offer(agent, incarnation, blocks).await,
    };
    ingest.metrics.bytes_in_flight.sub(held);
    match answer {
        Answer::Committed { next_seq, refused } => {
            let refused: Vec<_> = refused.iter().map(|(seq, reason)| json!({ "seq": seq, "reason": reason })).collect();
            let now = ingest.clock.wall().to_string();
            Ok(Json(json!({ "next_seq": next_seq, "refused": refused, "now": now })).into_response())
        }
        // These were counted when they were decided.
        Answer::Gap { expected } => {
            Ok(conflict(Refusal::Gap, "blocks before these are missing").with("expected", expected).into_response())
        }
        Answer::UnknownIncarnation => {
            let problem = conflict(Refusal::UnknownIncarnation, "this incarnation was never granted");
            Ok(problem.with("unknown_incarnation", true).into_response())
        }
        Answer::Conflict { seq } => {
            Ok(conflict(Refusal::Conflict, "another block has this place").with("conflict", seq).into_response())
        }
        Answer::Unavailable => {
            let detail = "the ledger can't be written now";
            Err(Problem::later(Refusal::LedgerDown, StatusCode::SERVICE_UNAVAILABLE, detail, RETRY_LEDGER))
        }
    }
}

fn conflict(refusal: Refusal, detail: &str) -> Problem {
    Problem::new(refusal, StatusCode::CONFLICT, detail)
}

fn decoded(agent: &AgentId, first_seq: u64, body: &Bytes, now: Timestamp) -> Result<Vec<OfferedBlock>, Problem> {
    let malformed = |detail: String| Problem::new(Refusal::Malformed, StatusCode::BAD_REQUEST, detail);
    let parts = split_body(body).map_err(|error| malformed(error.to_string()))?;
    let last = first_seq.checked_add(parts.len() as u64).filter(|last| *last <= SEQ_MAX);
    last.ok_or_else(|| malformed(format!("a block's number is at most {SEQ_MAX}")))?;
    let block = |(seq, part): (u64, &[u8])| OfferedBlock {
        seq,
        bytes: body.slice_ref(part),
        content: believable(agent, seq, part, now).map(Arc::new),
    };
    Ok((first_seq..).zip(parts).map(block).collect())
}

/// What the bytes say, or why they are refused for good.
fn believable(agent: &AgentId, seq: u64, bytes: &[u8], now: Timestamp) -> Result<Block, String> {
    let block = Block::decode(bytes).map_err(|error| error.to_string())?;
    if block.agent != *agent {
        return Err(format!("the block is agent `{}`'s; an agent writes only its own lane", block.agent));
    }
    if block.seq != seq {
        return Err(format!("the block says that it is number {}; it was sent as {seq}", block.seq));
    }
    match block.span() {
        Some((_, last)) if now.plus(AHEAD_MAX) < last => {
            Err(format!("the block speaks of {last}, which is more than a day ahead of the collector's clock, {now}"))
        }
        Some(_) | None => Ok(block),
    }
}
