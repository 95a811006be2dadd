//! The books: what agents kept against what collectors say, once everything has come to rest.

use super::{AGREEMENT, Agent, World};
use crate::console::Console;
use crate::patience::{eventually, holds};
use crate::{program, spool};
use rules::block::Block;
use serde_json::Value;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// The end of an agent's configuration that lets it rest.
const NO_CHECKS: &str = "\nchecks: []\n";

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
        for agent in &mut self.agents {
            agent.program.stop().await;
        }
        let mut kept = self.wiped.clone();
        for agent in &self.agents {
            kept.entry(agent.name.clone()).or_default().extend(agent.kept());
        }
        let results = self.file("results.ndjson");
        std::fs::write(&results, spool::lines(kept.values().flatten())).unwrap();
        for collector in &self.collectors {
            self.reconcile(&collector.console, &kept, results.as_ref()).await;
        }
    }

    /// Deletes an agent's spool once the collectors have all of it, and lets the agent begin anew.
    pub async fn wipe_spool(&mut self, index: usize) {
        let agent = &mut self.agents[index];
        agent.rest().await;
        agent.program.stop().await;
        self.wiped.entry(agent.name.clone()).or_default().extend(agent.kept());
        std::fs::remove_dir_all(agent.spool()).unwrap();
        agent.resume();
    }

    /// Copies an agent's spool while the agent is stopped, and lets it go on.
    pub async fn back_up_spool(&mut self, index: usize) -> PathBuf {
        let copy = self.file("a copy of the spool");
        let agent = &mut self.agents[index];
        agent.rest().await;
        agent.program.stop().await;
        std::fs::create_dir(&copy).unwrap();
        for file in std::fs::read_dir(agent.spool()).unwrap() {
            let file = file.unwrap();
            std::fs::copy(file.path(), copy.join(file.file_name())).unwrap();
        }
        agent.resume();
        copy
    }

    /// Puts a copy in the place of an agent's spool, once the collectors have all of that.
    pub async fn roll_back_spool(&mut self, index: usize, copy: &Path) {
        let agent = &mut self.agents[index];
        agent.rest().await;
        agent.program.stop().await;
        let common = spool::blocks(copy).len();
        self.wiped.entry(agent.name.clone()).or_default().extend(agent.kept().into_iter().skip(common));
        std::fs::remove_dir_all(agent.spool()).unwrap();
        std::fs::rename(copy, agent.spool()).unwrap();
        agent.resume();
    }

    async fn reconcile(&self, console: &Console, kept: &BTreeMap<String, Vec<Block>>, results: &OsStr) {
        for (agent, blocks) in kept {
            let all = blocks.len() as u64;
            eventually(&format!("all blocks of {agent} are committed"), async || {
                let committed = console.blocks(agent).await;
                holds(committed == all, || format!("{committed} of {all}"))
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
    /// Every block in its spool, which must be all from the first.
    fn kept(&self) -> Vec<Block> {
        let blocks: Vec<Block> = spool::blocks(self.spool()).into_iter().map(|(block, _)| block).collect();
        let numbers: Vec<u64> = blocks.iter().map(|block| block.seq).collect();
        assert_eq!(numbers, (1..=blocks.len() as u64).collect::<Vec<_>>(), "the spool of {} has a hole", self.name);
        blocks
    }

    /// Gives it back its checks and starts it.
    fn resume(&mut self) {
        self.reconfigure(|text| text.replace(NO_CHECKS, ""));
        self.restart();
    }

    /// Takes away its checks, and waits until all that it has seen is durable and sent.
    async fn rest(&mut self) {
        self.program.logged("Agent started").await;
        self.reconfigure(|text| format!("{}{NO_CHECKS}", text.split("\nchecks:").next().unwrap()));
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
