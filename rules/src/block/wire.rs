//! Blocks as Protocol Buffers: the frame, the messages in it, and the way there and back.
//!
//! Reading goes straight from the bytes to results: a column's numbers are counted, and the count
//! is checked, before anything is allocated for them.

use super::protobuf::{Column, Fields, Message, Numbers, VARINT_BYTES_MAX, varint};
use super::{AT_MIN, BYTES_MAX, Block, BlockError, BlockNote, BlockSeries, RESULTS_MAX, TOMBSTONES_MAX, Tombstone};
use crate::note::Note;
use crate::outcome::{Cause, Outcome, OutcomeKind};
use crate::result::{Pace, ProbeResult, Weight};
use crate::time::Timestamp;
use alloc::vec::Vec;
use core::time::Duration;

const VERSION: u8 = 1;
const KEY_VERSION: u8 = 0x08;
const KEY_CRC: u8 = 0x15;
const KEY_PAYLOAD: u8 = 0x1a;
/// Both keys, the version and the checksum, and the payload's key.
const HEAD_BYTES: usize = 8;
/// With fewer results a base costs more than it saves.
const BASE_FROM_RESULTS: usize = 4;

pub(super) fn encode(block: &Block) -> Vec<u8> {
    let (mut payload, mut part, mut column) = (Message::default(), Message::default(), Message::default());
    payload.text(1, block.agent.as_str());
    payload.uint(2, block.seq);
    for series in &block.series {
        part.0.clear();
        write_series(series, &mut part, &mut column);
        payload.message(3, &part);
    }
    for tombstone in &block.tombstones {
        part.0.clear();
        write_tombstone(tombstone, &mut part);
        payload.message(4, &part);
    }
    let mut frame = Message(Vec::with_capacity(HEAD_BYTES + VARINT_BYTES_MAX + payload.0.len()));
    frame.0.extend_from_slice(&[KEY_VERSION, VERSION, KEY_CRC]);
    frame.0.extend_from_slice(&crc32fast::hash(&payload.0).to_le_bytes());
    frame.message(3, &payload);
    frame.0
}

pub(super) fn decode(bytes: &[u8]) -> Result<Block, BlockError> {
    let (mut agent, mut seq, mut series, mut tombstones) = ("", 0, Vec::new(), Vec::new());
    let mut room = RESULTS_MAX;
    let mut fields = Fields::of(unseal(bytes)?);
    while let Some(field) = fields.next()? {
        match field.number {
            1 => agent = field.text()?,
            2 => seq = field.uint()?,
            3 if series.len() == RESULTS_MAX => {
                return Err(BlockError::Content("more series than a block may have results"));
            }
            3 => {
                let one = read_series(field.bytes()?, series.last(), &mut room)?;
                series.push(one);
            }
            4 if tombstones.len() == TOMBSTONES_MAX => return Err(BlockError::Content("too many tombstones")),
            4 => tombstones.push(read_tombstone(field.bytes()?)?),
            _ => {}
        }
    }
    Ok(Block { agent: agent.parse().map_err(BlockError::Name)?, seq, series, tombstones })
}

/// Reads the series of one check alone; of the others only their names are looked at.
pub(super) fn decode_series(bytes: &[u8], service: &str, check: &str) -> Result<Vec<BlockSeries>, BlockError> {
    let (mut series, mut room) = (Vec::new(), RESULTS_MAX);
    let mut fields = Fields::of(unseal(bytes)?);
    while let Some(field) = fields.next()? {
        if field.number == 3 {
            let bytes = field.bytes()?;
            if names(bytes)? == (service, check) {
                series.push(read_series(bytes, None, &mut room)?);
            }
        }
    }
    Ok(series)
}

/// The service and the check of a series.
fn names(bytes: &[u8]) -> Result<(&str, &str), BlockError> {
    let (mut service, mut check) = ("", "");
    let mut fields = Fields::of(bytes);
    while let Some(field) = fields.next()? {
        match field.number {
            1 => service = field.text()?,
            2 => check = field.text()?,
            _ => {}
        }
    }
    Ok((service, check))
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
    let length = varint(&mut rest).map_err(|_| BlockError::Frame("has no length of its payload"))?;
    if length != rest.len() as u64 {
        return Err(BlockError::Frame("is cut short or something follows it"));
    }
    let (sealed, found) = (u32::from_le_bytes([c0, c1, c2, c3]), crc32fast::hash(rest));
    if sealed != found { Err(BlockError::Checksum { sealed, found }) } else { Ok(rest) }
}

fn write_series(series: &BlockSeries, to: &mut Message, column: &mut Message) {
    let results = &series.results;
    to.text(1, series.service.as_str());
    to.text(2, series.check.as_str());
    to.uint(3, micros(series.pace.every));
    to.uint(4, micros(series.pace.timeout));
    to.sint(5, results.first().map_or(0, |result| result.at.as_millis()));
    let mut step = 0;
    for pair in results.windows(2) {
        let before = core::mem::replace(&mut step, pair[1].at.as_millis() - pair[0].at.as_millis());
        column.push_signed(step - before);
    }
    to.packed(6, column);
    for run in results.chunk_by(|a, b| a.outcome == b.outcome) {
        column.push(u64::from(outcome_code(run[0].outcome)));
        column.push(run.len() as u64);
    }
    to.packed(7, column);
    write_elapsed(results, to, column);
    write_weights(results, to, column);
    for BlockNote { result, note } in &series.notes {
        column.uint(1, u64::from(*result));
        column.text(2, note.as_str());
        to.packed(11, column);
    }
}

fn write_elapsed(results: &[ProbeResult], to: &mut Message, column: &mut Message) {
    let (least, most) = results.iter().fold((u64::MAX, 0), |(least, most), result| {
        let elapsed = micros(result.elapsed);
        (least.min(elapsed), most.max(elapsed))
    });
    if most == 0 {
        return;
    }
    let base = if results.len() < BASE_FROM_RESULTS { 0 } else { least };
    to.uint(8, base);
    for result in results {
        column.push(micros(result.elapsed) - base);
    }
    to.packed(9, column);
}

fn write_weights(results: &[ProbeResult], to: &mut Message, column: &mut Message) {
    let mut weighty = 0;
    for run in results.chunk_by(|a, b| a.weight == b.weight) {
        match run[0].weight {
            Weight::Slot => weighty = run.len() as u64,
            Weight::Extra => {
                column.push(core::mem::take(&mut weighty));
                column.push(run.len() as u64);
            }
        }
    }
    to.packed(10, column);
}

/// Reads the series after `before`, and takes its results off `room`.
fn read_series(bytes: &[u8], before: Option<&BlockSeries>, room: &mut usize) -> Result<BlockSeries, BlockError> {
    let (mut service, mut check, mut every, mut timeout) = ("", "", 0, 0);
    let (mut first_at, mut elapsed_base) = (0, 0);
    let (mut steps, mut outcomes, mut elapsed) = (Column::default(), Column::default(), Column::default());
    let (mut weights, mut notes) = (Column::default(), Vec::new());
    let mut fields = Fields::of(bytes);
    while let Some(field) = fields.next()? {
        match field.number {
            1 => service = field.text()?,
            2 => check = field.text()?,
            3 => every = field.uint()?,
            4 => timeout = field.uint()?,
            5 => first_at = field.sint()?,
            6 => steps.extend(field)?,
            7 => outcomes.extend(field)?,
            8 => elapsed_base = field.uint()?,
            9 => elapsed.extend(field)?,
            10 => weights.extend(field)?,
            11 => read_note(field.bytes()?, &mut notes)?,
            _ => {}
        }
    }
    let n = steps.len() + 1;
    *room = room.checked_sub(n).ok_or(BlockError::Content("too many results"))?;
    let kept = elapsed.len();
    if kept != 0 && kept != n {
        return Err(BlockError::Content("a series with more or fewer elapsed times than results"));
    }
    let rows = Rows { at: first_at, step: 0, steps: steps.numbers(), elapsed: elapsed.numbers(), elapsed_base };
    let mut results = read_results(n, outcomes.numbers(), rows)?;
    read_weights(weights.numbers(), &mut results)?;
    if notes.last().is_some_and(|last: &BlockNote| n <= last.result as usize) {
        return Err(BlockError::Content("a note on a result that it has not"));
    }
    let service = match before {
        Some(before) if before.service.as_str() == service => before.service.clone(),
        _ => service.parse().map_err(BlockError::Name)?,
    };
    Ok(BlockSeries {
        service,
        check: check.parse().map_err(BlockError::Name)?,
        pace: Pace { every: Duration::from_micros(every), timeout: Duration::from_micros(timeout) },
        results,
        notes,
    })
}

/// Reads the note that follows `notes`. An empty text is none.
fn read_note(bytes: &[u8], notes: &mut Vec<BlockNote>) -> Result<(), BlockError> {
    let (mut result, mut text) = (0, "");
    let mut fields = Fields::of(bytes);
    while let Some(field) = fields.next()? {
        match field.number {
            1 => result = field.uint32()?,
            2 => text = field.text()?,
            _ => {}
        }
    }
    if notes.last().is_some_and(|before| result <= before.result) {
        return Err(BlockError::Content("notes out of order"));
    }
    notes.extend(Note::new(text).map(|note| BlockNote { result, note }));
    Ok(())
}

fn read_results(n: usize, mut outcomes: Numbers<'_>, mut rows: Rows<'_>) -> Result<Vec<ProbeResult>, BlockError> {
    let mut results = Vec::with_capacity(n);
    while !outcomes.is_empty() {
        let outcome = outcome_from_code(outcomes.uint32()?)?;
        if outcomes.is_empty() {
            return Err(BlockError::Content("an outcome without a length"));
        }
        let length = outcomes.uint32()?;
        if length == 0 || n - results.len() < length as usize {
            return Err(BlockError::Content("outcomes that don't add up to its results"));
        }
        for _ in 0..length {
            results.push(rows.next(outcome)?);
        }
    }
    if results.len() < n {
        return Err(BlockError::Content("outcomes that don't add up to its results"));
    }
    Ok(results)
}

/// Takes the weight from those results that have none.
fn read_weights(mut runs: Numbers<'_>, results: &mut [ProbeResult]) -> Result<(), BlockError> {
    const AMISS: BlockError = BlockError::Content("weights that don't fit its results");
    let mut rest = results;
    let mut first = true;
    while !runs.is_empty() {
        let weighty = runs.uint32()? as usize;
        if runs.is_empty() || weighty == 0 && !first {
            return Err(AMISS);
        }
        let (_, after) = rest.split_at_mut_checked(weighty).ok_or(AMISS)?;
        let (extra, after) = match runs.uint32()? as usize {
            0 => return Err(AMISS),
            length => after.split_at_mut_checked(length).ok_or(AMISS)?,
        };
        extra.iter_mut().for_each(|result| result.weight = Weight::Extra);
        (rest, first) = (after, false);
    }
    Ok(())
}

/// The columns that have a number a result, as far as they are not read yet.
struct Rows<'a> {
    /// The next result's instant.
    at: i64,
    step: i64,
    steps: Numbers<'a>,
    elapsed: Numbers<'a>,
    elapsed_base: u64,
}

impl Rows<'_> {
    #[inline]
    fn next(&mut self, outcome: Outcome) -> Result<ProbeResult, BlockError> {
        let at = believable(self.at)?;
        let mut elapsed = 0;
        if !self.elapsed.is_empty() {
            elapsed =
                self.elapsed.uint()?.checked_add(self.elapsed_base).ok_or(BlockError::Content("an endless probe"))?;
        }
        if !self.steps.is_empty() {
            self.step = self.step.checked_add(self.steps.sint()?).ok_or(BlockError::Content("an absurd time"))?;
            if self.step < 0 {
                return Err(BlockError::Content("results out of order"));
            }
            self.at = self.at.checked_add(self.step).ok_or(BlockError::Content("an absurd time"))?;
        }
        Ok(ProbeResult::of_slot(at, outcome, Duration::from_micros(elapsed)))
    }
}

fn write_tombstone(tombstone: &Tombstone, to: &mut Message) {
    to.sint(1, tombstone.from.as_millis());
    to.sint(2, tombstone.until.as_millis());
    to.uint(3, tombstone.results);
    to.uint(4, u64::from(tombstone.cause.code()));
}

fn read_tombstone(bytes: &[u8]) -> Result<Tombstone, BlockError> {
    let (mut from, mut until, mut results, mut cause) = (0, 0, 0, 0);
    let mut fields = Fields::of(bytes);
    while let Some(field) = fields.next()? {
        match field.number {
            1 => from = field.sint()?,
            2 => until = field.sint()?,
            3 => results = field.uint()?,
            4 => cause = field.uint32()?,
            _ => {}
        }
    }
    let (from, until) = (believable(from)?, believable(until)?);
    if until <= from {
        return Err(BlockError::Content("a tombstone that ends before it begins"));
    }
    Ok(Tombstone { from, until, results, cause: cause_from_code(cause)? })
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
    length.as_secs().saturating_mul(1_000_000).saturating_add(u64::from(length.subsec_micros()))
}
