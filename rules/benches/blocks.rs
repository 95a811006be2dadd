//! Results a second through blocks: to bytes, from bytes, and from bytes to runs and latency sums.
//!
//! Run by hand with `cargo bench -p rules`; the figures that matter are in elements a second.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use rules::block::{Block, BlockSeries};
use rules::latency::Population;
use rules::outcome::{Cause, Outcome};
use rules::result::{Pace, ProbeResult};
use rules::run::Series;
use rules::time::Timestamp;
use std::time::Duration;

/// Blocks as series and results of each: small and full ones, of one check and of many.
const SHAPES: [(u64, u64); 4] = [(1, 256), (16, 16), (1, 4096), (64, 64)];

/// How many blocks of a shape take turns, so that no branch predictor knows one by heart.
const BLOCKS: u64 = 32;

/// Results every 30 s with jitter and noisy latency, of which a stretch in fifty is down.
fn block((series, results): (u64, u64), seq: u64) -> Block {
    let noise = |i: u64, below: u64| ((i.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) * below) >> 32;
    let result = |i: u64| {
        ProbeResult::of_slot(
            Timestamp::from_millis(1_790_000_000_000 + 30_000 * i.cast_signed() + noise(i, 40).cast_signed()),
            if noise(i / 8, 50) == 0 { Outcome::Down(Cause::Timeout) } else { Outcome::Up },
            Duration::from_micros(45_000 + noise(i + 7, 30_000)),
        )
    };
    let of_check = |check: u64| BlockSeries {
        service: "apm-prod".parse().expect("it is a name"),
        check: format!("check-{check}").parse().expect("it is a name"),
        pace: Pace { every: Duration::from_secs(30), timeout: Duration::from_secs(10) },
        notes: Vec::new(),
        results: (seq * results..(seq + 1) * results).map(result).collect(),
    };
    Block {
        agent: "seoul-1".parse().expect("it is a name"),
        seq,
        series: (0..series).map(of_check).collect(),
        tombstones: Vec::new(),
    }
}

/// What a replay does with the results of a block.
fn fold(block: &Block) -> (usize, Population) {
    let (mut runs, mut population) = (0, Population::default());
    for part in &block.series {
        let mut series = Series::default();
        for result in &part.results {
            series.push(result, part.pace);
            population.add(result, part.pace);
        }
        runs += series.runs().len();
    }
    (runs, population)
}

fn blocks(criterion: &mut Criterion) {
    for shape in SHAPES {
        let blocks: Vec<_> = (0..BLOCKS).map(|seq| block(shape, seq)).collect();
        let bytes: Vec<_> = blocks.iter().map(Block::encode).collect();
        let (mut blocks, mut bytes) = (blocks.iter().cycle(), bytes.iter().cycle());
        let mut group = criterion.benchmark_group(format!("{}x{}", shape.0, shape.1));
        group.throughput(Throughput::Elements(shape.0 * shape.1));
        group.bench_function("encode", |bench| bench.iter(|| blocks.next().map(Block::encode)));
        group.bench_function("fold", |bench| bench.iter(|| blocks.next().map(fold)));
        group.bench_function("decode", |bench| bench.iter(|| bytes.next().map(|bytes| Block::decode(bytes))));
        group.bench_function("decode and fold", |bench| {
            bench.iter(|| bytes.next().map(|bytes| Block::decode(bytes).map(|block| fold(&block))));
        });
        group.finish();
    }
}

criterion_group!(benches, blocks);
criterion_main!(benches);
