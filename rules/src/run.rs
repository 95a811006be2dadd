//! From results to a series: who speaks when, and the runs that makes (`accounting.md` section 4).
//!
//! [`Series::push`] takes results in order of `at` and costs the same however long the series is.
//! What is late it reports and leaves to [`Series::fold`], which takes any order, so that both give
//! the same runs: folding forgets order, repetition and batching.

use crate::interval::Interval;
use crate::outcome::{CauseSet, OutcomeKind};
use crate::result::{Pace, ProbeResult};
use crate::time::Timestamp;
use alloc::vec::Vec;
use core::time::Duration;

/// A result speaks for at most this many times its check's `every`.
pub const SPEAKS_FOR: u32 = 2;

/// How long a result of a check with this pace speaks at most.
pub fn speech(pace: Pace) -> Duration {
    pace.every.saturating_mul(SPEAKS_FOR)
}

/// A longest stretch of one outcome without a gap.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Run {
    /// The one outcome. A run of `Void` is kept to tell why nothing is known; it speaks for nothing.
    pub kind: OutcomeKind,
    /// When its first attempt started.
    pub first_at: Timestamp,
    /// When its last attempt started.
    pub last_at: Timestamp,
    /// Until when its last result speaks: its next result, or twice `every`.
    pub until: Timestamp,
    /// How many results it is made of.
    pub results: u32,
    /// Why it wasn't up.
    pub causes: CauseSet,
}

impl Run {
    /// The stretch it covers.
    pub fn interval(&self) -> Option<Interval> {
        Interval::new(self.first_at, self.until)
    }

    /// The stretch it speaks for: nothing if it is void.
    pub fn speaks(&self) -> Option<Interval> {
        match self.kind {
            OutcomeKind::Up | OutcomeKind::Down => self.interval(),
            OutcomeKind::Void => None,
        }
    }

    fn of(result: &ProbeResult, pace: Pace) -> Run {
        Run {
            kind: result.outcome.kind(),
            first_at: result.at,
            last_at: result.at,
            until: result.at.plus(speech(pace)),
            results: 1,
            causes: result.outcome.cause().into_iter().collect(),
        }
    }
}

/// Sorts results by `at`, and those of one instant so that the one that stands comes first.
pub fn put_in_order(results: &mut [(ProbeResult, Pace)]) {
    results.sort_unstable_by(|(a, a_pace), (b, b_pace)| {
        let later = a.at.cmp(&b.at);
        later.then_with(|| b.beats(a).cmp(&a.beats(b))).then_with(|| b_pace.cmp(a_pace))
    });
}

/// What a pushed result did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Pushed {
    /// The last run is longer now.
    Extended,
    /// A new run began; the one before it will not change any more.
    Began,
    /// The result was there already, or lost to one with the same instant; nothing changed.
    Repeated,
    /// The result belongs before or in place of one that is already folded; nothing changed. Only
    /// folding the series again takes it in.
    Late,
}

/// The runs of one series.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Series {
    runs: Vec<Run>,
    last: Option<ProbeResult>,
}

impl Series {
    /// Folds results in any order, with any repetition.
    pub fn fold(mut results: Vec<(ProbeResult, Pace)>) -> Series {
        put_in_order(&mut results);
        let mut series = Series::default();
        for (result, pace) in &results {
            let pushed = series.push(result, *pace);
            debug_assert!(pushed != Pushed::Late, "sorted results are never late");
        }
        series
    }

    /// A series that goes on from `runs`, the last of which ends with `last`.
    pub fn resume(runs: Vec<Run>, last: Option<ProbeResult>) -> Series {
        Series { runs, last }
    }

    /// Takes in one more result.
    pub fn push(&mut self, result: &ProbeResult, pace: Pace) -> Pushed {
        if let Some(last) = &self.last {
            match result.at.cmp(&last.at) {
                core::cmp::Ordering::Less => return Pushed::Late,
                core::cmp::Ordering::Equal if result.beats(last) => return Pushed::Late,
                core::cmp::Ordering::Equal => return Pushed::Repeated,
                core::cmp::Ordering::Greater => {}
            }
        }
        self.last = Some(*result);
        let next = Run::of(result, pace);
        let Some(run) = self.runs.last_mut() else {
            self.runs.push(next);
            return Pushed::Began;
        };
        let unbroken = next.first_at <= run.until;
        if unbroken && run.kind == next.kind {
            *run = Run {
                last_at: next.last_at,
                until: next.until,
                results: run.results.saturating_add(1),
                causes: run.causes.union(next.causes),
                ..*run
            };
            return Pushed::Extended;
        }
        run.until = run.until.min(next.first_at);
        self.runs.push(next);
        Pushed::Began
    }

    /// Its runs in order of time.
    pub fn runs(&self) -> &[Run] {
        &self.runs
    }

    /// Its last result.
    pub fn last(&self) -> Option<&ProbeResult> {
        self.last.as_ref()
    }

    /// Forgets all runs that end at or before `instant`; the last one stays.
    pub fn forget_before(&mut self, instant: Timestamp) {
        let old = self.runs.partition_point(|run| run.until <= instant);
        self.runs.drain(..old.min(self.runs.len().saturating_sub(1)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::{Cause, Outcome};
    use crate::result::Weight;
    use alloc::string::String;
    use alloc::vec;
    use proptest::prelude::*;

    const PACE: Pace = Pace { every: Duration::from_millis(2), timeout: Duration::from_millis(1) };

    /// One result a character: `u`p, `d`own, `v`oid, `_` none.
    fn results(picture: &str) -> Vec<(ProbeResult, Pace)> {
        let outcome = |letter| match letter {
            'u' => Some(Outcome::Up),
            'd' => Some(Outcome::Down(Cause::Timeout)),
            'v' => Some(Outcome::Void(Cause::Paused)),
            _ => None,
        };
        let at = |index| Timestamp::from_millis(i64::try_from(index).unwrap());
        let cells = picture.chars().enumerate();
        let result = |(index, letter)| Some(ProbeResult::of_slot(at(index), outcome(letter)?, Duration::ZERO));
        cells.filter_map(result).map(|result| (result, PACE)).collect()
    }

    /// What speaks at each instant: `U`p, `D`own or `_` nothing.
    fn spoken(series: &Series, cells: i64) -> String {
        let speaking = |at| series.runs().iter().find(|run| run.speaks().is_some_and(|run| run.contains(at)));
        (0..cells)
            .map(|at| match speaking(Timestamp::from_millis(at)).map(|run| run.kind) {
                Some(OutcomeKind::Up) => 'U',
                Some(OutcomeKind::Down) => 'D',
                Some(OutcomeKind::Void) | None => '_',
            })
            .collect()
    }

    fn check(picture: &str, says: &str) {
        let series = Series::fold(results(picture));
        assert_eq!(spoken(&series, i64::try_from(says.len()).unwrap()), says, "{picture}");
    }

    #[test]
    fn a_result_speaks_until_the_next_but_at_most_for_twice_every() {
        check("u__________", "UUUU_______");
        check("u_d________", "UUDDDD_____");
        check("u___u______", "UUUUUUUU___");
        check("u____u_____", "UUUU_UUUU__");
    }

    #[test]
    fn a_void_result_speaks_for_nothing_and_silences_the_one_before() {
        check("u_v_d______", "UU__DDDD___");
        check("dvv____", "D______");
    }

    #[test]
    fn a_stretch_without_a_gap_is_one_run_and_a_gap_breaks_it() {
        assert_eq!(Series::fold(results("d_d___d")).runs().len(), 1);
        assert_eq!(Series::fold(results("d_d____d")).runs().len(), 2);
    }

    #[test]
    fn up_beats_down_beats_void_then_the_shorter_then_the_lower_cause_then_the_weightier() {
        let result = |outcome, elapsed| {
            (ProbeResult::of_slot(Timestamp::from_millis(0), outcome, Duration::from_micros(elapsed)), PACE)
        };
        let ranked = [
            result(Outcome::Up, 5),
            result(Outcome::Up, 6),
            result(Outcome::Down(Cause::Refused), 1),
            result(Outcome::Down(Cause::Timeout), 1),
            result(Outcome::Down(Cause::Refused), 2),
            result(Outcome::Void(Cause::Paused), 0),
            (ProbeResult::extra(Timestamp::from_millis(0), Outcome::Void(Cause::Paused), Duration::ZERO), PACE),
        ];
        for (rank, stronger) in ranked.iter().enumerate() {
            for weaker in &ranked[rank + 1..] {
                let series = Series::fold(vec![*weaker, *stronger]);
                assert_eq!(series.last(), Some(&stronger.0), "{stronger:?} against {weaker:?}");
            }
        }
    }

    #[test]
    fn a_late_result_is_told_and_changes_nothing() {
        let mut series = Series::fold(results("u_u"));
        let before = series.clone();
        assert_eq!(series.push(&results("_d")[0].0, PACE), Pushed::Late);
        assert_eq!(series.push(&results("u")[0].0, PACE), Pushed::Late);
        assert_eq!(series.push(&results("__d")[0].0, PACE), Pushed::Repeated);
        assert_eq!(series, before);
    }

    fn any_result() -> impl Strategy<Value = (ProbeResult, Pace)> {
        let outcome = prop_oneof![
            Just(Outcome::Up),
            Just(Outcome::Down(Cause::Timeout)),
            Just(Outcome::Down(Cause::Reset)),
            Just(Outcome::Void(Cause::Paused)),
        ];
        let weight = prop_oneof![Just(Weight::Slot), Just(Weight::Extra)];
        (0i64..60, outcome, 0u64..3, 1u64..4, weight).prop_map(|(at, outcome, elapsed, every, weight)| {
            let (at, elapsed) = (Timestamp::from_millis(at), Duration::from_micros(elapsed));
            let result = ProbeResult { at, outcome, elapsed, weight };
            (result, Pace { every: Duration::from_millis(every), timeout: Duration::from_millis(1) })
        })
    }

    proptest! {
        #[test]
        fn folding_forgets_order_and_repetition(
            results in prop::collection::vec(any_result(), 0..80),
            seed in any::<prop::sample::Index>(),
        ) {
            let mut turned = results.clone();
            if !turned.is_empty() {
                let middle = seed.index(turned.len());
                turned.rotate_left(middle);
                turned.extend_from_within(..middle);
                turned.reverse();
            }
            prop_assert_eq!(Series::fold(results), Series::fold(turned));
        }

        #[test]
        fn a_run_does_not_ask_what_its_results_weigh(results in prop::collection::vec(any_result(), 0..80)) {
            let weighing = |weight: fn(&ProbeResult) -> Weight| {
                results.iter().map(|(one, _)| (ProbeResult { weight: weight(one), ..*one }, PACE)).collect()
            };
            let due = Series::fold(weighing(|_| Weight::Slot));
            let extra = Series::fold(weighing(|_| Weight::Extra));
            let mixed = Series::fold(weighing(|result| result.weight));
            prop_assert_eq!(extra.runs(), due.runs());
            prop_assert_eq!(mixed.runs(), due.runs());
        }

        #[test]
        fn runs_are_disjoint_in_order_and_differ_where_they_touch(results in prop::collection::vec(any_result(), 0..80)) {
            let series = Series::fold(results);
            for run in series.runs() {
                prop_assert!(run.first_at <= run.last_at && run.last_at < run.until);
            }
            for pair in series.runs().windows(2) {
                prop_assert!(pair[0].until <= pair[1].first_at);
                prop_assert!(pair[0].until < pair[1].first_at || pair[0].kind != pair[1].kind);
            }
        }
    }
}
