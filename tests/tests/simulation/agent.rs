//! An agent on virtual time: what is spooled survives its death, what is not is gone.

use rules::block::{Block, BlockSeries};
use rules::delivery::sender::{Held, Order, Sender};
use rules::delivery::{Incarnation, SEQ_FIRST, add_to_body, body_bytes};
use rules::id::AgentId;
use rules::result::{Pace, ProbeResult};
use rules::time::Timestamp;
use std::time::Duration;

/// The pace of the one check.
pub(crate) const PACE: Pace = Pace { every: Duration::from_secs(30), timeout: Duration::from_secs(10) };

pub(crate) struct Agent {
    pub(crate) id: AgentId,
    /// Durable: the blocks from `SEQ_FIRST` on.
    spool: Vec<Vec<u8>>,
    /// Durable: the first block that is not acknowledged.
    unacknowledged: u64,
    /// Durable: the lane that was granted last.
    incarnation: Option<Incarnation>,
    /// Lost at death: results that no block holds yet.
    pending: Vec<ProbeResult>,
    /// When a block was made last.
    committed_at: Timestamp,
    /// Lost at death.
    sender: Sender,
    /// Lost at death: which life this is, so that answers to an earlier one are ignored.
    pub(crate) life: u64,
    pub(crate) alive: bool,
}

impl Agent {
    pub(crate) fn new(id: AgentId) -> Agent {
        let held = Held { oldest: SEQ_FIRST, unacknowledged: SEQ_FIRST, next: SEQ_FIRST };
        Agent {
            id,
            spool: Vec::new(),
            unacknowledged: SEQ_FIRST,
            incarnation: None,
            pending: Vec::new(),
            committed_at: Timestamp::MIN,
            sender: Sender::new(None, held),
            life: 0,
            alive: true,
        }
    }

    pub(crate) fn saw(&mut self, result: ProbeResult) {
        self.pending.push(result);
    }

    /// Makes what is pending durable, as one block, once a second at most.
    pub(crate) fn commit_each_second(&mut self, now: Timestamp) {
        if self.pending.is_empty() || now.since(self.committed_at) < Duration::from_secs(1) {
            return;
        }
        self.committed_at = now;
        let series = BlockSeries {
            notes: Vec::new(),
            service: "s".parse().expect("a name"),
            check: "c".parse().expect("a name"),
            pace: PACE,
            results: std::mem::take(&mut self.pending),
        };
        let seq = self.held().next;
        let block = Block { agent: self.id.clone(), seq, series: vec![series], tombstones: Vec::new() };
        self.spool.push(block.encode());
        self.sender.hold(self.held());
    }

    pub(crate) fn die(&mut self) {
        self.alive = false;
        self.pending.clear();
    }

    pub(crate) fn rise(&mut self) {
        self.alive = true;
        self.life += 1;
        self.sender = Sender::new(self.incarnation, self.held());
    }

    /// The next thing to send, after carrying out what needs no collector.
    pub(crate) fn next_request(&mut self, now: Duration) -> Option<Request> {
        loop {
            match self.sender.next_order(now)? {
                Order::Keep(incarnation) => self.incarnation = Some(incarnation),
                Order::Acknowledge { below } => self.unacknowledged = below,
                Order::Rewind { to } => self.unacknowledged = to,
                Order::Register { first_seq } => return Some(Request::Register { first_seq }),
                Order::Post { incarnation, from, bytes_at_most } => {
                    return Some(Request::Post { incarnation, first_seq: from, body: self.body(from, bytes_at_most) });
                }
            }
            self.sender.hold(self.held());
        }
    }

    pub(crate) fn sender(&mut self) -> &mut Sender {
        &mut self.sender
    }

    pub(crate) fn acknowledged(&self) -> impl Iterator<Item = &[u8]> {
        self.spool[..index(self.unacknowledged)].iter().map(Vec::as_slice)
    }

    pub(crate) fn spooled(&self) -> impl Iterator<Item = &[u8]> {
        self.spool.iter().map(Vec::as_slice)
    }

    pub(crate) fn backlog(&self) -> usize {
        self.spool.len() - index(self.unacknowledged)
    }

    fn held(&self) -> Held {
        let next = SEQ_FIRST + self.spool.len() as u64;
        Held { oldest: SEQ_FIRST, unacknowledged: self.unacknowledged, next }
    }

    fn body(&self, from: u64, bytes_at_most: usize) -> Vec<u8> {
        let mut body = Vec::new();
        for block in &self.spool[index(from)..] {
            if !body.is_empty() && bytes_at_most < body.len() + body_bytes(block.len()) {
                break;
            }
            add_to_body(&mut body, block);
        }
        body
    }
}

/// A request on its way to the collector.
#[derive(Clone)]
pub(crate) enum Request {
    Register { first_seq: u64 },
    Post { incarnation: Incarnation, first_seq: u64, body: Vec<u8> },
}

fn index(seq: u64) -> usize {
    usize::try_from(seq - SEQ_FIRST).expect("a spool fits into memory")
}
