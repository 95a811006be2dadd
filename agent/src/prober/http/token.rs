//! Tokens by client credentials (RFC 6749, section 4.4): had from a token server, kept until they end.
//!
//! It is the one thing that a probe keeps for the next, for a token server is not to be asked by every
//! probe. Having a token is part of the way to the target, within the probe's deadline; what fails there
//! is told as the token server's.

use super::credentials::{basic, secret_header, text};
use super::fetch::Client;
use super::intake::Keep;
use super::jar::Jar;
use crate::prober::Means;
use crate::prober::trace::{Break, Trace};
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, StatusCode};
use rules::check::{HttpOptions, OAuth2, Secret};
use rules::evidence::Fault;
use serde::Deserialize;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use url::form_urlencoded::{Serializer, byte_serialize};

/// How long before its end a token is no longer used: what a probe takes at most, for the most part.
const SPARE: Duration = Duration::from_secs(10);
/// The largest answer of a token server.
const ANSWER_BYTES_MAX: u64 = 64 * 1024;

/// What has tokens of one token server.
#[derive(Debug)]
pub(super) struct Tokens {
    oauth2: OAuth2,
    client: Client,
    kept: Mutex<Option<Token>>,
}

#[derive(Clone, Debug)]
struct Token {
    /// The value of the header `Authorization`.
    header: Secret,
    /// By boot time; absent: the server did not say.
    ends_at: Option<Duration>,
}

#[derive(Deserialize)]
struct Answer {
    access_token: String,
    token_type: Option<String>,
    expires_in: Option<u64>,
}

/// Where a client says who it is: in a header, or in the form.
#[derive(Clone, Copy)]
enum Says {
    Header,
    Form,
}

type Granted<'a> = Pin<Box<dyn Future<Output = Result<Token, Break>> + Send + 'a>>;

impl Tokens {
    pub(super) fn prepare(oauth2: &OAuth2) -> Result<Tokens, Break> {
        let options = HttpOptions {
            tls: oauth2.tls.clone(),
            proxy: oauth2.proxy.clone(),
            body_bytes_max: ANSWER_BYTES_MAX,
            ..HttpOptions::default()
        };
        Ok(Tokens { oauth2: oauth2.clone(), client: Client::prepare(&options)?, kept: Mutex::default() })
    }

    /// The header `Authorization` with a token that still holds.
    pub(super) async fn header(&self, means: &Means, budget: Duration) -> Result<HeaderValue, Break> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let holds = |token: &Token| token.ends_at.is_none_or(|end| means.clock.boot() + SPARE < end);
        let token = match kept.filter(holds) {
            Some(token) => token,
            None => {
                let token = self.renewed(means, budget).await?;
                *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(token.clone());
                token
            }
        };
        secret_header(token.header.expose())
    }

    /// Drops the token: the target does not take it.
    pub(super) fn forget(&self) {
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Asks for a new token. Its future is boxed: a client asks for tokens by a client.
    fn renewed<'a>(&'a self, means: &'a Means, budget: Duration) -> Granted<'a> {
        Box::pin(async move {
            let asked = match self.ask(means, budget, Says::Header).await {
                // Servers that know no header want the form.
                Ok((StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED, _)) => {
                    self.ask(means, budget, Says::Form).await
                }
                asked => asked,
            };
            let told =
                |fault, why: &str| Break::new(fault, &format!("the token server {}: {why}", self.oauth2.token_url));
            let (status, body) = asked.map_err(|broken| told(broken.fault, broken.detail.as_str()))?;
            if !status.is_success() {
                return Err(told(Fault::Unreachable, &format!("it gives no token, but status {}", status.as_u16())));
            }
            let answer: Answer = serde_json::from_slice(&body)
                .map_err(|_| told(Fault::Protocol, "its answer is no JSON object with an `access_token`"))?;
            let scheme = match answer.token_type.as_deref() {
                None => "Bearer",
                Some(scheme) if scheme.eq_ignore_ascii_case("bearer") => "Bearer",
                Some(scheme) => scheme,
            };
            let header = Secret::new(format!("{scheme} {}", answer.access_token));
            let ends_at = answer.expires_in.map(|seconds| means.clock.boot() + Duration::from_secs(seconds));
            Ok(Token { header, ends_at })
        })
    }

    async fn ask(&self, means: &Means, budget: Duration, says: Says) -> Result<(StatusCode, Vec<u8>), Break> {
        let secret = text(&self.oauth2.client_secret).await?;
        let (headers, body) = self.form(&secret, says)?;
        let request = self.client.request(means, ("POST", &self.oauth2.token_url), headers, body)?;
        let mut trace = Trace::begin(&means.clock);
        let fetched = self.client.fetch(means, &request, Keep::Body, &mut Jar::default(), budget, &mut trace).await?;
        Ok((fetched.status, fetched.body))
    }

    fn form(&self, secret: &str, says: Says) -> Result<(HeaderMap, Bytes), Break> {
        let OAuth2 { client_id, scopes, endpoint_params, .. } = &self.oauth2;
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        let mut form = Serializer::new(String::new());
        form.append_pair("grant_type", "client_credentials");
        if !scopes.is_empty() {
            form.append_pair("scope", &scopes.join(" "));
        }
        form.extend_pairs(endpoint_params.iter().map(|(name, value)| (name, value.expose())));
        match says {
            Says::Header => {
                let encoded = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
                headers.insert(AUTHORIZATION, secret_header(&basic(&encoded(client_id), &encoded(secret)))?);
            }
            Says::Form => {
                form.append_pair("client_id", client_id).append_pair("client_secret", secret);
            }
        }
        Ok((headers, Bytes::from(form.finish())))
    }
}
