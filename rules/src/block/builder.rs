//! Gathers single results into a block that is sure to fit.

use super::{AT_MIN, BYTES_MAX, Block, BlockNote, BlockSeries, NOTES_BYTES_MAX, RESULTS_MAX};
use crate::id::{AgentId, CheckId, ServiceId};
use crate::note::Note;
use crate::result::{Pace, ProbeResult};
use crate::time::Timestamp;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

/// The most bytes that one result takes: a step of `at`, an outcome run of its own, an elapsed time,
/// a weight run of its own.
const RESULT_BYTES_MAX: usize = 10 + 4 + 10 + 2;

/// The most bytes that a series takes before its names and results: keys, lengths and numbers.
const SERIES_BYTES_MAX: usize = 64;

/// What a note takes beside its text: its key and length, its result's number, its text's length.
const NOTE_FRAME_BYTES_MAX: usize = 12;

/// What the frame, the agent's name, the `seq` and a tombstone take at most.
const BLOCK_BYTES_MAX: usize = 512;

/// Whether a block being gathered takes another result.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Room {
    /// It does.
    Left,
    /// The next result must go into another block.
    Full,
}

/// A result with what is kept of its evidence.
type Noted = (ProbeResult, Option<Note>);

/// A block being gathered: results come in any order and leave sorted by series and instant.
#[derive(Debug, Default)]
pub struct Builder {
    series: BTreeMap<(ServiceId, CheckId, Pace), Vec<Noted>>,
    results: usize,
    notes_bytes: usize,
    bytes_at_most: usize,
}

impl Builder {
    /// Whether a block can carry a result of this instant: not before [`AT_MIN`].
    pub fn takes(at: Timestamp) -> bool {
        AT_MIN <= at && at < Timestamp::MAX
    }

    /// Adds a result, and says whether another one of any name fits.
    pub fn push(&mut self, service: ServiceId, check: CheckId, pace: Pace, result: ProbeResult) -> Room {
        self.push_noted(service, check, pace, result, None)
    }

    /// Adds a result with what is kept of its evidence, as far as there is room for that, and says
    /// whether another result of any name fits.
    pub fn push_noted(
        &mut self,
        service: ServiceId,
        check: CheckId,
        pace: Pace,
        result: ProbeResult,
        note: Option<Note>,
    ) -> Room {
        let names = service.as_str().len() + check.as_str().len();
        let results = self.series.entry((service, check, pace)).or_default();
        if results.is_empty() {
            self.bytes_at_most += SERIES_BYTES_MAX + names;
        }
        let note_bytes = note.as_ref().map_or(0, |note| NOTE_FRAME_BYTES_MAX + note.as_str().len());
        let fits = self.notes_bytes + note_bytes <= NOTES_BYTES_MAX;
        if fits {
            self.notes_bytes += note_bytes;
        }
        results.push((result, note.filter(|_| fits)));
        self.results += 1;
        self.bytes_at_most += RESULT_BYTES_MAX;
        self.room()
    }

    /// How many results were added.
    pub fn len(&self) -> usize {
        self.results
    }

    /// Whether none was added.
    pub fn is_empty(&self) -> bool {
        self.results == 0
    }

    /// The block; the builder is empty afterwards.
    pub fn build(&mut self, agent: AgentId, seq: u64) -> Block {
        let gathered = core::mem::take(self).series;
        let series = gathered.into_iter().map(|((service, check, pace), mut results)| {
            results.sort_by_key(|(result, _)| result.at);
            let (results, notes): (Vec<_>, Vec<_>) = results.into_iter().unzip();
            let notes = (0..).zip(notes).filter_map(|(result, note)| Some(BlockNote { result, note: note? }));
            BlockSeries { service, check, pace, results, notes: notes.collect() }
        });
        Block { agent, seq, series: series.collect(), tombstones: Vec::new() }
    }

    fn room(&self) -> Room {
        let another = SERIES_BYTES_MAX + 2 * crate::id::NAME_BYTES_MAX + RESULT_BYTES_MAX;
        let fits = self.bytes_at_most + another <= BYTES_MAX - NOTES_BYTES_MAX - BLOCK_BYTES_MAX;
        if fits && self.results < RESULTS_MAX { Room::Left } else { Room::Full }
    }
}
