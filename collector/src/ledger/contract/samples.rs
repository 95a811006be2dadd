//! Values to write: small, distinct and made from numbers.

use crate::ledger::{Advance, Checkpoint, Effect, Hour, Quarantined, StoredBlock};
use rules::id::AgentId;
use rules::latency::Population;
use rules::outcome::{Cause, OutcomeKind};
use rules::result::SeriesKey;
use rules::run::Run;
use rules::time::Timestamp;

/// A whole hour.
pub(crate) const BEGIN: i64 = 1_790_000_000_000 / 3_600_000 * 3_600_000;

pub(crate) fn agent(name: &str) -> AgentId {
    name.parse().unwrap()
}

/// `minutes` after the beginning.
pub(crate) fn at(minutes: i64) -> Timestamp {
    Timestamp::from_millis(BEGIN + minutes * 60_000)
}

pub(crate) fn series(agent: &AgentId, check: usize) -> SeriesKey {
    SeriesKey {
        agent: agent.clone(),
        service: "서비스".parse().unwrap(),
        check: format!("check-{check}").parse().unwrap(),
    }
}

/// A block that spans ten minutes from `10 * position` on.
pub(crate) fn block(position: u64, incarnation: u64, seq: u64) -> StoredBlock {
    let minutes = 10 * position.cast_signed();
    StoredBlock {
        position,
        incarnation,
        seq,
        received_at: at(minutes + 11),
        span: Some((at(minutes), at(minutes + 9))),
        results: 256,
        bytes: format!("block {incarnation}/{seq}").into_bytes(),
    }
}

/// An advance of `count` blocks and nothing else.
pub(crate) fn advance(agent: &AgentId, position: u64, incarnation: u64, next_seq: u64, count: u64) -> Advance {
    Advance {
        agent: agent.clone(),
        position,
        incarnation,
        next_seq,
        next_seq_after: next_seq + count,
        blocks: (0..count).map(|nth| block(position + nth, incarnation, next_seq + nth)).collect(),
        effects: Vec::new(),
        checkpoint: None,
        quarantined: Vec::new(),
    }
}

/// A run of ten minutes.
pub(crate) fn run(kind: OutcomeKind, minutes: i64) -> Run {
    let causes = if kind == OutcomeKind::Up { &[][..] } else { &[Cause::Timeout, Cause::SpoolFull] };
    Run {
        kind,
        first_at: at(minutes),
        last_at: at(minutes + 9),
        until: at(minutes + 10),
        results: 20,
        causes: causes.iter().copied().collect(),
    }
}

pub(crate) fn hour(hours: i64, ups: u64) -> Hour {
    let population = Population {
        ups,
        timeouts: 1,
        other_downs: 2,
        voids: 3,
        extras: 5,
        untimed: 4,
        sum_us: u128::from(ups) * 1_000,
    };
    Hour { hour: at(hours * 60), population, histogram: vec![0x1c; ups as usize % 7] }
}

pub(crate) fn effect(series: SeriesKey, forget_from: Option<Timestamp>, runs: Vec<Run>, hours: Vec<Hour>) -> Effect {
    Effect { series, forget_from, runs, hours }
}

pub(crate) fn checkpoint(position: u64, text: &str) -> Checkpoint {
    Checkpoint { position, bytes: text.as_bytes().to_vec() }
}

pub(crate) fn quarantined(agent: &AgentId, seq: u64) -> Quarantined {
    Quarantined {
        agent: agent.clone(),
        incarnation: 1,
        seq,
        received_at: at(0),
        reason: "its checksum is wrong".into(),
        bytes: vec![0, 255],
    }
}
