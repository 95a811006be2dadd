//! A simulated link between both ends: it loses, repeats, delays and reorders, and either end may
//! crash between any two steps. Every run follows from its seed.

use super::receiver::{Lane, Verdict};
use super::sender::{Answer, BACKOFF_MAX, BACKOFF_MIN, Held, Order, RETRY_AFTER_MAX, Sender};
use super::*;
use alloc::collections::BTreeMap;
use alloc::vec;
use core::time::Duration;

struct Chance(u64);

impl Chance {
    /// The next number of the sequence (splitmix64).
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn one_in(&mut self, n: u64) -> bool {
        self.next().is_multiple_of(n)
    }
}

/// What the agent's disk has: it survives crashes, and a clone begins with a copy of it.
#[derive(Clone, Default)]
struct Spool {
    blocks: Vec<u64>,
    unacknowledged: u64,
    incarnation: Option<Incarnation>,
}

impl Spool {
    fn held(&self) -> Held {
        Held {
            oldest: SEQ_FIRST,
            unacknowledged: SEQ_FIRST + self.unacknowledged,
            next: SEQ_FIRST + self.blocks.len() as u64,
        }
    }

    fn content(&self, seq: u64) -> u64 {
        self.blocks[usize::try_from(seq - SEQ_FIRST).unwrap()]
    }
}

#[derive(Clone, Default)]
struct Ledger {
    lanes: BTreeMap<Incarnation, Lane>,
    blocks: BTreeMap<(Incarnation, u64), u64>,
}

#[derive(Clone, Debug)]
enum Request {
    Register { first_seq: u64 },
    Post { incarnation: Incarnation, first_seq: u64, contents: Vec<u64> },
}

impl Ledger {
    fn serve(&mut self, request: &Request) -> Answer {
        match request {
            Request::Register { first_seq } => {
                let lane = Lane::open(self.lanes.keys().next_back().copied(), *first_seq);
                self.lanes.insert(lane.incarnation, lane);
                Answer::Registered { incarnation: lane.incarnation, next_seq: lane.next_seq }
            }
            Request::Post { incarnation, first_seq, contents } => self.take(*incarnation, *first_seq, contents),
        }
    }

    fn take(&mut self, incarnation: Incarnation, first_seq: u64, contents: &[u64]) -> Answer {
        let Some(lane) = self.lanes.get_mut(&incarnation) else { return Answer::UnknownIncarnation };
        for (seq, &content) in (first_seq..).zip(contents) {
            match lane.offer(seq) {
                Verdict::Commit => assert_eq!(self.blocks.insert((incarnation, seq), content), None, "stored twice"),
                Verdict::Compare if self.blocks[&(incarnation, seq)] != content => return Answer::Conflict { seq },
                Verdict::Compare => {}
                Verdict::Gap { expected } => return Answer::Gap { expected },
            }
        }
        Answer::Committed { next_seq: lane.next_seq }
    }
}

struct Agent {
    spool: Spool,
    sender: Sender,
    conflicts: u32,
}

impl Agent {
    fn start(spool: Spool) -> Agent {
        let sender = Sender::new(spool.incarnation, spool.held());
        Agent { spool, sender, conflicts: 0 }
    }

    /// Carries out orders until one needs the collector.
    fn request(&mut self, now: Duration) -> Option<Request> {
        self.sender.hold(self.spool.held());
        loop {
            match self.sender.next_order(now)? {
                Order::Register { first_seq } => return Some(Request::Register { first_seq }),
                Order::Post { incarnation, from, .. } => {
                    let until = self.spool.held().next.min(from + 4);
                    let contents = (from..until).map(|seq| self.spool.content(seq)).collect();
                    return Some(Request::Post { incarnation, first_seq: from, contents });
                }
                Order::Keep(incarnation) => self.spool.incarnation = Some(incarnation),
                Order::Acknowledge { below } => self.spool.unacknowledged = below - SEQ_FIRST,
                Order::Rewind { to } => self.spool.unacknowledged = to - SEQ_FIRST,
            }
            self.sender.hold(self.spool.held());
        }
    }

    fn answered(&mut self, answer: Answer, now: Duration, chance: &mut Chance) {
        self.conflicts += u32::from(matches!(answer, Answer::Conflict { .. }));
        self.sender.answered(answer, now, chance.next());
    }
}

/// Lets one agent and the ledger go on over a link that may do anything for `steps` steps.
fn storm(agent: &mut Agent, ledger: &mut Ledger, chance: &mut Chance, steps: u32, now: &mut Duration) {
    let mut strays: Vec<Request> = Vec::new();
    for _ in 0..steps {
        *now += Duration::from_millis(chance.next() % 30_000);
        if chance.one_in(2) {
            let content = chance.next();
            agent.spool.blocks.push(content);
        }
        if chance.one_in(20) {
            *agent = Agent::start(agent.spool.clone());
        }
        if !strays.is_empty() && chance.one_in(2) {
            let stray = strays.swap_remove(usize::try_from(chance.next()).unwrap() % strays.len());
            ledger.serve(&stray);
        }
        let Some(request) = agent.request(*now) else { continue };
        let answer = match chance.next() % 8 {
            0 => Answer::Nothing,
            1 => {
                strays.push(request);
                Answer::Nothing
            }
            2 => {
                ledger.serve(&request);
                Answer::Nothing
            }
            3 => Answer::NotNow { retry_after: Some(Duration::from_secs(1)) },
            4 => {
                strays.push(request.clone());
                ledger.serve(&request)
            }
            _ => ledger.serve(&request),
        };
        if chance.one_in(10) {
            *agent = Agent::start(agent.spool.clone());
        } else {
            agent.answered(answer, *now, chance);
        }
    }
}

/// Lets the agent finish over a good link.
fn heal(agent: &mut Agent, ledger: &mut Ledger, chance: &mut Chance, now: &mut Duration) {
    for _ in 0..1000 {
        match agent.request(*now) {
            Some(request) => {
                let answer = ledger.serve(&request);
                agent.answered(answer, *now, chance);
            }
            None => match agent.sender.deadline() {
                Some(deadline) => *now = deadline,
                None => return,
            },
        }
    }
    panic!("the backlog does not drain");
}

fn ledgered(ledger: &Ledger) -> Vec<u64> {
    let mut contents: Vec<u64> = ledger.blocks.values().copied().collect();
    contents.sort_unstable();
    contents
}

fn sorted(mut contents: Vec<u64>) -> Vec<u64> {
    contents.sort_unstable();
    contents.dedup();
    contents
}

#[test]
fn a_bad_link_and_crashes_lose_nothing_and_double_nothing() {
    for seed in 0..2000 {
        let (mut chance, mut ledger, mut now) = (Chance(seed), Ledger::default(), Duration::ZERO);
        let mut agent = Agent::start(Spool::default());
        storm(&mut agent, &mut ledger, &mut chance, 120, &mut now);
        heal(&mut agent, &mut ledger, &mut chance, &mut now);
        assert_eq!(ledgered(&ledger), sorted(agent.spool.blocks.clone()), "seed {seed}");
        assert_eq!(agent.conflicts, 0, "seed {seed}");
    }
}

#[test]
fn a_ledger_restored_from_a_backup_gets_everything_again() {
    for seed in 0..500 {
        let (mut chance, mut ledger, mut now) = (Chance(seed), Ledger::default(), Duration::ZERO);
        let mut agent = Agent::start(Spool::default());
        storm(&mut agent, &mut ledger, &mut chance, u32::try_from(seed % 40).unwrap(), &mut now);
        let backup = ledger.clone();
        storm(&mut agent, &mut ledger, &mut chance, 40, &mut now);
        ledger = backup;
        // Something must be new: an agent with nothing to say can't learn that it was forgotten.
        agent.spool.blocks.push(chance.next());
        storm(&mut agent, &mut ledger, &mut chance, 40, &mut now);
        agent.spool.blocks.push(chance.next());
        heal(&mut agent, &mut ledger, &mut chance, &mut now);
        assert_eq!(sorted(ledgered(&ledger)), sorted(agent.spool.blocks.clone()), "seed {seed}");
    }
}

#[test]
fn a_cloned_spool_is_noticed_and_both_keep_what_they_saw() {
    for seed in 0..500 {
        let (mut chance, mut ledger, mut now) = (Chance(seed), Ledger::default(), Duration::ZERO);
        let mut first = Agent::start(Spool::default());
        storm(&mut first, &mut ledger, &mut chance, 20, &mut now);
        heal(&mut first, &mut ledger, &mut chance, &mut now);
        let mut second = Agent::start(first.spool.clone());
        for agent in [&mut first, &mut second] {
            agent.spool.blocks.push(chance.next());
            heal(agent, &mut ledger, &mut chance, &mut now);
        }
        assert_eq!((first.conflicts, second.conflicts), (0, 1), "seed {seed}");
        let seen = sorted([first.spool.blocks, second.spool.blocks].concat());
        assert_eq!(ledgered(&ledger), seen, "seed {seed}");
    }
}

#[test]
fn a_wiped_spool_begins_a_new_lane() {
    let (mut chance, mut ledger, mut now) = (Chance(1), Ledger::default(), Duration::ZERO);
    for life in 1..=3 {
        let spool = Spool { blocks: vec![life, life * 10], ..Spool::default() };
        heal(&mut Agent::start(spool), &mut ledger, &mut chance, &mut now);
    }
    assert_eq!(ledgered(&ledger), [1, 2, 3, 10, 20, 30]);
    assert_eq!(ledger.lanes.len(), 3);
}

#[test]
fn waits_grow_with_failures_stay_in_bounds_and_honour_retry_after() {
    let held = Held { oldest: 1, unacknowledged: 1, next: 2 };
    let wait = |failures: u32, answer, random| {
        let mut sender = Sender::new(Some(Incarnation(1)), held);
        let mut now = Duration::from_secs(1);
        for _ in 0..failures {
            assert!(matches!(sender.next_order(now), Some(Order::Post { .. })));
            sender.answered(answer, now, random);
            assert_eq!(sender.next_order(now), None);
            now = sender.deadline().unwrap();
        }
        let before = now;
        sender.next_order(now);
        sender.answered(answer, now, random);
        sender.deadline().unwrap() - before
    };
    let patient = Answer::NotNow { retry_after: Some(Duration::from_secs(7)) };
    let endless = Answer::NotNow { retry_after: Some(Duration::MAX) };
    assert_eq!(wait(0, Answer::Nothing, 0), BACKOFF_MIN);
    assert_eq!(wait(0, Answer::Nothing, 200), 2 * BACKOFF_MIN);
    assert_eq!(wait(0, Answer::Nothing, 201), BACKOFF_MIN);
    assert_eq!(wait(40, Answer::Nothing, 59_800), BACKOFF_MAX);
    assert_eq!(wait(0, patient, 0), Duration::from_secs(7) + BACKOFF_MIN);
    assert_eq!(wait(0, endless, 0), RETRY_AFTER_MAX + BACKOFF_MIN);
}

#[test]
fn a_collector_that_finds_posts_too_large_gets_smaller_ones() {
    let mut sender = Sender::new(Some(Incarnation(1)), Held { oldest: 1, unacknowledged: 1, next: 9 });
    let now = Duration::ZERO;
    let post = |bytes_at_most| Some(Order::Post { incarnation: Incarnation(1), from: 1, bytes_at_most });
    assert_eq!(sender.next_order(now), post(POST_BYTES_MAX));
    sender.answered(Answer::TooLarge, now, 0);
    sender.hurry();
    assert_eq!(sender.next_order(now), post(POST_BYTES_MAX / 2));
}

#[test]
fn a_body_gives_back_its_blocks_and_refuses_a_cut_one() {
    let mut body = Vec::new();
    for block in [&b"one"[..], b"", b"three"] {
        add_to_body(&mut body, block);
    }
    assert_eq!(split_body(&body), Ok(vec![&b"one"[..], b"", b"three"]));
    assert_eq!(body.len(), body_bytes(3) + body_bytes(0) + body_bytes(5));
    assert_eq!(split_body(b""), Err(BodyError::Empty));
    assert_eq!(split_body(&vec![0; POST_BYTES_MAX + 1]), Err(BodyError::TooLong(POST_BYTES_MAX + 1)));
    for cut in (1..body.len()).filter(|cut| ![7, 11].contains(cut)) {
        assert_eq!(split_body(&body[..cut]), Err(BodyError::Cut), "{cut}");
    }
}
