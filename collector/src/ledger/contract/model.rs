//! The ledger as it should be, in memory and without a store.

use crate::ledger::{Advance, Checkpoint, Committed, Derived, Effect, Hour, Lane, StoredBlock};
use rules::id::AgentId;
use rules::result::SeriesKey;
use rules::run::Run;
use rules::time::Timestamp;
use std::collections::BTreeMap;

#[derive(Clone, Default)]
pub(crate) struct Model {
    pub(crate) agents: BTreeMap<AgentId, Agent>,
}

#[derive(Clone, Default)]
pub(crate) struct Agent {
    pub(crate) position: u64,
    incarnation_last: u64,
    pub(crate) lanes: BTreeMap<u64, u64>,
    pub(crate) blocks: Vec<StoredBlock>,
    pub(crate) checkpoint: Option<Checkpoint>,
    series: BTreeMap<SeriesKey, Series>,
}

#[derive(Clone, Default)]
struct Series {
    runs: BTreeMap<Timestamp, Run>,
    hours: BTreeMap<Timestamp, Hour>,
}

impl Model {
    pub(crate) fn grant(&mut self, agent: &AgentId, first_seq: u64) -> Lane {
        let kept = self.agents.entry(agent.clone()).or_default();
        kept.incarnation_last += 1;
        kept.lanes.insert(kept.incarnation_last, first_seq);
        Lane { agent: agent.clone(), incarnation: kept.incarnation_last, next_seq: first_seq }
    }

    pub(crate) fn commit(&mut self, advances: &[Advance]) -> Committed {
        let mut next = self.clone();
        let mut collided: Vec<AgentId> =
            advances.iter().filter(|advance| !next.advance(advance)).map(|advance| advance.agent.clone()).collect();
        collided.sort();
        collided.dedup();
        if collided.is_empty() {
            *self = next;
            return Committed::Durable;
        }
        Committed::Collided(collided)
    }

    fn advance(&mut self, advance: &Advance) -> bool {
        if advance.position == 0 {
            self.agents.entry(advance.agent.clone()).or_default();
        }
        let Some(agent) = self.agents.get_mut(&advance.agent) else { return false };
        if agent.position != advance.position {
            return false;
        }
        agent.position += advance.blocks.len() as u64;
        if advance.incarnation == 0 {
            agent.lanes.entry(0).or_insert(advance.next_seq);
        }
        match agent.lanes.get_mut(&advance.incarnation) {
            Some(next_seq) if *next_seq == advance.next_seq => *next_seq = advance.next_seq_after,
            _ => return false,
        }
        agent.blocks.extend(advance.blocks.iter().cloned());
        advance.effects.iter().for_each(|effect| agent.apply(effect));
        if let Some(checkpoint) = &advance.checkpoint {
            agent.checkpoint = Some(checkpoint.clone());
        }
        true
    }

    pub(crate) fn replace_derived(
        &mut self,
        agent: &AgentId,
        position: u64,
        derived: &[Derived],
        checkpoint: &Checkpoint,
    ) -> Committed {
        let Some(kept) = self.agents.get_mut(agent).filter(|kept| kept.position == position) else {
            return Committed::Collided(vec![agent.clone()]);
        };
        kept.series.clear();
        for Derived { series, runs, hours } in derived {
            kept.apply(&Effect { series: series.clone(), forget_from: None, runs: runs.clone(), hours: hours.clone() });
        }
        kept.checkpoint = Some(checkpoint.clone());
        Committed::Durable
    }
}

impl Agent {
    fn apply(&mut self, effect: &Effect) {
        let series = self.series.entry(effect.series.clone()).or_default();
        if let Some(from) = effect.forget_from {
            series.runs.retain(|first_at, _| *first_at < from);
            series.hours.retain(|hour, _| *hour < from);
        }
        series.runs.extend(effect.runs.iter().map(|run| (run.first_at, *run)));
        series.hours.extend(effect.hours.iter().map(|hour| (hour.hour, hour.clone())));
    }

    pub(crate) fn derived(&self) -> Vec<Derived> {
        let derived = self.series.iter().map(|(key, series)| Derived {
            series: key.clone(),
            runs: series.runs.values().copied().collect(),
            hours: series.hours.values().cloned().collect(),
        });
        derived.filter(|derived| !derived.runs.is_empty() || !derived.hours.is_empty()).collect()
    }
}
