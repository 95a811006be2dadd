//! Asks for something over HTTP and hands over what came: the same for every kind that speaks HTTP.
//!
//! Each request has a connection of its own. Redirects are followed as the options say, and the jar's
//! cookies go with every request that they belong to. Whether what came is good is for others to say.

use super::credentials;
use super::hop::{Hop, Scheme};
use super::http1;
use super::intake::{Answer, Intake, Keep, Whole};
use super::jar::Jar;
use crate::prober::Means;
use crate::prober::handshake::Alpn;
use crate::prober::trace::{Break, Trace};
use bytes::Bytes;
use http::header::{
    ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONNECTION, CONTENT_TYPE, COOKIE, HOST, PROXY_AUTHORIZATION, USER_AGENT,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use http_body_util::Full;
use rules::check::{HttpOptions, HttpVersions, ProxyChoice, REDIRECTS_MAX};
use rules::evidence::{Fault, Phase, Way};
use std::borrow::Cow;
use std::time::Duration;

/// What asks, by one set of options.
#[derive(Debug)]
pub(crate) struct Client {
    options: HttpOptions,
}

/// What is asked, read once for all the times that it is asked.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    to: Hop,
    ask: Ask,
}

/// What is sent, but for where it goes.
#[derive(Clone, Debug)]
struct Ask {
    method: Method,
    headers: HeaderMap,
    body: Bytes,
}

/// What came, read to its end. Status, version and lengths stand in the trace's evidence too.
#[derive(Debug)]
pub(crate) struct Fetched {
    pub(crate) status: StatusCode,
    /// Where the last answer came from.
    pub(crate) url: String,
    pub(crate) headers: HeaderMap,
    /// Empty unless it was to be kept; its compression is undone.
    pub(crate) body: Vec<u8>,
}

impl Client {
    /// Prepares what `options` say.
    pub(crate) fn prepare(options: &HttpOptions) -> Result<Client, Break> {
        let absent = |what: &str| Err(Break::new(Fault::Instruction, &format!("this agent has no {what} yet")));
        match (&options.proxy.choice, options.versions) {
            (ProxyChoice::At { .. } | ProxyChoice::FromEnvironment, _) => absent("way through a proxy"),
            (ProxyChoice::Direct, HttpVersions::Http3) => absent("HTTP/3"),
            (ProxyChoice::Direct, HttpVersions::Http1 | HttpVersions::Http2OrHttp1) => {
                Ok(Client { options: options.clone() })
            }
        }
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
            means.clients.client(&self.options.tls, Alpn::Http1)?;
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
        if let Some(who) = credentials::header(&self.options.auth).await? {
            ask.to_mut().headers.entry(AUTHORIZATION).or_insert(who);
        }
        let mut to = Cow::Borrowed(&request.to);
        let mut followed = 0;
        loop {
            let turn = Turn { client: self, means, budget, keep, followed };
            match turn.take(&ask, &to, jar, trace).await? {
                Answer::Whole(Whole { status, headers, body }) => {
                    return Ok(Fetched { status, url: to.url().to_owned(), headers, body });
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

/// One request of a fetch.
struct Turn<'a> {
    client: &'a Client,
    means: &'a Means,
    budget: Duration,
    keep: Keep,
    followed: usize,
}

impl Turn<'_> {
    /// Sends `ask` over a connection of its own.
    async fn take(&self, ask: &Ask, to: &Hop, jar: &mut Jar, trace: &mut Trace) -> Result<Answer, Break> {
        let options = &self.client.options;
        let request = ask.request(to, jar);
        let stream = self.means.connect(&to.host, to.port, &options.route, self.budget, trace).await?;
        match to.scheme {
            Scheme::Http => {
                let intake = Intake::new(options, to, (self.followed, Way::Direct), self.keep, jar, trace);
                http1::exchange(stream, request, intake).await
            }
            Scheme::Https => {
                trace.enter(Phase::Tls);
                let client = self.means.clients.client(&options.tls, Alpn::Http1)?;
                let stream = client.handshake(stream, to.server_name()?, trace).await?;
                let intake = Intake::new(options, to, (self.followed, Way::Direct), self.keep, jar, trace);
                // Its state is large, and most probes of a plain page never have it.
                Box::pin(http1::exchange(stream, request, intake)).await
            }
        }
    }
}

impl Ask {
    fn request(&self, to: &Hop, jar: &Jar) -> http::Request<Full<Bytes>> {
        let mut request = http::Request::new(Full::new(self.body.clone()));
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = to.uri.clone();
        *request.headers_mut() = self.headers.clone();
        let headers = request.headers_mut();
        headers.entry(HOST).or_insert_with(|| to.authority.clone());
        if let Some(cookies) = jar.header(to, self.headers.get(COOKIE)) {
            headers.insert(COOKIE, cookies);
        }
        request
    }

    /// Changes what is sent as browsers do when they are sent elsewhere: a form is not posted twice,
    /// and secrets meant for one host are not told to another.
    fn redirect(&mut self, status: StatusCode, from: &Hop, to: &Hop) {
        let keeps = matches!(status, StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT);
        if !keeps && self.method != Method::HEAD && self.method != Method::GET {
            self.method = Method::GET;
            self.body = Bytes::new();
            self.headers.remove(CONTENT_TYPE);
        }
        if !from.trusts(to) {
            for secret in [AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION, HOST] {
                self.headers.remove(secret);
            }
        }
    }
}

/// The host within a `Host` header.
fn host_of(header: &HeaderValue) -> Option<String> {
    let authority: http::uri::Authority = header.to_str().ok()?.parse().ok()?;
    Some(authority.host().trim_matches(['[', ']']).to_owned())
}
