use super::store::Store;
use super::*;
use daemon::clock::Hand;
use proptest::prelude::*;
use rules::block::{Block, BlockSeries};
use rules::delivery::SEQ_FIRST;
use rules::note::Note;
use rules::outcome::{Cause, Outcome};
use std::time::Duration;
use tempfile::TempDir;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);
const ROOMY: u64 = 1 << 30;

fn settings(dir: &Path, at_most: u64) -> Settings {
    Settings { agent: "seoul-1".parse().unwrap(), dir: dir.to_owned(), at_most }
}

fn recorded(at: Timestamp) -> Recorded {
    Recorded {
        service: "apm-prod".parse().unwrap(),
        check: "login".parse().unwrap(),
        pace: Pace { every: Duration::from_secs(30), timeout: Duration::from_secs(10) },
        result: ProbeResult::of_slot(at, Outcome::Up, Duration::from_micros(48_123)),
        note: Note::new("kept"),
    }
}

/// A block of `results` results whose bytes depend on `mark`.
fn block(seq: u64, results: i64, mark: i64) -> Block {
    let Recorded { service, check, pace, result, .. } = recorded(NOW);
    let at = |i| NOW.plus(Duration::from_secs(seq)).plus(Duration::from_millis(u64::try_from(i).unwrap()));
    let elapsed = |i: i64| Duration::from_micros(u64::try_from(10_000 + (i * 7919 + mark) % 9000).unwrap());
    let results = (0..results).map(|i| ProbeResult { at: at(i), elapsed: elapsed(i), ..result }).collect();
    let series = vec![BlockSeries { service, check, pace, results, notes: Vec::new() }];
    Block { agent: "seoul-1".parse().unwrap(), seq, series, tombstones: Vec::new() }
}

/// What the disk would have if the process died now.
fn crashed(dir: &Path) -> TempDir {
    let copy = TempDir::new().unwrap();
    for file in ["spool.db", "spool.db-wal"] {
        if dir.join(file).exists() {
            std::fs::copy(dir.join(file), copy.path().join(file)).unwrap();
        }
    }
    copy
}

struct Running {
    handle: SpoolHandle,
    outlet: Outlet,
    clock: Clock,
    hand: Hand,
    stop: CancellationToken,
    tasks: JoinSet<()>,
}

impl Running {
    fn start(dir: &Path) -> Running {
        let (clock, hand) = Clock::manual(NOW);
        let (handle, outlet, spool) = open(settings(dir, ROOMY), clock.clone()).unwrap();
        let (stop, mut tasks) = (CancellationToken::new(), JoinSet::new());
        tasks.spawn(spool.run(stop.clone()));
        Running { handle, outlet, clock, hand, stop, tasks }
    }

    /// Lets time pass until `reached` holds of the spool.
    async fn until(&mut self, reached: impl Fn(&Depth) -> bool) {
        while !reached(&self.handle.depth()) {
            self.hand.advance(Duration::from_millis(10));
            tokio::task::yield_now().await;
        }
    }

    async fn stop(mut self) {
        self.stop.cancel();
        drop(self.outlet);
        self.tasks.join_next().await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn what_was_committed_survives_a_crash() {
    let dir = TempDir::new().unwrap();
    let mut running = Running::start(dir.path());
    for i in 0..3 {
        running.handle.record(recorded(NOW.plus(Duration::from_millis(i)))).await.unwrap();
    }
    running.until(|depth| depth.results == 3).await;
    let copy = crashed(dir.path());
    let mut store = Store::open(&settings(copy.path(), ROOMY)).unwrap();
    let held = store.tally().held;
    let blocks = store.read(held.unacknowledged, 1 << 20).unwrap();
    let blocks: Vec<Block> = blocks.iter().map(|bytes| Block::decode(bytes).unwrap()).collect();
    assert_eq!(blocks.iter().map(Block::len).sum::<usize>(), 3);
    assert!(blocks.iter().map(|block| block.seq).eq(SEQ_FIRST..held.next));
}

#[tokio::test]
async fn a_lone_result_is_durable_within_200_ms_and_commits_are_a_second_apart() {
    let dir = TempDir::new().unwrap();
    let mut running = Running::start(dir.path());
    let mut committed_at = Vec::new();
    let began = running.clock.boot();
    for i in 0..3 {
        running.handle.record(recorded(NOW)).await.unwrap();
        while running.hand.sleepers() == 0 {
            tokio::task::yield_now().await;
        }
        while 0 < running.hand.sleepers() {
            running.hand.advance(Duration::from_millis(10));
            for _ in 0..4 {
                tokio::task::yield_now().await;
            }
        }
        committed_at.push(running.clock.boot() - began);
        while running.outlet.held().next <= SEQ_FIRST + i {
            running.outlet.changed().await.unwrap();
        }
    }
    assert!(committed_at[0] <= Duration::from_millis(200), "{committed_at:?}");
    assert!(committed_at.windows(2).all(|pair| Duration::from_millis(990) <= pair[1] - pair[0]), "{committed_at:?}");
}

#[tokio::test]
async fn a_full_block_is_committed_although_no_time_passes() {
    let dir = TempDir::new().unwrap();
    let running = Running::start(dir.path());
    let mut outlet = running.outlet;
    // More than a block holds: what is left over waits for its second.
    for i in 0..2 * rules::block::RESULTS_MAX as u64 {
        running.handle.record(recorded(NOW.plus(Duration::from_millis(i)))).await.unwrap();
    }
    outlet.changed().await.unwrap();
    assert_eq!(running.handle.depth().results, rules::block::RESULTS_MAX as u64);
}

#[tokio::test]
async fn a_stopped_spool_has_kept_everything_it_took_and_goes_on_without_a_gap() {
    let dir = TempDir::new().unwrap();
    for life in 0..3 {
        let running = Running::start(dir.path());
        assert_eq!(running.handle.depth().held.next, SEQ_FIRST + life);
        assert_eq!(running.handle.depth().results, 5 * life);
        for _ in 0..5 {
            running.handle.record(recorded(NOW)).await.unwrap();
        }
        running.stop().await;
    }
}

#[tokio::test]
async fn a_result_from_before_2000_is_refused_and_spoils_no_block() {
    let dir = TempDir::new().unwrap();
    let mut running = Running::start(dir.path());
    running.handle.record(recorded(Timestamp::from_millis(5))).await.unwrap();
    running.handle.record(recorded(NOW)).await.unwrap();
    running.until(|depth| depth.results == 1).await;
    assert_eq!(running.handle.depth().results_refused, 1);
}

#[test]
fn a_second_agent_or_another_one_is_refused_and_told_what_to_do() {
    let dir = TempDir::new().unwrap();
    let clock = || Clock::manual(NOW).0;
    let refusal = |settings: Settings| {
        let refusal = open(settings, clock()).map(drop).unwrap_err().to_string();
        refusal.replace(&dir.path().display().to_string(), "DIR")
    };
    let first = open(settings(dir.path(), ROOMY), clock()).unwrap();
    let in_use = "open the spool in `DIR`: another agent uses it; give each agent its own directory";
    assert_eq!(refusal(settings(dir.path(), ROOMY)), in_use);
    std::fs::remove_file(dir.path().join("spool.lock")).unwrap();
    assert_eq!(refusal(settings(dir.path(), ROOMY)), in_use, "SQLite's own lock holds too");
    drop(first);
    let other = Settings { agent: "busan-1".parse().unwrap(), ..settings(dir.path(), ROOMY) };
    let belongs =
        "open the spool in `DIR`: it holds results of agent `seoul-1`, not of `busan-1`; use another directory";
    assert_eq!(refusal(other), belongs);
}

#[tokio::test]
async fn a_disk_that_fails_once_is_opened_again_and_loses_nothing() {
    let dir = TempDir::new().unwrap();
    let (clock, _hand) = Clock::manual(NOW);
    let (handle, _outlet, mut spool) = open(settings(dir.path(), ROOMY), clock).unwrap();
    spool.pend(recorded(NOW));
    spool.break_the_disk();
    spool.commit().await;
    assert_eq!((handle.depth().results, handle.depth().evidence_at_risk), (1, false));
    assert_eq!(handle.depth().held.next, SEQ_FIRST + 1);
}

#[tokio::test]
async fn while_the_disk_is_away_ten_minutes_stay_in_memory_and_the_rest_is_told_of() {
    let dir = TempDir::new().unwrap();
    let (spool_dir, away) = (dir.path().join("spool"), dir.path().join("away"));
    let (clock, hand) = Clock::manual(NOW);
    let (handle, _outlet, mut spool) = open(settings(&spool_dir, ROOMY), clock.clone()).unwrap();
    std::fs::rename(&spool_dir, &away).unwrap();
    spool.break_the_disk();
    for _ in 0..20 {
        spool.pend(recorded(clock.wall()));
        spool.commit().await;
        assert!(handle.depth().evidence_at_risk);
        hand.advance(Duration::from_secs(60));
    }
    assert_eq!((handle.depth().results_in_memory, handle.depth().results), (11, 0));
    std::fs::rename(&away, &spool_dir).unwrap();
    spool.commit().await;
    let depth = handle.depth();
    assert_eq!((depth.evidence_at_risk, depth.results, depth.results_dropped), (false, 11, 9));
    let mut store = Store::open(&settings(crashed(&spool_dir).path(), ROOMY)).unwrap();
    let block = Block::decode(&store.read(SEQ_FIRST, 1 << 20).unwrap()[0]).unwrap();
    assert_eq!((block.tombstones[0].from, block.tombstones[0].results), (NOW, 9));
}

/// Fills a small spool with `blocks` blocks, none of them ever acknowledged.
fn filled(dir: &Path, at_most: u64, blocks: u64) -> (Store, Vec<Block>) {
    let mut store = Store::open(&settings(dir, at_most)).unwrap();
    for seq in 1..=blocks {
        store.append(&block(seq, 100, 0), NOW).unwrap();
    }
    let held = store.tally().held;
    assert_eq!((held.oldest, held.unacknowledged, held.next), (1, 1, blocks + 1));
    let bytes = store.read(1, 1 << 30).unwrap();
    (store, bytes.iter().map(|bytes| Block::decode(bytes).unwrap()).collect())
}

#[test]
fn above_80_percent_the_oldest_blocks_lose_their_latency_and_nothing_else() {
    let dir = TempDir::new().unwrap();
    let (store, blocks) = filled(dir.path(), 100_000, 240);
    let bare = |block: &Block| block.series[0].results[0].latency().is_none();
    let first = blocks.iter().position(bare).unwrap();
    let last = blocks.iter().rposition(bare).unwrap();
    assert!(blocks[first..=last].iter().all(bare), "from the oldest on, without a hole");
    assert_eq!(first, 64, "what may have left is never rewritten");
    assert!(blocks.iter().zip(1..).all(|(kept, seq)| kept.without_latency() == block(seq, 100, 0).without_latency()));
    assert!(store.tally().bytes <= 100_000);
}

#[test]
fn above_100_percent_the_oldest_are_buried_and_counted_under_their_own_seq() {
    let dir = TempDir::new().unwrap();
    let (store, blocks) = filled(dir.path(), 60_000, 400);
    assert!(store.tally().bytes <= 60_000);
    assert!(blocks.iter().map(|block| block.seq).eq(1..=400));
    let buried: u64 = blocks.iter().flat_map(|block| &block.tombstones).map(|tombstone| tombstone.results).sum();
    let kept: usize = blocks.iter().map(Block::len).sum();
    assert_eq!((buried, kept as u64), (store.tally().results_buried, store.tally().results));
    assert_eq!(buried + kept as u64, 400 * 100);
    assert!(blocks.iter().zip(1..).all(|(kept, seq)| kept.span() == block(seq, 100, 0).span()));
    assert!(blocks.iter().flat_map(|block| &block.tombstones).all(|tombstone| tombstone.cause == Cause::SpoolFull));
}

#[test]
fn acknowledged_blocks_go_first_when_room_is_short() {
    let dir = TempDir::new().unwrap();
    let mut store = Store::open(&settings(dir.path(), 100_000)).unwrap();
    for seq in 1..=1000 {
        store.append(&block(seq, 100, 0), NOW).unwrap();
        store.acknowledge(seq + 1, NOW).unwrap();
    }
    let held = store.tally().held;
    assert!(1 < held.oldest && held.oldest < 900 && store.tally().bytes <= 80_000, "{:?}", store.tally());
    let oldest = &store.read(held.oldest, 1).unwrap()[0];
    assert_eq!(Block::decode(oldest), Ok(block(held.oldest, 100, 0)));
}

#[test]
fn a_wiped_spool_begins_anew() {
    let dir = TempDir::new().unwrap();
    let mut store = Store::open(&settings(dir.path(), ROOMY)).unwrap();
    store.keep(Incarnation(4)).unwrap();
    store.append(&block(1, 1, 0), NOW).unwrap();
    drop(store);
    std::fs::remove_dir_all(dir.path()).unwrap();
    std::fs::create_dir(dir.path()).unwrap();
    let store = Store::open(&settings(dir.path(), ROOMY)).unwrap();
    assert_eq!((store.incarnation(), store.tally().held.next), (None, SEQ_FIRST));
}

#[derive(Clone, Debug)]
enum Step {
    Append { results: i64, mark: i64 },
    Read { back: u64, bytes_at_most: usize },
    Acknowledge { on: u64 },
    Rewind { back: u64 },
    Keep(u64),
    Pass { hours: u64 },
    Reopen,
    Crash,
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (1..40_i64, 0..9000_i64).prop_map(|(results, mark)| Step::Append { results, mark }),
        2 => (0..9_u64, 0..2000_usize).prop_map(|(back, bytes_at_most)| Step::Read { back, bytes_at_most }),
        3 => (0..6_u64).prop_map(|on| Step::Acknowledge { on }),
        1 => (0..9_u64).prop_map(|back| Step::Rewind { back }),
        1 => (1..9_u64).prop_map(Step::Keep),
        1 => (0..30_u64).prop_map(|hours| Step::Pass { hours }),
        1 => Just(Step::Reopen),
        1 => Just(Step::Crash),
    ]
}

/// The spool as a list: all that a store with room enough may differ from it in is its file.
#[derive(Default)]
struct Model {
    blocks: Vec<Vec<u8>>,
    forgotten: u64,
    acknowledged: u64,
    /// When each block was acknowledged, as far as it is.
    acknowledged_at: Vec<Timestamp>,
    incarnation: Option<Incarnation>,
}

impl Model {
    fn held(&self) -> Held {
        let seq = |index| SEQ_FIRST + index;
        Held {
            oldest: seq(self.forgotten),
            unacknowledged: seq(self.acknowledged),
            next: seq(self.blocks.len() as u64),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_store_is_a_list_whatever_happens_to_it(steps in prop::collection::vec(any_step(), 1..60)) {
        let mut dir = TempDir::new().unwrap();
        let mut store = Store::open(&settings(dir.path(), ROOMY)).unwrap();
        let (mut model, mut now) = (Model::default(), NOW);
        for step in steps {
            let held = model.held();
            match step {
                Step::Append { results, mark } => {
                    let block = block(held.next, results, mark);
                    store.append(&block, now).unwrap();
                    model.blocks.push(block.encode());
                }
                Step::Read { back, bytes_at_most } => {
                    let from = held.next.saturating_sub(back).max(held.oldest);
                    let read = store.read(from, bytes_at_most).unwrap();
                    let there = &model.blocks[usize::try_from(from - SEQ_FIRST).unwrap()..];
                    prop_assert_eq!(&read[..], &there[..read.len()]);
                    let bytes: usize = read.iter().map(|bytes| 4 + bytes.len()).sum();
                    prop_assert!(bytes <= bytes_at_most || read.len() == 1);
                    let next = there.get(read.len()).map(|bytes| 4 + bytes.len());
                    prop_assert!(next.is_none_or(|next| bytes_at_most < bytes + next));
                }
                Step::Acknowledge { on } => {
                    store.acknowledge(held.unacknowledged + on, now).unwrap();
                    model.acknowledged = (model.acknowledged + on).min(model.blocks.len() as u64);
                    model.acknowledged_at.resize(usize::try_from(model.acknowledged).unwrap(), now);
                }
                Step::Rewind { back } => {
                    store.rewind(held.unacknowledged.saturating_sub(back)).unwrap();
                    model.acknowledged = model.acknowledged.saturating_sub(back).max(model.forgotten);
                    model.acknowledged_at.truncate(usize::try_from(model.acknowledged).unwrap());
                }
                Step::Keep(incarnation) => {
                    store.keep(Incarnation(incarnation)).unwrap();
                    model.incarnation = Some(Incarnation(incarnation));
                }
                Step::Pass { hours } => {
                    now = now.plus(Duration::from_secs(hours * 3600));
                    store.expire(now).unwrap();
                    let limit = now.minus(Duration::from_secs(24 * 3600));
                    let expired = model.acknowledged_at.partition_point(|at| *at < limit) as u64;
                    model.forgotten = model.forgotten.max(expired);
                }
                Step::Reopen => {
                    drop(store);
                    store = Store::open(&settings(dir.path(), ROOMY)).unwrap();
                }
                Step::Crash => {
                    dir = crashed(dir.path());
                    store = Store::open(&settings(dir.path(), ROOMY)).unwrap();
                }
            }
            prop_assert_eq!(store.tally().held, model.held());
            prop_assert_eq!(store.incarnation(), model.incarnation);
            let unacknowledged = &model.blocks[usize::try_from(model.acknowledged).unwrap()..];
            let results: usize = unacknowledged.iter().map(|bytes| Block::decode(bytes).unwrap().len()).sum();
            prop_assert_eq!(store.tally().results, results as u64);
        }
    }
}
