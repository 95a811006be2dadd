//! What truly happens: when the target is away, when an agent can't reach it, when links break
//! and processes die. Drawn from a seed; nobody but the checks at the end may look at it.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use rules::interval::{Interval, IntervalSet};
use rules::time::Timestamp;
use std::time::Duration;

/// How long the scripted part of a run lasts; then everything is healed.
pub(crate) const LENGTH: Duration = Duration::from_secs(2 * 3600);
/// How many agents look.
pub(crate) const AGENTS: usize = 3;
/// The policy's five minutes.
pub(crate) const FOR: Duration = Duration::from_secs(300);

pub(crate) struct Script {
    /// When the target answers nobody.
    pub(crate) target_away: IntervalSet,
    /// When it doesn't answer this agent, whose references still do.
    pub(crate) cut_off: Vec<IntervalSet>,
    /// When this agent reaches nothing at all.
    pub(crate) offline: Vec<IntervalSet>,
    /// When this agent's messages to and from the collector are lost.
    pub(crate) link_down: Vec<IntervalSet>,
    /// When this agent dies; it is back a little later.
    pub(crate) agent_deaths: Vec<Vec<Timestamp>>,
    /// When the collector dies.
    pub(crate) collector_deaths: Vec<Timestamp>,
}

pub(crate) fn start() -> Timestamp {
    "2026-10-12T00:00:00Z".parse().expect("an instant")
}

impl Script {
    pub(crate) fn new(seed: u64) -> Script {
        let mut rng = StdRng::seed_from_u64(seed);
        let mut each = |count, longest| (0..AGENTS).map(|_| stretches(&mut rng, count, longest)).collect();
        let (cut_off, offline, link_down) = (each(2, 900), each(1, 600), each(4, 1200));
        Script {
            target_away: stretches(&mut rng, 4, 900),
            cut_off,
            offline,
            link_down,
            agent_deaths: (0..AGENTS).map(|_| instants(&mut rng, 4)).collect(),
            collector_deaths: instants(&mut rng, 6),
        }
    }

    /// Whether the agent's probe at `at` fails.
    pub(crate) fn fails(&self, agent: usize, at: Timestamp) -> bool {
        self.target_away.contains(at) || self.cut_off[agent].contains(at) || self.is_offline(agent, at)
    }

    pub(crate) fn is_offline(&self, agent: usize, at: Timestamp) -> bool {
        self.offline[agent].contains(at)
    }

    /// Whether this agent had, within `window`, a reason not to say that the service is up.
    pub(crate) fn has_excuse(&self, agent: usize, window: Interval) -> bool {
        let reasons = self.target_away.union(&self.cut_off[agent]).union(&self.offline[agent]);
        !reasons.clipped(window).is_empty()
    }

    /// The target's own absences that are long enough to be outages however they were sampled: two
    /// lost slots at the beginning leave five minutes.
    pub(crate) fn outages_that_everybody_saw(&self) -> Vec<Interval> {
        self.target_away.iter().filter(|away| FOR + Duration::from_secs(120) <= away.length()).collect()
    }
}

fn stretches(rng: &mut StdRng, count: usize, longest: u64) -> IntervalSet {
    let stretch = |rng: &mut StdRng| {
        let from = start().plus(Duration::from_millis(rng.random_range(0..7_200_000)));
        Interval::new(from, from.plus(Duration::from_secs(rng.random_range(20..longest))))
    };
    (0..count).filter_map(|_| stretch(rng)).collect()
}

fn instants(rng: &mut StdRng, count: usize) -> Vec<Timestamp> {
    let mut instants: Vec<Timestamp> =
        (0..count).map(|_| start().plus(Duration::from_millis(rng.random_range(0..7_200_000)))).collect();
    instants.sort_unstable();
    instants
}
