//! An agent of its own, without a collector, that probes many targets: what probing costs, and nothing else.

use super::machine;
use daemon::clock::Clock;
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::time::Duration;
use tempfile::TempDir;
use tests::console::Console;
use tests::exposition::sample;
use tests::patience::eventually;
use tests::program::{Program, address};

/// Checks of one service: as many as somebody would write by hand.
const SERVICE_CHECKS: usize = 5;

/// An agent that runs.
#[derive(Debug)]
pub(crate) struct Fleet {
    program: Program,
    console: Console,
    _dir: TempDir,
}

impl Fleet {
    /// An agent with `checks` checks, all of this target, such as `http: 'http://…'`, with these options.
    pub(crate) async fn start(checks: usize, target: &str, every: Duration) -> Fleet {
        let dir = TempDir::new().unwrap();
        let mut text = format!(
            "agent: bench\nspool: {{ dir: '{}' }}\nlisten: '127.0.0.1:0'\nchecks:\n",
            dir.path().join("spool").display()
        );
        for index in 0..checks {
            let (service, every) = (index / SERVICE_CHECKS, every.as_millis());
            let _ = writeln!(text, "  - {{ service: s{service}, check: c{index}, {target}, every: {every}ms }}");
        }
        let config = dir.path().join("agent.yaml");
        std::fs::write(&config, text).unwrap();
        let arguments: [&OsStr; 4] = ["agent".as_ref(), "run".as_ref(), "--config".as_ref(), config.as_ref()];
        let mut program = Program::start("the agent", &arguments);
        let console = Console::at(address(&program.logged("Agent started").await, "listen"));
        let fleet = Fleet { program, console, _dir: dir };
        eventually("the agent has its checks", async || {
            let page = fleet.metrics().await;
            let found = sample(&page, "nines_agent_checks").unwrap_or_default();
            tests::patience::holds(found == checks as f64, || format!("{found} checks"))
        })
        .await;
        fleet
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.program.id()
    }

    /// Its page of metrics.
    pub(crate) async fn metrics(&self) -> String {
        self.console.page("/metrics").await
    }

    /// How many probes it began.
    pub(crate) async fn began(&self) -> f64 {
        sample(&self.metrics().await, "nines_agent_schedule_lateness_seconds_count").unwrap()
    }

    /// CPU time and probes while it is watched for `length`.
    pub(crate) async fn watch(&self, length: Duration) -> (Duration, f64) {
        let (probes, cpu) = (self.began().await, machine::cpu(self.id()));
        Clock::system().sleep(length).await;
        let cpu = machine::cpu(self.id()).saturating_sub(cpu);
        (cpu, self.began().await - probes)
    }

    /// How many results were not up.
    pub(crate) async fn failures(&self) -> f64 {
        let page = self.metrics().await;
        let lines = page.lines().filter(|line| line.starts_with("nines_probe_results_total"));
        let failed = lines.filter(|line| !line.contains("outcome=\"up\""));
        failed.filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok()).sum()
    }
}
