use super::*;
use crate::spool;
use crate::uplink::{self, ClockOffset, UplinkHandle};
use daemon::clock::Hand;
use rules::block::Block;
use rules::check::{Assignment, Check, Counts, Target, Vantages};
use rules::evidence::{Attempt, Failure, Fault, Phase, Said};
use rules::id::AgentId;
use rules::reach::Reach;
use rules::time::Timestamp;
use std::net::TcpListener;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// A port of this machine where nobody listens.
fn closed() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

fn vantage(dir: &tempfile::TempDir) -> (Vantage, Hand) {
    let (clock, hand) = Clock::manual(Timestamp::from_millis(1_800_000_000_000));
    let agent: AgentId = "a".parse().unwrap();
    let settings = spool::Settings { agent: agent.clone(), dir: dir.path().to_owned(), at_most: 1 << 20 };
    let (spool, _outlet, _writer) = spool::open(settings, clock.clone()).unwrap();
    (Vantage::new(clock.clone(), Timekeeper::new(clock, None), spool, Metrics::new(), LocalRule::new(agent)), hand)
}

/// What a time-out of a target elsewhere is judged to be, after `meanwhile`.
async fn judged(references: &[String], meanwhile: impl FnOnce(&Vantage, &Hand)) -> Outcome {
    let dir = tempfile::tempdir().unwrap();
    let (vantage, hand) = vantage(&dir);
    let check = Check {
        id: "port".parse().unwrap(),
        target: Target::parse("tcp:192.0.2.1:80").unwrap(),
        every: Duration::from_secs(30),
        timeout: Duration::from_secs(10),
        reprobe: None,
        counts: Counts::Yes,
        objective: None,
        agents: Vantages::All,
    };
    let assignment = Assignment { service: "s".parse().unwrap(), check: Arc::new(check) };
    let targets: Vec<Target> =
        references.iter().map(|address| Target::parse(&format!("tcp:{address}")).unwrap()).collect();
    let orders = Orders::prepare(vec![assignment], &targets, &Reach::default(), None, &vantage.clock).unwrap();
    let standing = orders.standing.values().next().map(Arc::clone).unwrap();
    let address = "192.0.2.1:80".parse().unwrap();
    let elapsed = Duration::from_secs(10);
    let failure =
        Failure { fault: Fault::Deadline, phase: Some(Phase::Connect), detail: Said::new("no end within 10s") };
    let attempt = Attempt { address, fault: Some(Fault::Deadline), elapsed };
    let evidence = Evidence { attempts: vec![attempt], failure: Some(failure), elapsed, ..Evidence::default() };
    let started = vantage.clock.now();
    meanwhile(&vantage, &hand);
    vantage.judge(&evidence, started, &orders, &standing).await
}

#[tokio::test]
async fn a_time_out_is_the_targets_fault_while_a_reference_answers_or_none_is_named() {
    let there = TcpListener::bind("127.0.0.1:0").unwrap();
    let there = [closed(), there.local_addr().unwrap().to_string()];
    assert_eq!(judged(&there, |_, _| ()).await, Outcome::Down(Cause::Timeout));
    assert_eq!(judged(&[], |_, _| ()).await, Outcome::Down(Cause::Timeout));
}

#[tokio::test]
async fn a_time_out_while_all_references_are_away_is_void() {
    assert_eq!(judged(&[closed(), closed()], |_, _| ()).await, Outcome::Void(Cause::AgentOffline));
}

#[tokio::test]
async fn a_time_out_in_a_pause_is_void() {
    let frozen = |vantage: &Vantage, hand: &Hand| {
        vantage.pauses.promise(vantage.clock.boot());
        hand.advance(Duration::from_secs(60));
    };
    assert_eq!(judged(&[], frozen).await, Outcome::Void(Cause::Paused));
}

/// An agent whose clock a test moves, and a page that moves it while it answers.
struct Bench {
    vantage: Vantage,
    hand: Hand,
    orders: Arc<Orders>,
    outlet: spool::Outlet,
    writer: spool::Spool,
    page: tokio::net::TcpListener,
    _dir: tempfile::TempDir,
}

const NOON: Timestamp = Timestamp::from_millis(1_800_000_000_000);

fn after_noon(seconds: i64) -> Timestamp {
    Timestamp::from_millis(NOON.as_millis() + seconds * 1000)
}

/// What the machine's wall clock shows at noon, and whether a collector said that it is noon.
async fn bench(wall: Timestamp, collector: Option<()>) -> Bench {
    let (clock, hand) = Clock::manual(wall);
    let (dir, agent) = (tempfile::tempdir().unwrap(), "a".parse::<AgentId>().unwrap());
    let settings = spool::Settings { agent: agent.clone(), dir: dir.path().to_owned(), at_most: 1 << 20 };
    let (spool, outlet, writer) = spool::open(settings, clock.clone()).unwrap();
    let uplink = collector.map(|()| {
        let offset = ClockOffset { theirs: NOON, boot: clock.boot(), within: Duration::from_millis(5) };
        UplinkHandle::of(watch::channel(uplink::State { offset: Some(offset), ..uplink::State::default() }).1)
    });
    let page = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let check = Check {
        id: "page".parse().unwrap(),
        target: Target::parse(&format!("http://{}/", page.local_addr().unwrap())).unwrap(),
        every: Duration::from_secs(30),
        timeout: Duration::from_secs(10),
        reprobe: None,
        counts: Counts::Yes,
        objective: None,
        agents: Vantages::All,
    };
    let assignment = Assignment { service: "s".parse().unwrap(), check: Arc::new(check) };
    let orders = Orders::prepare(vec![assignment], &[], &Reach::default(), None, &clock).unwrap();
    let time = Timekeeper::new(clock.clone(), uplink);
    let vantage = Vantage::new(clock, time, spool, Metrics::new(), LocalRule::new(agent));
    Bench { vantage, hand, orders: Arc::new(orders), outlet, writer, page, _dir: dir }
}

impl Bench {
    /// Probes the page once; it answers `status`, and before that does `meanwhile`.
    async fn probe(&self, status: u16, meanwhile: impl Fn(&Hand)) {
        let standing = Arc::clone(self.orders.standing.values().next().unwrap());
        let answer = async {
            let (mut stream, _) = self.page.accept().await.unwrap();
            assert!(0 < stream.read(&mut [0; 1024]).await.unwrap());
            meanwhile(&self.hand);
            let head = format!("HTTP/1.1 {status} X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            stream.write_all(head.as_bytes()).await.unwrap();
        };
        tokio::join!(self.vantage.probe(Arc::clone(&self.orders), standing, Weight::Slot), answer);
    }

    /// Every 30 s a probe, as `outcomes` say: `u`p or `d`own.
    async fn slots(&self, outcomes: &str) {
        for outcome in outcomes.chars() {
            self.probe(if outcome == 'u' { 200 } else { 503 }, |_| ()).await;
            self.hand.advance(Duration::from_secs(30));
        }
    }

    /// What came of all probes: seconds after noon, and the outcome.
    async fn results(self) -> Vec<(i64, Outcome)> {
        let Bench { vantage, mut outlet, writer, .. } = self;
        drop(vantage);
        let (stop, mut tasks) = (CancellationToken::new(), JoinSet::new());
        stop.cancel();
        tasks.spawn(writer.run(stop));
        outlet.completed().await.unwrap();
        let held = outlet.held();
        let bytes = match held.unacknowledged < held.next {
            true => outlet.read(held.unacknowledged, 1 << 20).await.unwrap(),
            false => Vec::new(),
        };
        let blocks: Vec<Block> = bytes.iter().map(|bytes| Block::decode(bytes).unwrap()).collect();
        let results = blocks.iter().flat_map(|block| &block.series).flat_map(|series| &series.results);
        results.map(|result| ((result.at.as_millis() - NOON.as_millis()).div_euclid(1000), result.outcome)).collect()
    }
}

const UP: Outcome = Outcome::Up;
const DOWN: Outcome = Outcome::Down(Cause::Status);
const VOID: Outcome = Outcome::Void(Cause::Clock);

#[tokio::test]
async fn a_clock_that_is_off_stamps_nothing_and_one_that_is_ninety_seconds_off_is_void_until_set_right() {
    for (skew, outcome) in [(0, UP), (3, UP), (-30, UP), (90, VOID), (-90, VOID)] {
        let bench = bench(after_noon(skew), Some(())).await;
        bench.slots("u").await;
        bench.hand.step_wall(after_noon(30));
        bench.slots("u").await;
        assert_eq!(bench.results().await, [(0, outcome), (30, UP)], "{skew} s off");
    }
}

#[tokio::test]
async fn a_step_of_two_minutes_during_an_outage_is_void_and_turns_no_result_round() {
    for step in [-120, 120] {
        let bench = bench(NOON, Some(())).await;
        bench.slots("ud").await;
        bench.probe(503, |hand| hand.step_wall(after_noon(60 + step))).await;
        bench.hand.advance(Duration::from_secs(30));
        bench.slots("d").await;
        bench.hand.step_wall(after_noon(120));
        bench.slots("du").await;
        let expected = [(0, UP), (30, DOWN), (60, VOID), (90, VOID), (120, DOWN), (150, UP)];
        assert_eq!(bench.results().await, expected, "step of {step} s");
    }
}

#[tokio::test]
async fn without_a_collector_a_step_voids_what_it_met_and_a_series_never_goes_back() {
    let bench = bench(NOON, None).await;
    bench.slots("ud").await;
    bench.probe(503, |hand| hand.step_wall(after_noon(-60))).await;
    bench.hand.advance(Duration::from_secs(30));
    bench.slots("dddd").await;
    let expected = [(0, UP), (30, DOWN), (60, VOID), (60, VOID), (60, VOID), (60, VOID), (60, VOID)];
    let results = bench.results().await;
    assert_eq!(results[..expected.len()], expected, "until the clock shows a time that the series has not had");
}

#[tokio::test]
async fn in_1970_nothing_can_be_kept_and_with_a_collectors_time_it_is_void_until_the_clock_is_set() {
    let alone = bench(Timestamp::from_millis(0), None).await;
    alone.slots("uu").await;
    assert_eq!(alone.results().await, []);
    let told = bench(Timestamp::from_millis(0), Some(())).await;
    told.slots("u").await;
    told.hand.step_wall(after_noon(30));
    told.slots("u").await;
    assert_eq!(told.results().await, [(0, VOID), (30, UP)]);
}
