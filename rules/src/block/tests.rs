use super::*;
use crate::outcome::{Outcome, OutcomeKind};
use crate::result::Weight;
use alloc::string::{String, ToString};
use alloc::vec;
use proptest::prelude::*;

mod protobuf;

fn ms(millis: i64) -> Timestamp {
    Timestamp::from_millis(1_790_000_000_000 + millis)
}

fn pace() -> Pace {
    Pace { every: Duration::from_secs(30), timeout: Duration::from_secs(10) }
}

fn up(at: Timestamp, micros: u64) -> ProbeResult {
    ProbeResult::of_slot(at, Outcome::Up, Duration::from_micros(micros))
}

fn block(series: Vec<BlockSeries>) -> Block {
    Block { agent: "seoul-1".parse().unwrap(), seq: 7, series, tombstones: Vec::new() }
}

fn one_series(results: Vec<ProbeResult>) -> Block {
    let (service, check) = ("apm-prod".parse().unwrap(), "login".parse().unwrap());
    block(vec![BlockSeries { service, check, pace: pace(), results, notes: Vec::new() }])
}

/// Puts `payload` into a frame whose checksum is right.
fn sealed(payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x08, 1, 0x15];
    bytes.extend(crc32fast::hash(payload).to_le_bytes());
    bytes.push(0x1a);
    prost::encode_length_delimiter(payload.len(), &mut bytes).unwrap();
    bytes.extend(payload);
    bytes
}

/// The payload of an encoded block, whose frame is drawn in the module's first lines.
fn payload(block: &Block) -> Vec<u8> {
    let bytes = block.encode();
    let mut rest = &bytes[8..];
    prost::decode_length_delimiter(&mut rest).unwrap();
    rest.to_vec()
}

fn any_result() -> impl Strategy<Value = (i64, u8, u8, u64, Weight)> {
    let at = prop_oneof![0..100_000_i64, AT_MIN.as_millis()..Timestamp::MAX.as_millis()];
    let elapsed = prop_oneof![Just(0_u64), 0..60_000_000_u64, any::<u64>()];
    let weight = prop_oneof![3 => Just(Weight::Slot), 1 => Just(Weight::Extra)];
    (at, 0..3_u8, any::<u8>(), elapsed, weight)
}

prop_compose! {
    fn any_series()(
        name in "[a-z]{1,8}",
        every in any::<u64>(),
        timeout in 0..60_000_000_u64,
        drawn in prop::collection::vec(any_result(), 1..60),
        noted in prop::collection::vec((any::<prop::sample::Index>(), "\\PC{1,20}"), 0..4),
    ) -> BlockSeries {
        let noted = noted.into_iter().map(|(index, text)| (index.index(drawn.len()), text));
        let noted: alloc::collections::BTreeMap<usize, String> = noted.collect();
        let note = |(index, text): (usize, String)| {
            Some(BlockNote { result: u32::try_from(index).unwrap(), note: Note::new(&text)? })
        };
        let mut results: Vec<_> = drawn.into_iter().map(|(at, kind, cause, elapsed, weight)| {
            let kind = [OutcomeKind::Up, OutcomeKind::Down, OutcomeKind::Void][usize::from(kind)];
            ProbeResult {
                at: Timestamp::from_millis(at.max(AT_MIN.as_millis())),
                outcome: Outcome::new(kind, Some(Cause::from_code(cause))),
                elapsed: Duration::from_micros(elapsed),
                weight,
            }
        }).collect();
        results.sort_by_key(|result| result.at);
        BlockSeries {
            service: name.parse().unwrap(),
            check: "c".parse().unwrap(),
            pace: Pace { every: Duration::from_micros(every), timeout: Duration::from_micros(timeout) },
            results,
            notes: noted.into_iter().filter_map(note).collect(),
        }
    }
}

prop_compose! {
    fn any_block()(
        seq in any::<u64>(),
        series in prop::collection::vec(any_series(), 0..5),
        dropped in prop::collection::vec((0..1_000_000_i64, 1..1_000_000_i64, any::<u64>()), 0..3),
    ) -> Block {
        let tombstones = dropped.into_iter().map(|(from, length, results)| Tombstone {
            from: ms(from), until: ms(from + length), results, cause: Cause::SpoolFull,
        }).collect();
        Block { agent: "서울 1".parse().unwrap(), seq, series, tombstones }
    }
}

proptest! {
    #[test]
    fn a_block_survives_its_bytes_and_gives_the_same_bytes_again(block in any_block()) {
        let bytes = block.encode();
        let again = Block::decode(&bytes).unwrap();
        prop_assert_eq!(&again, &block);
        prop_assert_eq!(again.encode(), bytes);
    }

    #[test]
    fn one_checks_series_read_alone_are_those_of_the_whole(block in any_block()) {
        let bytes = block.encode();
        for BlockSeries { service, check, .. } in &block.series {
            let own = block.series.iter().filter(|series| (&series.service, &series.check) == (service, check));
            let own: Vec<BlockSeries> = own.cloned().collect();
            prop_assert_eq!(Block::decode_series(&bytes, service, check).unwrap(), own);
        }
    }

    #[test]
    fn any_changed_cut_or_added_byte_is_noticed(block in any_block(), at in any::<prop::sample::Index>(), flip in 1..=255_u8) {
        let bytes = block.encode();
        let mut changed = bytes.clone();
        changed[at.index(bytes.len())] ^= flip;
        prop_assert!(Block::decode(&changed).is_err());
        prop_assert!(Block::decode(&bytes[..at.index(bytes.len())]).is_err());
        let mut longer = bytes;
        longer.push(flip);
        prop_assert!(Block::decode(&longer).is_err());
    }

    #[test]
    fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(Block::decode(&bytes).is_err());
        let _ = Block::decode(&sealed(&bytes));
    }

    #[test]
    fn a_forged_payload_is_refused_or_read_as_a_valid_block(
        block in any_block(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let mut payload = payload(&block);
        for (at, byte) in changes {
            let at = at.index(payload.len());
            payload[at] = byte;
        }
        if let Ok(forged) = Block::decode(&sealed(&payload)) {
            prop_assert!(forged.len() <= RESULTS_MAX);
            prop_assert!(forged.series.iter().all(|series| series.results.is_sorted_by_key(|result| result.at)));
            prop_assert_eq!(Block::decode(&forged.encode()), Ok(forged));
        }
    }

}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn what_a_builder_gathered_fits_and_is_sorted(
        names in prop::collection::vec(("[a-z]{1,200}", "[a-z]{1,200}"), 1..40),
        steps in prop::collection::vec(any::<u32>(), 1..5000),
    ) {
        let (mut builder, mut gathered) = (Builder::default(), 0);
        for (i, step) in steps.iter().enumerate() {
            let (service, check) = &names[i % names.len()];
            let result = up(ms(i64::from(*step) * 997), u64::MAX);
            gathered += 1;
            let note = Note::new(&"x".repeat(usize::try_from(step % 700).unwrap()));
            if builder.push_noted(service.parse().unwrap(), check.parse().unwrap(), pace(), result, note) == Room::Full {
                break;
            }
        }
        let block = builder.build("a".parse().unwrap(), u64::MAX);
        prop_assert!(builder.is_empty());
        prop_assert_eq!(block.len(), gathered);
        prop_assert_eq!(Block::decode(&block.encode()), Ok(block));
    }
}

#[test]
fn the_bytes_of_version_one_never_change() {
    let results = vec![
        up(ms(0), 48_123),
        up(ms(30_001), 48_500),
        up(ms(60_000), 47_000),
        ProbeResult::of_slot(ms(90_000), Outcome::Down(Cause::Timeout), Duration::from_secs(10)),
    ];
    let mut block = one_series(results);
    block.tombstones.push(Tombstone { from: ms(-60_000), until: ms(0), results: 2, cause: Cause::SpoolFull });
    let hex: alloc::string::String = block.encode().iter().map(|byte| alloc::format!("{byte:02x}")).collect();
    assert_eq!(
        hex,
        "080115d2d1260d1a5f0a0773656f756c2d3110071a3e0a0861706d2d70726f6412056c6f67696e188087a70e2080ade2042880b083c598683205e2d40303023a04000315014098ef024a09e308dc0b00e8bddf04221208c086fcc498681080b083c5986818022046"
    );
}

#[test]
fn the_bytes_of_results_without_weight_never_change() {
    let extra = |at| ProbeResult { weight: Weight::Extra, ..up(ms(at), 20) };
    let results = vec![extra(0), up(ms(5_000), 10), extra(10_000), extra(15_000), up(ms(20_000), 10)];
    let hex = |block: &Block| payload(block).iter().map(|byte| alloc::format!("{byte:02x}")).collect::<String>();
    let with = hex(&one_series(results.clone()));
    let all_due = results.iter().map(|result| ProbeResult { weight: Weight::Slot, ..*result });
    let without = hex(&one_series(all_due.collect()));
    assert_eq!(
        with,
        concat!(
            "0a0773656f756c2d3110071a3c0a0861706d2d70726f6412056c6f67696e188087a70e2080ade2042880b083c59868",
            "3205904e0000003a020005400a4a050a000a0a00520400010102"
        )
    );
    assert_eq!(without.len() + 2 * "\x52\x04\x00\x01\x01\x02".len(), with.len(), "no weight, no bytes");
    assert!(with.ends_with("520400010102"));
}

#[test]
fn the_bytes_of_notes_never_change_and_without_notes_there_are_none() {
    let results = vec![up(ms(0), 20), up(ms(30_000), 20)];
    let bare = one_series(results);
    let mut noted = bare.clone();
    noted.series[0].notes = vec![BlockNote { result: 1, note: Note::new("503 \u{7}").unwrap() }];
    let (with, without) = (payload(&noted), payload(&bare));
    let note = [0x5a, 13, 0x08, 1, 0x12, 9];
    assert!(with.ends_with(&[&note[..], b"503 \\u{7}"].concat()));
    assert_eq!(with.len(), without.len() + note.len() + 9);
    assert_eq!(noted.without_latency(), bare.without_latency(), "a full spool keeps no notes");
    let found: Vec<_> = noted.series[0].noted().map(|(_, note)| note.map(Note::as_str)).collect();
    assert_eq!(found, [None, Some("503 \\u{7}")]);
}

#[test]
fn notes_that_do_not_fit_their_results_are_refused_and_hostile_ones_made_harmless() {
    let bytes = payload(&one_series(vec![up(ms(0), 0), up(ms(1), 0)]));
    let with = |notes: &[u8]| {
        let mut bytes = bytes.clone();
        let series = bytes.iter().position(|byte| *byte == 0x1a).unwrap() + 1;
        bytes[series] += u8::try_from(notes.len()).unwrap();
        bytes.extend(notes);
        Block::decode(&sealed(&bytes)).map(|block| block.series[0].notes.clone())
    };
    let hostile = with(&[0x5a, 5, 0x12, 3, 0x1b, b'[', b'm']).unwrap();
    assert_eq!((hostile[0].result, hostile[0].note.as_str()), (0, "\\u{1b}[m"));
    assert_eq!(with(&[0x5a, 2, 0x08, 1]), Ok(Vec::new()), "no text is no note");
    let beyond = with(&[0x5a, 5, 0x08, 2, 0x12, 1, b'x']);
    assert_eq!(beyond, Err(BlockError::Content("a note on a result that it has not")));
    let twice = with(&[0x5a, 3, 0x12, 1, b'x', 0x5a, 3, 0x12, 1, b'y']);
    assert_eq!(twice, Err(BlockError::Content("notes out of order")));
}

#[test]
fn weights_that_do_not_fit_their_results_are_refused() {
    let bytes = payload(&one_series(vec![up(ms(0), 0), up(ms(1), 0)]));
    let with = |weights: &[u8]| {
        let mut bytes = bytes.clone();
        let series = bytes.iter().position(|byte| *byte == 0x1a).unwrap() + 1;
        bytes[series] += 2 + u8::try_from(weights.len()).unwrap();
        bytes.extend([0x52, u8::try_from(weights.len()).unwrap()]);
        bytes.extend(weights);
        Block::decode(&sealed(&bytes)).map(|block| block.series[0].results.iter().map(|result| result.weight).collect())
    };
    let (slot, extra) = (Weight::Slot, Weight::Extra);
    assert_eq!(with(&[1, 1]), Ok(vec![slot, extra]));
    assert_eq!(with(&[0, 2]), Ok(vec![extra, extra]));
    for amiss in [&[1, 2][..], &[3, 1], &[1], &[1, 0], &[0, 1, 0, 1], &[0, 1, 1]] {
        assert_eq!(with(amiss), Err(BlockError::Content("weights that don't fit its results")), "{amiss:?}");
    }
}

#[test]
fn results_that_share_an_instant_are_kept_both() {
    let block = one_series(vec![up(ms(0), 10), up(ms(0), 20)]);
    assert_eq!(Block::decode(&block.encode()).unwrap().len(), 2);
}

#[test]
fn what_breaks_the_format_is_refused_for_what_it_is() {
    let check = |bytes: &[u8], message: &str| assert_eq!(Block::decode(bytes).unwrap_err().to_string(), message);
    let bytes_of = |results| one_series(results).encode();
    let long: Vec<_> = (0..=RESULTS_MAX as i64).map(|i| up(ms(i), 1)).collect();
    let many = (0..=RESULTS_MAX).map(|_| one_series(vec![up(ms(0), 1)]).series.remove(0)).collect();
    let mut later = bytes_of(vec![up(ms(0), 1)]);
    later[1] = 2;
    let mut backwards = block(Vec::new());
    backwards.tombstones.push(Tombstone { from: ms(1), until: ms(1), results: 1, cause: Cause::SpoolFull });
    check(b"", "a block's frame is cut short");
    check(&later, "a block has version 2; this program reads version 1");
    check(&vec![8; BYTES_MAX + 1], "a block is 262145 bytes long; at most 262144 are allowed");
    check(&bytes_of(vec![up(ms(1), 1), up(ms(0), 1)]), "a block has results out of order");
    check(&bytes_of(vec![up(Timestamp::from_millis(12), 1)]), "a block has an absurd time");
    check(&bytes_of(Vec::new()), "a block has outcomes that don't add up to its results");
    check(&bytes_of(long), "a block has too many results");
    check(&block(many).encode(), "a block has more series than a block may have results");
    check(&backwards.encode(), "a block has a tombstone that ends before it begins");
    check(&sealed(&[0x0a, 2, b'a']), "a block's payload does not decode: a field is cut short");
    check(&sealed(&[0x08, 1]), "a block's payload does not decode: a field is of another kind than it should be");
    check(&sealed(&[0x0a, 1, 0xff]), "a block's payload does not decode: a name is not UTF-8");
    check(&sealed(&[0x10; 1]), "a block's payload does not decode: a number is cut short or longer than 64 bits");
    check(&sealed(&[0x1a, 3, 0x32, 1, 0x80]), "a block's payload does not decode: a column ends within a number");
    check(&sealed(&[0x00, 1]), "a block's payload does not decode: a field has an impossible number");
    check(&sealed(&[0x7b].repeat(200)), "a block's payload does not decode: its groups lie too deep in one another");
    check(&sealed(&[0x7c]), "a block's payload does not decode: a field is of no known kind");
    check(&sealed(&[0x0a, 1, b'/']), "a block has a bad name: the name `/` has a slash; leave it out");
}

#[test]
fn without_latency_a_block_keeps_outcomes_and_shrinks_by_half() {
    let block = one_series((0..512).map(|i| up(ms(i * 30_000 + i % 7), 48_000 + 97 * (i as u64 % 31))).collect());
    let bare = Block::decode(&block.without_latency().encode()).unwrap();
    assert!(bare.series[0].results.iter().all(|result| result.elapsed == Duration::ZERO));
    assert_eq!((bare.span(), bare.len(), bare.seq), (block.span(), 512, 7));
    assert!(2 * bare.encode().len() < block.encode().len());
}

#[test]
fn a_buried_block_counts_what_was_in_it_and_covers_its_time() {
    let mut block = one_series(vec![up(ms(5), 1), up(ms(9), 1)]);
    block.tombstones.push(Tombstone { from: ms(1), until: ms(3), results: 40, cause: Cause::SpoolFull });
    let buried = block.buried(Cause::SpoolFull);
    assert_eq!(buried.tombstones, [Tombstone { from: ms(1), until: ms(10), results: 42, cause: Cause::SpoolFull }]);
    assert_eq!((buried.seq, buried.span()), (7, block.span()));
}

#[test]
fn a_usual_result_takes_at_most_six_bytes() {
    // Four checks every 30 s with scheduling jitter and log-normal-like latency, 64 results each.
    let noise = |i: i64, m: i64| ((i * 2_654_435_761).rem_euclid(1 << 32) * m) >> 32;
    let series = |name: &str| BlockSeries {
        notes: Vec::new(),
        service: "apm-prod".parse().unwrap(),
        check: name.parse().unwrap(),
        pace: pace(),
        results: (0..64)
            .map(|i| up(ms(i * 30_000 + noise(i, 40)), 45_000 + noise(i + 7, 30_000).cast_unsigned()))
            .collect(),
    };
    let block = block(["login", "port", "search", "create"].map(series).to_vec());
    let bytes = block.encode().len();
    assert!(bytes <= 6 * block.len(), "{bytes} bytes for {} results", block.len());
}
