//! Exclusions through the API: what is on record, what is claimed, and a second person's word on it.
//!
//! What may be recorded is for `record::acts` to say; here it is only read and shown.

use super::super::AppState;
use super::super::people::Actor;
use super::super::problem::Problem;
use super::Paging;
use crate::closing::effect::{self, effects};
use crate::closing::terms::joined;
use crate::record::acts::{NotMeant, NotRecorded, put_on_record};
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use config::collector::CollectorConfig;
use config::collector::users::Role;
use config::reading::words::nearest;
use rules::exclusion::{Bar, Class, Exclusion};
use rules::id::AgreementId;
use rules::interval::Interval;
use rules::record::exclusions::{Objection, exclusions};
use rules::record::{Entry, Fact};
use rules::retainer::NotSpent;
use rules::time::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// A list of exclusions.
#[derive(Serialize)]
pub(super) struct Exclusions {
    exclusions: Vec<View>,
    next: Option<String>,
}

/// An exclusion and what became of it.
#[derive(Serialize)]
struct View {
    entry: Option<u64>,
    services: Option<Vec<String>>,
    from: String,
    until: String,
    class: &'static str,
    reason: String,
    told_at: Option<String>,
    recorded_by: Option<String>,
    recorded_at: Option<String>,
    approved_by: Option<String>,
    status: &'static str,
    refused_by: Option<String>,
    refused_because: Option<String>,
    ended_by_entry: Option<u64>,
}

/// What came of recording something.
#[derive(Serialize)]
pub(super) struct Recorded {
    entry: u64,
    recorded_at: String,
    recorded_by: String,
    exclusion: View,
    figures: Vec<EffectView>,
}

/// One service's month before and after.
#[derive(Serialize)]
struct EffectView {
    period: String,
    service: String,
    before: FiguresView,
    after: FiguresView,
}

#[derive(Serialize)]
struct FiguresView {
    percent: String,
    downtime_ms: u64,
    credit_percent: String,
}

/// What is claimed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Claim {
    #[serde(default)]
    services: Option<Vec<String>>,
    from: String,
    until: String,
    class: String,
    reason: String,
    #[serde(default)]
    told_at: Option<String>,
    #[serde(default)]
    supersedes: Option<u64>,
}

/// Why something is refused or taken back.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Because {
    reason: String,
}

/// The exclusions of an agreement: the configuration's, then those on record.
pub(super) async fn list(
    State(app): State<AppState>,
    actor: Actor,
    Path(agreement): Path<String>,
    Query(paging): Query<Paging>,
) -> Result<Json<Exclusions>, Problem> {
    let config = app.config();
    let agreement = actor.agreement(&config.agreements, &agreement, app.clock.wall())?;
    let agreement = joined(agreement, &app.record.entries(&agreement.id));
    let numbered = (0u64..).zip(&agreement.exclusions).collect();
    let (page, next) = paging.of(numbered, |(place, _)| format!("{place:06}"));
    Ok(Json(Exclusions { exclusions: page.into_iter().map(|(_, exclusion)| View::of(exclusion)).collect(), next }))
}

/// Records an exclusion.
pub(super) async fn claim(
    State(app): State<AppState>,
    actor: Actor,
    Path(agreement): Path<String>,
    body: Bytes,
) -> Result<(StatusCode, Json<Recorded>), Problem> {
    let config = app.config();
    let agreement = actor.agreement(&config.agreements, &agreement, app.clock.wall())?;
    let by = actor.may(Role::Operator)?;
    let fact = parsed::<Claim>(&body)?.fact()?;
    recorded(&app, &config, &agreement.id, by, fact, None).await
}

/// Approves a claim, as a second person.
pub(super) async fn approve(
    State(app): State<AppState>,
    actor: Actor,
    Path((agreement, entry)): Path<(String, u64)>,
) -> Result<(StatusCode, Json<Recorded>), Problem> {
    decided(&app, &actor, &agreement, entry, || Ok(Fact::Approval { entry })).await
}

/// Refuses a claim, as a second person.
pub(super) async fn refuse(
    State(app): State<AppState>,
    actor: Actor,
    Path((agreement, entry)): Path<(String, u64)>,
    body: Bytes,
) -> Result<(StatusCode, Json<Recorded>), Problem> {
    let fact = || parsed(&body).map(|Because { reason }| Fact::Refusal { entry, reason });
    decided(&app, &actor, &agreement, entry, fact).await
}

/// Takes an exclusion back.
pub(super) async fn withdraw(
    State(app): State<AppState>,
    actor: Actor,
    Path((agreement, entry)): Path<(String, u64)>,
    body: Bytes,
) -> Result<(StatusCode, Json<Recorded>), Problem> {
    let fact = || parsed(&body).map(|Because { reason }| Fact::Withdrawal { entry, reason });
    decided(&app, &actor, &agreement, entry, fact).await
}

/// Records the decision about exclusion `entry` that `fact` reads, once it is known that the actor may.
async fn decided(
    app: &AppState,
    actor: &Actor,
    agreement: &str,
    entry: u64,
    fact: impl FnOnce() -> Result<Fact, Problem>,
) -> Result<(StatusCode, Json<Recorded>), Problem> {
    let config = app.config();
    let agreement = actor.agreement(&config.agreements, agreement, app.clock.wall())?;
    let by = actor.may(Role::Operator)?;
    recorded(app, &config, &agreement.id, by, fact()?, Some(entry)).await
}

/// Records `fact` and answers with the exclusion numbered `about`, or the new one.
async fn recorded(
    app: &AppState,
    config: &CollectorConfig,
    agreement: &AgreementId,
    by: &str,
    fact: Fact,
    about: Option<u64>,
) -> Result<(StatusCode, Json<Recorded>), Problem> {
    let entry = put_on_record(&app.record, config, agreement, by, fact).await?;
    let after = app.record.entries(agreement);
    let before: Vec<Entry> = after.iter().filter(|other| other.number < entry.number).cloned().collect();
    let number = about.unwrap_or(entry.number);
    let found = exclusions(&after).into_iter().find(|exclusion| exclusion.entry == Some(number));
    let exclusion = found.ok_or_else(|| Problem::NotFound { what: "exclusion", name: number.to_string() })?;
    let (touched, now) = (exclusion.interval, app.clock.wall());
    let told = effects(&app.evidence, &config.agreements, agreement, (&before, &after), touched, now).await?;
    let answer = Recorded {
        entry: entry.number,
        recorded_at: entry.recorded_at.to_string(),
        recorded_by: entry.recorded_by,
        exclusion: View::of(&exclusion),
        figures: told.iter().map(EffectView::of).collect(),
    };
    Ok((StatusCode::CREATED, Json(answer)))
}

impl From<NotRecorded> for Problem {
    fn from(why: NotRecorded) -> Problem {
        match why {
            NotRecorded::Objection(Objection::NoExclusion(entry)) => {
                Problem::NotFound { what: "exclusion", name: entry.to_string() }
            }
            NotRecorded::Objection(_) | NotRecorded::Twice { .. } => Problem::NotNow(why.to_string()),
            NotRecorded::UnknownService { .. } => bad("services", &why),
            NotRecorded::Effort(NotSpent::NoIncident { number, .. }) => {
                Problem::NotFound { what: "incident", name: number.to_string() }
            }
            NotRecorded::Effort(NotSpent::Nothing | NotSpent::TooMuch { .. }) => bad("worked", &why),
            NotRecorded::Effort(NotSpent::ToCome { .. } | NotSpent::BeforeRetainer { .. }) => bad("at", &why),
            NotRecorded::Time(NotMeant::TooEarly(_)) => bad("from", &why),
            NotRecorded::Time(NotMeant::TooFar { .. }) => bad("until", &why),
            NotRecorded::Record(error) => Problem::from(error),
        }
    }
}

pub(super) fn parsed<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    serde_json::from_slice(body).map_err(|error| bad("body", &error))
}

pub(super) fn bad(parameter: &'static str, why: &impl ToString) -> Problem {
    Problem::BadParameter { parameter, why: why.to_string() }
}

impl Claim {
    fn fact(self) -> Result<Fact, Problem> {
        let instant = |parameter, text: &str| text.parse::<Timestamp>().map_err(|why| bad(parameter, &why));
        let (from, until) = (instant("from", &self.from)?, instant("until", &self.until)?);
        let backwards = || bad("until", &"it ends no later than it begins; give an `until` after its `from`");
        let interval = Interval::new(from, until).ok_or_else(backwards)?;
        let services = self
            .services
            .map(|names| names.iter().map(|name| name.parse()).collect::<Result<_, rules::id::NotAName>>());
        let exclusion = Exclusion {
            services: services.transpose().map_err(|why| bad("services", &why))?,
            reason: self.reason,
            told_at: self.told_at.map(|text| instant("told_at", &text)).transpose()?,
            ..Exclusion::new(interval, class(&self.class)?)
        };
        Ok(Fact::Exclusion { exclusion, supersedes: self.supersedes })
    }
}

fn class(word: &str) -> Result<Class, Problem> {
    let words = || Class::ALL.iter().map(|class| class.as_str());
    Class::from_word(word).ok_or_else(|| match nearest(word, words()) {
        Some(near) => bad("class", &format!("no such class; did you mean `{near}`?")),
        None => bad("class", &format!("no such class; write one of {}", words().collect::<Vec<_>>().join(", "))),
    })
}

impl View {
    fn of(exclusion: &Exclusion) -> View {
        let services = exclusion.services.as_ref();
        let (status, ended_by_entry) = match (&exclusion.bar, &exclusion.approved_by) {
            (None, _) if exclusion.entry.is_none() => ("configured", None),
            (None, None) => ("announced", None),
            (None, Some(_)) => ("approved", None),
            (Some(Bar::NotApproved), _) => ("not_approved", None),
            (Some(Bar::Refused { .. }), _) => ("refused", None),
            (Some(Bar::Superseded { by }), _) => ("superseded", Some(*by)),
            (Some(Bar::Withdrawn { by }), _) => ("withdrawn", Some(*by)),
        };
        let refusal = match &exclusion.bar {
            Some(Bar::Refused { by, reason }) => Some((by.clone(), reason.clone())),
            Some(Bar::NotApproved | Bar::Superseded { .. } | Bar::Withdrawn { .. }) | None => None,
        };
        let (refused_by, refused_because) = refusal.unzip();
        View {
            entry: exclusion.entry,
            services: services.map(|services| services.iter().map(ToString::to_string).collect()),
            from: exclusion.interval.from().to_string(),
            until: exclusion.interval.until().to_string(),
            class: exclusion.class.as_str(),
            reason: exclusion.reason.clone(),
            told_at: exclusion.told_at.map(|at| at.to_string()),
            recorded_by: exclusion.recorded_by.clone(),
            recorded_at: exclusion.recorded_at.map(|at| at.to_string()),
            approved_by: exclusion.approved_by.clone(),
            status,
            refused_by,
            refused_because,
            ended_by_entry,
        }
    }
}

impl EffectView {
    fn of(effect: &effect::Effect) -> EffectView {
        EffectView {
            period: effect.month.to_string(),
            service: effect.service.to_string(),
            before: FiguresView::of(&effect.before),
            after: FiguresView::of(&effect.after),
        }
    }
}

impl FiguresView {
    fn of(figures: &effect::Figures) -> FiguresView {
        FiguresView {
            percent: figures.availability.to_string(),
            downtime_ms: figures.availability.downtime_ms,
            credit_percent: figures.credit.percent.to_string(),
        }
    }
}
