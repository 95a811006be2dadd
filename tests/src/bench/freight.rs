//! Results as agents would send them, encoded before anything is measured.
//!
//! Every series has a result each 30 s, a few milliseconds off its slot and of a plausible length, so that neither
//! blocks nor the peer's storage find anything to compress that a real month would not have.

use rules::block::{Block, BlockSeries};
use rules::outcome::{Cause, Outcome};
use rules::result::{Pace, ProbeResult};
use rules::time::Timestamp;
use std::fmt::Write as _;
use std::time::Duration;

/// What every check does.
pub(crate) const PACE: Pace = Pace { every: Duration::from_secs(30), timeout: Duration::from_secs(10) };

/// Checks of one service.
pub(crate) const SERVICE_CHECKS: usize = 2;

/// Of so many results of a series, the last few are down.
const OUTAGE_EVERY: u64 = 1_000;
const OUTAGE_LENGTH: u64 = 12;

/// What one agent sends: equal blocks, one after the other.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Shape {
    /// Series in each block.
    pub(crate) series: usize,
    /// Results of each of them in each block.
    pub(crate) each: usize,
    /// How many blocks.
    pub(crate) blocks: usize,
}

impl Shape {
    /// Results in a block.
    pub(crate) fn block(&self) -> usize {
        self.series * self.each
    }

    /// The service and the check that a series belongs to.
    pub(crate) fn names(series: usize) -> (String, String) {
        (format!("service-{}", series / SERVICE_CHECKS), format!("check-{}", series % SERVICE_CHECKS))
    }

    /// The services as a collector's configuration has them.
    pub(crate) fn services(&self) -> String {
        let mut text = String::new();
        for first in (0..self.series).step_by(SERVICE_CHECKS) {
            let _ = writeln!(text, "      - service: {}\n        checks:", Shape::names(first).0);
            for series in first..self.series.min(first + SERVICE_CHECKS) {
                let check = Shape::names(series).1;
                let _ = writeln!(text, "          - {{ check: {check}, tcp: '127.0.0.1:1', every: 30s }}");
            }
        }
        text
    }

    /// A series' results in a block; the last block ends at `now`.
    pub(crate) fn results(&self, series: usize, block: usize, now: Timestamp) -> Vec<ProbeResult> {
        let slots = self.blocks * self.each;
        let first = block * self.each;
        (first..first + self.each)
            .map(|slot| result(series, slot, now.minus(PACE.every * narrow(slots - slot))))
            .collect()
    }

    /// One agent's blocks as bytes.
    pub(crate) fn encode(&self, agent: &str, now: Timestamp) -> Vec<Vec<u8>> {
        let all: Vec<usize> = (0..self.series).collect();
        (0..self.blocks).map(|block| self.block_of(&all, block, agent, block as u64 + 1, now).encode()).collect()
    }

    /// The results that these series have in a block, as the agent's block `seq`.
    pub(crate) fn block_of(&self, series: &[usize], block: usize, agent: &str, seq: u64, now: Timestamp) -> Block {
        let part = |&series: &usize| {
            let ((service, check), results) = (Shape::names(series), self.results(series, block, now));
            BlockSeries {
                service: service.parse().unwrap(),
                check: check.parse().unwrap(),
                pace: PACE,
                results,
                notes: Vec::new(),
            }
        };
        let series = series.iter().map(part).collect();
        Block { agent: agent.parse().unwrap(), seq, series, tombstones: Vec::new() }
    }
}

/// The result of one slot, the same whenever it is asked for.
pub(crate) fn result(series: usize, slot: usize, slot_at: Timestamp) -> ProbeResult {
    let (series, slot) = (series as u64, slot as u64);
    let chance = scattered(series << 32 | slot);
    let is_down = OUTAGE_EVERY - OUTAGE_LENGTH <= slot % OUTAGE_EVERY;
    let outcome = if is_down { Outcome::Down(Cause::Refused) } else { Outcome::Up };
    let at = slot_at.plus(Duration::from_millis(37 * series % 30_000 + chance % 3));
    ProbeResult::of_slot(at, outcome, Duration::from_micros(5_000 + chance / 3 % 2_000))
}

fn narrow(slots: usize) -> u32 {
    u32::try_from(slots).unwrap()
}

/// Spreads numbers over all 64 bits (the end of splitmix64).
fn scattered(number: u64) -> u64 {
    let mixed = (number ^ number >> 30).wrapping_add(0x9e37_79b9_7f4a_7c15).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ mixed >> 31
}
