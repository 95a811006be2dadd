//! A period's statement in the console: the page that is printed, with a way to its versions,
//! neighbours and forms.
//!
//! It shows what was issued. A period of which nothing was issued is shown as it is known now, and so
//! is any other if that is asked for.

use super::console::statement_path;
use super::frame::Frame;
use super::people::Actor;
use super::problem::Problem;
use super::{AppState, encoded, moments, page};
use crate::closing::amendment::Change;
use crate::closing::copies::{Asked, Copies, CopyError, Original};
use crate::closing::seal;
use crate::closing::terms::Terms;
use crate::closing::{self, Statement};
use crate::command::output::Lang;
use crate::digest::hex;
use crate::ledger::books::Issued;
use crate::render::document::document;
use crate::render::json;
use crate::render::outside::printable;
use crate::render::{html, words};
use askama::Template;
use axum::extract::{self, Path, Query};
use axum::response::Response;
use config::collector::CollectorConfig;
use rules::agreement::{Agreement, Language};
use rules::id::AgreementId;
use rules::period::{Month, Zone};
use rules::time::Timestamp;
use serde::Deserialize;
use std::time::Duration;

/// How long a statement may take to be drawn up: an old version of a large agreement is folded from all
/// its blocks.
const READ_TIME: Duration = Duration::from_secs(60);
/// Versions that are listed, the newest first; the API lists all.
const VERSIONS_LISTED_MAX: usize = 12;
/// Changed figures that are listed of a version; its own page has all.
const CHANGES_LISTED_MAX: usize = 10;

#[derive(Template)]
#[template(path = "statement_page.html")]
struct StatementPage {
    frame: Frame,
    language: &'static str,
    /// The statement, or why it can't be shown.
    body: Result<String, String>,
    shown: Option<ShownVersion>,
    newest: Option<(u32, String)>,
    draft: String,
    versions: Vec<VersionRow>,
    previous: String,
    what_if: String,
    next: Option<String>,
    forms: Vec<(&'static str, String)>,
    languages: [(&'static str, String); 2],
}

/// The issued version that one looks at.
struct ShownVersion {
    version: u32,
    of: usize,
    issued: String,
    sha256: String,
    key: Option<String>,
}

/// One version that was issued.
struct VersionRow {
    version: u32,
    path: String,
    issued: String,
    sha256: String,
    is_shown: bool,
    changes: Vec<String>,
    changes_more: usize,
}

/// What may be asked about a statement.
#[derive(Deserialize)]
pub(super) struct Wish {
    lang: Option<Lang>,
    version: Option<String>,
    /// There, whatever it says: what is known now, whatever was issued.
    draw_up: Option<String>,
}

impl Wish {
    fn asked(&self) -> Result<Asked, Problem> {
        match &self.version {
            Some(wanted) => Ok(Asked::Version(version(wanted)?)),
            None if self.draw_up.is_some() => Ok(Asked::Draft),
            None => Ok(Asked::Newest),
        }
    }
}

/// Answers `/statements/{agreement}/{period}`.
pub(super) async fn show(
    extract::State(app): extract::State<AppState>,
    actor: Actor,
    Path((agreement, period)): Path<(String, String)>,
    Query(wish): Query<Wish>,
) -> Result<Response, Problem> {
    let (config, now) = (app.config(), app.clock.wall());
    let agreement = actor.agreement(&config.agreements, &agreement, now)?;
    let month = month(&period)?;
    let original = found(&app, &config, &agreement.id, month, wish.asked()?).await?;
    let language = wish.lang.map(Language::from);
    let put_into_words = |statement: &Statement<'_>| {
        let language = language.unwrap_or(statement.agreement.language);
        (document(statement, language), language)
    };
    let (body, language) = match read(&app, &original, put_into_words).await? {
        Ok((document, language)) => (Ok(app.press.run(move || html::body(&document)).await), language),
        Err(gone @ CopyError::Gone { .. }) => (Err(gone.to_string()), language.unwrap_or(agreement.language)),
        Err(error) => return Err(error.into()),
    };
    let (own, form) = (statement_path(agreement, month), form_path(&original, agreement, month));
    let formed = |format: &str| format!("{form}format={format}&lang={}", words::code(language));
    let lang = |code: &str| {
        let version = original.issued().map(|issued| format!("version={}&", issued.version));
        let draft = version.or_else(|| wish.draw_up.is_some().then(|| "draw_up&".to_owned())).unwrap_or_default();
        format!("{own}?{draft}lang={code}")
    };
    let newest = original.versions().last();
    let shown = StatementPage {
        frame: Frame::of(&actor, format!("{} {month}", agreement.id), now),
        language: words::code(language),
        body,
        shown: original.issued().map(|issued| shown(issued, original.versions().len(), &agreement.zone)),
        newest: newest.map(|newest| (newest.version, own.clone())),
        draft: format!("{own}?draw_up"),
        versions: rows(&original, &own, &agreement.zone),
        what_if: format!("/what-if/{}/{month}", encoded(agreement.id.as_str())),
        previous: statement_path(agreement, month.previous()),
        next: (month < Month::containing(now, &agreement.zone)).then(|| statement_path(agreement, month.next())),
        forms: ["html", "pdf", "json", "csv", "text"].map(|format| (format, formed(format))).to_vec(),
        languages: [("English", lang("en")), ("한국어", lang("ko"))],
    };
    Ok(page(shown.render().expect("writing into a string can't fail")))
}

/// Where the API has its forms, up to their parameters.
fn form_path(original: &Original, agreement: &Agreement, month: Month) -> String {
    let path = format!("/api/v1/agreements/{}/statements/{month}", encoded(agreement.id.as_str()));
    match original.issued() {
        Some(issued) => format!("{path}/versions/{}?", issued.version),
        None if original.versions().is_empty() => format!("{path}?"),
        None => format!("{path}?draw_up&"),
    }
}

fn shown(issued: &Issued, of: usize, zone: &Zone) -> ShownVersion {
    ShownVersion {
        version: issued.version,
        of,
        issued: moments::shown(issued.issued_at, zone),
        sha256: hex(&issued.sha256),
        key: seal::open(&issued.bytes).ok().map(|sealed| sealed.key),
    }
}

fn rows(original: &Original, own: &str, zone: &Zone) -> Vec<VersionRow> {
    let row = |issued: &Issued| {
        let changes =
            json::read::amendment(&issued.bytes).ok().flatten().map(|amends| amends.changes).unwrap_or_default();
        let side = |of: &Option<String>| of.as_deref().map_or_else(|| "nothing".to_owned(), printable);
        let listed = changes.iter().take(CHANGES_LISTED_MAX);
        let change = |of: &Change| format!("{}: {} → {}", printable(&of.place), side(&of.before), side(&of.after));
        VersionRow {
            version: issued.version,
            path: format!("{own}?version={}", issued.version),
            issued: moments::shown(issued.issued_at, zone),
            sha256: hex(&issued.sha256),
            is_shown: original.issued().is_some_and(|shown| shown.version == issued.version),
            changes_more: changes.len().saturating_sub(CHANGES_LISTED_MAX),
            changes: listed.map(change).collect(),
        }
    };
    original.versions().iter().rev().take(VERSIONS_LISTED_MAX).map(row).collect()
}

/// What is asked for of a period.
pub(super) async fn found(
    app: &AppState,
    config: &CollectorConfig,
    agreement: &AgreementId,
    month: Month,
    asked: Asked,
) -> Result<Original, Problem> {
    let copies = Copies { ledger: app.evidence.ledger(), record: &app.record, config };
    Ok(copies.find(agreement, month, asked, app.clock.wall()).await?)
}

/// Draws it up and lets `read` read it, within a time that whoever waits for a page has.
pub(super) async fn read<R>(
    app: &AppState,
    original: &Original,
    read: impl FnOnce(&Statement<'_>) -> R,
) -> Result<Result<R, CopyError>, Problem> {
    let reading = original.read(&app.evidence, read);
    tokio::time::timeout(READ_TIME, reading).await.map_err(|_| Problem::TooSlow { seconds: READ_TIME.as_secs() })
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

/// The version that a parameter names.
pub(super) fn version(text: &str) -> Result<u32, Problem> {
    text.parse().map_err(|_| Problem::NotFound { what: "version", name: text.to_owned() })
}

/// Draws up a month from what is committed up to now.
pub(super) async fn draw_up<'a>(app: &AppState, terms: &'a Terms, month: Month) -> Result<Statement<'a>, Problem> {
    Ok(closing::draw_up(&app.evidence, terms, month, Some(app.clock.wall())).await?)
}
