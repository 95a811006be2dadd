//! The API's statements and the keys they are signed with.
//!
//! What was issued is handed out byte for byte, or in another form of the same figures.

use super::people::Actor;
use super::problem::Problem;
use super::{AppState, encoded, statements};
use crate::closing::Statement;
use crate::closing::copies::{Asked, CopyError};
use crate::command::output::Lang;
use crate::digest::hex;
use crate::ledger::books::Issued;
use crate::render::{Format, Manuscript};
use crate::signing::published;
use axum::Json;
use axum::extract::{self, Path, Query};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use rules::agreement::Language;
use serde::{Deserialize, Serialize};

/// What a statement as a page may load: its own style, which is in it.
const SELF_CONTAINED: HeaderValue = HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'; sandbox");

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
    Ok(sent(Format::Json, published::write(&keys).into_bytes()))
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

/// Which form of a statement.
#[derive(Deserialize)]
pub(super) struct Form {
    format: Option<Format>,
    lang: Option<Lang>,
}

/// Which statement of a period.
#[derive(Deserialize)]
pub(super) struct Choice {
    /// There, whatever it says: what is known now, whatever was issued.
    draw_up: Option<String>,
}

/// Answers `/api/v1/agreements/{agreement}/statements/{period}`.
pub(super) async fn period(
    extract::State(app): extract::State<AppState>,
    actor: Actor,
    Path((agreement, period)): Path<(String, String)>,
    Query(choice): Query<Choice>,
    Query(form): Query<Form>,
) -> Result<Response, Problem> {
    let asked = if choice.draw_up.is_some() { Asked::Draft } else { Asked::Newest };
    given(&app, &actor, (&agreement, &period), asked, &form).await
}

/// Answers `/api/v1/agreements/{agreement}/statements/{period}/versions/{version}`.
pub(super) async fn version(
    extract::State(app): extract::State<AppState>,
    actor: Actor,
    Path((agreement, period, version)): Path<(String, String, String)>,
    Query(form): Query<Form>,
) -> Result<Response, Problem> {
    let asked = Asked::Version(statements::version(&version)?);
    given(&app, &actor, (&agreement, &period), asked, &form).await
}

/// A statement in the form that is asked for. The form that is stored is given as it is stored.
async fn given(
    app: &AppState,
    actor: &Actor,
    (agreement, period): (&str, &str),
    asked: Asked,
    form: &Form,
) -> Result<Response, Problem> {
    let config = app.config();
    let id = &actor.agreement(&config.agreements, agreement, app.clock.wall())?.id;
    let month = statements::month(period)?;
    let original = statements::found(app, &config, id, month, asked).await?;
    let format = form.format.unwrap_or(Format::Json);
    let bytes = match original.issued() {
        Some(issued) if format == Format::Json => issued.bytes.clone(),
        _ => {
            let put_into_words = |statement: &Statement<'_>| {
                Manuscript::of(statement, format, form.lang.map_or(statement.agreement.language, Language::from))
            };
            let manuscript = statements::read(app, &original, put_into_words).await??;
            app.press.print(manuscript).await.map_err(CopyError::Pages)?
        }
    };
    let mut answer = sent(format, bytes);
    if format == Format::Pdf {
        let version = original.issued().map_or_else(String::new, |issued| format!("-v{}", issued.version));
        let name = format!("attachment; filename*=UTF-8''{}-{month}{version}.pdf", encoded(id.as_str()));
        let name = HeaderValue::try_from(name).expect("what is encoded is visible ASCII");
        answer.headers_mut().insert(header::CONTENT_DISPOSITION, name);
    }
    Ok(answer)
}

fn sent(format: Format, bytes: Vec<u8>) -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(format.media_type())),
        (header::CONTENT_SECURITY_POLICY, SELF_CONTAINED),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    ];
    (headers, bytes).into_response()
}
