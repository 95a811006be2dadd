//! A month of a hundred services, drawn up by the collector from its ledger and written as JSON: what a person waits for.

use super::Effort;
use super::ingest::deliver;
use super::table::{Goal, Row};
use daemon::clock::Clock;
use rules::block::{Block, BlockSeries, RESULTS_MAX};
use rules::outcome::{Cause, Outcome};
use rules::period::{Month, Zone};
use rules::result::{Pace, ProbeResult};
use std::fmt::Write as _;
use std::time::Duration;
use tests::patience::{eventually, holds};
use tests::world::{AGREEMENT, Plan, Store, World};

const EVERY: Duration = Duration::from_secs(30);
const PACE: Pace = Pace { every: EVERY, timeout: Duration::from_secs(10) };

/// Outages of each service, and how many of its slots each takes: seven minutes.
const OUTAGES: usize = 20;
const OUTAGE_SLOTS: usize = 14;

/// Blocks in one request.
const BLOCKS_A_POST: usize = 16;

pub(crate) async fn rows(effort: Effort) -> Vec<Row> {
    let services = effort.of(100, 5);
    let mut text = String::new();
    for service in 0..services {
        let _ = writeln!(
            text,
            "      - service: s{service}\n        checks: [ {{ check: c, tcp: '127.0.0.1:1', every: 30s }} ]"
        );
    }
    let world = World::new(Store::Sqlite, &Plan { agents: &["a0"], outage: "{ for: 5m }", services: &text }).await;
    let clock = Clock::system();
    let month = Month::containing(clock.wall(), &Zone::utc()).previous();
    deliver(world.collectors[0].agents, "a0", blocks(services, month), BLOCKS_A_POST).await;
    // What was issued is handed out as it is stored: `draw_up` has it drawn up each time.
    let path = format!("/api/v1/agreements/{AGREEMENT}/statements/{month}?draw_up");
    let whole = async || world.console().json(&path).await;
    let outages = |statement: &serde_json::Value| {
        let services = statement["services"].as_array().into_iter().flatten();
        services.filter_map(|service| service["outages"].as_array()).map(Vec::len).sum::<usize>()
    };
    eventually("every outage is known", async || {
        let found = outages(&whole().await);
        holds(found == services * OUTAGES, || format!("{found} outages"))
    })
    .await;
    let mut took = Vec::new();
    for _ in 0..effort.of(5, 1) {
        let began = clock.boot();
        assert_eq!(outages(&whole().await), services * OUTAGES);
        took.push((clock.boot() - began).as_secs_f64());
    }
    let least = took.into_iter().min_by(f64::total_cmp).unwrap();
    let what = format!("statement of {services} services with {OUTAGES} outages each, drawn up and sent as JSON");
    vec![Row::new(what, "s", least).goal(Goal::AtMost(2.0))]
}

/// The month of every service, as many slots a block as it holds.
fn blocks(services: usize, month: Month) -> Vec<Vec<u8>> {
    let calendar = month.interval(&Zone::utc());
    let slots: Vec<usize> = (0..usize::try_from(calendar.length().as_secs() / EVERY.as_secs()).unwrap()).collect();
    let apart = slots.len() / OUTAGES;
    let result = |service: usize, slot: usize| {
        let at =
            calendar.from().plus(EVERY * u32::try_from(slot).unwrap() + Duration::from_millis(service as u64 * 37));
        // Services fail at different times, so that each has hours of its own that are read in part.
        let is_down = (slot + OUTAGE_SLOTS + service * 41) % apart < OUTAGE_SLOTS;
        let outcome = if is_down { Outcome::Down(Cause::Timeout) } else { Outcome::Up };
        ProbeResult::of_slot(at, outcome, Duration::from_micros(5_000 + (slot as u64 * 7_919 % 1_999)))
    };
    let parts = slots.chunks(RESULTS_MAX / services).zip(1..);
    let block = |(part, seq): (&[usize], u64)| {
        let series = (0..services).map(|service| BlockSeries {
            notes: Vec::new(),
            service: format!("s{service}").parse().unwrap(),
            check: "c".parse().unwrap(),
            pace: PACE,
            results: part.iter().map(|slot| result(service, *slot)).collect(),
        });
        Block { agent: "a0".parse().unwrap(), seq, series: series.collect(), tombstones: Vec::new() }.encode()
    };
    parts.map(block).collect::<Vec<Vec<u8>>>()
}
