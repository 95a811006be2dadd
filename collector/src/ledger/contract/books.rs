//! Records, the outbox, issued statements, seals, keys, and blocks that are forgotten.

use super::facts;
use super::place::Place;
use super::samples::{advance, agent, at, checkpoint, effect, hour, run, series};
use crate::ledger::books::{
    Attempt, Booked, Booking, Forgotten, Issued, Message, Outbox, PublishedKey, Queued, Seal, StoredEntry, Turn,
};
use crate::ledger::{Advance, Committed, Ledger};
use rules::id::AgreementId;
use rules::outcome::OutcomeKind;
use rules::period::Month;
use rules::time::Timestamp;
use std::collections::BTreeSet;
use std::sync::Arc;
use tokio::task::JoinSet;

/// Takes version 3 of the schema and what came after it away again.
pub(super) const BEFORE_BOOKS: &str = "DROP TABLE records; DROP TABLE entries; DROP TABLE messages;
    DROP TABLE statements; DROP TABLE seals; DROP TABLE signing_keys; DROP TABLE forgotten;
    UPDATE meta SET value = 2 WHERE name = 'schema'";

facts! {
    a_booking_is_there_after_reopening
    of_two_bookings_with_one_number_nothing_of_the_second_happens
    two_collectors_booking_at_once_number_without_a_gap
    a_message_key_that_comes_twice_is_told_once
    a_channel_with_much_to_tell_leaves_room_for_the_others
    what_is_told_of_an_incident_waits_until_what_comes_before_it_is_settled
    of_many_who_claim_a_message_exactly_one_has_it
    an_attempt_is_delivered_tried_again_or_given_up
    delivered_stays_delivered
    a_claim_that_is_never_heard_of_again_comes_due
    a_version_of_a_statement_is_issued_once_and_in_order
    a_statement_of_some_megabytes_comes_back
    seals_are_numbered_without_a_gap
    keys_are_published_once_and_retired_once
    forgotten_blocks_leave_everything_else
    blocks_are_forgotten_up_to_the_first_that_must_stay
    a_ledger_from_before_the_books_gets_them
}

fn acme() -> AgreementId {
    "acme 계약".parse().unwrap()
}

fn month() -> Month {
    "2026-10".parse().unwrap()
}

fn entry(number: u64, body: &str) -> StoredEntry {
    let hash = [u8::try_from(number % 256).unwrap(); 32];
    StoredEntry { number, recorded_at: at(5), recorded_by: "김운영".into(), body: body.into(), hash }
}

fn message(key: &str, due: i64) -> Message {
    let (channel, body) = ("webhook".to_owned(), format!("body of {key}"));
    Message { key: key.into(), agreement: acme(), channel, body, due_at: at(due), turn: None }
}

fn statement(version: u32) -> Issued {
    let bytes = format!("version {version}").into_bytes();
    Issued { agreement: acme(), month: month(), version, issued_at: at(7), sha256: [version as u8; 32], bytes }
}

/// A booking of `count` entries from `next` on.
fn booking(next: u64, count: u64) -> Booking {
    let entries = (next..next + count).map(|number| entry(number, "{}")).collect();
    Booking { agreement: acme(), next, entries, messages: Vec::new(), issued: None }
}

async fn book(ledger: &Arc<dyn Ledger>, booking: Booking) -> Booked {
    ledger.book(booking).await.unwrap()
}

async fn due(ledger: &Arc<dyn Ledger>, now: i64) -> Vec<(String, u32)> {
    let due = ledger.due_messages(at(now), 99).await.unwrap();
    due.into_iter().map(|queued| (queued.message.key, queued.attempts)).collect()
}

async fn a_booking_is_there_after_reopening(place: &Place) {
    let full = Booking {
        messages: vec![message("a", 3), message("b", 2)],
        issued: Some(statement(1)),
        entries: vec![entry(1, "{\"가\":1}"), entry(2, "{}")],
        ..booking(1, 0)
    };
    let ledger = place.open().await;
    assert_eq!(book(&ledger, full.clone()).await, Booked::Durable);
    drop(ledger);
    let ledger = place.open().await;
    assert_eq!(ledger.records().await.unwrap(), [(acme(), 2)]);
    assert_eq!(ledger.entries_from(&acme(), 0, 99).await.unwrap(), full.entries);
    assert_eq!(ledger.entries_from(&acme(), 2, 99).await.unwrap(), full.entries[1..]);
    assert_eq!(ledger.entries_from(&acme(), 1, 1).await.unwrap(), full.entries[..1]);
    assert_eq!(ledger.entries_from(&"other".parse().unwrap(), 1, 9).await.unwrap(), []);
    let queued = |message: &Message| Queued { message: message.clone(), attempts: 0 };
    let waiting = [queued(&full.messages[1]), queued(&full.messages[0])];
    assert_eq!(ledger.due_messages(at(3), 99).await.unwrap(), waiting);
    assert_eq!(ledger.due_messages(at(3), 1).await.unwrap(), waiting[..1]);
    assert_eq!(ledger.issued(&acme(), Some(month())).await.unwrap(), [statement(1)]);
}

async fn of_two_bookings_with_one_number_nothing_of_the_second_happens(place: &Place) {
    let (one, other) = (place.open().await, place.open().await);
    assert_eq!(book(&one, booking(1, 2)).await, Booked::Durable);
    let second = |next| Booking {
        messages: vec![message("late", 0)],
        issued: Some(statement(1)),
        entries: vec![entry(next, "late")],
        ..booking(next, 0)
    };
    for next in [1, 2, 4] {
        assert_eq!(book(&other, second(next)).await, Booked::Collided, "{next}");
    }
    assert_eq!(other.records().await.unwrap(), [(acme(), 2)]);
    assert_eq!(other.entries_from(&acme(), 1, 99).await.unwrap(), booking(1, 2).entries);
    assert_eq!(other.outbox().await.unwrap(), Outbox::default());
    assert_eq!(other.issued(&acme(), None).await.unwrap(), []);
    let unheard = Booking { agreement: "unheard".parse().unwrap(), ..booking(2, 1) };
    assert_eq!(book(&other, unheard).await, Booked::Collided);
    assert_eq!(book(&other, second(3)).await, Booked::Durable);
    assert_eq!(one.records().await.unwrap(), [(acme(), 3)]);
}

/// Books `total` entries, reading again whenever another was faster; says how many were its own.
async fn race(ledger: Arc<dyn Ledger>, total: u64) -> u64 {
    let mut own = 0;
    loop {
        let records = ledger.records().await.unwrap();
        let length = records.first().map_or(0, |(_, length)| *length);
        if total <= length {
            return own;
        }
        let key = format!("message {}", length + 1);
        let next = Booking { messages: vec![message(&key, 0)], ..booking(length + 1, 1) };
        own += u64::from(book(&ledger, next).await == Booked::Durable);
    }
}

async fn two_collectors_booking_at_once_number_without_a_gap(place: &Place) {
    const TOTAL: u64 = 40;
    let handles = [place.open().await, place.open().await];
    let mut racers = JoinSet::new();
    for nth in 0..8 {
        racers.spawn(race(Arc::clone(&handles[nth % 2]), TOTAL));
    }
    assert_eq!(racers.join_all().await.into_iter().sum::<u64>(), TOTAL);
    assert_eq!(handles[0].entries_from(&acme(), 1, 99).await.unwrap(), booking(1, TOTAL).entries);
    assert_eq!(handles[1].outbox().await.unwrap().waiting, TOTAL);
}

async fn a_message_key_that_comes_twice_is_told_once(place: &Place) {
    let ledger = place.open().await;
    let again = Message { body: "another".into(), ..message("same", 1) };
    let twice = Booking { messages: vec![message("same", 0), again.clone()], ..booking(1, 0) };
    assert_eq!(book(&ledger, twice).await, Booked::Durable);
    let once_more = Booking { messages: vec![again, message("new", 1)], ..booking(1, 0) };
    assert_eq!(book(&ledger, once_more).await, Booked::Durable);
    let bodies = ledger.due_messages(at(9), 99).await.unwrap();
    let bodies: Vec<_> = bodies.iter().map(|queued| queued.message.body.as_str()).collect();
    assert_eq!(bodies, ["body of same", "body of new"]);
    ledger.settle_message("same", Attempt::Delivered { at: at(2) }).await.unwrap();
    let settled = Booking { messages: vec![message("same", 3)], ..booking(1, 0) };
    assert_eq!(book(&ledger, settled).await, Booked::Durable);
    assert_eq!(due(&ledger, 9).await, [("new".to_owned(), 0)]);
}

async fn a_channel_with_much_to_tell_leaves_room_for_the_others(place: &Place) {
    let ledger = place.open().await;
    let mut messages: Vec<Message> = (0..9).map(|nth| message(&format!("slow {nth}"), nth)).collect();
    messages.push(Message { channel: "other".into(), ..message("last", 50) });
    book(&ledger, Booking { messages, ..booking(1, 0) }).await;
    let due = ledger.due_messages(at(99), 2).await.unwrap();
    let due: Vec<&str> = due.iter().map(|queued| queued.message.key.as_str()).collect();
    assert_eq!(due, ["slow 0", "slow 1", "last"]);
}

async fn what_is_told_of_an_incident_waits_until_what_comes_before_it_is_settled(place: &Place) {
    let ledger = place.open().await;
    let told = |key: &str, incident, entry| Message { turn: Some(Turn { incident, entry }), ..message(key, 0) };
    let elsewhere = |message: Message| Message { channel: "other".into(), ..message };
    let messages = vec![
        told("1 is over", 1, 9),
        told("1 began", 1, 1),
        told("1 is taken", 1, 4),
        told("2 began", 2, 5),
        elsewhere(told("1 is over, elsewhere", 1, 9)),
        message("no incident", 0),
    ];
    assert_eq!(book(&ledger, Booking { messages, ..booking(1, 0) }).await, Booked::Durable);
    let keys = async |now| due(&ledger, now).await.into_iter().map(|(key, _)| key).collect::<BTreeSet<_>>();
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
    assert_eq!(keys(9).await, names(&["1 began", "1 is over, elsewhere", "2 began", "no incident"]));
    let again = Attempt::Again { due_at: at(20), error: "away".into() };
    ledger.settle_message("1 began", again).await.unwrap();
    assert_eq!(keys(9).await, names(&["1 is over, elsewhere", "2 began", "no incident"]));
    ledger.settle_message("1 began", Attempt::Delivered { at: at(21) }).await.unwrap();
    assert_eq!(keys(21).await, names(&["1 is over, elsewhere", "1 is taken", "2 began", "no incident"]));
    ledger.settle_message("1 is taken", Attempt::GivenUp { at: at(22), error: "refused".into() }).await.unwrap();
    assert_eq!(keys(22).await, names(&["1 is over", "1 is over, elsewhere", "2 began", "no incident"]));
    let queued = ledger.due_messages(at(22), 9).await.unwrap();
    let over = queued.iter().find(|queued| queued.message.key == "1 is over").unwrap();
    assert_eq!(over.message.turn, Some(Turn { incident: 1, entry: 9 }));
}

async fn of_many_who_claim_a_message_exactly_one_has_it(place: &Place) {
    let handles = [place.open().await, place.open().await];
    book(&handles[0], Booking { messages: vec![message("a", 0)], ..booking(1, 0) }).await;
    for attempts in 0..3 {
        let mut claims = JoinSet::new();
        for nth in 0..8 {
            let ledger = Arc::clone(&handles[nth % 2]);
            claims.spawn(async move { ledger.claim_message("a", attempts, at(10)).await.unwrap() });
        }
        assert_eq!(claims.join_all().await.into_iter().filter(|claimed| *claimed).count(), 1);
    }
    assert!(!handles[0].claim_message("unheard", 0, at(10)).await.unwrap());
}

async fn an_attempt_is_delivered_tried_again_or_given_up(place: &Place) {
    let ledger = place.open().await;
    book(&ledger, Booking { messages: ["a", "b", "c"].map(|key| message(key, 0)).to_vec(), ..booking(1, 0) }).await;
    for key in ["a", "b", "c"] {
        assert!(ledger.claim_message(key, 0, at(9)).await.unwrap());
    }
    let error = || format!("receiver said\0 {}", "무".repeat(4_000));
    ledger.settle_message("a", Attempt::Delivered { at: at(1) }).await.unwrap();
    ledger.settle_message("b", Attempt::Again { due_at: at(4), error: error() }).await.unwrap();
    ledger.settle_message("c", Attempt::GivenUp { at: at(1), error: error() }).await.unwrap();
    assert_eq!(due(&ledger, 3).await, []);
    assert_eq!(due(&ledger, 4).await, [("b".to_owned(), 1)]);
    assert_eq!(ledger.outbox().await.unwrap(), Outbox { waiting: 1, delivered: 1, given_up: 1 });
    assert!(!ledger.claim_message("a", 1, at(9)).await.unwrap());
    assert!(!ledger.claim_message("c", 1, at(9)).await.unwrap());
}

async fn delivered_stays_delivered(place: &Place) {
    let ledger = place.open().await;
    book(&ledger, Booking { messages: vec![message("a", 0), message("b", 0)], ..booking(1, 0) }).await;
    let failed = || Attempt::GivenUp { at: at(1), error: "refused".into() };
    ledger.settle_message("a", Attempt::Delivered { at: at(1) }).await.unwrap();
    ledger.settle_message("a", Attempt::Again { due_at: at(0), error: "late".into() }).await.unwrap();
    ledger.settle_message("a", failed()).await.unwrap();
    // An attempt that was thought lost had reached the receiver after all.
    ledger.settle_message("b", failed()).await.unwrap();
    ledger.settle_message("b", Attempt::Delivered { at: at(2) }).await.unwrap();
    assert_eq!(ledger.outbox().await.unwrap(), Outbox { waiting: 0, delivered: 2, given_up: 0 });
}

async fn a_claim_that_is_never_heard_of_again_comes_due(place: &Place) {
    let ledger = place.open().await;
    book(&ledger, Booking { messages: vec![message("a", 0)], ..booking(1, 0) }).await;
    assert!(ledger.claim_message("a", 0, at(5)).await.unwrap());
    assert_eq!(due(&ledger, 4).await, []);
    assert_eq!(due(&ledger, 5).await, [("a".to_owned(), 1)]);
    assert!(!ledger.claim_message("a", 0, at(9)).await.unwrap());
    assert!(ledger.claim_message("a", 1, at(9)).await.unwrap());
}

async fn a_version_of_a_statement_is_issued_once_and_in_order(place: &Place) {
    let ledger = place.open().await;
    let issue = |next, statement: Issued| {
        book(&ledger, Booking { issued: Some(statement), messages: vec![message("x", 0)], ..booking(next, 1) })
    };
    assert_eq!(issue(1, statement(2)).await, Booked::Collided);
    assert_eq!(issue(1, statement(1)).await, Booked::Durable);
    assert_eq!(issue(2, Issued { bytes: b"other".to_vec(), ..statement(1) }).await, Booked::Collided);
    assert_eq!(issue(2, statement(3)).await, Booked::Collided);
    assert_eq!(ledger.records().await.unwrap(), [(acme(), 1)]);
    let november = Issued { month: month().next(), ..statement(1) };
    assert_eq!(issue(2, november.clone()).await, Booked::Durable);
    assert_eq!(issue(3, statement(2)).await, Booked::Durable);
    assert_eq!(ledger.issued(&acme(), None).await.unwrap(), [statement(1), statement(2), november.clone()]);
    assert_eq!(ledger.issued(&acme(), Some(november.month)).await.unwrap(), [november]);
    assert_eq!(ledger.issued(&"other".parse().unwrap(), None).await.unwrap(), []);
}

async fn a_statement_of_some_megabytes_comes_back(place: &Place) {
    let ledger = place.open().await;
    let bytes: Vec<u8> = (0..5_000_000_u32).map(|nth| (nth.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let large = Issued { bytes, ..statement(1) };
    assert_eq!(book(&ledger, Booking { issued: Some(large.clone()), ..booking(1, 1) }).await, Booked::Durable);
    assert!(ledger.issued(&acme(), None).await.unwrap() == [large]);
}

async fn seals_are_numbered_without_a_gap(place: &Place) {
    let ledger = place.open().await;
    let seal = |number: u64| {
        let manifest = format!("manifest {number}");
        Seal { number, sealed_at: at(1), manifest, sha256: [number as u8; 32], verified_at: None }
    };
    assert_eq!(ledger.seal(seal(2)).await.unwrap(), Booked::Collided);
    assert_eq!(ledger.seal(seal(1)).await.unwrap(), Booked::Durable);
    let mut racers = JoinSet::new();
    for _ in 0..6 {
        let ledger = place.open().await;
        racers.spawn(async move { ledger.seal(seal(2)).await.unwrap() });
    }
    let outcomes = racers.join_all().await;
    assert_eq!(outcomes.into_iter().filter(|booked| *booked == Booked::Durable).count(), 1);
    ledger.verify_seal(1, at(3)).await.unwrap();
    ledger.verify_seal(1, at(4)).await.unwrap();
    let verified = Seal { verified_at: Some(at(4)), ..seal(1) };
    assert_eq!(ledger.seals_from(1, 99).await.unwrap(), [verified.clone(), seal(2)]);
    assert_eq!(ledger.seals_from(0, 1).await.unwrap(), [verified]);
    assert_eq!(ledger.seals_from(3, 99).await.unwrap(), []);
}

async fn keys_are_published_once_and_retired_once(place: &Place) {
    let ledger = place.open().await;
    let key = |id: &str, published| PublishedKey {
        id: id.into(),
        public: [published as u8; 32],
        published_at: at(published),
        retired_at: None,
    };
    ledger.publish_key(key("b", 1)).await.unwrap();
    ledger.publish_key(key("a", 2)).await.unwrap();
    ledger.publish_key(key("b", 9)).await.unwrap();
    ledger.retire_key("b", at(3)).await.unwrap();
    ledger.retire_key("b", at(8)).await.unwrap();
    ledger.retire_key("unheard", at(8)).await.unwrap();
    let retired = PublishedKey { retired_at: Some(at(3)), ..key("b", 1) };
    assert_eq!(ledger.keys().await.unwrap(), [retired, key("a", 2)]);
}

/// Commits ten blocks of ten minutes with what is derived from them, and a checkpoint at `position`.
async fn ten_blocks(ledger: &Arc<dyn Ledger>, position: u64) -> Advance {
    let a = agent("a");
    let runs = vec![run(OutcomeKind::Up, 0), run(OutcomeKind::Down, 10)];
    let committed = Advance {
        effects: vec![effect(series(&a, 0), None, runs, vec![hour(0, 5)])],
        checkpoint: Some(checkpoint(position, "open")),
        ..advance(&a, 0, 0, 0, 10)
    };
    assert_eq!(ledger.commit(vec![committed.clone()]).await.unwrap(), Committed::Durable);
    committed
}

async fn forgotten_blocks_leave_everything_else(place: &Place) {
    let (ledger, a) = (place.open().await, agent("a"));
    let committed = ten_blocks(&ledger, 10).await;
    ledger.commit(vec![advance(&agent("b"), 0, 0, 0, 3)]).await.unwrap();
    let kept = async |ledger: &Arc<dyn Ledger>| {
        let derived = ledger.derived(&a, Timestamp::MIN).await.unwrap();
        (
            derived,
            ledger.checkpoint(&a).await.unwrap(),
            ledger.positions().await.unwrap(),
            ledger.lanes().await.unwrap(),
        )
    };
    let before = kept(&ledger).await;
    assert_eq!(ledger.forgotten(&a).await.unwrap(), None);
    assert_eq!(ledger.forget_blocks(&a, 4, at(1_000)).await.unwrap(), 4);
    assert_eq!(ledger.forget_blocks(&a, 4, at(1_000)).await.unwrap(), 0);
    drop(ledger);

    let ledger = place.open().await;
    assert_eq!(kept(&ledger).await, before);
    assert_eq!(ledger.blocks_from(&a, 0, 99).await.unwrap(), committed.blocks[4..]);
    let until = Timestamp::from_millis(at(39).as_millis() + 1);
    assert_eq!(ledger.forgotten(&a).await.unwrap(), Some(Forgotten { position: 4, until }));
    assert_eq!(ledger.blocks_from(&agent("b"), 0, 99).await.unwrap().len(), 3);
    assert_eq!(ledger.commit(vec![advance(&a, 10, 0, 10, 2)]).await.unwrap(), Committed::Durable);
    assert_eq!(ledger.commit(vec![advance(&a, 0, 0, 0, 2)]).await.unwrap(), Committed::Collided(vec![a.clone()]));
    assert_eq!(ledger.blocks_from(&a, 4, 99).await.unwrap().len(), 8);
}

async fn blocks_are_forgotten_up_to_the_first_that_must_stay(place: &Place) {
    let (ledger, a) = (place.open().await, agent("a"));
    assert_eq!(ledger.forget_blocks(&a, 9, at(1_000)).await.unwrap(), 0);
    ten_blocks(&ledger, 7).await;
    // Block 2 spans the minutes 20 to 29.
    assert_eq!(ledger.forget_blocks(&a, 9, at(29)).await.unwrap(), 2);
    assert_eq!(ledger.forget_blocks(&a, 9, at(30)).await.unwrap(), 1);
    // The checkpoint holds seven.
    assert_eq!(ledger.forget_blocks(&a, u64::MAX, at(1_000)).await.unwrap(), 4);
    assert_eq!(ledger.blocks_from(&a, 0, 99).await.unwrap()[0].position, 7);

    let b = agent("b");
    ledger.commit(vec![advance(&b, 0, 0, 0, 10)]).await.unwrap();
    assert_eq!(ledger.forget_blocks(&b, 9, at(1_000)).await.unwrap(), 0);
    let many = Advance { checkpoint: Some(checkpoint(3_010, "open")), ..advance(&b, 10, 0, 10, 3_000) };
    ledger.commit(vec![many]).await.unwrap();
    assert_eq!(ledger.forget_blocks(&b, 2_500, Timestamp::MAX).await.unwrap(), 2_500);
    assert_eq!(ledger.forgotten(&b).await.unwrap().unwrap().position, 2_500);
}

async fn a_ledger_from_before_the_books_gets_them(place: &Place) {
    let ledger = place.open().await;
    let committed = ten_blocks(&ledger, 10).await;
    drop(ledger);
    place.tamper(BEFORE_BOOKS).await;
    let ledger = place.open().await;
    assert_eq!(ledger.blocks_from(&agent("a"), 0, 99).await.unwrap(), committed.blocks);
    assert_eq!(book(&ledger, booking(1, 1)).await, Booked::Durable);
    drop(ledger);
    assert_eq!(place.open().await.records().await.unwrap(), [(acme(), 1)]);
}
