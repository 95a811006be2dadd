//! Blocks as another program reads and writes them: prost, from the messages drawn in the module.

use super::*;
use alloc::boxed::Box;
use alloc::string::String;
use prost::Message;

#[derive(Clone, PartialEq, Message)]
struct BlockWire {
    #[prost(string, tag = "1")]
    agent: String,
    #[prost(uint64, tag = "2")]
    seq: u64,
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
    first_at_ms: i64,
    #[prost(sint64, repeated, tag = "6")]
    at_step: Vec<i64>,
    #[prost(uint32, repeated, tag = "7")]
    outcome_runs: Vec<u32>,
    #[prost(uint64, tag = "8")]
    elapsed_base: u64,
    #[prost(uint64, repeated, tag = "9")]
    elapsed: Vec<u64>,
    #[prost(uint32, repeated, tag = "10")]
    weight_runs: Vec<u32>,
    #[prost(message, repeated, tag = "11")]
    notes: Vec<NoteWire>,
}

#[derive(Clone, PartialEq, Message)]
struct NoteWire {
    #[prost(uint32, tag = "1")]
    result: u32,
    #[prost(string, tag = "2")]
    text: String,
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

/// The columns of a series as an old writer gives them, among fields of a later version.
#[derive(Clone, PartialEq, Message)]
struct Later {
    #[prost(sint64, repeated, packed = "false", tag = "6")]
    at_step: Vec<i64>,
    #[prost(uint32, repeated, packed = "false", tag = "7")]
    outcome_runs: Vec<u32>,
    #[prost(uint64, repeated, packed = "false", tag = "9")]
    elapsed: Vec<u64>,
    #[prost(uint32, repeated, packed = "false", tag = "10")]
    weight_runs: Vec<u32>,
    #[prost(uint64, tag = "20")]
    number: u64,
    #[prost(fixed32, tag = "21")]
    half: u32,
    #[prost(fixed64, tag = "22")]
    whole: u64,
    #[prost(string, tag = "2000")]
    text: String,
    #[prost(group, optional, boxed, tag = "24")]
    group: Option<Box<Later>>,
}

/// What the messages mean, column by column.
fn meaning(wire: &BlockWire) -> Block {
    let cause = |code: u32| Cause::from_code(u8::try_from(code).unwrap());
    let tombstone = |wire: &TombstoneWire| Tombstone {
        from: Timestamp::from_millis(wire.from_ms),
        until: Timestamp::from_millis(wire.until_ms),
        results: wire.results,
        cause: cause(wire.cause),
    };
    let note = |wire: &NoteWire| Some(BlockNote { result: wire.result, note: Note::new(&wire.text)? });
    let series = |wire: &SeriesWire| {
        let (mut at, mut step) = (wire.first_at_ms, 0);
        let later = wire.at_step.iter().map(|change| {
            step += change;
            at += step;
            at
        });
        let ats: Vec<_> = core::iter::once(wire.first_at_ms).chain(later).collect();
        let outcomes = wire.outcome_runs.chunks(2).flat_map(|pair| {
            let kind = [OutcomeKind::Up, OutcomeKind::Down, OutcomeKind::Void][pair[0] as usize % 4];
            core::iter::repeat_n(Outcome::new(kind, Some(cause(pair[0] / 4))), pair[1] as usize)
        });
        let elapsed = wire.elapsed.iter().map(|us| us + wire.elapsed_base).chain(core::iter::repeat(0));
        let weights = wire.weight_runs.iter().zip([Weight::Slot, Weight::Extra].into_iter().cycle());
        let weights = weights.flat_map(|(length, weight)| core::iter::repeat_n(weight, *length as usize));
        let weights = weights.chain(core::iter::repeat(Weight::Slot));
        let rows = ats.into_iter().zip(outcomes).zip(elapsed).zip(weights);
        let results = rows.map(|(((at, outcome), us), weight)| ProbeResult {
            at: Timestamp::from_millis(at),
            outcome,
            elapsed: Duration::from_micros(us),
            weight,
        });
        BlockSeries {
            service: wire.service.parse().unwrap(),
            check: wire.check.parse().unwrap(),
            pace: Pace { every: Duration::from_micros(wire.every_us), timeout: Duration::from_micros(wire.timeout_us) },
            results: results.collect(),
            notes: wire.notes.iter().filter_map(note).collect(),
        }
    };
    Block {
        agent: wire.agent.parse().unwrap(),
        seq: wire.seq,
        series: wire.series.iter().map(series).collect(),
        tombstones: wire.tombstones.iter().map(tombstone).collect(),
    }
}

/// The block's payload with each series' columns cut in two at `cut`: the first part packed, the
/// second number by number, with fields between that this version does not know.
fn written_otherwise(block: &Block, cut: prop::sample::Index) -> Vec<u8> {
    let mut wire = BlockWire::decode(payload(block).as_slice()).unwrap();
    let all = core::mem::take(&mut wire.series);
    let mut bytes = wire.encode_to_vec();
    for mut first in all {
        let mut second = Later {
            at_step: first.at_step.split_off(cut.index(first.at_step.len() + 1)),
            outcome_runs: first.outcome_runs.split_off(cut.index(first.outcome_runs.len() + 1)),
            elapsed: first.elapsed.split_off(cut.index(first.elapsed.len() + 1)),
            weight_runs: first.weight_runs.split_off(cut.index(first.weight_runs.len() + 1)),
            number: u64::MAX,
            half: 3,
            whole: 4,
            text: "later".to_string(),
            group: None,
        };
        second.group = Some(Box::new(second.clone()));
        let series = [first.encode_to_vec(), second.encode_to_vec()].concat();
        bytes.push(0x1a);
        prost::encode_length_delimiter(series.len(), &mut bytes).unwrap();
        bytes.extend(series);
        bytes.extend([0x78, 0x01]);
    }
    bytes
}

proptest! {
    #[test]
    fn another_reader_finds_the_same_results(block in any_block()) {
        let bytes = payload(&block);
        let wire = BlockWire::decode(bytes.as_slice()).unwrap();
        prop_assert_eq!(meaning(&wire), block);
        prop_assert_eq!(wire.encode_to_vec(), bytes);
    }

    #[test]
    fn columns_in_pieces_and_fields_of_later_versions_are_read(block in any_block(), cut in any::<prop::sample::Index>()) {
        prop_assert_eq!(Block::decode(&sealed(&written_otherwise(&block, cut))), Ok(block));
    }

    #[test]
    fn what_another_reader_refuses_is_refused_and_what_is_read_means_the_same(
        block in any_block(),
        cut in any::<prop::sample::Index>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut payload = written_otherwise(&block, cut);
        for (at, byte) in changes {
            let at = at.index(payload.len());
            payload[at] = byte;
        }
        if let Ok(read) = Block::decode(&sealed(&payload)) {
            let wire = BlockWire::decode(payload.as_slice());
            prop_assert_eq!(wire.map(|wire| meaning(&wire)), Ok(read));
        }
    }
}
