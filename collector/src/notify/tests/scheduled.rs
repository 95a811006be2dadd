//! Reports that are due, on a clock that the test moves.

use super::receiver::{Answering, Receiver, Request};
use super::stand::{Stand, hours, seconds};
use crate::closing::closer::{Closed, close};
use crate::closing::issue::{Desk, Wish};
use crate::ledger::contract::facts;
use crate::ledger::contract::place::Place;
use crate::notify::reports::Scheduler;
use crate::record::{Draft, RecordError};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use config::collector::CollectorConfig;
use rules::record::Fact;
use rules::standing::{Change, Standing};
use tempfile::TempDir;

facts! {
    a_report_is_sent_once_a_day_whichever_collector_is_first
    a_report_that_nobody_sent_in_time_is_sent_late_and_skipped_after_half_a_day
    a_monthly_report_is_what_was_issued_whatever_is_on_record_since
}

const MONTHLY: &str = "
    { report: file, every: monthly, channel: hook, format: json },
    { report: sheet, every: monthly, channel: hook, format: csv },
    { report: pages, every: monthly, channel: hook, format: pdf }";

pub(super) async fn look(stand: &Stand) {
    Scheduler::new(&stand.facts).look().await;
}

const DAILY: &str = "{ report: evening, every: daily, at: '18:00', channel: hook, format: json }";

async fn reporting(place: &Place, receiver: &Receiver) -> Stand {
    sending(place, receiver, DAILY).await
}

async fn sending(place: &Place, receiver: &Receiver, reports: &str) -> Stand {
    let channel = format!("{{ channel: hook, webhook: {{ url: '{}' }} }}", receiver.url);
    Stand::reporting(place, &channel, reports).await
}

fn content(request: &Request) -> Vec<u8> {
    let body: serde_json::Value = serde_json::from_slice(&request.body).unwrap();
    STANDARD.decode(body["content_base64"].as_str().unwrap()).unwrap()
}

async fn a_report_is_sent_once_a_day_whichever_collector_is_first(place: &Place) {
    let receiver = Receiver::start(Answering::Ok).await;
    let (one, other) = (reporting(place, &receiver).await, reporting(place, &receiver).await);
    // At nine in the morning yesterday's is fifteen hours late, and is skipped.
    for stand in [&one, &other] {
        stand.hand.advance(hours(9) - seconds(1));
        look(stand).await;
        stand.outbox().send_due().await;
    }
    assert_eq!(receiver.requests().len(), 0);
    for stand in [&one, &other] {
        stand.hand.advance(seconds(1));
    }
    tokio::join!(look(&one), look(&other));
    let (mut first, mut second) = (one.outbox(), other.outbox());
    tokio::join!(first.send_due(), second.send_due());
    look(&other).await;
    second.send_due().await;
    let requests = receiver.requests();
    assert_eq!(requests.len(), 1);
    assert_eq!(requests[0].key, "report:acme:2026-10-01T09:00:00Z:evening");
    let body: serde_json::Value = serde_json::from_slice(&requests[0].body).unwrap();
    assert_eq!(
        (&body["kind"], &body["period"], &body["file"]),
        (&"report".into(), &"2026-10".into(), &"acme-2026-10.json".into())
    );
    let statement: serde_json::Value = serde_json::from_slice(&content(&requests[0])).unwrap();
    assert_eq!(statement["statement"]["agreement"], "acme");
}

async fn a_report_that_nobody_sent_in_time_is_sent_late_and_skipped_after_half_a_day(place: &Place) {
    let receiver = Receiver::start(Answering::Ok).await;
    let stand = reporting(place, &receiver).await;
    stand.hand.advance(hours(9 + 11));
    look(&stand).await;
    stand.outbox().send_due().await;
    assert_eq!(receiver.requests().len(), 1);
    // Nobody runs until the next one is thirteen hours late.
    stand.hand.advance(hours(2 + 24));
    let restarted = reporting(place, &receiver).await;
    restarted.hand.step_wall(stand.now());
    look(&restarted).await;
    restarted.outbox().send_due().await;
    assert_eq!(receiver.requests().len(), 1);
    assert_eq!(stand.ledger.outbox().await.unwrap().given_up, 1);
}

async fn a_monthly_report_is_what_was_issued_whatever_is_on_record_since(place: &Place) {
    let receiver = Receiver::start(Answering::Ok).await;
    let stand = sending(place, &receiver, MONTHLY).await;
    stand.hand.advance(hours(24 * 42));
    let home = TempDir::new().unwrap();
    let mut config = CollectorConfig::clone(&stand.facts.config.borrow());
    config.closing.keys = home.path().join("keys");
    let (evidence, record) = (&stand.facts.evidence, &stand.facts.record);
    let desk = Desk { ledger: &*stand.ledger, evidence, record, config: &config };
    let agreement = stand.agreement().id;
    let closed = close(&desk, (&agreement, "2026-10".parse().unwrap()), stand.now(), Wish::Due).await.unwrap();
    let Closed::Issued(issued) = closed else { panic!("{closed:?} instead of an issued statement") };
    // On trial all month: the next version would exclude all of it.
    let trial = Fact::Standing(Change { from: "2026-09-01T00:00:00Z".parse().unwrap(), standing: Standing::Trial });
    let append = record.append(&agreement, "kim", |_| Ok::<_, RecordError>(Draft::fact(trial.clone())));
    append.await.unwrap();
    stand.outbox().send_due().await;
    let mut requests = receiver.requests();
    requests.retain(|request| request.key.starts_with("report:"));
    requests.sort_by(|a, b| a.key.cmp(&b.key));
    let [file, pages, sheet] = requests.try_into().unwrap();
    assert_eq!(content(&file), issued.bytes);
    let sheet = String::from_utf8(content(&sheet)).unwrap();
    let hash = crate::digest::hex(&issued.sha256);
    assert!(sheet.contains(&hash) && !sheet.contains("trial"), "{sheet}");
    assert!(content(&pages).starts_with(b"%PDF-"));
    let body: serde_json::Value = serde_json::from_slice(&file.body).unwrap();
    assert_eq!((&body["issued"], &body["content_type"]), (&1.into(), &"application/json".into()));
}
