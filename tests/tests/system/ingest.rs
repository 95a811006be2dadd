//! The door that agents come to, and what no agent of ours would do there.

use crate::shop;
use daemon::clock::Clock;
use reqwest::StatusCode;
use rules::delivery::POST_BYTES_MAX;
use rules::outcome::{Cause, Outcome};
use rules::time::Timestamp;
use serde_json::json;
use std::time::Duration;
use tests::courier::Courier;
use tests::exposition::sum;
use tests::world::{AGREEMENT, Plan, Store, World, token};

const OUTAGE: &str = "{ for: 5m }";
const SERIES: (&str, &str) = ("shop", "page");

async fn world(agents: &[&str]) -> World {
    let services = shop("http://127.0.0.1:9/");
    World::new(Store::Sqlite, &Plan { agents, outage: OUTAGE, services: &services }).await
}

fn courier(world: &World, agent: &str) -> Courier {
    Courier::new(world.collectors[0].agents, agent, &token(agent))
}

/// The instant of the result in the block `seq`.
fn at(seq: u64) -> Timestamp {
    Clock::system().wall().hour().minus(Duration::from_secs(3600)).plus(Duration::from_secs(seq))
}

fn block(courier: &Courier, seq: u64) -> Vec<u8> {
    courier.block(seq, SERIES, &[(at(seq), Outcome::Up)]).encode()
}

/// How many results the account of the month has.
async fn results(world: &World) -> u64 {
    let statement = world.console().statement(AGREEMENT, &at(1).to_string()[..7]).await;
    statement["services"][0]["error_rate"]["results"].as_u64().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn blocks_that_come_twice_or_out_of_order_count_once() {
    let mut world = world(&["seoul-1"]).await;
    let mut seoul = courier(&world, "seoul-1");
    let (status, granted) = seoul.register().await;
    assert_eq!(status, StatusCode::OK, "{granted}");
    let incarnation = granted["incarnation"].as_u64().unwrap();
    let blocks: Vec<Vec<u8>> = (1..=3).map(|seq| block(&seoul, seq)).collect();
    for _ in 0..2 {
        let (status, answer) = seoul.send(incarnation, 1, &blocks[..1]).await;
        assert_eq!((status, &answer["next_seq"]), (StatusCode::OK, &json!(2)));
    }
    let (status, answer) = seoul.send(incarnation, 3, &blocks[2..]).await;
    assert_eq!((status, &answer["expected"]), (StatusCode::CONFLICT, &json!(2)));
    let (status, answer) = seoul.send(incarnation, 2, &blocks[1..]).await;
    assert_eq!((status, &answer["next_seq"]), (StatusCode::OK, &json!(4)));

    world.replace_collector(0).await;
    seoul = courier(&world, "seoul-1");
    let (status, answer) = seoul.send(incarnation, 1, &blocks).await;
    assert_eq!((status, &answer["next_seq"], &answer["refused"]), (StatusCode::OK, &json!(4), &json!([])));
    assert_eq!(results(&world).await, 3);
    assert_eq!(world.console().blocks("seoul-1").await, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_block_in_a_taken_place_is_kept_aside_and_told() {
    let mut world = world(&["seoul-1"]).await;
    world.collectors[0].program.expect_errors();
    let seoul = courier(&world, "seoul-1");
    let incarnation = seoul.register().await.1["incarnation"].as_u64().unwrap();
    seoul.send(incarnation, 1, &[block(&seoul, 1)]).await;
    let other = seoul.block(1, SERIES, &[(at(1), Outcome::Down(Cause::Refused))]).encode();
    let (status, answer) = seoul.send(incarnation, 1, &[other]).await;
    assert_eq!((status, &answer["conflict"]), (StatusCode::CONFLICT, &json!(1)));
    assert_eq!(results(&world).await, 1);
    let page = world.console().page("/metrics").await;
    assert_eq!(sum(&page, "nines_ingest_refused_total{reason=\"conflict\"}"), 1.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_gets_in_with_a_wrong_token_or_into_another_lane() {
    let mut world = world(&["seoul-1", "busan-1"]).await;
    // Somebody must look at blocks that one agent sends in another's name.
    world.collectors[0].program.expect_errors();
    let to = world.collectors[0].agents;
    let cases = [
        (Courier::new(to, "seoul-1", "a guess"), StatusCode::UNAUTHORIZED),
        (Courier::new(to, "seoul-1", ""), StatusCode::UNAUTHORIZED),
        (Courier::new(to, "seoul-1", &token("busan-1")), StatusCode::FORBIDDEN),
        (Courier::new(to, "tokyo-1", &token("seoul-1")), StatusCode::FORBIDDEN),
    ];
    for (courier, refusal) in cases {
        let (status, answer) = courier.register().await;
        assert_eq!(status, refusal, "{courier:?}: {answer}");
        let (status, answer) = courier.send(1, 1, &[block(&courier, 1)]).await;
        assert_eq!(status, refusal, "{courier:?}: {answer}");
    }
    // Its own lane, with blocks that say to be another's.
    let (seoul, busan) = (courier(&world, "seoul-1"), courier(&world, "busan-1"));
    let incarnation = seoul.register().await.1["incarnation"].as_u64().unwrap();
    busan.register().await;
    let (status, answer) = seoul.send(incarnation, 1, &[block(&busan, 1)]).await;
    assert_eq!((status, &answer["next_seq"]), (StatusCode::OK, &json!(2)));
    assert!(answer["refused"][0]["reason"].as_str().unwrap().contains("only its own lane"), "{answer}");
    assert_eq!(results(&world).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_list_of_agents_lets_nobody_in() {
    let world = world(&[]).await;
    let (status, answer) = courier(&world, "seoul-1").register().await;
    assert_eq!(status, StatusCode::UNAUTHORIZED, "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_large_or_makes_no_sense_is_refused_and_the_lane_moves_on() {
    let mut world = world(&["seoul-1"]).await;
    world.collectors[0].program.expect_errors();
    let seoul = courier(&world, "seoul-1");
    let incarnation = seoul.register().await.1["incarnation"].as_u64().unwrap();
    let lane = format!("/agents/v1/blocks?incarnation={incarnation}&first_seq=1");
    let bodies = [
        (vec![0; POST_BYTES_MAX + 1], StatusCode::PAYLOAD_TOO_LARGE),
        (Vec::new(), StatusCode::BAD_REQUEST),
        (vec![255, 0, 0, 0, 1, 2, 3], StatusCode::BAD_REQUEST),
    ];
    for (body, refusal) in bodies {
        let (status, answer) = seoul.post(&lane, body).await;
        assert_eq!(status, refusal, "{answer}");
    }
    let mut garbled = block(&seoul, 2);
    *garbled.last_mut().unwrap() ^= 1;
    let blocks = [block(&seoul, 1), garbled, vec![7; 100], block(&seoul, 4)];
    let (status, answer) = seoul.send(incarnation, 1, &blocks).await;
    assert_eq!((status, &answer["next_seq"]), (StatusCode::OK, &json!(5)), "{answer}");
    let refused: Vec<u64> =
        answer["refused"].as_array().unwrap().iter().map(|one| one["seq"].as_u64().unwrap()).collect();
    assert_eq!(refused, [2, 3], "{answer}");
    assert_eq!(results(&world).await, 2);
    let page = world.console().page("/metrics").await;
    assert_eq!(sum(&page, "nines_ledger_quarantined_blocks"), 2.0);
}
