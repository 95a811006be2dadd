//! Work under a retainer through the API: what is on record, and what is added to it.
//!
//! What may be recorded is for `record::acts` to say; here it is only read and shown.

use super::super::AppState;
use super::super::people::Actor;
use super::super::problem::Problem;
use super::Paging;
use super::exclusions::{bad, parsed};
use crate::record::acts::put_on_record;
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use config::collector::users::Role;
use rules::record::{Entry, Fact};
use rules::retainer::{Effort, ManMonths, Work};
use rules::time::Timestamp;
use serde::{Deserialize, Serialize};

/// A list of efforts.
#[derive(Serialize)]
pub(super) struct Efforts {
    efforts: Vec<View>,
    next: Option<String>,
}

/// Somebody's work. Man-months are texts: they are exact to hundredths.
#[derive(Serialize)]
pub(super) struct View {
    entry: u64,
    /// Nothing: a diagnosis.
    incident: Option<u64>,
    at: String,
    worked: String,
    note: String,
    recorded_by: String,
    recorded_at: String,
}

/// What was worked.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Done {
    #[serde(default)]
    incident: Option<u64>,
    /// Now, if it is not said.
    #[serde(default)]
    at: Option<String>,
    worked: String,
    note: String,
}

/// The efforts of an agreement, the first recorded first.
pub(super) async fn list(
    State(app): State<AppState>,
    actor: Actor,
    Path(agreement): Path<String>,
    Query(paging): Query<Paging>,
) -> Result<Json<Efforts>, Problem> {
    let config = app.config();
    let agreement = actor.agreement(&config.agreements, &agreement, app.clock.wall())?;
    let entries = app.record.entries(&agreement.id);
    let (efforts, next) = paging.of(entries.iter().filter_map(View::of).collect(), |of| format!("{:06}", of.entry));
    Ok(Json(Efforts { efforts, next }))
}

/// Records effort.
pub(super) async fn spend(
    State(app): State<AppState>,
    actor: Actor,
    Path(agreement): Path<String>,
    body: Bytes,
) -> Result<(StatusCode, Json<View>), Problem> {
    let (config, now) = (app.config(), app.clock.wall());
    let agreement = actor.agreement(&config.agreements, &agreement, now)?;
    let by = actor.may(Role::Operator)?;
    let Done { incident, at, worked, note } = parsed(&body)?;
    let at = at.map_or(Ok(now), |at| at.parse::<Timestamp>().map_err(|why| bad("at", &why)))?;
    let worked = worked.parse::<ManMonths>().map_err(|why| bad("worked", &why))?;
    let effort = Effort { work: incident.map_or(Work::Diagnosis, Work::Incident), at, worked, note };
    let entry = put_on_record(&app.record, &config, &agreement.id, by, Fact::Effort(effort)).await?;
    let view = View::of(&entry).expect("what was recorded is an effort");
    Ok((StatusCode::CREATED, Json(view)))
}

impl View {
    fn of(entry: &Entry) -> Option<View> {
        let Fact::Effort(Effort { work, at, worked, note }) = &entry.fact else { return None };
        let incident = match work {
            Work::Incident(number) => Some(*number),
            Work::Diagnosis => None,
        };
        Some(View {
            entry: entry.number,
            incident,
            at: at.to_string(),
            worked: worked.to_string(),
            note: note.clone(),
            recorded_by: entry.recorded_by.clone(),
            recorded_at: entry.recorded_at.to_string(),
        })
    }
}
