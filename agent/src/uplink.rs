//! Takes blocks from the spool to the collector, in order, and learns which are safe there.
//!
//! The [sender](rules::delivery::sender) decides what to ask and when; this module asks it, over
//! HTTP/2, one request at a time. It looks into no block, keeps nothing that a crash may not take,
//! and never tells the spool that a block is safe before the collector said so.

mod client;
mod wire;

pub use client::{CheckDocument, ClientError, Collector, FetchError};

use crate::spool::{Outlet, Unavailable};
use client::Reply;
use daemon::clock::{Clock, Reading};
use rand::{Rng, SeedableRng, rngs::StdRng};
use rules::block;
use rules::delivery::sender::{Answer, Order, Sender};
use rules::delivery::{self, add_to_body};
use rules::time::Timestamp;
use std::time::Duration;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// How long the last attempt may take when the agent stops; the rest is sent at its next start.
const LAST_ATTEMPT_MAX: Duration = Duration::from_secs(5);
/// The time is asked for when no answer has told it for so long.
const TIME_EVERY: Duration = Duration::from_secs(300);
/// And not more often than this.
const TIME_RETRY: Duration = Duration::from_secs(10);

// The largest block fits the smallest limit of a collector, with the two lengths around it: a 413
// to one block alone is somebody else's.
const _: () = assert!(block::BYTES_MAX < delivery::POST_BYTES_MAX / 2);

/// How an agent stands with its collector, for metrics. The backlog is the spool's
/// [depth](crate::spool::SpoolHandle::depth).
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct State {
    /// Whether the last request was answered as hoped.
    pub connected: bool,
    /// When the collector last said that more blocks are safe.
    pub last_ack_at: Option<Timestamp>,
    /// Why the last request was not answered as hoped.
    pub last_error: Option<String>,
    /// What is known of the collector's clock.
    pub offset: Option<ClockOffset>,
    /// Blocks posted since the start, each as often as it was sent.
    pub blocks_posted: u64,
    /// Bytes posted since the start.
    pub bytes_posted: u64,
    /// Blocks that the collector refused for good since the start.
    pub blocks_refused: u64,
    /// Times that the collector had other bytes under a block's name since the start.
    pub conflicts: u64,
}

impl State {
    fn learn(&mut self, measured: Option<ClockOffset>) {
        self.offset = match (self.offset, measured) {
            (Some(known), Some(measured)) => Some(known.or_better(measured)),
            (known, measured) => measured.or(known),
        };
    }
}

/// What the collector's clock showed, and when by our boot time: what our wall clock is held against.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ClockOffset {
    /// What it showed.
    pub theirs: Timestamp,
    /// The boot time at which it did: the middle of the round trip.
    pub boot: Duration,
    /// Half the round trip: how far off that may be.
    pub within: Duration,
}

impl ClockOffset {
    /// What the collector's clock shows at this boot time.
    pub fn collectors_time(self, boot: Duration) -> Timestamp {
        match boot.checked_sub(self.boot) {
            Some(since) => self.theirs.plus(since),
            None => self.theirs.minus(self.boot - boot),
        }
    }

    /// What must be added to our clock to get the collector's; negative: ours is ahead.
    pub fn ahead_ms(self, ours: Reading) -> i64 {
        self.collectors_time(ours.boot).as_millis() - ours.wall.as_millis()
    }

    /// The better of two measurements of one clock: `newer`, unless its round trip was so long that
    /// what boot time may have drifted since `self` is less.
    fn or_better(self, newer: ClockOffset) -> ClockOffset {
        let drift = newer.boot.saturating_sub(self.boot) / DRIFT_ONE_IN;
        if newer.within <= self.within + drift { newer } else { self }
    }
}

/// An undisciplined clock drifts by less than one second in so many.
const DRIFT_ONE_IN: u32 = 2_000;

/// Where the uplink's state can be read; cheap to clone.
#[derive(Clone, Debug)]
pub struct UplinkHandle(watch::Receiver<State>);

impl UplinkHandle {
    /// How the agent stands with its collector.
    pub fn state(&self) -> State {
        self.0.borrow().clone()
    }

    /// What is known of the collector's clock.
    pub(crate) fn offset(&self) -> Option<ClockOffset> {
        self.0.borrow().offset
    }

    #[cfg(test)]
    pub(crate) fn of(state: watch::Receiver<State>) -> UplinkHandle {
        UplinkHandle(state)
    }
}

/// The way from one spool to one collector; it works while [`Uplink::run`] runs.
#[derive(Debug)]
pub struct Uplink {
    collector: Collector,
    outlet: Outlet,
    clock: Clock,
    chance: StdRng,
    sender: Sender,
    state: watch::Sender<State>,
    /// The last block that was too large although it was sent alone.
    too_large: Option<u64>,
    /// When the collector was asked the time last, in boot time.
    asked_the_time: Option<Duration>,
}

impl Uplink {
    /// An uplink; `seed` spreads its retries.
    pub fn new(collector: Collector, outlet: Outlet, clock: Clock, seed: u64) -> (UplinkHandle, Uplink) {
        let (state, handle) = watch::channel(State::default());
        let sender = Sender::new(outlet.incarnation(), outlet.held());
        let chance = StdRng::seed_from_u64(seed);
        (
            UplinkHandle(handle),
            Uplink { collector, outlet, clock, chance, sender, state, too_large: None, asked_the_time: None },
        )
    }

    /// Works until `stop`; then waits until the spool is complete and makes a last attempt, both
    /// within five seconds. What is not delivered by then stays in the spool.
    pub async fn run(mut self, stop: CancellationToken) {
        let clock = self.clock.clone();
        let deadline = async {
            stop.cancelled().await;
            clock.sleep(LAST_ATTEMPT_MAX).await;
        };
        tokio::select! {
            () = deadline => tracing::info!("Stopping with a backlog in the spool"),
            _ = self.drive(&stop) => {}
        }
    }

    async fn drive(&mut self, stop: &CancellationToken) -> Result<(), Unavailable> {
        while !stop.is_cancelled() {
            self.work().await;
            let ask_at = self.ask_the_time().await;
            let deadline = self.sender.deadline().into_iter().chain(ask_at).min();
            tokio::select! {
                () = stop.cancelled() => {}
                changed = self.outlet.changed() => changed?,
                () = sleep_until(&self.clock, deadline) => {}
            }
        }
        self.outlet.completed().await?;
        self.sender.hurry();
        self.work().await;
        Ok(())
    }

    /// Asks what time it is if no answer has said so for long: a machine whose clock is so wrong that
    /// no result can be kept has nothing to post. Says when to ask again.
    async fn ask_the_time(&mut self) -> Option<Duration> {
        let now = self.clock.boot();
        let known = self.state.borrow().offset.map(|offset| offset.boot + TIME_EVERY);
        let due = known.unwrap_or(Duration::ZERO).max(self.asked_the_time.map_or(Duration::ZERO, |at| at + TIME_RETRY));
        if now < due {
            return Some(due);
        }
        self.asked_the_time = Some(now);
        let offset = self.collector.ask_the_time().await;
        self.state.send_if_modified(|state| {
            state.learn(offset);
            offset.is_some()
        });
        Some(self.clock.boot() + TIME_RETRY)
    }

    /// Carries out orders until there is none for now.
    async fn work(&mut self) {
        loop {
            self.sender.hold(self.outlet.held());
            let Some(order) = self.sender.next_order(self.clock.boot()) else { return };
            if self.carry_out(order).await.is_err() {
                // Nothing is known of the order's effect: begin again with what the spool says.
                self.sender = Sender::new(self.outlet.incarnation(), self.outlet.held());
                self.answered(Answer::Nothing);
            }
        }
    }

    async fn carry_out(&mut self, order: Order) -> Result<(), Unavailable> {
        match order {
            Order::Keep(incarnation) => self.outlet.keep(incarnation).await,
            Order::Rewind { to } => {
                tracing::warn!(seq = to, "Collector lost blocks, sending them again");
                self.outlet.rewind(to).await
            }
            Order::Acknowledge { below } => {
                self.outlet.acknowledge(below).await?;
                let now = self.clock.wall();
                self.state.send_modify(|state| state.last_ack_at = Some(now));
                Ok(())
            }
            Order::Register { first_seq } => {
                let reply = self.collector.register(first_seq).await;
                if let Answer::Registered { incarnation, .. } = reply.answer {
                    tracing::info!(%incarnation, first_seq, "Registered with the collector");
                }
                self.replied(reply);
                Ok(())
            }
            Order::Post { incarnation, from, bytes_at_most } => {
                let blocks = self.outlet.read(from, bytes_at_most).await?;
                let mut body = Vec::new();
                blocks.iter().for_each(|block| add_to_body(&mut body, block));
                self.state.send_modify(|state| {
                    state.blocks_posted += blocks.len() as u64;
                    state.bytes_posted += body.len() as u64;
                });
                let reply = if blocks.is_empty() {
                    Reply::unanswered(format!("block {from} is not in the spool"))
                } else {
                    self.collector.post(incarnation, from, body).await
                };
                if let (Answer::TooLarge, [block]) = (reply.answer, blocks.as_slice()) {
                    self.refused_alone(from, block.len());
                }
                self.replied(reply);
                Ok(())
            }
        }
    }

    /// A smaller post there is not. The block stays, and is tried until somebody raises the limit.
    fn refused_alone(&mut self, seq: u64, bytes: usize) {
        if self.too_large.replace(seq) != Some(seq) {
            tracing::error!(
                seq,
                bytes,
                "A single block is too large for the way to the collector, let a proxy in between pass 1 MiB"
            );
        }
    }

    fn replied(&mut self, reply: Reply) {
        for refused in &reply.refused {
            tracing::error!(seq = refused.seq, reason = refused.reason, "Collector refused a block for good");
        }
        if let Answer::Conflict { seq } = reply.answer {
            tracing::error!(
                seq,
                "Collector has another block of this agent under this number, the spool was cloned or restored"
            );
        }
        let was_connected = self.state.borrow().connected;
        match &reply.error {
            Some(error) if was_connected || self.state.borrow().last_error.is_none() => {
                tracing::warn!(error, "Collector does not take blocks, results wait in the spool");
            }
            None if !was_connected => tracing::info!("Collector takes blocks"),
            Some(_) | None => {}
        }
        self.state.send_modify(|state| {
            state.connected = reply.error.is_none();
            state.blocks_refused += reply.refused.len() as u64;
            state.conflicts += u64::from(matches!(reply.answer, Answer::Conflict { .. }));
            state.learn(reply.offset);
            state.last_error = reply.error;
        });
        self.sender.hold(self.outlet.held());
        self.answered(reply.answer);
    }

    fn answered(&mut self, answer: Answer) {
        let random = self.chance.next_u64();
        self.sender.answered(answer, self.clock.boot(), random);
    }
}

async fn sleep_until(clock: &Clock, deadline: Option<Duration>) {
    match deadline {
        Some(deadline) => clock.sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}
