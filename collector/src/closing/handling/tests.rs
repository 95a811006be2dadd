//! When people's clocks are read, on both stores.

use crate::closing::closer::Closed;
use crate::closing::closer::tests::{
    acme, at, bench_evidence, closed, config, issued, month, month_with_a_hole, results,
};
use crate::closing::issued::Opened;
use crate::commit::tests::Bench;
use crate::ledger::books::Issued;
use crate::ledger::contract::facts;
use crate::ledger::contract::place::Place;
use crate::record::{Draft, Record, RecordError};
use config::collector::CollectorConfig;
use daemon::clock::Clock;
use rules::incident::{Event, Opened as OpenedBy, Opening};
use rules::policy::ResponseRule;
use rules::record::Fact;
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

facts! {
    clocks_are_read_when_the_statement_is_issued_however_long_evidence_is_complete
    what_people_do_after_the_issue_is_amended_though_no_evidence_comes_any_more
    a_draft_reads_them_at_the_instant_up_to_which_it_hears
}

/// When the period ends, in seconds from its beginning.
const END: i64 = 31 * 86_400;
const HOUR: i64 = 3_600;

/// A month with an incident that began an hour before its end, on an agreement that promises a
/// response. Evidence reaches ten minutes beyond the end, and there will be no more.
async fn month_with_an_incident(place: &Place) -> (Bench, CollectorConfig, TempDir) {
    let (home, mut bench) = (TempDir::new().unwrap(), month_with_a_hole(place).await);
    bench.send(&results(86_400, 90_000, 0..0)).await;
    let mut config = config(&home, 1_200_000);
    let policy = Arc::make_mut(&mut config.agreements[0].policy);
    policy.response = vec![ResponseRule {
        severity: "P1".to_owned(),
        acknowledge: Some(Duration::from_secs(15 * 60)),
        first_notice: None,
        update_every: None,
        start: None,
        progress: None,
        resolve: Some(Duration::from_secs(24 * 3_600)),
        report: None,
    }];
    let opening = Opening {
        services: ["apm".parse().unwrap()].into(),
        severity: "P1".to_owned(),
        began_at: at(END - HOUR),
        cause: OpenedBy::ByHand,
        title: "slow".to_owned(),
    };
    happens(&bench, END - 3_000, Event::Opened(opening)).await;
    (bench, config, home)
}

/// Records what happens to the incident, at an instant of its own.
async fn happens(bench: &Bench, second: i64, event: Event) {
    let (clock, _) = Clock::manual(at(second));
    let record = Record::load(Arc::clone(&bench.ledger), clock).await.unwrap();
    let fact = Fact::Incident { incident: 1, event };
    record.append(&acme(), "kim", |_| Ok::<_, RecordError>(Draft::fact(fact.clone()))).await.unwrap();
}

fn json(issued: &Issued) -> Value {
    serde_json::from_slice(&issued.bytes).unwrap()
}

/// Clock by clock: when it was done and what that comes to.
fn clocks(statement: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let clocks = statement["incidents"][0]["clocks"].as_array().unwrap();
    clocks.iter().map(|clock| (text(&clock["done_at"]), text(&clock["verdict"]))).collect()
}

fn pair(done: &str, verdict: &str) -> (String, String) {
    (done.to_owned(), verdict.to_owned())
}

/// Draws every version up again, which gives what was signed or fails.
async fn drawn_up_again(bench: &Bench) {
    let versions = bench.ledger.issued(&acme(), Some(month())).await.unwrap();
    for (place, version) in versions.iter().enumerate() {
        let before = place.checked_sub(1).map(|before| &versions[before]);
        Opened::new(version, before).unwrap().statement(&bench_evidence(bench)).await.unwrap();
    }
}

async fn clocks_are_read_when_the_statement_is_issued_however_long_evidence_is_complete(place: &Place) {
    let (bench, config, _home) = month_with_an_incident(place).await;
    happens(&bench, END + 2 * HOUR, Event::Acknowledged).await;
    let first = json(&issued(closed(&bench, &config, END + 3 * HOUR).await));
    assert!(first["statement"]["as_of"].as_str().unwrap() < "2026-11-01T00:10", "{}", first["statement"]);
    assert_eq!(clocks(&first), [pair("2026-11-01T02:00:00Z", "missed"), pair("-", "running")]);
    assert_eq!(first["handling"]["mtta_ms"], 3 * HOUR * 1_000);
    assert_eq!(closed(&bench, &config, END + 4 * HOUR).await, Closed::Unchanged);
    drawn_up_again(&bench).await;
}

async fn what_people_do_after_the_issue_is_amended_though_no_evidence_comes_any_more(place: &Place) {
    let (bench, config, _home) = month_with_an_incident(place).await;
    issued(closed(&bench, &config, END + HOUR).await);
    happens(&bench, END + 2 * HOUR, Event::Resolved("restarted".to_owned())).await;
    let second = json(&issued(closed(&bench, &config, END + 3 * HOUR).await));
    let resolved = "2026-11-01T02:00:00Z";
    assert_eq!(clocks(&second), [pair(resolved, "missed"), pair(resolved, "met")]);
    let changes = second["amends"]["changes"].as_array().unwrap();
    let place_of = |change: &Value| change["place"].as_str().unwrap().to_owned();
    assert!(changes.iter().all(|change| !place_of(change).starts_with("services")), "{changes:?}");
    let verdict = changes.iter().find(|change| place_of(change).contains("resolve") && change["after"] == "met");
    assert_eq!(verdict.unwrap()["before"], "running");
    drawn_up_again(&bench).await;
}

async fn a_draft_reads_them_at_the_instant_up_to_which_it_hears(place: &Place) {
    let (bench, config, _home) = month_with_an_incident(place).await;
    happens(&bench, END + 2 * HOUR, Event::Acknowledged).await;
    let entries = crate::closing::closer::tests::record(&bench).await.entries(&acme());
    let terms = crate::closing::terms::Terms::of(&config, &entries, &acme(), month()).unwrap();
    for (as_of, expected) in [(END - 2_900, pair("-", "running")), (END, pair("-", "missed"))] {
        let statement =
            crate::closing::draw_up(&bench_evidence(&bench), &terms, month(), Some(at(as_of))).await.unwrap();
        let statement = serde_json::from_str(&crate::render::json::statement(&statement)).unwrap();
        assert_eq!(clocks(&statement)[0], expected);
    }
}
