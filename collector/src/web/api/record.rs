//! An agreement's record through the API, entry by entry as it lies in the ledger, with the hashes
//! that chain it.

use super::super::AppState;
use super::super::people::Actor;
use super::super::problem::Problem;
use super::{LIMIT_DEFAULT, LIMIT_MAX};
use crate::digest::hex;
use axum::Json;
use axum::extract::{Path, Query, State};
use config::collector::users::Role;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Which part of it.
#[derive(Deserialize)]
pub(super) struct Part {
    /// Only entries after this number.
    after: Option<u64>,
    limit: Option<usize>,
}

/// A part of a record.
#[derive(Serialize)]
pub(super) struct Entries {
    entries: Vec<View>,
    next: Option<u64>,
}

#[derive(Serialize)]
struct View {
    number: u64,
    recorded_at: String,
    recorded_by: String,
    fact: Value,
    sha256: String,
}

/// The entries of an agreement; viewers see what came of them on statements, not the file itself.
pub(super) async fn list(
    State(app): State<AppState>,
    actor: Actor,
    Path(agreement): Path<String>,
    Query(part): Query<Part>,
) -> Result<Json<Entries>, Problem> {
    let config = app.config();
    let agreement = actor.agreement(&config.agreements, &agreement, app.clock.wall())?;
    if actor.role().is_some() {
        actor.may(Role::Operator)?;
    }
    let limit = part.limit.unwrap_or(LIMIT_DEFAULT).clamp(1, LIMIT_MAX);
    let stored = app.record.stored(&agreement.id, part.after.unwrap_or(0) + 1, limit + 1).await?;
    let next = (limit < stored.len()).then(|| stored[limit - 1].number);
    let view = |entry: &crate::ledger::books::StoredEntry| View {
        number: entry.number,
        recorded_at: entry.recorded_at.to_string(),
        recorded_by: entry.recorded_by.clone(),
        fact: serde_json::from_str(&entry.body).unwrap_or_else(|_| Value::String(entry.body.clone())),
        sha256: hex(&entry.hash),
    };
    Ok(Json(Entries { entries: stored.iter().take(limit).map(view).collect(), next }))
}
