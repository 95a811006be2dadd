//! The record of one probe, and the key of the series it belongs to.

use crate::id::{AgentId, CheckId, ServiceId};
use crate::outcome::{Cause, Outcome};
use crate::time::Timestamp;
use core::time::Duration;

/// What names a series: all results of one check of one service from one agent.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct SeriesKey {
    /// Who looked.
    pub agent: AgentId,
    /// What was promised.
    pub service: ServiceId,
    /// What was looked at.
    pub check: CheckId,
}

/// What a result's meaning depends on and its check says: it travels with the result, so that
/// rebuilding from blocks never asks a later configuration.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Pace {
    /// The check's `every`: a result speaks for at most twice this long.
    pub every: Duration,
    /// The check's timeout: what a timed-out page at least took.
    pub timeout: Duration,
}

/// What a result counts beside others of its series. Every result is evidence of what was up and
/// down when; only those with weight have a say in means, percentiles and error rates, so that
/// looking more often while a target fails doesn't skew them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum Weight {
    /// It was due: each slot has one, whatever becomes of the target.
    #[default]
    Slot,
    /// It came on top of what was due: evidence without weight.
    Extra,
}

/// One probe of one series: when its attempt started, what it came to, how long it took.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct ProbeResult {
    /// When the attempt started.
    pub at: Timestamp,
    /// What it came to.
    pub outcome: Outcome,
    /// From the start of the attempt to its end, in whole microseconds; zero when the agent's spool
    /// was too full to keep it (no attempt takes no time).
    pub elapsed: Duration,
    /// What it counts.
    pub weight: Weight,
}

impl ProbeResult {
    /// A result that was due.
    pub fn of_slot(at: Timestamp, outcome: Outcome, elapsed: Duration) -> ProbeResult {
        ProbeResult { at, outcome, elapsed, weight: Weight::Slot }
    }

    /// A result that came on top of what was due.
    pub fn extra(at: Timestamp, outcome: Outcome, elapsed: Duration) -> ProbeResult {
        ProbeResult { at, outcome, elapsed, weight: Weight::Extra }
    }

    /// How long the attempt took, unless the spool could not keep it.
    pub fn latency(&self) -> Option<Duration> {
        (!self.elapsed.is_zero()).then_some(self.elapsed)
    }

    /// Whether this result stands when `other` of the same series has the same instant: up beats
    /// down beats void, then the shorter elapsed time, then the lower cause (section 4), then the
    /// one with weight.
    pub fn beats(&self, other: &ProbeResult) -> bool {
        self.strength() < other.strength()
    }

    fn strength(&self) -> (u8, Duration, Option<Cause>, Weight) {
        (self.outcome.kind() as u8, self.elapsed, self.outcome.cause(), self.weight)
    }
}
