//! What each vantage saw of an outage: the view that lets a reader judge it alone.
//!
//! Everything here is read off runs; nothing is reckoned from it. A figure that later evidence could
//! still change is left out rather than guessed.

use super::evidence::Seen;
use rules::agreement::Service;
use rules::check::Counts;
use rules::id::{AgentId, CheckId};
use rules::interval::{Interval, IntervalSet};
use rules::outcome::{CauseSet, OutcomeKind};
use rules::run::Run;
use rules::statement::Reckoning;
use rules::time::Timestamp;
use std::collections::BTreeMap;
use std::time::Duration;

/// What one agent saw of one check within an outage. The four lengths add up to the outage's.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct View {
    /// Who looked.
    pub agent: AgentId,
    /// At what.
    pub check: CheckId,
    /// Whether the check takes part in availability.
    pub counts: Counts,
    /// How long it saw the check down.
    pub down: Duration,
    /// How long it saw it up.
    pub up: Duration,
    /// How long it was there but could not judge.
    pub void: Duration,
    /// How long nothing came of it.
    pub silent: Duration,
    /// The attempts that failed, if any did.
    pub failures: Option<Failures>,
}

/// The failed attempts of the runs that touch an outage. They may begin before it and end after it:
/// an outage begins when enough views are down, not when the first is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Failures {
    /// When the first of them started.
    pub first_at: Timestamp,
    /// How they ended; nothing while they go on where the evidence ends.
    pub ended: Option<FailuresEnd>,
    /// Why they failed.
    pub causes: CauseSet,
}

/// The end of failed attempts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FailuresEnd {
    /// When the last of them started.
    pub last_at: Timestamp,
    /// How many there were.
    pub results: u64,
}

/// What every series of `service` saw of each outage of its month, by the outage's beginning. `heard`
/// is the stretch whose evidence is heard.
pub(super) fn of_outages(
    service: &Service,
    seen: &[Seen],
    reckoning: &Reckoning<'_>,
    heard: Interval,
) -> BTreeMap<Timestamp, Vec<View>> {
    let outages = reckoning.outages().map(|(outage, _)| outage.interval);
    outages.map(|outage| (outage.from(), views(service, seen, outage, heard))).collect()
}

fn views(service: &Service, seen: &[Seen], outage: Interval, heard: Interval) -> Vec<View> {
    let view = |seen: &Seen| {
        let check = service.checks.iter().find(|check| check.id == seen.check)?;
        let touching = || seen.runs.iter().filter(|run| run.interval().is_some_and(|of| touches(of, outage)));
        let length = |kind: OutcomeKind| {
            let runs = touching().filter(|run| run.kind == kind).filter_map(Run::interval);
            runs.collect::<IntervalSet>().clipped(outage).length()
        };
        let (down, up, void) = (length(OutcomeKind::Down), length(OutcomeKind::Up), length(OutcomeKind::Void));
        Some(View {
            agent: seen.agent.clone(),
            check: seen.check.clone(),
            counts: check.counts,
            silent: outage.length().saturating_sub(down + up + void),
            failures: failures(touching().filter(|run| run.kind == OutcomeKind::Down), heard),
            down,
            up,
            void,
        })
    };
    let mut views: Vec<View> = seen.iter().filter_map(view).collect();
    // Each source of evidence has an order of its own; the same evidence must give the same bytes.
    views.sort_by(|a, b| (&a.agent, &a.check).cmp(&(&b.agent, &b.check)));
    views
}

fn touches(run: Interval, outage: Interval) -> bool {
    run.intersection(outage).is_some()
}

/// A run that reaches an end of what is heard may have results that are not heard.
fn failures<'a>(downs: impl Iterator<Item = &'a Run>, heard: Interval) -> Option<Failures> {
    downs.fold(None, |known: Option<Failures>, run| {
        let results = u64::from(run.results);
        let own = (heard.from() < run.first_at && run.until < heard.until())
            .then_some(FailuresEnd { last_at: run.last_at, results });
        let Some(before) = known else {
            return Some(Failures { first_at: run.first_at, ended: own, causes: run.causes });
        };
        let sum =
            |(a, b): (FailuresEnd, FailuresEnd)| FailuresEnd { last_at: b.last_at, results: a.results + b.results };
        Some(Failures { ended: before.ended.zip(own).map(sum), causes: before.causes.union(run.causes), ..before })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rules::outcome::Cause;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_millis(second * 1000)
    }

    fn run(kind: OutcomeKind, from: i64, until: i64, results: u32) -> Run {
        let causes = if kind == OutcomeKind::Up { CauseSet::EMPTY } else { [Cause::Timeout].into_iter().collect() };
        Run { kind, first_at: at(from), last_at: at(until - 5), until: at(until), results, causes }
    }

    fn check(runs: Vec<Run>, heard_until: i64) -> View {
        let config = "agents: []\nagreements: [{ agreement: a, zone: UTC, policy: p, services: [{ service: s, checks: [{ check: c, tcp: 'h:1' }] }] }]\npolicies: [{ policy: p, availability: { objective: 99 } }]";
        let config = config::collector::parse(config, "c.yaml", std::path::Path::new(".")).unwrap().value;
        let seen = Seen { agent: "v".parse().unwrap(), check: "c".parse().unwrap(), runs };
        let outage = Interval::new(at(100), at(200)).unwrap();
        let heard = Interval::new(at(-1), at(heard_until)).unwrap();
        views(&config.agreements[0].services[0], &[seen], outage, heard).remove(0)
    }

    #[test]
    fn a_view_divides_the_outage_and_counts_whole_runs_of_failures() {
        let runs = vec![
            run(OutcomeKind::Up, 0, 90, 9),
            run(OutcomeKind::Down, 90, 140, 5),
            run(OutcomeKind::Void, 140, 150, 1),
            run(OutcomeKind::Down, 170, 210, 4),
            run(OutcomeKind::Up, 210, 300, 9),
        ];
        let view = check(runs, 1000);
        let seconds = [view.down, view.up, view.void, view.silent].map(|length| length.as_secs());
        assert_eq!(seconds, [70, 0, 10, 20]);
        let failures = view.failures.unwrap();
        assert_eq!(failures.first_at, at(90));
        assert_eq!(failures.ended, Some(FailuresEnd { last_at: at(205), results: 9 }));
    }

    #[test]
    fn failures_that_go_on_where_the_evidence_ends_are_not_counted() {
        let view = check(vec![run(OutcomeKind::Down, 100, 230, 13)], 200);
        assert_eq!(view.failures.unwrap().ended, None);
        assert_eq!(view.down.as_secs(), 100);
    }

    #[test]
    fn an_agent_that_disagreed_has_no_failures() {
        let view = check(vec![run(OutcomeKind::Up, 0, 400, 40)], 1000);
        assert_eq!((view.up.as_secs(), view.failures), (100, None));
    }
}
