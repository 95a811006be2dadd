//! Fetches the assets of one page: a few of each host at once, each within what is left of the time.

use super::assets::{Asset, Assets, Kind};
use super::{Notes, Page};
use crate::prober::Means;
use crate::prober::http::intake::Keep;
use crate::prober::http::jar::Jar;
use crate::prober::trace::{Break, Trace, just_before};
use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use http::HeaderMap;
use rules::check::Origins;
use rules::evidence::{
    ASSETS_TOLD_MAX, AssetFacts, AssetFailure, Evidence, Excess, Failure, Fault, PageFacts, Said, Trouble,
};
use std::collections::{HashMap, VecDeque};
use std::time::Duration;
use tokio::time::timeout;
use url::Url;

/// How many assets of one host are fetched at once, as browsers do over HTTP/1.1.
const AT_ONCE_A_HOST: usize = 6;
/// How many assets are fetched at once in all: four hosts' worth.
const AT_ONCE: usize = 24;
/// How many connections are told: more than a page without assets ever has.
const ATTEMPTS_TOLD_MAX: usize = 64;

/// What all assets of one page share.
pub(super) struct Visit<'a> {
    pub(super) page: &'a Page,
    pub(super) means: &'a Means,
    /// Where the page came from.
    pub(super) url: Url,
    /// Sent to the page's own origin.
    pub(super) headers: HeaderMap,
    /// The cookies that the page set.
    pub(super) jar: Jar,
    pub(super) budget: Duration,
}

/// An asset that came or failed.
struct Ended {
    asset: Asset,
    began: Duration,
    evidence: Evidence,
    /// What a stylesheet says.
    body: Vec<u8>,
}

impl Visit<'_> {
    /// Fetches `assets` and what they turn out to need.
    pub(super) async fn fetch(&self, mut assets: Assets, notes: &mut Notes<'_>) {
        let mut queue = Queue::default();
        let mut running = FuturesUnordered::new();
        loop {
            self.enqueue(&mut assets, &mut queue, &mut notes.facts);
            if notes.facts.excess.is_some() {
                return;
            }
            while running.len() < AT_ONCE
                && let Some(asset) = queue.next()
            {
                running.push(self.asset(asset, notes.trace.elapsed()));
            }
            let Some(ended) = running.next().await else { return };
            queue.ended(&ended.asset.url);
            if ended.asset.kind == Kind::Stylesheet {
                assets.read_imports(&ended.body, &ended.asset.url);
            }
            note(ended, notes);
            if self.page.target.bytes_max < notes.facts.bytes {
                notes.facts.excess = Some(Excess::Bytes);
            }
        }
    }

    /// Moves what was found into the queue, less what the target leaves out.
    fn enqueue(&self, assets: &mut Assets, queue: &mut Queue, facts: &mut PageFacts) {
        for asset in assets.take() {
            if self.page.target.origins == Origins::Same && asset.url.origin() != self.url.origin() {
                facts.left_out += 1;
                continue;
            }
            facts.assets += 1;
            queue.waiting.push_back(asset);
        }
        if usize::try_from(self.page.target.assets_max).is_ok_and(|max| max < assets.count()) {
            facts.excess = Some(Excess::Assets);
        }
    }

    /// Fetches one asset; `began` is how long the probe has run.
    async fn asset(&self, asset: Asset, began: Duration) -> Ended {
        let mut trace = Trace::begin(&self.means.clock);
        let left = just_before(self.budget).saturating_sub(began);
        let mut body = Vec::new();
        let end = match timeout(left, self.request(&asset, left, &mut body, &mut trace)).await {
            Ok(end) => end,
            Err(_) => Err(Break::new(Fault::Deadline, "no end before the page's time was over")),
        };
        Ended { asset, began, evidence: trace.end(end), body }
    }

    async fn request(&self, asset: &Asset, left: Duration, body: &mut Vec<u8>, trace: &mut Trace) -> Result<(), Break> {
        let is_own = asset.url.origin() == self.url.origin();
        let (client, headers) =
            if is_own { (&self.page.client, self.headers.clone()) } else { (&self.page.stranger, HeaderMap::new()) };
        let request = client
            .request(self.means, ("GET", asset.url.as_str()), headers, Bytes::new())
            // The page named it, not whoever wrote the check.
            .map_err(|refused| Break { fault: Fault::Protocol, ..refused })?;
        let keep = if asset.kind == Kind::Stylesheet { Keep::Body } else { Keep::Nothing };
        let mut jar = self.jar.clone();
        let fetched = client.fetch(self.means, &request, keep, &mut jar, left, trace).await?;
        *body = fetched.body;
        Ok(())
    }
}

/// The assets that wait for their turn, and how many of each host run.
#[derive(Default)]
struct Queue {
    waiting: VecDeque<Asset>,
    running: HashMap<String, usize>,
}

impl Queue {
    /// The first whose host has room.
    fn next(&mut self) -> Option<Asset> {
        let has_room =
            |asset: &Asset| self.running.get(asset.url.authority()).is_none_or(|running| *running < AT_ONCE_A_HOST);
        let place = self.waiting.iter().position(has_room)?;
        let asset = self.waiting.remove(place)?;
        *self.running.entry(asset.url.authority().to_owned()).or_default() += 1;
        Some(asset)
    }

    fn ended(&mut self, url: &Url) {
        if let Some(running) = self.running.get_mut(url.authority()) {
            *running -= 1;
        }
    }
}

/// Writes down what became of an asset.
fn note(Ended { asset, began, evidence, .. }: Ended, Notes { facts, trace }: &mut Notes<'_>) {
    let Evidence { attempts, http, failure, elapsed, .. } = evidence;
    let url = Said::new(asset.url.as_str());
    let told = AssetFacts {
        url: url.clone(),
        status: http.as_ref().map(|http| http.status),
        bytes: http.as_ref().map_or(0, |http| http.body_bytes),
        began,
        elapsed,
    };
    let room = ATTEMPTS_TOLD_MAX.saturating_sub(trace.evidence.attempts.len());
    trace.evidence.attempts.extend(attempts.into_iter().take(room));
    facts.ended += 1;
    facts.bytes = facts.bytes.saturating_add(told.bytes);
    let trouble = failure.map(named(&url)).map(Trouble::Broken);
    let trouble = trouble.or_else(|| told.status.filter(|status| !(200..=299).contains(status)).map(Trouble::Status));
    if let Some(trouble) = trouble {
        facts.failed += 1;
        if facts.failures.len() < ASSETS_TOLD_MAX {
            facts.failures.push(AssetFailure { url, trouble });
        }
    }
    if facts.slowest.as_ref().is_none_or(|slowest| slowest.elapsed < elapsed) {
        facts.slowest = Some(told.clone());
    }
    if facts.told.len() < ASSETS_TOLD_MAX {
        facts.told.push(told);
    }
}

/// Puts the asset into what is said of its failure.
fn named(url: &Said) -> impl FnOnce(Failure) -> Failure {
    move |failure| Failure { detail: Said::new(&format!("{}; the asset {url}", failure.detail)), ..failure }
}
