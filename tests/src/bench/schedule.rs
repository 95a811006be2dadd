//! An agent with few and with many checks: what it takes in memory, and how late its probes begin.

use super::Effort;
use super::authority::Authority;
use super::blackbox::{Blackbox, Who};
use super::fleet::Fleet;
use super::machine;
use super::table::{Goal, Row};
use daemon::clock::Clock;
use std::process::{Command, Stdio};
use std::time::Duration;
use tests::exposition::{sample, sum};
use tests::target::Target;

const LATENESS: &str = "nines_agent_schedule_lateness_seconds";

/// The core that an agent with many checks has to do with.
const CORE: &str = "0";

pub(crate) async fn rows(effort: Effort) -> Vec<Row> {
    let target = Target::start();
    let (check, every) =
        (format!("http: '{}'", target.url()), effort.of(Duration::from_secs(30), Duration::from_secs(1)));
    // Long enough for each check to have been probed twice.
    let settled = every * 2;

    let few = Fleet::start(effort.of(100, 10), &check, every).await;
    Clock::system().sleep(settled).await;
    let few_mb = machine::resident_mb(few.id());
    drop(few);

    let many = Fleet::start(effort.of(10_000, 200), &check, every).await;
    pin(many.id());
    Clock::system().sleep(every).await;
    let before = many.metrics().await;
    let cpu = machine::cpu(many.id());
    Clock::system().sleep(settled).await;
    let cpu = machine::cpu(many.id()).saturating_sub(cpu);
    let after = many.metrics().await;
    let many_mb = machine::resident_mb(many.id());
    let missed = sum(&after, "nines_agent_slots_missed_total") - sum(&before, "nines_agent_slots_missed_total");
    let p99_ms = quantile(&before, &after, 0.99) * 1e3;
    drop(many);

    let peer = Blackbox::start(Who::Peer, Authority::new().file()).await.map(|blackbox| blackbox.resident_mb());
    vec![
        Row::new("agent memory, 100 checks every 30 s", "MB", few_mb).peer(peer).goal(Goal::AtMost(15.0)),
        Row::new("agent memory, 10 000 checks every 30 s", "MB", many_mb).peer(peer).goal(Goal::AtMost(64.0)),
        Row::new("probes begun after their slot, p99, 10 000 checks, one core", "ms", p99_ms).goal(Goal::AtMost(2.0)),
        Row::new("slots missed in a minute, 10 000 checks, one core", "slots", missed).goal(Goal::AtMost(0.0)),
        Row::new(
            "agent with 10 000 checks every 30 s, CPU",
            "ms a second",
            cpu.as_secs_f64() * 1e3 / settled.as_secs_f64(),
        ),
    ]
}

fn pin(process: u32) {
    let mut command = Command::new("taskset");
    command.args(["--all-tasks", "--cpu-list", "--pid", CORE]).arg(process.to_string()).stdout(Stdio::null());
    assert!(command.status().is_ok_and(|status| status.success()), "taskset is not here: apt-get install util-linux");
}

/// Below which value so large a share of what was observed between two pages lies, straight within a bucket.
fn quantile(before: &str, after: &str, share: f64) -> f64 {
    let bucket = |page: &str, bound: &str| sample(page, &format!("{LATENESS}_bucket{{le=\"{bound}\"}}")).unwrap();
    let bounds =
        after.lines().filter_map(|line| line.strip_prefix(LATENESS)?.strip_prefix("_bucket{le=\"")?.split_once('"'));
    let bounds: Vec<&str> = bounds.map(|(bound, _)| bound).collect();
    let counts: Vec<f64> = bounds.iter().map(|bound| bucket(after, bound) - bucket(before, bound)).collect();
    let wanted = share * counts.last().unwrap();
    let index = counts.iter().position(|count| wanted <= *count).unwrap();
    let upper: f64 = bounds[index].parse().unwrap();
    let (lower, below) = match index.checked_sub(1) {
        Some(index) => (bounds[index].parse().unwrap(), counts[index]),
        None => (0.0, 0.0),
    };
    lower + (upper - lower) * (wanted - below) / (counts[index] - below)
}
