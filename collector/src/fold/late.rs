//! Results that came late: their series is folded again from shortly before them.
//!
//! Folding begins at a **cut**: the UTC hour of the earliest late result, or, if a run that was
//! not up spans that, the hour in which that run began (only a run of `Up` can be cut in two and
//! stay exact, for it has no causes). Runs before the cut stay; everything after it is read from
//! the stored blocks again, together with the blocks of this commit. All runs and hours from the
//! cut on are then forgotten and written anew.

use super::AgentFold;
use super::series::{Pending, SeriesFold};
use crate::ledger::{Hour, Ledger, LedgerError};
use rules::block::{Block, BlockError};
use rules::id::{CheckId, ServiceId};
use rules::interval::Interval;
use rules::latency::Population;
use rules::outcome::OutcomeKind;
use rules::result::{Pace, ProbeResult, SeriesKey};
use rules::run::{Run, Series, put_in_order, speech};
use rules::time::Timestamp;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

/// How much time's blocks are in memory at once.
const READ_AT_ONCE: Duration = Duration::from_hours(6);
/// How far before a cut its last result is looked for first.
const LOOK_BACK: Duration = Duration::from_mins(1);
/// Runs that end this long before a cut have no bearing on it.
const MARGIN: Duration = Duration::from_secs(1);

/// Where a series is folded again from.
struct Refold {
    index: usize,
    /// The earliest of its late results.
    first: Timestamp,
    cut: Timestamp,
    /// The earliest stored result that it is made of.
    reads_from: Timestamp,
    /// The runs before the cut, the last one cut off there.
    base: Vec<Run>,
    /// The hours as they were, from the hour of the last run before the cut on.
    hours: BTreeMap<Timestamp, Hour>,
}

/// Where results are read from: the blocks stored before `before`, and those of this commit.
struct Source<'a> {
    ledger: &'a dyn Ledger,
    batch: &'a [Arc<Block>],
    before: u64,
    /// Results before this may have left the ledger.
    forgotten_until: Timestamp,
}

type Results = Vec<(ProbeResult, Pace)>;

impl AgentFold {
    /// Takes in all results that were set aside; [`LedgerError::TooLate`] names one whose neighbours
    /// have left the ledger.
    pub(super) async fn take_in_late(
        &mut self,
        ledger: &dyn Ledger,
        batch: &[Arc<Block>],
        before: u64,
    ) -> Result<(), LedgerError> {
        let forgotten_until = self.forgotten_until(ledger).await?;
        let source = Source { ledger, batch, before, forgotten_until };
        let mut refolds = Vec::new();
        for index in self.changed.clone() {
            if let Some(first) = self.series[index].pending.late.iter().map(|(result, _)| result.at).min() {
                refolds.push(self.plan(&source, index, first).await?);
            }
        }
        let cuts = refolds.iter().map(|refold| (refold.index, refold.cut)).collect();
        let mut found = self.results(&source, &cuts, None).await?;
        // Blocks may have been forgotten while others were read.
        let forgotten_until = self.forgotten_until(ledger).await?;
        if let Some(refold) = refolds.iter().find(|refold| refold.reads_from < forgotten_until) {
            return Err(self.too_late(refold.index, refold.first));
        }
        for refold in refolds {
            let results = found.remove(&refold.index).unwrap_or_default();
            self.refold(refold, results);
        }
        Ok(())
    }

    async fn forgotten_until(&self, ledger: &dyn Ledger) -> Result<Timestamp, LedgerError> {
        let forgotten = ledger.forgotten(&self.agent).await?;
        Ok(forgotten.map_or(Timestamp::MIN, |forgotten| forgotten.until))
    }

    fn too_late(&self, index: usize, at: Timestamp) -> LedgerError {
        LedgerError::TooLate { series: self.key(index), at }
    }

    async fn plan(&self, source: &Source<'_>, index: usize, first: Timestamp) -> Result<Refold, LedgerError> {
        let mut cut = first.hour();
        let (runs, spanning) = loop {
            let runs = self.runs_around(source.ledger, index, cut).await?;
            let before = runs.partition_point(|run| run.first_at < cut);
            match before.checked_sub(1).map(|last| runs[last]) {
                Some(run) if cut <= run.last_at && run.kind != OutcomeKind::Up => cut = run.first_at.hour(),
                Some(run) if cut <= run.last_at => break (runs, Some(run)),
                Some(_) | None => break (runs, None),
            }
        };
        if cut < source.forgotten_until {
            return Err(self.too_late(index, first));
        }
        let before = runs.partition_point(|run| run.first_at < cut);
        let hours_from = before.checked_sub(1).map_or(cut, |last| runs[last].first_at.hour().min(cut));
        let hours = self.hours_from(source.ledger, index, hours_from).await?;
        let (mut base, mut reads_from) = (runs[..before].to_vec(), cut);
        if let (Some(run), Some(last)) = (spanning, base.last_mut()) {
            let (result, pace) =
                self.last_before(source, index, cut, run).await?.ok_or_else(|| self.too_late(index, first))?;
            let later: u64 = runs[before..].iter().map(|run| u64::from(run.results)).sum();
            let open = self.series[index].hour.as_ref().map_or(0, |open| open.population.results());
            let after_cut: u64 = hours.range(cut..).map(|(_, hour)| hour.population.results()).sum::<u64>() + open;
            let left = (u64::from(run.results) + later).saturating_sub(after_cut);
            last.results = u32::try_from(left).unwrap_or(u32::MAX);
            last.last_at = result.at;
            reads_from = result.at;
            last.until = result.at.plus(speech(pace));
        }
        Ok(Refold { index, first, cut, reads_from, base, hours })
    }

    /// The runs that bear on a cut, from the ledger if memory does not reach back so far.
    async fn runs_around(&self, ledger: &dyn Ledger, index: usize, cut: Timestamp) -> Result<Vec<Run>, LedgerError> {
        let series = &self.series[index];
        let remembered = series.series.runs();
        if self.since < cut {
            return Ok(remembered.to_vec());
        }
        let derived = ledger.derived(&self.agent, cut.minus(MARGIN)).await?;
        let own = derived.into_iter().find(|derived| derived.series == self.key(index));
        let first = remembered.first().map_or(Timestamp::MAX, |run| run.first_at);
        let mut runs = own.map(|own| own.runs).unwrap_or_default();
        runs.retain(|run| run.first_at < first);
        runs.extend_from_slice(remembered);
        Ok(runs)
    }

    /// The closed hours from `from` on, those of this commit included.
    async fn hours_from(
        &self,
        ledger: &dyn Ledger,
        index: usize,
        from: Timestamp,
    ) -> Result<BTreeMap<Timestamp, Hour>, LedgerError> {
        let mut hours: BTreeMap<Timestamp, Hour> = match &self.own_hours {
            Some(own) => own.get(index).into_iter().flat_map(|own| own.range(from..)).map(owned).collect(),
            None => {
                let stretch = Interval::new(from, Timestamp::MAX).unwrap_or(Interval::ALWAYS);
                let stored = ledger.hours(&self.key(index), stretch).await?;
                stored.into_iter().map(|hour| (hour.hour, hour)).collect()
            }
        };
        let pending = self.series[index].pending.hours.iter().filter(|hour| from <= hour.hour);
        hours.extend(pending.map(|hour| (hour.hour, hour.clone())));
        Ok(hours)
    }

    /// The last result before `cut` of `run`, which has one; nothing if it may have left the ledger.
    async fn last_before(
        &self,
        source: &Source<'_>,
        index: usize,
        cut: Timestamp,
        run: Run,
    ) -> Result<Option<(ProbeResult, Pace)>, LedgerError> {
        let mut back = LOOK_BACK.max(speech(self.series[index].pace));
        loop {
            let from = cut.minus(back).max(run.first_at);
            let mut found = self.results(source, &HashMap::from([(index, from)]), Some(cut)).await?;
            let mut results = found.remove(&index).unwrap_or_default();
            put_in_order(&mut results);
            if let Some(last) = results.last().map(|last| last.0.at) {
                let standing = results.into_iter().find(|(result, _)| result.at == last);
                let standing = standing.expect("the last instant has a result");
                return Ok((source.forgotten_until <= standing.0.at).then_some(standing));
            }
            if from < source.forgotten_until {
                return Ok(None);
            }
            if from <= run.first_at {
                let what = format!("a run of {:?} begins at {from} and no block has a result there", self.key(index));
                return Err(LedgerError::Corrupt { what });
            }
            back = back.saturating_mul(4);
        }
    }

    /// The results of some series, each from an instant of its own on, and all until `until` or the end.
    async fn results(
        &self,
        source: &Source<'_>,
        from: &HashMap<usize, Timestamp>,
        until: Option<Timestamp>,
    ) -> Result<HashMap<usize, Results>, LedgerError> {
        let mut found: HashMap<usize, Results> = HashMap::new();
        let end = until.or(self.last_at.map(|last| last.plus(Duration::from_millis(1))));
        let first = from.values().min().copied();
        let mut rest = first.zip(end).and_then(|(first, end)| Interval::new(first, end));
        while let Some(stretch) = rest {
            let window = Interval::new(stretch.from(), stretch.until().min(stretch.from().plus(READ_AT_ONCE)));
            let window = window.unwrap_or(stretch);
            let mut gather = |block: &Block| gather(&mut found, &self.index, from, window, block);
            for stored in source.ledger.blocks_within(&self.agent, window).await? {
                if stored.position < source.before {
                    gather(&Block::decode(&stored.bytes).map_err(|error| self.undecodable(stored.position, &error))?);
                }
            }
            source.batch.iter().for_each(|block| gather(block));
            rest = Interval::new(window.until(), stretch.until());
        }
        Ok(found)
    }

    fn undecodable(&self, position: u64, error: &BlockError) -> LedgerError {
        LedgerError::Corrupt { what: format!("block {position} of agent {} does not decode: {error}", self.agent) }
    }

    /// Folds the series again from the cut on.
    fn refold(&mut self, refold: Refold, mut results: Results) {
        let Refold { index, cut, base, hours, .. } = refold;
        let old = &mut self.series[index];
        let last_kept = base.last().map(|run| run.first_at);
        let mut new = SeriesFold::new(old.service.clone(), old.check.clone(), old.pace);
        new.series = Series::resume(base, None);
        put_in_order(&mut results);
        for (result, pace) in &results {
            new.push(result, *pace);
        }
        let mut pending = std::mem::take(&mut new.pending);
        pending.forget_from = Some(cut);
        if let (Some(kept), Some(open)) = (last_kept, new.open_run())
            && kept == open.first_at
        {
            // It may lie in the ledger as closed; as the open run it must not.
            pending.forget_from = Some(kept.min(cut));
            pending.hours.splice(0..0, hours.range(kept..cut).map(|(_, hour)| hour.clone()));
        }
        let mut tally = std::mem::take(&mut old.tally);
        let was =
            hours.range(cut..).map(|(_, hour)| &hour.population).chain(old.hour.iter().map(|open| &open.population));
        let is = pending.hours.iter().filter(|hour| cut <= hour.hour).map(|hour| &hour.population);
        let (was, is) = (sum(was), sum(is.chain(new.hour.iter().map(|open| &open.population))));
        tally.ups += is.ups.saturating_sub(was.ups);
        tally.downs += is.downs().saturating_sub(was.downs());
        tally.voids += is.voids.saturating_sub(was.voids);
        tally.extras += is.extras.saturating_sub(was.extras);
        let earlier = std::mem::take(&mut old.pending);
        new.tally = tally;
        new.pending = joined(earlier, pending, cut, new.open_run().map(|run| run.first_at));
        new.changed = true;
        new.series.forget_before(self.since);
        *old = new;
    }

    pub(super) fn key(&self, index: usize) -> SeriesKey {
        let series = &self.series[index];
        SeriesKey { agent: self.agent.clone(), service: series.service.clone(), check: series.check.clone() }
    }
}

/// What this commit writes of a series: what it said before the cut, then what was folded again.
fn joined(mut earlier: Pending, mut anew: Pending, cut: Timestamp, open: Option<Timestamp>) -> Pending {
    let replaced = |first_at| open == Some(first_at) || anew.runs.iter().any(|run| run.first_at == first_at);
    earlier.runs.retain(|run| run.first_at < cut && !replaced(run.first_at));
    earlier.hours.retain(|hour| hour.hour < cut && !anew.hours.iter().any(|other| other.hour == hour.hour));
    anew.runs.splice(0..0, earlier.runs);
    anew.hours.splice(0..0, earlier.hours);
    anew
}

fn gather(
    found: &mut HashMap<usize, Results>,
    index: &HashMap<ServiceId, HashMap<CheckId, usize>>,
    from: &HashMap<usize, Timestamp>,
    window: Interval,
    block: &Block,
) {
    for part in &block.series {
        let Some(index) = index.get(&part.service).and_then(|checks| checks.get(&part.check)) else { continue };
        let Some(from) = from.get(index) else { continue };
        let wanted = part.results.iter().filter(|result| window.contains(result.at) && *from <= result.at);
        found.entry(*index).or_default().extend(wanted.map(|result| (*result, part.pace)));
    }
}

fn sum<'a>(populations: impl Iterator<Item = &'a Population>) -> Population {
    let mut sum = Population::default();
    populations.for_each(|population| sum.merge(population));
    sum
}

fn owned((hour, value): (&Timestamp, &Hour)) -> (Timestamp, Hour) {
    (*hour, value.clone())
}
