//! Spools and ledgers that were deleted, copied or put back.

use crate::busy::{assert_rebuild_finds_nothing, busy_shop, probed};
use tests::program;
use tests::target::Target;
use tests::world::{Plan, Store, World};

const OUTAGE: &str = "{ for: 2s }";

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_whose_spool_was_deleted_begins_a_new_lane_and_keeps_its_past() {
    let target = Target::start();
    let services = busy_shop(&target);
    let plan = Plan { agents: &["seoul-1"], outage: "{ for: 2s }", services: &services };
    let mut world = World::new(Store::Sqlite, &plan).await;
    let agent = world.start_agent("seoul-1", "");
    for _ in 0..2 {
        probed(&target, 40).await;
        world.wipe_spool(agent).await;
    }
    probed(&target, 40).await;
    world.stop_and_reconcile().await;
    world.collectors[0].program.stop().await;
    assert_rebuild_finds_nothing(&world);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_spool_that_was_rolled_back_counts_nothing_twice_and_loses_nothing() {
    let target = Target::start();
    let services = busy_shop(&target);
    let plan = Plan { agents: &["seoul-1"], outage: OUTAGE, services: &services };
    let mut world = World::new(Store::Sqlite, &plan).await;
    // Two blocks of one name are for a person to look at, and both programs say so.
    world.collectors[0].program.expect_errors();
    let agent = world.start_agent("seoul-1", "");
    probed(&target, 40).await;
    let copy = world.back_up_spool(agent).await;
    probed(&target, 40).await;
    world.roll_back_spool(agent, &copy).await;
    world.agents[agent].program.expect_errors();
    probed(&target, 40).await;
    world.stop_and_reconcile().await;
    let page = world.console().page("/metrics").await;
    assert!(page.contains("nines_ingest_refused_total{reason=\"conflict\"} 1"), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ledger_restored_from_a_backup_gets_back_what_was_acknowledged_since() {
    let target = Target::start();
    let services = busy_shop(&target);
    let plan = Plan { agents: &["seoul-1"], outage: OUTAGE, services: &services };
    let mut world = World::new(Store::Sqlite, &plan).await;
    world.start_agent("seoul-1", "");
    probed(&target, 40).await;
    world.collectors[0].program.stop().await;
    let (ledger, backup) = (world.file("ledger.db"), world.file("backup.db"));
    std::fs::copy(&ledger, &backup).unwrap();
    world.replace_collector(0).await;
    probed(&target, 40).await;
    let before = world.console().blocks("seoul-1").await;
    world.collectors[0].program.stop().await;
    std::fs::rename(&backup, &ledger).unwrap();
    world.replace_collector(0).await;
    probed(&target, 40).await;
    world.stop_and_reconcile().await;
    assert!(before < world.console().blocks("seoul-1").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_agent_on_a_spool_refuses_to_start() {
    let target = Target::start();
    let services = busy_shop(&target);
    let plan = Plan { agents: &["seoul-1"], outage: OUTAGE, services: &services };
    let mut world = World::new(Store::Sqlite, &plan).await;
    world.start_agent("seoul-1", "");
    world.agents[0].program.logged("Agent started").await;
    let config = world.file("seoul-1.yaml");
    let second = program::run(&["agent".as_ref(), "run".as_ref(), "--config".as_ref(), config.as_ref()]);
    let told = String::from_utf8(second.stderr).unwrap();
    assert_eq!(second.status.code(), Some(1), "{told}");
    assert!(told.contains("spool of seoul-1"), "{told}");
    probed(&target, 16).await;
    world.stop_and_reconcile().await;
}
