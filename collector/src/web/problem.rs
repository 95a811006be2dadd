//! What goes wrong with a request, as RFC 9457 problem objects.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// Why a request has no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum Problem {
    /// Nothing has that name.
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
    /// The ledger could not be read.
    #[error("the ledger could not be read; try again")]
    Ledger(#[from] crate::ledger::LedgerError),
}

#[derive(Serialize)]
struct View {
    r#type: &'static str,
    title: &'static str,
    status: u16,
    detail: String,
}

impl Problem {
    fn status(&self) -> (StatusCode, &'static str) {
        match self {
            Problem::NotFound { .. } => (StatusCode::NOT_FOUND, "Not found"),
            Problem::BadParameter { .. } => (StatusCode::BAD_REQUEST, "Bad parameter"),
            Problem::Ledger(_) => (StatusCode::SERVICE_UNAVAILABLE, "Ledger unavailable"),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (status, title) = self.status();
        if let Problem::Ledger(error) = &self {
            tracing::error!(error = crate::commit::chain(error), "Ledger could not be read for a page");
        }
        let view = View { r#type: "about:blank", title, status: status.as_u16(), detail: self.to_string() };
        let kind = [(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"))];
        (status, kind, Json(view)).into_response()
    }
}
