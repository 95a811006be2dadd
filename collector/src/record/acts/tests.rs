//! Exclusions from announcement to statement, on both stores: who may do what, and what the figures are.

use super::*;
use crate::closing::effect::effects;
use crate::closing::replay::{Replayed, Results};
use crate::closing::terms::Terms;
use crate::ledger::contract::facts;
use crate::ledger::contract::place::Place;
use crate::lines;
use daemon::clock::{Clock, Hand};
use rules::decimal::Percent;
use rules::exclusion::{Bar, Class, Exclusion};
use rules::incident::{Event, Opened, Opening};
use rules::interval::Interval;
use rules::period::Month;
use rules::record::exclusions::exclusions;
use rules::record::{standings, up_to};
use rules::retainer::{Effort, ManMonths, Retainer, Work};
use rules::standing::{Change, Standing};
use rules::time::Timestamp;
use std::time::Duration;
use tokio::task::JoinSet;

facts! {
    announced_maintenance_has_effect_at_once
    a_claim_has_effect_once_a_second_person_approves_it
    a_refused_claim_is_listed_and_has_no_effect
    a_correction_needs_the_same_anew_and_a_withdrawal_ends_it
    earlier_terms_come_back_as_they_were
    of_two_collectors_approving_at_once_the_second_is_told
    what_was_recorded_is_not_recorded_twice
    a_service_that_is_not_promised_is_refused_with_the_nearest
    a_standing_on_record_joins_the_configurations
    a_time_that_cannot_be_meant_is_refused
    effort_that_cannot_be_is_refused_with_the_reason
}

/// The month of the tests and an instant in it: the outage is from 05:00 to 06:00 of its first day.
const NOW: &str = "2026-10-10T00:00:00Z";
const CONFIG: &str = "
ledger: sqlite::memory:
policies:
  - policy: under-test
    availability: { objective: 99.9, outage: { for: 5m } }
    maintenance: { notice: 24h }
    credits: { basis: month, truncate_below: 10, tiers: [ { below: 99.9, percent: 10 } ] }
agreements:
  - agreement: acme
    customer: Acme
    zone: UTC
    policy: under-test
    eligible: true
    fees: { currency: KRW, default: 1000000 }
    standing: [ { from: 2026-01-01T00:00:00Z, standing: paid } ]
    services:
      - service: apm-prod
        checks: [ { check: login, http: 'https://apm.example/login', every: 60s, timeout: 10s } ]
";

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

struct Desk {
    config: CollectorConfig,
    agreements: Vec<Agreement>,
    record: Record,
    hand: Hand,
    evidence: Replayed,
}

/// A desk whose clock stands at `now`, with a month in which one hour was down.
async fn desk(place: &Place, now: &str) -> Desk {
    let config = config::collector::parse(CONFIG, "c.yaml", std::path::Path::new(".")).unwrap().value;
    let agreements = config.agreements.clone();
    let (clock, hand) = Clock::manual(at(now));
    let mut results = Results::default();
    let begins = at("2026-10-01T00:00:00Z");
    let lines_of = (0..13_000).map(|minute| {
        let outcome = if (300..360).contains(&minute) { "\"down\",\"cause\":\"reset\"" } else { "\"up\"" };
        let at = begins.plus(Duration::from_secs(60 * minute));
        format!("{{\"agent\":\"a\",\"service\":\"apm-prod\",\"check\":\"login\",\"at\":\"{at}\",\"outcome\":{outcome},\"elapsed_us\":1}}\n")
    });
    lines::read("results", lines_of.collect::<String>().as_bytes(), |line| results.take(line)).unwrap();
    let evidence = results.fold(&agreements[0]);
    let record = Record::load(place.open().await, clock).await.unwrap();
    Desk { config, agreements, record, hand, evidence }
}

impl Desk {
    async fn put(&self, by: &str, fact: Fact) -> Result<u64, String> {
        let entry = put_on_record(&self.record, &self.config, &self.agreements[0].id, by, fact).await;
        entry.map(|entry| entry.number).map_err(|error| error.to_string())
    }

    /// The month's availability and what the tiers give, without the last entry and with it.
    async fn figures(&self) -> (String, String) {
        let id = &self.agreements[0].id;
        let entries = self.record.entries(id);
        let before = &entries[..entries.len().saturating_sub(1)];
        let (touched, now) = (Interval::new(at("2026-10-01T00:00:00Z"), at("2026-10-02T00:00:00Z")).unwrap(), at(NOW));
        let effects = effects(&self.evidence, &self.agreements, id, (before, &entries), touched, now).await.unwrap();
        assert_eq!(effects.len(), 1);
        let said =
            |figures: &crate::closing::effect::Figures| format!("{} {}", figures.availability, figures.credit.percent);
        (said(&effects[0].before), said(&effects[0].after))
    }

    fn terms(&self, entries: &[Entry]) -> Terms {
        let month: Month = "2026-10".parse().unwrap();
        Terms::of(&self.config, entries, &self.agreements[0].id, month).unwrap()
    }

    fn bars(&self) -> Vec<Option<Bar>> {
        exclusions(&self.record.entries(&self.agreements[0].id)).into_iter().map(|exclusion| exclusion.bar).collect()
    }
}

/// The hour of the outage does not count.
fn excluded(class: Class, told_at: Option<&str>, supersedes: Option<u64>) -> Fact {
    let exclusion = Exclusion {
        services: Some(["apm-prod".parse().unwrap()].into()),
        reason: "power cut".into(),
        told_at: told_at.map(at),
        ..Exclusion::new(Interval::new(at("2026-10-01T05:00:00Z"), at("2026-10-01T06:00:00Z")).unwrap(), class)
    };
    Fact::Exclusion { exclusion, supersedes }
}

fn storm() -> Fact {
    excluded(Class::ForceMajeure, None, None)
}

fn figures(before: &str, after: &str) -> (String, String) {
    (before.to_owned(), after.to_owned())
}

const DOWN: &str = "99.8655 10";
const UP: &str = "100.0000 0";

async fn announced_maintenance_has_effect_at_once(place: &Place) {
    let desk = desk(place, "2026-09-29T00:00:00Z").await;
    let told = Some("2026-09-28T00:00:00Z");
    assert_eq!(desk.put("kim", excluded(Class::AnnouncedMaintenance, told, None)).await, Ok(1));
    assert_eq!(desk.figures().await, figures(DOWN, UP));
    let needless = desk.put("lee", Fact::Approval { entry: 1 }).await.unwrap_err();
    assert!(needless.contains("needs no approval"), "{needless}");
    let late = Some("2026-09-29T00:00:01Z");
    let future = desk.put("kim", excluded(Class::AnnouncedMaintenance, late, None)).await.unwrap_err();
    assert!(future.contains("which is after now"), "{future}");
}

async fn a_claim_has_effect_once_a_second_person_approves_it(place: &Place) {
    let desk = desk(place, NOW).await;
    assert_eq!(desk.put("kim", storm()).await, Ok(1));
    assert_eq!(desk.figures().await, figures(DOWN, DOWN));
    let own = desk.put("kim", Fact::Approval { entry: 1 }).await.unwrap_err();
    assert_eq!(own, "exclusion 1 was recorded by kim; a second person must approve or refuse it");
    let nines = desk.put(BY_NINES, Fact::Approval { entry: 1 }).await.unwrap_err();
    assert_eq!(nines, "`nines` is the collector itself; a person must record this");
    assert_eq!(desk.put("lee", Fact::Approval { entry: 1 }).await, Ok(2));
    assert_eq!(desk.figures().await, figures(DOWN, UP));
    let excluded = desk.terms(&desk.record.entries(&desk.agreements[0].id)).agreement.exclusions;
    assert_eq!((excluded[0].entry, excluded[0].approved_by.as_deref()), (Some(1), Some("lee")));
}

async fn a_refused_claim_is_listed_and_has_no_effect(place: &Place) {
    let desk = desk(place, NOW).await;
    desk.put("kim", storm()).await.unwrap();
    desk.put("lee", Fact::Refusal { entry: 1, reason: "no cut that day".into() }).await.unwrap();
    assert_eq!(desk.figures().await, figures(DOWN, DOWN));
    assert_eq!(desk.bars(), [Some(Bar::Refused { by: "lee".into(), reason: "no cut that day".into() })]);
    let again = desk.put("park", Fact::Approval { entry: 1 }).await.unwrap_err();
    assert_eq!(again, "exclusion 1 was refused by lee in entry 2; record a correction if that was wrong");
}

async fn a_correction_needs_the_same_anew_and_a_withdrawal_ends_it(place: &Place) {
    let desk = desk(place, NOW).await;
    desk.put("kim", storm()).await.unwrap();
    desk.put("lee", Fact::Approval { entry: 1 }).await.unwrap();
    let corrected = excluded(Class::CustomerAction, None, Some(1));
    assert_eq!(desk.put("lee", corrected).await, Ok(3));
    assert_eq!(desk.figures().await, figures(UP, DOWN));
    assert_eq!(desk.bars(), [Some(Bar::Superseded { by: 3 }), Some(Bar::NotApproved)]);
    desk.put("lee", Fact::Approval { entry: 3 }).await.unwrap_err();
    desk.put("kim", Fact::Approval { entry: 3 }).await.unwrap();
    assert_eq!(desk.figures().await, figures(DOWN, UP));
    desk.put("kim", Fact::Withdrawal { entry: 3, reason: "it was ours".into() }).await.unwrap();
    assert_eq!(desk.figures().await, figures(UP, DOWN));
    let gone = desk.put("kim", Fact::Withdrawal { entry: 1, reason: "x".into() }).await.unwrap_err();
    assert_eq!(gone, "exclusion 1 was superseded by entry 3; name that one");
}

async fn earlier_terms_come_back_as_they_were(place: &Place) {
    let desk = desk(place, NOW).await;
    desk.put("kim", storm()).await.unwrap();
    desk.hand.advance(Duration::from_secs(60));
    desk.put("lee", Fact::Approval { entry: 1 }).await.unwrap();
    let then = desk.terms(&desk.record.entries(&desk.agreements[0].id));
    desk.hand.advance(Duration::from_secs(60));
    desk.put("kim", Fact::Withdrawal { entry: 1, reason: "moved".into() }).await.unwrap();
    // A kill, and another collector that reads all of it.
    let (clock, _) = Clock::manual(at(NOW));
    let read = Record::load(place.open().await, clock).await.unwrap();
    let entries = read.entries(&desk.agreements[0].id);
    assert_ne!(desk.terms(&entries), then);
    assert_eq!(desk.terms(up_to(&entries, Some(at("2026-10-10T00:01:00Z")))), then);
    assert_eq!(desk.terms(up_to(&entries, Some(at("2026-10-09T00:00:00Z")))), Terms::new(desk.agreements[0].clone()));
}

async fn of_two_collectors_approving_at_once_the_second_is_told(place: &Place) {
    desk(place, NOW).await.put("kim", storm()).await.unwrap();
    let mut decisions = JoinSet::new();
    for by in ["lee", "park", "choi", "jung"] {
        let desk = desk(place, NOW).await;
        decisions.spawn(async move { desk.put(by, Fact::Approval { entry: 1 }).await });
    }
    let (done, told): (Vec<_>, Vec<_>) = decisions.join_all().await.into_iter().partition(Result::is_ok);
    assert_eq!((done, told.len()), (vec![Ok(2)], 3));
    assert!(told.iter().all(|told| told.as_ref().unwrap_err().starts_with("exclusion 1 was approved by ")), "{told:?}");
}

async fn what_was_recorded_is_not_recorded_twice(place: &Place) {
    let desk = desk(place, NOW).await;
    desk.put("kim", storm()).await.unwrap();
    assert_eq!(desk.put("kim", storm()).await.unwrap_err(), "that is on record already, as entry 1");
    assert_eq!(desk.put("lee", storm()).await, Ok(2));
    desk.put("kim", Fact::Withdrawal { entry: 1, reason: "moved".into() }).await.unwrap();
    assert_eq!(desk.put("kim", storm()).await, Ok(4));
}

async fn a_service_that_is_not_promised_is_refused_with_the_nearest(place: &Place) {
    let desk = desk(place, NOW).await;
    let Fact::Exclusion { mut exclusion, supersedes } = storm() else { unreachable!() };
    exclusion.services = Some(["apm-prd".parse().unwrap()].into());
    let refusal = desk.put("kim", Fact::Exclusion { exclusion, supersedes }).await.unwrap_err();
    assert_eq!(refusal, "agreement `acme` has no service `apm-prd`; did you mean `apm-prod`?");
    let reasonless = desk.put("kim", Fact::Withdrawal { entry: 1, reason: "x".into() }).await.unwrap_err();
    assert!(reasonless.contains("entry 1 is no exclusion on record"), "{reasonless}");
    assert_eq!(desk.record.entries(&desk.agreements[0].id).len(), 0);
}

async fn a_standing_on_record_joins_the_configurations(place: &Place) {
    let desk = desk(place, NOW).await;
    let change = |from: &str, standing| Change { from: at(from), standing };
    let (january, october) = ("2026-01-01T00:00:00Z", "2026-10-05T00:00:00Z");
    desk.put("kim", Fact::Standing(change(october, Standing::Paid))).await.unwrap();
    desk.put("kim", Fact::Standing(change(october, Standing::Overdue))).await.unwrap();
    let twice = desk.put("kim", Fact::Standing(change(october, Standing::Overdue))).await.unwrap_err();
    assert_eq!(twice, "that is on record already, as entry 2");
    desk.put("kim", Fact::Standing(change(january, Standing::Trial))).await.unwrap();
    let entries = desk.record.entries(&desk.agreements[0].id);
    assert_eq!(standings(&entries).len(), 2);
    let joined = desk.terms(&entries).agreement.standing;
    assert_eq!(joined, [change(january, Standing::Trial), change(october, Standing::Overdue)]);
}

async fn a_time_that_cannot_be_meant_is_refused(place: &Place) {
    let desk = desk(place, NOW).await;
    let Fact::Exclusion { exclusion, supersedes } = storm() else { unreachable!() };
    let interval = Interval::new(exclusion.interval.from(), at("2226-10-01T06:00:00Z")).unwrap();
    let endless = Fact::Exclusion { exclusion: Exclusion { interval, ..exclusion }, supersedes };
    assert!(desk.put("kim", endless).await.unwrap_err().ends_with("is more than 1098 days ahead; check the year"));
    let put = async |from: &str| {
        desk.put("kim", Fact::Standing(Change { from: at(from), standing: Standing::Overdue })).await.unwrap_err()
    };
    assert!(put("2062-10-01T00:00:00Z").await.ends_with("is more than 1098 days ahead; check the year"));
    assert!(put("0202-10-01T00:00:00Z").await.ends_with("is before the year 2000; check the year"));
    assert_eq!(desk.record.entries(&desk.agreements[0].id).len(), 0);
}

async fn effort_that_cannot_be_is_refused_with_the_reason(place: &Place) {
    let mut desk = desk(place, NOW).await;
    let effort = |work, at_text: &str, worked: &str| {
        Fact::Effort(Effort { work, at: at(at_text), worked: worked.parse().unwrap(), note: "looked at queues".into() })
    };
    let opening = Opening {
        services: ["apm-prod".parse().unwrap()].into(),
        severity: "P1".into(),
        began_at: at("2026-10-09T00:00:00Z"),
        cause: Opened::ByHand,
        title: "log-ins fail".into(),
    };
    let none = "the record has no incident 7, nor any other; leave the incident out if it was a diagnosis";
    assert_eq!(desk.put("kim", effort(Work::Incident(7), "2026-10-09T10:00:00Z", "0.5")).await.unwrap_err(), none);
    let opened = Fact::Incident { incident: 1, event: Event::Opened(opening) };
    let draft = |_: Before<'_>| Ok::<_, RecordError>(Draft::fact(opened.clone()));
    desk.record.append(&desk.agreements[0].id, "kim", draft).await.unwrap();
    let refused = async |desk: &Desk, fact: Fact, expected: &str| {
        assert_eq!(desk.put("kim", fact).await.unwrap_err(), expected);
    };
    let other = "the record has no incident 7; the last one is 1; leave the incident out if it was a diagnosis";
    refused(&desk, effort(Work::Incident(7), "2026-10-09T10:00:00Z", "0.5"), other).await;
    let nothing = "nothing was worked; say how much in man-months, such as `0.5`";
    refused(&desk, effort(Work::Diagnosis, "2026-10-09T10:00:00Z", "0"), nothing).await;
    let much = "500 M/M in one entry is more than 100; check where the point stands (`0.5` is half a man-month), or record it month by month";
    refused(&desk, effort(Work::Diagnosis, "2026-10-09T10:00:00Z", "500"), much).await;
    let to_come =
        "2026-10-10T00:00:00.001Z is still to come; it is 2026-10-10T00:00:00Z, and work is recorded once it is done";
    refused(&desk, effort(Work::Diagnosis, "2026-10-10T00:00:00.001Z", "0.5"), to_come).await;

    let done = effort(Work::Incident(1), NOW, "100");
    assert_eq!(desk.put("kim", done.clone()).await, Ok(2));
    refused(&desk, done.clone(), "that is on record already, as entry 2").await;
    assert_eq!(desk.put("lee", done).await, Ok(3), "two people may have done the same");

    let retainer = Retainer {
        from: "2026-10".parse().unwrap(),
        a_year: ManMonths(1_200),
        carried: ManMonths(0),
        incident_at_least: ManMonths(50),
        carry_at_most: Percent::ZERO,
    };
    desk.config.agreements[0].retainer = Some(retainer);
    let before =
        "the retainer begins in 2026-10, so work of 2026-09 would use up nothing; give the time it was done at";
    refused(&desk, effort(Work::Diagnosis, "2026-09-30T23:59:59Z", "0.5"), before).await;
}
