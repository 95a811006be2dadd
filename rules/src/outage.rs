//! Down stretches, judged: outages, short downtime, near misses, and how sure their edges are
//! (`accounting.md` section 6).

use crate::interval::{Interval, IntervalSet};
use crate::outcome::{CauseSet, OutcomeKind};
use crate::policy::{Counting, OutageExclusions, OutageRule};
use crate::run::Run;
use crate::service::{SeriesRuns, Timeline, within};
use crate::time::Timestamp;
use alloc::vec::Vec;
use core::time::Duration;

/// From this many percent of `for` on, a stretch that is no outage is a near miss.
const NEAR_MISS_PERCENT: u128 = 80;

/// A maximal stretch in which a service was down.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stretch {
    /// `[began, ended)`; for an ongoing one, "so far".
    pub interval: Interval,
    /// What it is under the policy.
    pub verdict: Verdict,
    /// Whether it goes up to where the evidence ends.
    pub ongoing: bool,
    /// How sure its edges are.
    pub bracket: Bracket,
    /// Why attempts failed in it.
    pub causes: CauseSet,
}

/// What a down stretch is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// At least as long as `for`.
    Outage,
    /// Shorter, but at least four fifths of it.
    NearMiss,
    /// Shorter.
    Short,
}

/// Where the true edges of a stretch lie: its beginning in `(up_before, began]`, its end in
/// `[down_before_end, ended]`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bracket {
    /// The last attempt that was up before it began; nothing if none is known.
    pub up_before: Option<Timestamp>,
    /// The last attempt known to have failed while all others still did.
    pub down_before_end: Timestamp,
}

impl Stretch {
    /// The shortest that it can have been.
    pub fn shortest(&self) -> Duration {
        self.bracket.down_before_end.since(self.interval.from())
    }

    /// The longest that it can have been; nothing if no attempt was up before it.
    pub fn longest(&self) -> Option<Duration> {
        self.bracket.up_before.map(|up_before| self.interval.until().since(up_before))
    }

    /// What of it counts, before exclusions.
    pub fn counting(&self, rule: &OutageRule) -> IntervalSet {
        let from = match (self.verdict, rule.count) {
            (Verdict::Short | Verdict::NearMiss, _) => return IntervalSet::default(),
            (Verdict::Outage, Counting::Whole) => self.interval.from(),
            (Verdict::Outage, Counting::AfterThreshold) => self.interval.from().plus(rule.at_least),
        };
        Interval::new(from, self.interval.until()).into_iter().collect()
    }
}

/// Judges every down stretch of a timeline, on its whole length, before anything is clipped.
pub fn stretches(
    timeline: &Timeline,
    series: &[SeriesRuns<'_>],
    rule: &OutageRule,
    exclusions: &IntervalSet,
) -> Vec<Stretch> {
    let judged = timeline.down.iter().map(|interval| Stretch {
        interval,
        verdict: verdict(interval, rule, exclusions),
        ongoing: timeline.evidence_until.is_some_and(|until| until <= interval.until()),
        bracket: bracket(interval, series),
        causes: causes(interval, series),
    });
    judged.collect()
}

fn verdict(interval: Interval, rule: &OutageRule, exclusions: &IntervalSet) -> Verdict {
    let length = match rule.exclusions {
        OutageExclusions::WholeRun => interval.length(),
        OutageExclusions::Remainder => {
            let remainder = IntervalSet::from(interval).difference(exclusions);
            remainder.iter().map(Interval::length).max().unwrap_or_default()
        }
    };
    if rule.at_least <= length {
        Verdict::Outage
    } else if rule.at_least.as_millis() * NEAR_MISS_PERCENT <= length.as_millis() * 100 {
        Verdict::NearMiss
    } else {
        Verdict::Short
    }
}

/// The series that took part in a stretch are those that were down in it. It can't have begun
/// before the last of them was still up, and it had not ended while the series that ended it
/// still failed: of several, the one that failed last the longest ago decides. While none has
/// ended it, all of those that still fail do.
fn bracket(interval: Interval, series: &[SeriesRuns<'_>]) -> Bracket {
    let (began, ended) = (interval.from(), interval.until());
    let (mut up_before, mut failed_until_end, mut still_failing) = (None, None, None);
    for series in series {
        let inside = within(series.runs, interval);
        let Some(last_down) = inside.iter().rev().find(|run| run.kind == OutcomeKind::Down) else { continue };
        up_before = up_before.max(last_up_before(series.runs, began));
        let earliest = if ended < last_down.until { &mut still_failing } else { &mut failed_until_end };
        *earliest = Some(earliest.map_or(last_down.last_at, |known: Timestamp| known.min(last_down.last_at)));
    }
    let down_before_end = failed_until_end.or(still_failing).unwrap_or(began).clamp(began, ended);
    Bracket { up_before, down_before_end }
}

fn last_up_before(runs: &[Run], instant: Timestamp) -> Option<Timestamp> {
    let before = runs.partition_point(|run| run.first_at < instant);
    let last_up = runs[..before].iter().rev().find(|run| run.kind == OutcomeKind::Up)?;
    (last_up.last_at < instant).then_some(last_up.last_at)
}

fn causes(interval: Interval, series: &[SeriesRuns<'_>]) -> CauseSet {
    let runs = series.iter().flat_map(|series| within(series.runs, interval));
    runs.filter(|run| run.kind == OutcomeKind::Down).fold(CauseSet::EMPTY, |causes, run| causes.union(run.causes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{AgentId, CheckId};
    use crate::outcome::{Cause, Outcome};
    use crate::policy::Need;
    use crate::result::{Pace, ProbeResult};
    use crate::run::Series;
    use crate::service::timeline;

    const MINUTES_5: Duration = Duration::from_secs(300);

    fn rule() -> OutageRule {
        OutageRule {
            at_least: MINUTES_5,
            need: Need::All,
            min_agents: 1,
            bridge: MINUTES_5,
            count: Counting::Whole,
            exclusions: OutageExclusions::WholeRun,
        }
    }

    /// A series from `(milliseconds, up?)`.
    fn series(every_ms: u64, results: &[(i64, bool)]) -> Series {
        let pace = Pace { every: Duration::from_millis(every_ms), timeout: Duration::from_millis(1) };
        let result = |&(at, is_up)| {
            let outcome = if is_up { Outcome::Up } else { Outcome::Down(Cause::Refused) };
            (ProbeResult::of_slot(Timestamp::from_millis(at), outcome, Duration::ZERO), pace)
        };
        Series::fold(results.iter().map(result).collect())
    }

    fn judged(all: &[(&str, &Series)], rule: &OutageRule, exclusions: &IntervalSet) -> Vec<Stretch> {
        let named: Vec<(AgentId, CheckId, &Series)> =
            all.iter().map(|(agent, series)| (agent.parse().unwrap(), "c".parse().unwrap(), *series)).collect();
        let runs: Vec<SeriesRuns<'_>> =
            named.iter().map(|(agent, check, series)| SeriesRuns { agent, check, runs: series.runs() }).collect();
        stretches(&timeline(&runs, rule, Interval::ALWAYS), &runs, rule, exclusions)
    }

    #[test]
    fn exactly_five_minutes_is_an_outage_and_a_millisecond_less_is_not() {
        let check = |ended, verdict| {
            let failing = series(200_000, &[(0, true), (100_000, false), (ended, true)]);
            let found = judged(&[("a", &failing)], &rule(), &IntervalSet::default());
            assert_eq!(
                (found[0].interval.length(), found[0].verdict),
                (Duration::from_millis(ended as u64 - 100_000), verdict)
            );
        };
        check(400_000, Verdict::Outage);
        check(399_999, Verdict::NearMiss);
        check(340_000, Verdict::NearMiss);
        check(339_999, Verdict::Short);
    }

    #[test]
    fn the_bracket_goes_from_the_last_success_to_the_last_failure() {
        let failing = series(60_000, &[(0, true), (60_000, false), (120_000, false), (180_000, true)]);
        let found = judged(&[("a", &failing)], &rule(), &IntervalSet::default());
        assert_eq!(found[0].shortest(), Duration::from_secs(60));
        assert_eq!(found[0].longest(), Some(Duration::from_secs(180)));
    }

    #[test]
    fn the_series_that_ended_it_decides_how_short_it_can_have_been() {
        let ends_it = series(60_000, &[(0, true), (60_000, false), (120_000, false), (180_000, true)]);
        let fails_on =
            series(60_000, &[(30_000, true), (90_000, false), (150_000, false), (210_000, false), (270_000, true)]);
        let found = judged(&[("a", &ends_it), ("b", &fails_on)], &rule(), &IntervalSet::default());
        assert_eq!(
            found[0].interval,
            Interval::new(Timestamp::from_millis(90_000), Timestamp::from_millis(180_000)).unwrap()
        );
        assert_eq!(found[0].bracket.up_before, Some(Timestamp::from_millis(30_000)));
        assert_eq!(found[0].bracket.down_before_end, Timestamp::from_millis(120_000));
    }

    #[test]
    fn an_outage_without_an_end_in_the_evidence_is_ongoing() {
        let failing = series(60_000, &[(0, true), (60_000, false)]);
        let found = judged(&[("a", &failing)], &rule(), &IntervalSet::default());
        assert!(found[0].ongoing);
        assert_eq!(found[0].interval.until(), Timestamp::from_millis(180_000));
    }

    #[test]
    fn an_outage_that_nothing_has_ended_is_at_least_as_long_as_its_failures() {
        let failing = series(60_000, &[(0, true), (60_000, false), (120_000, false)]);
        let runs = SeriesRuns { agent: &"a".parse().unwrap(), check: &"c".parse().unwrap(), runs: failing.runs() };
        let as_of = Interval::new(Timestamp::MIN, Timestamp::from_millis(130_000)).unwrap();
        let found = stretches(&timeline(&[runs], &rule(), as_of), &[runs], &rule(), &IntervalSet::default());
        assert_eq!((found[0].ongoing, found[0].shortest()), (true, Duration::from_secs(60)));
    }

    #[test]
    fn a_remainder_must_itself_be_long_enough() {
        let failing = series(400_000, &[(0, false), (400_000, true)]);
        let middle = Interval::new(Timestamp::from_millis(100_000), Timestamp::from_millis(150_000)).unwrap();
        let excluded = IntervalSet::from(middle);
        let remainder = OutageRule { exclusions: OutageExclusions::Remainder, ..rule() };
        assert_eq!(judged(&[("a", &failing)], &rule(), &excluded)[0].verdict, Verdict::Outage);
        assert_eq!(judged(&[("a", &failing)], &remainder, &excluded)[0].verdict, Verdict::NearMiss);
    }
}
