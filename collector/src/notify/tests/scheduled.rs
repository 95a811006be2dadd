//! Reports that are due, on a clock that the test moves.

use super::receiver::{Answering, Receiver};
use super::stand::{Stand, hours, seconds};
use crate::ledger::contract::facts;
use crate::ledger::contract::place::Place;
use crate::notify::reports::Scheduler;
use base64::Engine as _;

facts! {
    a_report_is_sent_once_a_day_whichever_collector_is_first
    a_report_that_nobody_sent_in_time_is_sent_late_and_skipped_after_half_a_day
}

pub(super) async fn look(stand: &Stand) {
    Scheduler::new(&stand.facts).look().await;
}

const DAILY: &str = "{ report: evening, every: daily, at: '18:00', channel: hook, format: json }";

async fn reporting(place: &Place, receiver: &Receiver) -> Stand {
    let channel = format!("{{ channel: hook, webhook: {{ url: '{}' }} }}", receiver.url);
    Stand::reporting(place, &channel, DAILY).await
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
    let content = base64::engine::general_purpose::STANDARD.decode(body["content_base64"].as_str().unwrap()).unwrap();
    let statement: serde_json::Value = serde_json::from_slice(&content).unwrap();
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
