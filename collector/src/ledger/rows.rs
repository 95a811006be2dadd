//! The shapes of rows that both stores share, and the way from them to values and back.
//!
//! Instants are whole Unix milliseconds and numbers are signed 64-bit, because that is what both
//! stores have. A row that can't be a value is [`LedgerError::Corrupt`]; nothing is guessed.

use crate::ledger::{Hour, LedgerError, StoredBlock};
use rules::id::NotAName;
use rules::latency::Population;
use rules::outcome::{Cause, CauseSet, OutcomeKind};
use rules::run::Run;
use rules::time::Timestamp;
use std::str::FromStr;
use std::time::Duration;

/// How long an hour is in the stores' unit.
pub(crate) const HOUR_MS: i64 = 3_600_000;

/// A block as a row.
pub(crate) struct BlockRow {
    pub(crate) position: i64,
    pub(crate) incarnation: i64,
    pub(crate) seq: i64,
    pub(crate) received_at: i64,
    pub(crate) first_at: Option<i64>,
    pub(crate) last_at: Option<i64>,
    pub(crate) results: i64,
    pub(crate) bytes: Vec<u8>,
}

impl TryFrom<BlockRow> for StoredBlock {
    type Error = LedgerError;

    fn try_from(row: BlockRow) -> Result<StoredBlock, LedgerError> {
        let span = row.first_at.zip(row.last_at);
        Ok(StoredBlock {
            position: row.position.cast_unsigned(),
            incarnation: row.incarnation.cast_unsigned(),
            seq: row.seq.cast_unsigned(),
            received_at: Timestamp::from_millis(row.received_at),
            span: span.map(|(first, last)| (Timestamp::from_millis(first), Timestamp::from_millis(last))),
            results: count(row.results, "a block's number of results")?,
            bytes: row.bytes,
        })
    }
}

/// A run as a row.
pub(crate) struct RunRow {
    pub(crate) kind: i64,
    pub(crate) first_at: i64,
    pub(crate) last_at: i64,
    pub(crate) until_at: i64,
    pub(crate) results: i64,
    pub(crate) causes: Vec<u8>,
}

impl From<&Run> for RunRow {
    fn from(run: &Run) -> RunRow {
        RunRow {
            kind: match run.kind {
                OutcomeKind::Up => 0,
                OutcomeKind::Down => 1,
                OutcomeKind::Void => 2,
            },
            first_at: run.first_at.as_millis(),
            last_at: run.last_at.as_millis(),
            until_at: run.until.as_millis(),
            results: i64::from(run.results),
            causes: run.causes.iter().map(Cause::code).collect(),
        }
    }
}

impl TryFrom<RunRow> for Run {
    type Error = LedgerError;

    fn try_from(row: RunRow) -> Result<Run, LedgerError> {
        let kind = match row.kind {
            0 => OutcomeKind::Up,
            1 => OutcomeKind::Down,
            2 => OutcomeKind::Void,
            other => return Err(corrupt(format!("a run is of kind {other}; there are 0, 1 and 2"))),
        };
        Ok(Run {
            kind,
            first_at: Timestamp::from_millis(row.first_at),
            last_at: Timestamp::from_millis(row.last_at),
            until: Timestamp::from_millis(row.until_at),
            results: count(row.results, "a run's number of results")?,
            causes: row.causes.into_iter().map(Cause::from_code).collect::<CauseSet>(),
        })
    }
}

/// An hour as a row. The sum is decimal text, because it may outgrow 64 bits and must stay exact.
pub(crate) struct HourRow {
    pub(crate) hour: i64,
    pub(crate) ups: i64,
    pub(crate) timeouts: i64,
    pub(crate) other_downs: i64,
    pub(crate) voids: i64,
    pub(crate) extras: i64,
    pub(crate) untimed: i64,
    pub(crate) sum_us: String,
    pub(crate) histogram: Vec<u8>,
}

impl From<&Hour> for HourRow {
    fn from(hour: &Hour) -> HourRow {
        let Population { ups, timeouts, other_downs, voids, extras, untimed, sum_us } = hour.population;
        HourRow {
            hour: hour.hour.as_millis(),
            ups: ups.cast_signed(),
            timeouts: timeouts.cast_signed(),
            other_downs: other_downs.cast_signed(),
            voids: voids.cast_signed(),
            extras: extras.cast_signed(),
            untimed: untimed.cast_signed(),
            sum_us: sum_us.to_string(),
            histogram: hour.histogram.clone(),
        }
    }
}

impl TryFrom<HourRow> for Hour {
    type Error = LedgerError;

    fn try_from(row: HourRow) -> Result<Hour, LedgerError> {
        let sum_us = row.sum_us.parse();
        Ok(Hour {
            hour: Timestamp::from_millis(row.hour),
            population: Population {
                ups: row.ups.cast_unsigned(),
                timeouts: row.timeouts.cast_unsigned(),
                other_downs: row.other_downs.cast_unsigned(),
                voids: row.voids.cast_unsigned(),
                extras: row.extras.cast_unsigned(),
                untimed: row.untimed.cast_unsigned(),
                sum_us: sum_us.map_err(|_| corrupt(format!("an hour's sum is `{}`, no number", row.sum_us)))?,
            },
            histogram: row.histogram,
        })
    }
}

/// The first whole hour that lies at or after `at`.
pub(crate) fn whole_hour_from(at: Timestamp) -> Timestamp {
    if at.hour() == at { at } else { at.hour().plus(Duration::from_millis(HOUR_MS.cast_unsigned())) }
}

/// A name read from a row.
pub(crate) fn name<T: FromStr<Err = NotAName>>(text: &str) -> Result<T, LedgerError> {
    text.parse().map_err(|why: NotAName| corrupt(why.to_string()))
}

fn count(number: i64, what: &str) -> Result<u32, LedgerError> {
    u32::try_from(number).map_err(|_| corrupt(format!("{what} is {number}")))
}

fn corrupt(what: String) -> LedgerError {
    LedgerError::Corrupt { what }
}
