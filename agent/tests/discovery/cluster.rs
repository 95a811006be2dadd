//! A Kubernetes API server that keeps objects and serves real lists and watches, as a test scripts it.

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use daemon::listener::Listener;
use futures_util::stream::unfold;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// The token that the cluster knows.
pub(crate) const TOKEN: &str = "s3cret";
/// How many objects a page has, however many are asked for.
const PAGE: usize = 2;

/// What watches bring, in this order.
#[derive(Clone)]
enum Entry {
    /// An event and its version.
    Event(u64, Value),
    /// Something done to the watches that are open at that moment.
    Deed(Deed),
}

/// What is done to open watches.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Deed {
    /// They are ended, as a server does after a while.
    Close,
    /// They are cut off in the middle of an event.
    Cut,
    /// They are told that their version is too old.
    Gone,
}

#[derive(Default)]
struct Resource {
    objects: BTreeMap<String, Value>,
    log: Vec<Entry>,
    /// Versions before this one are forgotten.
    forgotten: u64,
}

#[derive(Default)]
pub(crate) struct Store {
    version: u64,
    resources: HashMap<String, Resource>,
    /// What was asked for, in order: `LIST pods`, `WATCH pods from 7`.
    pub(crate) asked: Vec<String>,
    /// What nobody may see.
    pub(crate) denied: BTreeSet<String>,
    /// Whether every watch is ended at once.
    pub(crate) impatient: bool,
}

/// A cluster's API; cheap to clone.
#[derive(Clone)]
pub(crate) struct Cluster {
    store: Arc<Mutex<Store>>,
    changes: watch::Sender<()>,
}

impl Cluster {
    pub(crate) fn new() -> Cluster {
        Cluster { store: Arc::default(), changes: watch::Sender::new(()) }
    }

    pub(crate) fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap()
    }

    /// Serves until the result is dropped, which cuts every connection.
    pub(crate) async fn serve(&self, at: &str) -> (SocketAddr, JoinSet<()>) {
        let router = Router::new().fallback(answer).with_state(self.clone());
        let listener = Listener::bind(at.parse().unwrap()).await.unwrap();
        let (address, mut serving) = (listener.address(), JoinSet::new());
        serving.spawn(listener.serve(router, CancellationToken::new()));
        (address, serving)
    }

    /// Puts an object in, new or changed; returns the version it has.
    pub(crate) fn put(&self, resource: &str, object: &Value) -> u64 {
        self.change(resource, |resource, version| {
            let mut object = object.clone();
            object["metadata"]["resourceVersion"] = json!(version.to_string());
            let known = resource.objects.insert(name(&object), object.clone()).is_some();
            let kind = if known { "MODIFIED" } else { "ADDED" };
            resource.log.push(Entry::Event(version, json!({ "type": kind, "object": object })));
        })
    }

    pub(crate) fn delete(&self, resource: &str, object: &Value) -> u64 {
        self.change(resource, |resource, version| {
            let mut object = resource.objects.remove(&name(object)).unwrap();
            object["metadata"]["resourceVersion"] = json!(version.to_string());
            resource.log.push(Entry::Event(version, json!({ "type": "DELETED", "object": object })));
        })
    }

    /// Tells open watches a version without an object.
    pub(crate) fn bookmark(&self, resource: &str) -> u64 {
        self.change(resource, |resource, version| {
            let metadata = json!({ "resourceVersion": version.to_string() });
            let object = json!({ "kind": "Bookmark", "apiVersion": "v1", "metadata": metadata });
            resource.log.push(Entry::Event(version, json!({ "type": "BOOKMARK", "object": object })));
        })
    }

    pub(crate) fn act(&self, resource: &str, deed: Deed) {
        self.change(resource, |resource, _| resource.log.push(Entry::Deed(deed)));
    }

    /// Forgets all versions before now: who asks for one of them is told that it is gone.
    pub(crate) fn forget(&self, resource: &str) {
        self.change(resource, |resource, version| resource.forgotten = version);
    }

    /// How often that was asked for.
    pub(crate) fn times(&self, what: &str) -> usize {
        self.store().asked.iter().filter(|asked| *asked == what).count()
    }

    /// Waits until that was asked for.
    pub(crate) async fn was_asked(&self, what: &str) {
        while self.times(what) == 0 {
            tokio::task::yield_now().await;
        }
    }

    fn change(&self, resource: &str, change: impl FnOnce(&mut Resource, u64)) -> u64 {
        let mut store = self.store();
        store.version += 1;
        let version = store.version;
        change(store.resources.entry(resource.to_owned()).or_default(), version);
        drop(store);
        self.changes.send_replace(());
        version
    }
}

fn name(object: &Value) -> String {
    let metadata = &object["metadata"];
    format!("{}/{}", metadata["namespace"].as_str().unwrap(), metadata["name"].as_str().unwrap())
}

/// `pods` in `/api/v1/namespaces/shop/pods`, and `shop`.
fn resource(path: &str) -> (String, Option<String>) {
    let parts: Vec<&str> = path.split('/').collect();
    let namespace = parts.iter().position(|part| *part == "namespaces").map(|at| parts[at + 1].to_owned());
    ((*parts.last().unwrap()).to_owned(), namespace)
}

fn refusal(code: StatusCode, message: &str) -> Response {
    (code, axum::Json(status(code, message))).into_response()
}

fn status(code: StatusCode, message: &str) -> Value {
    let reason = if code == StatusCode::GONE { "Expired" } else { "Forbidden" };
    json!({ "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message,
            "reason": reason, "code": code.as_u16() })
}

async fn answer(
    State(cluster): State<Cluster>,
    uri: Uri,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
) -> Response {
    if headers.get("authorization").is_none_or(|shown| *shown != format!("Bearer {TOKEN}")) {
        return refusal(StatusCode::UNAUTHORIZED, "Unauthorized");
    }
    let (name, namespace) = resource(uri.path());
    let place = namespace.as_ref().map_or_else(|| name.clone(), |namespace| format!("{namespace}/{name}"));
    let is_watch = query.get("watch").is_some_and(|watch| watch == "true");
    let from = query.get("resourceVersion").cloned().unwrap_or_default();
    let mut store = cluster.store();
    store.asked.push(if is_watch { format!("WATCH {place} from {from}") } else { format!("LIST {place}") });
    if store.denied.contains(&name) {
        let message = format!("{name} is forbidden: User \"nines\" cannot list resource \"{name}\"");
        return refusal(StatusCode::FORBIDDEN, &message);
    }
    let (version, impatient) = (store.version, store.impatient);
    let resource = store.resources.entry(name.clone()).or_default();
    if !is_watch {
        return page(resource, version, namespace.as_deref(), query.get("continue"));
    }
    assert_eq!(query.get("allowWatchBookmarks").map(String::as_str), Some("true"));
    let from: u64 = from.parse().unwrap();
    if from < resource.forgotten {
        return refusal(StatusCode::GONE, "too old resource version");
    }
    if impatient {
        return Body::empty().into_response();
    }
    let watching = Watching { name, namespace, from, at: 0, since: resource.log.len() };
    drop(store);
    stream(cluster, watching)
}

fn page(resource: &Resource, version: u64, namespace: Option<&str>, token: Option<&String>) -> Response {
    let is_there = |object: &&Value| namespace.is_none_or(|namespace| object["metadata"]["namespace"] == namespace);
    let objects: Vec<&Value> = resource.objects.values().filter(is_there).collect();
    let start: usize = token.map_or(0, |token| token.parse().unwrap());
    let end = objects.len().min(start + PAGE);
    let next = if end < objects.len() { end.to_string() } else { String::new() };
    let metadata = json!({ "resourceVersion": version.to_string(), "continue": next });
    let list = json!({ "kind": "List", "apiVersion": "v1", "metadata": metadata, "items": objects[start..end] });
    axum::Json(list).into_response()
}

/// Where a watch stands.
struct Watching {
    name: String,
    namespace: Option<String>,
    from: u64,
    at: usize,
    since: usize,
}

/// What a watch brings next.
enum Piece {
    Line(Bytes),
    Cut,
    End,
}

impl Watching {
    /// What comes next, if it is there.
    fn next(&mut self, store: &Store) -> Option<Piece> {
        let line = |event: &Value| Some(Piece::Line(Bytes::from(format!("{event}\n"))));
        let log = &store.resources[&self.name].log;
        while let Some(entry) = log.get(self.at) {
            self.at += 1;
            match entry {
                Entry::Event(version, event) if self.from < *version => {
                    let namespace = event["object"]["metadata"]["namespace"].as_str();
                    if namespace.is_none() || self.namespace.is_none() || namespace == self.namespace.as_deref() {
                        return line(event);
                    }
                }
                Entry::Deed(deed) if self.since < self.at => {
                    return match deed {
                        Deed::Close => Some(Piece::End),
                        Deed::Cut => Some(Piece::Cut),
                        Deed::Gone => line(&json!({ "type": "ERROR", "object": status(StatusCode::GONE, "too old") })),
                    };
                }
                Entry::Event(..) | Entry::Deed(_) => {}
            }
        }
        None
    }
}

fn stream(cluster: Cluster, watching: Watching) -> Response {
    let changes = cluster.changes.subscribe();
    let body = unfold((cluster, watching, changes, false), async |(cluster, mut watching, mut changes, is_cut)| {
        if is_cut {
            return Some((Err(io::Error::other("cut")), (cluster, watching, changes, false)));
        }
        loop {
            changes.mark_unchanged();
            let next = watching.next(&cluster.store());
            match next {
                Some(Piece::Line(line)) => return Some((Ok(line), (cluster, watching, changes, false))),
                Some(Piece::Cut) => {
                    let half = Bytes::from_static(b"{\"type\": \"ADDED\", \"object\": {\"metad");
                    return Some((Ok(half), (cluster, watching, changes, true)));
                }
                Some(Piece::End) => return None,
                None => changes.changed().await.ok()?,
            }
        }
    });
    ([("content-type", "application/json")], Body::from_stream(body)).into_response()
}
