//! Everything derived, made anew from the blocks, and held against what the ledger has.
//!
//! Blocks are the truth; a difference means that something derived was wrong, and is told before it
//! is put right. It never changes a block, and a ledger rebuilt twice is the same ledger.

use crate::fold::Scratch;
use crate::ledger::{Committed, Derived, Ledger, LedgerError};
use rules::id::AgentId;
use rules::result::SeriesKey;
use rules::time::Timestamp;
use std::collections::BTreeMap;

/// How many differences of an agent are described; all are counted.
const DESCRIBED_MAX: usize = 100;
/// How often an agent's rebuild begins anew because blocks came in meanwhile.
const ATTEMPTS_MAX: usize = 10;

/// What came of one agent's rebuild.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rebuilt {
    /// Whose.
    pub agent: AgentId,
    /// How many blocks were folded.
    pub blocks: u64,
    /// How many runs and hours were missing, superfluous or different.
    pub differences: u64,
    /// The first of them, in words.
    pub described: Vec<String>,
}

/// Why a ledger could not be rebuilt.
#[derive(Debug, thiserror::Error)]
pub enum RebuildError {
    /// The ledger failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// Blocks kept coming in.
    #[error("failed to rebuild agent `{0}`: blocks came in all the while; stop its collectors and try again")]
    Busy(AgentId),
}

/// Rebuilds what is derived for every agent.
pub async fn rebuild(ledger: &dyn Ledger) -> Result<Vec<Rebuilt>, RebuildError> {
    let mut all = Vec::new();
    for (agent, _) in ledger.positions().await? {
        all.push(rebuild_agent(ledger, &agent).await?);
    }
    Ok(all)
}

async fn rebuild_agent(ledger: &dyn Ledger, agent: &AgentId) -> Result<Rebuilt, RebuildError> {
    for _ in 0..ATTEMPTS_MAX {
        let scratch = Scratch::fold(ledger, agent).await?;
        let (derived, checkpoint) = scratch.derived();
        let stored = ledger.derived(agent, Timestamp::MIN).await?;
        let mut rebuilt =
            Rebuilt { agent: agent.clone(), blocks: checkpoint.position, differences: 0, described: Vec::new() };
        compare(&stored, &derived, &mut rebuilt);
        if ledger.replace_derived(agent, checkpoint.position, derived, checkpoint).await? == Committed::Durable {
            return Ok(rebuilt);
        }
    }
    Err(RebuildError::Busy(agent.clone()))
}

fn compare(stored: &[Derived], rebuilt: &[Derived], found: &mut Rebuilt) {
    let (stored, rebuilt) = (by_series(stored), by_series(rebuilt));
    for series in stored.keys().chain(rebuilt.keys().filter(|series| !stored.contains_key(*series))) {
        let (was, is) = (stored.get(series), rebuilt.get(series));
        let runs = |derived: Option<&&Derived>| -> BTreeMap<Timestamp, String> {
            let runs = derived.into_iter().flat_map(|derived| &derived.runs);
            runs.map(|run| (run.first_at, format!("{run:?}"))).collect()
        };
        let hours = |derived: Option<&&Derived>| -> BTreeMap<Timestamp, String> {
            let hours = derived.into_iter().flat_map(|derived| &derived.hours);
            hours.map(|hour| (hour.hour, format!("{hour:?}"))).collect()
        };
        differences(series, "run", &runs(was), &runs(is), found);
        differences(series, "hour", &hours(was), &hours(is), found);
    }
}

fn by_series(derived: &[Derived]) -> BTreeMap<&SeriesKey, &Derived> {
    derived.iter().map(|derived| (&derived.series, derived)).collect()
}

fn differences(
    series: &SeriesKey,
    what: &str,
    was: &BTreeMap<Timestamp, String>,
    is: &BTreeMap<Timestamp, String>,
    found: &mut Rebuilt,
) {
    for at in was.keys().chain(is.keys().filter(|at| !was.contains_key(at))) {
        let told = match (was.get(at), is.get(at)) {
            (Some(was), Some(is)) if was == is => continue,
            (Some(_), Some(_)) => "was different",
            (Some(_), None) => "should not have been there",
            (None, _) => "was missing",
        };
        found.differences += 1;
        if found.described.len() < DESCRIBED_MAX {
            let SeriesKey { agent, service, check } = series;
            found.described.push(format!("the {what} at {at} of check {check} of {service} from {agent} {told}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commit::Answer;
    use crate::commit::tests::{Bench, agent, key, pace, result};
    use rules::outcome::{Cause, Outcome};
    use std::sync::Arc;

    #[tokio::test]
    async fn a_rebuild_finds_nothing_to_mend_and_twice_gives_the_same_ledger() {
        let mut bench = Bench::new().await;
        for slot in 0..400 {
            let outcome = if slot % 90 == 5 { Outcome::Down(Cause::Reset) } else { Outcome::Up };
            bench.send(&[(key("login"), pace(30), result(slot * 30, outcome))]).await;
        }
        bench.send(&[(key("login"), pace(30), result(3005, Outcome::Down(Cause::Timeout)))]).await;
        let first = rebuild(&*bench.ledger).await.unwrap();
        assert_eq!((first[0].blocks, first[0].differences), (401, 0), "{:?}", first[0].described);
        let once = (bench.ledger.derived(&agent(), Timestamp::MIN).await, bench.ledger.checkpoint(&agent()).await);
        rebuild(&*bench.ledger).await.unwrap();
        let twice = (bench.ledger.derived(&agent(), Timestamp::MIN).await, bench.ledger.checkpoint(&agent()).await);
        assert_eq!(once.0.unwrap(), twice.0.unwrap());
        assert_eq!(once.1.unwrap(), twice.1.unwrap());
    }

    #[tokio::test]
    async fn a_ledger_without_its_first_blocks_loads_and_goes_on_but_is_not_rebuilt_from_a_part() {
        let mut bench = Bench::new().await;
        for slot in 0..700 {
            bench.send(&[(key("login"), pace(30), result(slot * 30, Outcome::Up))]).await;
        }
        let ledger = Arc::clone(&bench.ledger);
        let runs = |bench: &Bench| bench.state.series(&key("login")).unwrap().runs().copied().collect::<Vec<_>>();
        let before = runs(&bench);
        assert_eq!(ledger.forget_blocks(&agent(), 400, Timestamp::MAX).await.unwrap(), 400);
        bench = bench.killed().await;
        assert_eq!(runs(&bench), before);
        // In order; late, where the neighbours are still there; and later than that.
        let committed = |refused: usize, answer: Answer| {
            let Answer::Committed { refused: found, .. } = &answer else { panic!("{answer:?}") };
            assert_eq!(found.len(), refused, "{found:?}");
        };
        committed(0, bench.send(&[(key("login"), pace(30), result(700 * 30, Outcome::Up))]).await);
        committed(0, bench.send(&[(key("login"), pace(30), result(500 * 30 + 1, Outcome::Down(Cause::Reset)))]).await);
        let (series, derived) = (runs(&bench), ledger.derived(&agent(), Timestamp::MIN).await.unwrap());
        let late = bench.offered(&[(key("login"), pace(30), result(100 * 30 + 1, Outcome::Down(Cause::Reset)))]);
        let next = bench.offered(&[(key("login"), pace(30), result(701 * 30, Outcome::Up))]);
        committed(1, bench.offer(vec![late, next]).await);
        assert_eq!(ledger.quarantined().await.unwrap(), 1);
        assert_eq!(runs(&bench)[..2], series[..2]);
        assert_eq!(ledger.derived(&agent(), Timestamp::MIN).await.unwrap()[0].runs, derived[0].runs);
        assert_eq!(runs(&bench).iter().map(|run| run.results).sum::<u32>(), 703);

        let refusal = rebuild(&*ledger).await.unwrap_err().to_string();
        insta::assert_snapshot!(refusal, @"failed to read the blocks of agent `seoul-1`: its first 400 have left the ledger for the archive; what needs them must be given the archive as well");
        assert_eq!(ledger.derived(&agent(), Timestamp::MIN).await.unwrap()[0].runs, derived[0].runs);
    }

    #[tokio::test]
    async fn what_was_derived_wrongly_is_told_and_put_right() {
        let mut bench = Bench::new().await;
        for slot in 0..300 {
            bench.send(&[(key("login"), pace(30), result(slot * 30, Outcome::Up))]).await;
        }
        let scratch = Scratch::fold(&*bench.ledger, &agent()).await.unwrap();
        let (mut derived, checkpoint) = scratch.derived();
        derived[0].hours[0].population.ups += 1;
        derived[0].hours.remove(1);
        bench.ledger.replace_derived(&agent(), 300, derived, checkpoint).await.unwrap();
        let told = rebuild(&*bench.ledger).await.unwrap();
        assert_eq!(told[0].differences, 2);
        assert!(told[0].described[0].contains("was different"), "{:?}", told[0].described);
        assert!(told[0].described[1].contains("was missing"), "{:?}", told[0].described);
        assert_eq!(rebuild(&*bench.ledger).await.unwrap()[0].differences, 0);
    }
}
