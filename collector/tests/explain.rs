//! Why an instant is what it is, in sentences: two agents, a quorum, a gap, a bridge, exclusions with and without effect.

#![expect(clippy::unwrap_used, reason = "a test that can't go on fails")]

use collector::closing::explanation::explain;
use collector::closing::replay::Results;
use collector::lines::{self, Line};
use rules::outcome::{Cause, Outcome};
use rules::result::{ProbeResult, SeriesKey};
use rules::time::Timestamp;
use std::path::Path;
use std::time::Duration;

const CONFIG: &str = "
policies:
  - policy: two
    availability: { objective: 99.9, outage: { for: 5m, agents: 2, min_agents: 2, bridge: 5m } }
    maintenance: { notice: 24h }
agreements:
  - agreement: acme
    zone: Asia/Seoul
    policy: two
    services:
      - service: apm
        checks: [{ check: login, http: 'https://apm.example/', every: 1m }]
    exclusions:
      - { from: 2026-10-01T09:00:00+09:00, until: 2026-10-01T09:10:00+09:00, class: force_majeure, reason: storm }
      - { from: 2026-10-01T12:00:00+09:00, until: 2026-10-01T13:00:00+09:00, class: announced_maintenance, told_at: 2026-10-01T11:00:00+09:00 }
";

/// One letter a minute from midnight UTC: `U`p, `D`own, `v`oid, `_` nothing.
const SEOUL: &str = "UUUUUDDDDDDDD__DDDDUUUUUUUUU";
const BUSAN: &str = "UUUUUDDDDDDDD__DDDDUUvv____U";

fn line(agent: &str, minute: usize, letter: char) -> Option<Line> {
    let outcome = match letter {
        'U' => Outcome::Up,
        'D' => Outcome::Down(Cause::Timeout),
        'v' => Outcome::Void(Cause::AgentOffline),
        _ => return None,
    };
    let midnight: Timestamp = "2026-10-01T00:00:00Z".parse().unwrap();
    let at = midnight.plus(Duration::from_secs(60 * minute as u64));
    let series =
        SeriesKey { agent: agent.parse().unwrap(), service: "apm".parse().unwrap(), check: "login".parse().unwrap() };
    Some(Line { series, result: ProbeResult::of_slot(at, outcome, Duration::from_millis(20)), note: None, sent: None })
}

async fn at(minute: &str) -> String {
    let config = config::collector::parse(CONFIG, "collector.yaml", Path::new("/")).unwrap().value;
    let agreement = &config.agreements[0];
    let mut text = String::new();
    for (agent, letters) in [("seoul", SEOUL), ("busan", BUSAN)] {
        for (minute, letter) in letters.chars().enumerate() {
            text.extend(line(agent, minute, letter).map(|line| lines::write(&line) + "\n"));
        }
    }
    let mut results = Results::default();
    lines::read("results", text.as_bytes(), |line| results.take(line)).unwrap();
    let evidence = results.fold(agreement);
    let instant = format!("2026-10-01T{minute}Z").parse().unwrap();
    explain(&evidence, agreement, &agreement.services[0], "2026-10".parse().unwrap(), None, Some(instant))
        .await
        .unwrap()
}

#[tokio::test]
async fn enough_views_that_are_down_are_told_with_the_rule_and_an_exclusion_that_has_effect() {
    let told = at("00:06:30").await;
    assert!(told.contains("apm was down; the instant is excluded."), "{told}");
    assert!(
        told.contains(
            "2 of 2 views were down; for the service to be down the policy needs 2 (`agents: 2`), so it was down."
        ),
        "{told}"
    );
    assert!(told.contains("View of busan: down: each of its series that spoke was down."), "{told}");
    assert!(
        told.contains("force_majeure from 2026-10-01 09:00:00 until 2026-10-01 09:10:00. It has effect here."),
        "{told}"
    );
    assert!(told.contains("It lies in this stretch: 2026-10-01 09:05:00 – 2026-10-01 09:19:00"), "{told}");
}

#[tokio::test]
async fn a_bridge_is_told_as_one() {
    let told = at("00:14:30").await;
    assert!(told.contains("Nobody had a view, so nobody can say."), "{told}");
    assert!(
        told.contains("at most 5 min long (`bridge`) with down directly before and after it, so it is down"),
        "{told}"
    );
    let silence = "nothing, a gap: its last result before, at 2026-10-01 09:12:00, spoke until 2026-10-01 09:14:00; the next came at 2026-10-01 09:15:00";
    assert!(told.contains(&format!("seoul saw of login: {silence}.")), "{told}");
}

#[tokio::test]
async fn too_few_views_are_told_as_unknown_and_void_is_told_as_no_view() {
    let told = at("00:22:30").await;
    assert!(told.contains("apm was up; the instant counts as up."), "{told}");
    assert!(told.contains("View of busan: none: no series of it spoke."), "{told}");
    assert!(told.contains("busan saw of login: void (judges nothing) by agent_offline"), "{told}");
    let later = at("00:40:00").await;
    assert!(later.contains("apm was unknown; the instant is undetermined."), "{later}");
    assert!(later.contains("none came after it"), "{later}");
}

#[tokio::test]
async fn an_exclusion_without_effect_is_told_with_the_reason() {
    let told = at("03:10:00").await;
    assert!(
        told.contains("It has no effect here: told 3600 s before it began; the policy asks for 86400 s."),
        "{told}"
    );
}

#[tokio::test]
async fn an_instant_outside_the_month_is_said_to_be() {
    let config = at("00:00:00").await;
    assert!(config.contains("0 of 2 views were down"), "{config}");
}
