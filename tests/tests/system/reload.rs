//! Configurations that change while everything runs.

use crate::{EVERY, shop};
use std::time::Duration;
use tests::patience::{eventually, holds};
use tests::spool;
use tests::target::Target;
use tests::world::{Plan, Store, World};

/// How far the earliest of several attempts lies behind its slot at most. A check that was given new slots would be seen
/// in most of the cases.
const LATE_MAX_MS: i64 = 150;

/// How far into its second the most punctual of these attempts was.
fn phase(attempts: &[i64]) -> i64 {
    let every = i64::try_from(EVERY.as_millis()).unwrap();
    let first = attempts[0];
    // Around the first attempt, so that a phase near the second's end is not torn apart.
    let offsets = attempts.iter().map(|at| (at - first + every / 2).rem_euclid(every) - every / 2);
    (first + offsets.min().unwrap()).rem_euclid(every)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reload_moves_no_check_out_of_its_slots() {
    let (target, other) = (Target::start(), Target::start());
    let services = shop(&target.url());
    let plan = Plan { agents: &["seoul-1"], outage: "{ for: 5m }", services: &services };
    let mut world = World::new(Store::Sqlite, &plan).await;
    let agent = world.start_agent("seoul-1", "");
    let probed = async |target: &Target, count: usize| {
        eventually("probes come", async || holds(count <= target.count(), || target.count().to_string())).await;
    };
    probed(&target, 6).await;
    let before = target.count();
    let more =
        services.replace("checks: [", &format!("checks: [{{ check: port, tcp: '{}', every: 1s }}, ", other.address()));
    world.configure(&Plan { services: &more, ..plan });
    probed(&other, 2).await;
    let between = target.count();
    probed(&target, between + 6).await;
    world.come_to_rest().await;
    world.agents[agent].program.stop().await;

    let blocks = spool::blocks(world.agents[agent].spool());
    let series = blocks.iter().flat_map(|(block, _)| &block.series).filter(|series| series.check.as_str() == "page");
    let starts: Vec<i64> = series.flat_map(|series| &series.results).map(|result| result.at.as_millis()).collect();
    // A check that is new is probed at once, and only then in its slots.
    let (before, after) = (&starts[1..before], &starts[between..]);
    let moved = (phase(before) - phase(after)).rem_euclid(1000);
    assert!(moved.min(1000 - moved) <= LATE_MAX_MS, "from {before:?} to {after:?}");
    let apart = starts.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap();
    let lateness = target.lateness(EVERY) + Duration::from_millis(50);
    assert!(apart <= rules::time::millis(EVERY + lateness), "a slot was left out: {starts:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_configuration_is_told_and_the_old_one_stays() {
    let target = Target::start();
    let services = shop(&target.url());
    let plan = Plan { agents: &["seoul-1"], outage: "{ for: 5m }", services: &services };
    let mut world = World::new(Store::Sqlite, &plan).await;
    let agent = world.start_agent("seoul-1", "");
    world.console().shows("shop", "up").await;
    world.collectors[0].program.expect_errors();
    world.configure(&Plan { outage: "{ four: 5m }", ..plan });
    let told = world.collectors[0].program.logged("Configuration is wrong").await;
    assert!(told.contains("collector.yaml"), "{told}");
    let agent = &mut world.agents[agent];
    agent.program.expect_errors();
    agent.reconfigure(|text| format!("{text}chekcs: []\n"));
    agent.has("nines_agent_reload_successful", 0.0).await;
    agent.program.logged("Configuration is wrong").await;
    let before = target.count();
    eventually("probing goes on", async || holds(before + 2 <= target.count(), || target.count().to_string())).await;
    world.console().shows("shop", "up").await;
}
