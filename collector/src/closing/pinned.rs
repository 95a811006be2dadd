//! The evidence of an issued statement: an agent's blocks up to the one that was the last when it
//! was issued, and none that came later.
//!
//! The ledger's runs and hours go on growing, so none of them is read: everything is folded from the
//! blocks themselves, in the ledger or in its archive, as a rebuild would. It is slower, and only asked
//! for a version after which more came in.

use crate::closing::evidence::{Evidence, Latency, Percentiles, REACH, Remark, Seen, Watermark};
use crate::closing::{Heard, watermarks};
use crate::evidence::{Elapsed, decoded_series};
use crate::ledger::{Ledger, LedgerError};
use rules::agreement::Service;
use rules::check::Check;
use rules::id::{AgentId, CheckId, ServiceId};
use rules::interval::{Interval, IntervalSet};
use rules::result::{Pace, ProbeResult, SeriesKey};
use rules::run::{Series, put_in_order, speech};
use rules::time::Timestamp;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::sync::Mutex;

/// How much time's blocks are in memory at once.
const READ_AT_ONCE: Duration = Duration::from_hours(24);

/// Why an issued statement's evidence can't be had.
#[derive(Debug, thiserror::Error)]
pub enum PinnedError {
    /// The ledger failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// Blocks that were heard are no longer in the ledger.
    #[error("agent {agent}'s blocks with results up to {until} are no longer in the ledger, and there is no archive")]
    Forgotten {
        /// Whose.
        agent: AgentId,
        /// Up to when.
        until: Timestamp,
    },
}

/// The blocks that an issued statement rests on.
pub struct Pinned<'a> {
    ledger: &'a dyn Ledger,
    heard: &'a BTreeMap<AgentId, Heard>,
    /// The service that was read last: a statement asks for one after the other.
    read: Mutex<Option<(ServiceId, Parts)>>,
}

/// The results of one service that stand, by agent and check.
type Parts = BTreeMap<(AgentId, CheckId), Vec<(ProbeResult, Pace)>>;

impl<'a> Pinned<'a> {
    /// The blocks of `ledger` that are counted in `heard`.
    pub fn new(ledger: &'a dyn Ledger, heard: &'a BTreeMap<AgentId, Heard>) -> Pinned<'a> {
        Pinned { ledger, heard, read: Mutex::new(None) }
    }

    async fn parts(&self, service: &Service, since: Timestamp) -> Result<Parts, PinnedError> {
        let mut parts = Parts::new();
        for (agent, heard) in self.heard {
            self.read(service, agent, heard, since, &mut parts).await?;
            // Blocks may have been forgotten while others were read, so this comes last.
            let forgotten = self.ledger.forgotten_of(agent, &service.id).await?;
            if let Some(forgotten) = forgotten.filter(|gone| since < gone.until) {
                return Err(PinnedError::Forgotten { agent: agent.clone(), until: forgotten.until });
            }
        }
        for results in parts.values_mut() {
            put_in_order(results);
            results.dedup_by_key(|(result, _)| result.at);
        }
        Ok(parts)
    }

    async fn read(
        &self,
        service: &Service,
        agent: &AgentId,
        heard: &Heard,
        since: Timestamp,
        parts: &mut Parts,
    ) -> Result<(), PinnedError> {
        let Some(until) = heard.complete_until else { return Ok(()) };
        let mut from = since;
        while from <= until {
            let window = Interval::new(from, from.plus(READ_AT_ONCE)).unwrap_or(Interval::ALWAYS);
            for stored in self.ledger.blocks_of(agent, &service.id, window).await? {
                if heard.blocks <= stored.position {
                    continue;
                }
                // The block of a large agent holds a thousand series.
                for key in service.checks.iter().map(|check| series(agent, service, check)) {
                    for part in decoded_series(&key, &stored)? {
                        let within = part.results.iter().filter(|result| window.contains(result.at));
                        let own = parts.entry((agent.clone(), part.check)).or_default();
                        own.extend(within.map(|result| (*result, part.pace)));
                    }
                }
            }
            from = window.until();
        }
        Ok(())
    }
}

fn series(agent: &AgentId, service: &Service, check: &Check) -> SeriesKey {
    SeriesKey { agent: agent.clone(), service: service.id.clone(), check: check.id.clone() }
}

/// From when on results are read: what is heard of a month, and one result before it of every check.
pub(crate) fn since(service: &Service, month: Interval) -> Timestamp {
    let longest = service.checks.iter().map(|check| speech(check.pace())).max().unwrap_or_default();
    month.from().minus(REACH).minus(longest)
}

impl Evidence for Pinned<'_> {
    type Error = PinnedError;

    async fn series(&self, service: &Service, month: Interval) -> Result<Vec<Seen>, PinnedError> {
        let parts = self.parts(service, since(service, month)).await?;
        let seen = parts.iter().map(|((agent, check), results)| Seen {
            agent: agent.clone(),
            check: check.clone(),
            runs: Series::fold(results.clone()).runs().to_vec(),
        });
        let seen = seen.collect();
        *self.read.lock().await = Some((service.id.clone(), parts));
        Ok(seen)
    }

    async fn latency(&self, service: &Service, check: &Check, measured: &IntervalSet) -> Result<Latency, PinnedError> {
        let read = self.read.lock().await;
        let parts = read.as_ref().filter(|(of, _)| *of == service.id).map(|(_, parts)| parts);
        let mut sum = Elapsed::default();
        let of_check = parts.into_iter().flatten().filter(|((_, own), _)| *own == check.id);
        for (result, pace) in of_check.flat_map(|(_, results)| results) {
            if measured.contains(result.at) {
                sum.add(result, *pace);
            }
        }
        let percentiles = Percentiles::of(&sum.histogram);
        Ok(Latency { population: sum.population, percentiles, hours: sum.hours.into_iter().collect() })
    }

    /// A statement says nothing of them.
    async fn remarks(&self, _service: &Service, _interval: Interval) -> Result<Vec<Remark>, PinnedError> {
        Ok(Vec::new())
    }

    /// As they were noted when it was issued.
    async fn watermarks(&self, _service: &Service) -> Result<Vec<Watermark>, PinnedError> {
        Ok(watermarks(self.heard))
    }
}
