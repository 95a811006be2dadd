//! Results into a ledger on disk, durable before they are acknowledged, and all of it folded again.

use super::Effort;
use super::freight::Shape;
use super::machine::{self, micros_each};
use super::table::{Goal, Row};
use super::victoria::{Taken, Victoria};
use daemon::clock::Clock;
use rules::time::Timestamp;
use rusqlite::Connection;
use std::ffi::OsStr;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;
use tests::courier::Courier;
use tests::program;
use tests::world::{Plan, Store, World, token};
use tokio::task::JoinSet;

/// Agents that send at once.
const AGENTS: [&str; 8] = ["a0", "a1", "a2", "a3", "a4", "a5", "a6", "a7"];

/// Blocks in a post when there is a backlog.
const BACKLOG_POST: usize = 8;

/// The peer gets one of so many blocks: it needs no more to be measured.
const PEER_SHARE: usize = 4;

/// What is sent, and how.
struct Case {
    what: &'static str,
    shape: Shape,
    blocks_a_post: usize,
}

/// What it took.
struct Took {
    cpu: Duration,
    wall: Duration,
    bytes: u64,
    rebuild: Duration,
    results: f64,
}

pub(crate) async fn rows(effort: Effort) -> Vec<Row> {
    let blocks = |full: usize| effort.of(full, 8);
    let cases = [
        Case {
            what: "live: blocks of 256, 1 a series",
            shape: Shape { series: 256, each: 1, blocks: blocks(400) },
            blocks_a_post: 1,
        },
        Case {
            what: "blocks of 256, 4 a series",
            shape: Shape { series: 64, each: 4, blocks: blocks(1_000) },
            blocks_a_post: BACKLOG_POST,
        },
        Case {
            what: "blocks of 1024, 16 a series",
            shape: Shape { series: 64, each: 16, blocks: blocks(250) },
            blocks_a_post: BACKLOG_POST,
        },
        Case {
            what: "blocks of 4096, 64 a series",
            shape: Shape { series: 64, each: 64, blocks: blocks(64) },
            blocks_a_post: BACKLOG_POST,
        },
    ];
    let mut rows = Vec::new();
    for case in cases {
        let now = Clock::system().wall();
        let took = ingest(&case, now).await;
        let peer = peer(case.shape, now).await;
        let what = case.what;
        let micros = Row::new(format!("ingest, {what}, CPU a result"), "µs", micros_each(took.cpu, took.results));
        rows.push(micros.peer(peer.map(|peer| peer.micros)).goal(Goal::AtMost(0.4)));
        let rate = took.results / took.wall.as_secs_f64();
        rows.push(Row::new(format!("ingest, {what}"), "results a second", rate).goal(Goal::AtLeast(1e6)));
        let bytes = Row::new(format!("ledger at rest, {what}"), "bytes a result", took.bytes as f64 / took.results);
        rows.push(bytes.peer(peer.map(|peer| peer.bytes)).goal(Goal::AtMost(6.0)));
        let rebuilt = took.results / took.rebuild.max(Duration::from_millis(1)).as_secs_f64();
        let rebuild = Row::new(format!("`rebuild` of that ledger, {what}"), "results a CPU second", rebuilt);
        rows.push(rebuild.goal(Goal::AtLeast(20e6)));
    }
    rows
}

async fn ingest(case: &Case, now: Timestamp) -> Took {
    let services = case.shape.services();
    let plan = Plan { agents: &AGENTS, outage: "{ for: 5m }", services: &services };
    let freight: Vec<_> = AGENTS.iter().map(|agent| (*agent, case.shape.encode(agent, now))).collect();
    let mut world = World::new(Store::Sqlite, &plan).await;
    let (clock, process) = (Clock::system(), world.collectors[0].program.id());
    let (began, cpu) = (clock.boot(), machine::cpu(process));
    let mut sending = JoinSet::new();
    for (agent, blocks) in freight {
        sending.spawn(deliver(world.collectors[0].agents, agent, blocks, case.blocks_a_post));
    }
    sending.join_all().await;
    let (wall, cpu) = (clock.boot() - began, machine::cpu(process).saturating_sub(cpu));
    world.collectors[0].program.stop().await;
    let bytes = bytes_at_rest(&world.file("ledger.db"));
    let before = machine::cpu_of_ended();
    let config = world.collector_config();
    let arguments: [&OsStr; 4] = ["collector".as_ref(), "rebuild".as_ref(), "--config".as_ref(), config.as_ref()];
    let rebuilt = program::run(&arguments);
    assert!(rebuilt.status.success(), "{}", String::from_utf8_lossy(&rebuilt.stderr));
    let rebuild = machine::cpu_of_ended().saturating_sub(before);
    let results = (AGENTS.len() * case.shape.blocks * case.shape.block()) as f64;
    Took { cpu, wall, bytes, rebuild, results }
}

/// The ledger's bytes once everything in its log is in its file.
fn bytes_at_rest(ledger: &Path) -> u64 {
    let database = Connection::open(ledger).unwrap();
    database.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    machine::bytes_on_disk(ledger)
}

/// Sends all blocks of one agent, a post at a time, as an agent does.
pub(crate) async fn deliver(to: SocketAddr, agent: &'static str, blocks: Vec<Vec<u8>>, a_post: usize) {
    let courier = Courier::new(to, agent, &token(agent));
    let (status, granted) = courier.register().await;
    assert_eq!(status, 200, "{granted}");
    let incarnation = granted["incarnation"].as_u64().unwrap();
    let mut next = 1;
    for post in blocks.chunks(a_post) {
        let (status, answer) = courier.send(incarnation, next, post).await;
        next += post.len() as u64;
        assert_eq!((status.as_u16(), answer["next_seq"].as_u64()), (200, Some(next)), "{answer}");
    }
}

async fn peer(shape: Shape, now: Timestamp) -> Option<Taken> {
    let fewer = Shape { blocks: shape.blocks.div_ceil(PEER_SHARE), ..shape };
    Some(Victoria::start().await?.import(fewer, AGENTS.len(), now).await)
}
