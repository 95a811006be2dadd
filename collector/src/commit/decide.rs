//! What becomes of each offered block, and the folding of those that count.

use super::group::{Group, Part};
use super::{Answer, Committer, INCARNATION_IMPORTED, Lanes, Offer, OfferedBlock};
use crate::fold::CheckpointWanted;
use crate::ledger::{LedgerError, Quarantined, StoredBlock};
use crate::metrics::Refusal;
use rules::block::Block;
use rules::delivery::receiver::{Lane, Verdict};
use rules::delivery::{Incarnation, SEQ_FIRST};
use rules::id::AgentId;
use rules::result::SeriesKey;
use rules::time::Timestamp;
use std::collections::HashSet;
use std::sync::Arc;

impl Committer {
    /// Decides and folds all offers; those that have to wait are carried to the next group.
    pub(super) async fn decide(&mut self, offers: Vec<Offer>) -> Result<Group, (LedgerError, Vec<Offer>)> {
        let mut group = Group::default();
        let mut by_agent: Vec<(AgentId, Vec<Offer>)> = Vec::new();
        for offer in offers {
            match by_agent.iter_mut().find(|(agent, _)| *agent == offer.agent) {
                // One lane of an agent a commit: a second one follows at once.
                Some((_, own)) if own[0].incarnation != offer.incarnation => self.carried.push_back(offer),
                Some((_, own)) => own.push(offer),
                None => by_agent.push((offer.agent.clone(), vec![offer])),
            }
        }
        let mut rest = by_agent.into_iter();
        while let Some((agent, own)) = rest.next() {
            match self.decide_agent(&agent, own).await {
                Ok(part) => group.push(part),
                Err((error, own)) => {
                    let mut offers = group.into_offers();
                    offers.extend(own);
                    offers.extend(rest.flat_map(|(_, own)| own));
                    return Err((error, offers));
                }
            }
        }
        Ok(group)
    }

    /// Decides one agent's offers. A block with a result that can't be folded any more is refused
    /// for good; the others are then decided anew.
    async fn decide_agent(
        &mut self,
        agent: &AgentId,
        mut offers: Vec<Offer>,
    ) -> Result<Part, (LedgerError, Vec<Offer>)> {
        let mut too_late = Vec::new();
        loop {
            match self.decide_lane(agent, offers, &too_late).await {
                Err((LedgerError::TooLate { series, at }, again)) if !too_late.contains(&(series.clone(), at)) => {
                    // Its fold is ahead of the ledger.
                    self.agents.remove(agent);
                    too_late.push((series, at));
                    offers = again;
                }
                decided => return decided,
            }
        }
    }

    async fn decide_lane(
        &mut self,
        agent: &AgentId,
        offers: Vec<Offer>,
        too_late: &[(SeriesKey, Timestamp)],
    ) -> Result<Part, (LedgerError, Vec<Offer>)> {
        let incarnation = offers[0].incarnation;
        let lane = match self.lane(agent, incarnation, &offers).await {
            Ok(lane) => lane,
            Err(error) => return Err((error, offers)),
        };
        let position = self.agents.get(agent).map_or(0, |held| held.fold.position());
        let first = lane.map_or(0, |lane| lane.next_seq);
        let mut part = Part {
            agent: agent.clone(),
            incarnation: incarnation.0,
            position,
            next_seq: first,
            next_seq_after: first,
            blocks: Vec::new(),
            stored: Vec::new(),
            effects: Vec::new(),
            checkpoint: None,
            quarantined: Vec::new(),
            offers: Vec::new(),
        };
        let mut rest = offers.into_iter();
        while let Some(offer) = rest.next() {
            let answer = match lane {
                Some(_) => self.decide_offer(&mut part, &offer, too_late).await,
                None => Ok(self.refused(Refusal::UnknownIncarnation, Answer::UnknownIncarnation)),
            };
            match answer {
                Ok(answer) => part.offers.push((offer, answer)),
                Err(error) => {
                    let decided = part.offers.into_iter().map(|(offer, _)| offer);
                    return Err((error, decided.chain([offer]).chain(rest).collect()));
                }
            }
        }
        match self.fold(&mut part).await {
            Ok(()) => Ok(part),
            Err(error) => Err((error, part.offers.into_iter().map(|(offer, _)| offer).collect())),
        }
    }

    /// The lane as the ledger has it. What is remembered is believed unless it would lead to a
    /// refusal: another collector may have granted the lane or moved it.
    async fn lane(
        &mut self,
        agent: &AgentId,
        incarnation: Incarnation,
        offers: &[Offer],
    ) -> Result<Option<Lane>, LedgerError> {
        let next = |lanes: &Lanes| lanes.get(&incarnation.0).copied();
        let first = offers.iter().filter_map(|offer| offer.blocks.first()).map(|block| block.seq).min().unwrap_or(0);
        let remembered = self.agents.get(agent).map(|held| next(&held.lanes));
        let next_seq = match remembered {
            Some(Some(next_seq)) if first <= next_seq => Some(next_seq),
            Some(_) | None => {
                let lanes = self.lanes_by_agent().await?.remove(agent).unwrap_or_default();
                let granted = next(&lanes);
                match (remembered, self.agents.get_mut(agent)) {
                    (Some(remembered), Some(held)) if remembered.is_none() || remembered == granted => {
                        held.lanes = lanes;
                    }
                    _ => self.load(agent, lanes).await?,
                }
                granted
            }
        };
        // The ledger makes the lane of imported history when it is first used.
        let imported = (incarnation == INCARNATION_IMPORTED).then_some(SEQ_FIRST);
        Ok(next_seq.or(imported).map(|next_seq| Lane { incarnation, next_seq }))
    }

    async fn decide_offer(
        &self,
        part: &mut Part,
        offer: &Offer,
        too_late: &[(SeriesKey, Timestamp)],
    ) -> Result<Answer, LedgerError> {
        let mut refused = Vec::new();
        for block in &offer.blocks {
            let mut lane = Lane { incarnation: offer.incarnation, next_seq: part.next_seq_after };
            match lane.offer(block.seq) {
                Verdict::Commit => self.take(part, block, too_late, &mut refused),
                Verdict::Compare => {
                    if let Some(stored) = self.stored_otherwise(part, block).await? {
                        self.conflict(part, block, stored).await?;
                        return Ok(self.refused(Refusal::Conflict, Answer::Conflict { seq: block.seq }));
                    }
                }
                Verdict::Gap { expected } => return Ok(self.refused(Refusal::Gap, Answer::Gap { expected })),
            }
            part.next_seq_after = lane.next_seq;
        }
        Ok(Answer::Committed { next_seq: part.next_seq_after, refused })
    }

    /// The block is next in its lane: it will be stored, or kept in quarantine.
    fn take(
        &self,
        part: &mut Part,
        block: &OfferedBlock,
        too_late: &[(SeriesKey, Timestamp)],
        refused: &mut Vec<(u64, String)>,
    ) {
        let received_at = self.clock.wall();
        let too_late = |content: &Arc<Block>| {
            let (series, at) = too_late.iter().find(|(series, at)| has_result_until(content, series, *at))?;
            let SeriesKey { check, service, .. } = series;
            Some(format!(
                "its results of check {check} of {service} up to {at} come too late: the blocks of that time have left the ledger for the archive"
            ))
        };
        let content = match &block.content {
            Ok(content) => too_late(content).map_or(Ok(content), Err),
            Err(reason) => Err(reason.clone()),
        };
        match &content {
            Ok(content) => {
                part.stored.push(StoredBlock {
                    position: part.position + part.stored.len() as u64,
                    incarnation: part.incarnation,
                    seq: block.seq,
                    received_at,
                    span: content.span(),
                    results: u32::try_from(content.len()).unwrap_or(u32::MAX),
                    bytes: block.bytes.to_vec(),
                });
                part.blocks.push(Arc::clone(content));
            }
            Err(reason) => {
                self.metrics.refuse(Refusal::Poison);
                tracing::error!(agent = %part.agent, incarnation = part.incarnation, seq = block.seq, reason,
                    "Block refused for good; its bytes are in quarantine");
                refused.push((block.seq, reason.clone()));
                part.quarantined.push(quarantined(part, block.seq, received_at, reason, block.bytes.to_vec()));
            }
        }
    }

    /// The bytes that lie in the block's place, if they are others.
    async fn stored_otherwise(&self, part: &Part, block: &OfferedBlock) -> Result<Option<Vec<u8>>, LedgerError> {
        let gathered = part.stored.iter().find(|stored| stored.seq == block.seq).map(|stored| stored.bytes.clone());
        let stored = match gathered {
            Some(bytes) => Some(bytes),
            None => {
                let stored = self.ledger.block(&part.agent, part.incarnation, block.seq).await?;
                stored.map(|stored| stored.bytes)
            }
        };
        Ok(stored.filter(|bytes| *bytes != block.bytes))
    }

    async fn conflict(&self, part: &Part, block: &OfferedBlock, stored: Vec<u8>) -> Result<(), LedgerError> {
        tracing::error!(agent = %part.agent, incarnation = part.incarnation, seq = block.seq,
            "Two different blocks claim one place: a spool was cloned or rolled back; both are in quarantine");
        let now = self.clock.wall();
        let offered = quarantined(part, block.seq, now, "another block has its place", block.bytes.to_vec());
        let stored = quarantined(part, block.seq, now, "another block claims its place", stored);
        self.ledger.quarantine(offered).await?;
        self.ledger.quarantine(stored).await?;
        self.metrics.quarantined.add(2);
        Ok(())
    }

    async fn fold(&mut self, part: &mut Part) -> Result<(), LedgerError> {
        if part.blocks.is_empty() {
            return Ok(());
        }
        let Some(held) = self.agents.get_mut(&part.agent) else { return Ok(()) };
        part.blocks.iter().for_each(|block| held.fold.push(block));
        let wanted = CheckpointWanted::WhenDue;
        let settled = held.fold.settle(&*self.ledger, &part.blocks, part.position, wanted).await?;
        part.effects = settled.effects;
        part.checkpoint = settled.checkpoint;
        Ok(())
    }

    /// Writes a checkpoint of every agent that has blocks since its last one.
    pub(super) async fn checkpoint_all(&mut self) -> Result<(), LedgerError> {
        let mut advances = Vec::new();
        for held in self.agents.values_mut().filter(|held| held.fold.is_ahead_of_checkpoint()) {
            let Some((incarnation, next_seq)) = held.lanes.iter().next() else { continue };
            let settled = held.fold.settle(&*self.ledger, &[], held.fold.position(), CheckpointWanted::Now).await?;
            advances.push(crate::ledger::Advance {
                agent: held.fold.agent().clone(),
                position: held.fold.position(),
                incarnation: *incarnation,
                next_seq: *next_seq,
                next_seq_after: *next_seq,
                blocks: Vec::new(),
                effects: Vec::new(),
                checkpoint: settled.checkpoint,
                quarantined: Vec::new(),
            });
        }
        let agents: HashSet<AgentId> = advances.iter().map(|advance| advance.agent.clone()).collect();
        if !agents.is_empty() {
            // Another collector that was faster writes its own.
            self.ledger.commit(advances).await?;
        }
        Ok(())
    }

    fn refused(&self, refusal: Refusal, answer: Answer) -> Answer {
        self.metrics.refuse(refusal);
        answer
    }
}

fn has_result_until(block: &Block, series: &SeriesKey, at: Timestamp) -> bool {
    let own = block.series.iter().filter(|part| part.service == series.service && part.check == series.check);
    own.flat_map(|part| &part.results).any(|result| result.at <= at)
}

fn quarantined(part: &Part, seq: u64, received_at: Timestamp, reason: &str, bytes: Vec<u8>) -> Quarantined {
    let (agent, incarnation, reason) = (part.agent.clone(), part.incarnation, reason.to_owned());
    Quarantined { agent, incarnation, seq, received_at, reason, bytes }
}
