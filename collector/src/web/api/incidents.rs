//! Incidents over the API: what is on record, and what somebody does, such as the acknowledgement that
//! comes back from a paging product.

use super::super::AppState;
use super::super::people::Actor;
use super::super::problem::Problem;
use crate::incidents::act::{self, ActError};
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use config::collector::users::Role;
use rules::agreement::Agreement;
use rules::id::ServiceId;
use rules::incident::{self, Event, Incident, Opened, Opening, first_severity, incidents};
use rules::record::Entry;
use rules::time::Timestamp;
use serde::{Deserialize, Serialize};

/// Incidents of a page when nothing is said, and at most.
const LIMIT_DEFAULT: usize = 100;
const LIMIT_MAX: usize = 1000;

/// Which incidents.
#[derive(Deserialize)]
pub(super) struct Wanted {
    /// `open` (not resolved yet) or `all`, the default.
    state: Option<String>,
    /// Only those with a higher number.
    after: Option<u64>,
    limit: Option<usize>,
}

/// What a path names.
#[derive(Deserialize)]
pub(super) struct Named {
    agreement: String,
    incident: u64,
}

#[derive(Serialize)]
pub(super) struct IncidentsView {
    incidents: Vec<IncidentView>,
    next: Option<u64>,
}

#[derive(Serialize)]
pub(super) struct IncidentView {
    incident: u64,
    agreement: String,
    title: String,
    severity: String,
    stage: &'static str,
    services: Vec<String>,
    opened_by: &'static str,
    began_at: String,
    clocks_start_at: String,
    outage_ended_at: Option<String>,
    resolved_at: Option<String>,
    clocks: Vec<ClockView>,
    events: Vec<EventView>,
}

#[derive(Serialize)]
struct ClockView {
    clock: &'static str,
    due_at: String,
    done_at: Option<String>,
    verdict: &'static str,
}

#[derive(Serialize)]
struct EventView {
    entry: u64,
    at: String,
    by: String,
    event: &'static str,
    text: Option<String>,
}

/// What opens an incident.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wish {
    services: Vec<String>,
    severity: Option<String>,
    began_at: Option<String>,
    title: String,
}

/// What happens to one.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Happening {
    event: String,
    text: Option<String>,
}

/// `GET …/incidents`.
pub(super) async fn list(
    State(app): State<AppState>,
    actor: Actor,
    Path(name): Path<String>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<IncidentsView>, Problem> {
    let (config, now) = (app.config(), app.clock.wall());
    let agreement = actor.agreement(&config.agreements, &name, now)?;
    let only_open = match wanted.state.as_deref() {
        Some("open") => true,
        None | Some("all") => false,
        Some(_) => return Err(bad("state", "it is `open` or `all`")),
    };
    let limit = wanted.limit.unwrap_or(LIMIT_DEFAULT).clamp(1, LIMIT_MAX);
    let all = incidents(app.record.entries(&agreement.id).iter());
    let is_wanted = |incident: &&Incident| {
        wanted.after.is_none_or(|after| after < incident.number) && !(only_open && incident.resolved().is_some())
    };
    let mut found: Vec<&Incident> = all.iter().filter(is_wanted).take(limit + 1).collect();
    let more = limit < found.len();
    found.truncate(limit);
    let next = if more { found.last().map(|last| last.number) } else { None };
    let view = |incident: &Incident| view(incident, agreement, now);
    Ok(Json(IncidentsView { incidents: found.into_iter().map(view).collect(), next }))
}

/// `GET …/incidents/N`.
pub(super) async fn one(
    State(app): State<AppState>,
    actor: Actor,
    Path(named): Path<Named>,
) -> Result<Json<IncidentView>, Problem> {
    let (config, now) = (app.config(), app.clock.wall());
    let agreement = actor.agreement(&config.agreements, &named.agreement, now)?;
    shown(&app, agreement, named.incident, now)
}

/// `POST …/incidents`.
pub(super) async fn open(
    State(app): State<AppState>,
    actor: Actor,
    Path(name): Path<String>,
    body: Bytes,
) -> Result<(StatusCode, Json<IncidentView>), Problem> {
    let (config, now) = (app.config(), app.clock.wall());
    let agreement = actor.agreement(&config.agreements, &name, now)?;
    let by = actor.may(Role::Operator)?;
    let wish: Wish = read(&body)?;
    let services =
        wish.services.iter().map(|name| name.parse::<ServiceId>().map_err(|error| bad("services", error.to_string())));
    let began_at = wish.began_at.map(|at| at.parse::<Timestamp>().map_err(|error| bad("began_at", error.to_string())));
    let opening = Opening {
        services: services.collect::<Result<_, _>>()?,
        severity: wish.severity.unwrap_or_else(|| first_severity(&agreement.policy.response).to_owned()),
        began_at: began_at.transpose()?.unwrap_or(now),
        cause: Opened::ByHand,
        title: wish.title,
    };
    let recorded = act::open(&app.record, &config, agreement, by, opening).await.map_err(problem)?;
    Ok((StatusCode::CREATED, shown(&app, agreement, number(&recorded), now)?))
}

/// `POST …/incidents/N/events`.
pub(super) async fn happened(
    State(app): State<AppState>,
    actor: Actor,
    Path(named): Path<Named>,
    body: Bytes,
) -> Result<(StatusCode, Json<IncidentView>), Problem> {
    let (config, now) = (app.config(), app.clock.wall());
    let agreement = actor.agreement(&config.agreements, &named.agreement, now)?;
    let by = actor.may(Role::Operator)?;
    let event = event(read(&body)?)?;
    act::happened(&app.record, &config, agreement, by, named.incident, event).await.map_err(problem)?;
    Ok((StatusCode::CREATED, shown(&app, agreement, named.incident, now)?))
}

fn number(recorded: &[Entry]) -> u64 {
    recorded.first().map_or(0, |entry| entry.number)
}

/// The event that a body names.
fn event(happening: Happening) -> Result<Event, Problem> {
    let Happening { event, text } = happening;
    let said = |make: fn(String) -> Event| {
        text.clone().map(make).ok_or_else(|| bad("text", format!("`{event}` needs words; add `text`")))
    };
    match event.as_str() {
        "acknowledged" => Ok(Event::Acknowledged),
        "started" => Ok(Event::Started),
        "notice" => said(Event::Notice),
        "update" => said(Event::Update),
        "progress" => said(Event::Progress),
        "resolved" => said(Event::Resolved),
        "report" => said(Event::Report),
        "severity" => said(Event::Severity),
        "remark" => said(Event::Remark),
        _ => Err(bad(
            "event",
            "it is one of acknowledged, started, notice, update, progress, resolved, report, severity and remark",
        )),
    }
}

fn read<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, Problem> {
    serde_json::from_slice(body).map_err(|error| bad("body", error.to_string()))
}

fn bad(parameter: &'static str, why: impl Into<String>) -> Problem {
    Problem::BadParameter { parameter, why: why.into() }
}

fn problem(error: ActError) -> Problem {
    match error {
        ActError::NoIncident { number, .. } => Problem::NotFound { what: "incident", name: number.to_string() },
        ActError::NotNow { why, .. } => Problem::NotNow(why.to_string()),
        ActError::NotOpened(why) => bad("body", why.to_string()),
        ActError::Record(crate::record::RecordError::OutOfBounds(why)) => bad("body", why.to_string()),
        ActError::Record(error) => Problem::Record(error),
    }
}

fn shown(app: &AppState, agreement: &Agreement, number: u64, now: Timestamp) -> Result<Json<IncidentView>, Problem> {
    let entries = app.record.entries(&agreement.id);
    let incident = act::found(&entries, &agreement.id, number).map_err(problem)?;
    Ok(Json(view(&incident, agreement, now)))
}

fn view(incident: &Incident, agreement: &Agreement, now: Timestamp) -> IncidentView {
    let clock = |reading: incident::Reading| ClockView {
        clock: reading.clock.as_str(),
        due_at: reading.due_at.to_string(),
        done_at: reading.done_at.map(|at| at.to_string()),
        verdict: reading.verdict.as_str(),
    };
    let event = |stamped: &incident::Stamped| EventView {
        entry: stamped.entry,
        at: stamped.at.to_string(),
        by: stamped.by.clone(),
        event: stamped.event.word(),
        text: stamped.event.text().map(str::to_owned),
    };
    IncidentView {
        incident: incident.number,
        agreement: agreement.id.to_string(),
        title: incident.opening.title.clone(),
        severity: incident.severity.clone(),
        stage: incident.stage().as_str(),
        services: incident.opening.services.iter().map(ToString::to_string).collect(),
        opened_by: match incident.opening.cause {
            Opened::ByOutage => "outage",
            Opened::ByHand => "person",
        },
        began_at: incident.opening.began_at.to_string(),
        clocks_start_at: incident.starts_at(&agreement.policy).to_string(),
        outage_ended_at: incident.outage_ended_at().map(|at| at.to_string()),
        resolved_at: incident.resolved().map(|resolved| resolved.at.to_string()),
        clocks: incident::readings(incident, &agreement.policy, now).into_iter().map(clock).collect(),
        events: incident.events.iter().map(event).collect(),
    }
}
