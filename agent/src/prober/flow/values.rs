//! What names stand for while a flow runs, and the requests that come of it.
//!
//! A URL made with something captured is read again as strictly as any target's, and may lead to no
//! server that the flow doesn't name without it.

use crate::prober::http::{add_header, credentials};
use crate::prober::trace::Break;
use bytes::Bytes;
use http::HeaderMap;
use rules::check::target::TARGET_BYTES_MAX;
use rules::check::{FlowTarget, HttpTarget, Step, Template};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use url::Url;

/// The longest URL that an expansion may come to: that of any target.
pub(super) const URL_BYTES_MAX: usize = TARGET_BYTES_MAX;
/// The longest header that an expansion may come to: what servers commonly accept.
const HEADER_BYTES_MAX: usize = 8 * 1024;
/// The longest body that an expansion may come to.
const BODY_BYTES_MAX: usize = 256 * 1024;

/// What names stand for.
pub(super) struct Values<'a> {
    variables: BTreeMap<&'a str, Cow<'a, str>>,
    secrets: BTreeMap<&'a str, Cow<'a, str>>,
    captures: BTreeMap<String, String>,
    /// The servers that the flow names without anything captured.
    origins: BTreeSet<String>,
}

/// What is sent, expanded.
pub(super) struct Parts {
    pub(super) url: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

/// Why there is no request.
#[derive(Debug)]
pub(super) enum Unfit {
    /// What was captured spoils it.
    ByCapture(String),
    /// The check itself does.
    ByCheck(String),
}

impl<'a> Values<'a> {
    /// Reads the secrets of `flow`, from their files too.
    pub(super) async fn begin(flow: &'a FlowTarget) -> Result<Values<'a>, Break> {
        let variables = flow.variables.iter().map(|(name, value)| (name.as_str(), Cow::Borrowed(value.as_str())));
        let mut secrets = BTreeMap::new();
        for (name, source) in &flow.secrets {
            secrets.insert(name.as_str(), credentials::text(source).await?);
        }
        let mut values =
            Values { variables: variables.collect(), secrets, captures: BTreeMap::new(), origins: BTreeSet::new() };
        values.origins = flow.steps.iter().filter_map(|step| values.origin_without_captures(step)).collect();
        Ok(values)
    }

    /// The server that a step's URL names when a letter stands for everything captured.
    fn origin_without_captures(&self, step: &Step) -> Option<String> {
        let known = |name: &str| Some(self.known(name).unwrap_or("x"));
        let url = step.request.url.expand(known, URL_BYTES_MAX).ok()?;
        Url::parse(&url).ok().map(|url| url.origin().ascii_serialization())
    }

    fn known(&self, name: &str) -> Option<&str> {
        let given = self.variables.get(name).or_else(|| self.secrets.get(name)).map(|value| &**value);
        given.or_else(|| self.captures.get(name).map(String::as_str))
    }

    fn is_captured(&self, name: &str) -> bool {
        !self.variables.contains_key(name) && !self.secrets.contains_key(name)
    }

    /// The secrets that the flow was given.
    pub(super) fn secrets(&self) -> impl Iterator<Item = &str> {
        self.secrets.values().map(|secret| &**secret)
    }

    /// Lets `name` stand for `value` from now on.
    pub(super) fn keep(&mut self, name: &str, value: String) {
        self.captures.insert(name.to_owned(), value);
    }

    /// The first name in `step` that stands for nothing yet.
    pub(super) fn missing<'s>(&self, step: &'s Step) -> Option<&'s str> {
        let request = &step.request;
        let headers = request.headers.iter().map(|(_, value)| value);
        let templates = std::iter::once(&request.url).chain(headers).chain(&request.body);
        templates.flat_map(Template::names).find(|name| self.known(name).is_none())
    }

    /// What `step` sends.
    pub(super) fn request(&self, step: &Step) -> Result<Parts, Unfit> {
        let request = &step.request;
        let url = self.expand(&request.url, "the URL", URL_BYTES_MAX)?;
        self.check_url(&request.url, &url)?;
        let mut headers = HeaderMap::new();
        for (name, template) in &request.headers {
            let value = self.expand(template, "a header", HEADER_BYTES_MAX)?;
            add_header(&mut headers, name, &value)
                .map_err(|refused| self.unfit(template, refused.detail.as_str().to_owned()))?;
        }
        let body = match &request.body {
            Some(template) => Bytes::from(self.expand(template, "the body", BODY_BYTES_MAX)?),
            None => Bytes::new(),
        };
        Ok(Parts { url, headers, body })
    }

    fn expand(&self, template: &Template, what: &str, bytes_max: usize) -> Result<String, Unfit> {
        let expanded = template.expand(|name| self.known(name), bytes_max);
        expanded.map_err(|error| self.unfit(template, format!("{what} can't be made: {error}")))
    }

    /// Reads a URL as any target's is read; nothing of it is told, for it may hold what is secret.
    fn check_url(&self, template: &Template, url: &str) -> Result<(), Unfit> {
        let refuse = |why: &str| Err(self.unfit(template, format!("the URL made of `{}` {why}", template.as_str())));
        if HttpTarget::parse(url).is_err() {
            return refuse("is no absolute URL that can be asked for");
        }
        let origin = Url::parse(url).ok().map(|url| url.origin().ascii_serialization());
        match origin {
            Some(origin) if self.origins.contains(&origin) => Ok(()),
            Some(_) => refuse("leads to a server that the flow doesn't name"),
            None => refuse("is no URL"),
        }
    }

    fn unfit(&self, template: &Template, why: String) -> Unfit {
        if template.names().any(|name| self.is_captured(name)) { Unfit::ByCapture(why) } else { Unfit::ByCheck(why) }
    }
}
