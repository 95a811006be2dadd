//! An agent that is killed while it works: what it said was durable is there, and nothing is there twice.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use rules::block::Block;
use rules::id::CheckId;
use rules::time::Timestamp;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Another run of the same seed: `NINES_SEED=… cargo test -p agent --test killed`.
const SEED: &str = "NINES_SEED";
const CHECKS: usize = 40;
const KILLS: usize = 6;

fn nines_agent(config: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nines-agent"));
    command.args(["run", "--log", "json", "--config"]).arg(config).stderr(Stdio::piped()).env_remove("NINES_LOG");
    command
}

/// The configuration of an agent with many quick checks of `target`; its spool is in `dir/spool`.
fn configuration(dir: &Path, target: SocketAddr) -> PathBuf {
    let mut text = format!("agent: seoul-1\nlisten: 127.0.0.1:0\nspool: {{ dir: {:?} }}\nchecks:\n", dir.join("spool"));
    for number in 0..CHECKS {
        writeln!(text, "  - {{ service: apm, check: port-{number}, tcp: '{target}', every: 200ms, timeout: 200ms }}")
            .unwrap();
    }
    let file = dir.join("agent.yaml");
    std::fs::write(&file, text).unwrap();
    file
}

/// An agent's process; killed when dropped.
struct Running {
    child: Child,
    listen: SocketAddr,
}

impl Running {
    fn start(config: &Path) -> Running {
        let mut child = nines_agent(config).spawn().unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        while !line.contains("Agent started") {
            line.clear();
            assert_ne!(log.read_line(&mut line).unwrap(), 0, "the agent did not start");
        }
        let listen = line.split(r#""listen":""#).nth(1).and_then(|rest| rest.split('"').next()).unwrap();
        Running { listen: listen.parse().unwrap(), child }
    }

    /// Results that the agent says are durable.
    fn durable(&self) -> u64 {
        let mut stream = TcpStream::connect(self.listen).unwrap();
        stream.write_all(b"GET /metrics HTTP/1.1\r\nhost: agent\r\nconnection: close\r\n\r\n").unwrap();
        let mut page = String::new();
        stream.read_to_string(&mut page).unwrap();
        let said = page.lines().find_map(|line| line.strip_prefix("nines_agent_spool_results "));
        said.unwrap().parse().unwrap()
    }

    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A result is told from another of its check by when it began and, to the microsecond, by how long it took.
type Found = (CheckId, Timestamp, Duration);

/// What lies in the spool: its blocks' numbers in order, and every result.
fn found(dir: &Path) -> (Vec<u64>, Vec<Found>) {
    let spool = rusqlite::Connection::open(dir.join("spool").join("spool.db")).unwrap();
    let mut blocks = spool.prepare("SELECT seq, bytes FROM blocks ORDER BY seq").unwrap();
    let rows = blocks.query_map([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?))).unwrap();
    let (mut numbers, mut results) = (Vec::new(), Vec::new());
    for (seq, bytes) in rows.map(Result::unwrap) {
        let block = Block::decode(&bytes).unwrap();
        assert_eq!(i64::try_from(block.seq).unwrap(), seq);
        numbers.push(block.seq);
        for series in block.series {
            results.extend(series.results.iter().map(|result| (series.check.clone(), result.at, result.elapsed)));
        }
    }
    (numbers, results)
}

#[test]
fn what_was_durable_survives_kills_at_any_instant_and_one_agent_at_a_time_has_the_spool() {
    let seed = std::env::var(SEED).map_or_else(|_| rand::random(), |seed| seed.parse().unwrap());
    eprintln!("{SEED}={seed}");
    let mut chance = StdRng::seed_from_u64(seed);
    let target = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = target.local_addr().unwrap();
    std::thread::spawn(move || while target.accept().is_ok() {});
    let dir = tempfile::tempdir().unwrap();
    let config = configuration(dir.path(), address);
    let mut before: BTreeSet<Found> = BTreeSet::new();
    for _ in 0..KILLS {
        let running = Running::start(&config);
        let refused = nines_agent(&config).output().unwrap();
        assert_eq!(refused.status.code(), Some(1));
        assert!(String::from_utf8_lossy(&refused.stderr).contains("another agent uses it"));

        let enough = before.len() as u64 + chance.random_range(0..200);
        while running.durable() < enough {}
        // Somewhere within the second from one commit to the next.
        let durable = (0..chance.random_range(0..30)).fold(running.durable(), |_, _| running.durable());
        running.kill();

        let (numbers, results) = found(dir.path());
        assert!(numbers.iter().copied().eq(1..=numbers.len() as u64), "{numbers:?}");
        assert!(durable <= results.len() as u64, "{durable} were durable, {} are there", results.len());
        let distinct: BTreeSet<_> = results.iter().cloned().collect();
        assert_eq!(distinct.len(), results.len(), "a result is there twice");
        assert!(before.is_subset(&distinct));
        before = distinct;
    }
    assert!(!before.is_empty());
}
