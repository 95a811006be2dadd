//! Console, API and `/metrics` of a real collector on a ledger with a day of history.
//!
//! The clock stands still, so that every page is the same every time.

#![expect(clippy::unwrap_used, reason = "a test that can't go on fails")]

use collector::import::{import_lines, paces};
use collector::serve::Collector;
use config::collector::CollectorConfig;
use daemon::clock::{Clock, Hand};
use serde_json::Value;
use std::path::Path;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// When the tests look: ten minutes into a service's silence.
const NOW: &str = "2026-10-10T05:10:00Z";
/// The hostile service's name as a part of a path.
const SERVICE: &str = "-cmd%7C'%20%3Cb%3Ebold%3Cb%3E%20&%20%5C%20%7B%7Blabel%7D%7D";
const AGREEMENT: &str = "@acme%20%22quoted%22";

struct Running {
    client: reqwest::Client,
    base: String,
    hand: Hand,
    cancel: CancellationToken,
    running: JoinSet<Result<(), collector::serve::ServeError>>,
    _dir: tempfile::TempDir,
}

/// The hostile configuration, with its ledger in `dir`.
fn configuration(dir: &Path) -> CollectorConfig {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hostile");
    let text = std::fs::read_to_string(here.join("collector.yaml")).unwrap();
    config::collector::parse(&text, "collector.yaml", dir).unwrap().value
}

async fn started() -> Running {
    let dir = tempfile::tempdir().unwrap();
    let config = configuration(dir.path());
    let (clock, hand) = Clock::manual(NOW.parse().unwrap());
    let url = collector::serve::ledger_url(&config.ledger);
    let ledger = collector::ledger::open(&url).await.unwrap();
    let results = include_str!("hostile/results.ndjson");
    let imported = import_lines(ledger, clock.clone(), "results", results.as_bytes(), paces(&config.agreements)).await;
    assert_eq!(imported.unwrap().results, 360);
    let collector = Collector::start(config, clock).await.unwrap();
    let base = format!("http://{}", collector.web_address());
    let (cancel, mut running) = (CancellationToken::new(), JoinSet::new());
    let end = cancel.clone();
    running.spawn(async move { collector::web::serve(collector, None, end).await });
    let started = Running { client: reqwest::Client::new(), base, hand, cancel, running, _dir: dir };
    while started.ask("/readyz").await.status() != 200 {
        tokio::task::yield_now().await;
    }
    started
}

impl Running {
    async fn ask(&self, path: &str) -> reqwest::Response {
        self.client.get(format!("{}{path}", self.base)).send().await.unwrap()
    }

    async fn text(&self, path: &str) -> String {
        let answer = self.ask(path).await;
        assert_eq!(answer.status(), 200, "{path}");
        answer.text().await.unwrap()
    }

    async fn json(&self, path: &str) -> Value {
        serde_json::from_str(&self.text(path).await).unwrap()
    }

    async fn stop(mut self) {
        self.cancel.cancel();
        self.running.join_next().await.unwrap().unwrap().unwrap();
    }
}

/// The part of `/metrics` that is about promises: what the process counts of itself varies.
fn promises(metrics: &str) -> String {
    let process = ["nines_build", "nines_ingest", "nines_ledger"];
    let name = |line: &str| line.trim_start_matches("# HELP ").trim_start_matches("# TYPE ").to_owned();
    let kept = metrics.lines().filter(|line| !process.iter().any(|own| name(line).starts_with(own)));
    kept.map(|line| format!("{line}\n")).collect()
}

#[tokio::test]
async fn metrics_say_what_was_promised_and_what_became_of_it() {
    let running = started().await;
    let means = "nines_latency_mean_seconds{";
    while !running.text("/metrics").await.contains(means) {
        running.hand.advance(Duration::from_millis(10));
    }
    insta::assert_snapshot!("metrics", promises(&running.text("/metrics").await));
    let documented = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/metrics.md")).unwrap();
    for line in running.text("/metrics").await.lines() {
        let Some(name) = line.strip_prefix("# TYPE ").and_then(|line| line.split(' ').next()) else { continue };
        let is_promise = [
            "service",
            "availability",
            "downtime",
            "undetermined",
            "excluded",
            "error_budget",
            "outages",
            "latency",
            "check",
            "credit",
            "agent",
        ];
        if is_promise.iter().any(|word| name.starts_with(&format!("nines_{word}"))) {
            assert!(documented.contains(&format!("`{name}`")), "{name} is not in docs/metrics.md");
        }
    }
    running.stop().await;
}

#[tokio::test]
async fn every_api_route_is_described_and_every_described_route_answers() {
    let running = started().await;
    let described = running.json("/api/v1/openapi.json").await;
    let paths = described["paths"].as_object().unwrap();
    let described: Vec<&String> = paths.keys().collect();
    let source = include_str!("../src/web/api.rs");
    let routes = source.split(".route(\"").skip(1).filter_map(|rest| rest.split('"').next());
    let mut routes: Vec<&str> = routes.collect();
    routes.sort_unstable();
    let mut sorted = described.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, routes, "openapi.json and the router name the same routes");
    // Nothing is issued while the period runs.
    let asked = |path: &&String| paths[*path].get("get").is_some() && !path.contains("{version}");
    for path in described.into_iter().filter(asked) {
        let filled =
            path.replace("{service}", SERVICE).replace("{agreement}", AGREEMENT).replace("{period}", "2026-10");
        // No incident is on record here; `tests/people` asks about one.
        if filled.contains("{incident}") {
            continue;
        }
        running.json(&format!("{filled}?period=2026-10")).await;
    }
    running.stop().await;
}

#[tokio::test]
async fn lists_page_by_the_last_name_of_the_page_before() {
    let running = started().await;
    let mut names = Vec::new();
    let mut path = "/api/v1/services?limit=1".to_owned();
    loop {
        let page = running.json(&path).await;
        assert_eq!(page["services"].as_array().unwrap().len(), 1);
        names.push(page["services"][0]["service"].as_str().unwrap().to_owned());
        let Some(next) = page["next"].as_str() else { break };
        let next = if next.starts_with('-') { SERVICE.replace('&', "%26") } else { next.to_owned() };
        path = format!("/api/v1/services?limit=1&after={next}");
    }
    assert_eq!(names[1..], ["later", "silent"]);
    running.stop().await;
}

#[tokio::test]
async fn what_is_not_there_is_told_as_a_problem() {
    let running = started().await;
    for (path, status, detail) in [
        ("/api/v1/services/nothing", 404, "there is no service `nothing`"),
        ("/api/v1/agreements/nothing/statements/2026-10", 404, "there is no agreement `nothing`"),
        ("/statements/@acme%20%22quoted%22/2026-13", 400, "`period`: `2026-13` is not a month such as `2026-10`"),
    ] {
        let answer = running.ask(path).await;
        assert_eq!(answer.status(), status, "{path}");
        assert_eq!(answer.headers()["content-type"], "application/problem+json");
        let problem: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        assert_eq!(problem["detail"], detail);
    }
    running.stop().await;
}

#[tokio::test]
async fn pages_show_hostile_names_as_text_and_load_nothing_from_elsewhere() {
    let running = started().await;
    let pages = [
        ("overview", "/".to_owned()),
        ("service", format!("/services/{SERVICE}")),
        ("agents", "/agents".to_owned()),
        ("statement_page", format!("/statements/{AGREEMENT}/2026-10?lang=en")),
    ];
    for (name, path) in pages {
        let answer = running.ask(&path).await;
        let policy = answer.headers()["content-security-policy"].to_str().unwrap().to_owned();
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
        let page = answer.text().await.unwrap();
        for markup in ["<b>bold", "<script>", "<u>", "<i>", "http://evil\")", "style=\"", "onclick"] {
            assert!(!page.contains(markup), "{markup} in {name}");
        }
        if name != "statement_page" {
            insta::assert_snapshot!(name, page);
        }
    }
    running.stop().await;
}

#[tokio::test]
async fn the_statement_from_the_ledger_is_that_of_the_results() {
    let running = started().await;
    let from_ledger = running.json(&format!("/api/v1/agreements/{AGREEMENT}/statements/2026-10")).await;
    let config = configuration(Path::new("/"));
    let mut results = collector::closing::replay::Results::default();
    let text = include_str!("hostile/results.ndjson");
    collector::lines::read("results", text.as_bytes(), |line| results.take(line)).unwrap();
    let terms = collector::closing::terms::Terms::new(config.agreements[0].clone());
    let (month, now) = ("2026-10".parse().unwrap(), Some(NOW.parse().unwrap()));
    let replayed = results.fold(&terms.agreement);
    let statement = collector::closing::draw_up(&replayed, &terms, month, now).await.unwrap();
    let replayed: Value = serde_json::from_str(&collector::render::json::statement(&statement)).unwrap();
    assert_eq!(from_ledger, replayed);
    running.stop().await;
}

#[tokio::test]
async fn a_stream_of_events_ends_when_the_collector_stops() {
    let running = started().await;
    let stream = running.ask("/events").await;
    assert_eq!(stream.headers()["content-type"], "text/event-stream");
    running.cancel.cancel();
    // The end of the body is the end of the stream: this returns only because it came.
    let rest = tokio::time::timeout(Duration::from_secs(5), stream.text()).await.unwrap().unwrap();
    assert!(rest.is_empty() || rest.starts_with(':') || rest.starts_with("event"));
    running.stop().await;
}
