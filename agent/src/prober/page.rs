//! Probes a page: fetches it and what it needs, as a browser would, several at once, and stops the
//! clock at the last byte of the last of them.
//!
//! Each request has a connection of its own. Nothing is rendered and no script runs.

mod assets;
mod visit;

use super::Means;
use super::http::fetch::{Client, Fetched};
use super::http::intake::Keep;
use super::http::jar::Jar;
use super::http::{add_header, credentials};
use super::trace::{Break, Trace};
use assets::Assets;
use bytes::Bytes;
use http::HeaderMap;
use rules::check::{HttpAuth, PageTarget};
use rules::evidence::{Facts, PageFacts};
use std::time::Duration;
use url::Url;
use visit::Visit;

/// A page larger than this is read for its tags where that may block.
const READ_AT_ONCE_BYTES: usize = 64 * 1024;

/// A page, ready to be probed.
#[derive(Debug)]
pub(crate) struct Page {
    target: PageTarget,
    client: Client,
    /// Asks other origins, and doesn't say who asks.
    stranger: Client,
}

impl Page {
    pub(crate) fn prepare(target: &PageTarget, means: &Means) -> Result<Page, Break> {
        let mut options = target.options.clone();
        options.body_bytes_max = options.body_bytes_max.min(target.bytes_max);
        let client = Client::prepare(&options)?;
        // Says now what no probe could do.
        client.request(means, ("GET", &target.url), HeaderMap::new(), Bytes::new())?;
        options.auth = HttpAuth::Nobody;
        Ok(Page { target: target.clone(), client, stranger: Client::prepare(&options)? })
    }

    pub(crate) async fn look(&self, means: &Means, budget: Duration, trace: &mut Trace) -> Result<(), Break> {
        let mut headers = HeaderMap::new();
        for (name, source) in &self.target.headers {
            add_header(&mut headers, name, &credentials::text(source).await?)?;
        }
        let request = self.client.request(means, ("GET", &self.target.url), headers.clone(), Bytes::new())?;
        let mut jar = Jar::default();
        let page = self.client.fetch(means, &request, Keep::Body, &mut jar, budget, trace).await?;
        trace.rest();
        let mut notes = Notes { facts: PageFacts::default(), trace };
        notes.facts.status = Some(page.status.as_u16());
        notes.facts.document = Some(notes.trace.elapsed());
        notes.facts.bytes = u64::try_from(page.body.len()).unwrap_or(u64::MAX);
        if !page.status.is_success() {
            notes.trace.quote_body();
            return Ok(());
        }
        // What was asked for is a URL.
        let asked = || Url::parse(&self.target.url).ok();
        let Some(url) = page.moved_to.clone().or_else(asked) else { return Ok(()) };
        let assets = needed(page, url.clone(), self.target.assets_max).await;
        let visit = Visit { page: self, means, url, headers, jar, budget };
        Box::pin(visit.fetch(assets, &mut notes)).await;
        Ok(())
    }
}

/// What the page needs.
async fn needed(page: Fetched, url: Url, max: u32) -> Assets {
    let is_small = page.body.len() <= READ_AT_ONCE_BYTES;
    let read = move || {
        let mut assets = Assets::new(max);
        assets.read_page(&page.body, &url);
        assets
    };
    if is_small { read() } else { tokio::task::spawn_blocking(read).await.expect("reading tags doesn't panic") }
}

/// What is found out, written down whatever ends the probe.
struct Notes<'a> {
    facts: PageFacts,
    trace: &'a mut Trace,
}

impl Drop for Notes<'_> {
    fn drop(&mut self) {
        self.trace.evidence.facts = Some(Facts::Page(Box::new(std::mem::take(&mut self.facts))));
    }
}
