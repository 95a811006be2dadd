//! The books: what agents kept against what collectors say, once everything has come to rest.

use super::{AGREEMENT, Agent, World};
use crate::console::Console;
use crate::patience::{eventually, holds};
use crate::{program, spool};
use rules::block::Block;
use serde_json::Value;
use std::collections::BTreeMap;
use std::ffi::OsStr;

impl World {
    /// Lets every agent stop probing, and waits until all that they have is durable and sent.
    pub async fn come_to_rest(&mut self) {
        for agent in &mut self.agents {
            agent.rest().await;
        }
    }

    /// Stops all agents and holds every collector's account against their spools: each block counted once, each figure
    /// as `replay` draws it up from the same results.
    pub async fn stop_and_reconcile(&mut self) {
        self.come_to_rest().await;
        let mut kept: BTreeMap<String, Vec<Block>> = BTreeMap::new();
        for agent in &mut self.agents {
            agent.program.stop().await;
            let blocks = spool::blocks(agent.spool()).into_iter().map(|(block, _)| block).collect();
            kept.insert(agent.name.clone(), blocks);
        }
        let results = self.file("results.ndjson");
        std::fs::write(&results, spool::lines(kept.values().flatten())).unwrap();
        for collector in &self.collectors {
            self.reconcile(&collector.console, &kept, results.as_ref()).await;
        }
    }

    async fn reconcile(&self, console: &Console, kept: &BTreeMap<String, Vec<Block>>, results: &OsStr) {
        for (agent, blocks) in kept {
            let last = blocks.last().map_or(0, |block| block.seq);
            assert_eq!(last, blocks.len() as u64, "the spool of {agent} has every block from the first");
            eventually(&format!("all blocks of {agent} are committed"), async || {
                let committed = console.blocks(agent).await;
                holds(committed == last, || format!("{committed} of {last}"))
            })
            .await;
        }
        let statement = console.statement(AGREEMENT, &self.period()).await;
        let replayed = self.replay(results, &statement["statement"]);
        assert_same(&statement["services"], &replayed["services"]);
    }

    /// The statement that `replay` draws up from results in a file, for the month and as of the instant of another.
    pub fn replay(&self, results: &OsStr, like: &Value) -> Value {
        let config = self.collector_config();
        let mut arguments: Vec<&OsStr> = ["collector", "replay", "--config"].map(OsStr::new).to_vec();
        arguments.extend([config.as_ref(), "--results".as_ref(), results]);
        arguments.extend(["--period", like["period"].as_str().unwrap()].map(OsStr::new));
        if let Some(as_of) = like["as_of"].as_str() {
            arguments.extend(["--as-of", as_of].map(OsStr::new));
        }
        serde_json::from_str(&program::answer(&arguments)).unwrap()
    }
}

impl Agent {
    /// Takes away its checks, and waits until all that it has seen is durable and sent.
    async fn rest(&mut self) {
        self.program.logged("Agent started").await;
        self.reconfigure(|text| format!("{}\nchecks: []\n", text.split("\nchecks:").next().unwrap()));
        self.has("nines_agent_checks", 0.0).await;
        for left in ["probes_running", "spool_queue_results", "spool_memory_results", "spool_results"] {
            self.has(&format!("nines_agent_{left}"), 0.0).await;
        }
    }
}

/// Fails with the places where two figures differ: whole statements would fill a screen.
fn assert_same(told: &Value, replayed: &Value) {
    let mut differences = Vec::new();
    compare(String::new(), told, replayed, &mut differences);
    assert!(differences.is_empty(), "the statement and a replay of the spools differ:\n{}", differences.join("\n"));
}

fn compare(place: String, told: &Value, replayed: &Value, differences: &mut Vec<String>) {
    match (told, replayed) {
        (Value::Object(one), Value::Object(other)) if one.keys().eq(other.keys()) => {
            one.iter().for_each(|(key, value)| compare(format!("{place}/{key}"), value, &other[key], differences));
        }
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
            let pairs = one.iter().zip(other).enumerate();
            pairs.for_each(|(at, (one, other))| compare(format!("{place}/{at}"), one, other, differences));
        }
        (one, other) if one == other => {}
        (one, other) => differences.push(format!("{place}: told {one}, replayed {other}")),
    }
}
