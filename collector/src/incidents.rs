//! Opens an incident when an outage opens, notes when that is over, and notes each clock that runs out.
//!
//! It looks at what is, not at what happened: a service with an open outage must have an incident, and
//! an incident whose outage is not open any more must have its end. So a collector that restarts in the
//! middle finds the same incident, and of two collectors the second finds the first's entry, because an
//! append is decided anew from what the other wrote. It resolves nothing: people do.

pub(crate) mod act;
mod deadlines;
mod decide;

use crate::notify::booking::telling;
use crate::outages::{Outages, ServiceNow, ServiceState};
use crate::record::{Before, Draft, Record, RecordError};
use crate::serve::Facts;
use config::collector::CollectorConfig;
use daemon::clock::Clock;
use deadlines::Deadlines;
use decide::Seen;
use rules::agreement::Agreement;
use rules::id::AgreementId;
use rules::record::{BY_NINES, Entry};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// How often everything is looked at: an outage is open for minutes before it is one, and the shortest
/// clock is some minutes long.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What opens and follows incidents; one runs in each collector.
pub(crate) struct Incidents {
    record: Record,
    outages: Outages,
    config: watch::Receiver<Arc<CollectorConfig>>,
    clock: Clock,
    deadlines: BTreeMap<AgreementId, Deadlines>,
}

impl Incidents {
    pub(crate) fn new(facts: &Facts) -> Incidents {
        let (record, outages) = (facts.record.clone(), facts.outages.clone());
        let (config, clock) = (facts.config.clone(), facts.clock.clone());
        Incidents { record, outages, config, clock, deadlines: BTreeMap::new() }
    }

    /// Looks until `cancel`.
    pub(crate) async fn run(mut self, cancel: CancellationToken) {
        loop {
            self.look().await;
            tokio::select! {
                () = cancel.cancelled() => return,
                () = self.clock.sleep(LOOK_EVERY) => {}
            }
        }
    }

    /// Looks at everything once.
    pub(crate) async fn look(&mut self) {
        let config = Arc::clone(&self.config.borrow());
        let now = self.clock.wall();
        let in_force: Vec<&Agreement> = config.in_force(now).collect();
        for agreement in &in_force {
            for service in &agreement.services {
                if let Some(is) = self.outages.service(&service.id) {
                    self.follow(&config, agreement, &is).await;
                }
            }
            self.watch_clocks(&config, agreement).await;
        }
        self.deadlines.retain(|id, _| in_force.iter().any(|agreement| agreement.id == *id));
    }

    /// Brings the record to what `is`.
    async fn follow(&self, config: &CollectorConfig, agreement: &Agreement, is: &ServiceNow) {
        let seen = match (is.outage, is.state, is.since) {
            (Some(outage), _, _) => Seen::Open { began_at: outage.began_at, causes: outage.causes },
            (None, ServiceState::Up, Some(since)) => Seen::Up { since },
            // Nobody knows: what was open may still be.
            (None, ServiceState::Up | ServiceState::Down | ServiceState::Unknown, _) => return,
        };
        let entries = self.record.entries(&agreement.id);
        if decide::facts(&entries, agreement, &is.service, seen).is_empty() {
            return;
        }
        let decide = |before: &[Entry]| decide::facts(before, agreement, &is.service, seen);
        self.append(config, agreement, decide).await;
    }

    /// Notes the clocks that ran out.
    async fn watch_clocks(&mut self, config: &CollectorConfig, agreement: &Agreement) {
        let now = self.clock.wall();
        let entries = self.record.entries(&agreement.id);
        let deadlines = self.deadlines.entry(agreement.id.clone()).or_default();
        if !deadlines.are_due(&entries, config, agreement, now) {
            return;
        }
        let decide = |before: &[Entry]| deadlines::missed(before, config, &agreement.id, now).facts;
        self.append(config, agreement, decide).await;
    }

    async fn append(
        &self,
        config: &CollectorConfig,
        agreement: &Agreement,
        decide: impl Fn(&[Entry]) -> Vec<rules::record::Fact>,
    ) {
        let decide = |before: Before<'_>| {
            let draft = Draft { facts: decide::numbered(decide(before.entries), before.next), ..Draft::default() };
            Ok::<_, RecordError>(telling(draft, before, BY_NINES, config, agreement))
        };
        match self.record.append(&agreement.id, BY_NINES, decide).await {
            Ok(entries) => entries.iter().for_each(|entry| log(agreement, entry)),
            // The next look decides again.
            Err(error) => {
                let error = daemon::error_text::whole(&error);
                tracing::warn!(agreement = %agreement.id, error, "Incident could not be recorded; trying again");
            }
        }
    }
}

fn log(agreement: &Agreement, entry: &Entry) {
    if let rules::record::Fact::Incident { incident, event } = &entry.fact {
        tracing::info!(agreement = %agreement.id, incident, entry = entry.number, event = event.word(), "Incident recorded");
    }
}

#[cfg(test)]
mod tests;
