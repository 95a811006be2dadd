//! Refusals as RFC 9457 problem objects.

use crate::metrics::Refusal;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde_json::{Map, Value};
use std::time::Duration;

/// A refusal: counted by its reason, told by its status.
#[derive(Debug)]
pub(super) struct Problem {
    pub(super) refusal: Refusal,
    status: StatusCode,
    detail: String,
    retry_after: Option<Duration>,
    members: Map<String, Value>,
}

impl Problem {
    pub(super) fn new(refusal: Refusal, status: StatusCode, detail: impl Into<String>) -> Problem {
        Problem { refusal, status, detail: detail.into(), retry_after: None, members: Map::new() }
    }

    /// Asks to come back after `wait`.
    pub(super) fn later(refusal: Refusal, status: StatusCode, detail: &str, wait: Duration) -> Problem {
        Problem { retry_after: Some(wait), ..Problem::new(refusal, status, detail) }
    }

    /// Adds what the protocol says beside the problem's own members.
    pub(super) fn with(mut self, key: &str, value: impl Into<Value>) -> Problem {
        self.members.insert(key.to_owned(), value.into());
        self
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut body = self.members;
        body.insert("title".to_owned(), self.status.canonical_reason().unwrap_or("refused").into());
        body.insert("status".to_owned(), self.status.as_u16().into());
        body.insert("detail".to_owned(), self.detail.into());
        let body = Value::Object(body).to_string();
        let kind = HeaderValue::from_static("application/problem+json");
        let mut response = (self.status, [(header::CONTENT_TYPE, kind)], body).into_response();
        if let Some(wait) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(wait.as_secs().max(1)));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}
