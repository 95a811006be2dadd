//! The rows of a statement's first table: what was promised, what was measured, whether it was kept.
//!
//! Every rendering prints these rows; none of them compares anything.

use crate::availability::{Availability, Ratio};
use crate::decimal::Percent;
use crate::exclusion::{Class, Refusal};
use crate::id::{CheckId, ObjectiveId};
use crate::incident::Clock;
use crate::interval::IntervalSet;
use crate::latency::Population;
use crate::policy::{Edge, Policy, RecoveryRule};
use crate::recovery::Recovery;
use crate::statement::{ErrorRate, LatencyRow, Reckoning};
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::time::Duration;

/// One promise, held against what was measured.
#[derive(Clone, PartialEq, Debug)]
pub struct Row {
    /// What was promised.
    pub promise: Promise,
    /// The limit.
    pub limit: Limit,
    /// What was measured; nothing: not measured, or, if the promise is kept, there was nothing to
    /// measure: no outage.
    pub measured: Option<Measured>,
    /// Whether the exact figure keeps the limit; nothing if there is no figure, or if incomplete
    /// evidence allows both answers.
    pub met: Option<bool>,
}

/// What can be promised of a service's month.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Promise {
    /// Availability.
    Availability,
    /// The mean that a check's results take.
    Latency {
        /// The check.
        check: CheckId,
        /// The policy's objective.
        objective: ObjectiveId,
    },
    /// The share of results that are down.
    ErrorRate,
    /// The mean length of outages.
    Mttr,
    /// The longest outage.
    Mttsr,
    /// The two together.
    RecoverySum,
    /// The share of a heartbeat's due runs that were reported in time.
    Backup {
        /// The heartbeat check.
        check: CheckId,
    },
    /// Announced maintenance in the month.
    PlannedDowntime,
    /// One of people's clocks, over all incidents of one severity.
    Response {
        /// The severity.
        severity: String,
        /// Which clock.
        clock: Clock,
    },
}

/// A limit on a figure.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Limit {
    /// It must be at least this.
    AtLeast(Percent),
    /// It must be at most this.
    AtMost(Percent),
    /// It must not be longer.
    NotLonger(Duration),
    /// It must be shorter.
    Shorter(Duration),
}

/// A figure.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Measured {
    /// Availability: one less a fraction of time.
    Availability(Ratio),
    /// So many of so many.
    Share {
        /// How many were such.
        of: u64,
        /// Among how many; never zero.
        among: u64,
    },
    /// A length of time.
    Length(Duration),
    /// A clock was kept in so many of so many incidents; `running` are neither.
    Kept {
        /// In time.
        met: u32,
        /// Late.
        missed: u32,
        /// Not yet due.
        running: u32,
    },
}

/// Every promise about one service's month, held against what was measured, in the order in which
/// statements list them. `latency` has a row for each check, `runs` the population of each heartbeat
/// check over the period less exclusions.
pub fn rows<'a>(
    policy: &Policy,
    reckoning: &Reckoning<'_>,
    latency: impl IntoIterator<Item = &'a LatencyRow>,
    error_rate: &ErrorRate,
    runs: &[(CheckId, Population)],
) -> Vec<Row> {
    let mut rows = vec![availability(policy.availability.objective, &reckoning.availability)];
    rows.extend(latency.into_iter().filter_map(of_latency));
    rows.extend(of_errors(error_rate));
    rows.extend(of_recovery(&policy.recovery, &reckoning.recovery));
    let backup = |limit: Percent| runs.iter().map(move |(check, population)| backup(check, population, limit));
    rows.extend(policy.backup.into_iter().flat_map(backup));
    rows.extend(policy.planned_downtime.map(|limit| planned_downtime(reckoning, limit)));
    rows
}

/// Whether the objective was kept can be said only if both readings of undetermined time agree.
fn availability(objective: Percent, measured: &Availability) -> Row {
    let (best, worst) = (measured.best.meets(objective), measured.worst.meets(objective));
    Row {
        promise: Promise::Availability,
        limit: Limit::AtLeast(objective),
        measured: Some(Measured::Availability(measured.nominal)),
        met: (best == worst).then_some(best),
    }
}

fn of_latency(row: &LatencyRow) -> Option<Row> {
    let objective = row.objective.as_ref()?;
    Some(Row {
        promise: Promise::Latency { check: row.check.clone(), objective: objective.id.clone() },
        limit: Limit::NotLonger(objective.limit),
        measured: row.population.mean_us().map(|mean| Measured::Length(Duration::from_micros(mean))),
        met: objective.met,
    })
}

fn of_errors(rate: &ErrorRate) -> Option<Row> {
    Some(Row {
        promise: Promise::ErrorRate,
        limit: Limit::AtMost(rate.limit?),
        measured: (0 < rate.total).then_some(Measured::Share { of: rate.downs, among: rate.total }),
        met: rate.met(),
    })
}

fn of_recovery(rule: &RecoveryRule, recovery: &Recovery) -> impl Iterator<Item = Row> {
    let (mean, longest) = (recovery.mttr_ms(), recovery.mttsr_ms());
    let both = mean.zip(longest).map(|(mean, longest)| mean + longest);
    let only = RecoveryRule { mttr: None, mttsr: None, sum: None, edge: rule.edge };
    let promised = [
        (Promise::Mttr, rule.mttr, mean, RecoveryRule { mttr: rule.mttr, ..only }),
        (Promise::Mttsr, rule.mttsr, longest, RecoveryRule { mttsr: rule.mttsr, ..only }),
        (Promise::RecoverySum, rule.sum, both, RecoveryRule { sum: rule.sum, ..only }),
    ];
    let (edge, recovery) = (rule.edge, *recovery);
    promised.into_iter().filter_map(move |(promise, limit, measured, alone)| {
        let limit = match edge {
            Edge::Below => Limit::Shorter(limit?),
            Edge::AtMost => Limit::NotLonger(limit?),
        };
        let measured = measured.map(|length| Measured::Length(Duration::from_millis(length)));
        Some(Row { promise, limit, measured, met: recovery.keeps_to(&alone) })
    })
}

fn backup(check: &CheckId, runs: &Population, limit: Percent) -> Row {
    let among = runs.ups + runs.downs();
    let kept = || limit.numerator() * u128::from(among) <= u128::from(runs.ups) * Percent::DENOMINATOR;
    Row {
        promise: Promise::Backup { check: check.clone() },
        limit: Limit::AtLeast(limit),
        measured: (0 < among).then_some(Measured::Share { of: runs.ups, among }),
        met: (0 < among).then(kept),
    }
}

/// Maintenance that was announced, whether or not its time counts: time that two share is one.
fn planned_downtime(reckoning: &Reckoning<'_>, limit: Duration) -> Row {
    let announced = reckoning.exclusions.iter().filter(|judged| {
        judged.exclusion.class == Class::AnnouncedMaintenance && judged.refusal != Some(Refusal::Barred)
    });
    let planned: IntervalSet = announced.map(|judged| judged.exclusion.interval).collect();
    let length = planned.clipped(reckoning.period).length();
    Row {
        promise: Promise::PlannedDowntime,
        limit: Limit::NotLonger(limit),
        measured: Some(Measured::Length(length)),
        met: Some(length <= limit),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::availability::{Partition, Ratio};
    use crate::credit::Credit;
    use crate::decimal::Money;
    use crate::exclusion::{Bar, Exclusion, Judged};
    use crate::interval::Interval;
    use crate::service::Timeline;
    use crate::time::Timestamp;
    use alloc::borrow::Cow;

    const MINUTE: Duration = Duration::from_secs(60);

    fn minutes(from: i64, until: i64) -> Interval {
        let at = |minute: i64| Timestamp::from_millis(minute * 60_000);
        Interval::new(at(from), at(until)).unwrap()
    }

    fn figures(best: u64, worst: u64) -> Availability {
        let ratio = |downtime_ms| Ratio { downtime_ms, total_ms: 100_000 };
        Availability { nominal: ratio(best), best: ratio(best), worst: ratio(worst) }
    }

    #[test]
    fn whether_availability_was_kept_is_open_while_evidence_allows_both() {
        let objective: Percent = "99.9".parse().unwrap();
        let met = |best, worst| availability(objective, &figures(best, worst)).met;
        assert_eq!([met(50, 100), met(50, 101), met(101, 900)], [Some(true), None, Some(false)]);
    }

    #[test]
    fn a_backup_is_kept_by_the_exact_share_of_runs_and_not_measured_without_any() {
        let check: CheckId = "nightly".parse().unwrap();
        let row = |ups, other_downs, extras| {
            let population = Population { ups, other_downs, extras, ..Population::default() };
            let Row { measured, met, .. } = backup(&check, &population, "96.8".parse().unwrap());
            (measured, met)
        };
        assert_eq!(row(31, 0, 0), (Some(Measured::Share { of: 31, among: 31 }), Some(true)));
        assert_eq!(row(30, 1, 2), (Some(Measured::Share { of: 30, among: 31 }), Some(false)));
        assert_eq!(row(121, 4, 0), (Some(Measured::Share { of: 121, among: 125 }), Some(true)));
        assert_eq!(row(0, 0, 3), (None, None));
    }

    #[test]
    fn each_recovery_limit_is_a_row_of_its_own_and_the_edge_says_what_keeps_it() {
        let recovery = Recovery { outages: 2, total: 60 * MINUTE, longest: 45 * MINUTE };
        let rule = RecoveryRule { mttr: Some(30 * MINUTE), mttsr: Some(46 * MINUTE), sum: None, edge: Edge::Below };
        let shown = |rule: &RecoveryRule| {
            of_recovery(rule, &recovery).map(|row| (row.limit, row.measured, row.met)).collect::<Vec<_>>()
        };
        let (mean, longest) = (Some(Measured::Length(30 * MINUTE)), Some(Measured::Length(45 * MINUTE)));
        let below =
            [(Limit::Shorter(30 * MINUTE), mean, Some(false)), (Limit::Shorter(46 * MINUTE), longest, Some(true))];
        assert_eq!(shown(&rule), below);
        let at_most = shown(&RecoveryRule { edge: Edge::AtMost, ..rule });
        assert_eq!(at_most[0], (Limit::NotLonger(30 * MINUTE), mean, Some(true)));
        let none: Vec<Row> = of_recovery(&rule, &Recovery::default()).collect();
        assert!(none.iter().all(|row| (row.measured, row.met) == (None, Some(true))), "{none:?}");
    }

    fn reckoning(exclusions: Vec<Exclusion>) -> Reckoning<'static> {
        let judged = |exclusion: Exclusion| Judged {
            refusal: exclusion.bar.as_ref().map(|_| Refusal::Barred),
            exclusion: Cow::Owned(exclusion),
            effective: IntervalSet::default(),
        };
        Reckoning {
            period: minutes(0, 1000),
            timeline: Timeline::default(),
            partition: Partition::default(),
            availability: figures(0, 0),
            before_exclusions: figures(0, 0),
            stretches: Vec::new(),
            exclusions: exclusions.into_iter().map(judged).collect(),
            measured: IntervalSet::default(),
            recovery: Recovery::default(),
            recovery_met: None,
            credit: Credit {
                percent: Percent::ZERO,
                amount: Money(0),
                fees: Vec::new(),
                currency: None,
                withheld: None,
            },
        }
    }

    #[test]
    fn planned_downtime_is_what_was_announced_once_and_within_the_period() {
        let announced = |from, until, class, bar| Exclusion { bar, ..Exclusion::new(minutes(from, until), class) };
        let maintenance = Class::AnnouncedMaintenance;
        let reckoning = reckoning(vec![
            announced(-30, 60, maintenance, None),
            announced(30, 90, maintenance, None),
            announced(200, 300, Class::ForceMajeure, None),
            announced(400, 500, maintenance, Some(Bar::Withdrawn { by: 9 })),
        ]);
        let row = |limit: u32| planned_downtime(&reckoning, MINUTE * limit);
        assert_eq!((row(90).measured, row(90).met), (Some(Measured::Length(90 * MINUTE)), Some(true)));
        assert_eq!(row(89).met, Some(false));
    }
}
