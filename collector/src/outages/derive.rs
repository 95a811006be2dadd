//! One service as of an instant, from its series' runs.

use super::{OpenOutage, ServiceNow, ServiceState};
use crate::state::SeriesView;
use rules::agreement::{Agreement, Service};
use rules::check::{Check, Counts};
use rules::id::{AgentId, CheckId};
use rules::interval::{Interval, IntervalSet};
use rules::outage::{Verdict, stretches};
use rules::period::Month;
use rules::run::Run;
use rules::service::{SeriesRuns, Timeline, timeline};
use rules::statement::taken_off;
use rules::time::Timestamp;
use std::time::Duration;

/// What a derivation was made of, short of the ends of open runs: while it is the same, only time
/// can change the service.
pub(super) type Signature = Vec<(AgentId, CheckId, u64, usize, Option<Timestamp>)>;

pub(super) fn signature(series: &[SeriesView]) -> Signature {
    let one = |view: &SeriesView| {
        let key = &view.key;
        (key.agent.clone(), key.check.clone(), view.revision, view.closed.len(), view.open.map(|run| run.first_at))
    };
    series.iter().map(one).collect()
}

/// What `service` is at `now`, and when that may be different although nothing is committed.
pub(super) fn derive(
    agreement: &Agreement,
    service: &Service,
    series: &[SeriesView],
    now: Timestamp,
) -> (ServiceNow, Option<Timestamp>) {
    let rule = &agreement.policy.availability.outage;
    let counts = |check: &&Check| check.counts == Counts::Yes;
    let counting: Vec<&CheckId> = service.checks.iter().filter(counts).map(|check| &check.id).collect();
    let views = series.iter().filter(|view| counting.contains(&&view.key.check));
    let held: Vec<(&SeriesView, Vec<Run>)> = views.map(|view| (view, view.runs().copied().collect())).collect();
    let runs: Vec<SeriesRuns<'_>> =
        held.iter().map(|(view, runs)| SeriesRuns { agent: &view.key.agent, check: &view.key.check, runs }).collect();
    let mut found = ServiceNow::unheard(&agreement.id, &service.id);
    let Some(past) = Interval::new(Timestamp::MIN, now) else { return (found, None) };
    let timeline = timeline(&runs, rule, past);
    (found.state, found.since) = state(&timeline, now);

    let month = Month::containing(now, &agreement.zone).interval(&agreement.zone);
    let excluded = taken_off(agreement, &service.id, month, &timeline);
    let last = stretches(&timeline, &runs, rule, &excluded).pop().filter(|stretch| stretch.ongoing);
    let mut due = held.iter().filter_map(|(_, runs)| next_end(runs, now)).min();
    if let Some(stretch) = last {
        if found.state == ServiceState::Down {
            found.causes = stretch.causes;
        }
        if stretch.verdict == Verdict::Outage {
            found.outage = Some(OpenOutage { began_at: stretch.interval.from(), causes: stretch.causes });
        } else if found.state == ServiceState::Down {
            let begun = excluded.iter().filter(|excluded| excluded.from() < now).map(Interval::until);
            let since = begun.fold(stretch.interval.from(), Timestamp::max);
            let opens = since.plus(rule.at_least).max(now.plus(Duration::from_millis(1)));
            due = Some(due.map_or(opens, |due| due.min(opens)));
        }
    }
    (found, due)
}

/// What the timeline says of the last instant before `now`, and since when it says so.
fn state(timeline: &Timeline, now: Timestamp) -> (ServiceState, Option<Timestamp>) {
    let last = now.minus(Duration::from_millis(1));
    let ending = |set: &IntervalSet| set.iter().next_back().filter(|stretch| stretch.contains(last));
    if let Some(stretch) = ending(&timeline.down) {
        return (ServiceState::Down, Some(stretch.from()));
    }
    if let Some(stretch) = ending(&timeline.up) {
        return (ServiceState::Up, Some(stretch.from()));
    }
    let ended = |set: &IntervalSet| set.iter().next_back().map(Interval::until);
    (ServiceState::Unknown, ended(&timeline.down).max(ended(&timeline.up)))
}

/// The next instant after `now` at which a series begins or ceases to speak.
fn next_end(runs: &[Run], now: Timestamp) -> Option<Timestamp> {
    let ends = runs.iter().rev().take_while(|run| now <= run.until).flat_map(|run| [run.first_at, run.until]);
    // A run ends with its last instant; what is seen is the instant before.
    ends.filter(|end| now <= *end).map(|end| end.plus(Duration::from_millis(1))).min()
}
