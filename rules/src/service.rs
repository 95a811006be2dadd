//! From series to a service: when it was down, when it was up, when nobody can say
//! (`accounting.md` section 5).

use crate::id::{AgentId, CheckId};
use crate::interval::{Interval, IntervalSet, select, sweep};
use crate::outcome::OutcomeKind;
use crate::policy::OutageRule;
use crate::run::Run;
use crate::time::Timestamp;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::time::Duration;

/// The runs of one series that takes part.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SeriesRuns<'a> {
    /// Who looked.
    pub agent: &'a AgentId,
    /// What it looked at.
    pub check: &'a CheckId,
    /// The runs, in order of time.
    pub runs: &'a [Run],
}

/// What a service was, over some stretch of time. Whatever is in neither set is unknown.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Timeline {
    /// When it was down, bridged stretches included.
    pub down: IntervalSet,
    /// When it was up.
    pub up: IntervalSet,
    /// Where the last word was spoken: the end of the evidence.
    pub evidence_until: Option<Timestamp>,
}

/// Derives what the service was from all its counting series, within `window`: evidence from
/// outside it says nothing, so a window that ends "as of" an instant ignores what came later.
pub fn timeline(series: &[SeriesRuns<'_>], rule: &OutageRule, window: Interval) -> Timeline {
    let views = views(series, window);
    let seen = views.values().flat_map(|view| view.speaks.iter().map(|stretch| (stretch, (1, 0))));
    let failed = views.values().flat_map(|view| view.down.iter().map(|stretch| (stretch, (0, 1))));
    let (mut down, mut up) = (Vec::new(), Vec::new());
    sweep(seen.chain(failed), |stretch, (views, downs): (i32, i32)| match state(views, downs, rule) {
        State::Down => down.push(stretch),
        State::Up => up.push(stretch),
        State::Unknown => {}
    });
    let (down, up): (IntervalSet, IntervalSet) = (down.into_iter().collect(), up.into_iter().collect());
    Timeline {
        down: bridged(&down, &up, rule),
        up,
        evidence_until: views.values().filter_map(|view| view.speaks.iter().next_back()).map(Interval::until).max(),
    }
}

/// What a service is at one instant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    /// Enough views are down.
    Down,
    /// Too few views are down, and one is up.
    Up,
    /// There is no view, or too few to tell.
    Unknown,
}

fn state(views: i32, downs: i32, rule: &OutageRule) -> State {
    let (views, downs) = (views.unsigned_abs(), downs.unsigned_abs());
    let need = rule.need.of(views);
    if 0 < downs && need <= downs && rule.min_agents <= views {
        State::Down
    } else if downs < need && downs < views {
        State::Up
    } else {
        State::Unknown
    }
}

/// What the agents said at one instant, and what the rule makes of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Moment<'a> {
    /// Every agent with a series that takes part, by name, and its view; nothing: it had none.
    pub views: Vec<(&'a AgentId, Option<Sight>)>,
    /// What the service was by these views alone; a bridge may still make an unknown instant down.
    pub state: State,
}

/// An agent's view.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sight {
    /// One of its series that spoke was up.
    Up,
    /// All of its series that spoke were down.
    Down,
}

/// What every agent that takes part said at `at`.
pub fn moment<'a>(series: &[SeriesRuns<'a>], rule: &OutageRule, at: Timestamp) -> Moment<'a> {
    let mut all: BTreeMap<&'a AgentId, Option<Sight>> = series.iter().map(|series| (series.agent, None)).collect();
    if let Some(instant) = Interval::new(at, at.plus(Duration::from_millis(1))) {
        for (agent, view) in views(series, instant) {
            let sight = if view.down.contains(at) { Sight::Down } else { Sight::Up };
            all.insert(agent, view.speaks.contains(at).then_some(sight));
        }
    }
    let count = |wanted: &[Option<Sight>]| all.values().filter(|sight| wanted.contains(*sight)).count();
    let number = |count: usize| i32::try_from(count).unwrap_or(i32::MAX);
    let downs = number(count(&[Some(Sight::Down)]));
    let state = state(number(count(&[Some(Sight::Up), Some(Sight::Down)])), downs, rule);
    Moment { views: all.into_iter().collect(), state }
}

/// What one agent says of the service.
#[derive(Default)]
struct View {
    speaks: IntervalSet,
    down: IntervalSet,
}

/// A stretch that one series speaks for: (1, whether it says down).
type Spoken = (Interval, (i32, i32));

/// An agent's view is over its series that speak: down if all of them are down, else up.
fn views<'a>(series: &[SeriesRuns<'a>], window: Interval) -> BTreeMap<&'a AgentId, View> {
    let mut spoken: BTreeMap<&AgentId, Vec<Spoken>> = BTreeMap::new();
    for series in series {
        let ends = spoken.entry(series.agent).or_default();
        for run in within(series.runs, window) {
            let Some(stretch) = run.speaks().and_then(|stretch| stretch.intersection(window)) else { continue };
            ends.push((stretch, (1, i32::from(run.kind == OutcomeKind::Down))));
        }
    }
    let view = |ends: Vec<Spoken>| View {
        speaks: select(ends.iter().copied(), |(speaking, _)| 0 < speaking),
        down: select(ends, |(speaking, down)| 0 < speaking && speaking == down),
    };
    spoken.into_iter().map(|(agent, ends)| (agent, view(ends))).collect()
}

/// The runs that touch `window`.
pub(crate) fn within(runs: &[Run], window: Interval) -> &[Run] {
    let first = runs.partition_point(|run| run.until <= window.from());
    let last = runs.partition_point(|run| run.first_at < window.until());
    runs.get(first..last).unwrap_or_default()
}

/// An unknown stretch of at most `bridge`, with down directly before and after it, is down.
fn bridged(down: &IntervalSet, up: &IntervalSet, rule: &OutageRule) -> IntervalSet {
    let between = |pair: &[Interval]| Interval::new(pair[0].until(), pair[1].from());
    let unknown = |gap: &Interval| up.clipped(*gap).is_empty() && gap.length() <= rule.bridge;
    let bridges = down.as_slice().windows(2).filter_map(between).filter(unknown);
    down.iter().chain(bridges).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::{Counting, Need, OutageExclusions};
    use alloc::string::String;

    /// Draws a series' runs, one cell a millisecond: `U`p, `D`own, `_` silent.
    fn runs(picture: &str) -> Vec<Run> {
        let mut runs: Vec<Run> = Vec::new();
        for (index, letter) in picture.chars().enumerate() {
            let at = Timestamp::from_millis(i64::try_from(index).unwrap());
            let kind = match letter {
                'U' => OutcomeKind::Up,
                'D' => OutcomeKind::Down,
                _ => continue,
            };
            let until = at.plus(Duration::from_millis(1));
            match runs.last_mut() {
                Some(run) if run.kind == kind && run.until == at => (run.until, run.last_at) = (until, at),
                _ => runs.push(Run { kind, first_at: at, last_at: at, until, results: 1, causes: Default::default() }),
            }
        }
        runs
    }

    fn rule(need: Need, min_agents: u32, bridge: u64) -> OutageRule {
        OutageRule {
            at_least: Duration::from_millis(3),
            need,
            min_agents,
            bridge: Duration::from_millis(bridge),
            count: Counting::Whole,
            exclusions: OutageExclusions::WholeRun,
        }
    }

    /// Each entry is (agent, picture); the answer is drawn the same way.
    fn check(rule: OutageRule, series: &[(&str, &str)], says: &str) {
        let drawn: Vec<(AgentId, Vec<Run>)> =
            series.iter().map(|(agent, picture)| (agent.parse().unwrap(), runs(picture))).collect();
        let id: CheckId = "c".parse().unwrap();
        let series: Vec<SeriesRuns<'_>> =
            drawn.iter().map(|(agent, runs)| SeriesRuns { agent, check: &id, runs }).collect();
        let timeline = timeline(&series, &rule, Interval::ALWAYS);
        let letter = |at: usize| {
            let at = Timestamp::from_millis(i64::try_from(at).unwrap());
            match (timeline.down.contains(at), timeline.up.contains(at)) {
                (true, false) => 'D',
                (false, true) => 'U',
                (false, false) => '_',
                (true, true) => '!',
            }
        };
        assert_eq!((0..says.len()).map(letter).collect::<String>(), says);
    }

    #[test]
    fn a_view_is_down_when_all_speaking_series_of_the_agent_are() {
        check(rule(Need::All, 1, 0), &[("a", "DDDUU_"), ("a", "UDD_DD")], "UDDUUD");
    }

    #[test]
    fn by_default_all_views_must_be_down() {
        check(rule(Need::All, 1, 0), &[("a", "DDD_"), ("b", "UDD_"), ("c", "UU__")], "UUD_");
    }

    #[test]
    fn a_majority_is_more_than_half_of_the_views_that_there_are() {
        check(rule(Need::Majority, 1, 0), &[("a", "DDDD"), ("b", "DUUD"), ("c", "UU__")], "DUUD");
    }

    #[test]
    fn a_number_larger_than_the_views_can_not_say_down() {
        check(rule(Need::Count(2), 1, 0), &[("a", "DDU_"), ("b", "D___")], "D_U_");
    }

    #[test]
    fn too_few_agents_can_say_up_but_not_down() {
        check(rule(Need::All, 2, 0), &[("a", "DDU"), ("b", "D__")], "D_U");
    }

    #[test]
    fn a_short_silence_between_failures_is_bridged_and_nothing_else_is() {
        check(rule(Need::All, 1, 2), &[("a", "D__D___DUUD_U__D")], "DDDD___DUUD_U__D");
    }

    #[test]
    fn a_moment_says_what_the_timeline_says_but_for_bridges() {
        let pictures = [("a", "login", "UUDD_D_U"), ("a", "port", "UDDD__UU"), ("b", "login", "DDD__DDU")];
        let all: Vec<(AgentId, CheckId, Vec<Run>)> = pictures
            .iter()
            .map(|(agent, check, of)| (agent.parse().unwrap(), check.parse().unwrap(), runs(of)))
            .collect();
        let series: Vec<SeriesRuns<'_>> =
            all.iter().map(|(agent, check, runs)| SeriesRuns { agent, check, runs }).collect();
        for rule in [rule(Need::All, 1, 0), rule(Need::Majority, 2, 0), rule(Need::Count(1), 1, 0)] {
            let timeline = timeline(&series, &rule, Interval::ALWAYS);
            for at in (0..9).map(Timestamp::from_millis) {
                let state = match (timeline.down.contains(at), timeline.up.contains(at)) {
                    (true, _) => State::Down,
                    (false, true) => State::Up,
                    (false, false) => State::Unknown,
                };
                assert_eq!(moment(&series, &rule, at).state, state, "{at:?} {rule:?}");
            }
        }
        let (a, b): (AgentId, AgentId) = ("a".parse().unwrap(), "b".parse().unwrap());
        let of = moment(&series, &rule(Need::All, 1, 0), Timestamp::from_millis(4));
        assert_eq!(of.views, [(&a, None), (&b, None)]);
    }
}
