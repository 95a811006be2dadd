//! What the ledger knows of a service, for whoever draws up months or explains them.
//!
//! Runs come from memory where it reaches, else from the ledger; elapsed times come from the
//! ledger's closed hours, and from the blocks themselves where only a part of an hour is asked for.
//! It reads and never reckons, and it sees only what is committed.

use crate::closing::evidence::{Evidence, Latency, Percentiles, REACH, REMARKS_MAX, Remark, Seen, Watermark};
use crate::fold::hour::{add_histogram, empty_histogram};
use crate::ledger::{Hour, Ledger, LedgerError, StoredBlock};
use crate::state::{SeriesView, State};
use hdrhistogram::Histogram;
use rules::agreement::Service;
use rules::block::{Block, BlockError, BlockSeries};
use rules::check::{Check, Vantages};
use rules::id::{AgentId, ServiceId};
use rules::interval::{Interval, IntervalSet};
use rules::latency::{Population, contribution};
use rules::result::{Pace, ProbeResult, SeriesKey};
use rules::run::{Run, put_in_order};
use rules::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// How much time's blocks are in memory at once.
const READ_AT_ONCE: Duration = Duration::from_hours(6);
const HOUR: Duration = Duration::from_hours(1);

/// The ledger as a source of evidence; cheap to clone.
#[derive(Clone)]
pub struct LedgerEvidence {
    ledger: Arc<dyn Ledger>,
    state: State,
}

/// What a series' results within some time came to.
#[derive(Clone, PartialEq, Debug)]
pub struct Elapsed {
    /// The exact sums.
    pub population: Population,
    /// The contributions in microseconds, with two significant digits.
    pub histogram: Histogram<u64>,
    /// The sums by UTC hour.
    pub hours: BTreeMap<Timestamp, Population>,
}

impl Default for Elapsed {
    fn default() -> Elapsed {
        Elapsed { population: Population::default(), histogram: empty_histogram(), hours: BTreeMap::new() }
    }
}

impl LedgerEvidence {
    /// Evidence from `ledger`, whose committed state is `state`.
    pub fn new(ledger: Arc<dyn Ledger>, state: State) -> LedgerEvidence {
        LedgerEvidence { ledger, state }
    }

    /// The ledger that it is read from.
    pub fn ledger(&self) -> &dyn Ledger {
        &*self.ledger
    }

    /// The same, for whoever keeps it.
    pub fn shared_ledger(&self) -> Arc<dyn Ledger> {
        Arc::clone(&self.ledger)
    }

    /// How many of `agent`'s blocks are in it.
    pub fn blocks_of(&self, agent: &AgentId) -> u64 {
        self.state.agents().into_iter().find(|view| view.agent == *agent).map_or(0, |view| view.position)
    }

    /// All runs of `view`'s series that end after `since`.
    async fn runs(
        &self,
        view: &SeriesView,
        since: Timestamp,
        older: &mut BTreeMap<AgentId, BTreeMap<SeriesKey, Vec<Run>>>,
    ) -> Result<Vec<Run>, LedgerError> {
        let remembered = view.runs().copied();
        if self.state.remembers_since(&view.key.agent) <= since {
            return Ok(remembered.collect());
        }
        if !older.contains_key(&view.key.agent) {
            let derived = self.ledger.derived(&view.key.agent, since).await?;
            let runs = derived.into_iter().map(|derived| (derived.series, derived.runs)).collect();
            older.insert(view.key.agent.clone(), runs);
        }
        let first = view.runs().next().map_or(Timestamp::MAX, |run| run.first_at);
        let stored = older.get(&view.key.agent).and_then(|series| series.get(&view.key));
        let before = stored.into_iter().flatten().filter(|run| run.first_at < first).copied();
        Ok(before.chain(remembered).collect())
    }

    /// What the results of one series with `at` in `measured` came to, exactly.
    pub async fn elapsed(&self, key: &SeriesKey, measured: &IntervalSet) -> Result<Elapsed, LedgerError> {
        let mut sum = Elapsed::default();
        let last = self.state.series(key).and_then(|view| view.last).map(|last| last.at);
        let first = measured.as_slice().first().map(|interval| interval.from());
        let until = measured.as_slice().last().map(|interval| interval.until());
        let (Some(last), Some(first), Some(until)) = (last, first, until) else { return Ok(sum) };
        let open = last.hour();
        let Some(whole) = Interval::new(first.hour(), until) else { return Ok(sum) };
        for hour in self.ledger.hours(key, whole).await? {
            let Some(stretch) = Interval::new(hour.hour, hour.hour.plus(HOUR)) else { continue };
            let wanted = measured.clipped(stretch);
            if wanted.length() == HOUR && hour.hour < open {
                sum.add_hour(&hour)?;
            } else if !wanted.is_empty() && hour.hour < open {
                self.add_results(&mut sum, key, &wanted).await?;
            }
        }
        if let Some(rest) = Interval::new(open, last.plus(Duration::from_millis(1))) {
            self.add_results(&mut sum, key, &measured.clipped(rest)).await?;
        }
        Ok(sum)
    }

    async fn add_results(&self, sum: &mut Elapsed, key: &SeriesKey, wanted: &IntervalSet) -> Result<(), LedgerError> {
        let (Some(first), Some(last)) = (wanted.as_slice().first(), wanted.as_slice().last()) else { return Ok(()) };
        let Some(stretch) = Interval::new(first.from(), last.until()) else { return Ok(()) };
        for (result, pace) in self.results(key, stretch).await? {
            if wanted.contains(result.at) {
                sum.add(&result, pace);
            }
        }
        Ok(())
    }

    /// The results of one series within `interval` that stand, in order of time.
    pub async fn results(&self, key: &SeriesKey, interval: Interval) -> Result<Vec<(ProbeResult, Pace)>, LedgerError> {
        results_within(&*self.ledger, key, interval).await
    }

    /// All series of `service`, by check and agent.
    pub fn series_of(&self, service: &ServiceId) -> Vec<SeriesKey> {
        self.state.service(service).into_iter().map(|view| view.key).collect()
    }
}

/// The results of one series within `interval` that stand, in order of time; never a part of them: if
/// some may have left the ledger, that is [`LedgerError::Forgotten`].
pub(crate) async fn results_within(
    ledger: &dyn Ledger,
    key: &SeriesKey,
    interval: Interval,
) -> Result<Vec<(ProbeResult, Pace)>, LedgerError> {
    let mut results = Vec::new();
    let mut rest = Some(interval);
    while let Some(stretch) = rest {
        let until = stretch.until().min(stretch.from().plus(READ_AT_ONCE));
        let window = Interval::new(stretch.from(), until).unwrap_or(stretch);
        for stored in ledger.blocks_of(&key.agent, &key.service, window).await? {
            for part in decoded_series(key, &stored)? {
                let inside = part.results.iter().filter(|result| window.contains(result.at));
                results.extend(inside.map(|result| (*result, part.pace)));
            }
        }
        rest = Interval::new(window.until(), stretch.until());
    }
    // Blocks may have been forgotten while others were read, so this comes last.
    let forgotten = ledger.forgotten_of(&key.agent, &key.service).await?;
    if let Some(forgotten) = forgotten.filter(|forgotten| interval.from() < forgotten.until) {
        return Err(LedgerError::Forgotten { agent: key.agent.clone(), blocks: forgotten.position });
    }
    put_in_order(&mut results);
    results.dedup_by_key(|(result, _)| result.at);
    Ok(results)
}

/// The first notes on `agent`'s results of `service` within `interval`.
async fn remarks_of(
    ledger: &dyn Ledger,
    agent: &AgentId,
    service: &ServiceId,
    interval: Interval,
) -> Result<Vec<Remark>, LedgerError> {
    let (mut remarks, mut rest) = (Vec::new(), Some(interval));
    while let Some(stretch) = rest.filter(|_| remarks.len() < REMARKS_MAX) {
        let until = stretch.until().min(stretch.from().plus(READ_AT_ONCE));
        let window = Interval::new(stretch.from(), until).unwrap_or(stretch);
        let blocks = match ledger.blocks_of(agent, service, window).await {
            // Notes are for people: that there are none any more takes nothing from a figure.
            Err(LedgerError::Gone { .. }) => Vec::new(),
            read => read?,
        };
        for stored in blocks {
            for part in decoded(agent, &stored)?.series.iter().filter(|part| part.service == *service) {
                let noted = part.noted().filter_map(|(result, note)| Some((result.at, note?)));
                remarks.extend(noted.filter(|(at, _)| window.contains(*at)).map(|(at, note)| Remark {
                    at,
                    agent: agent.clone(),
                    check: part.check.clone(),
                    note: note.clone(),
                }));
            }
        }
        rest = Interval::new(window.until(), stretch.until());
    }
    Ok(remarks)
}

pub(crate) fn decoded(agent: &AgentId, stored: &StoredBlock) -> Result<Block, LedgerError> {
    Block::decode(&stored.bytes).map_err(|error| corrupt(agent, stored, &error))
}

pub(crate) fn decoded_series(key: &SeriesKey, stored: &StoredBlock) -> Result<Vec<BlockSeries>, LedgerError> {
    let series = Block::decode_series(&stored.bytes, &key.service, &key.check);
    series.map_err(|error| corrupt(&key.agent, stored, &error))
}

fn corrupt(agent: &AgentId, stored: &StoredBlock, error: &BlockError) -> LedgerError {
    LedgerError::Corrupt { what: format!("block {} of agent {agent} does not decode: {error}", stored.position) }
}

impl Elapsed {
    fn add_hour(&mut self, hour: &Hour) -> Result<(), LedgerError> {
        self.population.merge(&hour.population);
        self.hours.entry(hour.hour).or_default().merge(&hour.population);
        add_histogram(&mut self.histogram, hour)
    }

    pub(crate) fn add(&mut self, result: &ProbeResult, pace: Pace) {
        self.population.add(result, pace);
        self.hours.entry(result.at.hour()).or_default().add(result, pace);
        if let Some(length) = contribution(result, pace) {
            let us = u32::try_from(length.as_micros()).unwrap_or(u32::MAX);
            self.histogram.record(u64::from(us)).expect("the histogram grows to any value of 32 bits");
        }
    }

    fn merge(&mut self, other: &Elapsed) -> Result<(), LedgerError> {
        self.population.merge(&other.population);
        for (hour, population) in &other.hours {
            self.hours.entry(*hour).or_default().merge(population);
        }
        let refuse = |error| LedgerError::Corrupt { what: format!("histograms don't add up: {error}") };
        self.histogram.add(&other.histogram).map_err(refuse)
    }
}

impl Evidence for LedgerEvidence {
    type Error = LedgerError;

    async fn series(&self, service: &Service, month: Interval) -> Result<Vec<Seen>, LedgerError> {
        let since = month.from().minus(REACH);
        let (mut seen, mut older) = (Vec::new(), BTreeMap::new());
        for view in self.state.service(&service.id) {
            let runs = self.runs(&view, since, &mut older).await?;
            seen.push(Seen { agent: view.key.agent, check: view.key.check, runs });
        }
        Ok(seen)
    }

    async fn latency(&self, service: &Service, check: &Check, measured: &IntervalSet) -> Result<Latency, LedgerError> {
        let mut sum = Elapsed::default();
        for key in self.series_of(&service.id).into_iter().filter(|key| key.check == check.id) {
            sum.merge(&self.elapsed(&key, measured).await?)?;
        }
        Ok(Latency {
            population: sum.population,
            percentiles: Percentiles::of(&sum.histogram),
            hours: sum.hours.into_iter().collect(),
        })
    }

    async fn remarks(&self, service: &Service, interval: Interval) -> Result<Vec<Remark>, LedgerError> {
        let agents: BTreeSet<AgentId> = self.series_of(&service.id).into_iter().map(|key| key.agent).collect();
        let mut remarks = Vec::new();
        for agent in agents {
            remarks.extend(remarks_of(&*self.ledger, &agent, &service.id, interval).await?);
        }
        remarks.sort_unstable();
        remarks.dedup();
        remarks.truncate(REMARKS_MAX);
        Ok(remarks)
    }

    async fn watermarks(&self, service: &Service) -> Result<Vec<Watermark>, LedgerError> {
        let mut agents: BTreeSet<AgentId> =
            self.state.service(&service.id).into_iter().map(|view| view.key.agent).collect();
        if let Vantages::Only(named) = &service.agents {
            agents.extend(named.iter().cloned());
        }
        let known: BTreeMap<AgentId, Option<Timestamp>> =
            self.state.agents().into_iter().map(|view| (view.agent, view.last_at)).collect();
        let complete = |agent: &AgentId| known.get(agent).copied().flatten().unwrap_or(Timestamp::MIN);
        Ok(agents.into_iter().map(|agent| Watermark { complete_until: complete(&agent), agent }).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commit::tests::{BEGAN, Bench, key, pace, result};
    use rules::outcome::{Cause, Outcome};

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(BEGAN + seconds * 1000)
    }

    fn stretch(from: i64, until: i64) -> Interval {
        Interval::new(at(from), at(until)).unwrap()
    }

    #[tokio::test]
    async fn elapsed_times_are_exact_over_whole_hours_parts_and_the_open_hour() {
        let mut bench = Bench::new().await;
        let all: Vec<_> = (0..600)
            .map(|slot| {
                let outcome = if slot % 7 == 0 { Outcome::Down(Cause::Timeout) } else { Outcome::Up };
                let one = result(slot * 30, outcome);
                let elapsed = Duration::from_micros(1000 + slot.unsigned_abs());
                (key("login"), pace(30), ProbeResult { elapsed, ..one })
            })
            .collect();
        for part in all.chunks(50) {
            bench.send(part).await;
        }
        bench.send(&all[3..9]).await;
        let evidence = LedgerEvidence::new(Arc::clone(&bench.ledger), bench.state.clone());
        let measured: IntervalSet =
            [stretch(100, 200), stretch(3000, 11_000), stretch(16_000, 17_000)].into_iter().collect();
        let found = evidence.elapsed(&key("login"), &measured).await.unwrap();
        let mut expected = Population::default();
        for (_, pace, result) in all.iter().filter(|(_, _, result)| measured.contains(result.at)) {
            expected.add(result, *pace);
        }
        assert_eq!(found.population, expected);
        assert_eq!(found.histogram.len(), expected.count());
        let by_hour = found.hours.values().map(|hour| hour.count()).sum::<u64>();
        assert_eq!(by_hour, expected.count());
    }

    #[tokio::test]
    async fn nothing_measured_is_nothing() {
        let bench = Bench::new().await;
        let evidence = LedgerEvidence::new(Arc::clone(&bench.ledger), bench.state.clone());
        let all: IntervalSet = Interval::ALWAYS.into();
        assert_eq!(evidence.elapsed(&key("login"), &all).await.unwrap().population, Population::default());
    }
}
