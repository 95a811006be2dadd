//! From the spool over the wire into a ledger: the real uplink against real servers on loopback.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]

mod agents;
mod certificates;
mod collecting;
mod tls;

use agents::{AGENT, Agent, NOW, at, backlog, collector, plain};
use collecting::{Collecting, Fault};
use daemon::clock::{Clock, Hand};
use rules::block::RESULTS_MAX;
use rules::delivery::Incarnation;
use std::time::Duration;
use tempfile::TempDir;
use tokio::net::TcpListener;

fn collecting_now() -> (Collecting, (Clock, Hand)) {
    let (clock, hand) = Clock::manual(NOW);
    (Collecting::new(clock.clone()), (clock, hand))
}

#[tokio::test]
async fn results_arrive_once_and_the_collectors_clock_is_measured() {
    let (collecting, time) = collecting_now();
    let (address, _serving) = collecting.serve("127.0.0.1:0", None);
    let dir = TempDir::new().unwrap();
    let clock = time.0.clone();
    let agent = Agent::start(dir.path(), &plain(address), time).await;
    for block in 1..=3 {
        agent.record(block).await;
        agent.delivered(block).await;
    }
    assert_eq!(collecting.results(), [at(1), at(2), at(3)]);
    let state = agent.uplink.state();
    let offset = state.offset.unwrap();
    let off_by = offset.ahead_ms(clock.now()).abs_diff(2500);
    assert!(u128::from(off_by) <= offset.within.as_millis() + 1, "{offset:?}");
    assert!(state.connected && NOW < state.last_ack_at.unwrap());
    assert_eq!((state.blocks_posted, state.last_error), (3, None));
}

#[tokio::test]
async fn a_busy_collector_is_left_alone_for_as_long_as_it_wishes() {
    let (collecting, time) = collecting_now();
    let (address, _serving) = collecting.serve("127.0.0.1:0", None);
    collecting.ledger().faults.extend([Fault::Busy, Fault::Denied]);
    let dir = TempDir::new().unwrap();
    let agent = Agent::start(dir.path(), &plain(address), time).await;
    agent.record(1).await;
    agent.until(|_| collecting.ledger().posts_at.len() == 2).await;
    agent.until(|agent| agent.uplink.state().last_error.is_some_and(|error| error.contains("403"))).await;
    agent.delivered(1).await;
    let posts_at = collecting.ledger().posts_at.clone();
    assert!(Duration::from_secs(30) <= posts_at[1] - posts_at[0], "{posts_at:?}");
    assert_eq!(collecting.results(), [at(1)]);
}

#[tokio::test]
async fn a_lost_answer_leads_to_a_resend_that_counts_once() {
    let (collecting, time) = collecting_now();
    let (address, _serving) = collecting.serve("127.0.0.1:0", None);
    collecting.ledger().faults.extend([Fault::CutAnswer, Fault::CutAnswer]);
    let dir = TempDir::new().unwrap();
    let agent = Agent::start(dir.path(), &plain(address), time).await;
    agent.record(1).await;
    agent.delivered(1).await;
    assert_eq!(collecting.results(), [at(1)]);
    assert_eq!(collecting.ledger().posts_at.len(), 3);
    assert_eq!(agent.uplink.state().conflicts, 0);
}

#[tokio::test]
async fn neither_a_restarted_agent_nor_a_restarted_collector_loses_or_doubles_a_result() {
    let (collecting, time) = collecting_now();
    let (address, serving) = collecting.serve("127.0.0.1:0", None);
    let dir = TempDir::new().unwrap();
    let agent = Agent::start(dir.path(), &plain(address), time.clone()).await;
    agent.record(1).await;
    agent.delivered(1).await;
    drop(serving);
    agent.record(2).await;
    agent.until(|agent| agent.taken() == 2 && !agent.uplink.state().connected).await;
    drop(agent);
    let (_, _serving) = collecting.serve(&address.to_string(), None);
    let agent = Agent::start(dir.path(), &plain(address), time).await;
    agent.record(3).await;
    agent.delivered(3).await;
    assert_eq!(collecting.results(), [at(1), at(2), at(3)]);
    assert_eq!(collecting.ledger().lanes.len(), 1, "an incarnation outlives its processes");
}

#[tokio::test]
async fn a_cloned_spool_conflicts_once_and_both_deliver_what_they_saw() {
    let (collecting, time) = collecting_now();
    let (address, _serving) = collecting.serve("127.0.0.1:0", None);
    let (dir, clone) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let first = Agent::start(dir.path(), &plain(address), time.clone()).await;
    first.record(1).await;
    first.delivered(1).await;
    first.stop().await;
    std::fs::copy(dir.path().join("spool.db"), clone.path().join("spool.db")).unwrap();
    for (dir, instant) in [(&dir, 2), (&clone, 3)] {
        let agent = Agent::start(dir.path(), &plain(address), time.clone()).await;
        agent.record(instant).await;
        agent.delivered(2).await;
        agent.stop().await;
    }
    assert_eq!(collecting.results(), [at(1), at(2), at(3)]);
    let ledger = collecting.ledger();
    assert_eq!((ledger.conflicts, ledger.lanes.len()), (1, 2));
}

#[tokio::test]
async fn a_stopping_agent_delivers_its_last_result() {
    let (collecting, time) = collecting_now();
    let (address, _serving) = collecting.serve("127.0.0.1:0", None);
    let dir = TempDir::new().unwrap();
    let agent = Agent::start(dir.path(), &plain(address), time).await;
    agent.record(1).await;
    agent.stop().await;
    assert_eq!(collecting.results(), [at(1)]);
}

#[tokio::test]
async fn checks_are_sent_when_they_changed() {
    let (collecting, (clock, _hand)) = collecting_now();
    let (address, _serving) = collecting.serve("127.0.0.1:0", None);
    let collector = collector(AGENT, &plain(address), &clock);
    let fetched = collector.fetch_checks(None).await.unwrap().unwrap();
    assert_eq!((&fetched.document[..], fetched.etag.as_deref()), (&br#"{"checks":[]}"#[..], Some("\"v1\"")));
    assert_eq!(collector.fetch_checks(fetched.etag.as_deref()).await.unwrap(), None);
}

#[tokio::test]
async fn an_address_without_a_collector_is_an_error_that_says_so() {
    let (_, (clock, _hand)) = collecting_now();
    let address = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let error = collector(AGENT, &plain(address), &clock).fetch_checks(None).await.unwrap_err().to_string();
    assert!(error.starts_with("ask the collector what to check: ") && error.contains("refused"), "{error}");
}

#[tokio::test]
async fn posts_that_are_too_large_become_smaller_until_the_backlog_is_gone() {
    let (collecting, time) = collecting_now();
    let (address, _serving) = collecting.serve("127.0.0.1:0", None);
    let dir = TempDir::new().unwrap();
    let results = 5 * RESULTS_MAX as u64;
    backlog(dir.path(), &time.0, 0..results).await;
    let agent = Agent::start(dir.path(), &plain(address), time).await;
    let limit = usize::try_from(agent.handle.depth().bytes).unwrap() / 2;
    collecting.ledger().post_bytes_max = limit;
    agent.delivered(5).await;
    assert_eq!(collecting.results(), (0..results).map(at).collect::<Vec<_>>());
    let posts = collecting.ledger().posts_bytes.clone();
    assert!(limit < posts[0] && posts[posts.len() - 1] <= limit, "{posts:?}");
}

#[tokio::test]
async fn a_block_too_large_for_what_stands_between_is_kept_until_it_is_let_through() {
    let (collecting, time) = collecting_now();
    let (address, _serving) = collecting.serve("127.0.0.1:0", None);
    collecting.ledger().post_bytes_max = 10;
    let dir = TempDir::new().unwrap();
    let agent = Agent::start(dir.path(), &plain(address), time).await;
    agent.record(1).await;
    agent.fails_with("413").await;
    agent.until(|_| 10 < collecting.ledger().posts_at.len()).await;
    assert_eq!((agent.handle.depth().results, agent.uplink.state().blocks_refused), (1, 0));
    collecting.ledger().post_bytes_max = 10_000;
    agent.delivered(1).await;
    assert_eq!(collecting.results(), [at(1)]);
}

#[tokio::test]
async fn a_ledger_restored_from_a_backup_is_sent_again_what_it_lost() {
    let (collecting, time) = collecting_now();
    let (address, _serving) = collecting.serve("127.0.0.1:0", None);
    let dir = TempDir::new().unwrap();
    let agent = Agent::start(dir.path(), &plain(address), time).await;
    for block in 1..=3 {
        agent.record(block).await;
        agent.delivered(block).await;
    }
    {
        let mut ledger = collecting.ledger();
        ledger.blocks.retain(|(_, seq), _| *seq < 2);
        ledger.lanes.get_mut(&Incarnation(1)).unwrap().next_seq = 2;
    }
    agent.record(4).await;
    agent.until(|_| collecting.results().len() == 4).await;
    agent.delivered(4).await;
    assert_eq!(collecting.results(), [at(1), at(2), at(3), at(4)]);
    assert_eq!(collecting.ledger().lanes.len(), 1, "the lane went on");
}

#[tokio::test]
async fn a_name_that_is_not_ascii_arrives_as_it_is_written() {
    let (collecting, time) = collecting_now();
    let (address, _serving) = collecting.serve("127.0.0.1:0", None);
    let dir = TempDir::new().unwrap();
    let agent = Agent::named("서울 1", dir.path(), &plain(address), time).await;
    agent.record(1).await;
    agent.delivered(1).await;
    assert_eq!(collecting.results(), [at(1)]);
}
