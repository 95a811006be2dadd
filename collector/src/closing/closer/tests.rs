//! A month from its first result to its third version, on both stores.

use super::*;
use crate::archive::export::{Export, parquet};
use crate::closing::issued::{Opened, noted};
use crate::closing::{draw_up, seal};
use crate::command::source;
use crate::commit::tests::{BEGAN, Bench, key, pace, result};
use crate::ledger::contract::facts;
use crate::ledger::contract::place::Place;
use crate::record::chain;
use crate::render::json::read::origin;
use rules::interval::Interval;
use rules::outcome::{Cause, Outcome};
use rules::record::{Disposal, Ground};
use rules::result::{Pace, ProbeResult, SeriesKey};
use tempfile::TempDir;

facts! {
    a_period_is_issued_once_its_evidence_is_there_and_not_twice
    after_the_grace_a_period_is_final_and_names_who_is_missing
    late_evidence_makes_a_version_that_says_what_changed
    a_corrected_fee_makes_a_version_with_a_debit
    every_version_is_drawn_up_again_to_the_byte_after_the_next_was_issued
    every_version_is_drawn_up_again_from_files_that_hold_what_came_later_too
    a_block_that_came_while_a_statement_was_drawn_up_is_not_named_as_heard
    a_record_that_was_cut_off_or_written_anew_is_found_by_what_a_statement_heard
    of_two_collectors_exactly_one_issues_a_version
    a_closer_issues_by_itself_amends_once_a_day_and_signs_nothing_about_the_time_before_it
    what_was_issued_stays_the_last_word_once_evidence_of_its_period_was_erased
    a_version_in_another_format_is_not_amended
}

/// Seconds from one result to the next.
const EVERY: i64 = 300;
/// The month's length.
const MONTH: i64 = 31 * 86_400;

pub(crate) fn month() -> Month {
    "2026-10".parse().unwrap()
}

pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(BEGAN + seconds * 1000)
}

pub(crate) fn config(home: &TempDir, fee: u64) -> CollectorConfig {
    let text = format!(
        "agents: []
policies:
  - policy: p
    availability: {{ objective: 99.9, outage: {{ for: 5m }} }}
    credits: {{ basis: month, truncate_below: 10, tiers: [ {{ from: 95.0, below: 99.9, percent: 10 }}, {{ below: 95.0, percent: 100 }} ] }}
agreements:
  - agreement: acme
    customer: \"Acme <b>\\u202e\"
    zone: UTC
    policy: p
    fees: {{ currency: KRW, default: {fee} }}
    services:
      - service: apm
        checks: [ {{ check: login, tcp: 'h:1', every: 5m }} ]
"
    );
    config::collector::parse(&text, "collector.yaml", home.path()).unwrap().value
}

pub(crate) fn acme() -> AgreementId {
    "acme".parse().unwrap()
}

/// Results from `from` until `until`, those within `down` failed.
pub(crate) fn results(from: i64, until: i64, down: std::ops::Range<i64>) -> Vec<(SeriesKey, Pace, ProbeResult)> {
    let outcome = |second| if down.contains(&second) { Outcome::Down(Cause::Timeout) } else { Outcome::Up };
    let seconds = (from..until).step_by(usize::try_from(EVERY).unwrap());
    seconds.map(|second| (key("login"), pace(EVERY.unsigned_abs()), result(second, outcome(second)))).collect()
}

/// A month in which the agent was silent for one hour of the second day, and an outage of an hour on
/// the first.
pub(crate) async fn month_with_a_hole(place: &Place) -> Bench {
    month_with_a_hole_in(place.open().await).await
}

pub(crate) async fn month_with_a_hole_in(ledger: Arc<dyn Ledger>) -> Bench {
    let mut bench = Bench::on(ledger).await;
    for all in [results(0, 86_400, 36_000..39_600), results(90_000, MONTH + 600, 0..0)] {
        for part in all.chunks(1_000) {
            bench.send(part).await;
        }
    }
    bench
}

pub(crate) async fn closed(bench: &Bench, config: &CollectorConfig, now: i64) -> Closed {
    let evidence = bench_evidence(bench);
    let record = record(bench).await;
    let desk = Desk { ledger: &*bench.ledger, evidence: &evidence, record: &record, config };
    close(&desk, (&acme(), month()), at(now), Wish::Due).await.unwrap()
}

/// What a month is drawn up from on `bench`.
pub(crate) fn bench_evidence(bench: &Bench) -> LedgerEvidence {
    LedgerEvidence::new(Arc::clone(&bench.ledger), bench.state.clone())
}

pub(crate) async fn record(bench: &Bench) -> Record {
    let (clock, _) = Clock::manual(at(MONTH));
    Record::load(Arc::clone(&bench.ledger), clock).await.unwrap()
}

pub(crate) fn issued(closed: Closed) -> Issued {
    let Closed::Issued(issued) = closed else { panic!("{closed:?} instead of an issued statement") };
    *issued
}

fn json(issued: &Issued) -> serde_json::Value {
    serde_json::from_slice(&issued.bytes).unwrap()
}

async fn a_period_is_issued_once_its_evidence_is_there_and_not_twice(place: &Place) {
    let (home, mut bench) = (TempDir::new().unwrap(), Bench::on(place.open().await).await);
    let config = config(&home, 1_200_000);
    bench.send(&results(0, 1_000 * EVERY, 0..0)).await;
    assert_eq!(closed(&bench, &config, MONTH - 1).await, Closed::NotYet(Wait::PeriodEnd));
    let waits = Wait::Evidence(vec![crate::commit::tests::agent()]);
    assert_eq!(closed(&bench, &config, MONTH).await, Closed::NotYet(waits));
    for part in results(1_000 * EVERY, MONTH + EVERY, 0..0).chunks(1_000) {
        bench.send(part).await;
    }
    let first = issued(closed(&bench, &config, MONTH + 60).await);
    assert_eq!((first.version, first.issued_at), (1, at(MONTH + 60)));
    let json = json(&first);
    assert_eq!(json["statement"]["state"], "final");
    assert_eq!(json["issue"]["issued_at"], at(MONTH + 60).to_string());
    let opened = seal::open(&first.bytes).unwrap();
    assert_eq!(opened.sha256, first.sha256);
    assert_eq!(bench.ledger.keys().await.unwrap()[0].public, opened.public);
    assert_eq!(closed(&bench, &config, MONTH + 120).await, Closed::Unchanged);
    let entries = record(&bench).await.entries(&acme());
    let fact = Fact::Issue { month: month(), version: 1, sha256: first.sha256 };
    assert_eq!(entries.iter().map(|entry| &entry.fact).collect::<Vec<_>>(), [&fact]);
    assert_eq!(bench.ledger.issued(&acme(), None).await.unwrap(), [first]);
}

async fn after_the_grace_a_period_is_final_and_names_who_is_missing(place: &Place) {
    let (home, mut bench) = (TempDir::new().unwrap(), Bench::on(place.open().await).await);
    let config = config(&home, 1_200_000);
    bench.send(&results(0, 86_400, 0..0)).await;
    let grace = i64::try_from(config.closing.grace.as_secs()).unwrap();
    assert!(matches!(closed(&bench, &config, MONTH + grace - 1).await, Closed::NotYet(Wait::Evidence(_))));
    let json = json(&issued(closed(&bench, &config, MONTH + grace).await));
    assert_eq!(json["statement"]["missing"], serde_json::json!(["seoul-1"]));
    assert_eq!(json["statement"]["state"], "final");
}

async fn late_evidence_makes_a_version_that_says_what_changed(place: &Place) {
    let (home, mut bench) = (TempDir::new().unwrap(), month_with_a_hole(place).await);
    let config = config(&home, 1_200_000);
    let first = issued(closed(&bench, &config, MONTH + 900).await);
    bench.send(&results(86_400, 90_000, 87_000..88_500)).await;
    let second = issued(closed(&bench, &config, MONTH + 1_000).await);
    let json = json(&second);
    assert_eq!(json["statement"]["version"], 2);
    assert_eq!(json["amends"]["version"], 1);
    assert_eq!(json["amends"]["sha256"], crate::digest::hex(&first.sha256));
    let changes = json["amends"]["changes"].as_array().unwrap();
    let of = |place: &str| changes.iter().find(|change| change["place"] == place).unwrap();
    let downtime = of("services[apm].availability.downtime_ms");
    assert_eq!((&downtime["before"], &downtime["after"]), (&"3600000".into(), &"5100000".into()));
    assert_eq!(json["amends"]["credit_difference"], 0, "the same tier");
    assert_eq!(closed(&bench, &config, MONTH + 2_000).await, Closed::Unchanged);
    assert_eq!(bench.ledger.issued(&acme(), Some(month())).await.unwrap(), [first, second]);
}

async fn a_corrected_fee_makes_a_version_with_a_debit(place: &Place) {
    let (home, bench) = (TempDir::new().unwrap(), month_with_a_hole(place).await);
    issued(closed(&bench, &config(&home, 1_200_000), MONTH + 900).await);
    let second = json(&issued(closed(&bench, &config(&home, 1_000_000), MONTH + 1_000).await));
    assert_eq!(second["amends"]["credit_difference"], -20_000);
    assert_eq!(second["services"][0]["credit"]["amount"], 100_000);
}

async fn every_version_is_drawn_up_again_to_the_byte_after_the_next_was_issued(place: &Place) {
    let (home, mut bench) = (TempDir::new().unwrap(), month_with_a_hole(place).await);
    let config = config(&home, 1_200_000);
    issued(closed(&bench, &config, MONTH + 900).await);
    bench.send(&results(86_400, 90_000, 87_000..88_500)).await;
    issued(closed(&bench, &config, MONTH + 1_000).await);
    let versions = bench.ledger.issued(&acme(), Some(month())).await.unwrap();
    for (place, version) in versions.iter().enumerate() {
        let before = place.checked_sub(1).map(|before| &versions[before]);
        let opened = Opened::new(version, before).unwrap();
        let again = opened.statement(&bench_evidence(&bench)).await.unwrap();
        assert_eq!(crate::render::json::document(&again).into_bytes(), version.bytes);
    }
}

async fn every_version_is_drawn_up_again_from_files_that_hold_what_came_later_too(place: &Place) {
    let (home, mut bench) = (TempDir::new().unwrap(), month_with_a_hole(place).await);
    let config = config(&home, 1_200_000);
    issued(closed(&bench, &config, MONTH + 900).await);
    bench.send(&results(86_400, 90_000, 87_000..88_500)).await;
    bench.send(&results(MONTH + 600, MONTH + 1_200, 0..0)).await;
    issued(closed(&bench, &config, MONTH + 1_000).await);
    let everything = Interval::new(at(0), at(2 * MONTH)).unwrap();
    let mut export = Export::new(None, everything);
    while let Some(day) = export.next_day(&*bench.ledger).await.unwrap() {
        let (file, bytes) = parquet(None, &day).unwrap().unwrap();
        std::fs::write(home.path().join(file.place.replace('/', "_")), bytes).unwrap();
    }
    for version in bench.ledger.issued(&acme(), Some(month())).await.unwrap() {
        let sealed = seal::open(&version.bytes).unwrap();
        let origin = origin(&sealed.text).unwrap();
        let agents = &origin.issue.as_ref().unwrap().agents;
        let read = source::heard(home.path(), &origin.terms.agreement, agents, everything).await;
        let (evidence, _) = read.unwrap();
        let mut again = draw_up(&evidence, &origin.terms, month(), origin.as_of).await.unwrap();
        again.version = origin.version;
        again.issue.clone_from(&origin.issue);
        again.amends.clone_from(&origin.amends);
        assert_eq!(crate::render::json::statement(&again), sealed.text);
    }
}

async fn a_block_that_came_while_a_statement_was_drawn_up_is_not_named_as_heard(place: &Place) {
    let (home, mut bench) = (TempDir::new().unwrap(), month_with_a_hole(place).await);
    let config = config(&home, 1_200_000);
    let slower = Bench::on(place.open().await).await.killed().await;
    let blocks = bench.ledger.positions().await.unwrap()[0].1;
    let lane = bench.ledger.lanes().await.unwrap().remove(0);
    bench.send(&results(MONTH + 600, MONTH + 900, 0..0)).await;
    let heard = &json(&issued(closed(&slower, &config, MONTH + 900).await))["issue"]["agents"][0];
    assert_eq!(heard["blocks"], blocks);
    let own = serde_json::json!({ "incarnation": lane.incarnation, "until_seq": lane.next_seq });
    assert_eq!(heard["lanes"][0], own);
    assert_eq!(bench.ledger.positions().await.unwrap()[0].1, blocks + 1);
}

async fn a_record_that_was_cut_off_or_written_anew_is_found_by_what_a_statement_heard(place: &Place) {
    let (home, bench) = (TempDir::new().unwrap(), month_with_a_hole(place).await);
    issued(closed(&bench, &config(&home, 1_200_000), MONTH + 900).await);
    issued(closed(&bench, &config(&home, 1_000_000), MONTH + 1_000).await);
    let verified = async || {
        let noted = noted(&*bench.ledger, &acme()).await.unwrap();
        chain::verify(&*bench.ledger, &acme(), &noted).await
    };
    assert_eq!(verified().await.unwrap(), record(&bench).await.heard(&acme()).1);
    place.tamper("UPDATE entries SET recorded_by = 'kim'").await;
    let mut predecessor = chain::GENESIS;
    for entry in bench.ledger.entries_from(&acme(), 1, 9).await.unwrap() {
        predecessor = chain::hash(&acme(), &predecessor, &entry);
        let hash = crate::digest::hex(&predecessor);
        let sql = match place {
            Place::Sqlite(_) => format!("UPDATE entries SET hash = x'{hash}' WHERE number = {}", entry.number),
            Place::Postgres { .. } => format!("UPDATE entries SET hash = '\\x{hash}' WHERE number = {}", entry.number),
        };
        place.tamper(&sql).await;
    }
    let refused = verified().await.unwrap_err().to_string();
    assert!(refused.contains("version 2 of the statement for 2026-10 heard its entry 1 with hash"), "{refused}");
    assert!(refused.ends_with("it was written anew"), "{refused}");
    place.tamper("DELETE FROM entries").await;
    place.tamper("DELETE FROM records").await;
    let refused = verified().await.unwrap_err().to_string();
    assert!(refused.contains("but it ends at entry 0; its end was cut off"), "{refused}");
}

async fn of_two_collectors_exactly_one_issues_a_version(place: &Place) {
    let (home, bench) = (TempDir::new().unwrap(), month_with_a_hole(place).await);
    let config = config(&home, 1_200_000);
    let neighbour = Bench::on(place.open().await).await.killed().await;
    let (one, other) = tokio::join!(closed(&bench, &config, MONTH + 900), closed(&neighbour, &config, MONTH + 900));
    let issues = [&one, &other].into_iter().filter(|closed| matches!(closed, Closed::Issued(_))).count();
    assert_eq!(issues, 1, "{one:?} and {other:?}");
    assert_eq!(bench.ledger.issued(&acme(), None).await.unwrap().len(), 1);
}

async fn a_closer_issues_by_itself_amends_once_a_day_and_signs_nothing_about_the_time_before_it(place: &Place) {
    let (home, mut bench) = (TempDir::new().unwrap(), month_with_a_hole(place).await);
    let (_sender, config) = watch::channel(Arc::new(config(&home, 1_200_000)));
    let (clock, hand) = Clock::manual(at(MONTH + 900));
    let evidence = bench_evidence(&bench);
    let mut closer = Closer::new(Arc::clone(&bench.ledger), evidence, record(&bench).await, config, clock);
    closer.round(&CancellationToken::new()).await;
    let issued = async |bench: &Bench| {
        let issued = bench.ledger.issued(&acme(), None).await.unwrap();
        issued.iter().map(|issued| format!("{} {}", issued.month, issued.version)).collect::<Vec<_>>()
    };
    assert_eq!(issued(&bench).await, ["2026-10 1"]);
    bench.send(&results(86_400, 90_000, 87_000..88_500)).await;
    hand.advance(Duration::from_secs(3_600));
    closer.round(&CancellationToken::new()).await;
    assert_eq!(issued(&bench).await, ["2026-10 1"]);
    hand.advance(Duration::from_secs(86_400));
    closer.round(&CancellationToken::new()).await;
    assert_eq!(issued(&bench).await, ["2026-10 1", "2026-10 2"]);
}

async fn what_was_issued_stays_the_last_word_once_evidence_of_its_period_was_erased(place: &Place) {
    let home = TempDir::new().unwrap();
    let bench = month_with_a_hole(place).await;
    assert!(matches!(closed(&bench, &config(&home, 1_000_000), MONTH + 600).await, Closed::Issued(_)));
    let erased = async |until| {
        let gone = Fact::Disposal(Disposal { ground: Ground::Standing, until, files: 1, results: 9 });
        let draft = |_: Before<'_>| Ok::<_, RecordError>(Draft::fact(gone.clone()));
        record(&bench).await.append(&acme(), OWN_NAME, draft).await.unwrap();
    };
    // Evidence of the month before says nothing about this one: a corrected fee still amends it.
    erased(at(-1)).await;
    let amended = closed(&bench, &config(&home, 900_000), MONTH + 600).await;
    assert!(matches!(&amended, Closed::Issued(issued) if issued.version == 2), "{amended:?}");
    erased(at(600)).await;
    let refused = closed(&bench, &config(&home, 800_000), MONTH + 600).await;
    assert_eq!(refused, Closed::NotYet(Wait::Erased { version: 2 }));
}

async fn a_version_in_another_format_is_not_amended(place: &Place) {
    let home = TempDir::new().unwrap();
    let bench = month_with_a_hole(place).await;
    let bytes = br#"{"statement":{"format":2,"period":"2026-10"}}"#.to_vec();
    let (month, issued_at) = ("2026-10".parse().unwrap(), at(MONTH + 1));
    let issued = Issued { agreement: acme(), month, version: 1, issued_at, sha256: [7; 32], bytes };
    let draft = Draft { issued: Some(issued), ..Draft::fact(Fact::Issue { month, version: 1, sha256: [7; 32] }) };
    let decide = |_: Before<'_>| Ok::<_, RecordError>(draft.clone());
    record(&bench).await.append(&acme(), OWN_NAME, decide).await.unwrap();
    let refused = closed(&bench, &config(&home, 800_000), MONTH + 600).await;
    assert_eq!(refused, Closed::NotYet(Wait::Format { version: 1, found: 2 }));
}
