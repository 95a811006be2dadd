//! Outages against the truth.

use crate::{EVERY, on_each_ledger, shop};
use daemon::clock::Clock;
use rules::time::Timestamp;
use rustix::process::Signal;
use serde_json::Value;
use std::time::Duration;
use tests::exposition::sample;
use tests::link::{Fault, Link};
use tests::patience::{eventually, holds};
use tests::target::{Conduct, Target};
use tests::world::{AGREEMENT, Plan, Store, World};

fn instant(of: &Value, key: &str) -> Timestamp {
    of[key].as_str().unwrap().parse().unwrap()
}

/// Whether `told` is the probe that saw what happened at `truth`: the next one, as late as the schedule was at worst.
fn assert_seen(told: Timestamp, truth: Timestamp, lateness: Duration) {
    // The request of an attempt may be on its way when the target turns.
    let (earliest, latest) = (truth.minus(lateness + EVERY), truth.plus(EVERY + lateness));
    assert!(earliest <= told && told <= latest, "told {told}, true {truth}, schedule late by {lateness:?} at most");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_begins_and_ends_within_one_probe_of_the_truth() {
    on_each_ledger(async |store| {
        let target = Target::start();
        let services = shop(&target.url());
        let plan = Plan { agents: &["seoul-1"], outage: "{ for: 4s, bridge: 60s }", services: &services };
        let mut world = World::new(store, &plan).await;
        world.start_agent("seoul-1", "");
        world.console().shows("shop", "up").await;
        let down_at = target.turn(Conduct::Reset);
        world.console().shows("shop", "outage").await;
        let page = world.console().page("/metrics").await;
        let gauge = |name: &str| sample(&page, &format!("{name}{{agreement=\"{AGREEMENT}\",service=\"shop\"}}"));
        assert_eq!((gauge("nines_service_up"), gauge("nines_service_in_outage")), (Some(0.0), Some(1.0)), "{page}");
        let up_at = target.turn(Conduct::Well);
        world.console().shows("shop", "up").await;

        let outages = world.console().outages("shop").await;
        let [outage] = outages.as_slice() else { panic!("one outage, not {outages:?}") };
        let lateness = target.lateness(EVERY);
        assert_seen(instant(outage, "began_at"), down_at, lateness);
        assert_seen(instant(outage, "ended_at"), up_at, lateness);
        assert_eq!((&outage["ongoing"], &outage["causes"][0]), (&Value::Bool(false), &Value::from("reset")));
        let truth = up_at.since(down_at);
        let length = |key: &str| Duration::from_millis(outage[key].as_u64().unwrap());
        assert!(length("shortest_ms") <= truth + lateness, "{outage}, true length {truth:?}");
        assert!(truth <= length("longest_ms") + lateness, "{outage}, true length {truth:?}");
        world.stop_and_reconcile().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_downtime_shorter_than_the_agreement_says_is_listed_and_not_counted() {
    let target = Target::start();
    let services = shop(&target.url());
    let plan = Plan { agents: &["seoul-1"], outage: "{ for: 10m }", services: &services };
    let mut world = World::new(Store::Sqlite, &plan).await;
    world.start_agent("seoul-1", "");
    world.console().shows("shop", "up").await;
    target.turn(Conduct::Status(503));
    world.console().shows("shop", "down").await;
    target.turn(Conduct::Well);
    world.console().shows("shop", "up").await;
    let statement = world.console().statement(AGREEMENT, &world.period()).await;
    let service = &statement["services"][0];
    assert_eq!((&service["outages"], &service["partition_ms"]["counted"]), (&Value::from([0; 0]), &Value::from(0)));
    assert_ne!(service["partition_ms"]["short"], 0);
    assert_eq!(service["availability"]["percent"], "100.0000");
    world.stop_and_reconcile().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_agent_cut_off_from_the_target_makes_no_outage_and_both_do() {
    let target = Target::start();
    let ways = [Link::start(vec![target.address()], 1), Link::start(vec![target.address()], 2)];
    let services = shop(&target.url());
    let agents = ["seoul-1", "busan-1"];
    let outage = "{ for: 3s, min_agents: 2 }";
    let mut world = World::new(Store::Sqlite, &Plan { agents: &agents, outage, services: &services }).await;
    for (agent, way) in agents.iter().zip(&ways) {
        // A check of the agent's own file stands before the collector's: this is its own way to the same target.
        let check =
            format!("{{ service: shop, check: page, http: 'http://{}/', every: 1s, timeout: 1s }}", way.address());
        world.start_agent(agent, &format!("checks: [from_collector, {check}]"));
    }
    let console = world.console().clone();
    console.shows("shop", "up").await;
    console.hears("shop", &agents, "up").await;

    ways[0].suffer(Fault::Cut);
    eventually("seoul-1 sees it down for twice as long as an outage takes", async || {
        let service = console.json("/api/v1/services/shop").await;
        let series =
            service["series"].as_array().unwrap().iter().find(|one| one["agent"] == "seoul-1").cloned().unwrap();
        let is_down = series["outcome"] == "down";
        holds(is_down && Duration::from_secs(6) < instant(&series, "last_at").since(instant(&series, "since")), || {
            series.to_string()
        })
    })
    .await;
    console.shows("shop", "up").await;
    assert_eq!(console.outages("shop").await, Vec::<Value>::new());

    let both_since = target.attempts().last().unwrap().at;
    ways[1].suffer(Fault::Cut);
    console.shows("shop", "outage").await;
    ways.iter().for_each(|way| way.suffer(Fault::None));
    console.shows("shop", "up").await;
    let outages = console.outages("shop").await;
    let [outage] = outages.as_slice() else { panic!("one outage, not {outages:?}") };
    assert!(both_since <= instant(outage, "began_at"), "{outage}, both were cut off after {both_since}");
    world.stop_and_reconcile().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_references_are_away_too_nothing_is_known_and_no_outage_opens() {
    let reference = Target::start();
    reference.turn(Conduct::Refuse);
    // Whatever fails on the way to a loopback address is no network's fault; this name never gets that far.
    let services = shop("http://shop.invalid/");
    let plan = Plan { agents: &["seoul-1"], outage: "{ for: 3s }", services: &services };
    let mut world = World::new(Store::Sqlite, &plan).await;
    let agent = world.start_agent("seoul-1", &format!("references: ['tcp:{}']", reference.address()));
    world.agents[agent].has("nines_agent_references_up", 0.0).await;
    eventually("it is void for twice as long as an outage takes", async || {
        let service = world.console().json("/api/v1/services/shop").await;
        let series = &service["series"][0];
        let is_long = || Duration::from_secs(6) < instant(series, "last_at").since(instant(series, "since"));
        holds(series["outcome"] == "void" && is_long(), || service.to_string())
    })
    .await;
    world.console().shows("shop", "unknown").await;
    let statement = world.console().statement(AGREEMENT, &world.period()).await;
    let service = &statement["services"][0];
    let partition = &service["partition_ms"];
    assert_eq!((&partition["counted"], &partition["short"]), (&Value::from(0), &Value::from(0)), "{service}");
    assert_eq!(service["outages"], Value::from([0; 0]));
    assert_ne!(service["coverage"][0]["void_ms"], 0, "{service}");

    reference.turn(Conduct::Well);
    world.console().shows("shop", "outage").await;
    world.stop_and_reconcile().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_stood_still_leaves_a_gap_and_no_downtime() {
    let target = Target::start();
    let check = format!("{{ check: page, http: '{}', every: 5s, timeout: 5s }}", target.url());
    let services = format!("      - {{ service: shop, checks: [{check}] }}");
    let plan = Plan { agents: &["seoul-1"], outage: "{ for: 1s }", services: &services };
    let mut world = World::new(Store::Sqlite, &plan).await;
    let agent = world.start_agent("seoul-1", "");
    world.console().shows("shop", "up").await;
    target.turn(Conduct::Hang);
    let hung = eventually("a probe hangs", async || {
        target.attempts().into_iter().find(|attempt| attempt.met == Conduct::Hang).ok_or_else(|| "none".to_owned())
    })
    .await;
    let program = &mut world.agents[agent].program;
    program.signal(Signal::STOP);
    let clock = Clock::system();
    eventually("the probe's deadline is long over", async || {
        let since = clock.wall().since(hung.at);
        holds(Duration::from_secs(8) < since, || format!("{since:?}"))
    })
    .await;
    target.turn(Conduct::Well);
    program.signal(Signal::CONT);
    program.logged("Agent stood still").await;
    let well = target.count() + 2;
    eventually("it probes again", async || holds(well <= target.count(), || target.count().to_string())).await;
    world.come_to_rest().await;
    let statement = world.console().statement(AGREEMENT, &world.period()).await;
    let service = &statement["services"][0];
    let partition = &service["partition_ms"];
    assert_eq!((&partition["counted"], &partition["short"]), (&Value::from(0), &Value::from(0)), "{service:#}");
    assert_eq!(service["error_rate"]["downs"], 0, "{service:#}");
    world.stop_and_reconcile().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn looking_again_while_a_target_fails_narrows_an_outage_s_end_and_notes_say_what_failed() {
    const SLOT: Duration = Duration::from_secs(8);
    let target = Target::start();
    let service = |name: &str, reprobe: &str| {
        let check = format!("{{ check: page, http: '{}', every: 8s, timeout: 1s, reprobe: {reprobe} }}", target.url());
        format!("      - {{ service: {name}, checks: [{check}] }}")
    };
    let services = [service("near", "{ every: 1s }"), service("far", "none")].join("\n");
    let plan = Plan { agents: &["seoul-1"], outage: "{ for: 1s, bridge: 60s }", services: &services };
    let mut world = World::new(Store::Sqlite, &plan).await;
    world.start_agent("seoul-1", "");
    let console = world.console().clone();
    for state in ["up", "outage", "up"] {
        for service in ["near", "far"] {
            console.shows(service, state).await;
        }
        target.turn(if state == "up" { Conduct::Status(503) } else { Conduct::Well });
    }
    target.turn(Conduct::Well);

    let end_known_within = async |service: &str| {
        let outages = console.outages(service).await;
        let [outage, ..] = outages.as_slice() else { panic!("{service} had no outage") };
        Duration::from_millis(outage["length_ms"].as_u64().unwrap() - outage["shortest_ms"].as_u64().unwrap())
    };
    let (near, far) = (end_known_within("near").await, end_known_within("far").await);
    assert!(SLOT <= far + Duration::from_secs(1), "without looking again an end is known to a slot: {far:?}");
    assert!(near + near < far, "{near:?} against {far:?}");
    let statement = console.statement(AGREEMENT, &world.period()).await;
    let latency = |service: usize| statement["services"][service]["latency"][0].clone();
    assert!(3 <= latency(0)["extras"].as_u64().unwrap(), "{}", latency(0));
    assert_eq!(latency(1)["extras"], Value::Null, "{}", latency(1));
    let told = console.page(&format!("/api/v1/services/near/explanation?period={}", world.period())).await;
    let noted = format!("status is 503, which is not expected; answered by {}", target.address());
    assert!(told.contains(&noted), "{told}");
    world.stop_and_reconcile().await;
}
