//! Group commit: what many agents offered becomes durable in one transaction, and only then is
//! anybody answered.
//!
//! One task owns every agent's fold. It gathers offers while the commit before is in flight,
//! decides each block (`reliability.md`, D2), folds, commits, and answers. A fold runs ahead of the
//! ledger only while its commit is in flight; if that fails or collides, the fold is dropped and
//! loaded again before anything else is decided. Nothing is shown to readers before it is durable.

mod decide;
mod group;

use crate::fold::{AgentFold, load};
use crate::ledger::{Advance, Committed, Ledger, LedgerError};
use crate::metrics::Metrics;
use crate::state::State;
use bytes::Bytes;
use daemon::admin::Readiness;
use daemon::clock::Clock;
use daemon::error_text::whole;
use group::Group;
use rules::block::Block;
use rules::delivery::Incarnation;
use rules::id::AgentId;
use rules::period::{Month, Zone};
use rules::time::Timestamp;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

/// How long a commit waits for company: far below what a person notices.
const GATHER_TIME: Duration = Duration::from_millis(10);
/// How many bytes of blocks go into one commit.
const GATHER_BYTES: usize = 1024 * 1024;
/// How many offers wait for the committer; each is one request with at most 1 MiB.
const OFFERS_WAITING: usize = 256;
/// How often a group is decided anew because another collector was faster.
const COLLISIONS_MAX: usize = 5;
/// How often the ledger is asked what other collectors committed.
const FOLLOW_EVERY: Duration = Duration::from_secs(1);
/// How far before the month before last runs are remembered: no zone is further from UTC.
const MONTH_MARGIN: Duration = Duration::from_hours(24);

/// What stands in the way when the ledger fails.
pub(crate) const LEDGER: &str = "ledger";

/// The lane of imported history; no agent is ever granted it.
pub(crate) const INCARNATION_IMPORTED: Incarnation = Incarnation(0);

/// What a request brought: blocks of one lane in order.
#[derive(Debug)]
pub(crate) struct Offer {
    pub(crate) agent: AgentId,
    pub(crate) incarnation: Incarnation,
    pub(crate) blocks: Vec<OfferedBlock>,
    pub(crate) answer: oneshot::Sender<Answer>,
}

/// One block of an offer.
#[derive(Clone, Debug)]
pub(crate) struct OfferedBlock {
    pub(crate) seq: u64,
    pub(crate) bytes: Bytes,
    /// What it says, or why it is refused for good.
    pub(crate) content: Result<Arc<Block>, String>,
}

/// What became of an offer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Answer {
    /// Every block before `next_seq` is durable or refused for good.
    Committed {
        /// What to send next.
        next_seq: u64,
        /// The blocks of this offer that were refused for good, and why.
        refused: Vec<(u64, String)>,
    },
    /// Blocks are missing.
    Gap {
        /// What to send next.
        expected: u64,
    },
    /// Nobody granted this incarnation.
    UnknownIncarnation,
    /// Other bytes have this place.
    Conflict {
        /// Which.
        seq: u64,
    },
    /// The ledger can't be written now.
    Unavailable,
}

/// The way to the committer; cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Commits {
    offers: mpsc::Sender<Offer>,
    metrics: Metrics,
}

impl Commits {
    /// Hands in an offer and waits until it is durable or refused.
    pub(crate) async fn offer(&self, agent: AgentId, incarnation: Incarnation, blocks: Vec<OfferedBlock>) -> Answer {
        let (answer, answered) = oneshot::channel();
        let waiting = i64::try_from(blocks.len()).unwrap_or(i64::MAX);
        self.metrics.queue.add(waiting);
        let sent = self.offers.send(Offer { agent, incarnation, blocks, answer }).await;
        let answer = match sent {
            Ok(()) => answered.await.unwrap_or(Answer::Unavailable),
            Err(_) => Answer::Unavailable,
        };
        self.metrics.queue.sub(waiting);
        answer
    }
}

/// The one task that folds and commits.
pub(crate) struct Committer {
    pub(crate) ledger: Arc<dyn Ledger>,
    pub(crate) state: State,
    pub(crate) metrics: Metrics,
    pub(crate) readiness: Readiness,
    clock: Clock,
    offers: mpsc::Receiver<Offer>,
    /// Offers that must wait for the next group.
    carried: VecDeque<Offer>,
    pub(crate) agents: HashMap<AgentId, Held>,
}

/// One agent as this collector has it.
pub(crate) struct Held {
    pub(crate) fold: AgentFold,
    pub(crate) lanes: Lanes,
}

/// The next `seq` by incarnation.
pub(crate) type Lanes = HashMap<u64, u64>;

impl Committer {
    /// A committer that knows no agent yet, and the way to it.
    pub(crate) fn new(ledger: Arc<dyn Ledger>, state: State, metrics: Metrics, clock: Clock) -> (Committer, Commits) {
        let (sender, offers) = mpsc::channel(OFFERS_WAITING);
        let commits = Commits { offers: sender, metrics: metrics.clone() };
        let (carried, agents) = (VecDeque::new(), HashMap::new());
        let readiness = Readiness::new();
        (Committer { ledger, state, metrics, readiness, clock, offers, carried, agents }, commits)
    }

    /// The same, telling `readiness` whether the ledger can be worked with.
    pub(crate) fn telling(self, readiness: Readiness) -> Committer {
        Committer { readiness, ..self }
    }

    /// Loads every agent that the ledger knows.
    pub(crate) async fn load_all(&mut self) -> Result<(), LedgerError> {
        let mut lanes = self.lanes_by_agent().await?;
        for (agent, _) in self.ledger.positions().await? {
            let lanes = lanes.remove(&agent).unwrap_or_default();
            self.load(&agent, lanes).await?;
        }
        self.metrics.quarantined.set(i64::try_from(self.ledger.quarantined().await?).unwrap_or(i64::MAX));
        Ok(())
    }

    /// Works until `cancel` and until nobody can offer any more, then writes checkpoints.
    pub(crate) async fn run(mut self, cancel: CancellationToken) {
        let mut look = tokio::time::interval(FOLLOW_EVERY);
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        while !cancel.is_cancelled() {
            if let Some(offer) = self.carried.pop_front() {
                self.gather_and_commit(offer).await;
                continue;
            }
            tokio::select! {
                () = cancel.cancelled() => break,
                offer = self.offers.recv() => match offer {
                    Some(offer) => self.gather_and_commit(offer).await,
                    None => break,
                },
                _ = look.tick() => self.follow().await,
            }
        }
        self.drain().await;
    }

    /// Takes what waits, refuses what comes later, and leaves checkpoints behind.
    async fn drain(&mut self) {
        self.offers.close();
        loop {
            let carried = self.carried.pop_front();
            let Some(offer) = carried.or_else(|| self.offers.try_recv().ok()) else { break };
            self.gather_and_commit(offer).await;
        }
        if let Err(error) = self.checkpoint_all().await {
            self.metrics.ledger_errors.inc();
            tracing::warn!(%error, "Checkpoints could not be written; the next start reads more blocks");
        }
    }

    async fn gather_and_commit(&mut self, first: Offer) {
        let mut bytes = first.bytes();
        let mut offers = vec![first];
        let gather = async {
            while bytes < GATHER_BYTES {
                let Some(offer) = self.offers.recv().await else { break };
                bytes += offer.bytes();
                offers.push(offer);
            }
        };
        // Ending the wait drops no offer: `recv` takes one only when it returns it.
        let _ = tokio::time::timeout(GATHER_TIME, gather).await;
        self.commit(offers).await;
    }

    /// Takes in blocks at once, without company: for whoever owns the committer.
    pub(crate) async fn take_in(
        &mut self,
        agent: AgentId,
        incarnation: Incarnation,
        blocks: Vec<OfferedBlock>,
    ) -> Answer {
        let (answer, answered) = oneshot::channel();
        self.commit(vec![Offer { agent, incarnation, blocks, answer }]).await;
        answered.await.unwrap_or(Answer::Unavailable)
    }

    /// Decides, folds and commits, as often as other collectors forestall it.
    async fn commit(&mut self, mut offers: Vec<Offer>) {
        for _ in 0..COLLISIONS_MAX {
            let group = match self.decide(offers).await {
                Ok(group) => group,
                Err((error, offers)) => return self.give_up(&error, offers),
            };
            offers = match self.write(group).await {
                Ok(collided) => collided,
                Err((error, offers)) => return self.give_up(&error, offers),
            };
            if offers.is_empty() {
                return;
            }
            self.metrics.collisions.inc();
            for offer in &offers {
                self.agents.remove(&offer.agent);
            }
        }
        offers.into_iter().for_each(|offer| offer.answer(Answer::Unavailable));
    }

    /// Writes a group, without those that collide; answers those that were written and returns the others.
    async fn write(&mut self, mut group: Group) -> Result<Vec<Offer>, (LedgerError, Vec<Offer>)> {
        let mut collided = Vec::new();
        loop {
            let advances = group.advances();
            let written = match advances.is_empty() {
                true => Ok(Committed::Durable),
                false => self.timed_commit(advances).await,
            };
            match written {
                Ok(Committed::Durable) => {
                    self.readiness.clear(LEDGER);
                    self.show(&group);
                    group.answer();
                    return Ok(collided);
                }
                Ok(Committed::Collided(agents)) if !agents.is_empty() => {
                    let moved_on = group.take_out(&agents);
                    if moved_on.is_empty() {
                        let what = format!("a commit collided for agents that are not in it: {agents:?}");
                        return Err((LedgerError::Corrupt { what }, group.into_offers()));
                    }
                    collided.extend(moved_on);
                }
                Ok(Committed::Collided(_)) => {
                    let what = "a commit collided without saying for whom".to_owned();
                    return Err((LedgerError::Corrupt { what }, group.into_offers()));
                }
                Err(error) => {
                    let mut offers = group.into_offers();
                    offers.extend(collided);
                    return Err((error, offers));
                }
            }
        }
    }

    async fn timed_commit(&self, advances: Vec<Advance>) -> Result<Committed, LedgerError> {
        let began = self.clock.boot();
        let committed = self.ledger.commit(advances).await;
        self.metrics.commit_seconds.observe((self.clock.boot() - began).as_secs_f64());
        committed
    }

    /// Shows what is durable now.
    fn show(&mut self, group: &Group) {
        let window = self.window();
        for part in group.parts() {
            let Some(held) = self.agents.get_mut(&part.agent) else { continue };
            held.lanes.insert(part.incarnation, part.next_seq_after);
            if part.has_checkpoint() {
                held.fold.checkpointed();
                held.fold.forget_before(window);
            }
            held.fold.publish(&self.state);
            self.metrics.blocks.inc_by(part.blocks.len() as u64);
            self.metrics.results.inc_by(part.blocks.iter().map(|block| block.len() as u64).sum());
            self.metrics.bytes.inc_by(part.bytes() as u64);
            self.metrics.quarantined.add(i64::try_from(part.quarantined.len()).unwrap_or(0));
        }
    }

    /// The ledger failed: nobody knows what of the group is in it, so all of it is loaded anew.
    fn give_up(&mut self, error: &LedgerError, offers: Vec<Offer>) {
        self.metrics.ledger_errors.inc();
        self.readiness.block(LEDGER, error.to_string());
        tracing::error!(error = %whole(error), "Commit failed; agents are told to try again");
        for offer in offers {
            self.agents.remove(&offer.agent);
            offer.answer(Answer::Unavailable);
        }
    }

    /// Makes `agent`'s fold anew from the ledger, where its lanes are `lanes`.
    pub(crate) async fn load(&mut self, agent: &AgentId, lanes: Lanes) -> Result<(), LedgerError> {
        let mut fold = load(&*self.ledger, agent, self.window()).await?;
        fold.publish_all(&self.state);
        self.agents.insert(agent.clone(), Held { fold, lanes });
        Ok(())
    }

    /// All lanes as the ledger has them.
    pub(crate) async fn lanes_by_agent(&self) -> Result<HashMap<AgentId, Lanes>, LedgerError> {
        let mut lanes: HashMap<AgentId, Lanes> = HashMap::new();
        for lane in self.ledger.lanes().await? {
            lanes.entry(lane.agent).or_default().insert(lane.incarnation, lane.next_seq);
        }
        Ok(lanes)
    }

    /// Runs that ended before this are not remembered: the month before last began later everywhere.
    fn window(&self) -> Timestamp {
        memory_begins(self.clock.wall())
    }
}

/// The instant from which runs are kept in memory: the current month and the two before.
pub(crate) fn memory_begins(now: Timestamp) -> Timestamp {
    let utc = Zone::utc();
    Month::containing(now, &utc).previous().previous().interval(&utc).from().minus(MONTH_MARGIN)
}

impl Offer {
    fn bytes(&self) -> usize {
        self.blocks.iter().map(|block| block.bytes.len()).sum()
    }

    fn answer(self, answer: Answer) {
        // Whoever asked may have hung up; the agent asks again.
        let _ = self.answer.send(answer);
    }
}

#[cfg(test)]
pub(crate) mod tests;
