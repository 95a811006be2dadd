//! One series as it is folded: its runs, its open hour, and what a commit must write of both.
//!
//! [`SeriesFold::push`] costs the same however long the series is and allocates nothing a result.
//! What comes late it sets aside; [`super::late`] takes that in.

use super::hour::OpenHour;
use crate::ledger::Hour;
use rules::id::{CheckId, ServiceId};
use rules::latency::contribution;
use rules::outcome::OutcomeKind;
use rules::result::{Pace, ProbeResult, Weight};
use rules::run::{Pushed, Run, Series};
use rules::time::Timestamp;

/// Upper bounds of the latency buckets, in microseconds: about three to a power of ten, with the
/// 3 s that agreements promise. Each is a series a check, so there are few.
pub(crate) const LATENCY_BOUNDS_US: [u64; 8] =
    [10_000, 30_000, 100_000, 300_000, 1_000_000, 3_000_000, 10_000_000, 60_000_000];

/// What a process counted of a series since it started: for counters that may begin at zero.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Tally {
    /// Results that came on top of what was due; nothing else here counts them.
    pub extras: u64,
    /// Results that were up.
    pub ups: u64,
    /// Results that were down.
    pub downs: u64,
    /// Results that judged nothing.
    pub voids: u64,
    /// Latencies of up results at most as long as the bound of the same index, and longer than the
    /// one before; the last: longer than all bounds.
    pub buckets: [u64; LATENCY_BOUNDS_US.len() + 1],
    /// The sum of those latencies, in microseconds.
    pub sum_us: u64,
}

impl Tally {
    pub(super) fn add(&mut self, result: &ProbeResult) {
        if result.weight == Weight::Extra {
            self.extras += 1;
            return;
        }
        match result.outcome.kind() {
            OutcomeKind::Up => self.ups += 1,
            OutcomeKind::Down => self.downs += 1,
            OutcomeKind::Void => self.voids += 1,
        }
        if let (OutcomeKind::Up, Some(latency)) = (result.outcome.kind(), result.latency()) {
            let us = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX);
            self.buckets[LATENCY_BOUNDS_US.partition_point(|bound| *bound < us)] += 1;
            self.sum_us = self.sum_us.saturating_add(us);
        }
    }
}

/// What a commit must write of one series.
#[derive(Clone, Debug, Default)]
pub(super) struct Pending {
    pub(super) forget_from: Option<Timestamp>,
    pub(super) runs: Vec<Run>,
    pub(super) hours: Vec<Hour>,
    /// Set aside: they belong before or in place of what is folded.
    pub(super) late: Vec<(ProbeResult, Pace)>,
}

/// One series as it is folded.
#[derive(Clone, Debug)]
pub(super) struct SeriesFold {
    pub(super) service: ServiceId,
    pub(super) check: CheckId,
    pub(super) series: Series,
    /// The pace of the last result.
    pub(super) pace: Pace,
    pub(super) hour: Option<OpenHour>,
    pub(super) tally: Tally,
    pub(super) pending: Pending,
    /// Whether it is already among those that this commit changes.
    pub(super) changed: bool,
    /// How many of its closed runs are published; nothing if they must all be published anew.
    pub(super) published: Option<usize>,
}

impl SeriesFold {
    pub(super) fn new(service: ServiceId, check: CheckId, pace: Pace) -> SeriesFold {
        SeriesFold {
            service,
            check,
            series: Series::default(),
            pace,
            hour: None,
            tally: Tally::default(),
            pending: Pending::default(),
            changed: false,
            published: None,
        }
    }

    /// Takes in one result.
    pub(super) fn push(&mut self, result: &ProbeResult, pace: Pace) {
        let same_but_slower = self.series.last() == Some(result) && self.pace < pace;
        match self.series.push(result, pace) {
            Pushed::Extended => {}
            Pushed::Began => {
                if let [.., closed, _] = self.series.runs() {
                    self.pending.runs.push(*closed);
                }
            }
            // Of the same result with two paces the longer stands, whichever came first.
            Pushed::Repeated if same_but_slower => return self.pending.late.push((*result, pace)),
            Pushed::Repeated => return,
            Pushed::Late => return self.pending.late.push((*result, pace)),
        }
        self.pace = pace;
        self.tally.add(result);
        let hour = result.at.hour();
        let open = match &mut self.hour {
            Some(open) if open.hour == hour => open,
            open => {
                let over = open.replace(OpenHour::new(hour));
                self.pending.hours.extend(over.map(OpenHour::close));
                open.as_mut().expect("it was just put there")
            }
        };
        open.population.add(result, pace);
        open.contributions.extend(contribution(result, pace).map(micros));
    }

    /// The run that may still change.
    pub(super) fn open_run(&self) -> Option<Run> {
        self.series.runs().last().copied()
    }
}

/// Whole microseconds, held at 71 minutes: no probe takes longer.
fn micros(length: std::time::Duration) -> u32 {
    u32::try_from(length.as_micros()).unwrap_or(u32::MAX)
}
