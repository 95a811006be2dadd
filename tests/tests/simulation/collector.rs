//! A collector on virtual time: its ledger survives its death, its folded series don't.

use crate::agent::Request;
use rules::block::Block;
use rules::delivery::receiver::{Lane, Verdict};
use rules::delivery::sender::Answer;
use rules::delivery::{Incarnation, split_body};
use rules::id::AgentId;
use rules::result::SeriesKey;
use rules::run::{Pushed, Series};
use std::collections::BTreeMap;

#[derive(Default)]
pub(crate) struct Collector {
    /// Durable: every lane.
    lanes: BTreeMap<AgentId, BTreeMap<Incarnation, Lane>>,
    /// Durable: every block, in order of commit.
    blocks: Vec<(AgentId, Incarnation, u64, Vec<u8>)>,
    /// Lost at death: folded as blocks came in.
    series: BTreeMap<SeriesKey, Series>,
}

impl Collector {
    /// Does what a request asks, durably, and answers.
    pub(crate) fn serve(&mut self, agent: &AgentId, request: &Request) -> Answer {
        match request {
            Request::Register { first_seq } => {
                let lanes = self.lanes.entry(agent.clone()).or_default();
                let lane = Lane::open(lanes.keys().next_back().copied(), *first_seq);
                lanes.insert(lane.incarnation, lane);
                Answer::Registered { incarnation: lane.incarnation, next_seq: lane.next_seq }
            }
            Request::Post { incarnation, first_seq, body } => self.post(agent, *incarnation, *first_seq, body),
        }
    }

    fn post(&mut self, agent: &AgentId, incarnation: Incarnation, first_seq: u64, body: &[u8]) -> Answer {
        let known = self.lanes.get(agent).and_then(|lanes| lanes.get(&incarnation));
        let Some(mut lane) = known.copied() else { return Answer::UnknownIncarnation };
        let mut answer = None;
        for (seq, bytes) in (first_seq..).zip(split_body(body).expect("agents send whole bodies")) {
            match lane.offer(seq) {
                Verdict::Commit => {
                    self.blocks.push((agent.clone(), incarnation, seq, bytes.to_vec()));
                    self.fold(bytes);
                }
                Verdict::Compare if self.stored(agent, incarnation, seq).is_none_or(|stored| stored == bytes) => {}
                Verdict::Compare => answer = Some(Answer::Conflict { seq }),
                Verdict::Gap { expected } => answer = Some(Answer::Gap { expected }),
            }
            if answer.is_some() {
                break;
            }
        }
        self.lanes.entry(agent.clone()).or_default().insert(incarnation, lane);
        answer.unwrap_or(Answer::Committed { next_seq: lane.next_seq })
    }

    /// Everything folded is gone and folded again from the ledger.
    pub(crate) fn die_and_rise(&mut self) {
        self.series.clear();
        let blocks = std::mem::take(&mut self.blocks);
        blocks.iter().for_each(|(_, _, _, bytes)| self.fold(bytes));
        self.blocks = blocks;
    }

    fn fold(&mut self, bytes: &[u8]) {
        let block = Block::decode(bytes).expect("agents make valid blocks");
        for part in &block.series {
            let key =
                SeriesKey { agent: block.agent.clone(), service: part.service.clone(), check: part.check.clone() };
            let series = self.series.entry(key.clone()).or_default();
            let late = part.results.iter().any(|result| series.push(result, part.pace) == Pushed::Late);
            assert!(!late, "an agent sends one check's results in order, block by block");
        }
    }

    pub(crate) fn series(&self) -> &BTreeMap<SeriesKey, Series> {
        &self.series
    }

    pub(crate) fn blocks_of<'a>(&'a self, agent: &'a AgentId) -> impl Iterator<Item = &'a [u8]> {
        self.blocks.iter().filter(move |block| block.0 == *agent).map(|block| block.3.as_slice())
    }

    pub(crate) fn every_place_is_taken_once(&self) -> bool {
        let mut places: Vec<_> =
            self.blocks.iter().map(|(agent, incarnation, seq, _)| (agent, incarnation, seq)).collect();
        places.sort_unstable();
        places.windows(2).all(|pair| pair[0] != pair[1])
    }

    fn stored(&self, agent: &AgentId, incarnation: Incarnation, seq: u64) -> Option<&[u8]> {
        let place =
            |block: &&(AgentId, Incarnation, u64, Vec<u8>)| (&block.0, block.1, block.2) == (agent, incarnation, seq);
        self.blocks.iter().find(place).map(|block| block.3.as_slice())
    }
}
