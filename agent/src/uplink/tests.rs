use super::*;
use crate::spool::{self, Recorded, Settings, SpoolHandle};
use axum::body::{Body, Bytes};
use axum::extract::{Query, State as Shared};
use axum::http::{HeaderMap, StatusCode, Version};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use daemon::clock::Hand;
use rules::block::Block;
use rules::delivery::receiver::{Lane, Verdict};
use rules::delivery::{AGENT_HEADER, BLOCKS_PATH, CHECKS_PATH, Incarnation, REGISTER_PATH, split_body};
use rules::outcome::Outcome;
use rules::result::{Pace, ProbeResult};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);

/// What the collector does to a post instead of its duty.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Fault {
    /// 503, and a wish.
    Busy,
    /// Commits, and cuts the connection in the middle of the answer.
    CutAnswer,
    /// Answers with the status of one who does not know this agent.
    Denied,
}

#[derive(Default)]
struct Ledger {
    lanes: BTreeMap<Incarnation, Lane>,
    blocks: BTreeMap<(Incarnation, u64), Vec<u8>>,
    faults: VecDeque<Fault>,
    /// When each post came, by the agent's boot-time clock.
    posts_at: Vec<Duration>,
    conflicts: usize,
}

#[derive(Clone)]
struct Collecting {
    ledger: Arc<Mutex<Ledger>>,
    clock: Clock,
}

impl Collecting {
    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap()
    }

    /// The instants of all results in the ledger, each as often as it is there.
    fn results(&self) -> Vec<Timestamp> {
        let ledger = self.ledger();
        let blocks = ledger.blocks.values().map(|bytes| Block::decode(bytes).unwrap());
        let mut instants: Vec<_> =
            blocks.flat_map(|block| block.series).flat_map(|series| series.results).map(|result| result.at).collect();
        instants.sort_unstable();
        instants
    }

    /// Serves on `at` until the result is dropped, which cuts every connection.
    fn serve(&self, at: &str) -> (SocketAddr, Serving) {
        let listener = std::net::TcpListener::bind(at).unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new()
            .route(REGISTER_PATH, post(register))
            .route(BLOCKS_PATH, post(blocks))
            .route(CHECKS_PATH, get(checks))
            .with_state(self.clone());
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = TcpListener::from_std(listener).unwrap();
                tokio::select! {
                    () = stopped.cancelled() => {}
                    ended = axum::serve(listener, router) => ended.unwrap(),
                }
            });
        });
        (address, Serving { stop, thread: Some(thread) })
    }
}

/// A collector's process.
struct Serving {
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

async fn register(Shared(collecting): Shared<Collecting>, Json(asked): Json<Value>) -> Json<Value> {
    let mut ledger = collecting.ledger();
    assert_eq!(asked["agent"], "seoul-1");
    let lane = Lane::open(ledger.lanes.keys().next_back().copied(), asked["first_seq"].as_u64().unwrap());
    ledger.lanes.insert(lane.incarnation, lane);
    Json(
        json!({"incarnation": lane.incarnation.0, "next_seq": lane.next_seq, "now": collecting.clock.wall().to_string()}),
    )
}

async fn blocks(
    Shared(collecting): Shared<Collecting>,
    version: Version,
    headers: HeaderMap,
    Query(query): Query<HashMap<String, u64>>,
    body: Bytes,
) -> Response {
    assert_eq!(version, Version::HTTP_2);
    assert_eq!(
        (&headers[AGENT_HEADER], &headers["authorization"]),
        (&"seoul-1".parse().unwrap(), &"Bearer s3cret".parse().unwrap())
    );
    let now = collecting.clock.wall().plus(Duration::from_millis(2500)).to_string();
    let mut ledger = collecting.ledger();
    ledger.posts_at.push(collecting.clock.boot());
    let fault = ledger.faults.pop_front();
    match fault {
        Some(Fault::Busy) => return (StatusCode::SERVICE_UNAVAILABLE, [("retry-after", "30")]).into_response(),
        Some(Fault::Denied) => return StatusCode::FORBIDDEN.into_response(),
        Some(Fault::CutAnswer) | None => {}
    }
    let incarnation = Incarnation(query["incarnation"]);
    let Some(mut lane) = ledger.lanes.get(&incarnation).copied() else {
        return (StatusCode::CONFLICT, Json(json!({"unknown_incarnation": true}))).into_response();
    };
    for (seq, block) in (query["first_seq"]..).zip(split_body(&body).unwrap()) {
        assert_eq!(Block::decode(block).unwrap().seq, seq);
        match lane.offer(seq) {
            Verdict::Commit => assert!(ledger.blocks.insert((incarnation, seq), block.to_vec()).is_none()),
            Verdict::Compare if ledger.blocks[&(incarnation, seq)] != block => {
                ledger.conflicts += 1;
                return (StatusCode::CONFLICT, Json(json!({"conflict": seq}))).into_response();
            }
            Verdict::Compare => {}
            Verdict::Gap { expected } => {
                return (StatusCode::CONFLICT, Json(json!({"expected": expected}))).into_response();
            }
        }
    }
    ledger.lanes.insert(incarnation, lane);
    if fault == Some(Fault::CutAnswer) {
        let cut = futures_util::stream::iter([Ok("{\"next_"), Err(std::io::Error::other("cut"))]);
        return Body::from_stream(cut).into_response();
    }
    Json(json!({"next_seq": lane.next_seq, "refused": [], "now": now})).into_response()
}

async fn checks(headers: HeaderMap) -> Response {
    match headers.get("if-none-match") {
        Some(known) if known == "\"v1\"" => StatusCode::NOT_MODIFIED.into_response(),
        _ => ([("etag", "\"v1\"")], r#"{"checks":[]}"#).into_response(),
    }
}

/// An agent without probers: a spool and its uplink.
struct Agent {
    handle: SpoolHandle,
    uplink: UplinkHandle,
    hand: Hand,
    stop: CancellationToken,
    tasks: JoinSet<()>,
}

fn collector(address: SocketAddr, clock: &Clock) -> Collector {
    let uplink = config::agent::Uplink {
        url: format!("http://{address}"),
        token: Some(config::secret::Secret::new("s3cret")),
        tls: config::agent::UplinkTls::default(),
    };
    Collector::new("seoul-1".parse().unwrap(), &uplink, clock.clone()).unwrap()
}

impl Agent {
    fn start(dir: &Path, address: SocketAddr, (clock, hand): (Clock, Hand)) -> Agent {
        let settings = Settings { agent: "seoul-1".parse().unwrap(), dir: dir.to_owned(), at_most: 1 << 30 };
        let (handle, outlet, spool) = spool::open(settings, clock.clone()).unwrap();
        let (uplink, working) = Uplink::new(collector(address, &clock), outlet, clock, 7);
        let (stop, mut tasks) = (CancellationToken::new(), JoinSet::new());
        tasks.spawn(spool.run(stop.clone()));
        tasks.spawn(working.run(stop.clone()));
        Agent { handle, uplink, hand, stop, tasks }
    }

    async fn record(&self, after_ms: u64) {
        let recorded = Recorded {
            service: "apm-prod".parse().unwrap(),
            check: "login".parse().unwrap(),
            pace: Pace { every: Duration::from_secs(30), timeout: Duration::from_secs(10) },
            result: ProbeResult { at: at(after_ms), outcome: Outcome::Up, elapsed: Duration::from_millis(48) },
        };
        self.handle.record(recorded).await.unwrap();
    }

    /// Lets time pass until `reached`.
    async fn until(&self, reached: impl Fn(&Agent) -> bool) {
        while !reached(self) {
            self.hand.advance(Duration::from_millis(20));
            tokio::task::yield_now().await;
        }
    }

    /// Lets time pass until everything up to block `next` is acknowledged.
    async fn delivered(&self, results: u64) {
        self.until(|agent| {
            let depth = agent.handle.depth();
            depth.held.next as usize > 1 && depth.results == 0 && depth.blocks() == 0 && agent.taken() >= results
        })
        .await;
    }

    /// Blocks that the spool ever made.
    fn taken(&self) -> u64 {
        self.handle.depth().held.next - 1
    }

    async fn stop(mut self) {
        self.stop.cancel();
        while let Some(ended) = self.tasks.join_next().await {
            ended.unwrap();
        }
    }
}

fn at(after_ms: u64) -> Timestamp {
    NOW.plus(Duration::from_millis(after_ms))
}

fn collecting() -> (Collecting, (Clock, Hand)) {
    let (clock, hand) = Clock::manual(NOW);
    (Collecting { ledger: Arc::default(), clock: clock.clone() }, (clock, hand))
}

#[tokio::test]
async fn results_arrive_once_and_the_collectors_clock_is_measured() {
    let (collecting, time) = collecting();
    let (address, _serving) = collecting.serve("127.0.0.1:0");
    let dir = TempDir::new().unwrap();
    let agent = Agent::start(dir.path(), address, time);
    for block in 1..=3 {
        agent.record(block).await;
        agent.delivered(block).await;
    }
    assert_eq!(collecting.results(), [at(1), at(2), at(3)]);
    let state = agent.uplink.state();
    let offset = state.offset.unwrap();
    let off_by = offset.ahead_ms.abs_diff(2500);
    assert!(u128::from(off_by) <= offset.within.as_millis() + 1, "{offset:?}");
    assert!(state.connected && NOW < state.last_ack_at.unwrap());
    assert_eq!((state.blocks_posted, state.last_error), (3, None));
}

#[tokio::test]
async fn a_busy_collector_is_left_alone_for_as_long_as_it_wishes() {
    let (collecting, time) = collecting();
    let (address, _serving) = collecting.serve("127.0.0.1:0");
    collecting.ledger().faults.extend([Fault::Busy, Fault::Denied]);
    let dir = TempDir::new().unwrap();
    let agent = Agent::start(dir.path(), address, time);
    agent.record(1).await;
    agent.until(|_| collecting.ledger().posts_at.len() == 2).await;
    agent.until(|agent| agent.uplink.state().last_error.is_some_and(|error| error.contains("403"))).await;
    agent.delivered(1).await;
    let posts_at = collecting.ledger().posts_at.clone();
    assert!(Duration::from_secs(30) <= posts_at[1] - posts_at[0], "{posts_at:?}");
    assert_eq!(collecting.results(), [at(1)]);
}

#[tokio::test]
async fn a_lost_answer_leads_to_a_resend_that_counts_once() {
    let (collecting, time) = collecting();
    let (address, _serving) = collecting.serve("127.0.0.1:0");
    collecting.ledger().faults.extend([Fault::CutAnswer, Fault::CutAnswer]);
    let dir = TempDir::new().unwrap();
    let agent = Agent::start(dir.path(), address, time);
    agent.record(1).await;
    agent.delivered(1).await;
    assert_eq!(collecting.results(), [at(1)]);
    assert_eq!(collecting.ledger().posts_at.len(), 3);
    assert_eq!(agent.uplink.state().conflicts, 0);
}

#[tokio::test]
async fn neither_a_restarted_agent_nor_a_restarted_collector_loses_or_doubles_a_result() {
    let (collecting, time) = collecting();
    let (address, serving) = collecting.serve("127.0.0.1:0");
    let dir = TempDir::new().unwrap();
    let agent = Agent::start(dir.path(), address, time.clone());
    agent.record(1).await;
    agent.delivered(1).await;
    drop(serving);
    agent.record(2).await;
    agent.until(|agent| agent.taken() == 2 && !agent.uplink.state().connected).await;
    drop(agent);
    let (_, _serving) = collecting.serve(&address.to_string());
    let agent = loop {
        // The dropped tasks let go of the spool's lock when the runtime gets to it.
        tokio::task::yield_now().await;
        let settings = Settings { agent: "seoul-1".parse().unwrap(), dir: dir.path().to_owned(), at_most: 1 << 30 };
        if spool::open(settings, time.0.clone()).is_ok() {
            break Agent::start(dir.path(), address, time);
        }
    };
    agent.record(3).await;
    agent.delivered(3).await;
    assert_eq!(collecting.results(), [at(1), at(2), at(3)]);
    assert_eq!(collecting.ledger().lanes.len(), 1, "an incarnation outlives its processes");
}

#[tokio::test]
async fn a_cloned_spool_conflicts_once_and_both_deliver_what_they_saw() {
    let (collecting, time) = collecting();
    let (address, _serving) = collecting.serve("127.0.0.1:0");
    let (dir, clone) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let first = Agent::start(dir.path(), address, time.clone());
    first.record(1).await;
    first.delivered(1).await;
    first.stop().await;
    std::fs::copy(dir.path().join("spool.db"), clone.path().join("spool.db")).unwrap();
    for (dir, instant) in [(&dir, 2), (&clone, 3)] {
        let agent = Agent::start(dir.path(), address, time.clone());
        agent.record(instant).await;
        agent.delivered(2).await;
        agent.stop().await;
    }
    assert_eq!(collecting.results(), [at(1), at(2), at(3)]);
    let ledger = collecting.ledger();
    assert_eq!((ledger.conflicts, ledger.lanes.len()), (1, 2));
}

#[tokio::test]
async fn a_stopping_agent_delivers_its_last_result() {
    let (collecting, time) = collecting();
    let (address, _serving) = collecting.serve("127.0.0.1:0");
    let dir = TempDir::new().unwrap();
    let agent = Agent::start(dir.path(), address, time);
    agent.record(1).await;
    agent.stop().await;
    assert_eq!(collecting.results(), [at(1)]);
}

#[tokio::test]
async fn checks_are_sent_when_they_changed() {
    let (collecting, (clock, _hand)) = collecting();
    let (address, _serving) = collecting.serve("127.0.0.1:0");
    let collector = collector(address, &clock);
    let fetched = collector.fetch_checks(None).await.unwrap().unwrap();
    assert_eq!((&fetched.document[..], fetched.etag.as_deref()), (&br#"{"checks":[]}"#[..], Some("\"v1\"")));
    assert_eq!(collector.fetch_checks(fetched.etag.as_deref()).await.unwrap(), None);
}

#[tokio::test]
async fn an_address_without_a_collector_is_an_error_that_says_so() {
    let (_, (clock, _hand)) = collecting();
    let address = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let error = collector(address, &clock).fetch_checks(None).await.unwrap_err().to_string();
    assert!(error.starts_with("ask the collector what to check: ") && error.contains("refused"), "{error}");
}
