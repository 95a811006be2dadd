//! Lists one kind of object and watches it from there, for as long as the agent runs.
//!
//! A list is followed by watches, each from the version that the one before had come to. 410 Gone, as an
//! event or as a status, means that the version is too old: the list is taken again. Everything else
//! that goes wrong is tried again from the same version. This is what kube's own watcher does, but for
//! two things: that one asks again without a pause when a server closes each watch that it opens, and it
//! never lists again when the *start* of a watch is refused with 410.

use super::probes::Shown;
use daemon::clock::Clock;
use daemon::error_text::whole;
use futures_util::{StreamExt, pin_mut};
use kube::api::{Api, ListParams, ResourceExt, WatchEvent, WatchParams};
use kube::{Error, Resource};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use rules::time::millis;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::timeout;

/// How many objects a page of a list has, as in client-go.
const PAGE_OBJECTS: u32 = 500;
/// How many objects are followed: more than a cluster has of one kind.
const OBJECTS_MAX: usize = 150_000;
/// How long a page or the start of a watch may take.
const ANSWER_MAX: Duration = Duration::from_secs(60);
/// After how many seconds the server is to end a watch; the API allows less than five minutes.
const WATCH_SECONDS: u32 = 290;
/// A watch that brings nothing for so long is dead: the server's end of it never came.
const SILENCE_MAX: Duration = Duration::from_secs(WATCH_SECONDS as u64 + 10);
/// The waits after a failure, or after a watch that was closed at once.
const RETRY_MIN: Duration = Duration::from_millis(500);
const RETRY_MAX: Duration = Duration::from_secs(30);
/// A watch that lasted so long is closed as usual.
const WATCH_USUAL: Duration = Duration::from_secs(5);
/// 410: the version asked for is no longer known.
const GONE: u16 = 410;

/// What a watch tells of its part.
pub(super) enum Told {
    /// All objects that there are.
    Listed { part: String, objects: BTreeMap<String, Shown> },
    /// An object is new or another.
    Applied { part: String, name: String, shown: Shown },
    /// An object is gone.
    Deleted { part: String, name: String },
    /// The cluster answers, and nothing is new.
    Heard { part: String },
    /// It can't be heard.
    Failed { part: String, why: String },
}

impl Told {
    pub(super) fn part(&self) -> &str {
        match self {
            Told::Listed { part, .. }
            | Told::Applied { part, .. }
            | Told::Deleted { part, .. }
            | Told::Heard { part }
            | Told::Failed { part, .. } => part,
        }
    }
}

/// Watches one kind of object.
pub(super) struct Watch<K> {
    api: Api<K>,
    part: String,
    selector: Option<String>,
    clock: Clock,
    chance: StdRng,
    retry: Duration,
    teller: mpsc::Sender<Told>,
}

/// Why a watch ended.
enum End {
    /// The server closed it, as it does after a while.
    Closed,
    /// Its version is too old.
    Gone,
    Failed(String),
}

impl<K> Watch<K>
where
    K: Resource + Clone + Debug + DeserializeOwned + Send + Sync + 'static,
{
    pub(super) fn new(
        api: Api<K>,
        part: String,
        selector: Option<String>,
        clock: Clock,
        seed: u64,
        teller: mpsc::Sender<Told>,
    ) -> Watch<K> {
        Watch { api, part, selector, clock, chance: StdRng::seed_from_u64(seed), retry: RETRY_MIN, teller }
    }

    /// Works until it is aborted.
    pub(super) async fn run(mut self, show: impl Fn(&K) -> Shown + Send + Sync) {
        loop {
            let mut version = match self.list(&show).await {
                Ok((objects, version)) => {
                    self.tell(|part| Told::Listed { part, objects }).await;
                    version
                }
                Err(why) => {
                    self.fail(why).await;
                    continue;
                }
            };
            loop {
                let began = self.clock.boot();
                match self.watch(&mut version, &show).await {
                    End::Gone => {
                        self.pause_unless_usual(began).await;
                        break;
                    }
                    End::Closed => self.pause_unless_usual(began).await,
                    End::Failed(why) => self.fail(why).await,
                }
            }
        }
    }

    /// All objects, page by page, and the version they are of.
    async fn list(&self, show: &impl Fn(&K) -> Shown) -> Result<(BTreeMap<String, Shown>, String), String> {
        let mut params = ListParams::default().limit(PAGE_OBJECTS);
        params.label_selector.clone_from(&self.selector);
        let mut objects = BTreeMap::new();
        loop {
            let page = timeout(ANSWER_MAX, self.api.list(&params)).await;
            let page = page.map_err(|_| self.late())?.map_err(|error| self.explain(&error))?;
            objects.extend(page.items.iter().map(|object| (name(object), show(object))));
            if OBJECTS_MAX < objects.len() {
                return Err(format!("there are more than {OBJECTS_MAX} {}", self.part));
            }
            match page.metadata.continue_.filter(|token| !token.is_empty()) {
                Some(token) => params.continue_token = Some(token),
                None => {
                    let version = page.metadata.resource_version.filter(|version| !version.is_empty());
                    return version
                        .map(|version| (objects, version))
                        .ok_or_else(|| format!("the list of {} says no version, so it can't be watched", self.part));
                }
            }
        }
    }

    /// Watches from `version` on until that ends; `version` is then where to go on.
    async fn watch(&mut self, version: &mut String, show: &impl Fn(&K) -> Shown) -> End {
        let params = WatchParams { label_selector: self.selector.clone(), ..WatchParams::default() };
        let params = params.timeout(WATCH_SECONDS);
        let started = timeout(ANSWER_MAX, self.api.watch(&params, version)).await;
        let events = match started {
            Ok(Ok(events)) => events,
            Ok(Err(Error::Api(status))) if status.code == GONE => return End::Gone,
            Ok(Err(error)) => return End::Failed(self.explain(&error)),
            Err(_) => return End::Failed(self.late()),
        };
        pin_mut!(events);
        self.tell(|part| Told::Heard { part }).await;
        loop {
            let event = match timeout(SILENCE_MAX, events.next()).await {
                Ok(Some(Ok(event))) => event,
                Ok(Some(Err(error))) => return End::Failed(self.explain(&error)),
                Ok(None) => return End::Closed,
                Err(_) => return End::Failed(format!("the watch of {} is silent", self.part)),
            };
            match event {
                WatchEvent::Added(object) | WatchEvent::Modified(object) => {
                    *version = object.resource_version().unwrap_or_default();
                    let (name, shown) = (name(&object), show(&object));
                    self.tell(|part| Told::Applied { part, name, shown }).await;
                }
                WatchEvent::Deleted(object) => {
                    *version = object.resource_version().unwrap_or_default();
                    let name = name(&object);
                    self.tell(|part| Told::Deleted { part, name }).await;
                }
                WatchEvent::Bookmark(bookmark) => {
                    *version = bookmark.metadata.resource_version;
                    self.tell(|part| Told::Heard { part }).await;
                }
                WatchEvent::Error(status) if status.code == GONE => return End::Gone,
                WatchEvent::Error(status) => return End::Failed(self.explain(&Error::Api(status))),
            }
            self.retry = RETRY_MIN;
            if version.is_empty() {
                return End::Gone;
            }
        }
    }

    async fn tell(&self, told: impl FnOnce(String) -> Told) {
        // Nobody listens when the agent stops.
        let _ = self.teller.send(told(self.part.clone())).await;
    }

    async fn fail(&mut self, why: String) {
        self.tell(|part| Told::Failed { part, why }).await;
        self.pause().await;
    }

    async fn pause_unless_usual(&mut self, began: Duration) {
        if self.clock.boot() < began + WATCH_USUAL {
            self.pause().await;
        } else {
            self.retry = RETRY_MIN;
        }
    }

    /// Waits between half of the retry time and all of it, and doubles it.
    async fn pause(&mut self) {
        let spread = self.chance.random_range(0..=millis(self.retry).unsigned_abs() / 2);
        self.clock.sleep(self.retry / 2 + Duration::from_millis(spread)).await;
        self.retry = (self.retry * 2).min(RETRY_MAX);
    }

    fn late(&self) -> String {
        format!("the cluster does not answer for {} within {ANSWER_MAX:?}", self.part)
    }

    /// What went wrong, and what would help.
    fn explain(&self, error: &Error) -> String {
        let Error::Api(status) = error else { return format!("{}: {}", self.part, whole(error)) };
        let (part, message) = (&self.part, &status.message);
        match status.code {
            401 => format!("{part}: the cluster does not know who asks: {message}"),
            403 => {
                format!("{part}: {message}; grant `get`, `list` and `watch` as deploy/kubernetes/discovery.yaml does")
            }
            404 => format!("{part}: the cluster has no such resource; install its definition, or leave it out"),
            code => format!("{part}: the cluster answered {code}: {message}"),
        }
    }
}

/// The name that tells an object from all others of its kind.
fn name<K: ResourceExt>(object: &K) -> String {
    format!("{}/{}", object.namespace().unwrap_or_default(), object.name_any())
}
