//! How fast outages ended (`accounting.md` section 10).

use crate::interval::{Interval, IntervalSet};
use crate::outage::{Stretch, Verdict};
use crate::policy::{Edge, RecoveryRule};
use core::time::Duration;

/// The recovery figures of a period.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Recovery {
    /// Outages that began in the period and have a length left after exclusions.
    pub outages: u32,
    /// The sum of their lengths.
    pub total: Duration,
    /// The longest of them: MTTSR.
    pub longest: Duration,
}

/// Draws the figures from all judged stretches.
pub fn recovery(stretches: &[Stretch], period: Interval, exclusions: &IntervalSet) -> Recovery {
    let outages = stretches.iter().filter(|stretch| stretch.verdict == Verdict::Outage);
    let began_in = outages.filter(|stretch| period.contains(stretch.interval.from()));
    let lengths = began_in.map(|stretch| IntervalSet::from(stretch.interval).difference(exclusions).length());
    lengths.filter(|length| !length.is_zero()).fold(Recovery::default(), |figures, length| Recovery {
        outages: figures.outages + 1,
        total: figures.total + length,
        longest: figures.longest.max(length),
    })
}

impl Recovery {
    /// The mean length, cut to whole milliseconds; nothing without an outage.
    pub fn mttr_ms(&self) -> Option<u64> {
        let mean = self.total.as_millis().checked_div(u128::from(self.outages))?;
        u64::try_from(mean).ok()
    }

    /// The longest, in milliseconds; nothing without an outage.
    pub fn mttsr_ms(&self) -> Option<u64> {
        (0 < self.outages).then(|| u64::try_from(self.longest.as_millis()).unwrap_or(u64::MAX))
    }

    /// Whether every promised limit is kept, each compared exactly. Nothing if none is promised. No
    /// outage keeps them all.
    pub fn keeps_to(&self, rule: &RecoveryRule) -> Option<bool> {
        let outages = u128::from(self.outages);
        let (total, longest) = (self.total.as_millis(), self.longest.as_millis());
        let keeps = |figure: u128, limit: Duration| match rule.edge {
            Edge::Below => figure < limit.as_millis() * outages,
            Edge::AtMost => figure <= limit.as_millis() * outages,
        };
        let kept = [
            rule.mttr.map(|limit| keeps(total, limit)),
            rule.mttsr.map(|limit| keeps(longest * outages, limit)),
            rule.sum.map(|limit| keeps(total + longest * outages, limit)),
        ];
        let promised = kept.iter().any(Option::is_some);
        promised.then(|| self.outages == 0 || kept.into_iter().flatten().all(|is_kept| is_kept))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(lengths: &[u64]) -> Recovery {
        let lengths = lengths.iter().map(|minutes| Duration::from_secs(minutes * 60));
        Recovery {
            outages: u32::try_from(lengths.len()).unwrap(),
            total: lengths.clone().sum(),
            longest: lengths.max().unwrap_or_default(),
        }
    }

    #[test]
    fn no_outage_keeps_every_promise_and_no_promise_is_neither_kept_nor_broken() {
        let rule = RecoveryRule { mttr: Some(Duration::ZERO), ..RecoveryRule::default() };
        assert_eq!(figures(&[]).keeps_to(&rule), Some(true));
        assert_eq!(figures(&[5]).keeps_to(&RecoveryRule::default()), None);
    }

    #[test]
    fn each_limit_is_kept_only_below_it() {
        let hours = |hours: u64| Some(Duration::from_secs(hours * 3600));
        let rule = RecoveryRule { mttr: hours(2), mttsr: hours(4), sum: hours(6), edge: Edge::Below };
        assert_eq!(figures(&[119, 119]).keeps_to(&rule), Some(true));
        assert_eq!(figures(&[120, 120]).keeps_to(&rule), Some(false));
        assert_eq!(figures(&[240, 5]).keeps_to(&rule), Some(false));
        assert_eq!((figures(&[10, 5]).mttr_ms(), figures(&[10, 5]).mttsr_ms()), (Some(450_000), Some(600_000)));
    }

    #[test]
    fn a_limit_that_says_at_most_is_kept_at_it() {
        let rule =
            RecoveryRule { mttr: Some(Duration::from_secs(1800)), edge: Edge::AtMost, ..RecoveryRule::default() };
        assert_eq!(figures(&[20, 40]).keeps_to(&rule), Some(true));
        assert_eq!(figures(&[20, 41]).keeps_to(&rule), Some(false));
        assert_eq!(figures(&[20, 40]).keeps_to(&RecoveryRule { edge: Edge::Below, ..rule }), Some(false));
    }

    #[test]
    fn the_sum_of_both_has_a_limit_of_its_own() {
        let rule = RecoveryRule { sum: Some(Duration::from_secs(6 * 3600)), ..RecoveryRule::default() };
        assert_eq!(figures(&[239, 1]).keeps_to(&rule), Some(true));
        assert_eq!(figures(&[200]).keeps_to(&rule), Some(false));
    }
}
