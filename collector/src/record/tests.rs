//! Records on real ledgers: two collectors, kills, and what was changed behind their backs.

use super::*;
use crate::ledger::contract::facts;
use crate::ledger::contract::place::Place;
use crate::record::chain::NotWhole;
use rules::exclusion::{Class, Exclusion};
use rules::incident::{Clock as PromiseClock, Event, Opened, Opening};
use rules::interval::Interval;
use rules::record::{BY_NINES, Disposal, Ground};
use rules::retainer::{Effort, ManMonths, Work};
use rules::standing::{Change, Standing};
use tokio::task::JoinSet;

facts! {
    what_is_appended_is_read_by_others_and_after_a_kill
    two_collectors_append_what_only_one_may_once
    many_appends_at_once_are_all_there_in_order
    a_flipped_byte_is_found_and_told_by_its_number
    a_missing_entry_is_found
    an_entry_of_a_later_program_is_refused_and_not_skipped
    a_record_never_goes_back_in_time
}

const NOW: i64 = 1_791_000_000_000;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(NOW + seconds * 1_000)
}

fn acme() -> AgreementId {
    "acme".parse().unwrap()
}

fn remark(text: &str) -> Fact {
    Fact::Incident { incident: 1, event: Event::Remark(text.into()) }
}

async fn record(place: &Place) -> Record {
    let (clock, _) = Clock::manual(at(0));
    Record::load(place.open().await, clock).await.unwrap()
}

async fn append(record: &Record, fact: Fact) -> Vec<Entry> {
    let draft = |_: Before<'_>| Ok::<_, RecordError>(Draft::fact(fact.clone()));
    record.append(&acme(), "kim", draft).await.unwrap()
}

async fn what_is_appended_is_read_by_others_and_after_a_kill(place: &Place) {
    let (one, other) = (record(place).await, record(place).await);
    let mut heard = other.changes();
    assert_eq!(one.entries(&acme()).as_slice(), []);
    let first = append(&one, remark("첫째")).await;
    assert_eq!((first[0].number, first[0].recorded_at, first[0].recorded_by.as_str()), (1, at(0), "kim"));
    other.follow().await.unwrap();
    assert!(heard.has_changed().unwrap());
    heard.mark_unchanged();
    append(&other, remark("second")).await;
    assert!(heard.has_changed().unwrap());
    append(&one, remark("third")).await;
    drop((one, other));
    let facts: Vec<Fact> = record(place).await.entries(&acme()).iter().map(|entry| entry.fact.clone()).collect();
    assert_eq!(facts, [remark("첫째"), remark("second"), remark("third")]);
    let verified = chain::verify(&*place.open().await, &acme(), &[]).await.unwrap();
    assert_eq!(verified.entries, 3);
}

async fn two_collectors_append_what_only_one_may_once(place: &Place) {
    let mut appends = JoinSet::new();
    for nth in 0..6 {
        let record = record(place).await;
        appends.spawn(async move {
            // What only one may: to be the first.
            let decide = |before: Before<'_>| {
                let draft = Draft { facts: vec![remark(&format!("{nth}"))], ..Draft::default() };
                Ok::<_, RecordError>(if before.entries.is_empty() { draft } else { Draft::default() })
            };
            record.append(&acme(), BY_NINES, decide).await.unwrap().len()
        });
    }
    assert_eq!(appends.join_all().await.into_iter().sum::<usize>(), 1);
    assert_eq!(record(place).await.entries(&acme()).len(), 1);
}

async fn many_appends_at_once_are_all_there_in_order(place: &Place) {
    let records = [record(place).await, record(place).await];
    let mut appends = JoinSet::new();
    for nth in 0..24 {
        let record = records[nth % 2].clone();
        appends.spawn(async move { append(&record, remark(&format!("{nth}"))).await[0].number });
    }
    let mut numbers = appends.join_all().await;
    numbers.sort_unstable();
    assert!(numbers.into_iter().eq(1..=24));
    for record in &records {
        record.follow().await.unwrap();
    }
    assert_eq!(records[0].entries(&acme()), records[1].entries(&acme()));
}

async fn a_flipped_byte_is_found_and_told_by_its_number(place: &Place) {
    let held = record(place).await;
    for text in ["one", "two", "three"] {
        append(&held, remark(text)).await;
    }
    let flips = [
        "UPDATE entries SET body = replace(body, 'two', 'twp') WHERE number = 2",
        "UPDATE entries SET body = replace(body, 'twp', 'two'), recorded_by = 'kin' WHERE number = 2",
        "UPDATE entries SET recorded_by = 'kim', recorded_at = recorded_at + 1 WHERE number = 2",
    ];
    for flip in flips {
        place.tamper(flip).await;
        let (clock, _) = Clock::manual(at(0));
        let refusal = Record::load(place.open().await, clock).await.unwrap_err();
        assert!(matches!(refusal, RecordError::Broken { number: 2, .. }), "{refusal}");
        let refusal = chain::verify(&*place.open().await, &acme(), &[]).await.unwrap_err().to_string();
        insta::allow_duplicates! {
            insta::assert_snapshot!(refusal, @"failed to read the record of `acme`: the hash of entry 2 does not follow from its contents; it was changed after it was written, so restore the ledger from a backup");
        }
    }
    place.tamper("UPDATE entries SET recorded_at = recorded_at - 1 WHERE number = 2").await;
    assert_eq!(record(place).await.entries(&acme()).len(), 3);
}

async fn a_missing_entry_is_found(place: &Place) {
    let held = record(place).await;
    for text in ["one", "two", "three"] {
        append(&held, remark(text)).await;
    }
    place.tamper("DELETE FROM entries WHERE number = 3").await;
    let refusal = chain::verify(&*place.open().await, &acme(), &[]).await.unwrap_err();
    assert!(matches!(refusal, NotWhole::Record(RecordError::Missing { number: 3, .. })), "{refusal}");
    let (clock, _) = Clock::manual(at(0));
    let refusal = Record::load(place.open().await, clock).await.unwrap_err();
    assert!(matches!(refusal, RecordError::Missing { number: 3, .. }), "{refusal}");
    place.tamper("DELETE FROM entries WHERE number = 1").await;
    let refusal = chain::verify(&*place.open().await, &acme(), &[]).await.unwrap_err();
    assert!(matches!(refusal, NotWhole::Record(RecordError::Missing { number: 1, .. })), "{refusal}");
}

async fn an_entry_of_a_later_program_is_refused_and_not_skipped(place: &Place) {
    let held = record(place).await;
    append(&held, remark("one")).await;
    let ledger = place.open().await;
    let last = ledger.entries_from(&acme(), 1, 9).await.unwrap().remove(0);
    let body = r#"{"version":1,"sunset":{"at":"2030-01-01T00:00:00Z"}}"#.to_owned();
    let mut later = StoredEntry { number: 2, body, ..last.clone() };
    later.hash = chain::hash(&acme(), &last.hash, &later);
    let booking = Booking { agreement: acme(), next: 2, entries: vec![later], messages: Vec::new(), issued: None };
    assert_eq!(ledger.book(booking).await.unwrap(), Booked::Durable);
    assert_eq!(chain::verify(&*ledger, &acme(), &[]).await.unwrap().entries, 2);
    let refusal = held.follow().await.unwrap_err();
    insta::allow_duplicates! {
        insta::assert_snapshot!(refusal, @"failed to read the record of `acme`: entry 2 is a fact of kind `sunset`, which this program does not know; use the version that wrote it");
    }
    let decide = |_: Before<'_>| Ok::<_, RecordError>(Draft::fact(remark("blind")));
    assert!(matches!(held.append(&acme(), "kim", decide).await, Err(RecordError::Unreadable { .. })));
    assert_eq!(held.entries(&acme()).len(), 1);
}

async fn a_record_never_goes_back_in_time(place: &Place) {
    let (clock, hand) = Clock::manual(at(60));
    let ahead = Record::load(place.open().await, clock).await.unwrap();
    append(&ahead, remark("ahead")).await;
    let behind = record(place).await;
    assert_eq!(append(&behind, remark("behind")).await[0].recorded_at, at(60));
    hand.advance(Duration::from_secs(5));
    assert_eq!(append(&ahead, remark("ahead")).await[0].recorded_at, at(65));
}

fn exclusion() -> Exclusion {
    Exclusion {
        services: Some(["apm".parse().unwrap(), "서비스".parse().unwrap()].into()),
        reason: "정기 점검 \"x\"\n<b>".into(),
        told_at: Some(Timestamp::from_millis(NOW - 86_400_001)),
        ..Exclusion::new(Interval::new(at(0), at(60)).unwrap(), Class::AnnouncedMaintenance)
    }
}

fn every_fact() -> Vec<Fact> {
    let event = |event| Fact::Incident { incident: 7, event };
    let opening = Opening {
        services: ["apm".parse().unwrap()].into(),
        severity: "P1".into(),
        began_at: at(1),
        cause: Opened::ByOutage,
        title: "중단".into(),
    };
    let mut facts = vec![
        Fact::Exclusion { exclusion: exclusion(), supersedes: Some(3) },
        Fact::Exclusion { exclusion: Exclusion { services: None, told_at: None, ..exclusion() }, supersedes: None },
        Fact::Withdrawal { entry: 1, reason: "moved".into() },
        Fact::Approval { entry: 1 },
        Fact::Refusal { entry: 1, reason: "no".into() },
        event(Event::Opened(opening.clone())),
        event(Event::Opened(Opening { cause: Opened::ByHand, ..opening })),
        event(Event::Acknowledged),
        event(Event::Started),
        event(Event::OutageEnded { ended_at: at(9) }),
        Fact::Effort(Effort { work: Work::Incident(7), at: at(3), worked: ManMonths(50), note: "복구".into() }),
        Fact::Effort(Effort { work: Work::Diagnosis, at: at(3), worked: ManMonths(125), note: "정기".into() }),
        Fact::Issue { month: "2026-10".parse().unwrap(), version: 2, sha256: [0xa7; 32] },
    ];
    let texts = [Event::Notice, Event::Update, Event::Progress, Event::Resolved, Event::Report, Event::Severity];
    facts.extend(texts.map(|said| event(said("말".into()))));
    facts.push(event(Event::Remark("note".into())));
    use PromiseClock::{Acknowledge, FirstNotice, Progress, Report, Resolve, Start, Update};
    let clocks = [Acknowledge, FirstNotice, Update, Start, Progress, Resolve, Report];
    facts.extend(clocks.map(|clock| event(Event::Missed { clock, due_at: at(4) })));
    let standings = [Standing::Trial, Standing::Paid, Standing::Overdue, Standing::Terminated];
    facts.extend(standings.map(|standing| Fact::Standing(Change { from: at(5), standing })));
    let grounds = [Ground::Returned, Ground::Retention, Ground::Erasure, Ground::Standing];
    facts.extend(grounds.map(|ground| Fact::Disposal(Disposal { ground, until: at(6), files: 3, results: 4 })));
    facts
}

#[test]
fn every_fact_comes_back_from_its_body() {
    for fact in every_fact() {
        let body = body::write(&fact);
        assert_eq!(body::read(&body).as_ref(), Ok(&fact), "{body}");
        bounds::check("kim", &fact).unwrap();
    }
}

#[test]
fn bodies_are_written_as_they_were_before() {
    let all: Vec<String> = every_fact().iter().map(body::write).collect();
    insta::assert_snapshot!(all.join("\n"));
}

#[test]
fn a_body_that_is_not_understood_says_what_of_it() {
    let check = |body: &str, said: &str| {
        let why = body::read(body).unwrap_err().to_string();
        assert!(why.contains(said), "{body}: {why}");
    };
    check("", "is no fact");
    check("[1]", "it is no object");
    check(r#"{"approval":{"entry":1}}"#, "it has no version");
    check(r#"{"version":2,"approval":{"entry":1}}"#, "is of version 2 and this program knows 1");
    check(r#"{"version":1}"#, "not one fact");
    check(r#"{"version":1,"approval":{"entry":1},"refusal":{"entry":1}}"#, "not one fact");
    check(r#"{"version":1,"sunset":{}}"#, "kind `sunset`, which this program does not know");
    check(r#"{"version":1,"approval":{"entry":1,"until":2}}"#, "unknown field `until`");
    check(r#"{"version":1,"approval":{}}"#, "missing field `entry`");
    check(r#"{"version":1,"incident":{"incident":1,"event":{"paused":{}}}}"#, "unknown variant `paused`");
    let exclusion = |from: &str, class: &str| {
        format!(
            r#"{{"version":1,"exclusion":{{"from":"{from}","until":"2026-10-02T00:00:00Z","class":"{class}","reason":"r"}}}}"#
        )
    };
    check(&exclusion("2026-10-02T00:00:00Z", "force_majeure"), "ends no later than it begins");
    check(&exclusion("yesterday", "force_majeure"), "`yesterday` is not an RFC 3339 instant");
    check(&exclusion("2026-10-01T00:00:00Z", "weather"), "`weather` is no class");
}

#[test]
fn what_is_too_long_or_empty_is_refused() {
    let check = |by: &str, fact: Fact, said: &str| {
        let why = bounds::check(by, &fact).unwrap_err().to_string();
        assert_eq!(why, said);
    };
    check("", remark("x"), "who records it is empty; say it in a few words");
    check("kim\u{7}", remark("x"), "who records it has a control character; leave it out");
    check("kim", remark(" \n"), "the remark is empty; say it in a few words");
    check("kim", remark(&"가".repeat(700)), "the remark has 2100 bytes; at most 2000 are allowed");
    let none = Exclusion { services: Some([].into()), ..exclusion() };
    check("kim", Fact::Exclusion { exclusion: none, supersedes: None }, "no service is named; name at least one");
    let many = (0..1_001).map(|nth| format!("s{nth}").parse().unwrap()).collect();
    let many = Exclusion { services: Some(many), ..exclusion() };
    let fact = Fact::Exclusion { exclusion: many, supersedes: None };
    check("kim", fact, "1001 services are named; at most 1000 are allowed, or all of them by naming none");
}
