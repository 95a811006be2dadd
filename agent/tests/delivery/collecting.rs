//! A collector that keeps its ledger in memory and does what a test wants of it.

use axum::body::{Body, Bytes};
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, Version};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Json, Router};
use daemon::clock::Clock;
use daemon::listener::Listener;
use daemon::tls::{PeerIdentity, Tls};
use rules::block::Block;
use rules::delivery::receiver::{Lane, Verdict};
use rules::delivery::{AGENT_HEADER, BLOCKS_PATH, CHECKS_PATH, Incarnation, POST_BYTES_MAX, REGISTER_PATH, split_body};
use rules::time::Timestamp;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// The token that the collector knows.
pub(crate) const TOKEN: &str = "s3cret";

/// What the collector does to a post instead of its duty.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fault {
    /// 503, and a wish.
    Busy,
    /// Commits, and cuts the connection in the middle of the answer.
    CutAnswer,
    /// Answers with the status of one who does not know this agent.
    Denied,
}

pub(crate) struct Ledger {
    pub(crate) lanes: BTreeMap<Incarnation, Lane>,
    pub(crate) blocks: BTreeMap<(Incarnation, u64), Vec<u8>>,
    pub(crate) faults: VecDeque<Fault>,
    /// When each post came, by the agent's boot-time clock.
    pub(crate) posts_at: Vec<Duration>,
    /// The length of each post.
    pub(crate) posts_bytes: Vec<usize>,
    pub(crate) conflicts: usize,
    /// The longest post that is let through.
    pub(crate) post_bytes_max: usize,
}

#[derive(Clone)]
pub(crate) struct Collecting {
    ledger: Arc<Mutex<Ledger>>,
    clock: Clock,
}

impl Collecting {
    pub(crate) fn new(clock: Clock) -> Collecting {
        let ledger = Ledger {
            lanes: BTreeMap::new(),
            blocks: BTreeMap::new(),
            faults: VecDeque::new(),
            posts_at: Vec::new(),
            posts_bytes: Vec::new(),
            conflicts: 0,
            post_bytes_max: POST_BYTES_MAX,
        };
        Collecting { ledger: Arc::new(Mutex::new(ledger)), clock }
    }

    pub(crate) fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap()
    }

    /// The instants of all results in the ledger, each as often as it is there.
    pub(crate) fn results(&self) -> Vec<Timestamp> {
        let ledger = self.ledger();
        let blocks = ledger.blocks.values().map(|bytes| Block::decode(bytes).unwrap());
        let mut instants: Vec<_> =
            blocks.flat_map(|block| block.series).flat_map(|series| series.results).map(|result| result.at).collect();
        instants.sort_unstable();
        instants
    }

    /// Serves on `at` until the result is dropped, which cuts every connection.
    pub(crate) fn serve(&self, at: &str, tls: Option<Tls>) -> (SocketAddr, Serving) {
        let router = Router::new()
            .route(REGISTER_PATH, post(register))
            .route(BLOCKS_PATH, post(blocks))
            .route(CHECKS_PATH, get(checks))
            .with_state(self.clone());
        let at: SocketAddr = at.parse().unwrap();
        let (stop, (bound, address)) = (CancellationToken::new(), std::sync::mpsc::channel());
        let stopped = stop.clone();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = Listener::bind(at).await.unwrap();
                bound.send(listener.address()).unwrap();
                let listener = match tls {
                    Some(tls) => listener.with_tls(tls),
                    None => listener,
                };
                tokio::select! {
                    () = stopped.cancelled() => {}
                    () = listener.serve(router, CancellationToken::new()) => {}
                }
            });
        });
        (address.recv().unwrap(), Serving { stop, thread: Some(thread) })
    }
}

/// A collector's process.
pub(crate) struct Serving {
    stop: CancellationToken,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.stop.cancel();
        let ended = self.thread.take().unwrap().join();
        assert!(ended.is_ok() || std::thread::panicking(), "the collector panicked");
    }
}

/// Whether a token or a certificate says that it is the agent which the header names.
fn knows(headers: &HeaderMap, identity: Option<&PeerIdentity>) -> bool {
    let Some(agent) = headers.get(AGENT_HEADER).and_then(|name| std::str::from_utf8(name.as_bytes()).ok()) else {
        return false;
    };
    let by_token = headers.get("authorization").is_some_and(|shown| *shown == format!("Bearer {TOKEN}"));
    by_token || identity.is_some_and(|identity| identity.names.iter().any(|name| name == agent))
}

async fn register(
    State(collecting): State<Collecting>,
    identity: Option<Extension<PeerIdentity>>,
    headers: HeaderMap,
    Json(asked): Json<Value>,
) -> Response {
    if !knows(&headers, identity.as_deref()) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    assert_eq!(asked["agent"].as_str().map(str::as_bytes), Some(headers[AGENT_HEADER].as_bytes()));
    let mut ledger = collecting.ledger();
    let lane = Lane::open(ledger.lanes.keys().next_back().copied(), asked["first_seq"].as_u64().unwrap());
    ledger.lanes.insert(lane.incarnation, lane);
    let now = collecting.clock.wall().to_string();
    Json(json!({"incarnation": lane.incarnation.0, "next_seq": lane.next_seq, "now": now})).into_response()
}

async fn blocks(
    State(collecting): State<Collecting>,
    identity: Option<Extension<PeerIdentity>>,
    version: Version,
    headers: HeaderMap,
    Query(query): Query<HashMap<String, u64>>,
    body: Bytes,
) -> Response {
    assert_eq!(version, Version::HTTP_2);
    if !knows(&headers, identity.as_deref()) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let now = collecting.clock.wall().plus(Duration::from_millis(2500)).to_string();
    let mut ledger = collecting.ledger();
    ledger.posts_at.push(collecting.clock.boot());
    ledger.posts_bytes.push(body.len());
    let fault = ledger.faults.pop_front();
    match fault {
        Some(Fault::Busy) => return (StatusCode::SERVICE_UNAVAILABLE, [("retry-after", "30")]).into_response(),
        Some(Fault::Denied) => return StatusCode::FORBIDDEN.into_response(),
        Some(Fault::CutAnswer) | None => {}
    }
    if ledger.post_bytes_max < body.len() {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    }
    if let Err(refusal) = commit(&mut ledger, Incarnation(query["incarnation"]), query["first_seq"], &body) {
        return (StatusCode::CONFLICT, Json(refusal)).into_response();
    }
    let next_seq = ledger.lanes[&Incarnation(query["incarnation"])].next_seq;
    if fault == Some(Fault::CutAnswer) {
        let cut = futures_util::stream::iter([Ok("{\"next_"), Err(std::io::Error::other("cut"))]);
        return Body::from_stream(cut).into_response();
    }
    Json(json!({"next_seq": next_seq, "refused": [], "now": now})).into_response()
}

/// What the ledger does with a post, or the body of its 409.
fn commit(ledger: &mut Ledger, incarnation: Incarnation, first_seq: u64, body: &[u8]) -> Result<(), Value> {
    let unknown = json!({"unknown_incarnation": true});
    let mut lane = ledger.lanes.get(&incarnation).copied().ok_or(unknown)?;
    for (seq, block) in (first_seq..).zip(split_body(body).unwrap()) {
        assert_eq!(Block::decode(block).unwrap().seq, seq);
        match lane.offer(seq) {
            Verdict::Commit => assert!(ledger.blocks.insert((incarnation, seq), block.to_vec()).is_none()),
            Verdict::Compare if ledger.blocks[&(incarnation, seq)] != block => {
                ledger.conflicts += 1;
                return Err(json!({"conflict": seq}));
            }
            Verdict::Compare => {}
            Verdict::Gap { expected } => return Err(json!({"expected": expected})),
        }
    }
    ledger.lanes.insert(incarnation, lane);
    Ok(())
}

async fn checks(headers: HeaderMap) -> Response {
    match headers.get("if-none-match") {
        Some(known) if known == "\"v1\"" => StatusCode::NOT_MODIFIED.into_response(),
        _ => ([("etag", "\"v1\"")], r#"{"checks":[]}"#).into_response(),
    }
}
