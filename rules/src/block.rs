//! The unit of spool, wire and ledger: up to [`RESULTS_MAX`] results of one agent as bytes.
//!
//! The same bytes lie in the agent's spool, travel to the collector and stay in its ledger, so a
//! block is encoded once and its checksum guards it for good. This module never looks at a
//! result's meaning, keeps no state, and knows nothing of incarnations: an agent makes blocks
//! before it ever met a collector, so the incarnation travels beside the block, not inside it.
//!
//! # Format, version 1
//! Protocol Buffers, proto3; numbers once given are never reused. The outer message has exactly
//! these three fields in this order and nothing after them; the inner messages may grow fields
//! that older readers skip.
//! ```proto
//! message Sealed {               // the bytes of a block, at most 256 KiB
//!   uint32  version = 1;         // 1; any other is refused
//!   fixed32 crc32   = 2;         // CRC-32 (IEEE 802.3, as in gzip) of payload's bytes
//!   bytes   payload = 3;         // a Block
//! }
//! message Block {
//!   string             agent      = 1;
//!   uint64             seq        = 2;
//!   repeated Series    series     = 3;
//!   repeated Tombstone tombstones = 4;   // at most 64
//! }
//! message Series {               // n results of one check, n at least 1, in order of `at`
//!   string          service      = 1;
//!   string          check        = 2;
//!   uint64          every_us     = 3;
//!   uint64          timeout_us   = 4;
//!   sint64          first_at_ms  = 5;   // Unix milliseconds, year 2000 to 9999
//!   repeated sint64 at_step      = 6;   // packed, n - 1: by how much each step from one `at` to
//!                                       // the next differs from the step before; the first from 0
//!   repeated uint32 outcome_runs = 7;   // packed pairs (code, length); the lengths add up to n
//!                                       // code = kind + 4 * cause; kind 0 up, 1 down, 2 void
//!   uint64          elapsed_base = 8;   // microseconds, added to each of the next
//!   repeated uint64 elapsed      = 9;   // packed, n; or none at all: latency was not kept
//!   repeated uint32 weight_runs  = 10;  // packed; how many results in a row have weight, how many
//!                                       // have none, and so on; it ends with results that have
//!                                       // none, and is not there if all have weight
//!   repeated Note   notes        = 11;  // in order of `result`, at most one a result
//! }
//! message Note {                 // what is kept of a result's evidence, for people
//!   uint32 result = 1;           // which of the series' results, from 0
//!   string text   = 2;           // at most 512 bytes; a reader cuts what is longer
//! }
//! message Tombstone {            // results that the agent had to drop
//!   sint64 from_ms  = 1;         // [from, until)
//!   sint64 until_ms = 2;
//!   uint64 results  = 3;
//!   uint32 cause    = 4;
//! }
//! ```
//! A block is one value in one row of one transaction wherever it is stored, so a crash leaves
//! all of it or nothing; what a disk garbles afterwards, the checksum shows.

mod builder;
mod protobuf;
mod wire;

pub use builder::{Builder, Room};

use crate::id::{AgentId, CheckId, NotAName, ServiceId};
use crate::note::Note;
use crate::outcome::Cause;
use crate::result::{Pace, ProbeResult};
use crate::time::Timestamp;
use alloc::vec::Vec;
use core::time::Duration;

/// The most results of a block: some seconds of the largest agent, and one short transaction.
pub const RESULTS_MAX: usize = 4096;

/// The most bytes of a block: 64 for each of [`RESULTS_MAX`] results, ten times what a usual one
/// takes, and four blocks fit one request.
pub const BYTES_MAX: usize = 64 * RESULTS_MAX;

/// The most tombstones of a block: a spool writes one, and merges them before it writes many.
pub const TOMBSTONES_MAX: usize = 64;

/// The most bytes of a block's notes: a quarter. Results come first; notes that don't fit are left out.
pub const NOTES_BYTES_MAX: usize = BYTES_MAX / 4;

/// The earliest believable instant, 2000-01-01: an earlier one comes from a clock that never ran.
pub const AT_MIN: Timestamp = Timestamp::from_millis(946_684_800_000);

/// Results of one agent that are stored, sent and counted together, or not at all.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Block {
    /// Who looked.
    pub agent: AgentId,
    /// The block's place in the agent's lane: one more than that of the block before.
    pub seq: u64,
    /// The results, by check.
    pub series: Vec<BlockSeries>,
    /// What the agent had to drop.
    pub tombstones: Vec<Tombstone>,
}

/// A block's results of one check.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BlockSeries {
    /// What was promised.
    pub service: ServiceId,
    /// What was looked at.
    pub check: CheckId,
    /// The check's `every` and timeout at the time.
    pub pace: Pace,
    /// At least one, in order of `at`; equal instants may occur.
    pub results: Vec<ProbeResult>,
    /// What is kept of some results' evidence, in order of the results.
    pub notes: Vec<BlockNote>,
}

/// What is kept of one result's evidence.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BlockNote {
    /// Which of its series' results in the block, from 0.
    pub result: u32,
    /// What is kept.
    pub note: Note,
}

impl BlockSeries {
    /// The results, each with its note.
    pub fn noted(&self) -> impl Iterator<Item = (&ProbeResult, Option<&Note>)> {
        let mut notes = self.notes.iter().peekable();
        self.results.iter().zip(0..).map(move |(result, index)| {
            let note = notes.next_if(|note| note.result == index);
            (result, note.map(|note| &note.note))
        })
    }
}

/// Results that were dropped before the collector had them: known to have been, unknown in content.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Tombstone {
    /// The first dropped result's instant.
    pub from: Timestamp,
    /// The first instant after the last dropped result.
    pub until: Timestamp,
    /// How many were dropped.
    pub results: u64,
    /// Why.
    pub cause: Cause,
}

/// Bytes that are no block this version can read. None of them gets better by sending it again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BlockError {
    /// Longer than [`BYTES_MAX`].
    #[error("a block is {0} bytes long; at most {BYTES_MAX} are allowed")]
    TooLong(usize),
    /// The outer message is not there, is cut short, or something follows it.
    #[error("a block's frame {0}")]
    Frame(&'static str),
    /// The frame names a version that this program does not know.
    #[error("a block has version {0}; this program reads version 1")]
    Version(u8),
    /// The payload is not what was sealed.
    #[error("a block's checksum is {found:#010x}; its frame says {sealed:#010x}")]
    Checksum {
        /// As the frame says.
        sealed: u32,
        /// As the payload has it.
        found: u32,
    },
    /// The checksum holds, but the payload is not Protocol Buffers as drawn above.
    #[error("a block's payload does not decode: {0}")]
    Payload(&'static str),
    /// A name in it is none.
    #[error("a block has a bad name: {0}")]
    Name(#[source] NotAName),
    /// It decodes, but breaks a rule of the format.
    #[error("a block has {0}")]
    Content(&'static str),
}

impl Block {
    /// The block as bytes; equal blocks give equal bytes. Durations are cut to whole microseconds.
    pub fn encode(&self) -> Vec<u8> {
        wire::encode(self)
    }

    /// Reads a block, and refuses whatever [`Block::encode`] can't have written from a valid one.
    pub fn decode(bytes: &[u8]) -> Result<Block, BlockError> {
        wire::decode(bytes)
    }

    /// Reads the series of one check out of a block's bytes, without reading the others: a block of
    /// a large agent holds a thousand.
    pub fn decode_series(bytes: &[u8], service: &ServiceId, check: &CheckId) -> Result<Vec<BlockSeries>, BlockError> {
        wire::decode_series(bytes, service.as_str(), check.as_str())
    }

    /// The first and the last instant that the block speaks of, results and tombstones alike.
    pub fn span(&self) -> Option<(Timestamp, Timestamp)> {
        let results =
            self.series.iter().filter_map(|series| Some((series.results.first()?.at, series.results.last()?.at)));
        let dropped = self.tombstones.iter().map(|t| (t.from, t.until.minus(Duration::from_millis(1))));
        results.chain(dropped).reduce(|(first, last), (from, until)| (first.min(from), last.max(until)))
    }

    /// How many results it holds.
    pub fn len(&self) -> usize {
        self.series.iter().map(|series| series.results.len()).sum()
    }

    /// Whether it holds no result.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The block without notes and with every result's elapsed time set to zero, which means "not
    /// kept": outcome and instant stay, and the bytes shrink by more than half.
    pub fn without_latency(&self) -> Block {
        let mut block = self.clone();
        for series in &mut block.series {
            series.notes.clear();
            series.results.iter_mut().for_each(|result| result.elapsed = Duration::ZERO);
        }
        block
    }

    /// The block that takes this one's place when its results must go: the same agent and `seq`,
    /// and a tombstone for what was there.
    pub fn buried(&self, cause: Cause) -> Block {
        let results = self.len() as u64 + self.tombstones.iter().map(|t| t.results).sum::<u64>();
        let tombstone = self.span().map(|(first, last)| Tombstone {
            from: first,
            until: last.plus(Duration::from_millis(1)),
            results,
            cause,
        });
        Block {
            agent: self.agent.clone(),
            seq: self.seq,
            series: Vec::new(),
            tombstones: tombstone.into_iter().collect(),
        }
    }
}

#[cfg(test)]
mod tests;
