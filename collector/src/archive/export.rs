//! Results out of the ledger and its archive, in pieces of a day: for exports and bundles.
//!
//! Every result that was committed is handed out once, also one that another of its instant beats:
//! an export is evidence, not a judgement.

use super::manifest::SealedFile;
use super::rows::{Gathered, SeriesRows};
use super::seal::{file, span};
use super::{ArchiveError, Belongings};
use crate::ledger::{Ledger, LedgerError, StoredBlock};
use bytes::Bytes;
use rules::block::Block;
use rules::id::{AgentId, AgreementId, ServiceId};
use rules::interval::Interval;
use rules::time::Timestamp;
use std::collections::BTreeSet;
use std::time::Duration;

/// How much time's results are in memory at once.
const READ_AT_ONCE: Duration = Duration::from_hours(24);

/// What is exported: some services' results within some time.
#[derive(Clone, Debug)]
pub struct Export {
    /// The services; nothing: all that there ever were.
    services: Option<BTreeSet<ServiceId>>,
    /// What is left of the time.
    rest: Option<Interval>,
}

impl Export {
    /// Everything within `interval`, or only what belongs to one agreement.
    pub fn new(only: Option<&Belongings>, interval: Interval) -> Export {
        Export { services: only.map(|only| only.services.clone()), rest: Some(interval) }
    }

    /// The next day's results by series, in order of time; days without any are passed over.
    pub async fn next_day(&mut self, ledger: &dyn Ledger) -> Result<Option<Vec<SeriesRows>>, LedgerError> {
        while let Some(stretch) = self.rest {
            let until = stretch.until().min(stretch.from().plus(READ_AT_ONCE));
            let window = Interval::new(stretch.from(), until).unwrap_or(stretch);
            self.rest = Interval::new(window.until(), stretch.until());
            let mut gathered = Gathered::default();
            for (agent, _) in ledger.positions().await? {
                self.gather(ledger, &agent, window, &mut gathered).await?;
            }
            let rows: Vec<SeriesRows> = gathered.into_files().flat_map(|(_, series)| series).collect();
            if !rows.is_empty() {
                return Ok(Some(rows));
            }
        }
        Ok(None)
    }

    async fn gather(
        &self,
        ledger: &dyn Ledger,
        agent: &AgentId,
        window: Interval,
        gathered: &mut Gathered,
    ) -> Result<(), LedgerError> {
        let Some(services) = &self.services else {
            for stored in ledger.blocks_within(agent, window).await? {
                gathered.push(stored.incarnation, &part(agent, &stored, |_| true, window)?, |_| None);
            }
            return Ok(());
        };
        for service in services {
            for stored in ledger.blocks_of(agent, service, window).await? {
                gathered.push(stored.incarnation, &part(agent, &stored, |of| of == service, window)?, |_| None);
            }
        }
        Ok(())
    }
}

/// The results of a block that are wanted.
fn part(
    agent: &AgentId,
    stored: &StoredBlock,
    wanted: impl Fn(&ServiceId) -> bool,
    window: Interval,
) -> Result<Block, LedgerError> {
    let mut block = Block::decode(&stored.bytes).map_err(|error| LedgerError::Corrupt {
        what: format!("block {} of agent {agent} does not decode: {error}", stored.position),
    })?;
    block.series.retain(|series| wanted(&series.service));
    for series in &mut block.series {
        let noted: Vec<_> = series.noted().map(|(result, note)| (*result, note.cloned())).collect();
        let inside = noted.into_iter().filter(|(result, _)| window.contains(result.at));
        let (results, notes): (Vec<_>, Vec<_>) = inside.unzip();
        series.notes = (0..)
            .zip(notes)
            .filter_map(|(result, note)| Some(rules::block::BlockNote { result, note: note? }))
            .collect();
        series.results = results;
    }
    block.series.retain(|series| !series.results.is_empty());
    Ok(block)
}

/// When the first result was, as far as the ledger can tell: no result is earlier.
pub async fn begins(ledger: &dyn Ledger) -> Result<Option<Timestamp>, LedgerError> {
    let mut first: Option<Timestamp> = None;
    let mut earlier = |at: Timestamp| first = Some(first.map_or(at, |first| first.min(at)));
    for (agent, _) in ledger.positions().await? {
        for derived in ledger.derived(&agent, Timestamp::MIN).await? {
            derived.runs.first().into_iter().for_each(|run| earlier(run.first_at));
        }
        // What no run ended yet lies in blocks, and those at the beginning of one are the first.
        let open = ledger.blocks_from(&agent, 0, 1).await?;
        open.iter().filter_map(|block| block.span).for_each(|(at, _)| earlier(at));
    }
    Ok(first)
}

/// A file of exported results, with the place that it would have in an archive.
pub fn parquet(
    agreement: Option<&AgreementId>,
    series: &[SeriesRows],
) -> Result<Option<(SealedFile, Bytes)>, ArchiveError> {
    let Some((first, _)) = span(series) else { return Ok(None) };
    file(agreement.cloned(), series, 0, first)
}
