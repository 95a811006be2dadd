//! The collector as seen from an agent: three requests, each with a deadline and a bound.

use super::ClockOffset;
use super::wire::{self, Refused, Said};
use daemon::clock::Clock;
use daemon::error_text::whole;
use daemon::version::USER_AGENT;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, ETAG, HeaderValue, IF_NONE_MATCH, RETRY_AFTER};
use reqwest::{Certificate, Client, Identity, RequestBuilder, Response, StatusCode, redirect};
use rules::delivery::sender::Answer;
use rules::delivery::{AGENT_HEADER, BLOCKS_PATH, CHECKS_PATH, Incarnation, NOW_HEADER, REGISTER_PATH, TIME_PATH};
use rules::id::AgentId;
use rules::time::Timestamp;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A connection that takes longer is not worth waiting for.
const CONNECT_MAX: Duration = Duration::from_secs(10);

/// A post of 1 MiB on a slow line, and a collector that waits for its disk.
const ANSWER_MAX: Duration = Duration::from_secs(60);

/// How long the collector may hold a question for checks before it says that nothing changed.
const CHECKS_WAIT: Duration = Duration::from_secs(30);

/// The most bytes of an answer to a post: a list of refused blocks.
const ANSWER_BYTES_MAX: usize = 256 * 1024;

/// The most bytes of a check document: 10 000 checks of 1 KiB, and room.
const CHECKS_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Silence after which the connection itself is asked whether it lives.
const PING_EVERY: Duration = Duration::from_secs(15);

/// A client can't be made from the configuration.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// A file can't be read.
    #[error("read `{file}` for the collector's TLS: {source}")]
    File {
        /// The file.
        file: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file has not in it what it should.
    #[error("use `{file}` for the collector's TLS: {source}; it must be PEM")]
    Pem {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        source: reqwest::Error,
    },
    /// The token or the agent's name can't be a header.
    #[error("send {0} as a header: it has a character that no header may have; use printable ASCII")]
    Header(&'static str),
    /// The client refuses the whole.
    #[error("set up the connection to the collector: {0}")]
    Client(#[source] reqwest::Error),
}

/// What to check could not be learned.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// Not at the moment.
    #[error("ask the collector what to check: {reason}")]
    NotNow {
        /// What came instead of an answer.
        reason: String,
        /// How long the collector wishes to be left alone.
        retry_after: Option<Duration>,
    },
}

/// What the collector wants checked: raw, for others to read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CheckDocument {
    /// JSON.
    pub document: Vec<u8>,
    /// What to send along next time, so that only a change is answered.
    pub etag: Option<String>,
}

/// A collector's address and this agent's way to show who it is; cheap to clone.
#[derive(Clone, Debug)]
pub struct Collector {
    http: Client,
    url: String,
    agent: AgentId,
    agent_header: HeaderValue,
    authorization: Option<HeaderValue>,
    clock: Clock,
}

/// What came of one request.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) answer: Answer,
    pub(super) refused: Vec<Refused>,
    pub(super) offset: Option<ClockOffset>,
    /// Why it is not what was hoped for.
    pub(super) error: Option<String>,
}

impl Reply {
    fn failed(answer: Answer, error: String) -> Reply {
        Reply { answer, refused: Vec::new(), offset: None, error: Some(error) }
    }

    pub(super) fn unanswered(error: String) -> Reply {
        Reply::failed(Answer::Nothing, error)
    }
}

impl Collector {
    /// The collector that `uplink` names; reads the files it names.
    pub fn new(agent: AgentId, uplink: &config::agent::Uplink, clock: Clock) -> Result<Collector, ClientError> {
        let mut http = Client::builder()
            .user_agent(USER_AGENT)
            .redirect(redirect::Policy::none())
            .connect_timeout(CONNECT_MAX)
            .http2_keep_alive_interval(PING_EVERY)
            .http2_keep_alive_timeout(CONNECT_MAX);
        if uplink.url.starts_with("http://") {
            // Without TLS there is nothing to agree on HTTP/2 with, and it is loopback: no proxy.
            http = http.http2_prior_knowledge().no_proxy();
        }
        if let Some(file) = &uplink.tls.ca_file {
            let certificates = Certificate::from_pem_bundle(&read(file)?);
            http = http.tls_certs_only(certificates.map_err(|source| ClientError::Pem { file: file.clone(), source })?);
        }
        if let Some(identity) = &uplink.tls.identity {
            let pem = [read(&identity.cert_file)?, read(&identity.key_file)?].join(&b'\n');
            let refuse = |source| ClientError::Pem { file: identity.key_file.clone(), source };
            http = http.identity(Identity::from_pem(&pem).map_err(refuse)?);
        }
        let authorization = uplink.token.as_ref().map(|token| bearer(token.expose())).transpose()?;
        let agent_header = HeaderValue::from_bytes(agent.as_str().as_bytes());
        Ok(Collector {
            http: http.build().map_err(ClientError::Client)?,
            url: uplink.url.clone(),
            agent_header: agent_header.map_err(|_| ClientError::Header("the agent's name"))?,
            agent,
            authorization,
            clock,
        })
    }

    pub(super) async fn register(&self, first_seq: u64) -> Reply {
        let body = match wire::register(&self.agent, first_seq) {
            Ok(body) => body,
            Err(error) => return Reply::unanswered(error.to_string()),
        };
        let url = format!("{}{REGISTER_PATH}", self.url);
        self.exchange(self.http.post(url).header(CONTENT_TYPE, "application/json").body(body), wire::registered).await
    }

    pub(super) async fn post(&self, incarnation: Incarnation, first_seq: u64, body: Vec<u8>) -> Reply {
        let url = format!("{}{BLOCKS_PATH}?incarnation={incarnation}&first_seq={first_seq}", self.url);
        self.exchange(self.http.post(url).header(CONTENT_TYPE, "application/octet-stream").body(body), wire::committed)
            .await
    }

    /// Asks what time it is, and nothing else.
    pub(super) async fn ask_the_time(&self) -> Option<ClockOffset> {
        self.exchange(self.http.get(format!("{}{TIME_PATH}", self.url)), wire::time).await.offset
    }

    /// Asks what to check, and waits up to 30 s for it to differ from what `known` names; none: it
    /// does not.
    pub async fn fetch_checks(&self, known: Option<&str>) -> Result<Option<CheckDocument>, FetchError> {
        let not_now = |reason| FetchError::NotNow { reason, retry_after: None };
        let mut request = self.http.get(format!("{}{CHECKS_PATH}?wait={}s", self.url, CHECKS_WAIT.as_secs()));
        if let Some(known) = known {
            request = request.header(IF_NONE_MATCH, known);
        }
        let deadline = CHECKS_WAIT + ANSWER_MAX;
        let response = self.signed(request).timeout(deadline).send().await.map_err(|error| not_now(whole(&error)))?;
        match response.status() {
            StatusCode::NOT_MODIFIED => Ok(None),
            StatusCode::OK => {
                let etag = response.headers().get(ETAG).and_then(|etag| etag.to_str().ok()).map(str::to_owned);
                let document = bounded(response, CHECKS_BYTES_MAX).await.map_err(not_now)?;
                Ok(Some(CheckDocument { document, etag }))
            }
            status => Err(FetchError::NotNow { reason: refused(status), retry_after: retry_after(&response) }),
        }
    }

    async fn exchange(&self, request: RequestBuilder, said: fn(&[u8]) -> Result<Said, serde_json::Error>) -> Reply {
        let asked = self.clock.boot();
        let response = match self.signed(request).timeout(ANSWER_MAX).send().await {
            Ok(response) => response,
            Err(error) => return Reply::unanswered(whole(&error)),
        };
        let (status, retry_after) = (response.status(), retry_after(&response));
        let body = match bounded(response, ANSWER_BYTES_MAX).await {
            Ok(body) => body,
            Err(error) => return Reply::unanswered(error),
        };
        match status {
            StatusCode::OK => match said(&body) {
                Ok(Said { answer, refused, now }) => {
                    let offset = now.and_then(|now| self.offset(asked, &now));
                    Reply { answer, refused, offset, error: None }
                }
                Err(error) => Reply::unanswered(format!("the answer makes no sense: {error}")),
            },
            StatusCode::CONFLICT => match wire::refusal(&body) {
                Ok(answer) => Reply::failed(answer, format!("it refused: {answer:?}")),
                Err(error) => Reply::unanswered(format!("the refusal makes no sense: {error}")),
            },
            StatusCode::PAYLOAD_TOO_LARGE => Reply::failed(Answer::TooLarge, refused(status)),
            status if status.is_client_error() || retry_after.is_some() => {
                Reply::failed(Answer::NotNow { retry_after }, refused(status))
            }
            status => Reply::unanswered(refused(status)),
        }
    }

    fn signed(&self, mut request: RequestBuilder) -> RequestBuilder {
        if let Some(authorization) = &self.authorization {
            request = request.header(AUTHORIZATION, authorization.clone());
        }
        request.header(AGENT_HEADER, self.agent_header.clone()).header(NOW_HEADER, self.clock.wall().to_string())
    }

    /// The collector read its clock somewhere between `asked` and now; take the middle.
    fn offset(&self, asked: Duration, theirs: &str) -> Option<ClockOffset> {
        let theirs: Timestamp = theirs.parse().ok()?;
        let within = self.clock.boot().saturating_sub(asked) / 2;
        Some(ClockOffset { theirs, boot: asked + within, within })
    }
}

fn bearer(token: &str) -> Result<HeaderValue, ClientError> {
    let mut value = HeaderValue::from_str(&format!("Bearer {token}")).map_err(|_| ClientError::Header("the token"))?;
    value.set_sensitive(true);
    Ok(value)
}

fn read(file: &Path) -> Result<Vec<u8>, ClientError> {
    std::fs::read(file).map_err(|source| ClientError::File { file: file.to_owned(), source })
}

fn retry_after(response: &Response) -> Option<Duration> {
    let seconds = response.headers().get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

fn refused(status: StatusCode) -> String {
    let hint = match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => "; check the agent's name and token in both configurations",
        StatusCode::NOT_FOUND => "; `collector` must name its `listen.agents`",
        _ => "",
    };
    format!("it answered {status}{hint}")
}

/// The whole body, unless it is longer than `most`.
async fn bounded(mut response: Response, most: usize) -> Result<Vec<u8>, String> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| whole(&error))? {
        if most < body.len() + chunk.len() {
            return Err(format!("its answer is longer than {most} bytes"));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}
