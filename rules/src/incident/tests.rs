use super::*;
use crate::policy::{
    AvailabilityRule, Counting, Denominator, MaintenanceRule, Minutes, Need, OutageExclusions, OutageRule, Policy,
    RecoveryRule, ResponseRule, Undetermined,
};
use alloc::format;
use alloc::string::ToString;
use alloc::vec;
use core::time::Duration;
use proptest::prelude::*;

const MINUTE: Duration = Duration::from_secs(60);

fn minutes(count: u64) -> Timestamp {
    Timestamp::from_millis(0).plus(Duration::from_secs(count * 60))
}

/// The seeds' clocks; outages open five minutes after they began.
fn policy() -> Policy {
    let minutes = |count: u64| Some(Duration::from_secs(count * 60));
    let rule = |severity: &str, acknowledge: u64| ResponseRule {
        severity: severity.to_string(),
        acknowledge: minutes(acknowledge),
        first_notice: minutes(5),
        update_every: minutes(30),
        start: minutes(2 * 60),
        progress: minutes(6 * 60),
        resolve: minutes(24 * 60),
        report: minutes(48 * 60),
    };
    Policy {
        id: "p".parse().unwrap(),
        availability: AvailabilityRule {
            objective: "99.9".parse().unwrap(),
            outage: OutageRule {
                at_least: 5 * MINUTE,
                need: Need::All,
                min_agents: 1,
                bridge: 5 * MINUTE,
                count: Counting::Whole,
                exclusions: OutageExclusions::WholeRun,
            },
            denominator: Denominator::Month,
            minutes: Minutes::Exact,
            undetermined: Undetermined::Up,
        },
        latency: Vec::new(),
        recovery: RecoveryRule::default(),
        error_rate: None,
        maintenance: MaintenanceRule::default(),
        planned_downtime: None,
        backup: None,
        standing: crate::standing::StandingRule::default(),
        retention: None,
        response: vec![rule("P1", 15), rule("P2", 60), rule("P3", 4 * 60), rule("P4", 24 * 60)],
        credits: None,
    }
}

fn opening(cause: Opened) -> Opening {
    Opening {
        services: ["s".parse().unwrap()].into(),
        severity: "P1".into(),
        began_at: minutes(0),
        cause,
        title: "s is down".into(),
    }
}

fn entry(number: u64, at: Timestamp, incident: u64, event: Event) -> Entry {
    Entry { number, recorded_at: at, recorded_by: "kim".into(), fact: Fact::Incident { incident, event } }
}

/// An incident whose clocks start at minute 0, with `events` at their minutes.
fn incident(events: &[(u64, Event)]) -> Incident {
    let mut entries = vec![entry(1, minutes(0), 1, Event::Opened(opening(Opened::ByHand)))];
    for (number, (minute, event)) in (2..).zip(events) {
        entries.push(entry(number, minutes(*minute), 1, event.clone()));
    }
    incidents(&entries).remove(0)
}

fn told(text: &str) -> String {
    text.to_string()
}

#[track_caller]
fn check(events: &[(u64, Event)], now: u64, clock: Clock, expected: (u64, Option<u64>, Verdict)) {
    let read = readings(&incident(events), &policy(), minutes(now));
    let reading = read.into_iter().find(|reading| reading.clock == clock).unwrap();
    let (due, done, verdict) = expected;
    let expected = Reading { clock, due_at: minutes(due), done_at: done.map(minutes), verdict };
    assert_eq!(reading, expected);
}

#[test]
fn a_clock_is_kept_at_its_limit_and_missed_a_moment_later() {
    let acknowledged = |minute| [(minute, Event::Acknowledged)];
    check(&acknowledged(15), 20, Clock::Acknowledge, (15, Some(15), Verdict::Met));
    check(&acknowledged(16), 20, Clock::Acknowledge, (15, Some(16), Verdict::Missed));
    check(&[], 15, Clock::Acknowledge, (15, None, Verdict::Running));
    check(&[], 16, Clock::Acknowledge, (15, None, Verdict::Missed));
}

#[test]
fn the_clocks_of_an_outage_start_when_it_opened_and_those_of_a_person_where_the_person_says() {
    let mut of_outage = incident(&[]);
    of_outage.opening.cause = Opened::ByOutage;
    let due = |incident: &Incident| readings(incident, &policy(), minutes(0))[0].due_at;
    assert_eq!(due(&of_outage), minutes(10));
    assert_eq!(due(&incident(&[])), minutes(5));
}

#[test]
fn whoever_starts_has_acknowledged_and_whoever_resolves_has_done_all_but_the_report() {
    check(&[(10, Event::Started)], 20, Clock::Acknowledge, (15, Some(10), Verdict::Met));
    let resolved = [(4, Event::Resolved(told("a cable")))];
    for (clock, due) in [
        (Clock::FirstNotice, 5),
        (Clock::Acknowledge, 15),
        (Clock::Update, 34),
        (Clock::Start, 120),
        (Clock::Progress, 360),
        (Clock::Resolve, 1440),
    ] {
        check(&resolved, 5000, clock, (due, Some(4), Verdict::Met));
    }
    check(&resolved, 2880, Clock::Report, (2880, None, Verdict::Running));
    check(&resolved, 2881, Clock::Report, (2880, None, Verdict::Missed));
}

#[test]
fn one_gap_between_words_to_the_customer_that_is_too_long_is_a_miss_and_stays_one() {
    let words = |minutes: &[u64]| {
        let mut events = vec![(3, Event::Notice(told("we look")))];
        events.extend(minutes.iter().map(|minute| (*minute, Event::Update(told("still")))));
        events
    };
    check(&words(&[]), 33, Clock::Update, (33, None, Verdict::Running));
    check(&words(&[33, 63]), 90, Clock::Update, (93, None, Verdict::Running));
    check(&words(&[33, 64, 70]), 90, Clock::Update, (63, Some(64), Verdict::Missed));
    let mut resolved = words(&[33]);
    resolved.push((50, Event::Resolved(told("a cable"))));
    check(&resolved, 900, Clock::Update, (63, Some(50), Verdict::Met));
    let progress = [(3, Event::Notice(told("we look"))), (20, Event::Progress(told("half")))];
    check(&progress, 50, Clock::Update, (50, None, Verdict::Running));
}

#[test]
fn without_a_notice_updates_are_counted_from_when_it_was_due() {
    check(&[], 35, Clock::Update, (35, None, Verdict::Running));
    check(&[], 36, Clock::Update, (35, None, Verdict::Missed));
    check(&[(20, Event::Notice(told("late")))], 50, Clock::Update, (50, None, Verdict::Running));
}

#[test]
fn another_severity_is_one_from_the_beginning() {
    let events = [(20, Event::Severity("P2".into())), (50, Event::Acknowledged)];
    check(&events, 60, Clock::Acknowledge, (60, Some(50), Verdict::Met));
}

#[test]
fn each_event_is_allowed_when_it_makes_sense_and_is_refused_with_what_would_be_right() {
    let rules = policy().response;
    let refused = |events: &[(u64, Event)], event: Event| {
        incident(events).allows(&event, &rules).err().map(|refusal| refusal.to_string())
    };
    let resolved = (9, Event::Resolved(told("a cable")));
    let check = |events: &[(u64, Event)], event: Event, says: &str| {
        let refusal = refused(events, event.clone()).unwrap_or_else(|| panic!("{event:?} was allowed"));
        assert!(refusal.contains(says), "{event:?}: {refusal}");
    };
    check(
        &[(1, Event::Acknowledged)],
        Event::Acknowledged,
        "been acknowledged already, at 1970-01-01T00:01:00Z by `kim`",
    );
    check(&[(1, Event::Started)], Event::Started, "been started on already");
    check(&[(1, Event::Notice(told("a")))], Event::Notice(told("b")), "record the next as `update`");
    check(&[], Event::Update(told("a")), "record the first one as `notice`");
    check(&[], Event::Report(told("a")), "not resolved yet");
    check(&[], Event::Severity("P9".into()), "no severity `P9`; it has `P1`, `P2`, `P3`, `P4`");
    check(&[], Event::Severity("P1".into()), "`P1` already");
    check(&[], Event::Opened(opening(Opened::ByHand)), "opened once");
    check(&[], Event::OutageEnded { ended_at: minutes(9) }, "a person opened it");
    for event in [Event::Acknowledged, Event::Started, Event::Notice(told("a")), Event::Progress(told("a"))] {
        check(core::slice::from_ref(&resolved), event, "it was resolved at 1970-01-01T00:09:00Z");
    }
    for event in [Event::Report(told("why")), Event::Remark(told("a"))] {
        assert_eq!(refused(core::slice::from_ref(&resolved), event), None);
    }
}

#[test]
fn an_incident_is_opened_only_over_what_was_promised_and_has_begun() {
    let refused = |change: fn(&mut Opening)| {
        let mut opening = opening(Opened::ByHand);
        change(&mut opening);
        opening.is_possible(&agreement(), minutes(1)).err().map(|refusal| refusal.to_string()).unwrap_or_default()
    };
    assert_eq!(refused(|_| ()), "");
    assert!(refused(|opening| opening.services.clear()).contains("the agreement has `s`"));
    assert!(refused(|opening| opening.services = ["t".parse().unwrap()].into()).contains("no service `t`; it has `s`"));
    assert!(refused(|opening| opening.severity = "P9".into()).contains("no severity `P9`"));
    assert!(refused(|opening| opening.began_at = minutes(2)).contains("still to come"));
}

fn agreement() -> crate::agreement::Agreement {
    use crate::agreement::{Agreement, Effective, Eligible, Language, Service};
    Agreement {
        id: "a".parse().unwrap(),
        customer: "A".into(),
        zone: crate::period::Zone::utc(),
        policy: policy().into(),
        effective: Effective::default(),
        standing: Vec::new(),
        retainer: None,
        language: Language::English,
        eligible: Eligible::Yes,
        fees: None,
        services: vec![Service {
            id: "s".parse().unwrap(),
            from: None,
            until: None,
            agents: crate::check::Vantages::All,
            checks: Vec::new(),
        }],
        exclusions: Vec::new(),
    }
}

#[test]
fn figures_count_what_was_done_and_rows_what_was_kept() {
    let quick = incident(&[(10, Event::Acknowledged), (60, Event::Resolved(told("a")))]);
    let slow = incident(&[(21, Event::Acknowledged), (181, Event::Resolved(told("a")))]);
    let open = incident(&[]);
    let (policy, now) = (policy(), minutes(200));
    let figures = handling([&quick, &slow, &open], &policy, now);
    assert_eq!((figures.incidents, figures.mtta_ms()), (3, Some(15 * 60_000 + 30_000)));
    assert_eq!((figures.mttr_ms(), figures.mttsr_ms()), (Some(120 * 60_000 + 30_000), Some(181 * 60_000)));
    assert_eq!(handling([&open], &policy, now).mtta_ms(), None);

    let read = [&quick, &slow, &open].map(|incident| (incident, readings(incident, &policy, now)));
    let rows = rows(read.iter().map(|(incident, readings)| (*incident, readings.as_slice())), &policy);
    assert_eq!(rows.len(), 4 * Clock::ALL.len());
    let row = |severity: &str, wanted: Clock| {
        let is_it = |row: &&crate::objective::Row| {
            row.promise == crate::objective::Promise::Response { severity: severity.to_string(), clock: wanted }
        };
        let row = rows.iter().find(is_it).unwrap();
        (format!("{:?}", row.measured.unwrap()), row.met)
    };
    assert_eq!(row("P1", Clock::Acknowledge), ("Kept { met: 1, missed: 2, running: 0 }".into(), Some(false)));
    assert_eq!(row("P1", Clock::Resolve), ("Kept { met: 2, missed: 0, running: 1 }".into(), None));
    assert_eq!(row("P2", Clock::Resolve), ("Kept { met: 0, missed: 0, running: 0 }".into(), Some(true)));
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        Just(Event::Acknowledged),
        Just(Event::Started),
        Just(Event::Notice(told("a"))),
        Just(Event::Update(told("a"))),
        Just(Event::Progress(told("a"))),
        Just(Event::Resolved(told("a"))),
        Just(Event::Report(told("a"))),
        Just(Event::Remark(told("a"))),
        Just(Event::Missed { clock: Clock::Start, due_at: minutes(120) }),
    ]
}

proptest! {
    /// Time and further events turn running into met or missed, and nothing back.
    #[test]
    fn a_verdict_once_given_stands(
        steps in prop::collection::vec((0u64..400, event()), 0..12),
        looks in prop::collection::vec(0u64..4000, 1..6),
    ) {
        let (policy, rules) = (policy(), policy().response);
        let mut now = 0;
        let mut held = incident(&[]);
        let mut before: Vec<Reading> = Vec::new();
        let ends = looks.iter().map(|wait| (*wait, None));
        for (wait, event) in steps.into_iter().map(|(wait, event)| (wait, Some(event))).chain(ends) {
            now += wait;
            if let Some(event) = event.filter(|event| held.allows(event, &rules).is_ok()) {
                let entry = held.events.len() as u64 + 1;
                held.events.push(Stamped { entry, at: minutes(now), by: "kim".into(), event });
            }
            let read = readings(&held, &policy, minutes(now));
            prop_assert_eq!(read.len(), Clock::ALL.len());
            for (was, is) in before.iter().zip(&read) {
                prop_assert_eq!(was.clock, is.clock);
                if was.verdict != Verdict::Running {
                    prop_assert_eq!((was.verdict, was.due_at), (is.verdict, is.due_at), "{:?}", is.clock);
                }
            }
            before = read;
        }
    }

    /// What a statement says of an instant does not depend on what was recorded after it.
    #[test]
    fn what_comes_later_changes_nothing_that_was_read_before(
        steps in prop::collection::vec((1u64..400, event()), 0..12),
        look in 0u64..4000,
    ) {
        let mut minute = 0;
        let events: Vec<(u64, Event)> = steps.into_iter().map(|(wait, event)| { minute += wait; (minute, event) }).collect();
        let until: Vec<(u64, Event)> = events.iter().filter(|(minute, _)| *minute <= look).cloned().collect();
        let (policy, now) = (policy(), minutes(look));
        prop_assert_eq!(readings(&incident(&events), &policy, now), readings(&incident(&until), &policy, now));
    }

    /// Entries of other facts and of other incidents lie between; each incident keeps its own, in order.
    #[test]
    fn each_incident_keeps_its_own_events_in_the_order_of_the_record(owners in prop::collection::vec(1u64..4, 0..20)) {
        let mut entries: Vec<Entry> =
            (1..4).map(|number| entry(number, minutes(0), number, Event::Opened(opening(Opened::ByHand)))).collect();
        for (number, owner) in (4..).zip(&owners) {
            entries.push(entry(number, minutes(number), *owner, Event::Remark(number.to_string())));
        }
        let found = incidents(&entries);
        prop_assert_eq!(found.iter().map(|incident| incident.number).collect::<Vec<_>>(), vec![1, 2, 3]);
        for incident in &found {
            let numbers: Vec<u64> = incident.events.iter().map(|stamped| stamped.entry).collect();
            prop_assert!(numbers.is_sorted() && numbers[0] == incident.number);
            let own = owners.iter().filter(|owner| **owner == incident.number).count();
            prop_assert_eq!(incident.events.len(), 1 + own);
        }
    }
}
