//! Nothing lost and nothing counted twice: deaths, absences, bad links and several collectors.

use crate::busy::{assert_rebuild_finds_nothing, busy_shop, probed};
use crate::{on_each_ledger, shop};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use rules::time::Timestamp;
use rustix::process::Signal;
use tests::link::Fault;
use tests::target::{Conduct, Target};
use tests::world::{Plan, Store, World};

/// How often each program is killed.
const DEATHS: usize = 20;

/// A seed that is printed, so that what it led to can be had again.
fn seed() -> u64 {
    let seed = std::env::var("NINES_TEST_SEED").map_or_else(|_| rand::random(), |seed| seed.parse().unwrap());
    eprintln!("NINES_TEST_SEED={seed}");
    seed
}

#[tokio::test(flavor = "multi_thread")]
async fn killing_agents_and_collectors_at_random_loses_nothing_that_was_durable() {
    let seed = seed();
    on_each_ledger(async |store| {
        let mut chance = StdRng::seed_from_u64(seed);
        let target = Target::start();
        let services = busy_shop(&target);
        let agents = ["seoul-1", "busan-1"];
        let plan = Plan { agents: &agents, outage: "{ for: 2s }", services: &services };
        let mut world = World::new(store, &plan).await;
        for agent in agents {
            world.start_agent(agent, "");
        }
        probed(&target, 16).await;
        let (mut agents_left, mut collectors_left) = (DEATHS, DEATHS);
        while 0 < agents_left + collectors_left {
            probed(&target, chance.random_range(0..60)).await;
            if chance.random_bool(0.3) {
                target.turn([Conduct::Well, Conduct::Reset, Conduct::Refuse][chance.random_range(0..2)]);
            }
            if chance.random_range(0..agents_left + collectors_left) < agents_left {
                let victim = &mut world.agents[chance.random_range(0..agents.len())];
                if chance.random_bool(0.2) {
                    victim.program.logged("Agent started").await;
                    victim.program.stop().await;
                }
                victim.restart();
                agents_left -= 1;
            } else {
                world.replace_collector(0).await;
                collectors_left -= 1;
            }
        }
        probed(&target, 16).await;
        world.stop_and_reconcile().await;
        world.collectors[0].program.stop().await;
        assert_rebuild_finds_nothing(&world);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_drops_its_connections_loses_nothing() {
    let target = Target::start();
    let services = busy_shop(&target);
    let plan = Plan { agents: &["seoul-1"], outage: "{ for: 2s }", services: &services };
    let mut world = World::new(Store::Postgres, &plan).await;
    world.start_agent("seoul-1", "");
    world.collectors[0].program.expect_errors();
    for _ in 0..6 {
        probed(&target, 40).await;
        world.drop_database_connections().await;
    }
    probed(&target, 16).await;
    world.stop_and_reconcile().await;
    world.collectors[0].program.stop().await;
    assert_rebuild_finds_nothing(&world);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_link_delays_and_neither_loses_nor_doubles() {
    let seed = seed();
    let target = Target::start();
    let services = busy_shop(&target);
    let plan = Plan { agents: &["seoul-1"], outage: "{ for: 2s }", services: &services };
    let mut world = World::new(Store::Sqlite, &plan).await;
    world.start_agent("seoul-1", "");
    probed(&target, 16).await;
    let mut chance = StdRng::seed_from_u64(seed);
    for _ in 0..6 {
        let faults = [Fault::Resets(2000), Fault::Resets(200), Fault::Blackhole, Fault::AnswersLost, Fault::Cut];
        world.link.suffer(faults[chance.random_range(0..faults.len())]);
        if chance.random_bool(0.5) {
            world.link.shake();
        }
        probed(&target, chance.random_range(50..150)).await;
        world.link.suffer(Fault::None);
        // What waits for an answer that was lost would wait for its deadline.
        world.link.shake();
        probed(&target, chance.random_range(10..50)).await;
    }
    world.stop_and_reconcile().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_was_away_learns_all_that_was_seen_meanwhile() {
    let target = Target::start();
    let services = shop(&target.url());
    let plan = Plan { agents: &["seoul-1"], outage: "{ for: 3s, bridge: 60s }", services: &services };
    let mut world = World::new(Store::Sqlite, &plan).await;
    world.start_agent("seoul-1", "");
    world.console().shows("shop", "up").await;
    world.kill_collector(0);
    let down_at = target.turn(Conduct::Status(500));
    probed(&target, 6).await;
    let up_at = target.turn(Conduct::Well);
    probed(&target, 3).await;
    world.start_collector().await;
    world.console().shows("shop", "up").await;
    let outages = world.console().outages("shop").await;
    let [outage] = outages.as_slice() else { panic!("one outage, not {outages:?}") };
    let began_at: Timestamp = outage["began_at"].as_str().unwrap().parse().unwrap();
    let ended_at: Timestamp = outage["ended_at"].as_str().unwrap().parse().unwrap();
    assert!(began_at < up_at && down_at < ended_at, "{outage}, while the collector was away from {down_at} to {up_at}");
    world.stop_and_reconcile().await;
    world.collectors[0].program.stop().await;
    assert_rebuild_finds_nothing(&world);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_collectors_on_one_ledger_tell_the_same_and_either_may_freeze_or_die() {
    let target = Target::start();
    let services = busy_shop(&target);
    let agents = ["seoul-1", "busan-1", "jeju-1"];
    let plan = Plan { agents: &agents, outage: "{ for: 1s }", services: &services };
    let mut world = World::new(Store::Postgres, &plan).await;
    world.start_collector().await;
    for agent in agents {
        world.start_agent(agent, "");
    }
    for conduct in [Conduct::Reset, Conduct::Well, Conduct::Reset, Conduct::Well] {
        probed(&target, 60).await;
        // Every agent goes on at the other collector.
        world.link.shake();
        target.turn(conduct);
    }
    for frozen in [0, 1] {
        // What it has taken in and not committed is sent to the other one, before it wakes and goes on with it.
        world.collectors[frozen].program.signal(Signal::STOP);
        world.link.shake();
        probed(&target, 60).await;
        world.collectors[frozen].program.signal(Signal::CONT);
        probed(&target, 30).await;
    }
    world.kill_collector(0);
    probed(&target, 60).await;
    world.start_collector().await;
    world.link.shake();
    probed(&target, 60).await;
    world.stop_and_reconcile().await;
    for collector in &mut world.collectors {
        collector.program.stop().await;
    }
    assert_rebuild_finds_nothing(&world);
}
