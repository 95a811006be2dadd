//! What a period's incidents come to: how fast people were, and how often each clock was kept.
//!
//! These are people's figures. How fast services recovered is measured (section 10), whatever people
//! recorded.

use super::{Clock, Incident, Reading, Verdict};
use crate::objective::{Limit, Measured, Promise, Row};
use crate::policy::Policy;
use crate::time::Timestamp;
use alloc::vec::Vec;
use core::time::Duration;

/// How fast people were, from where the clocks of each incident started.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Handling {
    /// How many incidents there were.
    pub incidents: u32,
    /// How many of them somebody took.
    pub acknowledged: u32,
    /// The sum of the times that took.
    pub to_acknowledge: Duration,
    /// How many of them were resolved.
    pub resolved: u32,
    /// The sum of the times that took.
    pub to_resolve: Duration,
    /// The longest of those: MTTSR.
    pub to_resolve_longest: Duration,
}

impl Handling {
    /// The mean time to acknowledge, cut to whole milliseconds; nothing if nobody took any.
    pub fn mtta_ms(&self) -> Option<u64> {
        mean_ms(self.to_acknowledge, self.acknowledged)
    }

    /// The mean time to resolve, cut to whole milliseconds; nothing if none was resolved.
    pub fn mttr_ms(&self) -> Option<u64> {
        mean_ms(self.to_resolve, self.resolved)
    }

    /// The longest time to resolve, in milliseconds; nothing if none was resolved.
    pub fn mttsr_ms(&self) -> Option<u64> {
        (0 < self.resolved).then(|| u64::try_from(self.to_resolve_longest.as_millis()).unwrap_or(u64::MAX))
    }
}

fn mean_ms(total: Duration, count: u32) -> Option<u64> {
    u64::try_from(total.as_millis().checked_div(u128::from(count))?).ok()
}

/// How fast people were with `incidents`, as far as it is known at `now`.
pub fn handling<'a>(incidents: impl IntoIterator<Item = &'a Incident>, policy: &Policy, now: Timestamp) -> Handling {
    let mut figures = Handling::default();
    for incident in incidents {
        let start = incident.starts_at(policy);
        figures.incidents += 1;
        if let Some(taken_at) = incident.done_at(Clock::Acknowledge, now) {
            figures.acknowledged += 1;
            figures.to_acknowledge += taken_at.since(start);
        }
        if let Some(resolved_at) = incident.done_at(Clock::Resolve, now) {
            let took = resolved_at.since(start);
            figures.resolved += 1;
            figures.to_resolve += took;
            figures.to_resolve_longest = figures.to_resolve_longest.max(took);
        }
    }
    figures
}

/// One row for every promised clock of every severity, over the incidents of that severity. Where
/// there was none the promise was kept: nothing was asked of it.
pub fn rows<'a>(read: impl IntoIterator<Item = (&'a Incident, &'a [Reading])> + Clone, policy: &Policy) -> Vec<Row> {
    let promised = policy.response.iter().flat_map(|rule| {
        Clock::ALL.into_iter().filter_map(move |clock| clock.limit(rule).map(|limit| (rule, clock, limit)))
    });
    let row = |(rule, clock, limit): (&crate::policy::ResponseRule, Clock, Duration)| {
        let (mut met, mut missed, mut running) = (0, 0, 0);
        let of_severity = read.clone().into_iter().filter(|(incident, _)| incident.severity == rule.severity);
        for reading in of_severity.flat_map(|(_, readings)| readings).filter(|reading| reading.clock == clock) {
            match reading.verdict {
                Verdict::Met => met += 1,
                Verdict::Missed => missed += 1,
                Verdict::Running => running += 1,
            }
        }
        let is_met = match (missed, running) {
            (0, 0) => Some(true),
            (0, _) => None,
            _ => Some(false),
        };
        Row {
            promise: Promise::Response { severity: rule.severity.clone(), clock },
            limit: Limit::NotLonger(limit),
            measured: Some(Measured::Kept { met, missed, running }),
            met: is_met,
        }
    };
    promised.map(row).collect()
}
