//! Months from results in a file: what is cut at a month's ends and what is not.

use crate::on_each_ledger;
use rules::outcome::{Cause, Outcome};
use rules::result::{ProbeResult, SeriesKey};
use rules::time::Timestamp;
use serde_json::{Value, json};
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::time::Duration;
use tests::program;
use tests::world::{AGREEMENT, Plan, World};

const SERVICES: &str = "      - { service: shop, checks: [{ check: page, http: 'http://127.0.0.1:9/', every: 1m }] }";

/// Results every minute in the range, down within the outages.
fn lines(from: &str, until: &str, outages: &[(&str, &str)]) -> String {
    let instant = |text: &str| text.parse::<Timestamp>().unwrap();
    let key = SeriesKey {
        agent: "seoul-1".parse().unwrap(),
        service: "shop".parse().unwrap(),
        check: "page".parse().unwrap(),
    };
    let (mut at, mut text) = (instant(from), String::new());
    while at < instant(until) {
        let is_down = outages.iter().any(|(from, until)| instant(from) <= at && at < instant(until));
        let outcome = if is_down { Outcome::Down(Cause::Timeout) } else { Outcome::Up };
        let result = ProbeResult::of_slot(at, outcome, Duration::from_millis(20));
        writeln!(
            text,
            "{}",
            collector::lines::write(&collector::lines::Line { series: key.clone(), result, note: None, sent: None })
        )
        .unwrap();
        at = at.plus(Duration::from_secs(60));
    }
    text
}

fn collector(world: &World, arguments: &[&str]) -> String {
    let config = world.collector_config();
    let mut all: Vec<&OsStr> = vec!["collector".as_ref()];
    all.extend(arguments.iter().map(OsStr::new));
    all.extend([OsStr::new("--config"), config.as_ref()]);
    program::answer(&all)
}

fn statement(world: &World, period: &str) -> Value {
    serde_json::from_str(&collector(world, &["statement", "--agreement", AGREEMENT, "--period", period])).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_across_a_months_end_is_judged_whole_and_counted_in_each_month_by_its_share() {
    on_each_ledger(async |store| {
        let plan = Plan { agents: &["seoul-1"], outage: "{ for: 5m }", services: SERVICES };
        let world = World::dormant(store, &plan).await;
        let outages =
            [("2026-08-31T23:50:00Z", "2026-09-01T00:10:00Z"), ("2026-09-30T23:57:00Z", "2026-10-01T00:03:00Z")];
        let history = lines("2026-08-31T22:00:00Z", "2026-09-01T02:00:00Z", &outages)
            + &lines("2026-09-30T22:00:00Z", "2026-10-01T02:00:00Z", &outages);
        let file = world.file("history.ndjson");
        std::fs::write(&file, &history).unwrap();
        collector(&world, &["import", "ndjson", file.to_str().unwrap()]);
        let cases = [("2026-08", 10), ("2026-09", 13), ("2026-10", 3)];
        for (period, minutes) in cases {
            let told = statement(&world, period);
            let service = &told["services"][0];
            let partition = service["partition_ms"].as_object().unwrap();
            assert_eq!(partition["counted"], json!(minutes * 60_000), "{period}: {service}");
            let whole: u64 = partition.values().map(|part| part.as_u64().unwrap()).sum();
            assert_eq!(json!(whole), service["availability"]["total_ms"], "{period}: {service}");
            let replayed = world.replay(file.as_ref(), &told["statement"]);
            assert_eq!(told["services"], replayed["services"], "{period}");
        }
        let september = statement(&world, "2026-09")["services"][0].clone();
        let lengths: Vec<&Value> =
            september["outages"].as_array().unwrap().iter().map(|outage| &outage["length_ms"]).collect();
        assert_eq!(lengths, [&json!(20 * 60_000), &json!(6 * 60_000)], "{september}");

        // Neither a second import nor a rebuild changes anything.
        collector(&world, &["import", "ndjson", file.to_str().unwrap()]);
        collector(&world, &["rebuild"]);
        assert_eq!(statement(&world, "2026-09")["services"][0], september);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_month_stands_under_another_policy_beside_its_own() {
    on_each_ledger(async |store| {
        let plan = Plan { agents: &["seoul-1"], outage: "{ for: 5m }", services: SERVICES };
        let world = World::dormant(store, &plan).await;
        let history = lines(
            "2026-09-01T00:00:00Z",
            "2026-09-02T00:00:00Z",
            &[("2026-09-01T10:00:00Z", "2026-09-01T10:04:00Z"), ("2026-09-01T12:00:00Z", "2026-09-01T12:20:00Z")],
        );
        let file = world.file("history.ndjson");
        std::fs::write(&file, history).unwrap();
        collector(&world, &["import", "ndjson", file.to_str().unwrap()]);
        let stricter = world.file("stricter.yaml");
        let text = "policy: stricter\navailability: { objective: 99.99, outage: { for: 3m } }\n";
        std::fs::write(&stricter, text).unwrap();
        let policy = stricter.to_str().unwrap();

        let asked = ["replay", "--agreement", AGREEMENT, "--period", "2026-09", "--policy", policy, "--format"];
        let told = collector(&world, &[&asked[..], &["text"]].concat());
        let line = |figure: &str| told.lines().find(|line| line.contains(figure)).unwrap_or_else(|| panic!("{told}"));
        let words = |figure: &str| {
            line(figure).split("  ").map(str::trim).filter(|word| !word.is_empty()).collect::<Vec<_>>().join("|")
        };
        assert_eq!(words("Outages"), "* Outages|1|2");
        assert_eq!(words("Downtime"), "* Downtime|20 min|24 min");
        assert_eq!(words("Short downtime"), "* Short downtime|4 min|0 s");
        assert!(line("Excluded").starts_with("  "), "what is the same is not marked: {told}");

        let both: Value = serde_json::from_str(&collector(&world, &[&asked[..], &["json"]].concat())).unwrap();
        assert_eq!(both["own"]["services"], statement(&world, "2026-09")["services"]);
        assert_eq!(both["other"]["statement"]["policy"], "stricter");
        assert_eq!(both["other"]["services"][0]["availability"]["downtime_ms"], 24 * 60_000);
        assert!(
            both["differences"].as_array().unwrap().iter().any(|row| row["figure"] == "Outages" && row["own"] == "1")
        );

        std::fs::write(&stricter, "policy: stricter\navailability: { objektive: 99.99 }\n").unwrap();
        let config = world.collector_config();
        let all = [&["collector"], &asked[..], &["text", "--config"]].concat();
        let refused = program::run(&all.iter().map(OsStr::new).chain([config.as_ref()]).collect::<Vec<_>>());
        assert_eq!(refused.status.code(), Some(78));
        assert!(String::from_utf8_lossy(&refused.stderr).contains("did you mean `objective`"));
    })
    .await;
}
