//! Random histories: each store and the model do the same and end up the same.

use super::model::Model;
use super::place::Place;
use super::samples::{advance, agent, at, checkpoint, effect, hour, run, series};
use crate::ledger::{Advance, Derived, Effect, Lane, Ledger};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use rules::id::AgentId;
use rules::outcome::OutcomeKind;
use rules::time::Timestamp;
use std::cell::Cell;
use std::sync::Arc;

/// Histories a store: each is some dozen transactions.
const CASES: u32 = 40;
const AGENTS: usize = 3;

#[derive(Clone, Debug)]
enum Step {
    Grant { agent: usize, first_seq: u64 },
    Commit(Vec<Plan>),
    Replace { agent: usize, off: u64, effects: Vec<EffectPlan> },
}

/// An advance, relative to where its agent stands when it is committed.
#[derive(Clone, Debug)]
struct Plan {
    agent: usize,
    /// Zero nearly always: how far from the truth the position and the next `seq` are.
    off: (u64, u64),
    lane: u64,
    blocks: u64,
    skipped: u64,
    effects: Vec<EffectPlan>,
    checkpoint: Option<String>,
}

#[derive(Clone, Debug)]
struct EffectPlan {
    check: usize,
    forget_from: Option<i64>,
    runs: Vec<(i64, OutcomeKind)>,
    hours: Vec<(i64, u64)>,
}

fn any_effect() -> impl Strategy<Value = EffectPlan> {
    let kind = prop_oneof![Just(OutcomeKind::Up), Just(OutcomeKind::Down), Just(OutcomeKind::Void)];
    let runs = prop::collection::vec((0i64..30, kind), 0..4);
    let hours = prop::collection::vec((0i64..5, 0u64..50), 0..3);
    (0usize..3, prop::option::of(0i64..30), runs, hours).prop_map(|(check, cut, runs, hours)| EffectPlan {
        check,
        forget_from: cut.map(|cut| cut * 10),
        runs: runs.into_iter().map(|(at, kind)| (at * 10, kind)).collect(),
        hours,
    })
}

fn any_plan() -> impl Strategy<Value = Plan> {
    let off = || prop_oneof![19 => Just(0u64), 1 => Just(1u64)];
    let effects = prop::collection::vec(any_effect(), 0..4);
    (0..AGENTS, (off(), off()), 0u64..3, 0u64..4, 0u64..2, effects, prop::option::of("[a-z]{0,5}")).prop_map(
        |(agent, off, lane, blocks, skipped, effects, checkpoint)| Plan {
            agent,
            off,
            lane,
            blocks,
            skipped,
            effects,
            checkpoint,
        },
    )
}

fn any_step() -> impl Strategy<Value = Step> {
    let grant = (0..AGENTS, 0u64..5).prop_map(|(agent, first_seq)| Step::Grant { agent, first_seq });
    let commit = prop::collection::vec(any_plan(), 1..5).prop_map(Step::Commit);
    let replace = (0..AGENTS, prop_oneof![4 => Just(0u64), 1 => Just(1u64)], prop::collection::vec(any_effect(), 0..3))
        .prop_map(|(agent, off, effects)| Step::Replace { agent, off, effects });
    prop_oneof![2 => grant, 9 => commit, 1 => replace]
}

impl EffectPlan {
    fn resolve(&self, agent: &AgentId) -> Effect {
        let runs = self.runs.iter().map(|&(minutes, kind)| run(kind, minutes)).collect();
        let hours = self.hours.iter().map(|&(hours, ups)| hour(hours, ups)).collect();
        effect(series(agent, self.check), self.forget_from.map(at), runs, hours)
    }
}

impl Plan {
    /// The advance, given what the advances before it in the same commit have done to `model`.
    fn resolve(&self, agent: AgentId, model: &Model) -> Advance {
        let kept = model.agents.get(&agent);
        let position = kept.map_or(0, |kept| kept.position) + self.off.0;
        let next_seq = kept.and_then(|kept| kept.lanes.get(&self.lane)).copied().unwrap_or(0) + self.off.1;
        let mut planned = advance(&agent, position, self.lane, next_seq, self.blocks);
        planned.next_seq_after += self.skipped;
        planned.effects = self.effects.iter().map(|effect| effect.resolve(&agent)).collect();
        planned.checkpoint = self.checkpoint.as_ref().map(|text| checkpoint(position, text));
        planned
    }
}

async fn live(ledger: &Arc<dyn Ledger>, names: &[AgentId], steps: &[Step]) {
    let mut model = Model::default();
    for step in steps {
        match step {
            Step::Grant { agent, first_seq } => {
                let lane = ledger.grant(&names[*agent], *first_seq, at(0)).await.unwrap();
                assert_eq!(lane, model.grant(&names[*agent], *first_seq));
            }
            Step::Commit(plans) => {
                let mut ahead = model.clone();
                let mut advances = Vec::new();
                for plan in plans {
                    let advance = plan.resolve(names[plan.agent].clone(), &ahead);
                    ahead.commit(std::slice::from_ref(&advance));
                    advances.push(advance);
                }
                let committed = ledger.commit(advances.clone()).await.unwrap();
                assert_eq!(committed, model.commit(&advances), "{advances:?}");
            }
            Step::Replace { agent, off, effects } => {
                let name = &names[*agent];
                let position = model.agents.get(name).map_or(0, |kept| kept.position) + off;
                let derived: Vec<Derived> = effects.iter().map(|effect| derived_of(effect.resolve(name))).collect();
                let anew = checkpoint(position, "anew");
                let replaced = ledger.replace_derived(name, position, derived.clone(), anew.clone()).await.unwrap();
                assert_eq!(replaced, model.replace_derived(name, position, &derived, &anew));
            }
        }
    }
    assert_same(ledger, names, &model).await;
}

fn derived_of(effect: Effect) -> Derived {
    Derived { series: effect.series, runs: effect.runs, hours: effect.hours }
}

async fn assert_same(ledger: &Arc<dyn Ledger>, names: &[AgentId], model: &Model) {
    let mut positions = ledger.positions().await.unwrap();
    positions.retain(|(agent, _)| names.contains(agent));
    assert!(
        positions.iter().map(|(agent, at)| (agent, *at)).eq(model.agents.iter().map(|(id, kept)| (id, kept.position)))
    );
    let mut lanes = ledger.lanes().await.unwrap();
    lanes.retain(|lane| names.contains(&lane.agent));
    let expected = model.agents.iter().flat_map(|(id, kept)| {
        kept.lanes.iter().map(|(&incarnation, &next_seq)| Lane { agent: id.clone(), incarnation, next_seq })
    });
    assert!(lanes.into_iter().eq(expected));
    for (agent, kept) in &model.agents {
        assert_eq!(ledger.blocks_from(agent, 0, usize::MAX).await.unwrap(), kept.blocks);
        assert_eq!(ledger.derived(agent, Timestamp::MIN).await.unwrap(), kept.derived());
        assert_eq!(ledger.checkpoint(agent).await.unwrap(), kept.checkpoint);
    }
}

/// Lives through many histories in one store, each with agents of its own.
fn check(runtime: &tokio::runtime::Runtime, place: &Place) {
    let ledger = runtime.block_on(place.open());
    let case = Cell::new(0);
    let mut runner = TestRunner::new(Config { failure_persistence: None, ..Config::with_cases(CASES) });
    let lived = runner.run(&prop::collection::vec(any_step(), 1..24), |steps| {
        case.set(case.get() + 1);
        let names: Vec<AgentId> = (0..AGENTS).map(|nth| agent(&format!("agent {} of {}", nth, case.get()))).collect();
        runtime.block_on(live(&ledger, &names, &steps));
        Ok(())
    });
    lived.unwrap();
}

#[test]
fn sqlite_lives_through_any_history_as_the_model_does() {
    check(&tokio::runtime::Runtime::new().unwrap(), &Place::sqlite());
}

#[test]
fn postgres_lives_through_any_history_as_the_model_does() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let place = runtime.block_on(Place::postgres());
    check(&runtime, &place);
    runtime.block_on(place.remove());
}
