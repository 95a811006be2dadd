//! A whole collector, asked over HTTP on loopback.

use super::*;
use crate::commit::tests::key;
use config::collector;
use daemon::clock::Clock;
use daemon::shutdown::Hangup;
use reqwest::{Client, Response, StatusCode};
use rules::block::{Block, Builder};
use rules::delivery::add_to_body;
use rules::outcome::Outcome;
use rules::result::{Pace, ProbeResult};
use rules::time::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::path::Path;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

const AGENTS: [(&str, &str); 2] = [("seoul-1", "sesame"), ("busan-1", "pepper")];

fn yaml(ledger: &str, checks: &str) -> String {
    let credential = |(agent, token): (&str, &str)| {
        let hash: String = Sha256::digest(token).iter().map(|byte| format!("{byte:02x}")).collect();
        format!("  - {{ agent: {agent}, token_sha256: {hash} }}\n")
    };
    let agents: String = AGENTS.into_iter().map(credential).collect();
    format!(
        "listen: {{ web: '127.0.0.1:0', agents: '127.0.0.1:0' }}\nledger: {ledger}\nagents:\n{agents}
policies:\n  - {{ policy: plain, availability: {{ objective: 99.9 }} }}
agreements:
  - agreement: acme
    customer: Acme
    zone: UTC
    policy: plain
    services:
      - {{ service: apm, agents: [seoul-1], checks: [{checks}] }}
"
    )
}

const LOGIN: &str = "{ check: login, http: 'https://apm.example/', every: 30s }";

/// A collector that runs, and how one asks it.
struct Running {
    client: Client,
    agents: String,
    facts: Facts,
    config: watch::Sender<Arc<CollectorConfig>>,
    cancel: CancellationToken,
    running: JoinSet<Result<(), ServeError>>,
}

impl Running {
    async fn start(ledger: &str) -> Running {
        let config = collector::parse(&yaml(ledger, LOGIN), "collector.yaml", Path::new("/")).unwrap().value;
        let collector = Collector::start(config, Clock::system()).await.unwrap();
        let (facts, config) = (collector.facts(), collector.configure());
        let agents = format!("http://{}", collector.agents_address());
        let (cancel, mut running) = (CancellationToken::new(), JoinSet::new());
        let pages = daemon::admin::health(facts.readiness.clone());
        running.spawn(collector.run(pages, None, cancel.clone()));
        Running { client: Client::new(), agents, facts, config, cancel, running }
    }

    async fn stop(mut self) {
        self.cancel.cancel();
        self.running.join_next().await.unwrap().unwrap().unwrap();
    }

    async fn post(&self, who: (&str, &str), path: &str, body: Vec<u8>) -> Response {
        let request = self.client.post(format!("{}{path}", self.agents)).bearer_auth(who.1);
        request.header("nines-agent", who.0).body(body).send().await.unwrap()
    }

    async fn register(&self) -> u64 {
        let body = json!({"agent": "seoul-1", "first_seq": 1}).to_string().into_bytes();
        let answer = self.post(AGENTS[0], "/agents/v1/register", body).await;
        assert_eq!(answer.status(), StatusCode::OK);
        json_of(answer).await["incarnation"].as_u64().unwrap()
    }

    async fn blocks(&self, incarnation: u64, blocks: &[Block]) -> (StatusCode, Value) {
        let mut body = Vec::new();
        blocks.iter().for_each(|block| add_to_body(&mut body, &block.encode()));
        let path = format!("/agents/v1/blocks?incarnation={incarnation}&first_seq={}", blocks[0].seq);
        let answer = self.post(AGENTS[0], &path, body).await;
        (answer.status(), json_of(answer).await)
    }

    async fn checks(&self, etag: Option<&str>, wait: &str) -> Response {
        let request = self.client.get(format!("{}/agents/v1/checks?wait={wait}", self.agents));
        let request = request.bearer_auth(AGENTS[0].1).header("nines-agent", AGENTS[0].0);
        let request = etag.into_iter().fold(request, |request, etag| request.header("if-none-match", etag));
        request.send().await.unwrap()
    }
}

async fn json_of(answer: Response) -> Value {
    serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap()
}

fn block(agent: &str, seq: u64, at: Timestamp) -> Block {
    let mut builder = Builder::default();
    let pace = Pace { every: Duration::from_secs(30), timeout: Duration::from_secs(10) };
    let result = ProbeResult::of_slot(at, Outcome::Up, Duration::from_millis(3));
    builder.push("apm".parse().unwrap(), "login".parse().unwrap(), pace, result);
    builder.build(agent.parse().unwrap(), seq)
}

fn recent(seq: u64) -> Block {
    block("seoul-1", seq, Clock::system().wall().minus(Duration::from_secs(3600 - 30 * seq)))
}

#[tokio::test]
async fn what_was_answered_is_there_after_a_stop_and_a_start() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = format!("sqlite:{}", dir.path().join("ledger.db").display());
    let collector = Running::start(&ledger).await;
    let incarnation = collector.register().await;
    let (status, answer) = collector.blocks(incarnation, &[recent(1), recent(2)]).await;
    assert_eq!((status, &answer["next_seq"], &answer["refused"]), (StatusCode::OK, &json!(3), &json!([])));
    assert!(answer["now"].as_str().unwrap().parse::<Timestamp>().is_ok());
    assert_eq!(collector.facts.state.series(&key("login")).unwrap().runs().map(|run| run.results).sum::<u32>(), 2);
    collector.stop().await;

    let collector = Running::start(&ledger).await;
    let (status, answer) = collector.blocks(incarnation, &[recent(3)]).await;
    assert_eq!((status, &answer["next_seq"]), (StatusCode::OK, &json!(4)));
    assert_eq!(collector.facts.state.series(&key("login")).unwrap().runs().map(|run| run.results).sum::<u32>(), 3);
    assert_eq!(collector.facts.readiness.obstacles(), None);
    collector.stop().await;
}

#[tokio::test]
async fn a_gap_an_unknown_lane_and_poison_are_answered_as_the_protocol_draws_them() {
    let collector = Running::start("sqlite::memory:").await;
    let incarnation = collector.register().await;
    let (status, answer) = collector.blocks(incarnation, &[recent(5)]).await;
    assert_eq!((status, &answer["expected"]), (StatusCode::CONFLICT, &json!(1)));
    for unknown in [0, 99] {
        let (status, answer) = collector.blocks(unknown, &[recent(1)]).await;
        assert_eq!((status, &answer["unknown_incarnation"]), (StatusCode::CONFLICT, &json!(true)));
    }
    let far = block("seoul-1", 2, Clock::system().wall().plus(Duration::from_secs(2 * 86_400)));
    let (status, answer) =
        collector.blocks(incarnation, &[recent(1), far, block("busan-1", 3, recent(3).span().unwrap().0)]).await;
    assert_eq!((status, &answer["next_seq"]), (StatusCode::OK, &json!(4)));
    let reasons: Vec<&str> =
        answer["refused"].as_array().unwrap().iter().filter_map(|one| one["reason"].as_str()).collect();
    assert!(reasons[0].contains("more than a day ahead"), "{reasons:?}");
    assert!(reasons[1].contains("an agent writes only its own lane"), "{reasons:?}");
    let (status, answer) =
        collector.blocks(incarnation, &[block("seoul-1", 1, Timestamp::from_millis(1_700_000_000_000))]).await;
    assert_eq!((status, &answer["conflict"]), (StatusCode::CONFLICT, &json!(1)));
    collector.stop().await;
}

#[tokio::test]
async fn nobody_gets_in_without_a_credential_or_with_another_agents() {
    let collector = Running::start("sqlite::memory:").await;
    let cases = [
        (("seoul-1", "wrong"), StatusCode::UNAUTHORIZED, "nines_ingest_refused_total{reason=\"unauthenticated\"} 1"),
        (("seoul-1", "pepper"), StatusCode::FORBIDDEN, "nines_ingest_refused_total{reason=\"forbidden\"} 1"),
        (("tokyo-1", "sesame"), StatusCode::FORBIDDEN, "nines_ingest_refused_total{reason=\"forbidden\"} 2"),
    ];
    for (who, status, counted) in cases {
        let answer = collector.post(who, "/agents/v1/register", b"{}".to_vec()).await;
        assert_eq!(answer.status(), status, "{who:?}");
        assert_eq!(answer.headers()["content-type"], "application/problem+json");
        assert_eq!(json_of(answer).await["status"], status.as_u16());
        let text = prometheus::TextEncoder::new().encode_to_string(&collector.facts.metrics.registry().gather());
        assert!(text.unwrap().contains(counted), "{counted}");
    }
    let other = json!({"agent": "busan-1", "first_seq": 1}).to_string().into_bytes();
    let answer = collector.post(AGENTS[0], "/agents/v1/register", other).await;
    assert_eq!(answer.status(), StatusCode::FORBIDDEN);
    collector.stop().await;
}

#[tokio::test]
async fn too_much_too_little_and_nonsense_are_refused_before_any_work() {
    let collector = Running::start("sqlite::memory:").await;
    let path = "/agents/v1/blocks?incarnation=1&first_seq=1";
    let large = collector.post(AGENTS[0], path, vec![0; 1024 * 1024 + 1]).await;
    assert_eq!(large.status(), StatusCode::PAYLOAD_TOO_LARGE);
    let cut = collector.post(AGENTS[0], path, vec![9, 0, 0, 0, 1]).await;
    assert_eq!(cut.status(), StatusCode::BAD_REQUEST);
    let empty = collector.post(AGENTS[0], path, vec![]).await;
    assert_eq!(empty.status(), StatusCode::BAD_REQUEST);
    let nonsense = collector.post(AGENTS[0], "/agents/v1/register", b"[]".to_vec()).await;
    assert_eq!(nonsense.status(), StatusCode::BAD_REQUEST);
    collector.stop().await;
}

#[tokio::test]
async fn an_agent_waits_for_its_checks_to_change_and_is_told_at_once() {
    let collector = Running::start("sqlite::memory:").await;
    let first = collector.checks(None, "0s").await;
    let etag = first.headers()["etag"].to_str().unwrap().to_owned();
    assert_eq!(json_of(first).await["checks"][0]["check"], "login");
    assert_eq!(collector.checks(Some(&etag), "10ms").await.status(), StatusCode::NOT_MODIFIED);

    let waiting = collector.checks(Some(&etag), "30s");
    let change = async {
        let more = format!("{LOGIN}, {{ check: port, tcp: 'apm.example:443' }}");
        let changed = collector::parse(&yaml("sqlite::memory:", &more), "collector.yaml", Path::new("/")).unwrap();
        collector.config.send_replace(Arc::new(changed.value));
    };
    let (answer, ()) = tokio::join!(waiting, change);
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(json_of(answer).await["checks"].as_array().unwrap().len(), 2);
    collector.stop().await;
}

#[tokio::test]
async fn an_agent_with_two_posts_in_flight_is_told_when_to_come_back() {
    let collector = Running::start("sqlite::memory:").await;
    let address = collector.agents.trim_start_matches("http://").to_owned();
    let head = "POST /agents/v1/blocks?incarnation=1&first_seq=1 HTTP/1.1\r\nhost: collector\r\n\
                nines-agent: seoul-1\r\nauthorization: Bearer sesame\r\ncontent-length: 100\r\n\r\nhalf of it";
    let mut dawdling = Vec::new();
    for _ in 0..2 {
        let mut stream = TcpStream::connect(&address).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        dawdling.push(stream);
    }
    let path = "/agents/v1/blocks?incarnation=1&first_seq=1";
    let refused = loop {
        let answer = collector.post(AGENTS[0], path, vec![1]).await;
        if answer.status() != StatusCode::BAD_REQUEST {
            break answer;
        }
    };
    assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(refused.headers()["retry-after"], "1");
    drop(dawdling);
    while collector.post(AGENTS[0], path, vec![1]).await.status() == StatusCode::TOO_MANY_REQUESTS {}
    collector.stop().await;
}

#[tokio::test]
async fn a_changed_file_is_in_force_soon_after() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("collector.yaml");
    std::fs::write(&path, yaml("sqlite::memory:", LOGIN)).unwrap();
    let watch = FileWatch::new(&path, Hangup::never(), Clock::system());
    let config = collector::load(&path).unwrap().value;
    let collector = Collector::start(config, Clock::system()).await.unwrap();
    let (mut facts, cancel) = (collector.facts(), CancellationToken::new());
    let mut running = JoinSet::new();
    let end = cancel.clone();
    running.spawn(async move { collector.run(Router::new(), Some(watch), end).await });
    while facts.readiness.obstacles().is_some() {
        tokio::task::yield_now().await;
    }
    std::fs::write(&path, yaml("sqlite::memory:", &format!("{LOGIN}, {{ check: port, tcp: 'a.example:1' }}"))).unwrap();
    let changed = tokio::time::timeout(Duration::from_secs(20), facts.config.changed()).await;
    changed.unwrap().unwrap();
    assert_eq!(facts.config.borrow().agreements[0].services[0].checks.len(), 2);
    cancel.cancel();
    running.join_next().await.unwrap().unwrap().unwrap();
}
