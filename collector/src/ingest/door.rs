//! Who is let in, and how many at once.
//!
//! A token is compared as SHA-256 with every known hash, all of them, in constant time. An agent
//! that the configuration doesn't name is nobody; an empty list means nobody.

use super::Ingest;
use super::problem::Problem;
use crate::metrics::Refusal;
use axum::body::Body;
use axum::extract::FromRequestParts;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use config::collector::AgentCredential;
use daemon::tls::PeerIdentity;
use http::request::Parts;
use http::{HeaderMap, StatusCode, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use rules::delivery::{AGENT_HEADER, POST_BYTES_MAX};
use rules::id::AgentId;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use subtle::ConstantTimeEq;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Requests with a body that one agent may have in flight: its lane's, and one whose answer it lost.
const AGENT_IN_FLIGHT_MAX: usize = 2;
/// Long polls of one agent: one, and one whose end it has not noticed.
const AGENT_POLLS_MAX: usize = 2;
/// Bytes of all requests in flight: what decoding them takes in memory is a few times this.
const BYTES_IN_FLIGHT_MAX: usize = 64 * POST_BYTES_MAX;
/// When an agent that has too much in flight should come back.
const RETRY_BUSY: Duration = Duration::from_secs(1);
/// When agents should come back that together sent too much.
const RETRY_OVERLOADED: Duration = Duration::from_secs(2);

/// The agent that asks; whoever can't show to be one gets no further.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Caller(pub(super) AgentId);

impl FromRequestParts<Ingest> for Caller {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, ingest: &Ingest) -> Result<Caller, Response> {
        let config = Arc::clone(&ingest.config.borrow());
        let identity = parts.extensions.get::<PeerIdentity>();
        let known = identify(&parts.headers, identity, &config.agents);
        known.inspect(|agent| ingest.compare_clocks(agent, &parts.headers)).map(Caller).map_err(|problem| {
            ingest.metrics.refuse(problem.refusal);
            tracing::debug!(reason = problem.refusal.as_str(), "Request refused at the door");
            problem.into_response()
        })
    }
}

fn identify(
    headers: &HeaderMap,
    identity: Option<&PeerIdentity>,
    known: &[AgentCredential],
) -> Result<AgentId, Problem> {
    let nobody = |detail| Problem::new(Refusal::Unauthenticated, StatusCode::UNAUTHORIZED, detail);
    let named = headers.get(AGENT_HEADER).and_then(|name| str::from_utf8(name.as_bytes()).ok());
    let named = named.ok_or_else(|| nobody("the header `nines-agent` names no agent"))?;
    let token = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = token.and_then(|value| value.strip_prefix("Bearer ")).map(|token| Sha256::digest(token.trim()));
    let shown = |credential: &AgentCredential| {
        let by_token = credential.token_sha256.as_ref().zip(token.as_ref()).map(|(hash, token)| hash.ct_eq(token));
        let by_certificate = credential.certificate.as_ref().zip(identity);
        by_token.is_some_and(bool::from) | by_certificate.is_some_and(|(name, peer)| peer.names.contains(name))
    };
    // No early end: how long it takes must not say which token was nearly right.
    let mut own = Vec::with_capacity(1);
    for credential in known {
        if shown(credential) {
            own.push(&credential.agent);
        }
    }
    if own.is_empty() {
        return Err(nobody("no known token or certificate was shown"));
    }
    let agent = own.into_iter().find(|agent| agent.as_str() == named);
    agent.cloned().ok_or_else(|| {
        let detail = "the token or certificate belongs to another agent than `nines-agent` names";
        Problem::new(Refusal::Forbidden, StatusCode::FORBIDDEN, detail)
    })
}

/// The places that requests take while they are worked on.
pub(super) struct Places {
    agents: Mutex<HashMap<AgentId, AgentPlaces>>,
    bytes: Arc<Semaphore>,
}

#[derive(Clone)]
struct AgentPlaces {
    posts: Arc<Semaphore>,
    polls: Arc<Semaphore>,
}

impl Default for Places {
    fn default() -> Places {
        Places { agents: Mutex::default(), bytes: Arc::new(Semaphore::new(BYTES_IN_FLIGHT_MAX)) }
    }
}

impl Places {
    /// Only agents of the configuration come here, so the map is bounded by it.
    fn of(&self, agent: &AgentId) -> AgentPlaces {
        let mut agents = self.agents.lock().unwrap_or_else(PoisonError::into_inner);
        let places = agents.entry(agent.clone()).or_insert_with(|| AgentPlaces {
            posts: Arc::new(Semaphore::new(AGENT_IN_FLIGHT_MAX)),
            polls: Arc::new(Semaphore::new(AGENT_POLLS_MAX)),
        });
        places.clone()
    }
}

/// A body in memory, and the places it takes until it is dropped.
#[derive(Debug)]
pub(super) struct Admitted {
    pub(super) bytes: Bytes,
    _agent: OwnedSemaphorePermit,
    _room: OwnedSemaphorePermit,
}

impl Ingest {
    /// Reads a body of at most `bytes_max`, once there is a place for it.
    pub(super) async fn admit(
        &self,
        agent: &AgentId,
        headers: &HeaderMap,
        body: Body,
        bytes_max: usize,
    ) -> Result<Admitted, Problem> {
        let too_large = || {
            let detail = format!("a request to here is at most {bytes_max} bytes long");
            Problem::new(Refusal::TooLarge, StatusCode::PAYLOAD_TOO_LARGE, detail)
        };
        let declared = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
        let declared = declared.unwrap_or(bytes_max);
        if bytes_max < declared {
            return Err(too_large());
        }
        let busy = |_| {
            let detail = "this agent has other requests in flight";
            Problem::later(Refusal::AgentBusy, StatusCode::TOO_MANY_REQUESTS, detail, RETRY_BUSY)
        };
        let agent = self.places.of(agent).posts.try_acquire_owned().map_err(busy)?;
        let full = |_| {
            let detail = "all agents together sent more than fits at once";
            Problem::later(Refusal::Overloaded, StatusCode::SERVICE_UNAVAILABLE, detail, RETRY_OVERLOADED)
        };
        let room = u32::try_from(declared).unwrap_or(u32::MAX);
        let room = Arc::clone(&self.places.bytes).try_acquire_many_owned(room).map_err(full)?;
        // The listener gives up on a peer that dawdles with its body.
        let read = Limited::new(body, declared).collect().await;
        let bytes =
            read.map(http_body_util::Collected::to_bytes).map_err(|error| match error.is::<LengthLimitError>() {
                true => too_large(),
                false => Problem::new(Refusal::Malformed, StatusCode::BAD_REQUEST, "the body did not arrive whole"),
            })?;
        Ok(Admitted { bytes, _agent: agent, _room: room })
    }

    /// A place for a request that waits for something to change.
    pub(super) fn admit_poll(&self, agent: &AgentId) -> Result<OwnedSemaphorePermit, Problem> {
        self.places.of(agent).polls.try_acquire_owned().map_err(|_| {
            let detail = "this agent waits for its checks already";
            Problem::later(Refusal::AgentBusy, StatusCode::TOO_MANY_REQUESTS, detail, RETRY_BUSY)
        })
    }

    /// Counts a refusal and makes it an answer.
    pub(super) fn refuse(&self, problem: Problem) -> Response {
        self.metrics.refuse(problem.refusal);
        problem.into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn a_name_that_is_not_ascii_is_known_by_its_utf_8_and_no_other_bytes() {
        let agent: AgentId = "서울 1".parse().unwrap();
        let known =
            [AgentCredential { agent: agent.clone(), token_sha256: None, certificate: Some("node".to_owned()) }];
        let identity = PeerIdentity { names: vec!["node".to_owned()] };
        let named = |bytes: &[u8]| {
            let headers = HeaderMap::from_iter([(http::HeaderName::from_static(AGENT_HEADER), {
                HeaderValue::from_bytes(bytes).unwrap()
            })]);
            identify(&headers, Some(&identity), &known).ok()
        };
        assert_eq!(named("서울 1".as_bytes()), Some(agent));
        assert_eq!(named(b"\xbc\xad\xbf\xef 1"), None, "another encoding is another name");
    }
}
