//! The month's partition and what it is worth as a fraction (`accounting.md` section 7).

use crate::decimal::Percent;
use crate::interval::{Interval, IntervalSet};
use crate::outage::{Stretch, Verdict};
use crate::policy::{AvailabilityRule, Denominator, Minutes, Undetermined};
use crate::service::Timeline;
use core::cmp::Ordering;
use core::fmt;
use core::time::Duration;

/// Milliseconds of a minute, for `minutes: whole`.
const MINUTE_MS: u64 = 60_000;

/// The five parts of a period; together they are the period, to the millisecond.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Partition {
    /// Outages, less exclusions.
    pub counted: IntervalSet,
    /// Exclusions.
    pub excluded: IntervalSet,
    /// Down but not counted: stretches that are no outage, and under `count: after_threshold` the
    /// part of an outage before the threshold; less exclusions.
    pub short: IntervalSet,
    /// Unknown, less exclusions.
    pub undetermined: IntervalSet,
    /// The rest.
    pub up: IntervalSet,
}

/// Divides `period` among the five.
pub fn partition(
    period: Interval,
    timeline: &Timeline,
    stretches: &[Stretch],
    rule: &AvailabilityRule,
    exclusions: &IntervalSet,
) -> Partition {
    let whole = IntervalSet::from(period);
    let excluded = exclusions.clipped(period);
    let countable = whole.difference(&excluded);
    let counting: IntervalSet =
        stretches.iter().flat_map(|stretch| stretch.counting(&rule.outage).as_slice().to_vec()).collect();
    let counted = counting.intersection(&countable);
    let short = timeline.down.intersection(&countable).difference(&counted);
    let known = timeline.down.union(&timeline.up);
    let undetermined = countable.difference(&known);
    let up = countable.difference(&counted).difference(&short).difference(&undetermined);
    Partition { counted, excluded, short, undetermined, up }
}

/// An exact fraction of time that was not down.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ratio {
    /// What counts against it, in milliseconds.
    pub downtime_ms: u64,
    /// What it is divided by, in milliseconds; never zero.
    pub total_ms: u64,
}

impl Ratio {
    /// Milliseconds that were not down; an outage can't take more than there is.
    fn good_ms(self) -> u64 {
        self.total_ms.saturating_sub(self.downtime_ms)
    }

    /// How the fraction compares with `percent`, exactly.
    pub fn compare(self, percent: Percent) -> Ordering {
        let own = u128::from(self.good_ms()) * Percent::DENOMINATOR;
        own.cmp(&(percent.numerator() * u128::from(self.total_ms)))
    }

    /// Whether the fraction is at least `objective`.
    pub fn meets(self, objective: Percent) -> bool {
        self.compare(objective) != Ordering::Less
    }

    /// For gauges, where nobody decides anything by it.
    #[expect(clippy::float_arithmetic, reason = "a metric is read by people")]
    #[expect(clippy::cast_precision_loss, reason = "a month has fewer milliseconds than a float has digits")]
    pub fn as_f64(self) -> f64 {
        self.good_ms() as f64 / self.total_ms as f64
    }

    /// How much downtime the objective leaves over, in milliseconds; negative if it is used up.
    pub fn budget_left_ms(self, objective: Percent) -> i64 {
        let allowed = (Percent::DENOMINATOR - objective.numerator()) * u128::from(self.total_ms) / Percent::DENOMINATOR;
        i64::try_from(allowed).unwrap_or(i64::MAX).saturating_sub(i64::try_from(self.downtime_ms).unwrap_or(i64::MAX))
    }
}

/// As a percentage cut, never rounded, to four decimals: 99.89999 prints 99.8999.
impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cut = u128::from(self.good_ms()) * 1_000_000 / u128::from(self.total_ms);
        write!(f, "{}.{:04}", cut / 10_000, cut % 10_000)
    }
}

/// A month's availability under every reading that a statement shows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Availability {
    /// The policy's reading: what money uses.
    pub nominal: Ratio,
    /// Undetermined time counted up.
    pub best: Ratio,
    /// Undetermined time counted down.
    pub worst: Ratio,
}

/// Draws the fractions from a partition. `month` is the whole calendar month, `period` the part of
/// it that is reckoned. Nothing if there is nothing to divide by.
pub fn availability(
    month: Interval,
    period: Interval,
    partition: &Partition,
    stretches: &[Stretch],
    rule: &AvailabilityRule,
) -> Option<Availability> {
    let total = match rule.denominator {
        Denominator::Month => month.length(),
        Denominator::ServiceTime => period.length(),
        Denominator::LessExclusions => period.length().saturating_sub(partition.excluded.length()),
    };
    let total_ms = millis(total);
    let downtime_ms: u64 = stretches.iter().map(|stretch| millis(counted_of(stretch, partition, rule))).sum();
    let ratio = |downtime_ms| Ratio { downtime_ms, total_ms };
    let best = ratio(downtime_ms);
    let worst = ratio(downtime_ms + millis(partition.undetermined.length()));
    let nominal = match rule.undetermined {
        Undetermined::Up => best,
        Undetermined::Down => worst,
    };
    (0 < total_ms).then_some(Availability { nominal, best, worst })
}

/// What one stretch adds to the period's downtime.
pub fn counted_of(stretch: &Stretch, partition: &Partition, rule: &AvailabilityRule) -> Duration {
    if stretch.verdict != Verdict::Outage {
        return Duration::ZERO;
    }
    let counted = partition.counted.clipped(stretch.interval).length();
    match rule.minutes {
        Minutes::Exact => counted,
        Minutes::Whole => Duration::from_millis(millis(counted) / MINUTE_MS * MINUTE_MS),
    }
}

fn millis(length: Duration) -> u64 {
    u64::try_from(length.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    fn ratio(downtime_ms: u64, total_ms: u64) -> Ratio {
        Ratio { downtime_ms, total_ms }
    }

    #[test]
    fn a_percentage_is_cut_and_never_rounded() {
        assert_eq!(ratio(10_001, 10_000_000).to_string(), "99.8999");
        assert_eq!(ratio(0, 2_678_400_000).to_string(), "100.0000");
        assert_eq!(ratio(1, 2_678_400_000).to_string(), "99.9999");
        assert_eq!(ratio(7, 5).to_string(), "0.0000");
    }

    #[test]
    fn the_objective_is_compared_with_the_exact_ratio() {
        let objective = "99.9".parse().unwrap();
        assert!(ratio(2_678_400, 2_678_400_000).meets(objective));
        assert!(!ratio(2_678_401, 2_678_400_000).meets(objective));
        assert_eq!(ratio(2_678_401, 2_678_400_000).to_string(), "99.8999");
        assert_eq!(ratio(2_678_000, 2_678_400_000).budget_left_ms(objective), 400);
        assert_eq!(ratio(2_678_500, 2_678_400_000).budget_left_ms(objective), -100);
    }
}
