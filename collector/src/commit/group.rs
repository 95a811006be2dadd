//! The offers of one commit, decided: one part an agent.

use super::{Answer, Offer};
use crate::ledger::{Advance, Checkpoint, Effect, Quarantined, StoredBlock};
use rules::block::Block;
use rules::id::AgentId;
use std::sync::Arc;

/// The offers of one commit.
#[derive(Default)]
pub(super) struct Group {
    parts: Vec<Part>,
}

/// One agent's part: blocks of one lane, folded.
pub(super) struct Part {
    pub(super) agent: AgentId,
    pub(super) incarnation: u64,
    /// The agent's position before the first block.
    pub(super) position: u64,
    pub(super) next_seq: u64,
    pub(super) next_seq_after: u64,
    pub(super) blocks: Vec<Arc<Block>>,
    pub(super) stored: Vec<StoredBlock>,
    pub(super) effects: Vec<Effect>,
    pub(super) checkpoint: Option<Checkpoint>,
    pub(super) quarantined: Vec<Quarantined>,
    pub(super) offers: Vec<(Offer, Answer)>,
}

impl Part {
    pub(super) fn has_checkpoint(&self) -> bool {
        self.checkpoint.is_some()
    }

    pub(super) fn bytes(&self) -> usize {
        self.stored.iter().map(|block| block.bytes.len()).sum()
    }

    fn advance(&self) -> Advance {
        Advance {
            agent: self.agent.clone(),
            position: self.position,
            incarnation: self.incarnation,
            next_seq: self.next_seq,
            next_seq_after: self.next_seq_after,
            blocks: self.stored.clone(),
            effects: self.effects.clone(),
            checkpoint: self.checkpoint.clone(),
            quarantined: self.quarantined.clone(),
        }
    }
}

impl Group {
    pub(super) fn push(&mut self, part: Part) {
        self.parts.push(part);
    }

    pub(super) fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// What must be written; agents whose lane does not move need nothing.
    pub(super) fn advances(&self) -> Vec<Advance> {
        self.parts.iter().filter(|part| part.next_seq < part.next_seq_after).map(Part::advance).collect()
    }

    /// Takes these agents' offers out of the group.
    pub(super) fn take_out(&mut self, agents: &[AgentId]) -> Vec<Offer> {
        let (out, stay) = std::mem::take(&mut self.parts).into_iter().partition(|part| agents.contains(&part.agent));
        self.parts = stay;
        Group { parts: out }.into_offers()
    }

    pub(super) fn into_offers(self) -> Vec<Offer> {
        self.parts.into_iter().flat_map(|part| part.offers).map(|(offer, _)| offer).collect()
    }

    /// Tells everybody what became of their offer.
    pub(super) fn answer(self) {
        for (offer, answer) in self.parts.into_iter().flat_map(|part| part.offers) {
            offer.answer(answer);
        }
    }
}
