//! Blocks as Protocol Buffers: the shapes, and the way there and back.
//!
//! `series` and `tombstones` are declared as bytes rather than messages: the same on the wire, and
//! their number can be checked before anything is allocated for them.

use super::{AT_MIN, BYTES_MAX, Block, BlockError, BlockSeries, RESULTS_MAX, TOMBSTONES_MAX, Tombstone};
use crate::outcome::{Cause, Outcome, OutcomeKind};
use crate::result::{Pace, ProbeResult};
use crate::time::Timestamp;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::time::Duration;
use prost::Message;
use prost::bytes::{BufMut, Bytes};

const VERSION: u8 = 1;
const KEY_VERSION: u8 = 0x08;
const KEY_CRC: u8 = 0x15;
const KEY_PAYLOAD: u8 = 0x1a;
/// Both keys, the version and the checksum, and the payload's key.
const HEAD_BYTES: usize = 8;
/// With fewer results a base costs more than it saves.
const BASE_FROM_RESULTS: usize = 4;

#[derive(Clone, PartialEq, Message)]
struct BlockWire {
    #[prost(string, tag = "1")]
    agent: String,
    #[prost(uint64, tag = "2")]
    seq: u64,
    #[prost(bytes = "bytes", repeated, tag = "3")]
    series: Vec<Bytes>,
    #[prost(bytes = "bytes", repeated, tag = "4")]
    tombstones: Vec<Bytes>,
}

#[derive(Clone, PartialEq, Message)]
struct SeriesWire {
    #[prost(string, tag = "1")]
    service: String,
    #[prost(string, tag = "2")]
    check: String,
    #[prost(uint64, tag = "3")]
    every_us: u64,
    #[prost(uint64, tag = "4")]
    timeout_us: u64,
    #[prost(sint64, tag = "5")]
    first_at_ms: i64,
    #[prost(sint64, repeated, tag = "6")]
    at_step: Vec<i64>,
    #[prost(uint32, repeated, tag = "7")]
    outcome_runs: Vec<u32>,
    #[prost(uint64, tag = "8")]
    elapsed_base: u64,
    #[prost(uint64, repeated, tag = "9")]
    elapsed: Vec<u64>,
}

#[derive(Clone, Copy, PartialEq, Message)]
struct TombstoneWire {
    #[prost(sint64, tag = "1")]
    from_ms: i64,
    #[prost(sint64, tag = "2")]
    until_ms: i64,
    #[prost(uint64, tag = "3")]
    results: u64,
    #[prost(uint32, tag = "4")]
    cause: u32,
}

pub(super) fn encode(block: &Block) -> Vec<u8> {
    let payload = BlockWire {
        agent: block.agent.to_string(),
        seq: block.seq,
        series: block.series.iter().map(|series| Bytes::from(series_to_wire(series).encode_to_vec())).collect(),
        tombstones: block.tombstones.iter().map(|t| Bytes::from(tombstone_to_wire(t).encode_to_vec())).collect(),
    }
    .encode_to_vec();
    let length = payload.len();
    let mut bytes = Vec::with_capacity(HEAD_BYTES + prost::length_delimiter_len(length) + length);
    bytes.put_slice(&[KEY_VERSION, VERSION, KEY_CRC]);
    bytes.put_u32_le(crc32fast::hash(&payload));
    bytes.put_u8(KEY_PAYLOAD);
    prost::encode_length_delimiter(length, &mut bytes).expect("a Vec grows as needed");
    bytes.put_slice(&payload);
    bytes
}

pub(super) fn decode(bytes: &[u8]) -> Result<Block, BlockError> {
    let payload = unseal(bytes)?;
    let wire = BlockWire::decode(Bytes::copy_from_slice(payload)).map_err(BlockError::Payload)?;
    if RESULTS_MAX < wire.series.len() {
        return Err(BlockError::Content("more series than a block may have results"));
    }
    if TOMBSTONES_MAX < wire.tombstones.len() {
        return Err(BlockError::Content("too many tombstones"));
    }
    let mut room = RESULTS_MAX;
    let mut series = Vec::with_capacity(wire.series.len());
    for bytes in wire.series {
        let wire = SeriesWire::decode(bytes).map_err(BlockError::Payload)?;
        series.push(series_from_wire(&wire, &mut room)?);
    }
    let tombstones = wire
        .tombstones
        .into_iter()
        .map(|bytes| tombstone_from_wire(TombstoneWire::decode(bytes).map_err(BlockError::Payload)?))
        .collect::<Result<_, _>>()?;
    Ok(Block { agent: wire.agent.parse().map_err(BlockError::Name)?, seq: wire.seq, series, tombstones })
}

/// The payload of a frame whose length, version and checksum are right.
fn unseal(bytes: &[u8]) -> Result<&[u8], BlockError> {
    if BYTES_MAX < bytes.len() {
        return Err(BlockError::TooLong(bytes.len()));
    }
    let (head, mut rest) = bytes.split_first_chunk::<HEAD_BYTES>().ok_or(BlockError::Frame("is cut short"))?;
    let &[KEY_VERSION, version, key_crc, c0, c1, c2, c3, key_payload] = head else {
        return Err(BlockError::Frame("does not begin with a version"));
    };
    if version != VERSION {
        return Err(BlockError::Version(version));
    }
    if key_crc != KEY_CRC || key_payload != KEY_PAYLOAD {
        return Err(BlockError::Frame("has not its three fields in order"));
    }
    let length =
        prost::decode_length_delimiter(&mut rest).map_err(|_| BlockError::Frame("has no length of its payload"))?;
    if length != rest.len() {
        return Err(BlockError::Frame("is cut short or something follows it"));
    }
    let (sealed, found) = (u32::from_le_bytes([c0, c1, c2, c3]), crc32fast::hash(rest));
    if sealed != found { Err(BlockError::Checksum { sealed, found }) } else { Ok(rest) }
}

fn series_to_wire(series: &BlockSeries) -> SeriesWire {
    let results = &series.results;
    let mut step = 0;
    let at_step = results.windows(2).map(|pair| {
        let before = core::mem::replace(&mut step, pair[1].at.as_millis() - pair[0].at.as_millis());
        step - before
    });
    let at_step = at_step.collect();
    let mut outcome_runs: Vec<u32> = Vec::new();
    for run in results.chunk_by(|a, b| a.outcome == b.outcome) {
        outcome_runs.extend([outcome_code(run[0].outcome), u32::try_from(run.len()).unwrap_or(u32::MAX)]);
    }
    let least = results.iter().map(|result| micros(result.elapsed)).min().unwrap_or(0);
    let elapsed_base = if results.len() < BASE_FROM_RESULTS { 0 } else { least };
    let kept = results.iter().any(|result| micros(result.elapsed) != 0);
    SeriesWire {
        service: series.service.to_string(),
        check: series.check.to_string(),
        every_us: micros(series.pace.every),
        timeout_us: micros(series.pace.timeout),
        first_at_ms: results.first().map_or(0, |result| result.at.as_millis()),
        at_step,
        outcome_runs,
        elapsed_base,
        elapsed: results.iter().filter(|_| kept).map(|result| micros(result.elapsed) - elapsed_base).collect(),
    }
}

fn series_from_wire(wire: &SeriesWire, room: &mut usize) -> Result<BlockSeries, BlockError> {
    let n = wire.at_step.len() + 1;
    *room = room.checked_sub(n).ok_or(BlockError::Content("too many results"))?;
    if !wire.elapsed.is_empty() && wire.elapsed.len() != n {
        return Err(BlockError::Content("a series with more or fewer elapsed times than results"));
    }
    let mut results = Vec::with_capacity(n);
    let (mut at, mut step) = (wire.first_at_ms, 0_i64);
    let mut steps = wire.at_step.iter();
    for pair in wire.outcome_runs.chunks(2) {
        let &[code, length] = pair else { return Err(BlockError::Content("an outcome without a length")) };
        let outcome = outcome_from_code(code)?;
        if length == 0 || n - results.len() < length as usize {
            return Err(BlockError::Content("outcomes that don't add up to its results"));
        }
        for _ in 0..length {
            let elapsed = match wire.elapsed.get(results.len()) {
                Some(micros) => micros.checked_add(wire.elapsed_base).ok_or(BlockError::Content("an endless probe"))?,
                None => 0,
            };
            results.push(ProbeResult { at: believable(at)?, outcome, elapsed: Duration::from_micros(elapsed) });
            let Some(change) = steps.next() else { break };
            step = step.checked_add(*change).ok_or(BlockError::Content("an absurd time"))?;
            if step < 0 {
                return Err(BlockError::Content("results out of order"));
            }
            at = at.checked_add(step).ok_or(BlockError::Content("an absurd time"))?;
        }
    }
    if results.len() < n {
        return Err(BlockError::Content("outcomes that don't add up to its results"));
    }
    Ok(BlockSeries {
        service: wire.service.parse().map_err(BlockError::Name)?,
        check: wire.check.parse().map_err(BlockError::Name)?,
        pace: Pace { every: Duration::from_micros(wire.every_us), timeout: Duration::from_micros(wire.timeout_us) },
        results,
    })
}

fn tombstone_to_wire(tombstone: &Tombstone) -> TombstoneWire {
    TombstoneWire {
        from_ms: tombstone.from.as_millis(),
        until_ms: tombstone.until.as_millis(),
        results: tombstone.results,
        cause: u32::from(tombstone.cause.code()),
    }
}

fn tombstone_from_wire(wire: TombstoneWire) -> Result<Tombstone, BlockError> {
    let (from, until) = (believable(wire.from_ms)?, believable(wire.until_ms)?);
    if until <= from {
        return Err(BlockError::Content("a tombstone that ends before it begins"));
    }
    Ok(Tombstone { from, until, results: wire.results, cause: cause_from_code(wire.cause)? })
}

fn believable(millis: i64) -> Result<Timestamp, BlockError> {
    if millis < AT_MIN.as_millis() || Timestamp::MAX.as_millis() < millis {
        return Err(BlockError::Content("an absurd time"));
    }
    Ok(Timestamp::from_millis(millis))
}

fn outcome_code(outcome: Outcome) -> u32 {
    let cause = outcome.cause().map_or(0, |cause| u32::from(cause.code()));
    match outcome.kind() {
        OutcomeKind::Up => 0,
        OutcomeKind::Down => 1 + 4 * cause,
        OutcomeKind::Void => 2 + 4 * cause,
    }
}

fn outcome_from_code(code: u32) -> Result<Outcome, BlockError> {
    match code % 4 {
        0 if code == 0 => Ok(Outcome::Up),
        1 => Ok(Outcome::Down(cause_from_code(code / 4)?)),
        2 => Ok(Outcome::Void(cause_from_code(code / 4)?)),
        _ => Err(BlockError::Content("an outcome that is neither up, down nor void")),
    }
}

fn cause_from_code(code: u32) -> Result<Cause, BlockError> {
    let code = u8::try_from(code).map_err(|_| BlockError::Content("an impossible cause"))?;
    Ok(Cause::from_code(code))
}

fn micros(length: Duration) -> u64 {
    u64::try_from(length.as_micros()).unwrap_or(u64::MAX)
}
