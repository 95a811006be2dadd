//! The watcher on a clock that the test moves.

use super::*;
use crate::commit::tests::{BEGAN, agent};
use crate::fold::AgentFold;
use config::collector;
use daemon::clock::Hand;
use rules::block::Builder;
use rules::outcome::{Cause, Outcome};
use rules::period::{Month, Zone};
use rules::result::{Pace, ProbeResult};
use std::path::Path;

const CONFIG: &str = "
ledger: sqlite::memory:
agents: [{ agent: seoul-1, token_sha256: 0000000000000000000000000000000000000000000000000000000000000000 }]
policies:
  - policy: plain
    availability: { objective: 99.9, outage: { for: 5m } }
agreements:
  - agreement: acme
    customer: Acme
    zone: UTC
    policy: plain
    services:
      - service: apm
        checks: [{ check: login, http: 'https://apm.example/', every: 30s }]
";

/// A watcher on a state that tests write to and a clock that tests move.
struct Scene {
    state: State,
    fold: AgentFold,
    hand: Hand,
    outages: Outages,
    told: broadcast::Receiver<Transition>,
    watching: tokio::task::JoinSet<()>,
    seq: u64,
    _config: watch::Sender<Arc<CollectorConfig>>,
}

impl Scene {
    async fn new() -> Scene {
        Scene::under(CONFIG).await
    }

    async fn under(config: &str) -> Scene {
        let config = collector::parse(config, "collector.yaml", Path::new(".")).unwrap().value;
        let (sender, config) = watch::channel(Arc::new(config));
        let (clock, hand) = Clock::manual(Timestamp::from_millis(BEGAN));
        let (state, outages) = (State::default(), Outages::default());
        let watcher = Watcher::begin(outages.clone(), state.clone(), config, clock);
        let mut watching = tokio::task::JoinSet::new();
        watching.spawn(watcher.run(CancellationToken::new()));
        let (fold, told) = (AgentFold::new(agent()), outages.transitions());
        let scene = Scene { state, fold, hand, outages, told, watching, seq: 1, _config: sender };
        scene.settle().await;
        scene
    }

    async fn settle(&self) {
        while self.hand.sleepers() == 0 {
            tokio::task::yield_now().await;
        }
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
    }

    async fn result(&mut self, seconds: i64, outcome: Outcome) {
        let mut builder = Builder::default();
        let pace = Pace { every: Duration::from_secs(30), timeout: Duration::from_secs(5) };
        let at = Timestamp::from_millis(BEGAN + seconds * 1000);
        let result = ProbeResult::of_slot(at, outcome, Duration::from_millis(3));
        builder.push("apm".parse().unwrap(), "login".parse().unwrap(), pace, result);
        self.fold.push(&builder.build(agent(), self.seq));
        self.seq += 1;
        self.fold.publish(&self.state);
        self.settle().await;
    }

    async fn pass(&self, seconds: u64) {
        self.hand.advance(Duration::from_secs(seconds));
        self.settle().await;
    }

    fn told(&mut self) -> Vec<(Event, Option<i64>)> {
        let seconds = |at: Timestamp| (at.as_millis() - BEGAN) / 1000;
        std::iter::from_fn(|| self.told.try_recv().ok()).map(|told| (told.event, told.at.map(seconds))).collect()
    }
}

#[tokio::test]
async fn an_outage_opens_when_its_fifth_minute_ends_between_two_results_and_ends_with_the_first_success() {
    let mut scene = Scene::new().await;
    scene.pass(1).await;
    scene.result(0, Outcome::Up).await;
    assert_eq!(scene.told(), [(Event::Up, Some(0))]);
    for slot in 1..=10 {
        scene.pass(30).await;
        scene.result(slot * 30, Outcome::Down(Cause::Timeout)).await;
    }
    assert_eq!(scene.told(), [(Event::Down, Some(30))]);
    scene.pass(28).await;
    assert_eq!(scene.told(), [], "after 299 s it is no outage");
    scene.pass(2).await;
    assert_eq!(scene.told(), [(Event::OutageOpened, Some(30))]);
    let open = scene.outages.service(&"apm".parse().unwrap()).unwrap().outage.unwrap();
    assert!(open.causes.iter().eq([Cause::Timeout]));
    scene.result(331, Outcome::Up).await;
    scene.pass(1).await;
    assert_eq!(scene.told(), [(Event::OutageEnded, Some(331)), (Event::Up, Some(331))]);
    scene.watching.abort_all();
}

#[tokio::test]
async fn a_service_that_goes_down_is_told_with_its_cause_and_one_that_comes_up_without() {
    let mut scene = Scene::new().await;
    scene.pass(1).await;
    scene.result(0, Outcome::Down(Cause::Refused)).await;
    scene.pass(30).await;
    scene.result(30, Outcome::Up).await;
    let told: Vec<_> =
        std::iter::from_fn(|| scene.told.try_recv().ok()).map(|told| (told.event, told.causes)).collect();
    assert_eq!(told, [(Event::Down, [Cause::Refused].into_iter().collect()), (Event::Up, CauseSet::EMPTY)]);
    scene.watching.abort_all();
}

#[tokio::test]
async fn silence_makes_a_service_unknown_and_leaves_its_outage_open() {
    let mut scene = Scene::new().await;
    for slot in 0..=11 {
        scene.pass(30).await;
        scene.result(slot * 30, Outcome::Down(Cause::Refused)).await;
    }
    assert_eq!(scene.told(), [(Event::Down, Some(0)), (Event::OutageOpened, Some(0))]);
    scene.pass(90).await;
    assert_eq!(scene.told(), [(Event::Unknown, Some(390))]);
    assert!(scene.outages.service(&"apm".parse().unwrap()).unwrap().outage.is_some());
    scene.watching.abort_all();
}

#[tokio::test]
async fn what_a_version_brings_is_watched_from_the_first_instant_of_its_month() {
    let began = Timestamp::from_millis(BEGAN);
    let next = Month::containing(began, &Zone::utc()).next();
    let brings = CONFIG
        .split("agreements:")
        .nth(1)
        .unwrap()
        .replace("zone: UTC", &format!("effective_from: {next}\n    zone: UTC"));
    let scene = Scene::under(&format!("{CONFIG}{}", brings.replace("service: apm", "service: joins"))).await;
    let names = |scene: &Scene| scene.outages.all().iter().map(|now| now.service.to_string()).collect::<Vec<_>>();
    let left = next.interval(&Zone::utc()).from().since(began).as_secs();
    scene.pass(left - 1).await;
    assert_eq!(names(&scene), ["apm"]);
    scene.pass(1).await;
    assert_eq!(names(&scene), ["joins"]);
}

#[tokio::test]
async fn a_service_that_only_stays_up_tells_nothing_more() {
    let mut scene = Scene::new().await;
    for slot in 0..40 {
        scene.pass(30).await;
        scene.result(slot * 30, Outcome::Up).await;
    }
    assert_eq!(scene.told(), [(Event::Up, Some(0))]);
    scene.watching.abort_all();
}
