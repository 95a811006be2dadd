//! Grants, commits and collisions, and what of them can be read again.

use super::facts;
use super::place::Place;
use super::samples::{advance, agent, at, block, checkpoint, effect, quarantined, run, series};
use crate::ledger::{Advance, Committed, Lane, Ledger, LedgerError, StoredBlock};
use rules::interval::Interval;
use rules::outcome::OutcomeKind;
use std::sync::Arc;
use tokio::task::JoinSet;

facts! {
    incarnations_count_from_one_and_begin_where_asked
    concurrent_grants_all_differ
    a_commit_is_there_after_reopening
    a_stale_position_undoes_the_whole_group
    a_wrong_next_seq_undoes_the_whole_group
    advances_of_one_agent_take_effect_in_their_order
    refused_blocks_move_the_lane_and_lie_in_quarantine
    numbers_beyond_the_signed_range_come_back
    blocks_are_read_in_pages_by_position
    blocks_within_an_interval_are_those_whose_span_meets_it
    a_block_is_found_by_its_lane_and_number
    two_collectors_racing_count_each_block_once
    racing_groups_in_any_order_all_get_through
    many_openers_at_once_make_one_ledger
    a_newer_schema_is_refused
}

async fn granted(ledger: &Arc<dyn Ledger>, name: &str) -> Lane {
    ledger.grant(&agent(name), 0, at(0)).await.unwrap()
}

async fn commit(ledger: &Arc<dyn Ledger>, advances: &[Advance]) -> Committed {
    ledger.commit(advances.to_vec()).await.unwrap()
}

async fn blocks(ledger: &Arc<dyn Ledger>, name: &str) -> Vec<StoredBlock> {
    ledger.blocks_from(&agent(name), 0, usize::MAX).await.unwrap()
}

async fn incarnations_count_from_one_and_begin_where_asked(place: &Place) {
    let ledger = place.open().await;
    let lane = |name, incarnation, next_seq| Lane { agent: agent(name), incarnation, next_seq };
    assert_eq!(ledger.grant(&agent("b"), 0, at(0)).await.unwrap(), lane("b", 1, 0));
    assert_eq!(ledger.grant(&agent("b"), 17, at(1)).await.unwrap(), lane("b", 2, 17));
    assert_eq!(ledger.grant(&agent("a"), 5, at(2)).await.unwrap(), lane("a", 1, 5));
    assert_eq!(ledger.lanes().await.unwrap(), [lane("a", 1, 5), lane("b", 1, 0), lane("b", 2, 17)]);
    assert_eq!(ledger.positions().await.unwrap(), [(agent("a"), 0), (agent("b"), 0)]);
}

async fn concurrent_grants_all_differ(place: &Place) {
    let handles = [place.open().await, place.open().await];
    let mut grants = JoinSet::new();
    for nth in 0..16 {
        let ledger = Arc::clone(&handles[nth % 2]);
        grants.spawn(async move { ledger.grant(&agent("a"), 0, at(0)).await.unwrap().incarnation });
    }
    let mut incarnations = grants.join_all().await;
    incarnations.sort_unstable();
    assert!(incarnations.into_iter().eq(1..=16));
}

async fn a_commit_is_there_after_reopening(place: &Place) {
    let a = agent("a");
    let runs = vec![run(OutcomeKind::Up, 0), run(OutcomeKind::Down, 10)];
    let committed = Advance {
        effects: vec![effect(series(&a, 0), None, runs.clone(), Vec::new())],
        checkpoint: Some(checkpoint(3, "open")),
        ..advance(&a, 0, 0, 0, 3)
    };
    let ledger = place.open().await;
    assert_eq!(commit(&ledger, std::slice::from_ref(&committed)).await, Committed::Durable);
    drop(ledger);

    let ledger = place.open().await;
    assert_eq!(ledger.positions().await.unwrap(), [(a.clone(), 3)]);
    assert_eq!(ledger.lanes().await.unwrap(), [Lane { agent: a.clone(), incarnation: 0, next_seq: 3 }]);
    assert_eq!(blocks(&ledger, "a").await, committed.blocks);
    assert_eq!(ledger.derived(&a, at(0)).await.unwrap()[0].runs, runs);
    assert_eq!(ledger.checkpoint(&a).await.unwrap(), committed.checkpoint);
    assert_eq!(ledger.checkpoint(&agent("b")).await.unwrap(), None);
}

async fn a_stale_position_undoes_the_whole_group(place: &Place) {
    let ledger = place.open().await;
    for name in ["a", "b", "c"] {
        granted(&ledger, name).await;
        assert_eq!(commit(&ledger, &[advance(&agent(name), 0, 1, 0, 2)]).await, Committed::Durable);
    }
    let changed = Advance {
        effects: vec![effect(series(&agent("a"), 0), None, vec![run(OutcomeKind::Down, 0)], Vec::new())],
        checkpoint: Some(checkpoint(3, "gone")),
        quarantined: vec![quarantined(&agent("a"), 3)],
        ..advance(&agent("a"), 2, 1, 2, 1)
    };
    let group = [advance(&agent("c"), 1, 1, 1, 1), changed, advance(&agent("b"), 0, 1, 0, 2)];
    assert_eq!(commit(&ledger, &group).await, Committed::Collided(vec![agent("b"), agent("c")]));
    assert_eq!(ledger.positions().await.unwrap(), ["a", "b", "c"].map(|name| (agent(name), 2)));
    assert!(ledger.lanes().await.unwrap().iter().all(|lane| lane.next_seq == 2));
    assert_eq!(blocks(&ledger, "a").await.len(), 2);
    assert_eq!(ledger.derived(&agent("a"), at(0)).await.unwrap(), []);
    assert_eq!(ledger.checkpoint(&agent("a")).await.unwrap(), None);
    assert_eq!(ledger.quarantined().await.unwrap(), 0);
}

async fn a_wrong_next_seq_undoes_the_whole_group(place: &Place) {
    let ledger = place.open().await;
    granted(&ledger, "a").await;
    granted(&ledger, "b").await;
    for (incarnation, next_seq) in [(1, 1), (2, 0)] {
        let group = [advance(&agent("a"), 0, 1, 0, 1), advance(&agent("b"), 0, incarnation, next_seq, 1)];
        assert_eq!(commit(&ledger, &group).await, Committed::Collided(vec![agent("b")]));
    }
    let unheard = [advance(&agent("new"), 0, 1, 0, 1)];
    assert_eq!(commit(&ledger, &unheard).await, Committed::Collided(vec![agent("new")]));
    assert_eq!(ledger.positions().await.unwrap(), [(agent("a"), 0), (agent("b"), 0)]);
    assert_eq!(blocks(&ledger, "a").await, []);
}

async fn advances_of_one_agent_take_effect_in_their_order(place: &Place) {
    let ledger = place.open().await;
    let a = agent("a");
    granted(&ledger, "a").await;
    let effects = |kind| vec![effect(series(&a, 0), Some(at(0)), vec![run(kind, 0)], Vec::new())];
    let group = [
        Advance { effects: effects(OutcomeKind::Down), ..advance(&a, 0, 1, 0, 2) },
        Advance { effects: effects(OutcomeKind::Up), ..advance(&a, 2, 0, 7, 1) },
        advance(&a, 3, 1, 2, 1),
    ];
    assert_eq!(commit(&ledger, &group).await, Committed::Durable);
    let lanes = ledger.lanes().await.unwrap();
    assert_eq!(lanes.iter().map(|lane| (lane.incarnation, lane.next_seq)).collect::<Vec<_>>(), [(0, 8), (1, 3)]);
    assert_eq!(blocks(&ledger, "a").await, group.map(|advance| advance.blocks).concat());
    assert_eq!(ledger.derived(&a, at(0)).await.unwrap()[0].runs, [run(OutcomeKind::Up, 0)]);
}

async fn refused_blocks_move_the_lane_and_lie_in_quarantine(place: &Place) {
    let ledger = place.open().await;
    let a = agent("a");
    granted(&ledger, "a").await;
    let poison = Advance {
        next_seq_after: 2,
        quarantined: vec![quarantined(&a, 0), quarantined(&a, 1)],
        ..advance(&a, 0, 1, 0, 0)
    };
    assert_eq!(commit(&ledger, &[poison]).await, Committed::Durable);
    assert_eq!(ledger.lanes().await.unwrap()[0].next_seq, 2);
    assert_eq!(ledger.positions().await.unwrap(), [(a.clone(), 0)]);
    ledger.quarantine(quarantined(&agent("unheard"), 9)).await.unwrap();
    assert_eq!(ledger.quarantined().await.unwrap(), 3);
    assert_eq!(commit(&ledger, &[advance(&a, 0, 1, 2, 1)]).await, Committed::Durable);
}

async fn numbers_beyond_the_signed_range_come_back(place: &Place) {
    let ledger = place.open().await;
    let a = agent("a");
    let lane = ledger.grant(&a, u64::MAX - 2, at(0)).await.unwrap();
    assert_eq!(ledger.lanes().await.unwrap(), [lane]);
    let committed = advance(&a, 0, 1, u64::MAX - 2, 2);
    assert_eq!(commit(&ledger, std::slice::from_ref(&committed)).await, Committed::Durable);
    assert_eq!(blocks(&ledger, "a").await, committed.blocks);
    assert_eq!(ledger.block(&a, 1, u64::MAX - 1).await.unwrap().as_ref(), committed.blocks.last());
}

async fn blocks_are_read_in_pages_by_position(place: &Place) {
    let ledger = place.open().await;
    let committed = advance(&agent("a"), 0, 0, 0, 5);
    commit(&ledger, &[committed.clone(), advance(&agent("b"), 0, 0, 0, 5)]).await;
    let page = async |position, limit| ledger.blocks_from(&agent("a"), position, limit).await.unwrap();
    assert_eq!(page(0, 2).await, committed.blocks[..2]);
    assert_eq!(page(2, 2).await, committed.blocks[2..4]);
    assert_eq!(page(4, 2).await, committed.blocks[4..]);
    assert_eq!(page(5, 2).await, []);
    assert_eq!(page(0, 0).await, []);
    assert_eq!(ledger.blocks_from(&agent("unheard"), 0, 9).await.unwrap(), []);
}

async fn blocks_within_an_interval_are_those_whose_span_meets_it(place: &Place) {
    let ledger = place.open().await;
    let a = agent("a");
    let mut committed = advance(&a, 0, 0, 0, 6);
    let spans = [Some((0, 9)), Some((500, 600)), None, Some((10, 10)), Some((0, 400)), Some((20, 29))];
    for (block, span) in committed.blocks.iter_mut().zip(spans) {
        block.span = span.map(|(first, last)| (at(first), at(last)));
    }
    commit(&ledger, &[committed, advance(&agent("b"), 0, 0, 0, 6)]).await;
    let check = async |from, until, expected: &[u64]| {
        let interval = Interval::new(at(from), at(until)).unwrap();
        let found = ledger.blocks_within(&a, interval).await.unwrap();
        assert_eq!(found.iter().map(|block| block.position).collect::<Vec<_>>(), expected, "{interval:?}");
    };
    check(-9, 0, &[]).await;
    check(-9, 1, &[0, 4]).await;
    check(9, 10, &[0, 4]).await;
    check(10, 20, &[3, 4]).await;
    check(29, 30, &[4, 5]).await;
    check(401, 500, &[]).await;
    check(300, 501, &[1, 4]).await;
    check(600, 601, &[1]).await;
    check(601, 900, &[]).await;
    check(-9, 900, &[0, 1, 3, 4, 5]).await;
}

async fn a_block_is_found_by_its_lane_and_number(place: &Place) {
    let ledger = place.open().await;
    let a = agent("a");
    granted(&ledger, "a").await;
    granted(&ledger, "a").await;
    commit(&ledger, &[advance(&a, 0, 1, 0, 2), advance(&a, 2, 2, 0, 1)]).await;
    assert_eq!(ledger.block(&a, 1, 1).await.unwrap(), Some(block(1, 1, 1)));
    assert_eq!(ledger.block(&a, 2, 0).await.unwrap(), Some(block(2, 2, 0)));
    assert_eq!(ledger.block(&a, 2, 1).await.unwrap(), None);
    assert_eq!(ledger.block(&agent("b"), 1, 1).await.unwrap(), None);
}

/// Commits `total` blocks for each agent, reloading whenever another was faster; says how many
/// were its own.
async fn race(ledger: Arc<dyn Ledger>, agents: Vec<&'static str>, total: u64) -> u64 {
    let mut own = 0;
    loop {
        let positions = ledger.positions().await.unwrap();
        let position = |name: &str| positions.iter().find(|(id, _)| id.as_str() == name).map_or(0, |(_, at)| *at);
        let group: Vec<_> =
            agents.iter().map(|name| (agent(name), position(name))).filter(|(_, at)| *at < total).collect();
        let group: Vec<_> = group.iter().map(|(agent, at)| advance(agent, *at, 0, *at, 1)).collect();
        match commit(&ledger, &group).await {
            _ if group.is_empty() => return own,
            Committed::Durable => own += group.len() as u64,
            Committed::Collided(agents) => assert!(!agents.is_empty()),
        }
    }
}

async fn two_collectors_racing_count_each_block_once(place: &Place) {
    const TOTAL: u64 = 40;
    let handles = [place.open().await, place.open().await];
    let mut racers = JoinSet::new();
    for nth in 0..8 {
        racers.spawn(race(Arc::clone(&handles[nth % 2]), vec!["a"], TOTAL));
    }
    assert_eq!(racers.join_all().await.into_iter().sum::<u64>(), TOTAL);
    assert_eq!(blocks(&handles[0], "a").await, advance(&agent("a"), 0, 0, 0, TOTAL).blocks);
}

async fn racing_groups_in_any_order_all_get_through(place: &Place) {
    const TOTAL: u64 = 15;
    let handles = [place.open().await, place.open().await];
    let mut racers = JoinSet::new();
    for agents in [["a", "b", "c"], ["c", "b", "a"], ["b", "c", "a"], ["c", "a", "b"]] {
        for ledger in &handles {
            racers.spawn(race(Arc::clone(ledger), agents.to_vec(), TOTAL));
        }
    }
    assert_eq!(racers.join_all().await.into_iter().sum::<u64>(), 3 * TOTAL);
    assert_eq!(handles[0].positions().await.unwrap(), ["a", "b", "c"].map(|name| (agent(name), TOTAL)));
}

async fn many_openers_at_once_make_one_ledger(place: &Place) {
    let opened = futures_util::future::join_all((0..8).map(|_| place.open())).await;
    granted(&opened[0], "a").await;
    for ledger in opened {
        assert_eq!(ledger.lanes().await.unwrap().len(), 1);
    }
}

async fn a_newer_schema_is_refused(place: &Place) {
    drop(place.open().await);
    place.tamper("UPDATE meta SET value = 5 WHERE name = 'schema'").await;
    let refusal = place.try_open().await.err().unwrap();
    assert!(matches!(refusal, LedgerError::Newer { found: 5, known: 4 }), "{refusal}");
    insta::allow_duplicates! {
        insta::assert_snapshot!(refusal, @"failed to open the ledger: its schema is version 5 and this program knows up to 4; start the version that wrote it, or restore a backup from before it did");
    }
}
