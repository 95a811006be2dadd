//! History from elsewhere, into the ledger: lines become blocks in lane 0 of each agent.
//!
//! Imported results go the way of all others (fold, commit), so they may come before, between or
//! after what agents sent. Results that are there already are left out, so importing a file twice
//! changes nothing. Lane 0 is never granted: no agent can write what it didn't see.

pub mod prometheus;

use crate::commit::{Answer, Committer, INCARNATION_IMPORTED, OfferedBlock};
use crate::evidence::results_within;
use crate::ledger::{Ledger, LedgerError};
use crate::lines::{self, LinesError};
use crate::metrics::Metrics;
use crate::state::State;
use daemon::clock::Clock;
use rules::block::{Block, Builder, Room};
use rules::id::AgentId;
use rules::interval::Interval;
use rules::note::Note;
use rules::result::{Pace, ProbeResult, SeriesKey};
use rules::run::put_in_order;
use std::collections::{BTreeMap, HashMap};
use std::io::BufRead;
use std::sync::Arc;
use std::time::Duration;

/// How many blocks are committed at once; at most 2 MiB.
const BLOCKS_AT_ONCE: usize = 8;

/// What came of an import.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Imported {
    /// Lines read.
    pub lines: u64,
    /// Results that were not there before.
    pub results: u64,
    /// Blocks written.
    pub blocks: u64,
}

/// Why history could not be taken in.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file is wrong.
    #[error(transparent)]
    Lines(#[from] LinesError),
    /// The configuration doesn't say how often the check was made.
    #[error("check `{}` of service `{}` is not in the configuration; add it, so that its `every` is known", .0.check, .0.service)]
    UnknownCheck(SeriesKey),
    /// A block can't hold the instant.
    #[error("a result of check `{}` of service `{}` is at {at}; results begin in the year 2000", .series.check, .series.service)]
    TooOld {
        /// The series.
        series: SeriesKey,
        /// When.
        at: rules::time::Timestamp,
    },
    /// The ledger failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The ledger would not take the blocks.
    #[error("failed to write imported blocks of agent `{0}`: the ledger is busy or can't be written; try again")]
    Refused(AgentId),
}

/// Results by series, each with the pace it was made at.
pub(crate) type Results = BTreeMap<SeriesKey, Vec<(ProbeResult, Pace)>>;

/// What is kept of results' evidence, by series and result.
type Notes = BTreeMap<SeriesKey, HashMap<ProbeResult, Note>>;

/// Takes in the lines of `file`. `pace` knows each check's `every` and timeout.
pub async fn import_lines(
    ledger: Arc<dyn Ledger>,
    clock: Clock,
    file: &str,
    reader: impl BufRead,
    pace: impl Fn(&SeriesKey) -> Option<Pace>,
) -> Result<Imported, ImportError> {
    let mut results = Results::new();
    let (mut notes, mut unfit) = (Notes::new(), None);
    let lines = lines::read(file, reader, |line| {
        let Some(pace) = pace(&line.series) else {
            unfit.get_or_insert(ImportError::UnknownCheck(line.series));
            return;
        };
        let at = line.result.at;
        if !Builder::takes(at) {
            unfit.get_or_insert(ImportError::TooOld { series: line.series, at });
            return;
        }
        if let Some(note) = line.note {
            notes.entry(line.series.clone()).or_default().insert(line.result, note);
        }
        let pace = line.sent.map_or(pace, |sent| sent.pace);
        results.entry(line.series).or_default().push((line.result, pace));
    })?;
    if let Some(unfit) = unfit {
        return Err(unfit);
    }
    let imported = Importer::new(ledger, clock).take_in(results, &notes).await?;
    Ok(Imported { lines, ..imported })
}

/// Takes results into one ledger, part by part.
pub(crate) struct Importer {
    ledger: Arc<dyn Ledger>,
    committer: Committer,
}

impl Importer {
    pub(crate) fn new(ledger: Arc<dyn Ledger>, clock: Clock) -> Importer {
        let (committer, _) = Committer::new(Arc::clone(&ledger), State::default(), Metrics::new(), clock);
        Importer { ledger, committer }
    }

    /// Writes what is new of `results`; when it answers, that is durable.
    async fn take_in(&mut self, results: Results, notes: &Notes) -> Result<Imported, ImportError> {
        let mut imported = Imported::default();
        let mut by_agent: BTreeMap<AgentId, Results> = BTreeMap::new();
        for (series, mut results) in results {
            leave_out_known(&*self.ledger, &series, &mut results).await?;
            imported.results += results.len() as u64;
            by_agent.entry(series.agent.clone()).or_default().insert(series, results);
        }
        for (agent, results) in by_agent {
            imported.blocks += write(&mut self.committer, &*self.ledger, &agent, (results, notes)).await?;
        }
        Ok(imported)
    }
}

/// Leaves one of each result, and none that is stored.
async fn leave_out_known(
    ledger: &dyn Ledger,
    series: &SeriesKey,
    results: &mut Vec<(ProbeResult, Pace)>,
) -> Result<(), LedgerError> {
    put_in_order(results);
    results.dedup_by_key(|(result, _)| result.at);
    let (Some(first), Some(last)) = (results.first(), results.last()) else { return Ok(()) };
    let Some(span) = Interval::new(first.0.at, last.0.at.plus(Duration::from_millis(1))) else { return Ok(()) };
    let known: BTreeMap<_, _> =
        results_within(ledger, series, span).await?.into_iter().map(|(result, _)| (result.at, result)).collect();
    // A stored result that beats the line, or is it, leaves nothing for the line to say.
    results.retain(|(result, _)| known.get(&result.at).is_none_or(|known| result.beats(known)));
    Ok(())
}

async fn write(
    committer: &mut Committer,
    ledger: &dyn Ledger,
    agent: &AgentId,
    (results, notes): (Results, &Notes),
) -> Result<u64, ImportError> {
    let lanes = ledger.lanes().await?;
    let lane = lanes.iter().find(|lane| lane.agent == *agent && lane.incarnation == INCARNATION_IMPORTED.0);
    let mut next_seq = lane.map_or(rules::delivery::SEQ_FIRST, |lane| lane.next_seq);
    let blocks = blocks(agent, &mut next_seq, results, notes);
    let written = blocks.len() as u64;
    for blocks in blocks.chunks(BLOCKS_AT_ONCE) {
        let offered = blocks.iter().map(|block| OfferedBlock {
            seq: block.seq,
            bytes: block.encode().into(),
            content: Ok(Arc::new(block.clone())),
        });
        let answer = committer.take_in(agent.clone(), INCARNATION_IMPORTED, offered.collect()).await;
        if !matches!(answer, Answer::Committed { .. }) {
            return Err(ImportError::Refused(agent.clone()));
        }
    }
    Ok(written)
}

/// The results as blocks, in order of time over all series.
fn blocks(agent: &AgentId, next_seq: &mut u64, results: Results, notes: &Notes) -> Vec<Block> {
    let mut all: Vec<(SeriesKey, ProbeResult, Pace)> = Vec::new();
    for (series, results) in results {
        all.extend(results.into_iter().map(|(result, pace)| (series.clone(), result, pace)));
    }
    all.sort_by_key(|(_, result, _)| result.at);
    let mut builder = Builder::default();
    let mut blocks = Vec::new();
    let mut close = |builder: &mut Builder| {
        blocks.push(builder.build(agent.clone(), *next_seq));
        *next_seq += 1;
    };
    for (series, result, pace) in all {
        let note = notes.get(&series).and_then(|notes| notes.get(&result)).cloned();
        if builder.push_noted(series.service, series.check, pace, result, note) == Room::Full {
            close(&mut builder);
        }
    }
    if !builder.is_empty() {
        close(&mut builder);
    }
    blocks
}

/// The pace of each series by its check in the configuration.
pub fn paces<'a>(
    agreements: impl IntoIterator<Item = &'a rules::agreement::Agreement>,
) -> impl Fn(&SeriesKey) -> Option<Pace> {
    let services = agreements.into_iter().flat_map(|agreement| &agreement.services);
    let checks = services.flat_map(|service| service.checks.iter().map(move |check| (service, check)));
    let paces: BTreeMap<_, _> =
        checks.map(|(service, check)| ((service.id.clone(), check.id.clone()), check.pace())).collect();
    move |series| paces.get(&(series.service.clone(), series.check.clone())).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commit::tests::{Bench, agent, key, pace, result};
    use crate::ledger;
    use rules::outcome::{Cause, Outcome};
    use rules::run::Series;
    use rules::time::Timestamp;
    use std::collections::HashSet;

    fn file(results: &[ProbeResult]) -> String {
        let line = |result: &ProbeResult| {
            lines::write(&lines::Line { series: key("login"), result: *result, note: None, sent: None })
        };
        results.iter().map(|result| format!("{}\n", line(result).trim_end())).collect()
    }

    async fn take(ledger: &Arc<dyn Ledger>, text: &str) -> Result<Imported, ImportError> {
        let (clock, _) = Clock::manual("2026-11-01T00:00:00Z".parse().unwrap());
        let known: HashSet<SeriesKey> = [key("login")].into_iter().collect();
        let paces = move |series: &SeriesKey| known.contains(series).then(|| pace(30));
        import_lines(Arc::clone(ledger), clock, "history.ndjson", text.as_bytes(), paces).await
    }

    #[tokio::test]
    async fn importing_twice_changes_nothing_and_new_lines_between_are_taken_in() {
        let ledger = ledger::open("sqlite::memory:").await.unwrap();
        let outcome = |slot| if slot % 50 < 3 { Outcome::Down(Cause::Timeout) } else { Outcome::Up };
        let all: Vec<ProbeResult> = (0..9000).map(|slot| result(slot * 30, outcome(slot))).collect();
        let (odd, even): (Vec<_>, Vec<_>) = all.iter().partition(|result| result.at.as_millis() % 60_000 == 0);
        let first = take(&ledger, &file(&odd)).await.unwrap();
        assert_eq!((first.results, first.blocks), (4500, 2));
        let again = take(&ledger, &file(&odd)).await.unwrap();
        assert_eq!((again.lines, again.results, again.blocks), (4500, 0, 0));
        let second = take(&ledger, &file(&even)).await.unwrap();
        assert_eq!(second.results, 4500);
        let derived = ledger.derived(&agent(), Timestamp::MIN).await.unwrap();
        let truth = Series::fold(all.into_iter().map(|result| (result, pace(30))).collect());
        assert_eq!(derived[0].runs, truth.runs()[..truth.runs().len() - 1]);
        assert_eq!(crate::rebuild::rebuild(&*ledger).await.unwrap()[0].differences, 0);
    }

    #[tokio::test]
    async fn history_joins_what_an_agent_sent_itself() {
        let mut bench = Bench::new().await;
        for slot in 100..200 {
            bench.send(&[(key("login"), pace(30), result(slot * 30, Outcome::Up))]).await;
        }
        let before: Vec<ProbeResult> = (0..150).map(|slot| result(slot * 30, Outcome::Up)).collect();
        let imported = take(&bench.ledger, &file(&before)).await.unwrap();
        assert_eq!(imported.results, 100);
        let bench = bench.killed().await;
        let runs: Vec<_> = bench.state.series(&key("login")).unwrap().runs().copied().collect();
        assert_eq!((runs.len(), runs[0].results), (1, 200));
    }

    #[tokio::test]
    async fn a_check_that_nobody_configured_is_refused_before_anything_is_written() {
        let ledger = ledger::open("sqlite::memory:").await.unwrap();
        let line =
            lines::write(&lines::Line { series: key("other"), result: result(0, Outcome::Up), note: None, sent: None });
        let refused = take(&ledger, &line).await.unwrap_err();
        assert!(refused.to_string().starts_with("check `other` of service `apm` is not in the configuration"));
        assert!(ledger.positions().await.unwrap().is_empty());
    }
}
