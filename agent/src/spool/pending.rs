//! Results that are not durable yet: a second's worth, or ten minutes' while the disk is away.

use super::Recorded;
use rules::block::{Block, Builder, RESULTS_MAX, Room, Tombstone};
use rules::id::AgentId;
use rules::outcome::Cause;
use rules::time::Timestamp;
use std::collections::VecDeque;
use std::time::Duration;

/// How long a result waits in memory for a disk that is away.
const KEPT_FOR: Duration = Duration::from_secs(600);

/// The most results that wait in memory: ten minutes of 400 a second, some 30 MB.
const RESULTS_KEPT_MAX: usize = 240_000;

#[derive(Debug, Default)]
pub(super) struct Pending {
    results: VecDeque<Recorded>,
    /// Since when the first of them waits, in boot time.
    since: Option<Duration>,
    /// What waited too long, to be told of in the next block.
    dropped: Option<Tombstone>,
    dropped_in_all: u64,
    refused: u64,
}

impl Pending {
    /// Takes a result, unless its instant is not to be believed.
    pub(super) fn push(&mut self, recorded: Recorded, now: Duration) {
        if !Builder::takes(recorded.result.at) {
            self.refused += 1;
            if self.refused == 1 {
                tracing::error!(at = %recorded.result.at, "Results with an impossible instant are refused, set the clock");
            }
            return;
        }
        self.since.get_or_insert(now);
        self.results.push_back(recorded);
    }

    /// Since when a result waits.
    pub(super) fn since(&self) -> Option<Duration> {
        self.since
    }

    pub(super) fn len(&self) -> usize {
        self.results.len()
    }

    /// Whether a block's worth has come together.
    pub(super) fn fills_a_block(&self) -> bool {
        RESULTS_MAX <= self.results.len()
    }

    /// Results dropped and refused so far.
    pub(super) fn losses(&self) -> (u64, u64) {
        (self.dropped_in_all, self.refused)
    }

    /// A block of the results that came first, and how many they are; they stay until taken.
    pub(super) fn block(&self, agent: &AgentId, seq: u64) -> (Block, usize) {
        let mut builder = Builder::default();
        for Recorded { service, check, pace, result, note } in &self.results {
            if builder.push_noted(service.clone(), check.clone(), *pace, *result, note.clone()) == Room::Full {
                break;
            }
        }
        let results = builder.len();
        let mut block = builder.build(agent.clone(), seq);
        block.tombstones.extend(self.dropped);
        (block, results)
    }

    /// The first `results` and what was dropped before them are durable.
    pub(super) fn taken(&mut self, results: usize, now: Duration) {
        self.results.drain(..results);
        self.dropped = None;
        self.since = (!self.results.is_empty()).then_some(now);
    }

    /// Drops what waited too long or is too much.
    pub(super) fn age(&mut self, now: Timestamp) {
        let limit = now.minus(KEPT_FOR);
        while let Some(oldest) = self.results.front() {
            let at = oldest.result.at;
            if limit <= at && self.results.len() <= RESULTS_KEPT_MAX {
                break;
            }
            self.results.pop_front();
            self.dropped_in_all += 1;
            let until = at.plus(Duration::from_millis(1));
            let before = self.dropped.unwrap_or(Tombstone { from: at, until, results: 0, cause: Cause::Resources });
            self.dropped = Some(Tombstone {
                from: before.from.min(at),
                until: before.until.max(until),
                results: before.results + 1,
                cause: before.cause,
            });
        }
    }
}
