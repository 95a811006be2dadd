//! An incident's page: what happened, what its clocks show, and the forms that record what happens next.
//!
//! What may happen to an incident is decided by `rules::incident`; a page only asks and shows.

mod form;

use super::agreements::agreement_path;
use super::form::{Form, Kind, form_page, put_back};
use super::frame::Frame;
use super::keep::NotKept;
use super::people::{Actor, Fields};
use super::problem::Problem;
use super::{AppState, moments, page};
use crate::incidents::act;
use askama::Template;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use config::collector::users::Role;
use rules::agreement::Agreement;
use rules::id::ServiceId;
use rules::incident::{Event, Incident, Opened, Reading, Stamped, Verdict, incidents, readings};
use rules::record::Entry;
use rules::time::Timestamp;
use serde::Deserialize;
use std::collections::BTreeSet;

/// Where an incident's page is.
pub(super) fn incident_path(agreement: &Agreement, number: u64) -> String {
    format!("{}/incidents/{number}", agreement_path(agreement))
}

/// One incident, for lists.
pub(super) struct IncidentRow {
    pub(super) path: String,
    pub(super) number: u64,
    pub(super) severity: String,
    pub(super) stage: &'static str,
    pub(super) began: String,
    pub(super) services: String,
    pub(super) clocks: String,
    pub(super) is_missed: bool,
    pub(super) title: String,
}

/// The incidents on record, the newest first.
pub(super) fn incident_rows(agreement: &Agreement, entries: &[Entry], now: Timestamp) -> Vec<IncidentRow> {
    let row = |incident: &Incident| {
        let clocks = readings(incident, &agreement.policy, now);
        let count = |verdict| clocks.iter().filter(|clock| clock.verdict == verdict).count();
        let counts = [(Verdict::Met, "met"), (Verdict::Missed, "missed"), (Verdict::Running, "running")];
        let said = counts.map(|(verdict, word)| (count(verdict), word));
        let said: Vec<String> =
            said.into_iter().filter(|(count, _)| 0 < *count).map(|(count, word)| format!("{count} {word}")).collect();
        IncidentRow {
            path: incident_path(agreement, incident.number),
            number: incident.number,
            severity: incident.severity.clone(),
            stage: incident.stage().as_str(),
            began: moments::shown(incident.opening.began_at, &agreement.zone),
            services: listed(&incident.opening.services),
            clocks: said.join(", "),
            is_missed: 0 < count(Verdict::Missed),
            title: incident.opening.title.clone(),
        }
    };
    incidents(entries).iter().rev().map(row).collect()
}

fn listed(services: &BTreeSet<ServiceId>) -> String {
    let names: Vec<&str> = services.iter().map(|service| service.as_str()).collect();
    names.join(", ")
}

#[derive(Template)]
#[template(path = "incident.html")]
struct IncidentPage {
    frame: Frame,
    agreement: String,
    agreement_path: String,
    title: String,
    severity: String,
    stage: &'static str,
    began: String,
    cause: &'static str,
    services: String,
    clocks: Vec<ClockRow>,
    events: Vec<EventRow>,
    wrong: Option<String>,
    forms: Vec<Form>,
}

struct ClockRow {
    clock: String,
    due: String,
    done: String,
    verdict: &'static str,
}

struct EventRow {
    entry: u64,
    at: String,
    by: String,
    what: String,
    text: String,
}

/// What a path names.
#[derive(Deserialize)]
pub(super) struct Named {
    agreement: String,
    incident: u64,
}

/// Shows one incident.
pub(super) async fn show(
    State(app): State<AppState>,
    actor: Actor,
    Path(named): Path<Named>,
) -> Result<Response, Problem> {
    shown(&app, &actor, &named, None)
}

fn shown(app: &AppState, actor: &Actor, named: &Named, refused: Option<Form>) -> Result<Response, Problem> {
    let (config, now) = (app.config(), app.clock.wall());
    let agreement = actor.agreement(&config.agreements, &named.agreement, now)?;
    let incident = found(&app.record.entries(&agreement.id), named.incident)?;
    let may = actor.may(Role::Operator).is_ok();
    let mut forms = if may { form::forms(agreement, &incident) } else { Vec::new() };
    let (status, wrong) = put_back(&mut forms, refused);
    let shown = IncidentPage {
        frame: Frame::of(actor, format!("Incident {}", incident.number), now),
        agreement: agreement.id.to_string(),
        agreement_path: agreement_path(agreement),
        title: incident.opening.title.clone(),
        severity: incident.severity.clone(),
        stage: incident.stage().as_str(),
        began: moments::shown(incident.opening.began_at, &agreement.zone),
        cause: match incident.opening.cause {
            Opened::ByOutage => "an outage",
            Opened::ByHand => "a person",
        },
        services: listed(&incident.opening.services),
        clocks: readings(&incident, &agreement.policy, now).iter().map(|of| clock_row(agreement, of)).collect(),
        events: incident.events.iter().rev().map(|of| event_row(agreement, of)).collect(),
        wrong,
        forms,
    };
    Ok((status, page(shown.render().expect("writing into a string can't fail"))).into_response())
}

fn found(entries: &[Entry], number: u64) -> Result<Incident, Problem> {
    let found = incidents(entries).into_iter().find(|incident| incident.number == number);
    found.ok_or_else(|| Problem::NotFound { what: "incident", name: number.to_string() })
}

fn clock_row(agreement: &Agreement, reading: &Reading) -> ClockRow {
    let at = |at: Timestamp| moments::shown(at, &agreement.zone);
    ClockRow {
        clock: reading.clock.as_str().replace('_', " "),
        due: at(reading.due_at),
        done: reading.done_at.map(at).unwrap_or_default(),
        verdict: match reading.verdict {
            Verdict::Met => "met",
            Verdict::Missed => "missed",
            Verdict::Running => "running",
        },
    }
}

fn event_row(agreement: &Agreement, stamped: &Stamped) -> EventRow {
    let at = |at: Timestamp| moments::shown(at, &agreement.zone);
    let text = match &stamped.event {
        Event::Opened(opening) => opening.title.clone(),
        Event::OutageEnded { ended_at } => format!("up again since {}", at(*ended_at)),
        Event::Severity(severity) => severity.clone(),
        Event::Missed { clock, due_at } => format!("{}, due at {}", clock.as_str().replace('_', " "), at(*due_at)),
        Event::Notice(text)
        | Event::Update(text)
        | Event::Progress(text)
        | Event::Resolved(text)
        | Event::Report(text)
        | Event::Remark(text) => text.clone(),
        Event::Acknowledged | Event::Started => String::new(),
    };
    EventRow {
        entry: stamped.entry,
        at: at(stamped.at),
        by: stamped.by.clone(),
        what: stamped.event.word().replace('_', " "),
        text,
    }
}

/// Takes what happened to an incident.
pub(super) async fn happen(
    State(app): State<AppState>,
    actor: Actor,
    Path(named): Path<Named>,
    fields: Fields,
) -> Result<Response, Problem> {
    let (config, now) = (app.config(), app.clock.wall());
    let agreement = actor.agreement(&config.agreements, &named.agreement, now)?;
    let by = actor.may(Role::Operator)?;
    let incident = found(&app.record.entries(&agreement.id), named.incident)?;
    let event = form::event(&fields).ok_or_else(|| Problem::BadParameter {
        parameter: "event",
        why: "it is one of the page's own: `acknowledged`, `started`, `notice` and the like".to_owned(),
    })?;
    match act::happened(&app.record, &config, agreement, by, named.incident, event).await.map_err(NotKept::from) {
        Ok(_) => Ok(Redirect::to(&incident_path(agreement, named.incident)).into_response()),
        Err(NotKept::Refused(why)) => {
            let form = form::filled(agreement, &incident, &fields, why);
            shown(&app, &actor, &named, Some(form))
        }
        Err(NotKept::Problem(problem)) => Err(problem),
    }
}

/// Shows the form that opens one.
pub(super) async fn ask(
    State(app): State<AppState>,
    actor: Actor,
    Path(agreement): Path<String>,
) -> Result<Response, Problem> {
    let (config, now) = (app.config(), app.clock.wall());
    let agreement = actor.agreement(&config.agreements, &agreement, now)?;
    actor.may(Role::Operator)?;
    Ok(about(&actor, agreement, now, form::opening(agreement, now)))
}

/// Takes the form.
pub(super) async fn open(
    State(app): State<AppState>,
    actor: Actor,
    Path(agreement): Path<String>,
    fields: Fields,
) -> Result<Response, Problem> {
    let (config, now) = (app.config(), app.clock.wall());
    let agreement = actor.agreement(&config.agreements, &agreement, now)?;
    let by = actor.may(Role::Operator)?;
    let mut form = form::opening(agreement, now).filled(&fields);
    let Some(opening) = form::read_opening(&mut form, agreement) else {
        return Ok(about(&actor, agreement, now, form));
    };
    match act::open(&app.record, &config, agreement, by, opening).await.map_err(NotKept::from) {
        Ok(entries) => {
            let number = entries.first().map_or(0, |entry| entry.number);
            Ok(Redirect::to(&incident_path(agreement, number)).into_response())
        }
        Err(NotKept::Refused(why)) => Ok(about(&actor, agreement, now, form.refused(why))),
        Err(NotKept::Problem(problem)) => Err(problem),
    }
}

fn about(actor: &Actor, agreement: &Agreement, now: Timestamp, form: Form) -> Response {
    let notes = vec!["An outage opens its incident by itself; open one by hand for what no check sees.".to_owned()];
    form_page(actor, now, (agreement.id.as_str(), agreement_path(agreement)), notes, form)
}
