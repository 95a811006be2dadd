//! Notifications against real receivers: HTTP servers that verify, Debian's Alertmanager, an SMTP server.

mod alerts;
mod mails;
mod receiver;
mod scheduled;
pub(crate) mod stand;

use crate::ledger::contract::facts;
use crate::ledger::contract::place::Place;
use receiver::{Answering, Receiver};
use rules::incident::Event;
use stand::{Stand, hours, seconds};

facts! {
    an_event_is_told_once_however_many_collectors_there_are
    a_crash_after_sending_tells_again_with_the_same_key
    a_receiver_that_is_away_is_asked_again_until_it_is_back
    what_nobody_takes_is_given_up_after_three_days
    a_slow_channel_holds_up_only_itself
    a_message_and_its_entry_are_booked_together_or_not_at_all
}

fn webhook(receiver: &Receiver) -> String {
    format!("{{ channel: hook, webhook: {{ url: '{}', secret: '${{CARGO_PKG_NAME}}' }} }}", receiver.url)
}

async fn an_event_is_told_once_however_many_collectors_there_are(place: &Place) {
    let receiver = Receiver::start(Answering::Ok).await;
    let (one, other) = (Stand::new(place, &webhook(&receiver)).await, Stand::new(place, &webhook(&receiver)).await);
    one.opens().await;
    one.happens(1, Event::Acknowledged).await;
    let (mut first, mut second) = (one.outbox(), other.outbox());
    tokio::join!(first.send_due(), second.send_due());
    tokio::join!(first.send_due(), second.send_due());
    let mut keys: Vec<String> = receiver.requests().iter().map(|request| request.key.clone()).collect();
    keys.sort();
    assert_eq!(keys, ["incident_acknowledged:acme:2:hook", "incident_opened:acme:1:hook"]);
    let told = one.facts.metrics.notifications_delivered.with_label_values(&["hook"]).get();
    let others = other.facts.metrics.notifications_delivered.with_label_values(&["hook"]).get();
    assert_eq!(told + others, 2);
    // The receiver checked each signature with the documented recipe.
    assert!(receiver.requests().iter().all(|request| request.is_genuine));
}

async fn a_crash_after_sending_tells_again_with_the_same_key(place: &Place) {
    let receiver = Receiver::start(Answering::Never).await;
    let stand = Stand::new(place, &webhook(&receiver)).await;
    stand.opens().await;
    let mut killed = stand.outbox();
    tokio::select! {
        () = killed.send_due() => panic!("the receiver never answers"),
        () = receiver.has(1) => {}
    }
    drop(killed);
    receiver.now(Answering::Ok);
    let mut next = stand.outbox();
    next.send_due().await;
    assert_eq!(receiver.requests().len(), 1, "somebody may still be at it");
    stand.hand.advance(seconds(121));
    next.send_due().await;
    let requests = receiver.requests();
    assert_eq!(requests.len(), 2);
    assert_eq!((&requests[0].key, &requests[0].body), (&requests[1].key, &requests[1].body));
    stand.hand.advance(hours(1));
    next.send_due().await;
    assert_eq!(receiver.requests().len(), 2);
}

async fn a_receiver_that_is_away_is_asked_again_until_it_is_back(place: &Place) {
    let receiver = Receiver::start(Answering::Status(503)).await;
    let stand = Stand::new(place, &webhook(&receiver)).await;
    stand.opens().await;
    let mut outbox = stand.outbox();
    for attempts in 1..=3 {
        outbox.send_due().await;
        assert_eq!(receiver.requests().len(), attempts);
        stand.hand.advance(hours(1));
    }
    receiver.now(Answering::Ok);
    outbox.send_due().await;
    stand.hand.advance(hours(1));
    outbox.send_due().await;
    assert_eq!(receiver.requests().len(), 4);
    assert_eq!(stand.ledger.outbox().await.unwrap().delivered, 1);
}

async fn what_nobody_takes_is_given_up_after_three_days(place: &Place) {
    let receiver = Receiver::start(Answering::Status(500)).await;
    let stand = Stand::new(place, &webhook(&receiver)).await;
    stand.opens().await;
    let mut outbox = stand.outbox();
    stand.hand.advance(hours(71));
    outbox.send_due().await;
    assert_eq!(stand.ledger.outbox().await.unwrap().waiting, 1);
    stand.hand.advance(hours(1));
    outbox.send_due().await;
    let left = stand.ledger.outbox().await.unwrap();
    assert_eq!((left.waiting, left.given_up), (0, 1));
    assert_eq!(stand.facts.metrics.notifications_given_up.with_label_values(&["hook"]).get(), 1);
}

async fn a_slow_channel_holds_up_only_itself(place: &Place) {
    let (slow, quick) = (Receiver::start(Answering::Never).await, Receiver::start(Answering::Ok).await);
    let channels = format!(
        "{{ channel: slow, webhook: {{ url: '{}' }} }}, {{ channel: quick, webhook: {{ url: '{}' }} }}",
        slow.url, quick.url
    );
    let stand = Stand::new(place, &channels).await;
    stand.opens().await;
    for _ in 0..30 {
        stand.happens(1, Event::Progress("still".into())).await;
    }
    let cancel = tokio_util::sync::CancellationToken::new();
    let mut running = tokio::task::JoinSet::new();
    running.spawn(stand.outbox().run(cancel.clone()));
    while quick.requests().len() < 31 {
        tokio::task::yield_now().await;
        stand.hand.advance(seconds(1));
        tokio::time::timeout(seconds(1), quick.has(quick.requests().len() + 1)).await.ok();
    }
    assert!(slow.requests().len() < 16, "{} attempts at a channel that never answers", slow.requests().len());
    running.shutdown().await;
}

async fn a_message_and_its_entry_are_booked_together_or_not_at_all(place: &Place) {
    let receiver = Receiver::start(Answering::Ok).await;
    let stand = Stand::new(place, &webhook(&receiver)).await;
    let channels = stand.facts.config.borrow().channels.len();
    assert_eq!(channels, 1);
    stand.opens().await;
    let refused = stand.try_happens(7, Event::Acknowledged).await.unwrap_err();
    assert_eq!(refused.to_string(), "the record of `acme` has no incident 7");
    assert_eq!(stand.facts.record.entries(&stand.agreement().id).len(), 1);
    assert_eq!(stand.ledger.outbox().await.unwrap().waiting, 1);
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_a_secret_stays_where_it_was_sent() {
    let place = Place::sqlite();
    let elsewhere = Receiver::start(Answering::Ok).await;
    let receiver = Receiver::start(Answering::Redirect(elsewhere.url.clone())).await;
    let stand = Stand::new(&place, &webhook(&receiver)).await;
    stand.opens().await;
    stand.outbox().send_due().await;
    assert_eq!((receiver.requests().len(), elsewhere.requests().len()), (1, 0));
    assert_eq!(stand.ledger.outbox().await.unwrap().waiting, 1);
}

#[tokio::test]
async fn a_channel_hears_what_it_asked_for_and_nothing_else() {
    let place = Place::sqlite();
    let receiver = Receiver::start(Answering::Ok).await;
    let channel = format!("{{ channel: hook, webhook: {{ url: '{}' }}, events: [incident_resolved] }}", receiver.url);
    let stand = Stand::new(&place, &channel).await;
    stand.opens().await;
    stand.happens(1, Event::Acknowledged).await;
    stand.happens(1, Event::Remark("nobody hears this".into())).await;
    stand.happens(1, Event::Resolved("a cable".into())).await;
    stand.outbox().send_due().await;
    let keys: Vec<String> = receiver.requests().into_iter().map(|request| request.key).collect();
    assert_eq!(keys, ["incident_resolved:acme:4:hook"]);
}

#[tokio::test]
async fn a_webhook_says_what_the_page_on_notifications_promises() {
    let place = Place::sqlite();
    let receiver = Receiver::start(Answering::Ok).await;
    let stand = Stand::new(&place, &webhook(&receiver)).await;
    stand.opens().await;
    stand.outbox().send_due().await;
    let body: serde_json::Value = serde_json::from_slice(&receiver.requests()[0].body).unwrap();
    let page = include_str!("../../../docs/notifications.md");
    let example = page.split("```json\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let example: serde_json::Value = serde_json::from_str(example).unwrap();
    let keys = |value: &serde_json::Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&body), keys(&example));
    assert_eq!(keys(&body["incident"]), keys(&example["incident"]));
    for key in ["kind", "version", "event", "what", "language", "zone"] {
        assert_eq!(body[key], example[key], "{key}");
    }
}
