//! Probes a `promql` target: one instant query, posted to the server's API.
//!
//! It never compares a value with a bound; [`rules::judge`] does.

mod answer;

use super::Means;
use super::http::fetch::{Client, Request};
use super::http::intake::Keep;
use super::http::jar::Jar;
use super::trace::{Break, Trace};
use bytes::Bytes;
use http::HeaderMap;
use http::header::{ACCEPT, CONTENT_TYPE, HeaderValue};
use rules::check::PromqlTarget;
use rules::evidence::Facts;
use std::time::Duration;
use url::form_urlencoded;

/// A query, ready to be asked.
#[derive(Debug)]
pub(crate) struct Promql {
    client: Client,
    request: Request,
}

impl Promql {
    pub(crate) fn prepare(target: &PromqlTarget, means: &Means) -> Result<Promql, Break> {
        let mut options = target.options.clone();
        options.body_bytes_max = options.body_bytes_max.min(answer::ANSWER_BYTES_MAX);
        let client = Client::prepare(&options)?;
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        let body = form_urlencoded::Serializer::new(String::new()).append_pair("query", &target.query).finish();
        let url = format!("{}/api/v1/query", target.server);
        let request = client.request(means, ("POST", &url), headers, Bytes::from(body))?;
        Ok(Promql { client, request })
    }

    pub(crate) async fn look(&self, means: &Means, budget: Duration, trace: &mut Trace) -> Result<(), Break> {
        let fetched = self.client.fetch(means, &self.request, Keep::Body, &mut Jar::default(), budget, trace).await?;
        let facts = answer::read(fetched.status, &fetched.body);
        trace.evidence.facts = Some(Facts::Promql(Box::new(facts)));
        Ok(())
    }
}
