//! A month in which everything happened that a statement can tell of.

use collector::closing::amendment::{Amendment, Change};
use collector::closing::replay::Results;
use collector::closing::terms::Terms;
use collector::closing::{self, Statement};
use collector::lines::Line;
use rules::agreement::Agreement;
use rules::exclusion::Bar;
use rules::incident::{Clock, Event, Opened, Opening};
use rules::interval::Interval;
use rules::outcome::{Cause, Outcome};
use rules::period::Month;
use rules::record::{Entry, Fact};
use rules::result::{ProbeResult, SeriesKey};
use rules::retainer::{Account, Effort, ManMonths, Retainer, Work};
use rules::standing::{Standing, StandingRule, Stretch};
use rules::time::Timestamp;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// A stretch in which an agent's results of a check come to something else than up.
struct Trouble {
    agents: &'static [&'static str],
    check: &'static str,
    from: &'static str,
    until: &'static str,
    /// Nothing: no result.
    outcome: Option<Outcome>,
}

const ALL: &[&str] = &["busan-1", "seoul-1", "tokyo-1"];

const TROUBLES: &[Trouble] = &[
    // an outage of two hours, which tokyo could not judge for half an hour
    Trouble {
        agents: &["tokyo-1"],
        check: "login",
        from: "2026-10-07T14:30:00+09:00",
        until: "2026-10-07T15:00:00+09:00",
        outcome: Some(Outcome::Void(Cause::AgentOffline)),
    },
    Trouble {
        agents: &["busan-1"],
        check: "login",
        from: "2026-10-07T14:02:00+09:00",
        until: "2026-10-07T16:02:00+09:00",
        outcome: Some(Outcome::Down(Cause::Refused)),
    },
    Trouble {
        agents: &["seoul-1", "tokyo-1"],
        check: "login",
        from: "2026-10-07T14:02:00+09:00",
        until: "2026-10-07T16:02:00+09:00",
        outcome: Some(Outcome::Down(Cause::Timeout)),
    },
    // one in maintenance that went on after its announced end
    Trouble {
        agents: ALL,
        check: "login",
        from: "2026-10-18T03:00:00+09:00",
        until: "2026-10-18T06:00:00+09:00",
        outcome: Some(Outcome::Down(Cause::Status)),
    },
    // a near miss, short downtime, and trouble that only one place has
    Trouble {
        agents: ALL,
        check: "login",
        from: "2026-10-11T12:00:00+09:00",
        until: "2026-10-11T12:04:00+09:00",
        outcome: Some(Outcome::Down(Cause::Reset)),
    },
    Trouble {
        agents: ALL,
        check: "login",
        from: "2026-10-20T20:00:00+09:00",
        until: "2026-10-20T20:02:00+09:00",
        outcome: Some(Outcome::Down(Cause::Tls)),
    },
    Trouble {
        agents: &["tokyo-1"],
        check: "login",
        from: "2026-10-21T08:00:00+09:00",
        until: "2026-10-21T09:00:00+09:00",
        outcome: Some(Outcome::Down(Cause::Unreachable)),
    },
    // nobody looked at the second service for three days
    Trouble {
        agents: ALL,
        check: "port",
        from: "2026-10-12T09:00:00+09:00",
        until: "2026-10-15T09:00:00+09:00",
        outcome: None,
    },
];

/// The month.
pub(crate) fn month() -> Month {
    "2026-10".parse().unwrap()
}

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// The terms: the configuration's, with what people put on record about its exclusions.
pub(crate) fn terms() -> Terms {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/statement/rich.yaml");
    let config = config::collector::load(&file).unwrap().value;
    let mut agreement = config.agreements[0].clone();
    let recorded = [
        "2026-10-30T11:00:00+09:00",
        "2026-10-12T10:00:00+09:00",
        "2026-10-15T10:02:00+09:00",
        "2026-10-15T09:01:00+09:00",
        "2026-10-21T09:00:00+09:00",
        "2026-10-24T20:05:00+09:00",
    ];
    for (index, (of, recorded_at)) in agreement.exclusions.iter_mut().zip(recorded).enumerate() {
        of.entry = Some(11 + index as u64);
        of.recorded_by = Some("김운영".to_owned());
        of.recorded_at = Some(at(recorded_at));
    }
    agreement.exclusions[0].bar = Some(Bar::NotApproved);
    agreement.exclusions[1].bar =
        Some(Bar::Refused { by: "이승인".to_owned(), reason: "고객이 변경 사실을 부인함".to_owned() });
    agreement.exclusions[3].bar = Some(Bar::Superseded { by: 13 });
    agreement.exclusions[4].approved_by = Some("이승인".to_owned());
    agreement.effective.from = Some("2026-01".parse().unwrap());
    agreement.retainer = Some(Retainer {
        from: "2026-01".parse().unwrap(),
        a_year: ManMonths(1_200),
        carried: ManMonths(0),
        incident_at_least: ManMonths(50),
        carry_at_most: "20".parse().unwrap(),
    });
    let day = Duration::from_secs(86_400);
    Arc::make_mut(&mut agreement.policy).standing = StandingRule {
        trial: Some(15 * day),
        screens_stop: Some(day),
        collection_stops: Some(10 * day),
        data_deleted: Some(20 * day),
        terminated_deleted: Some(180 * day),
    };
    Terms { record: record(), ..Terms::new(agreement) }
}

/// What the three agents saw.
pub(crate) fn results(agreement: &Agreement) -> Results {
    let month = month().interval(&agreement.zone);
    let troubles: Vec<(&Trouble, Interval)> =
        TROUBLES.iter().map(|of| (of, Interval::new(at(of.from), at(of.until)).unwrap())).collect();
    let mut results = Results::default();
    for service in &agreement.services[..2] {
        for check in &service.checks {
            let agents = if service.id.as_str() == "batch-prod" { &ALL[1..2] } else { ALL };
            for (place, agent) in agents.iter().enumerate() {
                let mut slot = month.from();
                while slot < month.until() {
                    let trouble = troubles.iter().find(|(of, within)| {
                        of.check == check.id.as_str() && of.agents.contains(agent) && within.contains(slot)
                    });
                    let outcome = trouble.map_or(Some(Outcome::Up), |(of, _)| of.outcome);
                    let series = SeriesKey {
                        agent: agent.parse().unwrap(),
                        service: service.id.clone(),
                        check: check.id.clone(),
                    };
                    if let Some(outcome) = outcome {
                        let result = ProbeResult::of_slot(
                            slot,
                            outcome,
                            took(slot.since(month.from()), place as u64, check.every),
                        );
                        results.take(Line { series, result, note: None, sent: None });
                    }
                    slot = slot.plus(check.every);
                }
            }
        }
    }
    results
}

/// Slower by day than by night, and from farther away.
fn took(since: Duration, place: u64, every: Duration) -> Duration {
    let (hour, slot) = (since.as_secs() / 3_600 % 24, since.as_secs() / every.as_secs());
    let day = 12 - hour.abs_diff(13).min(12);
    Duration::from_micros(180_000 + day * 14_000 + place * 35_000 + slot % 7 * 1_111)
}

/// The statement, with all that others put into it.
pub(crate) async fn statement(terms: &Terms) -> Statement<'_> {
    statement_from(terms, results(&terms.agreement)).await
}

/// The same from other results.
pub(crate) async fn statement_from(terms: &Terms, results: Results) -> Statement<'_> {
    let evidence = results.fold(&terms.agreement);
    let drawn_up = closing::draw_up(&evidence, terms, month(), Some(at("2026-11-20T00:00:00Z"))).await;
    let mut statement = drawn_up.unwrap();
    statement.version = 2;
    statement.amends = Some(Amendment {
        predecessor: 1,
        sha256: [0xa5; 32],
        changes: vec![
            change("services[shop-prod].availability.downtime_ms", Some("7200000"), Some("10800000")),
            change("services[shop-prod].credit.amount", Some("0"), Some("59160")),
            change("services[shop-prod].exclusions[14].refused", None, Some("superseded")),
        ],
        credit_difference: 59_160,
    });
    let stretch =
        |from: &str, until: &str, standing| Stretch { interval: Interval::new(at(from), at(until)).unwrap(), standing };
    statement.standing = vec![
        stretch("2026-10-01T00:00:00+09:00", "2026-10-29T00:00:00+09:00", Standing::Paid),
        stretch("2026-10-29T00:00:00+09:00", "2026-11-01T00:00:00+09:00", Standing::Overdue),
    ];
    statement.retainer = Some(account());
    statement
}

fn change(place: &str, before: Option<&str>, after: Option<&str>) -> Change {
    Change { place: place.to_owned(), before: before.map(str::to_owned), after: after.map(str::to_owned) }
}

/// What people put on record about two incidents: one that its outage opened, and one that goes on.
fn record() -> Vec<Entry> {
    let began = |services: &[&str], severity: &str, began_at: &str, cause, title: &str| Opening {
        services: services.iter().map(|service| service.parse().unwrap()).collect(),
        severity: severity.to_owned(),
        began_at: at(began_at),
        cause,
        title: title.to_owned(),
    };
    let outage = began(&["shop-prod"], "P1", "2026-10-07T14:02:00+09:00", Opened::ByOutage, "shop-prod is down");
    let both = ["shop-prod", "batch-prod"];
    let slow = began(&both, "P2", "2026-10-31T23:30:00+09:00", Opened::ByHand, "대시보드가 느림");
    let missed = Event::Missed { clock: Clock::FirstNotice, due_at: at("2026-10-07T14:12:00+09:00") };
    let ended = Event::OutageEnded { ended_at: at("2026-10-07T16:02:00+09:00") };
    let notice = Event::Notice("로그인 장애를 확인하고 있습니다.".to_owned());
    let resolved = Event::Resolved("로드밸런서 인증서를 교체함".to_owned());
    vec![
        entry(2, 2, "2026-10-07T14:07:00+09:00", "nines", Event::Opened(outage)),
        entry(3, 2, "2026-10-07T14:10:30+09:00", "박당직", Event::Acknowledged),
        entry(4, 2, "2026-10-07T14:12:01+09:00", "nines", missed),
        entry(5, 2, "2026-10-07T14:17:00+09:00", "박당직", notice),
        entry(6, 2, "2026-10-07T16:02:10+09:00", "nines", ended),
        entry(7, 2, "2026-10-07T16:30:00+09:00", "박당직", resolved),
        entry(20, 20, "2026-10-31T23:41:00+09:00", "김운영", Event::Opened(slow)),
        // After the period's end.
        entry(21, 20, "2026-11-01T00:10:00+09:00", "박당직", Event::Acknowledged),
    ]
}

fn entry(number: u64, incident: u64, when: &str, by: &str, event: Event) -> Entry {
    Entry { number, recorded_at: at(when), recorded_by: by.to_owned(), fact: Fact::Incident { incident, event } }
}

fn account() -> Account {
    let effort = |work, when: &str, worked, note: &str| Effort {
        work,
        at: at(when),
        worked: ManMonths(worked),
        note: note.to_owned(),
    };
    let line = |entry, effort, used| rules::retainer::Line { entry, effort, used: ManMonths(used) };
    Account {
        year: "2026-01".parse().unwrap(),
        available: ManMonths(1_340),
        carried: ManMonths(140),
        used_before: ManMonths(825),
        used: ManMonths(175),
        left: ManMonths(340),
        over: ManMonths(0),
        lines: vec![
            line(8, effort(Work::Incident(2), "2026-10-07T17:00:00+09:00", 10, "원인 분석"), 50),
            line(17, effort(Work::Diagnosis, "2026-10-22T10:00:00+09:00", 125, "정기 진단 4분기"), 125),
        ],
    }
}
