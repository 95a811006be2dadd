//! `GET /agents/v1/time`, and how far agents' clocks are from this one.
//!
//! An agent corrects its own stamps before it makes a block; nothing here changes what it sent.

use super::Ingest;
use super::door::Caller;
use axum::extract::State;
use axum::response::Json;
use http::HeaderMap;
use rules::delivery::NOW_HEADER;
use rules::id::AgentId;
use rules::time::Timestamp;
use serde_json::{Value, json};

/// An agent's clock that is further off than this is worth a warning: the agent sounds its own alarm there.
const ALARMING_FROM_SECONDS: f64 = 5.0;

pub(super) async fn time(State(ingest): State<Ingest>, Caller(_): Caller) -> Json<Value> {
    Json(json!({ "now": ingest.clock.wall().to_string() }))
}

impl Ingest {
    /// Takes note of what the agent's clock shows, if it says so.
    pub(super) fn compare_clocks(&self, agent: &AgentId, headers: &HeaderMap) {
        let said = headers.get(NOW_HEADER).and_then(|now| now.to_str().ok());
        let Some(theirs) = said.and_then(|now| now.parse::<Timestamp>().ok()) else { return };
        #[expect(clippy::cast_precision_loss, reason = "a gauge of seconds needs no more than 53 bits of milliseconds")]
        let offset = (self.clock.wall().as_millis() - theirs.as_millis()) as f64 / 1000.0;
        let gauge = self.metrics.clock_offset.with_label_values(&[agent.as_str()]);
        let before = gauge.get();
        gauge.set(offset);
        if ALARMING_FROM_SECONDS < offset.abs() && before.abs() <= ALARMING_FROM_SECONDS {
            tracing::warn!(%agent, offset_seconds = offset, "Agent's clock is far off");
        }
    }
}
