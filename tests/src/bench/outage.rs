//! From a target's failure to the collector's telling it, with a policy whose five minutes are seconds.

use super::Effort;
use super::table::{Goal, Row};
use daemon::clock::Clock;
use rules::time::Timestamp;
use std::time::Duration;
use tests::exposition::sample;
use tests::target::{Conduct, Target};
use tests::world::{AGREEMENT, Plan, Store, World};

/// How often somebody looks: finer than what is measured.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Nobody waits longer.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) async fn rows(effort: Effort) -> Vec<Row> {
    let (target, least) = (Target::start(), effort.of(10, 2));
    let services = format!(
        "      - service: shop\n        checks:\n          - {{ check: page, http: '{}', every: 1s, timeout: 1s }}",
        target.url()
    );
    let outage = format!("{{ for: {least}s, bridge: {least}s }}");
    let plan = Plan { agents: &["seoul"], outage: &outage, services: &services };
    let mut world = World::new(Store::Sqlite, &plan).await;
    world.start_agent("seoul", "checks: from_collector");
    let labels = format!("{{agreement=\"{AGREEMENT}\",service=\"shop\"}}");
    let (up, open) = (format!("nines_service_up{labels}"), format!("nines_service_in_outage{labels}"));
    let (mut told, mut opened) = (Vec::new(), Vec::new());
    for _ in 0..effort.of(3, 1) {
        seen(&world, &up, 1.0).await;
        target.turn(Conduct::Status(500));
        let down_seen = seen(&world, &up, 0.0).await;
        let failed = target.attempts().into_iter().rev().take_while(|attempt| attempt.met != Conduct::Well);
        let began = failed.last().unwrap().at;
        told.push(seconds(began, down_seen));
        let due = began.plus(Duration::from_secs(least));
        opened.push(seconds(due, seen(&world, &open, 1.0).await));
        target.turn(Conduct::Well);
        seen(&world, &open, 0.0).await;
    }
    let worst = |delays: Vec<f64>| delays.into_iter().max_by(f64::total_cmp).unwrap();
    vec![
        Row::new("service told down after its first failed probe, at worst", "s", worst(told)).goal(Goal::AtMost(1.0)),
        Row::new("outage told after it is long enough, every 1 s, at worst", "s", worst(opened))
            .goal(Goal::AtMost(1.0)),
    ]
}

/// From one instant to another; negative if it was told too early.
fn seconds(from: Timestamp, until: Timestamp) -> f64 {
    (until.as_millis() - from.as_millis()) as f64 / 1e3
}

/// When the collector's page first says so.
async fn seen(world: &World, series: &str, value: f64) -> Timestamp {
    let clock = Clock::system();
    let until = clock.boot() + PATIENCE;
    loop {
        let page = world.console().page("/metrics").await;
        if sample(&page, series) == Some(value) {
            return clock.wall();
        }
        assert!(clock.boot() < until, "{series} is {:?}", sample(&page, series));
        clock.sleep(LOOK_EVERY).await;
    }
}
