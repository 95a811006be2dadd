//! `POST /agents/v1/register`: grants an agent a fresh lane.

use super::Ingest;
use super::door::Caller;
use super::problem::Problem;
use crate::metrics::Refusal;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Json, Response};
use daemon::error_text::whole;
use http::{HeaderMap, StatusCode};
use rules::delivery::SEQ_MAX;
use rules::id::AgentId;
use serde::Deserialize;
use serde_json::json;
use std::time::Duration;

/// A registration is a name and a number.
const BYTES_MAX: usize = 4096;
/// When to come back after the ledger refused.
const RETRY_LEDGER: Duration = Duration::from_secs(5);

#[derive(Deserialize)]
struct Registration {
    agent: String,
    first_seq: u64,
}

pub(super) async fn register(
    State(ingest): State<Ingest>,
    Caller(agent): Caller,
    headers: HeaderMap,
    body: Body,
) -> Response {
    match grant(&ingest, agent, &headers, body).await {
        Ok(response) => response,
        Err(problem) => ingest.refuse(problem),
    }
}

async fn grant(ingest: &Ingest, agent: AgentId, headers: &HeaderMap, body: Body) -> Result<Response, Problem> {
    let admitted = ingest.admit(&agent, headers, body, BYTES_MAX).await?;
    let malformed = |detail: String| Problem::new(Refusal::Malformed, StatusCode::BAD_REQUEST, detail);
    let asked: Registration = serde_json::from_slice(&admitted.bytes)
        .map_err(|error| malformed(format!("a registration is {{\"agent\", \"first_seq\"}}: {error}")))?;
    if asked.agent != agent.as_str() {
        let detail = "an agent registers nobody but itself";
        return Err(Problem::new(Refusal::Forbidden, StatusCode::FORBIDDEN, detail));
    }
    if SEQ_MAX < asked.first_seq {
        return Err(malformed(format!("`first_seq` is at most {SEQ_MAX}")));
    }
    let now = ingest.clock.wall();
    let lane = ingest.ledger.grant(&agent, asked.first_seq, now).await.map_err(|error| {
        ingest.metrics.ledger_errors.inc();
        tracing::error!(%agent, error = %whole(&error), "Lane could not be granted");
        let detail = "the ledger can't be written now";
        Problem::later(Refusal::LedgerDown, StatusCode::SERVICE_UNAVAILABLE, detail, RETRY_LEDGER)
    })?;
    tracing::info!(%agent, incarnation = lane.incarnation, next_seq = lane.next_seq, "Lane granted");
    let granted = json!({
        "incarnation": lane.incarnation,
        "next_seq": lane.next_seq,
        "now": ingest.clock.wall().to_string(),
    });
    Ok(Json(granted).into_response())
}
