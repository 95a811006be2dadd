//! What somebody puts on record beside a running collector, as a command does, is heard everywhere in
//! it without a restart; on both stores.

use super::*;
use crate::command::replay::Replay;
use crate::import::{import_lines, paces};
use crate::ledger::contract::facts;
use crate::ledger::contract::place::Place;
use crate::record::acts::put_on_record;
use clap::Parser;
use daemon::clock::Hand;
use reqwest::{Client, Response};
use rules::exclusion::{Class, Exclusion};
use rules::id::AgreementId;
use rules::interval::Interval;
use rules::record::Fact;
use rules::standing::{Change, Standing};
use rules::time::Timestamp;
use serde_json::Value;
use sha2::{Digest, Sha256};
use tempfile::TempDir;

facts! {
    a_recorded_exclusion_changes_both_columns_of_a_what_if
    a_replay_under_another_policy_hears_the_record_up_to_its_instant
    an_overdue_standing_on_record_takes_screens_and_checks_away_and_a_payment_brings_them_back
}

/// Ten minutes were down from 05:00 to 05:10 that day.
const NOW: &str = "2026-10-10T06:00:00Z";
const DAY: Duration = Duration::from_secs(24 * 3600);

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn acme() -> AgreementId {
    "acme".parse().unwrap()
}

fn yaml(place: &Place) -> String {
    let hash = |token: &str| Sha256::digest(token).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    format!(
        "listen: {{ web: '127.0.0.1:0', agents: '127.0.0.1:0' }}
ledger: {}
agents: [{{ agent: seoul-1, token_sha256: {} }}]
users: [{{ user: customer, role: viewer, token_sha256: {}, agreements: [acme] }}]
policies:
  - policy: own
    availability: {{ objective: 99.9, outage: {{ for: 5m }} }}
    standing: {{ screens_stop: 1d, collection_stops: 10d, data_deleted: 20d }}
  - policy: patient
    availability: {{ objective: 99.9, outage: {{ for: 6m, count: after_threshold }} }}
agreements:
  - agreement: acme
    customer: Acme
    zone: UTC
    policy: own
    services: [{{ service: apm, checks: [{{ check: login, http: 'https://apm.example/', every: 60s }}] }}]
",
        place.url(),
        hash("sesame"),
        hash("pepper")
    )
}

struct Running {
    client: Client,
    web: String,
    agents: String,
    hand: Hand,
    config: CollectorConfig,
    /// A command's own view of the ledger.
    beside: Record,
    _directory: TempDir,
    file: std::path::PathBuf,
    cancel: CancellationToken,
    running: JoinSet<Result<(), ServeError>>,
}

impl Running {
    async fn on(place: &Place) -> Running {
        let directory = TempDir::new().unwrap();
        let file = directory.path().join("collector.yaml");
        std::fs::write(&file, yaml(place)).unwrap();
        let config = config::collector::load(&file).unwrap().value;
        let (clock, hand) = Clock::manual(at(NOW));
        let lines = (0..360).map(|minute| {
            let outcome = if (300..310).contains(&minute) { "\"down\",\"cause\":\"refused\"" } else { "\"up\"" };
            let at = at("2026-10-10T00:00:00Z").plus(Duration::from_secs(60 * minute));
            format!("{{\"agent\":\"seoul-1\",\"service\":\"apm\",\"check\":\"login\",\"at\":\"{at}\",\"outcome\":{outcome},\"elapsed_us\":1}}\n")
        });
        let (lines, paces) = (lines.collect::<String>(), paces(&config.agreements));
        import_lines(place.open().await, clock.clone(), "results", lines.as_bytes(), paces).await.unwrap();
        let beside = Record::load(place.open().await, clock.clone()).await.unwrap();
        let collector = Collector::start(config.clone(), clock).await.unwrap();
        let (web, agents) = (collector.web_address(), collector.agents_address());
        let (facts, cancel, mut running) = (collector.facts(), CancellationToken::new(), JoinSet::new());
        let end = cancel.clone();
        running.spawn(async move { crate::web::serve(collector, None, end).await });
        while facts.readiness.obstacles().is_some() {
            tokio::task::yield_now().await;
        }
        Running {
            client: Client::new(),
            web: format!("http://{web}"),
            agents: format!("http://{agents}"),
            hand,
            config,
            beside,
            _directory: directory,
            file,
            cancel,
            running,
        }
    }

    /// Records beside the collector, and has it look for what others recorded.
    async fn record(&self, by: &str, fact: Fact) {
        put_on_record(&self.beside, &self.config, &acme(), by, fact).await.unwrap();
        self.hand.advance(Duration::from_secs(1));
    }

    async fn page(&self, path: &str) -> Response {
        let request = self.client.get(format!("{}{path}", self.web)).bearer_auth("pepper");
        request.header("accept", "text/html").send().await.unwrap()
    }

    /// A page once it says `wanted`.
    async fn page_with(&self, path: &str, wanted: &str) -> String {
        let mut page = String::new();
        for _ in 0..2_000 {
            page = self.page(path).await.text().await.unwrap();
            if page.contains(wanted) {
                return page;
            }
        }
        panic!("{path} never says `{wanted}`: {page}")
    }

    /// What an agent is to look at, as soon as it is not `known`; `wait` long by the collector's clock.
    async fn checks(&self, known: Option<&str>, wait: &str) -> Response {
        let request = self.client.get(format!("{}/agents/v1/checks?wait={wait}", self.agents)).bearer_auth("sesame");
        let request = known.into_iter().fold(request, |request, known| request.header("if-none-match", known));
        request.header("nines-agent", "seoul-1").send().await.unwrap()
    }

    async fn stop(mut self) {
        self.cancel.cancel();
        self.running.join_next().await.unwrap().unwrap().unwrap();
    }
}

/// Five of the ten minutes that were down.
fn claimed() -> Fact {
    let exclusion = Exclusion {
        reason: "power cut".into(),
        ..Exclusion::new(
            Interval::new(at("2026-10-10T05:05:00Z"), at("2026-10-10T05:10:00Z")).unwrap(),
            Class::ForceMajeure,
        )
    };
    Fact::Exclusion { exclusion, supersedes: None }
}

fn standing(from: &str, standing: Standing) -> Fact {
    Fact::Standing(Change { from: at(from), standing })
}

async fn a_recorded_exclusion_changes_both_columns_of_a_what_if(place: &Place) {
    let running = Running::on(place).await;
    let path = "/what-if/acme/2026-10?policy=patient";
    running
        .page_with(path, "<th scope=\"row\"><bdi>Downtime</bdi></th><td>10 min</td><td><strong>4 min</strong></td>")
        .await;
    running.record("kim", claimed()).await;
    running.record("lee", Fact::Approval { entry: 1 }).await;
    // Of the patient policy's four minutes beyond the sixth nothing is left.
    running
        .page_with(path, "<th scope=\"row\"><bdi>Downtime</bdi></th><td>5 min</td><td><strong>0 s</strong></td>")
        .await;
    running.stop().await;
}

#[derive(clap::Parser)]
struct Line {
    #[command(flatten)]
    replay: Replay,
}

async fn a_replay_under_another_policy_hears_the_record_up_to_its_instant(place: &Place) {
    let running = Running::on(place).await;
    running.record("kim", claimed()).await;
    running.record("lee", Fact::Approval { entry: 1 }).await;
    let (other, told) = (running.file.with_file_name("patient.yaml"), running.file.with_file_name("told.json"));
    std::fs::write(
        &other,
        "policy: patient\navailability: { objective: 99.9, outage: { for: 6m, count: after_threshold } }\n",
    )
    .unwrap();
    for (as_of, expected) in [(NOW, [600_000, 240_000]), ("2026-10-10T06:00:02Z", [300_000, 0])] {
        let named = |path: &std::path::Path| path.to_str().unwrap().to_owned();
        let (file, other, told_to) = (named(&running.file), named(&other), named(&told));
        let line = ["replay", "--config", &file, "--period", "2026-10", "--policy", &other, "--as-of", as_of];
        let line = Line::parse_from(line.into_iter().chain(["--format", "json", "--output", &told_to]));
        line.replay.run().await.unwrap();
        let told: Value = serde_json::from_slice(&std::fs::read(&told).unwrap()).unwrap();
        let downtime = |column: &str| told[column]["services"][0]["availability"]["downtime_ms"].as_u64().unwrap();
        assert_eq!([downtime("own"), downtime("other")], expected, "as of {as_of}");
    }
    running.stop().await;
}

async fn an_overdue_standing_on_record_takes_screens_and_checks_away_and_a_payment_brings_them_back(place: &Place) {
    let running = Running::on(place).await;
    assert_eq!(running.page("/services/apm").await.status(), 200);
    let first = running.checks(None, "0s").await;
    let known = first.headers()["etag"].to_str().unwrap().to_owned();
    assert!(first.text().await.unwrap().contains("login"));

    // Due nine days ago: screens have stopped since the day after, and agents look on for a day.
    running.record("kim", standing("2026-10-01T06:00:10Z", Standing::Overdue)).await;
    let page = running.page_with("/services/apm", "fees are overdue").await;
    assert!(page.contains("2026-10-02 06:00:10"), "{page}");
    assert_eq!(running.checks(Some(&known), "0s").await.status(), 304);

    // An agent that waits hears of the tenth day's end when it comes, and not after its wait.
    running.hand.advance(DAY);
    let before = running.hand.sleepers();
    let waiting = running.checks(Some(&known), "50s");
    let passing = async {
        while running.hand.sleepers() <= before {
            tokio::task::yield_now().await;
        }
        running.hand.advance(Duration::from_secs(9));
    };
    let (stopped, ()) = tokio::join!(waiting, passing);
    assert_eq!(stopped.status(), 200);
    assert!(!stopped.text().await.unwrap().contains("login"));

    running.record("lee", standing("2026-10-11T06:00:00Z", Standing::Paid)).await;
    running.page_with("/services/apm", "<h1").await;
    while !running.checks(None, "0s").await.text().await.unwrap().contains("login") {}
    assert_eq!(running.page("/services/apm").await.status(), 200);
    running.stop().await;
}
