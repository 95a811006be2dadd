//! What goes wrong with a request, as RFC 9457 problem objects.

use super::frame::Frame;
use crate::closing::copies::CopyError;
use crate::closing::issued::AgainError;
use crate::closing::pinned::PinnedError;
use crate::record::{OutOfBounds, RecordError};
use askama::Template;
use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use std::time::Duration;

/// Why a request has no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Problem {
    /// Nothing has that name, or nothing that the one who asks sees.
    #[error("there is no {what} `{name}`")]
    NotFound {
        /// What was looked for.
        what: &'static str,
        /// What it was called.
        name: String,
    },
    /// A parameter can't be read.
    #[error("`{parameter}`: {why}")]
    BadParameter {
        /// Which.
        parameter: &'static str,
        /// What is wrong with it, and what would be right.
        why: String,
    },
    /// A form did not arrive whole, or is far too large.
    #[error("the form did not arrive whole or is larger than 64 KiB; shorten its texts")]
    NoForm,
    /// It takes a user, and none was shown.
    #[error("this takes a user; sign in at /sign-in, or send `Authorization: Bearer TOKEN`")]
    NotSignedIn,
    /// A token was shown that is nobody's.
    #[error("that token is no user's; send `Authorization: Bearer TOKEN` with one from `users`")]
    WrongToken,
    /// Too many wrong tokens came from one address.
    #[error("too many wrong tokens came from this address; try again in {} s", wait.as_secs().max(1))]
    TooManyAttempts {
        /// How long to wait.
        wait: Duration,
    },
    /// The user's role does not reach.
    #[error("this takes the role `{needs}`; ask whoever keeps `users` in the configuration")]
    Forbidden {
        /// The role that would.
        needs: &'static str,
    },
    /// The agreement's screens are stopped for those who only look.
    #[error("the screens of `{agreement}` are stopped since {since}: {why}")]
    ScreensStopped {
        /// Whose.
        agreement: String,
        /// Since when, in its zone.
        since: String,
        /// Why.
        why: &'static str,
    },
    /// There are no users, so nothing can be recorded in anybody's name.
    #[error("the configuration has no users, and a record needs a name; add `users` (docs/console.md)")]
    NobodyRecords,
    /// Another site's page sent a change.
    #[error("another site's page sent this; do it from the console's own pages")]
    CrossOrigin,
    /// A session was shown where only a token is good.
    #[error("a browser's session changes nothing through the API; send `Authorization: Bearer TOKEN`")]
    SessionForApi,
    /// A form was made for another session.
    #[error("this form is older than your sign-in; go back, load the page again and send it once more")]
    StaleForm,
    /// It can't happen now, and why.
    #[error("{0}")]
    NotNow(String),
    /// A text can't be kept.
    #[error(transparent)]
    OutOfBounds(OutOfBounds),
    /// The record could not be written or read.
    #[error("the record could not be reached; try again")]
    Record(#[source] RecordError),
    /// The ledger could not be read.
    #[error("the ledger could not be read; try again")]
    Ledger(#[from] crate::ledger::LedgerError),
    /// The evidence of an issued statement is no longer there.
    #[error("{0}")]
    Gone(CopyError),
    /// An issued statement could not be drawn up again.
    #[error("{0}")]
    Again(CopyError),
    /// A statement takes longer to be drawn up than anybody waits for an answer.
    #[error(
        "the statement could not be drawn up within {seconds} s; try again when the collector has less to do, or let \
         `nines-collector statement` take its time; an issued version's JSON form is there at once"
    )]
    TooSlow {
        /// How long it was tried.
        seconds: u64,
    },
    /// A statement could not be printed.
    #[error("the statement could not be printed in this form; its other forms are there")]
    Pages(#[source] CopyError),
}

#[derive(Serialize)]
struct View {
    r#type: &'static str,
    title: &'static str,
    status: u16,
    detail: String,
}

/// A problem that was answered, for whoever shows it as a page.
#[derive(Clone, Debug)]
pub(super) struct Told {
    pub(super) title: &'static str,
    detail: String,
}

#[derive(Template)]
#[template(path = "problem.html")]
struct ProblemPage {
    frame: Frame,
    detail: String,
}

impl Told {
    /// The page that says it.
    pub(super) fn page(self, frame: Frame) -> String {
        let mut detail = self.detail;
        if let Some(first) = detail.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        ProblemPage { frame, detail }.render().expect("writing into a string can't fail")
    }
}

impl Problem {
    fn status(&self) -> (StatusCode, &'static str) {
        match self {
            Problem::NotFound { .. } => (StatusCode::NOT_FOUND, "Not found"),
            Problem::BadParameter { .. } => (StatusCode::BAD_REQUEST, "Bad parameter"),
            Problem::NoForm => (StatusCode::BAD_REQUEST, "Bad form"),
            Problem::NotSignedIn => (StatusCode::UNAUTHORIZED, "Not signed in"),
            Problem::WrongToken => (StatusCode::UNAUTHORIZED, "Wrong token"),
            Problem::TooManyAttempts { .. } => (StatusCode::TOO_MANY_REQUESTS, "Too many attempts"),
            Problem::Forbidden { .. } => (StatusCode::FORBIDDEN, "Not allowed"),
            Problem::ScreensStopped { .. } => (StatusCode::FORBIDDEN, "Screens stopped"),
            Problem::NobodyRecords => (StatusCode::FORBIDDEN, "Nobody to record it"),
            Problem::CrossOrigin => (StatusCode::FORBIDDEN, "Sent from elsewhere"),
            Problem::SessionForApi => (StatusCode::FORBIDDEN, "Token needed"),
            Problem::StaleForm => (StatusCode::FORBIDDEN, "Old form"),
            Problem::NotNow(_) => (StatusCode::CONFLICT, "Not now"),
            Problem::OutOfBounds(_) => (StatusCode::BAD_REQUEST, "Bad text"),
            Problem::Record(_) => (StatusCode::SERVICE_UNAVAILABLE, "Record unavailable"),
            Problem::Ledger(_) => (StatusCode::SERVICE_UNAVAILABLE, "Ledger unavailable"),
            Problem::TooSlow { .. } => (StatusCode::SERVICE_UNAVAILABLE, "Too slow"),
            Problem::Gone(_) => (StatusCode::GONE, "Evidence gone"),
            Problem::Again(_) => (StatusCode::INTERNAL_SERVER_ERROR, "Not drawn up again"),
            Problem::Pages(_) => (StatusCode::INTERNAL_SERVER_ERROR, "Not printed"),
        }
    }
}

impl From<RecordError> for Problem {
    fn from(error: RecordError) -> Problem {
        if let RecordError::OutOfBounds(why) = error { Problem::OutOfBounds(why) } else { Problem::Record(error) }
    }
}

impl From<CopyError> for Problem {
    fn from(error: CopyError) -> Problem {
        match error {
            CopyError::Ledger(error) => Problem::Ledger(error),
            CopyError::NoVersion { version, .. } => Problem::NotFound { what: "version", name: version.to_string() },
            CopyError::NotInForce { month, .. } => {
                Problem::NotFound { what: "version of the agreement for", name: month.to_string() }
            }
            CopyError::Gone { .. } => Problem::Gone(error),
            CopyError::Again {
                source: AgainError::Evidence(PinnedError::Ledger(error)) | AgainError::Ledger(error),
                ..
            } => Problem::Ledger(error),
            CopyError::Again { .. } | CopyError::Amendment(_) => Problem::Again(error),
            CopyError::Pages(_) => Problem::Pages(error),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (status, title) = self.status();
        if let Problem::Ledger(error) = &self {
            tracing::error!(error = daemon::error_text::whole(error), "Ledger could not be read for a page");
        }
        if let Problem::Record(error) = &self {
            tracing::error!(error = daemon::error_text::whole(error), "Record could not be used for a page");
        }
        if let Problem::Pages(error) | Problem::Again(error) = &self {
            tracing::error!(error = daemon::error_text::whole(error), "Statement could not be printed");
        }
        let detail = self.to_string();
        let view = View { r#type: "about:blank", title, status: status.as_u16(), detail: detail.clone() };
        let kind = [(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"))];
        let mut response = (status, kind, Json(view)).into_response();
        if status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Problem::TooManyAttempts { wait } = self {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(wait.as_secs().max(1)));
        }
        response.extensions_mut().insert(Told { title, detail });
        response
    }
}
