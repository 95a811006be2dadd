//! Effort under the retainer: what was recorded, and the form that records it.

use super::agreements::agreement_path;
use super::form::{Choice, Field, Form, Kind, form_page};
use super::keep::{NotKept, keep};
use super::people::{Actor, Fields};
use super::problem::Problem;
use super::{AppState, moments};
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use config::collector::users::Role;
use rules::agreement::Agreement;
use rules::incident::Event;
use rules::record::{Entry, Fact};
use rules::retainer::{Effort, ManMonths, Work};
use rules::time::Timestamp;

/// One effort in words.
pub(super) struct EffortRow {
    pub(super) number: u64,
    pub(super) at: String,
    pub(super) work: String,
    pub(super) worked: String,
    pub(super) who: String,
    pub(super) note: String,
}

/// The efforts on record, the newest first.
pub(super) fn efforts(agreement: &Agreement, entries: &[Entry]) -> Vec<EffortRow> {
    let row = |entry: &Entry| {
        let Fact::Effort(effort) = &entry.fact else { return None };
        Some(EffortRow {
            number: entry.number,
            at: moments::shown(effort.at, &agreement.zone),
            work: match effort.work {
                Work::Incident(number) => format!("incident {number}"),
                Work::Diagnosis => "diagnosis".to_owned(),
            },
            worked: format!("{} M/M", effort.worked),
            who: format!("{}, {}", entry.recorded_by, moments::shown(entry.recorded_at, &agreement.zone)),
            note: effort.note.clone(),
        })
    };
    entries.iter().rev().filter_map(row).collect()
}

fn form(agreement: &Agreement, entries: &[Entry], now: Timestamp) -> Form {
    let opened = entries.iter().rev().filter_map(|entry| {
        let Fact::Incident { incident, event: Event::Opened(opening) } = &entry.fact else { return None };
        let label = format!("Incident {incident}: {}", opening.title);
        Some(Choice { label, ..Choice::named(incident.to_string()) })
    });
    let diagnosis = Choice { label: "Regular diagnosis".to_owned(), ..Choice::named("diagnosis") };
    let works = [diagnosis].into_iter().chain(opened.take(super::agreements::LISTED_MAX)).collect();
    let shown = moments::minute(now, &agreement.zone);
    let hint = format!("In {}, now {shown}. It counts in the month of this time.", agreement.zone.name());
    let fields = vec![
        Field::new("work", "Work", "", Kind::One(works)),
        Field::new("at", "When", hint, Kind::Line).with(shown),
        Field::new("worked", "Worked", "In man-months (M/M), to hundredths: `0.25`.", Kind::Line),
        Field::new("note", "Note", "What was done.", Kind::Text),
    ];
    Form::new("Record effort", format!("{}/effort", agreement_path(agreement)), "Record", fields)
}

fn read(form: &mut Form, agreement: &Agreement) -> Option<Effort> {
    let work = form.chosen("work").first().and_then(|word| match *word {
        "diagnosis" => Some(Work::Diagnosis),
        number => number.parse().ok().map(Work::Incident),
    });
    let work = form.read("work", |_| work.ok_or_else(|| "choose what was worked on".to_owned()));
    let at = form.read("at", |text| moments::read(text, &agreement.zone));
    let worked = form.read("worked", |text| text.parse::<ManMonths>().map_err(|why| why.to_string()));
    let note = form.read("note", |text| match text {
        "" => Err("it is empty; say in a sentence what was done".to_owned()),
        text => Ok(text.to_owned()),
    });
    Some(Effort { work: work?, at: at?, worked: worked?, note: note? })
}

/// Shows the form.
pub(super) async fn ask(
    State(app): State<AppState>,
    actor: Actor,
    Path(agreement): Path<String>,
) -> Result<Response, Problem> {
    let (config, now) = (app.config(), app.clock.wall());
    let agreement = actor.agreement(&config.agreements, &agreement, now)?;
    actor.may(Role::Operator)?;
    let form = form(agreement, &app.record.entries(&agreement.id), now);
    Ok(about(&actor, agreement, now, form))
}

/// Takes the form.
pub(super) async fn spend(
    State(app): State<AppState>,
    actor: Actor,
    Path(agreement): Path<String>,
    fields: Fields,
) -> Result<Response, Problem> {
    let (config, now) = (app.config(), app.clock.wall());
    let agreement = actor.agreement(&config.agreements, &agreement, now)?;
    let by = actor.may(Role::Operator)?;
    let mut form = form(agreement, &app.record.entries(&agreement.id), now).filled(&fields);
    let Some(effort) = read(&mut form, agreement) else { return Ok(about(&actor, agreement, now, form)) };
    match keep(&app, agreement, by, Fact::Effort(effort)).await {
        Ok(_) => Ok(Redirect::to(&format!("{}#effort", agreement_path(agreement))).into_response()),
        Err(NotKept::Refused(why)) => Ok(about(&actor, agreement, now, form.refused(why))),
        Err(NotKept::Problem(problem)) => Err(problem),
    }
}

fn about(actor: &Actor, agreement: &Agreement, now: Timestamp, form: Form) -> Response {
    let note = match &agreement.retainer {
        Some(retainer) => format!("An incident uses at least {} M/M.", retainer.incident_at_least),
        None => "This agreement has no retainer, so effort is kept on record and uses nothing up.".to_owned(),
    };
    form_page(actor, now, (agreement.id.as_str(), agreement_path(agreement)), vec![note], form)
}
