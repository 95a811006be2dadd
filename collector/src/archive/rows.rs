//! Results in the order of the archive, by series and instant, and the way from blocks there and back.
//!
//! A row knows the lane and number of the block that it came in, so blocks can be put together again
//! as they were. What a block says beside its results, its place in the lane and its tombstones,
//! stands in the manifest ([`Cover`]).

use super::manifest::Cover;
use crate::lines::{Line, Sent};
use rules::block::{Block, BlockNote, BlockSeries};
use rules::id::{AgentId, AgreementId, CheckId, ServiceId};
use rules::note::Note;
use rules::result::{Pace, ProbeResult, SeriesKey};
use std::collections::BTreeMap;

/// One result with all that its block said of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Row {
    /// The result.
    pub result: ProbeResult,
    /// The check's `every` and timeout at the time.
    pub pace: Pace,
    /// What is kept of its evidence.
    pub note: Option<Note>,
    /// The lane of its block.
    pub incarnation: u64,
    /// The number of its block.
    pub seq: u64,
}

impl Row {
    /// The result as a line.
    pub(crate) fn line(&self, series: &SeriesKey) -> Line {
        let sent = Sent { pace: self.pace, incarnation: self.incarnation, seq: self.seq };
        Line { series: series.clone(), result: self.result, note: self.note.clone(), sent: Some(sent) }
    }
}

/// One series' results within one file, in order of time.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SeriesRows {
    /// The series.
    pub series: SeriesKey,
    /// Its results.
    pub rows: Vec<Row>,
}

/// Results on their way into files: one file for each agreement, one for what none promises.
#[derive(Debug, Default)]
pub(crate) struct Gathered(BTreeMap<Option<AgreementId>, BySeries>);

type BySeries = BTreeMap<(ServiceId, CheckId, AgentId), Vec<Row>>;

impl Gathered {
    /// Takes in a block's results; `agreement` says who promises a service.
    pub(crate) fn push(
        &mut self,
        incarnation: u64,
        block: &Block,
        agreement: impl Fn(&ServiceId) -> Option<AgreementId>,
    ) {
        for part in &block.series {
            let file = self.0.entry(agreement(&part.service)).or_default();
            let key = (part.service.clone(), part.check.clone(), block.agent.clone());
            file.entry(key).or_default().extend(part.noted().map(|(result, note)| Row {
                result: *result,
                pace: part.pace,
                note: note.cloned(),
                incarnation,
                seq: block.seq,
            }));
        }
    }

    /// The files' content, in order of agreement.
    pub(crate) fn into_files(self) -> impl Iterator<Item = (Option<AgreementId>, Vec<SeriesRows>)> {
        self.0.into_iter().map(|(agreement, series)| {
            let series = series.into_iter().map(|((service, check, agent), mut rows)| {
                rows.sort_by_key(|row| (row.result.at, row.incarnation, row.seq));
                SeriesRows { series: SeriesKey { agent, service, check }, rows }
            });
            (agreement, series.collect())
        })
    }
}

/// A block put together again, and where it stood.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Placed {
    pub(crate) position: u64,
    pub(crate) incarnation: u64,
    pub(crate) block: Block,
}

/// The blocks of `cover`, in order of position, with those of their results that lie in `series`.
pub(crate) fn blocks<'a>(cover: &Cover, series: impl Iterator<Item = &'a SeriesRows>) -> Vec<Placed> {
    let mut parts: BTreeMap<(u64, u64), BTreeMap<_, Vec<&Row>>> = BTreeMap::new();
    for of in series.filter(|of| of.series.agent == cover.agent) {
        for row in &of.rows {
            let block = parts.entry((row.incarnation, row.seq)).or_default();
            block.entry((&of.series.service, &of.series.check, row.pace)).or_default().push(row);
        }
    }
    let placed = cover.blocks().map(|(position, incarnation, seq)| {
        let parts = parts.remove(&(incarnation, seq)).unwrap_or_default();
        let series = parts.into_iter().map(|((service, check, pace), rows)| BlockSeries {
            service: service.clone(),
            check: check.clone(),
            pace,
            results: rows.iter().map(|row| row.result).collect(),
            notes: (0..)
                .zip(&rows)
                .filter_map(|(result, row)| Some(BlockNote { result, note: row.note.clone()? }))
                .collect(),
        });
        let tombstones = cover.tombstones.iter().filter(|(of, _)| *of == position).map(|(_, tombstone)| *tombstone);
        let block =
            Block { agent: cover.agent.clone(), seq, series: series.collect(), tombstones: tombstones.collect() };
        Placed { position, incarnation, block }
    });
    placed.collect()
}

/// The block with its series in the order in which [`blocks`] puts them.
pub(crate) fn in_order(block: &Block) -> Block {
    let mut series: BTreeMap<_, Vec<(ProbeResult, Option<Note>)>> = BTreeMap::new();
    for part in &block.series {
        let results = series.entry((part.service.clone(), part.check.clone(), part.pace)).or_default();
        results.extend(part.noted().map(|(result, note)| (*result, note.cloned())));
    }
    let series = series.into_iter().map(|((service, check, pace), mut results)| {
        results.sort_by_key(|(result, _)| result.at);
        let (results, notes): (Vec<_>, Vec<_>) = results.into_iter().unzip();
        let notes = (0..).zip(notes).filter_map(|(result, note)| Some(BlockNote { result, note: note? }));
        BlockSeries { service, check, pace, results, notes: notes.collect() }
    });
    Block { series: series.collect(), ..block.clone() }
}
