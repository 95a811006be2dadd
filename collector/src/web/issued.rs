//! Issued statements and the keys they are signed with, as they are kept.
//!
//! What was issued is handed out byte for byte; nothing here draws anything up.

use super::people::Actor;
use super::problem::Problem;
use super::{AppState, statements};
use crate::digest::hex;
use crate::ledger::books::Issued;
use crate::signing::published;
use axum::Json;
use axum::extract::{self, Path};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

#[derive(Serialize)]
pub(super) struct Statements {
    statements: Vec<Version>,
}

#[derive(Serialize)]
struct Version {
    period: String,
    version: u32,
    issued_at: String,
    sha256: String,
}

/// Answers `/api/v1/keys` and `/.well-known/nines-keys.json`, which anybody may read.
pub(super) async fn keys(extract::State(app): extract::State<AppState>) -> Result<Response, Problem> {
    let keys = app.evidence.ledger().keys().await?;
    Ok(json(published::write(&keys).into_bytes()))
}

/// Answers `/api/v1/agreements/{agreement}/statements`.
pub(super) async fn list(
    extract::State(app): extract::State<AppState>,
    actor: Actor,
    Path(agreement): Path<String>,
) -> Result<Json<Statements>, Problem> {
    let config = app.config();
    let agreement = actor.agreement(&config.agreements, &agreement, app.clock.wall())?;
    let issued = app.evidence.ledger().issued(&agreement.id, None).await?;
    let view = |issued: &Issued| Version {
        period: issued.month.to_string(),
        version: issued.version,
        issued_at: issued.issued_at.to_string(),
        sha256: hex(&issued.sha256),
    };
    Ok(Json(Statements { statements: issued.iter().map(view).collect() }))
}

/// Answers `/api/v1/agreements/{agreement}/statements/{period}/versions/{version}`.
pub(super) async fn version(
    extract::State(app): extract::State<AppState>,
    actor: Actor,
    Path((agreement, period, version)): Path<(String, String, String)>,
) -> Result<Response, Problem> {
    let config = app.config();
    let (agreement, month) = statements::named(&config, &actor, app.clock.wall(), &agreement, &period)?;
    let issued = app.evidence.ledger().issued(&agreement.id, Some(month)).await?;
    let found = issued.into_iter().find(|issued| issued.version.to_string() == version);
    let found = found.ok_or(Problem::NotFound { what: "version", name: version })?;
    Ok(json(found.bytes))
}

fn json(bytes: Vec<u8>) -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    ];
    (headers, bytes).into_response()
}
