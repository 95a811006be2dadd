//! Runs, hours and checkpoints: what a commit puts, replaces and forgets.

use super::books::BEFORE_BOOKS;
use super::facts;
use super::place::Place;
use super::samples::{advance, agent, at, checkpoint, effect, hour, run, series};
use crate::ledger::{Advance, Committed, Derived, Effect, Hour, Ledger};
use rules::interval::Interval;
use rules::latency::Population;
use rules::outcome::{Cause, OutcomeKind};
use rules::run::Run;
use rules::time::Timestamp;
use std::sync::Arc;

facts! {
    runs_and_hours_are_put_and_replaced_by_their_beginning
    late_results_forget_what_begins_at_or_after_the_cut
    effects_of_one_commit_take_effect_in_their_order
    what_ended_before_is_left_out
    a_series_hours_within_an_interval_are_its_own
    every_cause_and_any_sum_come_back
    derived_is_replaced_as_a_whole_at_its_position_only
    hours_from_before_extra_results_have_none
}

/// Commits one block of agent `a` with `effects`.
async fn put(ledger: &Arc<dyn Ledger>, position: u64, effects: Vec<Effect>) {
    let advance = Advance { effects, ..advance(&agent("a"), position, 0, position, 1) };
    assert_eq!(ledger.commit(vec![advance]).await.unwrap(), Committed::Durable);
}

async fn derived(ledger: &Arc<dyn Ledger>, since: i64) -> Vec<(String, Vec<Run>, Vec<Hour>)> {
    let derived = ledger.derived(&agent("a"), at(since)).await.unwrap();
    derived.into_iter().map(|d| (d.series.check.to_string(), d.runs, d.hours)).collect()
}

fn effect_of(check: usize, forget_from: Option<i64>, runs: Vec<Run>, hours: Vec<Hour>) -> Effect {
    effect(series(&agent("a"), check), forget_from.map(at), runs, hours)
}

async fn hours_from_before_extra_results_have_none(place: &Place) {
    let ledger = place.open().await;
    put(&ledger, 0, vec![effect_of(0, None, Vec::new(), vec![hour(0, 6)])]).await;
    drop(ledger);
    place.tamper(BEFORE_BOOKS).await;
    place.tamper("ALTER TABLE hours DROP COLUMN extras; UPDATE meta SET value = 1 WHERE name = 'schema'").await;
    let ledger = place.open().await;
    put(&ledger, 1, vec![effect_of(0, None, Vec::new(), vec![hour(1, 7)])]).await;
    let older = Hour { population: Population { extras: 0, ..hour(0, 6).population }, ..hour(0, 6) };
    assert_eq!(derived(&ledger, 0).await, [("check-0".to_owned(), Vec::new(), vec![older, hour(1, 7)])]);
}

async fn runs_and_hours_are_put_and_replaced_by_their_beginning(place: &Place) {
    let ledger = place.open().await;
    let (up, down, void) = (run(OutcomeKind::Up, 0), run(OutcomeKind::Down, 10), run(OutcomeKind::Void, 20));
    let first = effect_of(1, None, vec![down, up], vec![hour(1, 5), hour(0, 6)]);
    put(&ledger, 0, vec![first, effect_of(0, None, vec![void], Vec::new())]).await;
    let zero = ("check-0".to_owned(), vec![void], Vec::new());
    let one = ("check-1".to_owned(), vec![up, down], vec![hour(0, 6), hour(1, 5)]);
    assert_eq!(derived(&ledger, 0).await, [zero.clone(), one]);

    let longer = Run { last_at: at(15), until: at(16), results: 31, ..down };
    put(&ledger, 1, vec![effect_of(1, None, vec![longer, run(OutcomeKind::Up, 16)], vec![hour(1, 60)])]).await;
    let runs = vec![up, longer, run(OutcomeKind::Up, 16)];
    assert_eq!(derived(&ledger, 0).await, [zero, ("check-1".to_owned(), runs, vec![hour(0, 6), hour(1, 60)])]);
}

async fn late_results_forget_what_begins_at_or_after_the_cut(place: &Place) {
    let ledger = place.open().await;
    let runs = |kind| (0..18).map(|nth| run(kind, 10 * nth)).collect::<Vec<_>>();
    let hours = |ups| (0..3).map(|nth| hour(nth, ups)).collect::<Vec<_>>();
    let both = [0, 1].map(|check| effect_of(check, None, runs(OutcomeKind::Up), hours(5)));
    put(&ledger, 0, both.to_vec()).await;
    let untouched = ("check-1".to_owned(), runs(OutcomeKind::Up), hours(5));

    // A cut within an hour keeps that hour, one on the hour does not.
    put(&ledger, 1, vec![effect_of(0, Some(70), Vec::new(), Vec::new())]).await;
    let kept = ("check-0".to_owned(), runs(OutcomeKind::Up)[..7].to_vec(), hours(5)[..2].to_vec());
    assert_eq!(derived(&ledger, 0).await, [kept, untouched.clone()]);
    put(&ledger, 2, vec![effect_of(0, Some(60), vec![run(OutcomeKind::Down, 60)], vec![hour(1, 9)])]).await;
    let mut anew = runs(OutcomeKind::Up)[..6].to_vec();
    anew.push(run(OutcomeKind::Down, 60));
    assert_eq!(
        derived(&ledger, 0).await,
        [("check-0".to_owned(), anew, vec![hour(0, 5), hour(1, 9)]), untouched.clone()]
    );

    let everything =
        Effect { forget_from: Some(rules::time::Timestamp::MIN), ..effect_of(0, None, Vec::new(), Vec::new()) };
    put(&ledger, 3, vec![everything]).await;
    assert_eq!(derived(&ledger, 0).await, [untouched]);
}

async fn effects_of_one_commit_take_effect_in_their_order(place: &Place) {
    let ledger = place.open().await;
    let effects = vec![
        effect_of(0, None, vec![run(OutcomeKind::Up, 0), run(OutcomeKind::Up, 10)], vec![hour(0, 1), hour(1, 1)]),
        effect_of(0, Some(60), vec![run(OutcomeKind::Up, 60)], vec![hour(2, 1)]),
        effect_of(0, Some(10), vec![run(OutcomeKind::Down, 10)], Vec::new()),
        effect_of(0, None, vec![run(OutcomeKind::Void, 10)], vec![hour(1, 2)]),
    ];
    put(&ledger, 0, effects).await;
    let runs = vec![run(OutcomeKind::Up, 0), run(OutcomeKind::Void, 10)];
    assert_eq!(derived(&ledger, 0).await, [("check-0".to_owned(), runs, vec![hour(0, 1), hour(1, 2)])]);
}

async fn what_ended_before_is_left_out(place: &Place) {
    let ledger = place.open().await;
    let runs = vec![run(OutcomeKind::Up, 0), run(OutcomeKind::Down, 10), run(OutcomeKind::Up, 50)];
    put(&ledger, 0, vec![effect_of(0, None, runs.clone(), vec![hour(0, 1), hour(1, 1)])]).await;
    let told = async |since| {
        derived(&ledger, since).await.into_iter().map(|(_, runs, hours)| (runs.len(), hours.len())).next()
    };
    assert_eq!(told(10).await, Some((3, 2)));
    assert_eq!(told(11).await, Some((2, 2)));
    assert_eq!(told(21).await, Some((1, 2)));
    assert_eq!(told(61).await, Some((0, 1)));
    assert_eq!(told(121).await, None);
    assert_eq!(ledger.derived(&agent("unheard"), at(0)).await.unwrap(), []);
}

async fn a_series_hours_within_an_interval_are_its_own(place: &Place) {
    let ledger = place.open().await;
    // The second hour is another series' only.
    let own = vec![hour(0, 1), hour(2, 1), hour(3, 1), hour(5, 1)];
    let others = (0..7).map(|nth| hour(nth, 9)).collect();
    put(&ledger, 0, vec![effect_of(0, None, Vec::new(), own.clone()), effect_of(1, None, Vec::new(), others)]).await;
    let within = async |from, until| {
        let interval = Interval::new(from, until).unwrap();
        ledger.hours(&series(&agent("a"), 0), interval).await.unwrap()
    };
    assert_eq!(within(at(0), at(360)).await, own);
    assert_eq!(within(at(1), at(300)).await, own[1..3]);
    assert_eq!(within(at(120), at(121)).await, own[1..2]);
    assert_eq!(within(at(121), at(180)).await, []);
    assert_eq!(within(at(-900), at(-60)).await, []);
    assert_eq!(within(at(900), at(1000)).await, []);
    assert_eq!(within(Timestamp::MIN, Timestamp::MAX).await, own);
    for unheard in [series(&agent("a"), 7), series(&agent("unheard"), 0)] {
        assert_eq!(ledger.hours(&unheard, Interval::ALWAYS).await.unwrap(), []);
    }
    ledger.grant(&agent("silent"), 0, at(0)).await.unwrap();
    assert_eq!(ledger.hours(&series(&agent("silent"), 0), Interval::ALWAYS).await.unwrap(), []);
}

async fn every_cause_and_any_sum_come_back(place: &Place) {
    let ledger = place.open().await;
    let every = Run { causes: Cause::ALL.iter().copied().collect(), results: u32::MAX, ..run(OutcomeKind::Void, 0) };
    let huge = Hour {
        hour: at(0),
        population: Population { ups: u64::MAX, sum_us: u128::MAX, ..hour(0, 1).population },
        histogram: Vec::new(),
    };
    put(&ledger, 0, vec![effect_of(0, None, vec![every], vec![huge.clone()])]).await;
    assert_eq!(derived(&ledger, 0).await, [("check-0".to_owned(), vec![every], vec![huge])]);
}

async fn derived_is_replaced_as_a_whole_at_its_position_only(place: &Place) {
    let ledger = place.open().await;
    let a = agent("a");
    put(&ledger, 0, vec![effect_of(0, None, vec![run(OutcomeKind::Up, 0)], vec![hour(0, 1)])]).await;
    let before = derived(&ledger, 0).await;
    let anew = vec![Derived { series: series(&a, 1), runs: vec![run(OutcomeKind::Down, 0)], hours: vec![hour(1, 2)] }];
    let replace = async |position| {
        let replaced = ledger.replace_derived(&a, position, anew.clone(), checkpoint(position, "anew")).await;
        replaced.unwrap()
    };
    for stale in [0, 2] {
        assert_eq!(replace(stale).await, Committed::Collided(vec![a.clone()]));
        assert_eq!(derived(&ledger, 0).await, before);
        assert_eq!(ledger.checkpoint(&a).await.unwrap(), None);
    }
    assert_eq!(replace(1).await, Committed::Durable);
    assert_eq!(ledger.derived(&a, at(0)).await.unwrap(), anew);
    assert_eq!(ledger.checkpoint(&a).await.unwrap(), Some(checkpoint(1, "anew")));
    assert_eq!(ledger.positions().await.unwrap(), [(a.clone(), 1)]);
}
