//! Whole agents against real sockets on loopback.

use super::*;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::routing::{get, post};
use config::agent::{Checks, Programs, Reports, Spool as SpoolConfig, Uplink as UplinkConfig, UplinkTls};
use config::check_document;
use config::secret::Secret;
use daemon::shutdown::Hangup;
use rules::block::Block;
use rules::check::{Assignment, Check, Counts, Target, Vantages};
use rules::delivery::{BLOCKS_PATH, CHECKS_PATH, REGISTER_PATH, split_body};
use rules::reach::Reach;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::net::TcpListener;

/// A target that accepts connections and counts them, until it is dropped.
struct Port {
    address: SocketAddr,
    accepted: Arc<AtomicU64>,
    _accepting: JoinSet<()>,
}

async fn port() -> Port {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, accepted) = (listener.local_addr().unwrap(), Arc::new(AtomicU64::new(0)));
    let mut accepting = JoinSet::new();
    let counter = Arc::clone(&accepted);
    accepting.spawn(async move {
        while listener.accept().await.is_ok() {
            counter.fetch_add(1, Ordering::SeqCst);
        }
    });
    Port { address, accepted, _accepting: accepting }
}

impl Port {
    /// Waits for as many connections, and sees that there are no more.
    async fn has_accepted(&self, connections: u64) {
        while self.accepted.load(Ordering::SeqCst) < connections {
            tokio::task::yield_now().await;
        }
        assert_eq!(self.accepted.load(Ordering::SeqCst), connections);
    }
}

fn assignment(check: &str, target: SocketAddr) -> Assignment {
    let check = Check {
        id: check.parse().unwrap(),
        target: Target::parse(&format!("tcp:{target}")).unwrap(),
        every: Duration::from_millis(100),
        timeout: Duration::from_millis(100),
        reprobe: None,
        counts: Counts::Yes,
        objective: None,
        agents: Vantages::All,
    };
    Assignment { service: "apm".parse().unwrap(), check: Arc::new(check) }
}

fn config(dir: &Path, list: Vec<Assignment>) -> AgentConfig {
    AgentConfig {
        agent: "seoul-1".parse().unwrap(),
        collector: None,
        spool: SpoolConfig { dir: dir.to_owned(), bytes_max: 1 << 20 },
        references: Vec::new(),
        reach: Reach::default(),
        listen: Some("127.0.0.1:0".parse().unwrap()),
        programs: Programs::default(),
        reports: Reports::default(),
        checks: Checks { from_collector: false, list },
        discovery: Vec::new(),
    }
}

/// An agent that runs until it is stopped.
struct Running {
    listen: SocketAddr,
    cancel: CancellationToken,
    tasks: JoinSet<Result<(), StartError>>,
}

async fn start(config: AgentConfig, config_file: Option<PathBuf>) -> Running {
    let (started, start) = oneshot::channel();
    let cancel = CancellationToken::new();
    let clock = Clock::system();
    let config_file = config_file.map(|path| FileWatch::new(&path, Hangup::never(), clock.clone()));
    let surroundings = Surroundings { clock, config_file, blackbox: None, started: Some(started) };
    let mut tasks = JoinSet::new();
    tasks.spawn(run(config, surroundings, cancel.clone()));
    let listen = start.await.expect("the agent starts").listen.unwrap();
    Running { listen, cancel, tasks }
}

impl Running {
    async fn ask(&self, path: &str) -> (u16, String) {
        let answer = reqwest::get(format!("http://{}{path}", self.listen)).await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    /// Waits until the metrics page has a line that begins with `line`.
    async fn shows(&self, line: &str) {
        loop {
            let (_, page) = self.ask("/metrics").await;
            if page.lines().any(|shown| shown.starts_with(line)) {
                return;
            }
            tokio::task::yield_now().await;
        }
    }

    async fn stop(mut self) {
        self.cancel.cancel();
        self.tasks.join_next().await.unwrap().unwrap().unwrap();
    }
}

#[tokio::test]
async fn an_agent_alone_tells_whether_its_targets_are_up() {
    let (dir, port) = (tempfile::tempdir().unwrap(), port().await);
    let running = start(config(dir.path(), vec![assignment("port", port.address)]), None).await;
    running.shows(r#"nines_probe_success{service="apm",check="port"} 1"#).await;
    running.shows(r#"nines_local_outage{service="apm"} 0"#).await;
    drop(port);
    running.shows(r#"nines_probe_success{service="apm",check="port"} 0"#).await;
    assert_eq!(running.ask("/healthz").await.0, 200);
    assert_eq!(running.ask("/readyz").await, (200, "ready\n".to_owned()));
    running.stop().await;
}

#[tokio::test]
async fn a_clean_stop_leaves_a_result_of_every_probe_in_the_spool() {
    let (dir, port) = (tempfile::tempdir().unwrap(), port().await);
    let list = (0..5).map(|number| assignment(&format!("port-{number}"), port.address)).collect();
    let config = config(dir.path(), list);
    let running = start(config.clone(), None).await;
    while port.accepted.load(Ordering::SeqCst) < 20 {
        tokio::task::yield_now().await;
    }
    running.stop().await;
    let (spool, _outlet, _writer) = open_spool(&config, &Clock::system()).await.unwrap();
    port.has_accepted(spool.depth().results).await;
}

#[tokio::test]
async fn a_changed_file_is_taken_and_a_wrong_one_changes_nothing() {
    let (dir, port) = (tempfile::tempdir().unwrap(), port().await);
    let file = dir.path().join("agent.yaml");
    let text = |check: &str| {
        let (spool, target) = (dir.path().join("spool"), port.address);
        format!(
            "agent: seoul-1\nlisten: 127.0.0.1:0\nspool: {{ dir: {spool:?} }}\nchecks:\n  \
             - {{ service: apm, check: {check}, tcp: \"{target}\", every: 100ms, timeout: 100ms }}\n"
        )
    };
    std::fs::write(&file, text("first")).unwrap();
    let loaded = config::agent::load(&file).unwrap();
    let running = start(loaded.value, Some(file.clone())).await;
    running.shows(r#"nines_probe_success{service="apm",check="first"} 1"#).await;
    std::fs::write(&file, "agnet: seoul-1\n").unwrap();
    running.shows("nines_agent_reload_successful 0").await;
    running.shows(r#"nines_probe_success{service="apm",check="first"} 1"#).await;
    std::fs::write(&file, text("second")).unwrap();
    running.shows(r#"nines_probe_success{service="apm",check="second"} 1"#).await;
    let (_, page) = running.ask("/metrics").await;
    assert!(page.contains("nines_agent_reload_successful 1\n") && !page.contains(r#"check="first""#), "{page}");
    running.stop().await;
}

/// A collector that hands out one document and keeps what it is sent.
#[derive(Clone, Default)]
struct Scripted {
    document: String,
    results: Arc<AtomicU64>,
    tokens: Arc<Mutex<Vec<String>>>,
}

async fn post_blocks(State(scripted): State<Scripted>, headers: HeaderMap, body: Bytes) -> String {
    let token = headers["authorization"].to_str().unwrap().to_owned();
    scripted.tokens.lock().unwrap().push(token);
    let blocks: Vec<Block> =
        split_body(&body).unwrap().into_iter().map(|bytes| Block::decode(bytes).unwrap()).collect();
    let next_seq = blocks.last().unwrap().seq + 1;
    let results: usize = blocks.iter().flat_map(|block| &block.series).map(|series| series.results.len()).sum();
    scripted.results.fetch_add(results as u64, Ordering::SeqCst);
    format!(r#"{{"next_seq": {next_seq}, "refused": [], "now": "{}"}}"#, Clock::system().wall())
}

async fn hand_out(State(scripted): State<Scripted>, headers: HeaderMap) -> axum::response::Response {
    use axum::response::IntoResponse;
    if headers.contains_key("if-none-match") {
        // As if nothing changed for a long time.
        std::future::pending::<()>().await;
    }
    ([("etag", "\"1\"")], scripted.document).into_response()
}

async fn collector(scripted: Scripted) -> (String, CancellationToken, JoinSet<()>) {
    let now = || format!(r#"{{"incarnation": 1, "next_seq": 1, "now": "{}"}}"#, Clock::system().wall());
    let router = Router::new()
        .route(REGISTER_PATH, post(async move || now()))
        .route(BLOCKS_PATH, post(post_blocks))
        .route(CHECKS_PATH, get(hand_out))
        .with_state(scripted);
    let listener = Listener::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let (url, stop, mut serving) = (format!("http://{}", listener.address()), CancellationToken::new(), JoinSet::new());
    serving.spawn(listener.serve(router, stop.clone()));
    (url, stop, serving)
}

#[tokio::test]
async fn checks_come_from_the_collector_results_go_there_and_its_absence_changes_nothing() {
    let (dir, port) = (tempfile::tempdir().unwrap(), port().await);
    let document = check_document::to_json(&[assignment("port", port.address)]);
    let scripted = Scripted { document, ..Scripted::default() };
    let (url, _stop, serving) = collector(scripted.clone()).await;
    let mut config = config(dir.path(), Vec::new());
    let token = Some(Secret::new("sesame"));
    config.collector = Some(UplinkConfig { url, token, tls: UplinkTls::default() });
    config.checks.from_collector = true;

    let running = start(config.clone(), None).await;
    running.shows(r#"nines_probe_success{service="apm",check="port"} 1"#).await;
    running.shows("nines_agent_uplink_up 1").await;
    while scripted.results.load(Ordering::SeqCst) < 5 {
        tokio::task::yield_now().await;
    }
    running.stop().await;
    port.has_accepted(scripted.results.load(Ordering::SeqCst)).await;
    assert!(scripted.tokens.lock().unwrap().iter().all(|token| token == "Bearer sesame"));

    drop(serving);
    let running = start(config, None).await;
    running.shows(r#"nines_probe_success{service="apm",check="port"} 1"#).await;
    assert_eq!(running.ask("/readyz").await.0, 200);
    running.stop().await;
}

#[tokio::test]
async fn an_agent_that_never_heard_of_any_checks_is_not_ready() {
    let dir = tempfile::tempdir().unwrap();
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let mut config = config(dir.path(), Vec::new());
    config.collector = Some(UplinkConfig { url: format!("http://{gone}"), token: None, tls: UplinkTls::default() });
    config.checks.from_collector = true;
    let running = start(config, None).await;
    let (status, why) = running.ask("/readyz").await;
    assert_eq!((status, why.as_str()), (503, "checks: waiting for the collector's first list of checks\n"));
    running.stop().await;
}

#[tokio::test]
async fn a_second_agent_on_the_same_spool_does_not_start() {
    let dir = tempfile::tempdir().unwrap();
    let first = start(config(dir.path(), Vec::new()), None).await;
    let surroundings = Surroundings { clock: Clock::system(), config_file: None, blackbox: None, started: None };
    let refused = run(config(dir.path(), Vec::new()), surroundings, CancellationToken::new()).await;
    assert!(refused.unwrap_err().to_string().contains("another agent uses it"));
    first.stop().await;
}
