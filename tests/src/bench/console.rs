//! A collector that has many services: what a series takes in memory, and what a scrape costs.

use super::Effort;
use super::freight::{SERVICE_CHECKS, Shape};
use super::ingest::deliver;
use super::machine;
use super::table::{Goal, Row};
use daemon::clock::Clock;
use tests::exposition::sample;
use tests::patience::{eventually, holds};
use tests::world::{Plan, Store, World};

/// Results of each series: what stays in memory of an hour that is not over.
const HOUR_RESULTS: usize = 120;

/// Series in a block of an hour.
const BLOCK_SERIES: usize = 32;

/// Times that the page is asked for.
const SCRAPES: u32 = 10;

pub(crate) async fn rows(effort: Effort) -> Vec<Row> {
    let services = effort.of(10_000, 50);
    let all = Shape { series: services * SERVICE_CHECKS, each: effort.of(HOUR_RESULTS, 4), blocks: 1 };
    let text = all.services();
    let world = World::new(Store::Sqlite, &Plan { agents: &["a0"], outage: "{ for: 5m }", services: &text }).await;
    let process = world.collectors[0].program.id();
    world.console().page("/metrics").await;
    let before = machine::resident_mb(process);
    deliver(world.collectors[0].agents, "a0", blocks(all), 1).await;
    eventually("every service is known", async || {
        let page = world.console().page("/metrics").await;
        let shown = page.lines().filter(|line| line.starts_with("nines_service_up{")).count();
        holds(shown == services, || format!("{shown} of {services}"))
    })
    .await;
    let after = machine::resident_mb(process);
    let idle = idle(process, effort).await;
    let (clock, cpu, began) = (Clock::system(), machine::cpu(process), Clock::system().boot());
    let mut bytes = 0;
    for _ in 0..SCRAPES {
        let page = world.console().page("/metrics").await;
        assert!(sample(&page, "nines_ingest_blocks_total").is_some());
        bytes = page.len();
    }
    let others = (clock.boot() - began).mul_f64(idle);
    let scrape = machine::cpu(process).saturating_sub(cpu).saturating_sub(others) / SCRAPES;
    let kilobytes = (after - before).max(0.0) * 1e3 / all.series as f64;
    let what = |what: &str| format!("{what}, {services} services of {SERVICE_CHECKS} checks");
    vec![
        Row::new(what("collector that only holds its configuration"), "MB", before),
        Row::new(what("collector memory a series, an hour open"), "KB", kilobytes).goal(Goal::AtMost(1.0)),
        Row::new(what("collector between scrapes, CPU"), "ms a second", idle * 1e3),
        Row::new(what("one scrape of /metrics, CPU"), "ms", scrape.as_secs_f64() * 1e3).goal(Goal::AtMost(100.0)),
        Row::new(what("that page"), "bytes", bytes as f64),
    ]
}

/// The share of a core that it takes when nobody asks.
async fn idle(process: u32, effort: Effort) -> f64 {
    let before = machine::cpu(process);
    Clock::system().sleep(effort.watched()).await;
    machine::cpu(process).saturating_sub(before).as_secs_f64() / effort.watched().as_secs_f64()
}

/// The results of all series up to now, a few series a block.
fn blocks(all: Shape) -> Vec<Vec<u8>> {
    let now = Clock::system().wall();
    let series: Vec<usize> = (0..all.series).collect();
    let parts = series.chunks(BLOCK_SERIES).zip(1..);
    parts.map(|(part, seq)| all.block_of(part, 0, "a0", seq, now).encode()).collect()
}
