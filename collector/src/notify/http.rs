//! Posting to a receiver: one request, no redirect followed, nothing of the answer kept but its status.

use bytes::Bytes;
use http::header::RETRY_AFTER;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use reqwest::redirect::Policy;
use rules::check::Secret;
use std::time::Duration;

/// How long a connection may take; the whole of an attempt has a deadline of its own.
const CONNECT_TIME: Duration = Duration::from_secs(5);

/// Why an attempt failed. Neither text names a URL, a secret, or what the receiver said.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SendError {
    /// It may go better later.
    #[error("{why}")]
    Later {
        /// What happened.
        why: String,
        /// How long the receiver wants to be left alone.
        after: Option<Duration>,
    },
    /// It never will.
    #[error("{0}")]
    Never(String),
}

impl SendError {
    /// It may go better later.
    pub(super) fn later(why: impl Into<String>) -> SendError {
        SendError::Later { why: why.into(), after: None }
    }
}

/// Posts; cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Poster {
    client: reqwest::Client,
}

/// A receiver's answer.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    retry_after: Option<Duration>,
}

impl Poster {
    /// One that trusts what the machine trusts. A secret never travels on to where a receiver points.
    pub(super) fn new() -> Result<Poster, reqwest::Error> {
        let client = reqwest::Client::builder()
            .redirect(Policy::none())
            .connect_timeout(CONNECT_TIME)
            .pool_max_idle_per_host(1)
            .user_agent(concat!("nines/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Poster { client })
    }

    /// Posts JSON.
    pub(super) async fn post(
        &self,
        url: &Secret,
        headers: &[(&'static str, String)],
        body: Bytes,
    ) -> Result<Answer, SendError> {
        let mut map = HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))]);
        for (name, value) in headers {
            let value = HeaderValue::from_str(value).map_err(|_| SendError::Never(format!("`{name}` is no header")))?;
            map.insert(HeaderName::from_static(name), value);
        }
        let sent = self.client.post(url.expose()).headers(map).body(body).send().await;
        let answer = sent.map_err(|error| SendError::later(daemon::error_text::whole(&error.without_url())))?;
        let seconds = answer.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
        Ok(Answer { status: answer.status(), retry_after: seconds.map(Duration::from_secs) })
    }
}

impl Answer {
    /// Good if the receiver has it. `hopeless` are the statuses that say that it never will.
    pub(super) fn accepted(self, hopeless: &[StatusCode]) -> Result<(), SendError> {
        let Answer { status, retry_after } = self;
        if status.is_success() {
            return Ok(());
        }
        let why = match status.is_redirection() {
            true => format!("it answered {status}, and redirects are not followed; name where they lead"),
            false => format!("it answered {status}"),
        };
        if hopeless.contains(&status) {
            return Err(SendError::Never(why));
        }
        Err(SendError::Later { why, after: retry_after })
    }
}
