//! Probes a page: one request, redirects followed, status, headers and body as far as the rules ask
//! for them.
//!
//! It speaks HTTP by hand so that every phase is its own step. Whether what came is good is for
//! [`rules::judge`].

// What is asked, and what is looked for
pub(crate) mod fetch;
pub(crate) mod look;
// Where it goes, and as whom
pub(crate) mod credentials;
pub(crate) mod hop;
pub(crate) mod jar;
mod proxy;
mod token;
mod tunnel;
// How it is said
mod ask;
mod http1;
mod http2;
#[cfg(feature = "http3")]
mod http3;
mod line;
mod turn;
// And what becomes of the answer
mod date;
mod decode;
pub(crate) mod intake;

use super::Means;
use super::trace::{Break, Trace};
use bytes::Bytes;
use fetch::{Client, Request};
use http::{HeaderMap, HeaderName, HeaderValue};
use intake::Keep;
use jar::Jar;
use look::Looks;
use rules::check::{HttpTarget, SecretSource, Target};
use rules::evidence::{Fault, Said};
use rules::judge::complaint;
use std::time::Duration;

/// A page, ready to be probed.
#[derive(Debug)]
pub(crate) struct Page {
    target: Target,
    client: Client,
    request: Request,
    /// What stands in files and is read for each probe.
    renewed: Option<Box<HttpTarget>>,
    looks: Looks,
}

impl Page {
    pub(crate) fn prepare(target: &HttpTarget, means: &Means) -> Result<Page, Break> {
        let client = Client::prepare(&target.options)?;
        let is_file = |source: &SecretSource| matches!(source, SecretSource::File(_));
        let changes = target.headers.iter().map(|(_, source)| source).chain(&target.body).any(is_file);
        let mut headers = HeaderMap::new();
        for (name, source) in &target.headers {
            if let SecretSource::Given(value) = source {
                add_header(&mut headers, name, value.expose())?;
            }
        }
        let body = match &target.body {
            Some(SecretSource::Given(body)) => Bytes::copy_from_slice(body.expose().as_bytes()),
            Some(SecretSource::File(_)) | None => Bytes::new(),
        };
        Ok(Page {
            request: client.request(means, (&target.method, &target.url), headers, body)?,
            looks: Looks::prepare(&target.content)?,
            renewed: changes.then(|| Box::new(target.clone())),
            target: Target::Http(Box::new(target.clone())),
            client,
        })
    }

    pub(crate) async fn look(&self, means: &Means, budget: Duration, trace: &mut Trace) -> Result<(), Break> {
        let renewed = match &self.renewed {
            Some(target) => Some(Box::pin(self.renew(target, means)).await?),
            None => None,
        };
        let request = renewed.as_ref().unwrap_or(&self.request);
        let keep = if self.looks.at_body() { Keep::Body } else { Keep::Nothing };
        let fetched = self.client.fetch(means, request, keep, &mut Jar::default(), budget, trace).await?;
        let found = self.looks.found(&fetched.headers, &fetched.body);
        if let Some(facts) = &mut trace.evidence.http {
            facts.found = found;
            facts.led_to = fetched.moved_to.map(|url| Said::new(url.as_str()));
        }
        if complaint(&trace.evidence, &self.target, budget).is_some() {
            trace.quote_body();
        }
        Ok(())
    }

    /// The request with what the files hold now.
    async fn renew(&self, target: &HttpTarget, means: &Means) -> Result<Request, Break> {
        let mut headers = HeaderMap::new();
        for (name, source) in &target.headers {
            add_header(&mut headers, name, &credentials::text(source).await?)?;
        }
        let body = match &target.body {
            Some(source) => Bytes::copy_from_slice(credentials::text(source).await?.as_bytes()),
            None => Bytes::new(),
        };
        self.client.request(means, (&target.method, &target.url), headers, body)
    }
}

/// Adds a header; its value may be a secret and is never said.
pub(crate) fn add_header(headers: &mut HeaderMap, name: &str, value: &str) -> Result<(), Break> {
    let refuse = |what: &str| Break::new(Fault::Instruction, &format!("{what} `{name}` can't be sent"));
    let parsed: HeaderName = name.parse().map_err(|_| refuse("the header"))?;
    let mut value = value.parse::<HeaderValue>().map_err(|_| refuse("the value of header"))?;
    value.set_sensitive(true);
    headers.append(parsed, value);
    Ok(())
}
