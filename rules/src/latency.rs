//! How long pages took: the population of a mean, exactly (`accounting.md` section 9).
//!
//! Percentiles come from a histogram and live with whoever keeps one; here are only sums. A result
//! without weight is counted as such and has no say in anything else.

use crate::outcome::{Cause, Outcome};
use crate::result::{Pace, ProbeResult, Weight};
use core::time::Duration;

/// What results contribute to a mean, and how many contribute nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Population {
    /// Results that were up.
    pub ups: u64,
    /// Those of `ups` whose elapsed time was not kept; they have no say in the mean.
    pub untimed: u64,
    /// Results that were down because the deadline passed; each counts with at least its timeout.
    pub timeouts: u64,
    /// Results that were down for another cause; they contribute nothing to the mean.
    pub other_downs: u64,
    /// Results that judged nothing.
    pub voids: u64,
    /// Results without weight, whatever they came to; they are in none of the other figures.
    pub extras: u64,
    /// The sum over `ups` and `timeouts`, in microseconds.
    pub sum_us: u128,
}

/// How long `result` took, as far as a mean is concerned; nothing if it has no say in it. An elapsed
/// time of zero was not kept: no attempt takes none.
pub fn contribution(result: &ProbeResult, pace: Pace) -> Option<Duration> {
    if result.weight == Weight::Extra {
        return None;
    }
    match result.outcome {
        Outcome::Up => Some(result.elapsed).filter(|elapsed| !elapsed.is_zero()),
        Outcome::Down(Cause::Timeout) => Some(result.elapsed.max(pace.timeout)),
        Outcome::Down(_) | Outcome::Void(_) => None,
    }
}

impl Population {
    /// Takes in one result.
    pub fn add(&mut self, result: &ProbeResult, pace: Pace) {
        if result.weight == Weight::Extra {
            self.extras += 1;
            return;
        }
        match result.outcome {
            Outcome::Up => self.ups += 1,
            Outcome::Down(Cause::Timeout) => self.timeouts += 1,
            Outcome::Down(_) => self.other_downs += 1,
            Outcome::Void(_) => self.voids += 1,
        }
        match contribution(result, pace) {
            Some(length) => self.sum_us += length.as_micros(),
            None => self.untimed += u64::from(result.outcome == Outcome::Up),
        }
    }

    /// Takes in all of `other`.
    pub fn merge(&mut self, other: &Population) {
        self.ups += other.ups;
        self.untimed += other.untimed;
        self.timeouts += other.timeouts;
        self.other_downs += other.other_downs;
        self.voids += other.voids;
        self.extras += other.extras;
        self.sum_us += other.sum_us;
    }

    /// How many results it was made of, whether or not they have a say in anything.
    pub fn results(&self) -> u64 {
        self.ups + self.timeouts + self.other_downs + self.voids + self.extras
    }

    /// How many results the mean is over.
    pub fn count(&self) -> u64 {
        self.ups - self.untimed + self.timeouts
    }

    /// How many results were down.
    pub fn downs(&self) -> u64 {
        self.timeouts + self.other_downs
    }

    /// The mean, cut to whole microseconds; nothing without a population.
    pub fn mean_us(&self) -> Option<u64> {
        let mean = self.sum_us.checked_div(u128::from(self.count()))?;
        Some(u64::try_from(mean).unwrap_or(u64::MAX))
    }

    /// Whether the exact mean is at most `limit`; nothing without a population: not measured is
    /// never met.
    pub fn keeps_to(&self, limit: Duration) -> Option<bool> {
        (0 < self.count()).then(|| self.sum_us <= limit.as_micros() * u128::from(self.count()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Timestamp;

    fn population(results: &[(Outcome, u64)]) -> Population {
        let pace = Pace { every: Duration::from_secs(30), timeout: Duration::from_micros(100) };
        let mut population = Population::default();
        for &(outcome, elapsed) in results {
            let elapsed = Duration::from_micros(elapsed);
            population.add(&ProbeResult::of_slot(Timestamp::from_millis(0), outcome, elapsed), pace);
        }
        population
    }

    #[test]
    fn a_timeout_took_at_least_its_timeout_and_other_failures_took_nothing() {
        let all = population(&[
            (Outcome::Up, 50),
            (Outcome::Down(Cause::Timeout), 90),
            (Outcome::Down(Cause::Timeout), 120),
            (Outcome::Down(Cause::Refused), 7),
            (Outcome::Void(Cause::Paused), 7),
        ]);
        assert_eq!((all.count(), all.sum_us, all.downs(), all.voids), (3, 50 + 100 + 120, 3, 1));
        assert_eq!(all.mean_us(), Some(90));
    }

    #[test]
    fn a_time_that_was_not_kept_has_no_say_in_the_mean() {
        let all = population(&[(Outcome::Up, 0), (Outcome::Up, 30), (Outcome::Down(Cause::Timeout), 0)]);
        assert_eq!((all.ups, all.untimed, all.count(), all.sum_us), (2, 1, 2, 130));
    }

    #[test]
    fn what_came_on_top_is_counted_and_changes_no_figure() {
        let pace = Pace { every: Duration::from_secs(30), timeout: Duration::from_micros(100) };
        let slots = population(&[(Outcome::Up, 50), (Outcome::Down(Cause::Refused), 7)]);
        let mut all = slots;
        for outcome in [Outcome::Up, Outcome::Down(Cause::Timeout), Outcome::Void(Cause::Paused)] {
            let extra = ProbeResult::extra(Timestamp::from_millis(0), outcome, Duration::from_micros(9));
            assert_eq!(contribution(&extra, pace), None);
            all.add(&extra, pace);
        }
        assert_eq!((all.extras, all.results()), (3, slots.results() + 3));
        assert_eq!(Population { extras: 0, ..all }, slots);
    }

    #[test]
    fn the_mean_is_compared_before_it_is_cut() {
        let thirds = population(&[(Outcome::Up, 10), (Outcome::Up, 10), (Outcome::Up, 11)]);
        assert_eq!(thirds.mean_us(), Some(10));
        assert_eq!(thirds.keeps_to(Duration::from_micros(10)), Some(false));
        assert_eq!(thirds.keeps_to(Duration::from_micros(11)), Some(true));
    }

    #[test]
    fn without_a_population_nothing_is_measured_and_nothing_met() {
        let none = population(&[(Outcome::Down(Cause::Refused), 5)]);
        assert_eq!((none.mean_us(), none.keeps_to(Duration::MAX)), (None, None));
    }
}
