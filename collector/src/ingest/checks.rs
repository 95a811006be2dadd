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
use rules::agreement::Agreement;
use rules::check::Assignment;
use rules::id::AgentId;
use rules::standing::{self, Granted};
use rules::time::Timestamp;
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
        let (now, held) = (ingest.clock.wall(), config.borrow_and_update().clone());
        let document = check_document::to_json(&assignments(&held, agent, now));
        let etag = etag(&document);
        let known = headers.get_all(header::IF_NONE_MATCH).iter().any(|known| *known == etag);
        if !known {
            let kind = HeaderValue::from_static("application/json");
            return Ok(([(header::CONTENT_TYPE, kind), (header::ETAG, etag)], document).into_response());
        }
        // Another version of an agreement may come into force while the agent waits, or a standing end it.
        let turn = held.turns_after(now).map(|turn| ingest.clock.boot_at(turn)).filter(|turn| *turn < deadline);
        let changed = tokio::select! {
            changed = config.changed() => changed.is_ok(),
            () = ingest.clock.sleep_until(turn.unwrap_or(deadline)) => turn.is_some(),
            () = ingest.cancel.cancelled() => false,
        };
        if !changed {
            return Ok((StatusCode::NOT_MODIFIED, [(header::ETAG, etag)]).into_response());
        }
    }
}

/// The checks that `agent` is to look at, in the configuration's order: those of the versions in force
/// at `now`, but for customers whose standing stops collection.
fn assignments(config: &CollectorConfig, agent: &AgentId, now: Timestamp) -> Vec<Assignment> {
    let is_collected = |agreement: &&Agreement| {
        let access = standing::access(&agreement.standing, &agreement.policy.standing, now);
        access.collection == Granted::Yes
    };
    let services = config.in_force(now).filter(is_collected).flat_map(|agreement| &agreement.services);
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn assigned(now: &str) -> Vec<String> {
        let text = "
policies: [{ policy: p, standing: { collection_stops: 10d } }]
agreements:
  - { agreement: a, policy: p, services: [{ service: leaves, checks: [{ check: c, tcp: 'a:1' }] }] }
  - { agreement: a, policy: p, effective_from: 2026-11, services: [{ service: joins, checks: [{ check: c, tcp: 'a:1' }] }] }
  - agreement: b
    policy: p
    standing: [{ from: 2026-10-10T00:00:00Z, standing: overdue }, { from: 2026-11-20T00:00:00Z, standing: paid }]
    services: [{ service: unpaid, checks: [{ check: c, tcp: 'a:1' }] }]
";
        let config = config::collector::parse(text, "c.yaml", Path::new(".")).unwrap().value;
        let assigned = assignments(&config, &"seoul-1".parse().unwrap(), now.parse().unwrap());
        assigned.iter().map(|assignment| assignment.service.to_string()).collect()
    }

    #[test]
    fn agents_look_at_what_is_in_force_and_paid_for() {
        assert_eq!(assigned("2026-10-19T23:59:59.999Z"), ["leaves", "unpaid"]);
        assert_eq!(assigned("2026-10-20T00:00:00Z"), ["leaves"]);
        assert_eq!(assigned("2026-11-01T00:00:00Z"), ["joins"]);
        assert_eq!(assigned("2026-11-20T00:00:00Z"), ["joins", "unpaid"]);
    }
}
