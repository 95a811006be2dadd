//! The fold and the commit against a real ledger: any order, any cut into blocks, kills, two collectors.

mod failing;

use super::*;
use crate::fold::Scratch;
use crate::fold::hour::OpenHour;
use crate::ledger::contract::place::Place;
use crate::ledger::{self, Derived, Hour};
use crate::metrics::Refusal;
use proptest::prelude::*;
use rules::block::Builder;
use rules::interval::Interval;
use rules::latency::contribution;
use rules::outcome::{Cause, Outcome};
use rules::result::{Pace, ProbeResult, SeriesKey, Weight};
use rules::run::Series;
use std::collections::BTreeMap;

/// 2026-10-01T00:00:00Z.
pub(crate) const BEGAN: i64 = 1_790_812_800_000;

/// A committer on a ledger in memory.
pub(crate) struct Bench {
    pub(crate) ledger: Arc<dyn Ledger>,
    pub(crate) state: State,
    pub(crate) metrics: Metrics,
    pub(crate) committer: Committer,
    next_seq: u64,
    incarnation: u64,
}

pub(crate) fn agent() -> AgentId {
    "seoul-1".parse().unwrap()
}

pub(crate) fn key(check: &str) -> SeriesKey {
    SeriesKey { agent: agent(), service: "apm".parse().unwrap(), check: check.parse().unwrap() }
}

impl Bench {
    pub(crate) async fn new() -> Bench {
        Bench::on(ledger::open("sqlite::memory:").await.unwrap()).await
    }

    pub(crate) async fn on(ledger: Arc<dyn Ledger>) -> Bench {
        let now = Timestamp::from_millis(BEGAN);
        let lane = ledger.grant(&agent(), 1, now).await.unwrap();
        let (state, metrics) = (State::default(), Metrics::new());
        let (clock, _) = Clock::manual(now);
        let (committer, _) = Committer::new(Arc::clone(&ledger), state.clone(), metrics.clone(), clock);
        Bench { ledger, state, metrics, committer, next_seq: 1, incarnation: lane.incarnation }
    }

    /// What a process that was killed leaves: the ledger, and nothing of what was in memory.
    pub(crate) async fn killed(self) -> Bench {
        let (state, metrics) = (State::default(), Metrics::new());
        let (clock, _) = Clock::manual(Timestamp::from_millis(BEGAN));
        let (mut committer, _) = Committer::new(Arc::clone(&self.ledger), state.clone(), metrics.clone(), clock);
        committer.load_all().await.unwrap();
        Bench { state, metrics, committer, ..self }
    }

    pub(crate) fn offered(&mut self, results: &[(SeriesKey, Pace, ProbeResult)]) -> OfferedBlock {
        let mut builder = Builder::default();
        for (key, pace, result) in results {
            builder.push(key.service.clone(), key.check.clone(), *pace, *result);
        }
        let block = builder.build(agent(), self.next_seq);
        self.next_seq += 1;
        OfferedBlock { seq: block.seq, bytes: block.encode().into(), content: Ok(Arc::new(block)) }
    }

    pub(crate) async fn offer(&mut self, blocks: Vec<OfferedBlock>) -> Answer {
        self.committer.take_in(agent(), Incarnation(self.incarnation), blocks).await
    }

    pub(crate) async fn send(&mut self, results: &[(SeriesKey, Pace, ProbeResult)]) -> Answer {
        let block = self.offered(results);
        self.offer(vec![block]).await
    }

    /// Holds state and ledger against folding all results at once, and against a rebuild.
    async fn agrees_with(&self, all: &[(SeriesKey, Pace, ProbeResult)]) {
        let scratch = Scratch::fold(&*self.ledger, &agent()).await.unwrap();
        let (rebuilt, checkpoint) = scratch.derived();
        let stored = self.ledger.derived(&agent(), Timestamp::MIN).await.unwrap();
        let mut stored: Vec<Derived> =
            stored.into_iter().filter(|d| !d.runs.is_empty() || !d.hours.is_empty()).collect();
        stored.sort_by(|a, b| a.series.cmp(&b.series));
        assert_eq!(stored, rebuilt, "the ledger and a rebuild differ");
        let held = &self.committer.agents[&agent()];
        assert_eq!(held.fold.position(), checkpoint.position);
        let mut by_series: BTreeMap<SeriesKey, Vec<(ProbeResult, Pace)>> = BTreeMap::new();
        for (key, pace, result) in all {
            by_series.entry(key.clone()).or_default().push((*result, *pace));
        }
        for (key, results) in by_series {
            let truth = Series::fold(results.clone());
            let view = self.state.series(&key).unwrap();
            assert_eq!(view.runs().copied().collect::<Vec<_>>(), truth.runs(), "{key:?}");
            let hours: Vec<Hour> = self.ledger.hours(&key, Interval::ALWAYS).await.unwrap();
            let naive = closed_hours(results);
            assert_eq!(hours, naive, "{key:?}");
        }
    }
}

/// What hours come to when each result that stands is added to its own.
fn closed_hours(mut results: Vec<(ProbeResult, Pace)>) -> Vec<Hour> {
    rules::run::put_in_order(&mut results);
    results.dedup_by_key(|(result, _)| result.at);
    let mut hours: BTreeMap<Timestamp, OpenHour> = BTreeMap::new();
    for (result, pace) in results {
        let hour = hours.entry(result.at.hour()).or_insert_with(|| OpenHour::new(result.at.hour()));
        hour.population.add(&result, pace);
        hour.contributions.extend(contribution(&result, pace).map(|length| u32::try_from(length.as_micros()).unwrap()));
    }
    hours.pop_last();
    hours.into_values().map(OpenHour::close).collect()
}

pub(crate) fn pace(seconds: u64) -> Pace {
    Pace { every: Duration::from_secs(seconds), timeout: Duration::from_secs(5) }
}

pub(crate) fn result(seconds: i64, outcome: Outcome) -> ProbeResult {
    let at = Timestamp::from_millis(BEGAN + seconds * 1000);
    ProbeResult::of_slot(at, outcome, Duration::from_micros(1500))
}

fn any_result() -> impl Strategy<Value = (SeriesKey, Pace, ProbeResult)> {
    let outcome = prop_oneof![
        6 => Just(Outcome::Up),
        2 => Just(Outcome::Down(Cause::Timeout)),
        1 => Just(Outcome::Down(Cause::Reset)),
        1 => Just(Outcome::Void(Cause::Paused)),
    ];
    let check = prop_oneof![3 => Just("login"), 1 => Just("port")];
    let weight = prop_oneof![2 => Just(Weight::Slot), 1 => Just(Weight::Extra)];
    (0i64..90, outcome, 0u64..3, prop_oneof![4 => Just(150u64), 1 => Just(600)], check, weight).prop_map(
        |(slot, outcome, elapsed, every, check, weight)| {
            let at = Timestamp::from_millis(BEGAN + slot * 150_000);
            let elapsed = Duration::from_micros(elapsed);
            (key(check), pace(every), ProbeResult { at, outcome, elapsed, weight })
        },
    )
}

/// How results reach the collector.
#[derive(Clone, Debug)]
struct Way {
    results: Vec<(SeriesKey, Pace, ProbeResult)>,
    /// How many results the blocks have, in turn.
    block_sizes: Vec<usize>,
    /// How many blocks the offers have, in turn, and whether the collector is killed afterwards.
    offers: Vec<(usize, bool)>,
}

fn any_way() -> impl Strategy<Value = Way> {
    let results = prop::collection::vec(any_result(), 1..160);
    let sorted = any::<bool>();
    let sizes = prop::collection::vec(1usize..30, 1..6);
    let offers = prop::collection::vec((1usize..4, prop::bool::weighted(0.3)), 1..6);
    (results, sorted, sizes, offers).prop_map(|(mut results, sorted, block_sizes, offers)| {
        if sorted {
            // Nearly in order, as from a real agent: the rest of the walk is late now and then.
            let late: Vec<_> = results.iter().step_by(11).cloned().collect();
            results.sort_by_key(|(_, _, result)| result.at);
            results.extend(late);
        }
        Way { results, block_sizes, offers }
    })
}

async fn walk(way: Way) {
    let mut bench = Bench::new().await;
    let mut rest = way.results.as_slice();
    let mut sizes = way.block_sizes.iter().cycle();
    let mut offers = way.offers.iter().cycle();
    while !rest.is_empty() {
        let (blocks, killed) = *offers.next().unwrap();
        let mut offered = Vec::new();
        for _ in 0..blocks {
            let size = (*sizes.next().unwrap()).min(rest.len());
            let (now, later) = rest.split_at(size);
            rest = later;
            offered.push(bench.offered(now));
        }
        let answer = bench.offer(offered).await;
        assert_eq!(answer, Answer::Committed { next_seq: bench.next_seq, refused: vec![] });
        if killed {
            bench = bench.killed().await;
        }
    }
    bench.agrees_with(&way.results).await;
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn any_order_batching_and_repetition_with_kills_between_gives_one_ledger(way in any_way()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(walk(way));
    }

    #[test]
    fn two_collectors_that_take_turns_show_the_same_as_one(way in any_way()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(walk_past_two(way));
    }
}

/// The same walk past two collectors on one ledger: each offer goes to one, and now and then the
/// other looks what was committed.
async fn walk_past_two(way: Way) {
    let mut one = Bench::new().await;
    let mut other = Bench::on(Arc::clone(&one.ledger)).await;
    other.incarnation = one.incarnation;
    for (turn, part) in way.results.chunks(way.block_sizes[0]).enumerate() {
        let (now, idle) = if turn % 2 == 0 { (&mut one, &mut other) } else { (&mut other, &mut one) };
        now.next_seq = now.next_seq.max(idle.next_seq);
        let answer = now.send(part).await;
        assert_eq!(answer, Answer::Committed { next_seq: now.next_seq, refused: vec![] });
        if way.offers[turn % way.offers.len()].1 {
            idle.committer.follow().await;
        }
    }
    one.committer.follow().await;
    other.committer.follow().await;
    one.agrees_with(&way.results).await;
    other.agrees_with(&way.results).await;
}

fn ups(seconds: impl Iterator<Item = i64>) -> Vec<(SeriesKey, Pace, ProbeResult)> {
    seconds.map(|at| (key("login"), pace(30), result(at, Outcome::Up))).collect()
}

#[tokio::test]
async fn a_late_failure_cuts_a_long_good_run_in_two_and_everything_else_stays() {
    let mut bench = Bench::new().await;
    let mut all = ups((0..1200).map(|slot| slot * 30));
    for part in all.chunks(100) {
        bench.send(part).await;
    }
    let late = vec![(key("login"), pace(30), result(12_345, Outcome::Down(Cause::Reset)))];
    bench.send(&late).await;
    all.extend(late);
    bench.agrees_with(&all).await;
    assert_eq!(bench.state.series(&key("login")).unwrap().runs().count(), 3);
}

#[tokio::test]
async fn a_resent_block_is_acknowledged_again_and_counts_once() {
    let mut bench = Bench::new().await;
    let all = ups(0..5);
    let block = bench.offered(&all);
    for _ in 0..3 {
        let answer = bench.offer(vec![block.clone()]).await;
        assert_eq!(answer, Answer::Committed { next_seq: 2, refused: vec![] });
    }
    bench.agrees_with(&all).await;
    assert_eq!(bench.metrics.results.get(), 5);
}

#[tokio::test]
async fn what_precedes_a_gap_in_a_post_is_committed_and_the_rest_asked_for() {
    let mut bench = Bench::new().await;
    let blocks: Vec<_> = (0..4).map(|at| bench.offered(&ups(at..at + 1))).collect();
    let answer = bench.offer(vec![blocks[0].clone(), blocks[2].clone()]).await;
    assert_eq!(answer, Answer::Gap { expected: 2 });
    assert_eq!(bench.offer(vec![blocks[3].clone()]).await, Answer::Gap { expected: 2 });
    let answer = bench.offer(blocks[1..].to_vec()).await;
    assert_eq!(answer, Answer::Committed { next_seq: 5, refused: vec![] });
    bench.agrees_with(&ups(0..4)).await;
}

#[tokio::test]
async fn other_bytes_in_a_taken_place_are_a_conflict_and_both_are_kept_aside() {
    let mut bench = Bench::new().await;
    bench.send(&ups(0..2)).await;
    bench.next_seq = 1;
    let forged = bench.offered(&ups(5..9));
    assert_eq!(bench.offer(vec![forged]).await, Answer::Conflict { seq: 1 });
    assert_eq!(bench.ledger.quarantined().await.unwrap(), 2);
    bench.agrees_with(&ups(0..2)).await;
}

#[tokio::test]
async fn poison_is_refused_for_good_and_the_lane_moves_on() {
    let mut bench = Bench::new().await;
    let mut poison = bench.offered(&ups(0..1));
    poison.content = Err("a block's checksum is wrong".into());
    let good = bench.offered(&ups(1..3));
    let answer = bench.offer(vec![poison.clone(), good]).await;
    let refused = vec![(1, "a block's checksum is wrong".to_owned())];
    assert_eq!(answer, Answer::Committed { next_seq: 3, refused });
    assert_eq!(bench.ledger.quarantined().await.unwrap(), 1);
    assert_eq!(bench.offer(vec![poison]).await, Answer::Committed { next_seq: 3, refused: vec![] });
    assert_eq!(bench.metrics.refusals(Refusal::Poison), 1);
    bench.agrees_with(&ups(1..3)).await;
}

#[tokio::test]
async fn poison_alone_at_the_very_beginning_moves_the_lane_too() {
    let mut bench = Bench::new().await;
    let mut poison = bench.offered(&ups(0..1));
    poison.content = Err("garbage".into());
    let answer = bench.offer(vec![poison]).await;
    assert_eq!(answer, Answer::Committed { next_seq: 2, refused: vec![(1, "garbage".to_owned())] });
    let mut bench = bench.killed().await;
    assert_eq!(bench.send(&ups(0..3)).await, Answer::Committed { next_seq: 3, refused: vec![] });
    bench.agrees_with(&ups(0..3)).await;
}

#[tokio::test]
async fn a_lane_that_nobody_granted_is_unknown() {
    let mut bench = Bench::new().await;
    bench.incarnation = 77;
    assert_eq!(bench.send(&ups(0..1)).await, Answer::UnknownIncarnation);
}

#[tokio::test]
async fn two_collectors_on_one_ledger_show_the_same_whichever_an_agent_talks_to() {
    let mut one = Bench::new().await;
    let mut other = Bench::on(Arc::clone(&one.ledger)).await;
    other.incarnation = one.incarnation;
    let all = ups((0..400).map(|slot| slot * 30));
    for (turn, part) in all.chunks(7).enumerate() {
        let (now, idle) = if turn % 3 == 0 { (&mut other, &mut one) } else { (&mut one, &mut other) };
        now.next_seq = now.next_seq.max(idle.next_seq);
        let answer = now.send(part).await;
        assert_eq!(answer, Answer::Committed { next_seq: now.next_seq, refused: vec![] });
        if turn % 2 == 0 {
            idle.committer.follow().await;
        }
    }
    one.committer.follow().await;
    other.committer.follow().await;
    one.agrees_with(&all).await;
    other.agrees_with(&all).await;
}

#[tokio::test]
async fn a_clean_stop_leaves_nothing_to_read_again() {
    let mut bench = Bench::new().await;
    bench.send(&ups(0..50)).await;
    bench.committer.drain().await;
    let checkpoint = bench.ledger.checkpoint(&agent()).await.unwrap().unwrap();
    assert_eq!(checkpoint.position, 1);
    let bench = bench.killed().await;
    assert!(!bench.committer.agents[&agent()].fold.is_ahead_of_checkpoint());
    bench.agrees_with(&ups(0..50)).await;
}

#[test]
fn three_months_are_remembered() {
    let begins = memory_begins("2026-01-15T00:00:00Z".parse().unwrap());
    assert_eq!(begins, "2025-10-31T00:00:00Z".parse().unwrap());
}

/// Two collectors are offered the same blocks at once, as when an agent's balancer loses patience.
async fn blocks_offered_to_two_collectors_at_once_count_once(place: &Place) {
    let mut one = Bench::on(place.open().await).await;
    let mut other = Bench::on(place.open().await).await;
    other.incarnation = one.incarnation;
    let all = ups((0..240).map(|slot| slot * 30));
    for part in all.chunks(12) {
        let block = one.offered(part);
        other.next_seq = one.next_seq;
        let (answer, other_answer) = tokio::join!(one.offer(vec![block.clone()]), other.offer(vec![block]));
        let committed = Answer::Committed { next_seq: one.next_seq, refused: vec![] };
        assert_eq!((&answer, &other_answer), (&committed, &committed));
    }
    one.committer.follow().await;
    other.committer.follow().await;
    assert_eq!(one.metrics.results.get() + other.metrics.results.get(), 240);
    one.agrees_with(&all).await;
    other.agrees_with(&all).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn blocks_offered_to_two_collectors_at_once_count_once_on_sqlite() {
    blocks_offered_to_two_collectors_at_once_count_once(&Place::sqlite()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn blocks_offered_to_two_collectors_at_once_count_once_on_postgres() {
    let place = Place::postgres().await;
    blocks_offered_to_two_collectors_at_once_count_once(&place).await;
    place.remove().await;
}

#[tokio::test]
async fn late_results_are_taken_in_the_same_way_on_postgres() {
    let place = Place::postgres().await;
    let mut bench = Bench::on(place.open().await).await;
    let mut all = ups((0..500).map(|slot| slot * 30));
    for part in all.chunks(60) {
        bench.send(part).await;
    }
    for seconds in [7_777, 31, 14_000] {
        let late = vec![(key("login"), pace(30), result(seconds, Outcome::Down(Cause::Reset)))];
        bench.send(&late).await;
        all.extend(late);
    }
    bench.agrees_with(&all).await;
    let bench = bench.killed().await;
    bench.agrees_with(&all).await;
    drop(bench);
    place.remove().await;
}
