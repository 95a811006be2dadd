//! The five-minute rule as this agent alone sees it.
//!
//! A convenience for an agent without a collector and for local alerts: it follows the same rules
//! as the ledger, on this agent's results only. It is never sent anywhere and money never hangs on it.

use rules::check::{Assignment, Counts};
use rules::id::{AgentId, CheckId, ServiceId};
use rules::interval::Interval;
use rules::outcome::{Outcome, OutcomeKind};
use rules::policy::{Counting, Need, OutageExclusions, OutageRule};
use rules::result::{Pace, ProbeResult};
use rules::run::Series;
use rules::service::{SeriesRuns, timeline};
use rules::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// The shortest down stretch that is an outage, and the longest unknown one that is bridged.
const FIVE_MINUTES: Duration = Duration::from_secs(300);
/// How far back runs are kept: enough to see five minutes with a bridge of five inside.
const REMEMBERED: Duration = Duration::from_secs(900);
/// A result speaks at least for the instant it stands at.
const INSTANT: Duration = Duration::from_millis(1);

/// What this agent's results say about each service.
#[derive(Debug)]
pub(crate) struct LocalRule {
    agent: AgentId,
    rule: OutageRule,
    services: BTreeMap<ServiceId, Service>,
}

#[derive(Debug, Default)]
struct Service {
    counting: BTreeMap<CheckId, Series>,
    open: Option<Timestamp>,
}

/// A local outage began or ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Turn {
    /// It is five minutes old.
    Opened { service: ServiceId, began: Timestamp },
    /// It is over.
    Closed { service: ServiceId, began: Timestamp, ended: Timestamp },
}

impl LocalRule {
    pub(crate) fn new(agent: AgentId) -> LocalRule {
        let rule = OutageRule {
            at_least: FIVE_MINUTES,
            need: Need::All,
            min_agents: 1,
            bridge: FIVE_MINUTES,
            count: Counting::Whole,
            exclusions: OutageExclusions::WholeRun,
        };
        LocalRule { agent, rule, services: BTreeMap::new() }
    }

    /// Forgets every check that is not among `assignments`, and takes note of new ones.
    pub(crate) fn assign<'a>(&mut self, assignments: impl IntoIterator<Item = &'a Assignment>) {
        let mut wanted: BTreeMap<ServiceId, BTreeSet<CheckId>> = BTreeMap::new();
        for Assignment { service, check } in assignments {
            if check.counts == Counts::Yes {
                wanted.entry(service.clone()).or_default().insert(check.id.clone());
            }
        }
        self.services.retain(|service, _| wanted.contains_key(service));
        for (service, checks) in wanted {
            let counting = &mut self.services.entry(service).or_default().counting;
            counting.retain(|check, _| checks.contains(check));
            for check in checks {
                counting.entry(check).or_default();
            }
        }
    }

    /// Takes in a result; says so if a local outage began or ended with it.
    pub(crate) fn take(
        &mut self,
        service: &ServiceId,
        check: &CheckId,
        result: &ProbeResult,
        pace: Pace,
    ) -> Option<Turn> {
        let known = self.services.get_mut(service)?;
        let series = known.counting.get_mut(check)?;
        series.push(result, pace);
        series.forget_before(result.at.minus(REMEMBERED));
        // Of ten thousand checks in one service the first that answers settles it.
        let someone_is_up = known.counting.values().any(|series| is_up(series, result.at));
        let is_as_before = match known.open {
            None => someone_is_up,
            Some(_) => !someone_is_up && matches!(result.outcome, Outcome::Down(_)),
        };
        if is_as_before {
            return None;
        }
        let window = Interval::new(result.at.minus(REMEMBERED.max(pace.every * 4)), result.at.plus(INSTANT))?;
        let runs: Vec<SeriesRuns<'_>> = known
            .counting
            .iter()
            .map(|(check, series)| SeriesRuns { agent: &self.agent, check, runs: series.runs() })
            .collect();
        let timeline = timeline(&runs, &self.rule, window);
        let (down, up) = (timeline.down.iter().next_back(), timeline.up.iter().next_back());
        let now = |stretch: &Interval| stretch.until() == window.until();
        match known.open {
            None => {
                let began = down.filter(now).map(Interval::from)?;
                let is_outage = self.rule.at_least <= result.at.since(began);
                is_outage.then(|| known.open = Some(began))?;
                Some(Turn::Opened { service: service.clone(), began })
            }
            Some(began) => {
                let unbridged = down.is_none_or(|down| self.rule.bridge < result.at.since(down.until()));
                let ended = match up.filter(now) {
                    Some(up) => up.from(),
                    None if unbridged => down.map_or(result.at, Interval::until),
                    None => return None,
                };
                known.open = None;
                Some(Turn::Closed { service: service.clone(), began, ended })
            }
        }
    }

    /// Each service, and whether a local outage is open.
    pub(crate) fn services(&self) -> impl Iterator<Item = (&ServiceId, bool)> {
        self.services.iter().map(|(service, known)| (service, known.open.is_some()))
    }
}

fn is_up(series: &Series, at: Timestamp) -> bool {
    series.runs().last().is_some_and(|run| run.kind == OutcomeKind::Up && at < run.until)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rules::check::{Check, Target, Vantages};
    use rules::outcome::Cause;
    use std::sync::Arc;

    fn assignment(check: &str, counts: Counts) -> Assignment {
        let check = Check {
            id: check.parse().unwrap(),
            target: Target::parse("tcp:127.0.0.1:1").unwrap(),
            every: Duration::from_secs(30),
            timeout: Duration::from_secs(10),
            reprobe: None,
            counts,
            objective: None,
            agents: Vantages::All,
        };
        Assignment { service: "s".parse().unwrap(), check: Arc::new(check) }
    }

    /// Plays `script` for each check, one letter every 30 s: `u`p, `d`own, `v`oid, ` ` nothing.
    /// Yields what turned at which second.
    fn play(scripts: &[(&str, Counts, &str)]) -> Vec<(i64, Turn)> {
        let mut local = LocalRule::new("a".parse().unwrap());
        let assignments: Vec<Assignment> = scripts.iter().map(|(id, counts, _)| assignment(id, *counts)).collect();
        local.assign(&assignments);
        let slots = scripts.iter().map(|(_, _, script)| script.len()).max().unwrap();
        let mut turns = Vec::new();
        for slot in 0..slots {
            for ((_, _, script), assignment) in scripts.iter().zip(&assignments) {
                let outcome = match script.as_bytes()[slot] {
                    b'u' => Outcome::Up,
                    b'd' => Outcome::Down(Cause::Timeout),
                    b'v' => Outcome::Void(Cause::AgentOffline),
                    _ => continue,
                };
                let second = 30 * i64::try_from(slot).unwrap();
                let at = Timestamp::from_millis(second * 1_000);
                let result = ProbeResult::of_slot(at, outcome, Duration::ZERO);
                let check = &assignment.check;
                turns.extend(
                    local.take(&assignment.service, &check.id, &result, check.pace()).map(|turn| (second, turn)),
                );
            }
        }
        turns
    }

    fn opened(began: i64) -> Turn {
        Turn::Opened { service: "s".parse().unwrap(), began: Timestamp::from_millis(began * 1_000) }
    }

    fn closed(began: i64, ended: i64) -> Turn {
        let ended = Timestamp::from_millis(ended * 1_000);
        Turn::Closed { service: "s".parse().unwrap(), began: Timestamp::from_millis(began * 1_000), ended }
    }

    #[test]
    fn an_outage_opens_with_the_fifth_minute_and_closes_with_the_first_success() {
        let turns = play(&[("a", Counts::Yes, "uudddddddddddduu")]);
        assert_eq!(turns, vec![(360, opened(60)), (420, closed(60, 420))]);
    }

    #[test]
    fn four_and_a_half_minutes_are_none() {
        assert_eq!(play(&[("a", Counts::Yes, "uddddddddddu")]), vec![]);
    }

    #[test]
    fn one_counting_check_that_answers_is_enough_and_one_that_does_not_count_is_not() {
        assert_eq!(play(&[("a", Counts::Yes, "dddddddddddddd"), ("b", Counts::Yes, "uuuuuuuuuuuuuu")]), vec![]);
        let turns = play(&[("a", Counts::Yes, "dddddddddddddd"), ("b", Counts::No, "uuuuuuuuuuuuuu")]);
        assert_eq!(turns, vec![(300, opened(0))]);
    }

    #[test]
    fn what_is_not_known_between_failures_is_bridged_and_opens_nothing_by_itself() {
        let turns = play(&[("a", Counts::Yes, "dddvvvdddddu")]);
        assert_eq!(turns, vec![(300, opened(0)), (330, closed(0, 330))]);
        assert_eq!(play(&[("a", Counts::Yes, "dvvvvvvvvvvvvvvv")]), vec![]);
    }

    #[test]
    fn an_outage_that_nobody_can_follow_any_more_is_closed_where_its_evidence_ends() {
        let turns = play(&[("a", Counts::Yes, "dddddddddddvvvvvvvvvvvvvvv")]);
        assert_eq!(turns, vec![(300, opened(0)), (660, closed(0, 330))]);
    }

    #[test]
    fn a_service_that_is_no_longer_checked_is_forgotten() {
        let mut local = LocalRule::new("a".parse().unwrap());
        local.assign(&[assignment("a", Counts::Yes)]);
        assert_eq!(local.services().count(), 1);
        local.assign(&[]);
        assert_eq!(local.services().count(), 0);
    }
}
