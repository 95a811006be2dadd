//! Debian's Alertmanager, and a receiver of PagerDuty's shape.

use super::receiver::{Answering, Receiver};
use super::stand::{Stand, hours};
use crate::ledger::contract::place::Place;
use crate::notify::http::Poster;
use crate::notify::refresh::Refresher;
use rules::incident::Event;
use serde_json::Value;
use std::time::Duration;
use tempfile::TempDir;
use tokio::process::{Child, Command};

/// A real Alertmanager until it is dropped.
struct Alertmanager {
    url: String,
    _process: Child,
    _directory: TempDir,
}

/// How long one may take to answer on a loaded machine.
const START_TIME: Duration = Duration::from_secs(60);

impl Alertmanager {
    async fn start() -> Alertmanager {
        let directory = TempDir::new().unwrap();
        let config = directory.path().join("alertmanager.yml");
        std::fs::write(&config, "route: { receiver: none }\nreceivers: [{ name: none }]\n").unwrap();
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let url = format!("http://127.0.0.1:{port}");
        let process = Command::new("prometheus-alertmanager")
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.path={}", directory.path().join("data").display()))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .arg("--cluster.listen-address=")
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("tests/run installs prometheus-alertmanager");
        let alertmanager = Alertmanager { url, _process: process, _directory: directory };
        let ready = async {
            while reqwest::get(format!("{}/-/ready", alertmanager.url)).await.is_err() {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(START_TIME, ready).await.expect("Alertmanager answers within a minute");
        alertmanager
    }

    /// The labels of the alerts that are on: severity and incident.
    async fn active(&self) -> Vec<(String, String)> {
        let answer = reqwest::get(format!("{}/api/v2/alerts?active=true", self.url)).await.unwrap();
        let alerts: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
        let label = |alert: &Value, name: &str| alert["labels"][name].as_str().unwrap().to_owned();
        alerts.as_array().unwrap().iter().map(|alert| (label(alert, "severity"), label(alert, "incident"))).collect()
    }
}

async fn stand(place: &Place, url: &str) -> Stand {
    let stand = Stand::new(place, &format!("{{ channel: am, alertmanager: {{ url: '{url}' }} }}")).await;
    // Alertmanager goes by the machine's clock.
    stand.hand.step_wall(daemon::clock::Clock::system().wall());
    stand
}

#[tokio::test]
async fn alertmanager_shows_an_alert_until_the_incident_is_over() {
    let (place, alertmanager) = (Place::sqlite(), Alertmanager::start().await);
    let stand = stand(&place, &alertmanager.url).await;
    let mut outbox = stand.outbox();
    stand.opens().await;
    outbox.send_due().await;
    assert_eq!(alertmanager.active().await, [("P1".to_owned(), "1".to_owned())]);
    stand.happens(1, Event::Severity("P2".into())).await;
    outbox.send_due().await;
    assert_eq!(alertmanager.active().await, [("P2".to_owned(), "1".to_owned())]);
    stand.happens(1, Event::Resolved("a cable".into())).await;
    outbox.send_due().await;
    assert_eq!(alertmanager.active().await, []);
    assert_eq!(stand.ledger.outbox().await.unwrap().delivered, 3);
}

#[tokio::test]
async fn an_alertmanager_that_was_restarted_is_told_again_what_is_open_and_not_what_is_over() {
    let place = Place::sqlite();
    let first = Alertmanager::start().await;
    let before = stand(&place, &first.url).await;
    before.opens().await;
    before.opens().await;
    before.happens(2, Event::Resolved("a cable".into())).await;
    before.outbox().send_due().await;
    drop(first);
    let alertmanager = Alertmanager::start().await;
    let after = stand(&place, &alertmanager.url).await;
    after.outbox().send_due().await;
    assert_eq!(alertmanager.active().await, []);
    Refresher::new(&after.facts, Poster::new().unwrap()).once().await;
    assert_eq!(alertmanager.active().await, [("P1".to_owned(), "1".to_owned())]);
}

#[tokio::test]
async fn pagerduty_hears_trigger_acknowledge_and_resolve_under_one_key() {
    let (place, receiver) = (Place::sqlite(), Receiver::start(Answering::Status(202)).await);
    let key = "{ channel: pd, pagerduty: { url: 'URL', routing_key: '${CARGO_PKG_NAME}' } }";
    let stand = Stand::new(&place, &key.replace("URL", &receiver.url)).await;
    let mut outbox = stand.outbox();
    stand.opens().await;
    stand.happens(1, Event::Acknowledged).await;
    stand.happens(1, Event::Notice("we look".into())).await;
    stand.happens(1, Event::Resolved("a cable".into())).await;
    for _ in 0..3 {
        outbox.send_due().await;
    }
    let bodies = receiver.requests().into_iter().map(|request| serde_json::from_slice::<Value>(&request.body).unwrap());
    let mut told: Vec<(String, String, String)> = bodies
        .map(|body| {
            let text = |name: &str| body[name].as_str().unwrap().to_owned();
            assert_eq!(text("routing_key"), env!("CARGO_PKG_NAME"));
            let severity = body["payload"]["severity"].as_str().unwrap_or("-").to_owned();
            (text("event_action"), text("dedup_key"), severity)
        })
        .collect();
    told.sort();
    let expected = [("acknowledge", "-"), ("resolve", "-"), ("trigger", "critical")];
    let expected = expected.map(|(action, severity)| (action.into(), "nines:acme:1".into(), severity.into()));
    assert_eq!(told, expected);
    stand.hand.advance(hours(1));
    assert_eq!(stand.ledger.outbox().await.unwrap().waiting, 0);
}
