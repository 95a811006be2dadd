//! `GET /agents/v1/checks`: what an agent is to look at, and when that changes.

use super::Ingest;
use super::door::Caller;
use super::problem::Problem;
use crate::metrics::Refusal;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use config::check_document;
use config::collector::CollectorConfig;
use config::scalar::parse_duration;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use rules::check::Assignment;
use rules::id::AgentId;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

/// The longest wait for a change: shorter than any proxy's patience.
const WAIT_MAX: Duration = Duration::from_secs(55);

#[derive(Deserialize)]
pub(super) struct Patience {
    wait: Option<String>,
}

pub(super) async fn checks(
    State(ingest): State<Ingest>,
    Caller(agent): Caller,
    Query(patience): Query<Patience>,
    headers: HeaderMap,
) -> Response {
    match wait_for_checks(&ingest, &agent, &patience, &headers).await {
        Ok(response) => response,
        Err(problem) => ingest.refuse(problem),
    }
}

async fn wait_for_checks(
    ingest: &Ingest,
    agent: &AgentId,
    patience: &Patience,
    headers: &HeaderMap,
) -> Result<Response, Problem> {
    let malformed = |error: &dyn std::fmt::Display| {
        Problem::new(Refusal::Malformed, StatusCode::BAD_REQUEST, format!("`wait`: {error}"))
    };
    let wait = patience.wait.as_deref().map(parse_duration).transpose().map_err(|error| malformed(&error))?;
    let _place = ingest.admit_poll(agent)?;
    let deadline = ingest.clock.boot() + wait.unwrap_or(Duration::ZERO).min(WAIT_MAX);
    let mut config = ingest.config.clone();
    loop {
        let document = check_document::to_json(&assignments(&config.borrow_and_update(), agent));
        let etag = etag(&document);
        let known = headers.get_all(header::IF_NONE_MATCH).iter().any(|known| *known == etag);
        if !known {
            let kind = HeaderValue::from_static("application/json");
            return Ok(([(header::CONTENT_TYPE, kind), (header::ETAG, etag)], document).into_response());
        }
        let changed = tokio::select! {
            changed = config.changed() => changed.is_ok(),
            () = ingest.clock.sleep_until(deadline) => false,
            () = ingest.cancel.cancelled() => false,
        };
        if !changed {
            return Ok((StatusCode::NOT_MODIFIED, [(header::ETAG, etag)]).into_response());
        }
    }
}

/// The checks that `agent` is to look at, in the configuration's order.
fn assignments(config: &CollectorConfig, agent: &AgentId) -> Vec<Assignment> {
    let services = config.agreements.iter().flat_map(|agreement| &agreement.services);
    let own = services.filter(|service| service.agents.include(agent)).flat_map(|service| {
        let checks = service.checks.iter().filter(|check| check.agents.include(agent));
        checks.map(|check| Assignment { service: service.id.clone(), check: Arc::new(check.clone()) })
    });
    own.collect()
}

fn etag(document: &str) -> HeaderValue {
    let mut text = String::from("\"");
    for byte in &Sha256::digest(document)[..16] {
        // Writing to a String can't fail.
        let _ = write!(text, "{byte:02x}");
    }
    text.push('"');
    HeaderValue::from_str(&text).expect("hexadecimal digits are visible")
}
