//! The peer of the collector: Debian's `victoria-metrics`, given two samples for each of our results.

use super::blackbox::free_address;
use super::freight::Shape;
use super::machine;
use reqwest::Client;
use rules::outcome::Outcome;
use rules::time::Timestamp;
use rustix::process::{Pid, Signal, kill_process};
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;
use tests::patience::eventually;
use tokio::task::JoinSet;

/// A VictoriaMetrics that runs on an empty directory.
#[derive(Debug)]
pub(crate) struct Victoria {
    child: Child,
    client: Client,
    address: SocketAddr,
    dir: TempDir,
}

/// What it took.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Taken {
    /// CPU time for a result.
    pub(crate) micros: f64,
    /// Bytes for a result, once it has written everything and ended.
    pub(crate) bytes: f64,
}

impl Victoria {
    /// Starts it; nothing if it is not installed.
    pub(crate) async fn start() -> Option<Victoria> {
        let (dir, address) = (TempDir::new().unwrap(), free_address());
        let mut command = Command::new("victoria-metrics");
        command.arg(format!("-httpListenAddr={address}")).arg("-retentionPeriod=100y");
        command.arg(format!("-storageDataPath={}", dir.path().display()));
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().ok()?;
        let client = Client::builder().no_proxy().build().unwrap();
        let victoria = Victoria { child, client, address, dir };
        eventually("VictoriaMetrics answers", async || victoria.ask("/health").await).await;
        Some(victoria)
    }

    /// Imports what as many agents would send, each block as one request of JSON lines.
    pub(crate) async fn import(mut self, shape: Shape, agents: usize, now: Timestamp) -> Taken {
        let posts: Vec<Vec<String>> = (0..agents).map(|agent| lines(shape, agent, now)).collect();
        let before = machine::cpu(self.child.id());
        let mut sending = JoinSet::new();
        for posts in posts {
            let (client, url) = (self.client.clone(), format!("http://{}/api/v1/import", self.address));
            sending.spawn(async move {
                for post in posts {
                    client.post(&url).body(post).send().await.unwrap().error_for_status().unwrap();
                }
            });
        }
        sending.join_all().await;
        self.ask("/internal/force_flush").await.unwrap();
        let cpu = machine::cpu(self.child.id()).saturating_sub(before);
        // Only when it ends has it written everything.
        kill_process(Pid::from_child(&self.child), Signal::TERM).unwrap();
        self.child.wait().unwrap();
        let results = (agents * shape.blocks * shape.block()) as f64;
        let bytes = machine::bytes_on_disk(self.dir.path());
        Taken { micros: machine::micros_each(cpu, results), bytes: bytes as f64 / results }
    }

    async fn ask(&self, path: &str) -> Result<(), String> {
        let asked = self.client.get(format!("http://{}{path}", self.address)).send().await;
        asked.and_then(reqwest::Response::error_for_status).map(drop).map_err(|error| error.to_string())
    }
}

impl Drop for Victoria {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// One agent's blocks in the form that is cheapest to import: a line a series, with arrays.
fn lines(shape: Shape, agent: usize, now: Timestamp) -> Vec<String> {
    let block = |block: usize| {
        let mut text = String::new();
        for series in 0..shape.series {
            let (service, check) = Shape::names(series);
            let results = shape.results(series, block, now);
            let list = |of: &dyn Fn(usize) -> String| (0..results.len()).map(of).collect::<Vec<_>>().join(",");
            let at = list(&|index| results[index].at.as_millis().to_string());
            let success = list(&|index| u8::from(results[index].outcome == Outcome::Up).to_string());
            let seconds = list(&|index| results[index].elapsed.as_secs_f64().to_string());
            for (name, values) in [("probe_success", success), ("probe_duration_seconds", seconds)] {
                let metric =
                    format!(r#"{{"__name__":"{name}","agent":"a{agent}","service":"{service}","check":"{check}"}}"#);
                let _ = writeln!(text, r#"{{"metric":{metric},"values":[{values}],"timestamps":[{at}]}}"#);
            }
        }
        text
    };
    (0..shape.blocks).map(block).collect()
}
