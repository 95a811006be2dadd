//! What is open of a fold, as bytes.
//!
//! # Format, version 1 (Protocol Buffers, proto3)
//! ```proto
//! message Fold {
//!   uint32             version    = 1;   // 1
//!   sint64             last_ms    = 2;   // up to and including when results have come
//!   repeated Series    series     = 3;   // in order of (service, check)
//!   repeated Tombstone tombstones = 4;
//! }
//! message Series {
//!   string service = 1;  string check = 2;
//!   uint64 every_us = 3; uint64 timeout_us = 4;           // the last result's pace
//!   sint64 at_ms = 5; uint32 kind = 6; uint32 cause = 7; uint64 elapsed_us = 8;   // the last result
//!   Run    run  = 9;                                      // the open run
//!   Hour   hour = 10;                                     // the open hour
//!   uint32 weight = 11;                                   // the last result's: 0 slot, 1 extra
//! }
//! message Run  { sint64 first_ms = 1; sint64 last_ms = 2; sint64 until_ms = 3; uint32 results = 4;
//!                fixed64 causes_low = 5; fixed64 causes_high = 6; uint32 kind = 7; }
//! message Hour { sint64 hour_ms = 1; uint64 ups = 2; uint64 timeouts = 3; uint64 other_downs = 4;
//!                uint64 voids = 5; uint64 sum_us = 6; repeated uint32 us = 7;
//!                uint64 untimed = 8; uint64 extras = 9; }
//! ```
//! It lies in one row of one transaction, so a crash leaves the old one or the new one. Whatever
//! can't be read is as good as none: the fold then begins at the first block.

use super::AgentFold;
use super::hour::OpenHour;
use super::series::SeriesFold;
use crate::ledger::Checkpoint;
use prost::Message;
use rules::block::Tombstone;
use rules::id::AgentId;
use rules::latency::Population;
use rules::outcome::{Cause, CauseSet, Outcome, OutcomeKind};
use rules::result::{Pace, ProbeResult, Weight};
use rules::run::{Run, Series};
use rules::time::Timestamp;
use std::time::Duration;

const VERSION: u32 = 1;

#[derive(Clone, PartialEq, Message)]
struct FoldWire {
    #[prost(uint32, tag = "1")]
    version: u32,
    #[prost(sint64, optional, tag = "2")]
    last_ms: Option<i64>,
    #[prost(message, repeated, tag = "3")]
    series: Vec<SeriesWire>,
    #[prost(message, repeated, tag = "4")]
    tombstones: Vec<TombstoneWire>,
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
    at_ms: i64,
    #[prost(uint32, tag = "6")]
    kind: u32,
    #[prost(uint32, tag = "7")]
    cause: u32,
    #[prost(uint64, tag = "8")]
    elapsed_us: u64,
    #[prost(message, optional, tag = "9")]
    run: Option<RunWire>,
    #[prost(message, optional, tag = "10")]
    hour: Option<HourWire>,
    #[prost(uint32, tag = "11")]
    weight: u32,
}

#[derive(Clone, Copy, PartialEq, Message)]
struct RunWire {
    #[prost(sint64, tag = "1")]
    first_ms: i64,
    #[prost(sint64, tag = "2")]
    last_ms: i64,
    #[prost(sint64, tag = "3")]
    until_ms: i64,
    #[prost(uint32, tag = "4")]
    results: u32,
    #[prost(fixed64, tag = "5")]
    causes_low: u64,
    #[prost(fixed64, tag = "6")]
    causes_high: u64,
    #[prost(uint32, tag = "7")]
    kind: u32,
}

#[derive(Clone, PartialEq, Message)]
struct HourWire {
    #[prost(sint64, tag = "1")]
    hour_ms: i64,
    #[prost(uint64, tag = "2")]
    ups: u64,
    #[prost(uint64, tag = "3")]
    timeouts: u64,
    #[prost(uint64, tag = "4")]
    other_downs: u64,
    #[prost(uint64, tag = "5")]
    voids: u64,
    #[prost(uint64, tag = "6")]
    sum_us: u64,
    #[prost(uint32, repeated, tag = "7")]
    us: Vec<u32>,
    #[prost(uint64, tag = "8")]
    untimed: u64,
    #[prost(uint64, tag = "9")]
    extras: u64,
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

impl AgentFold {
    pub(crate) fn to_checkpoint(&self) -> Checkpoint {
        let mut series: Vec<&SeriesFold> = self.series.iter().collect();
        series.sort_unstable_by_key(|series| (&series.service, &series.check));
        let fold = FoldWire {
            version: VERSION,
            last_ms: self.last_at.map(Timestamp::as_millis),
            series: series.into_iter().filter_map(series_to_wire).collect(),
            tombstones: self.tombstones.iter().map(tombstone_to_wire).collect(),
        };
        Checkpoint { position: self.position, bytes: fold.encode_to_vec() }
    }

    /// The fold of a checkpoint, without its closed runs; nothing if this version can't read it.
    pub(super) fn from_checkpoint(agent: AgentId, checkpoint: &Checkpoint) -> Option<AgentFold> {
        let wire = FoldWire::decode(checkpoint.bytes.as_slice()).ok()?;
        if wire.version != VERSION {
            return None;
        }
        let mut fold = AgentFold::new(agent);
        fold.position = checkpoint.position;
        fold.checkpointed = checkpoint.position;
        fold.last_at = wire.last_ms.map(Timestamp::from_millis);
        fold.tombstones = wire.tombstones.iter().map(tombstone_from_wire).collect::<Option<_>>()?;
        for series in wire.series {
            fold.add(series_from_wire(&series)?);
        }
        Some(fold)
    }
}

/// A series that exists has a result, so only a broken fold would leave one out.
fn series_to_wire(fold: &SeriesFold) -> Option<SeriesWire> {
    let last = fold.series.last()?;
    let run = fold.open_run()?;
    let bits = run.causes.bits();
    Some(SeriesWire {
        service: fold.service.to_string(),
        check: fold.check.to_string(),
        every_us: micros(fold.pace.every),
        timeout_us: micros(fold.pace.timeout),
        at_ms: last.at.as_millis(),
        kind: kind_code(last.outcome.kind()),
        cause: last.outcome.cause().map_or(0, |cause| u32::from(cause.code())),
        elapsed_us: micros(last.elapsed),
        weight: weight_code(last.weight),
        run: Some(RunWire {
            first_ms: run.first_at.as_millis(),
            last_ms: run.last_at.as_millis(),
            until_ms: run.until.as_millis(),
            results: run.results,
            causes_low: u64::try_from(bits & u128::from(u64::MAX)).expect("64 bits"),
            causes_high: u64::try_from(bits >> 64).expect("64 bits"),
            kind: kind_code(run.kind),
        }),
        hour: fold.hour.as_ref().map(|open| HourWire {
            hour_ms: open.hour.as_millis(),
            ups: open.population.ups,
            untimed: open.population.untimed,
            timeouts: open.population.timeouts,
            other_downs: open.population.other_downs,
            voids: open.population.voids,
            extras: open.population.extras,
            sum_us: u64::try_from(open.population.sum_us).unwrap_or(u64::MAX),
            us: open.contributions.clone(),
        }),
    })
}

fn series_from_wire(wire: &SeriesWire) -> Option<SeriesFold> {
    let pace = Pace { every: Duration::from_micros(wire.every_us), timeout: Duration::from_micros(wire.timeout_us) };
    let cause = Cause::from_code(u8::try_from(wire.cause).ok()?);
    let last = ProbeResult {
        at: Timestamp::from_millis(wire.at_ms),
        outcome: Outcome::new(kind_from_code(wire.kind)?, Some(cause)),
        elapsed: Duration::from_micros(wire.elapsed_us),
        weight: weight_from_code(wire.weight)?,
    };
    let run = wire.run?;
    let run = Run {
        kind: kind_from_code(run.kind)?,
        first_at: Timestamp::from_millis(run.first_ms),
        last_at: Timestamp::from_millis(run.last_ms),
        until: Timestamp::from_millis(run.until_ms),
        results: run.results,
        causes: CauseSet::from_bits(u128::from(run.causes_low) | u128::from(run.causes_high) << 64),
    };
    let mut fold = SeriesFold::new(wire.service.parse().ok()?, wire.check.parse().ok()?, pace);
    fold.series = Series::resume(vec![run], Some(last));
    fold.hour = wire.hour.as_ref().map(|hour| OpenHour {
        hour: Timestamp::from_millis(hour.hour_ms),
        population: Population {
            ups: hour.ups,
            untimed: hour.untimed,
            timeouts: hour.timeouts,
            other_downs: hour.other_downs,
            voids: hour.voids,
            extras: hour.extras,
            sum_us: u128::from(hour.sum_us),
        },
        contributions: hour.us.clone(),
    });
    Some(fold)
}

fn tombstone_to_wire(tombstone: &Tombstone) -> TombstoneWire {
    TombstoneWire {
        from_ms: tombstone.from.as_millis(),
        until_ms: tombstone.until.as_millis(),
        results: tombstone.results,
        cause: u32::from(tombstone.cause.code()),
    }
}

fn tombstone_from_wire(wire: &TombstoneWire) -> Option<Tombstone> {
    Some(Tombstone {
        from: Timestamp::from_millis(wire.from_ms),
        until: Timestamp::from_millis(wire.until_ms),
        results: wire.results,
        cause: Cause::from_code(u8::try_from(wire.cause).ok()?),
    })
}

fn weight_code(weight: Weight) -> u32 {
    match weight {
        Weight::Slot => 0,
        Weight::Extra => 1,
    }
}

fn weight_from_code(code: u32) -> Option<Weight> {
    match code {
        0 => Some(Weight::Slot),
        1 => Some(Weight::Extra),
        _ => None,
    }
}

fn kind_code(kind: OutcomeKind) -> u32 {
    match kind {
        OutcomeKind::Up => 0,
        OutcomeKind::Down => 1,
        OutcomeKind::Void => 2,
    }
}

fn kind_from_code(code: u32) -> Option<OutcomeKind> {
    match code {
        0 => Some(OutcomeKind::Up),
        1 => Some(OutcomeKind::Down),
        2 => Some(OutcomeKind::Void),
        _ => None,
    }
}

fn micros(length: Duration) -> u64 {
    u64::try_from(length.as_micros()).unwrap_or(u64::MAX)
}
