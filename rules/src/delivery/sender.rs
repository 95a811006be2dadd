//! The agent's end: what to ask of the collector next, and when.
//!
//! Tell it what the spool [holds](Sender::hold) and what the collector [answered](Sender::answered),
//! carry out the [orders](Sender::next_order) one after the other, and when there is none wait until
//! the [deadline](Sender::deadline) or until the spool grows. `now` is boot-time: how long, not when.

use super::{Incarnation, POST_BYTES_MAX};
use alloc::collections::VecDeque;
use core::time::Duration;

/// The shortest wait after a failure.
pub const BACKOFF_MIN: Duration = Duration::from_millis(200);

/// The longest wait that failures alone lead to: a healed collector is noticed within a minute.
pub const BACKOFF_MAX: Duration = Duration::from_secs(60);

/// The longest `Retry-After` that is believed.
pub const RETRY_AFTER_MAX: Duration = Duration::from_secs(300);

/// The smallest post that a 413 leads to; a single block is always sent whole.
const POST_BYTES_MIN: usize = 16 * 1024;

/// Which blocks a spool has; `oldest <= unacknowledged <= next`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Held {
    /// The first that is still there, acknowledged or not.
    pub oldest: u64,
    /// The first that is not acknowledged.
    pub unacknowledged: u64,
    /// One past the last.
    pub next: u64,
}

/// What the agent should do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Order {
    /// Ask for an incarnation, and tell the answer.
    Register {
        /// The first block that its lane will have.
        first_seq: u64,
    },
    /// Post the block `from` and as many after it as fit, at least one, and tell the answer.
    Post {
        /// The lane.
        incarnation: Incarnation,
        /// The first block.
        from: u64,
        /// The most bytes of the body, unless one block alone is longer.
        bytes_at_most: usize,
    },
    /// Keep this incarnation durably, before the next order.
    Keep(Incarnation),
    /// The blocks before this one are committed or refused for good.
    Acknowledge {
        /// The first that is not.
        below: u64,
    },
    /// The collector lost the blocks from this one on: they are unacknowledged again.
    Rewind {
        /// The first of them.
        to: u64,
    },
}

/// What came of a [`Order::Register`] or [`Order::Post`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Answer {
    /// 200 to a registration.
    Registered {
        /// The lane granted.
        incarnation: Incarnation,
        /// What it begins with.
        next_seq: u64,
    },
    /// 200 to a post.
    Committed {
        /// Every block before it is committed or refused for good.
        next_seq: u64,
    },
    /// 409: the lane's next block is this one.
    Gap {
        /// What to send next.
        expected: u64,
    },
    /// 409: the collector never granted this incarnation, or forgot it.
    UnknownIncarnation,
    /// 409: another block has this place.
    Conflict {
        /// Its `seq`.
        seq: u64,
    },
    /// 413.
    TooLarge,
    /// 429 or 503, or a refusal that only an operator can lift.
    NotNow {
        /// The collector's wish.
        retry_after: Option<Duration>,
    },
    /// No answer, or one that makes no sense: the request may or may not have taken effect.
    Nothing,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Ready,
    InFlight,
    Waiting { until: Duration },
}

/// An agent's side of delivery.
#[derive(Debug)]
pub struct Sender {
    lane: Lane,
    held: Held,
    state: State,
    failures: u32,
    bytes_at_most: usize,
    orders: VecDeque<Order>,
}

/// Where to send next: in a lane at a block, or nowhere before a lane is granted that begins there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Lane {
    Wanted { first_seq: u64 },
    Granted { incarnation: Incarnation, cursor: u64 },
}

impl Sender {
    /// A sender for a spool that holds `held` and was last granted `incarnation`.
    pub fn new(incarnation: Option<Incarnation>, held: Held) -> Sender {
        let lane = match incarnation {
            Some(incarnation) => Lane::Granted { incarnation, cursor: held.unacknowledged },
            None => Lane::Wanted { first_seq: held.unacknowledged },
        };
        let (state, orders) = (State::Ready, VecDeque::new());
        Sender { lane, held, state, failures: 0, bytes_at_most: POST_BYTES_MAX, orders }
    }

    /// The spool now holds this.
    pub fn hold(&mut self, held: Held) {
        self.held = held;
    }

    /// What to do next; none: nothing before the deadline or before the spool holds more.
    pub fn next_order(&mut self, now: Duration) -> Option<Order> {
        if let Some(order) = self.orders.pop_front() {
            return Some(order);
        }
        match self.state {
            State::InFlight => return None,
            State::Waiting { until } if now < until => return None,
            State::Waiting { .. } | State::Ready => self.state = State::Ready,
        }
        if self.target() < self.held.oldest {
            // The spool let go of what a lane was to begin with.
            self.lane = Lane::Wanted { first_seq: self.held.oldest };
        }
        let order = match self.lane {
            Lane::Wanted { first_seq } => Order::Register { first_seq },
            Lane::Granted { incarnation, cursor } if cursor < self.held.next => {
                Order::Post { incarnation, from: cursor, bytes_at_most: self.bytes_at_most }
            }
            Lane::Granted { .. } => return None,
        };
        self.state = State::InFlight;
        Some(order)
    }

    /// When to ask for an order again although nothing else happened.
    pub fn deadline(&self) -> Option<Duration> {
        match self.state {
            State::Waiting { until } => Some(until),
            State::Ready | State::InFlight => None,
        }
    }

    /// Forgets a wait that failures led to: an agent that stops has no time for it.
    pub fn hurry(&mut self) {
        if let State::Waiting { .. } = self.state {
            self.state = State::Ready;
        }
    }

    /// Takes the answer to the order in flight; `random` spreads the agents that failed together.
    pub fn answered(&mut self, answer: Answer, now: Duration, random: u64) {
        self.state = State::Ready;
        match answer {
            Answer::Registered { incarnation, next_seq } => self.registered(incarnation, next_seq, now, random),
            Answer::Committed { next_seq } | Answer::Gap { expected: next_seq } => self.moved(next_seq, now, random),
            Answer::UnknownIncarnation => self.register_from(self.held.oldest, now, random),
            Answer::Conflict { .. } => self.register_from(self.held.unacknowledged, now, random),
            Answer::TooLarge => {
                self.bytes_at_most = (self.bytes_at_most / 2).max(POST_BYTES_MIN);
                self.back_off(Duration::ZERO, now, random);
            }
            Answer::NotNow { retry_after } => {
                self.back_off(retry_after.unwrap_or(Duration::ZERO).min(RETRY_AFTER_MAX), now, random);
            }
            Answer::Nothing => self.back_off(Duration::ZERO, now, random),
        }
    }

    fn registered(&mut self, incarnation: Incarnation, next_seq: u64, now: Duration, random: u64) {
        let Lane::Wanted { first_seq } = self.lane else { return };
        self.orders.push_back(Order::Keep(incarnation));
        if first_seq < self.held.unacknowledged {
            self.orders.push_back(Order::Rewind { to: first_seq });
        }
        self.lane = Lane::Granted { incarnation, cursor: first_seq };
        if next_seq == first_seq {
            self.failures = 0;
        } else {
            self.moved(next_seq, now, random);
        }
    }

    /// The collector says that its lane's next block is `next_seq`.
    fn moved(&mut self, next_seq: u64, now: Duration, random: u64) {
        let Lane::Granted { incarnation, cursor } = self.lane else { return };
        if next_seq == cursor {
            return self.back_off(Duration::ZERO, now, random);
        }
        if next_seq < self.held.oldest || self.held.next < next_seq {
            // It asks for a block that is gone, or knows one that this spool never made.
            let lost = next_seq < self.held.oldest;
            let from = if lost { self.held.oldest } else { self.held.unacknowledged };
            return self.register_from(from, now, random);
        }
        self.lane = Lane::Granted { incarnation, cursor: next_seq };
        if cursor < next_seq {
            self.failures = 0;
            self.orders.push_back(Order::Acknowledge { below: next_seq });
        } else {
            self.orders.push_back(Order::Rewind { to: next_seq });
            self.back_off(Duration::ZERO, now, random);
        }
    }

    /// The block that is to be sent next.
    fn target(&self) -> u64 {
        match self.lane {
            Lane::Wanted { first_seq } => first_seq,
            Lane::Granted { cursor, .. } => cursor,
        }
    }

    /// Registrations are rare and each opens a lane, so every one is preceded by a wait.
    fn register_from(&mut self, first_seq: u64, now: Duration, random: u64) {
        self.lane = Lane::Wanted { first_seq };
        self.back_off(Duration::ZERO, now, random);
    }

    /// Waits for `at_least` and, on top, for anything up to a limit that doubles with each failure.
    fn back_off(&mut self, at_least: Duration, now: Duration, random: u64) {
        let limit = BACKOFF_MIN.saturating_mul(2_u32.saturating_pow(self.failures + 1)).min(BACKOFF_MAX);
        let spread = u64::try_from((limit - BACKOFF_MIN).as_millis()).unwrap_or(u64::MAX);
        let jitter = BACKOFF_MIN + Duration::from_millis(random % (spread + 1));
        self.failures = self.failures.saturating_add(1).min(30);
        self.state = State::Waiting { until: now + at_least + jitter };
    }
}
