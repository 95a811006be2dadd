//! Heartbeats: whole agents on a clock that the test moves, and jobs that report over HTTP.

use agent::program::{StartError, Started, Surroundings, run};
use daemon::clock::{Clock, Hand};
use rules::time::Timestamp;
use std::path::Path;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Short enough that the agent doesn't take a step for a time in which it was away.
const STEP: Duration = Duration::from_secs(30);
/// 2026-11-22T00:00:00Z, a Sunday.
const MIDNIGHT: Timestamp = Timestamp::from_millis(1_795_305_600_000);

/// An agent that awaits `apm/nightly` (due two minutes past each hour, five minutes of grace) and
/// `apm/pace`, by which the test sees that it has caught up with the clock.
struct Agent {
    base: String,
    hand: Hand,
    stop: CancellationToken,
    tasks: JoinSet<Result<(), StartError>>,
}

async fn agent(dir: &Path, more: &str, clock: (Clock, Hand)) -> Agent {
    let text = format!(
        "agent: a\nlisten: 127.0.0.1:0\nspool: {{ dir: {dir:?} }}\n{more}\nchecks:\n  \
         - {{ service: apm, check: nightly, heartbeat: '2 * * * *', grace: 5m, min_bytes: 1kB }}\n  \
         - {{ service: apm, check: pace, heartbeat: every, every: 1000h }}\n"
    );
    let config = config::agent::parse(&text, "agent.yaml", dir).unwrap().value;
    let (stop, (started, has_started), mut tasks) = (CancellationToken::new(), oneshot::channel(), JoinSet::new());
    let (clock, hand) = clock;
    let surroundings = Surroundings { clock, config_file: None, blackbox: None, started: Some(started) };
    tasks.spawn(run(config, surroundings, stop.clone()));
    let Started { listen } = has_started.await.unwrap();
    let agent = Agent { base: format!("http://{}", listen.unwrap()), hand, stop, tasks };
    while agent.ask("/heartbeat/apm/pace/start").await.0 == 404 {
        tokio::task::yield_now().await;
    }
    agent
}

impl Agent {
    async fn ask(&self, path: &str) -> (u16, String) {
        self.send(reqwest::Client::new().get(format!("{}{path}", self.base))).await
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> (u16, String) {
        let answer = request.bearer_auth("sesame").send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    /// Reports on `apm/nightly`, which is taken.
    async fn reports(&self, report: &str) {
        assert_eq!(self.ask(&format!("/heartbeat/apm/nightly/{report}")).await, (200, "taken\n".to_owned()));
    }

    async fn passes(&self, length: Duration) {
        for _ in 0..length.as_secs() / STEP.as_secs() {
            self.hand.advance(STEP);
            assert_eq!(self.ask("/heartbeat/apm/pace/start").await.0, 200);
        }
    }

    async fn shows(&self, name: &str, labels: &str, value: &str) {
        let page = self.ask("/metrics").await.1;
        let line = format!("{name}{{check=\"nightly\"{labels},service=\"apm\"}} {value}\n");
        assert!(page.contains(&line), "{line} is not in\n{page}");
    }

    async fn stops(mut self) {
        self.stop.cancel();
        while let Some(ended) = self.tasks.join_next().await {
            ended.unwrap().unwrap();
        }
    }
}

const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn a_run_on_time_a_missed_one_and_its_late_report_are_told_apart() {
    let dir = tempfile::tempdir().unwrap();
    let agent = agent(dir.path(), "", Clock::manual(MIDNIGHT)).await;
    agent.passes(2 * MINUTE).await;
    agent.reports("start").await;
    agent.shows("nines_heartbeat_running", "", "1").await;
    agent.passes(MINUTE).await;
    agent.reports("success?bytes=2kB").await;
    agent.shows("nines_heartbeat_runs_total", ",outcome=\"on_time\"", "1").await;
    agent.shows("nines_heartbeat_running", "", "0").await;
    agent.shows("nines_heartbeat_last_duration_seconds", "", "60").await;
    agent.shows("nines_heartbeat_last_bytes", "", "2000").await;
    agent.shows("nines_heartbeat_last_success_timestamp_seconds", "", "1795305780").await;
    agent.shows("nines_heartbeat_next_due_timestamp_seconds", "", "1795309320").await;
    let page = agent.ask("/metrics").await.1;
    assert!(page.contains("nines_probe_success{service=\"apm\",check=\"nightly\"} 1\n"), "{page}");
    agent.passes(65 * MINUTE).await;
    agent.shows("nines_heartbeat_runs_total", ",outcome=\"missed\"", "1").await;
    let page = agent.ask("/metrics").await.1;
    assert!(page.contains("nines_probe_success{service=\"apm\",check=\"nightly\"} 0\n"), "{page}");
    agent.reports("success?bytes=5000&duration=90").await;
    agent.shows("nines_heartbeat_runs_total", ",outcome=\"late\"", "1").await;
    agent.shows("nines_heartbeat_last_duration_seconds", "", "90").await;
    agent.reports("failure?text=disk%20full").await;
    agent.shows("nines_heartbeat_runs_total", ",outcome=\"failed\"", "1").await;
    agent.stops().await;
}

#[tokio::test]
async fn a_restart_forgets_no_run_and_judges_none_that_it_slept_through() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Clock::manual(MIDNIGHT);
    let first = agent(dir.path(), "", clock.clone()).await;
    first.passes(2 * MINUTE).await;
    first.reports("start").await;
    first.stops().await;
    clock.1.advance(STEP);
    let second = agent(dir.path(), "", clock.clone()).await;
    second.shows("nines_heartbeat_running", "", "1").await;
    second.reports("success?bytes=2kB").await;
    second.shows("nines_heartbeat_last_duration_seconds", "", "30").await;
    second.stops().await;
    clock.1.advance(64 * MINUTE);
    let third = agent(dir.path(), "", clock.clone()).await;
    third.passes(2 * MINUTE).await;
    third.shows("nines_heartbeat_runs_total", ",outcome=\"missed\"", "0").await;
    third.shows("nines_heartbeat_next_due_timestamp_seconds", "", "1795312920").await;
    third.passes(60 * MINUTE).await;
    third.shows("nines_heartbeat_runs_total", ",outcome=\"missed\"", "1").await;
    third.stops().await;
}

#[tokio::test]
async fn a_report_is_let_in_by_its_token_and_refused_in_words() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("token"), "sesame\n").unwrap();
    let agent = agent(dir.path(), "heartbeat: { token_file: token }", Clock::manual(MIDNIGHT)).await;
    let http = reqwest::Client::new();
    let url = |path: &str| format!("{}/heartbeat/{path}", agent.base);
    let check = async |path: &str, status: u16, words: &str| {
        for request in [http.get(url(path)), http.post(url(path))] {
            let answer = agent.send(request).await;
            assert!(answer.0 == status && answer.1.contains(words), "{path}: {answer:?}");
        }
    };
    check("apm/nightly/start", 200, "taken").await;
    check("apm/nightly/begin", 404, "`start`, `success` or `failure`").await;
    check("apm/weekly/start", 404, "no heartbeat `weekly` of service `apm`").await;
    check("apm/%00/start", 404, "no heartbeat").await;
    check("apm/nightly/success?bytes=many", 400, "no size").await;
    check("apm/nightly/success?size=5", 400, "`bytes`, `duration` and `text`").await;
    check("apm/nightly/success?bytes=5&bytes=6", 400, "given twice").await;
    for token in ["", "sesam", "sesame2"] {
        let answer = http.post(url("apm/nightly/start")).bearer_auth(token).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), 403, "{token}");
    }
    let long = http.post(url("apm/nightly/failure")).body("x".repeat(5000));
    assert_eq!(agent.send(long).await.0, 413);
    agent.stops().await;
}

#[tokio::test]
async fn without_a_token_a_web_page_reports_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let agent = agent(dir.path(), "", Clock::manual(MIDNIGHT)).await;
    let request = reqwest::Client::new().get(format!("{}/heartbeat/apm/nightly/success", agent.base));
    assert_eq!(agent.send(request.header("sec-fetch-site", "cross-site")).await.0, 403);
    agent.stops().await;
}
