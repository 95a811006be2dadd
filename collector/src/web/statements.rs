//! A statement in the console: the page that is printed, with a way to its neighbours and forms.

use super::console::statement_path;
use super::frame::Frame;
use super::people::Actor;
use super::problem::Problem;
use super::{AppState, encoded, page};
use crate::closing::terms::Terms;
use crate::closing::{self, Statement};
use crate::command::output::Lang;
use crate::render;
use askama::Template;
use axum::extract::{self, Path, Query};
use axum::response::Response;
use config::collector::CollectorConfig;
use rules::agreement::{Agreement, Language};
use rules::id::AgreementId;
use rules::period::Month;
use rules::time::Timestamp;
use serde::Deserialize;

#[derive(Template)]
#[template(path = "statement_page.html")]
struct StatementPage {
    frame: Frame,
    language: &'static str,
    body: String,
    previous: String,
    what_if: String,
    next: Option<String>,
    forms: Vec<(&'static str, String)>,
    languages: [(&'static str, String); 2],
}

/// What may be asked about a statement.
#[derive(Deserialize)]
pub(super) struct Wish {
    pub(super) lang: Option<Lang>,
}

/// Answers `/statements/{agreement}/{period}`.
pub(super) async fn show(
    extract::State(app): extract::State<AppState>,
    actor: Actor,
    Path((agreement, period)): Path<(String, String)>,
    Query(wish): Query<Wish>,
) -> Result<Response, Problem> {
    let config = app.config();
    let (agreement, month) = named(&config, &actor, app.clock.wall(), &agreement, &period)?;
    let terms = terms(&app, &config, &agreement.id, month)?;
    let statement = draw_up(&app, &terms, month).await?;
    let language = wish.lang.map_or(agreement.language, Language::from);
    let own = statement_path(agreement, month);
    let form = |format: &str| {
        format!("/api/v1/agreements/{}/statements/{month}?format={format}", encoded(agreement.id.as_str()))
    };
    let now = app.clock.wall();
    let next = (month < Month::containing(now, &agreement.zone)).then(|| statement_path(agreement, month.next()));
    let shown = StatementPage {
        frame: Frame::of(&actor, format!("{} {month}", agreement.id), now),
        language: render::words::code(language),
        body: render::html::body(&statement, language),
        what_if: format!("/what-if/{}/{month}", encoded(agreement.id.as_str())),
        previous: statement_path(agreement, month.previous()),
        next,
        forms: ["html", "pdf", "json", "csv", "text"].map(|format| (format, form(format))).to_vec(),
        languages: [("English", format!("{own}?lang=en")), ("한국어", format!("{own}?lang=ko"))],
    };
    Ok(page(shown.render().expect("writing into a string can't fail")))
}

/// The month that a path names, and the version of the agreement that it is reckoned under.
pub(super) fn named<'a>(
    config: &'a CollectorConfig,
    actor: &Actor,
    now: Timestamp,
    agreement: &str,
    period: &str,
) -> Result<(&'a Agreement, Month), Problem> {
    actor.agreement(&config.agreements, agreement, now)?;
    let month = month(period)?;
    let found = config.agreement(agreement, month);
    let found =
        found.ok_or_else(|| Problem::NotFound { what: "version of the agreement for", name: month.to_string() })?;
    Ok((found, month))
}

/// The month that a parameter names.
pub(super) fn month(period: &str) -> Result<Month, Problem> {
    period
        .parse()
        .map_err(|why: rules::period::NotAMonth| Problem::BadParameter { parameter: "period", why: why.to_string() })
}

/// The terms that `month` is reckoned under, with what is on record.
pub(super) fn terms(
    app: &AppState,
    config: &CollectorConfig,
    agreement: &AgreementId,
    month: Month,
) -> Result<Terms, Problem> {
    let terms = Terms::of(config, &app.record.entries(agreement), agreement, month);
    let none = || Problem::NotFound { what: "version in force", name: format!("{agreement} in {month}") };
    terms.ok_or_else(none)
}

/// Draws up a month from what is committed up to now.
pub(super) async fn draw_up<'a>(app: &AppState, terms: &'a Terms, month: Month) -> Result<Statement<'a>, Problem> {
    Ok(closing::draw_up(&app.evidence, terms, month, Some(app.clock.wall())).await?)
}
