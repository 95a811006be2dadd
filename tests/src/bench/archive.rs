//! An hour of evidence sealed into Parquet: its bytes, the work, and the way back. In this process, on real files.

use super::Effort;
use super::freight::Shape;
use super::machine::{self, micros_each};
use super::table::{Goal, Row};
use collector::archive::store::Store;
use collector::archive::{Archive, Promised, Sealed, deepened};
use collector::ledger::{self, Advance, Ledger, StoredBlock};
use collector::rebuild::rebuild;
use config::collector::evidence::StoreUrl;
use daemon::clock::Clock;
use rules::block::Block;
use rules::time::Timestamp;
use std::sync::Arc;
use std::time::Duration;

const AGENTS: [&str; 3] = ["a0", "a1", "a2"];

pub(crate) async fn rows(effort: Effort) -> Vec<Row> {
    let mut rows = Vec::new();
    for (what, blocks) in [("an hour", 30), ("a day", effort.of(720, 60))] {
        let shape = Shape { series: 100, each: 4, blocks };
        rows.extend(case(what, shape).await);
    }
    rows
}

async fn case(what: &str, shape: Shape) -> Vec<Row> {
    let directory = tempfile::tempdir().unwrap();
    let clock = Clock::system();
    let now = clock.wall();
    let own = ledger::open(&format!("sqlite:{}", directory.path().join("ledger.db").display())).await.unwrap();
    for agent in AGENTS {
        fill(&*own, agent, shape.encode(agent, now), now).await;
    }
    let store = directory.path().join("evidence");
    let archive = Archive::new(Arc::clone(&own), Store::open(&StoreUrl::Directory(store.clone())).unwrap());
    let archive = Arc::new(archive);
    let deep = deepened(own, Some(&archive));
    // What is derived comes first: a block without a checkpoint is not forgotten.
    rebuild(&*deep).await.unwrap();
    let results = (AGENTS.len() * shape.blocks * shape.block()) as f64;

    let sealing =
        spent(async { while let Sealed::Seal(_) = archive.seal(&Promised::default(), now).await.unwrap() {} }).await;
    let verifying = spent(async { assert_ne!(archive.verify(now).await.unwrap(), 0) }).await;
    let bytes = machine::bytes_on_disk(&store) as f64;
    archive.forget(Duration::ZERO, now).await.unwrap();
    let rebuilding = spent(async { drop(rebuild(&*deep).await.unwrap()) }).await;
    let rebuilt = results / rebuilding.max(Duration::from_millis(1)).as_secs_f64();
    vec![
        Row::new(format!("archive, {what} of 300 series"), "bytes a result", bytes / results).goal(Goal::AtMost(3.0)),
        Row::new(format!("sealing {what}, CPU a result"), "µs", micros_each(sealing, results)),
        Row::new(format!("verifying {what}, CPU a result"), "µs", micros_each(verifying, results)),
        Row::new(format!("`rebuild` of {what} from the archive"), "results a CPU second", rebuilt),
    ]
}

/// The CPU time that this process spends on `work`.
async fn spent(work: impl Future<Output = ()>) -> Duration {
    let process = std::process::id();
    let before = machine::cpu(process);
    work.await;
    machine::cpu(process).saturating_sub(before)
}

async fn fill(ledger: &dyn Ledger, agent: &str, blocks: Vec<Vec<u8>>, now: Timestamp) {
    let agent = agent.parse().unwrap();
    let lane = ledger.grant(&agent, 1, now).await.unwrap();
    let stored = (0..).zip(blocks).map(|(position, bytes)| {
        let block = Block::decode(&bytes).unwrap();
        let results = u32::try_from(block.len()).unwrap();
        let (incarnation, seq, span) = (lane.incarnation, block.seq, block.span());
        StoredBlock { position, incarnation, seq, received_at: now, span, results, bytes }
    });
    let blocks: Vec<StoredBlock> = stored.collect();
    let next_seq_after = blocks.last().map_or(1, |block| block.seq + 1);
    let advance = Advance {
        agent,
        position: 0,
        incarnation: lane.incarnation,
        next_seq: 1,
        next_seq_after,
        blocks,
        effects: Vec::new(),
        checkpoint: None,
        quarantined: Vec::new(),
    };
    ledger.commit(vec![advance]).await.unwrap();
}
