//! Agents, links and a collector on virtual time, from a printed seed, against a model that knows
//! the truth: what `reliability.md` promises must hold after every run.
//!
//! Only values of `rules` take part: schedule, blocks, both ends of delivery, runs, the reckoning.
//! Disks that sync, sockets and clocks are the system tests' matter.

#[path = "simulation/agent.rs"]
mod agent;
#[path = "simulation/collector.rs"]
mod collector;
#[path = "simulation/script.rs"]
mod script;
#[path = "simulation/world.rs"]
mod world;

use rules::interval::Interval;
use rules::outage::Verdict;
use rules::run::Series;
use std::collections::BTreeSet;
use world::World;

/// Seeds of an ordinary run, and of a deep one; a failing one is printed and can be run alone.
const SEEDS: std::ops::Range<u64> = 0..20;
const SEEDS_DEEP: std::ops::Range<u64> = 0..1000;

#[test]
fn nothing_acknowledged_is_lost_nothing_counts_twice_nothing_false_is_reported() {
    for seed in seeds() {
        let mut world = World::new(seed);
        world.run();
        world.heal();
        let story = format!("seed {seed} (NINES_SEED={seed} runs it alone)");

        for agent in &world.agents {
            let in_ledger: BTreeSet<&[u8]> = world.collector.blocks_of(&agent.id).collect();
            for block in agent.acknowledged() {
                assert!(in_ledger.contains(block), "{story}: an acknowledged block of {} is gone", agent.id);
            }
            assert_eq!(agent.backlog(), 0, "{story}: {} still has a backlog after healing", agent.id);
        }
        assert!(world.collector.every_place_is_taken_once(), "{story}: one place in a lane was taken twice");

        let surviving = world.surviving_results();
        for (key, series) in world.collector.series() {
            let expected = Series::fold(surviving.get(key).cloned().unwrap_or_default());
            assert_eq!(series, &expected, "{story}: {key:?} differs from the fold of what was spooled");
        }
        assert_eq!(world.collector.series().len(), surviving.len(), "{story}: a series is missing");

        world.reckoned(|reckoning| {
            let parts = &reckoning.partition;
            let all = [&parts.up, &parts.counted, &parts.short, &parts.excluded, &parts.undetermined];
            let sum: std::time::Duration = all.iter().map(|part| part.length()).sum();
            assert_eq!(sum, reckoning.period.length(), "{story}: the partition doesn't add up");
            for (stretch, _) in &reckoning.stretches {
                let scripted = world.explains(stretch.interval);
                assert!(scripted, "{story}: nobody scripted the down stretch {:?}", stretch.interval);
            }
            let long = world.script.outages_that_everybody_saw();
            let found: Vec<Interval> = reckoning
                .stretches
                .iter()
                .filter(|(stretch, _)| stretch.verdict == Verdict::Outage)
                .map(|(stretch, _)| stretch.interval)
                .collect();
            for truth in long.into_iter().filter(|truth| world.was_watched(*truth)) {
                let seen = found.iter().any(|found| found.intersection(truth).is_some());
                assert!(seen, "{story}: the outage {truth:?} was watched and not found among {found:?}");
            }
        });
    }
}

fn seeds() -> std::ops::Range<u64> {
    match std::env::var("NINES_SEED") {
        Ok(seed) => {
            let seed = seed.parse().expect("NINES_SEED is a number");
            seed..seed + 1
        }
        Err(_) if std::env::var_os("NINES_TEST_DEEP").is_some() => SEEDS_DEEP,
        Err(_) => SEEDS,
    }
}
