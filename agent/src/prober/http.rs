//! Probes a page: a new connection for each request, redirects followed, status, headers and body
//! as far as the rules ask for them.
//!
//! It speaks HTTP/1.1 by hand so that every phase is its own step. Whether what came is good is for
//! [`rules::judge`].

mod exchange;
mod hop;

use super::Means;
use super::handshake::Alpn;
use super::trace::{Break, Trace};
use bytes::Bytes;
use exchange::{Answer, exchange};
use hop::{Hop, Scheme};
use http::header::{ACCEPT, AUTHORIZATION, CONNECTION, CONTENT_TYPE, COOKIE, HOST, PROXY_AUTHORIZATION, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode};
use http_body_util::Full;
use rules::check::{HttpTarget, REDIRECTS_MAX};
use rules::evidence::{Fault, Phase};
use std::time::Duration;

/// A page, ready to be probed.
#[derive(Debug)]
pub(crate) struct Page {
    target: HttpTarget,
    first: Hop,
    ask: Ask,
}

/// What is sent, but for where it goes.
#[derive(Clone, Debug)]
struct Ask {
    method: Method,
    headers: HeaderMap,
    body: Bytes,
}

impl Page {
    pub(crate) fn prepare(target: &HttpTarget, means: &Means) -> Result<Page, Break> {
        let first = Hop::first(target)?;
        if first.scheme == Scheme::Https {
            // Reads the authorities now, so that a missing file is known before the first probe.
            means.clients.client(&target.tls, Alpn::Http1)?;
            first.server_name()?;
        }
        Ok(Page { first, ask: Ask::prepare(target)?, target: target.clone() })
    }

    pub(crate) async fn look(&self, means: &Means, budget: Duration, trace: &mut Trace) -> Result<(), Break> {
        let way = Way { target: &self.target, means, budget };
        let mut answer = way.request(&self.first, self.ask.request(&self.first), 0, trace).await?;
        let mut ask = None;
        let mut hop = None;
        let mut followed = 0;
        while let Answer::Redirect { status, location } = answer {
            if REDIRECTS_MAX <= followed {
                return Err(Break::new(Fault::Redirect, &format!("more than {REDIRECTS_MAX} redirects")));
            }
            followed += 1;
            let from = hop.as_ref().unwrap_or(&self.first);
            let to = from.follow(&location)?;
            let next = ask.get_or_insert_with(|| self.ask.clone());
            next.redirect(status, from, &to);
            answer = way.request(&to, next.request(&to), followed, trace).await?;
            hop = Some(to);
        }
        Ok(())
    }
}

impl Ask {
    fn prepare(target: &HttpTarget) -> Result<Ask, Break> {
        let refuse = |what: &str, text: &str| Break::new(Fault::Instruction, &format!("{what} `{text}` can't be sent"));
        let method = target.method.parse().map_err(|_| refuse("the method", &target.method))?;
        let mut headers = HeaderMap::new();
        for (name, value) in &target.headers {
            let parsed: HeaderName = name.parse().map_err(|_| refuse("the header", name))?;
            // The value may be a secret: only its name is said.
            let value = value.parse::<HeaderValue>().map_err(|_| refuse("the value of header", name))?;
            headers.append(parsed, value);
        }
        let mut default = |name: HeaderName, value: &'static str| {
            headers.entry(name).or_insert(HeaderValue::from_static(value));
        };
        default(USER_AGENT, daemon::version::USER_AGENT);
        default(ACCEPT, "*/*");
        default(CONNECTION, "close");
        let body = target.body.as_ref().map_or_else(Bytes::new, |body| Bytes::copy_from_slice(body.as_bytes()));
        Ok(Ask { method, headers, body })
    }

    fn request(&self, to: &Hop) -> Request<Full<Bytes>> {
        let mut request = Request::new(Full::new(self.body.clone()));
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = to.uri.clone();
        *request.headers_mut() = self.headers.clone();
        request.headers_mut().entry(HOST).or_insert_with(|| to.authority.clone());
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

/// What all requests of one probe share.
struct Way<'a> {
    target: &'a HttpTarget,
    means: &'a Means,
    budget: Duration,
}

impl Way<'_> {
    /// One request over a connection of its own.
    async fn request(
        &self,
        to: &Hop,
        request: Request<Full<Bytes>>,
        followed: usize,
        trace: &mut Trace,
    ) -> Result<Answer, Break> {
        let stream = self.means.connect(&to.host, to.port, &self.target.route, self.budget, trace).await?;
        match to.scheme {
            Scheme::Http => exchange(stream, request, self.target, followed, trace).await,
            Scheme::Https => {
                trace.enter(Phase::Tls);
                let client = self.means.clients.client(&self.target.tls, Alpn::Http1)?;
                let stream = client.handshake(stream, to.server_name()?, trace).await?;
                // Its state is large, and most probes of a plain page never have it.
                Box::pin(exchange(stream, request, self.target, followed, trace)).await
            }
        }
    }
}
