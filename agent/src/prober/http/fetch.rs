//! Asks for something over HTTP and hands over what came: the same for every kind that speaks HTTP.
//!
//! Each request has a connection of its own. Redirects are followed as the options say, and the jar's
//! cookies go with every request that they belong to. Whether what came is good is for others to say.

use super::ask::Ask;
use super::credentials;
use super::hop::{Hop, Scheme};
use super::intake::{Answer, Keep, Whole};
use super::jar::Jar;
use super::proxy::Proxies;
use super::token::Tokens;
use super::turn::{Turn, alpn};
use crate::prober::Means;
use crate::prober::trace::{Break, Trace};
use bytes::Bytes;
use http::header::{ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONNECTION, HOST, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use rules::check::{HttpAuth, HttpOptions, HttpVersions, ProxyChoice, REDIRECTS_MAX};
use rules::evidence::Fault;
use std::borrow::Cow;
use std::time::Duration;
use url::Url;

/// What asks, by one set of options.
#[derive(Debug)]
pub(crate) struct Client {
    pub(super) options: HttpOptions,
    pub(super) proxies: Proxies,
    tokens: Option<Box<Tokens>>,
}

/// What is asked, read once for all the times that it is asked.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    to: Hop,
    ask: Ask,
}

/// What came, read to its end. Status, version and lengths stand in the trace's evidence too.
#[derive(Debug)]
pub(crate) struct Fetched {
    pub(crate) status: StatusCode,
    /// Where redirects led, if they led elsewhere.
    pub(crate) moved_to: Option<Url>,
    pub(crate) headers: HeaderMap,
    /// Empty unless it was to be kept; its compression is undone.
    pub(crate) body: Vec<u8>,
}

impl Client {
    /// Prepares what `options` say.
    pub(crate) fn prepare(options: &HttpOptions) -> Result<Client, Break> {
        let proxies = Proxies::prepare(&options.proxy)?;
        if options.versions == HttpVersions::Http3 {
            let refuse = |why| Err(Break::new(Fault::Instruction, why));
            if options.proxy.choice != ProxyChoice::Direct {
                return refuse("HTTP/3 can't be spoken through a proxy; leave out one of the two");
            }
            if cfg!(not(feature = "http3")) {
                return refuse("this agent speaks no HTTP/3; use one that was built with the feature `http3`");
            }
        }
        let tokens = match &options.auth {
            HttpAuth::OAuth2(oauth2) => Some(Box::new(Tokens::prepare(oauth2)?)),
            HttpAuth::Nobody | HttpAuth::Basic { .. } | HttpAuth::Credentials { .. } => None,
        };
        Ok(Client { options: options.clone(), proxies, tokens })
    }

    /// Prepares a request. For a URL with TLS the authorities are read now, so that a missing file is
    /// known before the first probe.
    pub(crate) fn request(
        &self,
        means: &Means,
        (method, url): (&str, &str),
        headers: HeaderMap,
        body: Bytes,
    ) -> Result<Request, Break> {
        let refuse = |_| Break::new(Fault::Instruction, &format!("the method `{method}` can't be sent"));
        let method = method.parse().map_err(refuse)?;
        let mut to = Hop::read(url)?;
        if self.options.versions == HttpVersions::Http3 {
            to = to.secured();
        }
        let name = self.options.tls.server_name.clone().or_else(|| host_of(headers.get(HOST)?));
        let to = to.named(name);
        if to.scheme == Scheme::Https {
            means.clients.client(&self.options.tls, alpn(self.options.versions))?;
            to.server_name()?;
        }
        let mut ask = Ask { method, headers, body };
        let mut default = |name: HeaderName, value: &'static str| {
            ask.headers.entry(name).or_insert(HeaderValue::from_static(value));
        };
        default(USER_AGENT, daemon::version::USER_AGENT);
        default(ACCEPT, "*/*");
        default(CONNECTION, "close");
        if let Some(compression) = self.options.compression {
            default(ACCEPT_ENCODING, compression.as_str());
        }
        Ok(Request { to, ask })
    }

    /// Asks, follows where it leads, and reads the last answer to its end. `budget` is the whole
    /// probe's time.
    pub(crate) async fn fetch(
        &self,
        means: &Means,
        request: &Request,
        keep: Keep,
        jar: &mut Jar,
        budget: Duration,
        trace: &mut Trace,
    ) -> Result<Fetched, Break> {
        let mut ask = Cow::Borrowed(&request.ask);
        let who = match &self.tokens {
            Some(tokens) => Some(tokens.header(means, budget.saturating_sub(trace.elapsed())).await?),
            None => credentials::header(&self.options.auth).await?,
        };
        if let Some(who) = who {
            ask.to_mut().headers.entry(AUTHORIZATION).or_insert(who);
        }
        let mut to = Cow::Borrowed(&request.to);
        let mut followed = 0;
        loop {
            let turn = Turn { client: self, means, budget, keep, followed };
            match turn.take(&ask, &to, jar, trace).await? {
                Answer::Whole(Whole { status, headers, body }) => {
                    if let (Some(tokens), StatusCode::UNAUTHORIZED) = (&self.tokens, status) {
                        tokens.forget();
                    }
                    let moved_to = (0 < followed).then(|| to.url().clone());
                    return Ok(Fetched { status, moved_to, headers, body });
                }
                Answer::Redirect { .. } if REDIRECTS_MAX <= followed => {
                    return Err(Break::new(Fault::Redirect, &format!("more than {REDIRECTS_MAX} redirects")));
                }
                Answer::Redirect { status, location } => {
                    followed += 1;
                    let next = to.follow(&location)?;
                    let next = if self.options.versions == HttpVersions::Http3 { next.secured() } else { next };
                    ask.to_mut().redirect(status, &to, &next);
                    to = Cow::Owned(next);
                }
            }
        }
    }
}

/// The host within a `Host` header.
fn host_of(header: &HeaderValue) -> Option<String> {
    let authority: http::uri::Authority = header.to_str().ok()?.parse().ok()?;
    Some(authority.host().trim_matches(['[', ']']).to_owned())
}
