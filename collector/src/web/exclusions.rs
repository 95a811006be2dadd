//! An exclusion's page, and the forms that record, correct, withdraw, approve and refuse one.
//!
//! What may be recorded is decided by `rules::record::exclusions`; a page only asks and shows.

mod effect;
mod form;

use super::agreements::agreement_path;
use super::form::{Field, Form, Kind, form_page, put_back};
use super::frame::Frame;
use super::keep::{NotKept, keep};
use super::people::{Actor, Fields};
use super::problem::Problem;
use super::{AppState, moments, page};
use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use config::collector::users::Role;
use effect::EffectRow;
use rules::agreement::Agreement;
use rules::exclusion::{Bar, Class, Exclusion};
use rules::record::exclusions::{exclusions, object};
use rules::record::{Entry, Fact};
use rules::time::Timestamp;
use serde::Deserialize;

/// Where an exclusion's page is.
pub(super) fn exclusion_path(agreement: &Agreement, entry: u64) -> String {
    format!("{}/exclusions/{entry}", agreement_path(agreement))
}

/// An exclusion in words, for lists and for its page.
pub(super) struct ExclusionRow {
    /// Its page; nothing for one of the configuration's.
    pub(super) path: Option<String>,
    pub(super) number: String,
    pub(super) class: String,
    pub(super) from: String,
    pub(super) until: String,
    pub(super) services: String,
    pub(super) told: String,
    pub(super) who: String,
    pub(super) status: String,
    pub(super) reason: String,
}

impl ExclusionRow {
    pub(super) fn of(agreement: &Agreement, exclusion: &Exclusion) -> ExclusionRow {
        let at = |at: Timestamp| moments::shown(at, &agreement.zone);
        let services = exclusion.services.as_ref().map(|services| {
            let names: Vec<&str> = services.iter().map(|service| service.as_str()).collect();
            names.join(", ")
        });
        let by = exclusion.recorded_by.clone().unwrap_or_default();
        let when = exclusion.recorded_at.map(at);
        ExclusionRow {
            path: exclusion.entry.map(|entry| exclusion_path(agreement, entry)),
            number: exclusion.entry.map_or_else(|| "configuration".to_owned(), |entry| entry.to_string()),
            class: class_words(exclusion.class),
            from: at(exclusion.interval.from()),
            until: at(exclusion.interval.until()),
            services: services.unwrap_or_else(|| "all".to_owned()),
            told: exclusion.told_at.map_or_else(|| "not told".to_owned(), |told_at| format!("told {}", at(told_at))),
            who: when.map_or_else(|| by.clone(), |when| format!("{by}, {when}")),
            status: status(exclusion),
            reason: exclusion.reason.clone(),
        }
    }
}

/// A class in words.
pub(super) fn class_words(class: Class) -> String {
    class.as_str().replace('_', " ")
}

fn status(exclusion: &Exclusion) -> String {
    match (&exclusion.bar, &exclusion.approved_by) {
        (Some(Bar::NotApproved), _) => "claimed, waits for a second person".to_owned(),
        (Some(Bar::Refused { by, reason }), _) => format!("refused by {by}: {reason}"),
        (Some(Bar::Superseded { by }), _) => format!("superseded by entry {by}"),
        (Some(Bar::Withdrawn { by }), _) => format!("withdrawn by entry {by}"),
        (None, Some(by)) => format!("approved by {by}"),
        (None, None) => "announced".to_owned(),
    }
}

#[derive(Template)]
#[template(path = "exclusion.html")]
struct ExclusionPage {
    frame: Frame,
    agreement: String,
    agreement_path: String,
    row: ExclusionRow,
    /// What the figures are without it and with it.
    effects: Vec<EffectRow>,
    effect_note: &'static str,
    correct: Option<String>,
    wrong: Option<String>,
    forms: Vec<Form>,
}

/// What a path names.
#[derive(Deserialize)]
pub(super) struct Named {
    agreement: String,
    entry: u64,
}

/// Shows one exclusion.
pub(super) async fn show(
    State(app): State<AppState>,
    actor: Actor,
    Path(named): Path<Named>,
) -> Result<Response, Problem> {
    shown(&app, &actor, &named, None).await
}

async fn shown(app: &AppState, actor: &Actor, named: &Named, refused: Option<Form>) -> Result<Response, Problem> {
    let (config, now) = (app.config(), app.clock.wall());
    let agreement = actor.agreement(&config.agreements, &named.agreement, now)?;
    let entries = app.record.entries(&agreement.id);
    let exclusion = found(&entries, named.entry)?;
    let path = exclusion_path(agreement, named.entry);
    let may = actor.may(Role::Operator).is_ok();
    let ended = matches!(exclusion.bar, Some(Bar::Superseded { .. } | Bar::Withdrawn { .. }));
    let mut forms = match actor.may(Role::Operator) {
        Ok(by) if !ended => decisions(&path, |fact| object(&entries, fact, by, now).is_ok(), named.entry),
        Ok(_) | Err(_) => Vec::new(),
    };
    let (status, wrong) = put_back(&mut forms, refused);
    let shown = ExclusionPage {
        frame: Frame::of(actor, format!("Exclusion {}", named.entry), now),
        agreement: agreement.id.to_string(),
        agreement_path: agreement_path(agreement),
        row: ExclusionRow::of(agreement, &exclusion),
        effects: effect::effects(app, &config.agreements, &entries, &agreement.id, &exclusion).await?,
        effect_note: effect::note(&exclusion),
        correct: (may && !ended)
            .then(|| format!("{}/exclusions/new?supersedes={}", agreement_path(agreement), named.entry)),
        wrong,
        forms,
    };
    Ok((status, page(shown.render().expect("writing into a string can't fail"))).into_response())
}

fn found(entries: &[Entry], number: u64) -> Result<Exclusion, Problem> {
    let found = exclusions(entries).into_iter().find(|exclusion| exclusion.entry == Some(number));
    found.ok_or_else(|| Problem::NotFound { what: "exclusion", name: number.to_string() })
}

/// The forms of those decisions about an exclusion that are `allowed` now.
fn decisions(path: &str, allowed: impl Fn(&Fact) -> bool, entry: u64) -> Vec<Form> {
    let offered = Decision::ALL.into_iter().filter(|decision| allowed(&decision.fact(entry, String::new())));
    offered.map(|decided| decision(path, decided)).collect()
}

/// What somebody decides about an exclusion.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Decision {
    Approve,
    Refuse,
    Withdraw,
}

impl Decision {
    const ALL: [Decision; 3] = [Decision::Approve, Decision::Refuse, Decision::Withdraw];

    fn from_word(word: &str) -> Option<Decision> {
        Decision::ALL.into_iter().find(|decision| decision.word() == word)
    }

    fn fact(self, entry: u64, reason: String) -> Fact {
        match self {
            Decision::Approve => Fact::Approval { entry },
            Decision::Refuse => Fact::Refusal { entry, reason },
            Decision::Withdraw => Fact::Withdrawal { entry, reason },
        }
    }

    fn word(self) -> &'static str {
        match self {
            Decision::Approve => "approve",
            Decision::Refuse => "refuse",
            Decision::Withdraw => "withdraw",
        }
    }
}

fn decision(path: &str, decision: Decision) -> Form {
    let reason = |hint: &str| vec![Field::new("reason", "Reason", hint, Kind::Text)];
    let (title, submit, fields) = match decision {
        Decision::Approve => ("Approve it", "Approve", Vec::new()),
        Decision::Refuse => ("Refuse it", "Refuse", reason("It is printed on the statement.")),
        Decision::Withdraw => ("Withdraw it", "Withdraw", reason("Why it is taken back.")),
    };
    let mut form = Form::new(title, path.to_owned(), submit, fields);
    form.hidden.push(("decision", decision.word().to_owned()));
    form
}

/// Takes a decision about an exclusion.
pub(super) async fn decide(
    State(app): State<AppState>,
    actor: Actor,
    Path(named): Path<Named>,
    fields: Fields,
) -> Result<Response, Problem> {
    let (config, now) = (app.config(), app.clock.wall());
    let agreement = actor.agreement(&config.agreements, &named.agreement, now)?;
    let by = actor.may(Role::Operator)?;
    found(&app.record.entries(&agreement.id), named.entry)?;
    let path = exclusion_path(agreement, named.entry);
    let decided = Decision::from_word(fields.one("decision")).ok_or_else(|| Problem::BadParameter {
        parameter: "decision",
        why: "it is `approve`, `refuse` or `withdraw`".to_owned(),
    })?;
    let fact = decided.fact(named.entry, fields.one("reason").to_owned());
    match keep(&app, agreement, by, fact).await {
        Ok(_) => Ok(Redirect::to(&path).into_response()),
        Err(NotKept::Refused(why)) => {
            let form = decision(&path, decided).filled(&fields).refused(why);
            shown(&app, &actor, &named, Some(form)).await
        }
        Err(NotKept::Problem(problem)) => Err(problem),
    }
}

/// Which exclusion a new one corrects.
#[derive(Deserialize)]
pub(super) struct Correcting {
    supersedes: Option<u64>,
}

/// Shows the form that records one.
pub(super) async fn ask(
    State(app): State<AppState>,
    actor: Actor,
    Path(agreement): Path<String>,
    Query(correcting): Query<Correcting>,
) -> Result<Response, Problem> {
    let (config, now) = (app.config(), app.clock.wall());
    let agreement = actor.agreement(&config.agreements, &agreement, now)?;
    actor.may(Role::Operator)?;
    let corrected = match correcting.supersedes {
        Some(number) => Some(found(&app.record.entries(&agreement.id), number)?),
        None => None,
    };
    let form = form::form(agreement, corrected.as_ref(), now);
    Ok(about(&actor, agreement, now, form))
}

/// Takes the form.
pub(super) async fn announce(
    State(app): State<AppState>,
    actor: Actor,
    Path(agreement): Path<String>,
    fields: Fields,
) -> Result<Response, Problem> {
    let (config, now) = (app.config(), app.clock.wall());
    let agreement = actor.agreement(&config.agreements, &agreement, now)?;
    let by = actor.may(Role::Operator)?;
    let supersedes = fields.one("supersedes").parse().ok();
    let corrected = match supersedes {
        Some(number) => Some(found(&app.record.entries(&agreement.id), number)?),
        None => None,
    };
    let mut form = form::form(agreement, corrected.as_ref(), now).filled(&fields);
    let Some(exclusion) = form::read(&mut form, agreement) else { return Ok(about(&actor, agreement, now, form)) };
    match keep(&app, agreement, by, Fact::Exclusion { exclusion, supersedes }).await {
        Ok(number) => Ok(Redirect::to(&exclusion_path(agreement, number)).into_response()),
        Err(NotKept::Refused(why)) => Ok(about(&actor, agreement, now, form.refused(why))),
        Err(NotKept::Problem(problem)) => Err(problem),
    }
}

fn about(actor: &Actor, agreement: &Agreement, now: Timestamp, form: Form) -> Response {
    let notes = vec![
        "Maintenance that is recorded before it begins is announced. Everything else is claimed, and counts once a second person has approved it.".to_owned(),
        form::notice_note(agreement),
    ];
    form_page(actor, now, (agreement.id.as_str(), agreement_path(agreement)), notes, form)
}
