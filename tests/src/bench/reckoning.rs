//! One service's month: its figures from runs, and its runs from blocks. Nothing is started: these are functions.

use super::Effort;
use super::machine::{cpu_of_thread, micros_each};
use super::table::{Goal, Row};
use rules::block::{Block, BlockSeries, RESULTS_MAX};
use rules::outcome::{Cause, Outcome};
use rules::result::{Pace, ProbeResult};
use rules::run::Series;
use rules::service::SeriesRuns;
use rules::statement::reckon;
use rules::time::Timestamp;
use std::collections::HashMap;
use std::hint::black_box;
use std::path::Path;
use std::time::Duration;

const AGENTS: usize = 3;
const CHECKS: usize = 2;
const OUTAGES: i64 = 20;

/// 2026-10-01T00:00:00Z, and 31 days of a result every 30 s.
const MONTH_BEGINS: Timestamp = Timestamp::from_millis(1_790_812_800_000);
const SLOTS: i64 = 31 * 2_880;
const PACE: Pace = Pace { every: Duration::from_secs(30), timeout: Duration::from_secs(10) };

/// Failed slots of an outage: seven minutes.
const OUTAGE_SLOTS: i64 = 14;

const CONFIG: &str = "
agents: []
policies:
  - policy: p
    availability: { objective: 99.9, outage: { for: 5m } }
    recovery: { mttr: 2h, mttsr: 4h }
    credits:
      basis: month
      truncate_below: 10
      tiers:
        - { from: 99.0, below: 99.7, percent: 5 }
        - { from: 95.0, below: 99.0, percent: 25 }
        - { below: 95.0, percent: 100 }
agreements:
  - agreement: acme
    zone: UTC
    policy: p
    fees: { currency: KRW, default: 1200000 }
    services:
      - service: shop
        checks:
          - { check: c0, tcp: '127.0.0.1:1' }
          - { check: c1, tcp: '127.0.0.1:1' }
    exclusions:
      - { services: [shop], from: '2026-10-12T03:00:00Z', until: '2026-10-12T04:00:00Z', class: force_majeure, reason: storm }
";

pub(crate) fn rows(effort: Effort) -> Vec<Row> {
    let results = (AGENTS * CHECKS) as f64 * SLOTS as f64;
    let blocks = blocks();
    let folded = fold(&blocks);
    let cpu = cpu_of_each(effort.of(20, 1), || fold(black_box(&blocks)));
    let from_blocks =
        Row::new("month of one service, runs from blocks", "results a CPU second", results / cpu.as_secs_f64());

    let config = config::collector::parse(CONFIG, "collector.yaml", Path::new(".")).unwrap().value;
    let agreement = &config.agreements[0];
    let (service, month) = (&agreement.services[0], "2026-10".parse().unwrap());
    let agents: Vec<_> = (0..AGENTS).map(|agent| format!("a{agent}").parse().unwrap()).collect();
    let series: Vec<_> = folded
        .iter()
        .map(|((agent, check), runs)| SeriesRuns {
            agent: &agents[*agent],
            check: &service.checks[*check].id,
            runs: runs.runs(),
        })
        .collect();
    let reckoning = reckon(agreement, service, month, None, &series).unwrap();
    assert_eq!(reckoning.outages().count(), usize::try_from(OUTAGES).unwrap());
    let cpu = cpu_of_each(effort.of(5_000, 50), || reckon(black_box(agreement), service, month, None, &series));
    let figures = Row::new("month of one service, figures from runs, 20 outages", "µs", micros_each(cpu, 1.0));
    vec![figures.goal(Goal::AtMost(100.0)), from_blocks.goal(Goal::AtLeast(20e6))]
}

fn cpu_of_each<T>(times: u32, work: impl Fn() -> T) -> Duration {
    black_box(work());
    let before = cpu_of_thread();
    for _ in 0..times {
        black_box(work());
    }
    (cpu_of_thread() - before) / times
}

/// The runs of each series, by agent and check.
fn fold(blocks: &[(usize, Vec<u8>)]) -> HashMap<(usize, usize), Series> {
    let mut folded: HashMap<(usize, usize), Series> = HashMap::new();
    for (agent, bytes) in blocks {
        let block = Block::decode(bytes).unwrap();
        for part in &block.series {
            let check = usize::from(part.check.as_str() == "c1");
            let series = folded.entry((*agent, check)).or_default();
            for result in &part.results {
                series.push(result, part.pace);
            }
        }
    }
    folded
}

/// The month as blocks, with the agent that each is from.
fn blocks() -> Vec<(usize, Vec<u8>)> {
    let slots: Vec<i64> = (0..SLOTS).collect();
    let mut blocks = Vec::new();
    for agent in 0..AGENTS {
        for (part, seq) in slots.chunks(RESULTS_MAX / CHECKS).zip(1..) {
            let series = |check: usize| BlockSeries {
                notes: Vec::new(),
                service: "shop".parse().unwrap(),
                check: format!("c{check}").parse().unwrap(),
                pace: PACE,
                results: part.iter().map(|slot| result(agent * CHECKS + check, *slot)).collect(),
            };
            let series = (0..CHECKS).map(series).collect();
            let block = Block { agent: format!("a{agent}").parse().unwrap(), seq, series, tombstones: Vec::new() };
            blocks.push((agent, block.encode()));
        }
    }
    blocks
}

/// All series fail together, twenty times; each result is a little off its slot.
fn result(series: usize, slot: i64) -> ProbeResult {
    let apart = SLOTS / OUTAGES;
    let is_down = apart - OUTAGE_SLOTS <= slot % apart;
    let outcome = if is_down { Outcome::Down(Cause::Timeout) } else { Outcome::Up };
    let offset = i64::try_from(series).unwrap() * 3_700 + slot * 7_919 % 5;
    let at = Timestamp::from_millis(MONTH_BEGINS.as_millis() + slot * 30_000 + offset);
    ProbeResult::of_slot(at, outcome, Duration::from_micros(5_000 + (slot * 7_919 % 1_999).unsigned_abs()))
}
