//! One probe, from its slot to the spool: look, judge by the circumstances, record.
//!
//! It never decides when to look and never repeats a look; what it hands over is either in the
//! spool's queue or counted as lost.

use crate::local::{LocalRule, Turn};
use crate::metrics::Metrics;
use crate::orders::{Orders, Standing};
use crate::pauses::Pauses;
use crate::spool::{Recorded, SpoolHandle};
use daemon::clock::{Clock, Reading};
use rules::evidence::Evidence;
use rules::judge::{Circumstances, complaint, judge};
use rules::outcome::Outcome;
use rules::result::ProbeResult;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What every probe of this agent needs.
pub(crate) struct Vantage {
    pub(crate) clock: Clock,
    pub(crate) spool: SpoolHandle,
    pub(crate) pauses: Pauses,
    pub(crate) metrics: Metrics,
    local: Mutex<LocalRule>,
}

impl Vantage {
    pub(crate) fn new(clock: Clock, spool: SpoolHandle, metrics: Metrics, local: LocalRule) -> Vantage {
        Vantage { clock, spool, pauses: Pauses::default(), metrics, local: Mutex::new(local) }
    }

    /// The local five-minute rule's state.
    pub(crate) fn local(&self) -> MutexGuard<'_, LocalRule> {
        self.local.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Probes once and records what came of it.
    pub(crate) async fn probe(&self, orders: Arc<Orders>, standing: Arc<Standing>) {
        let started = self.clock.now();
        let evidence = orders.prober.probe(&standing.plan).await;
        let outcome = self.judge(&evidence, started, &orders, &standing).await;
        let result = ProbeResult { at: started.wall, outcome, elapsed: evidence.elapsed };
        standing.figures.note(&evidence, outcome);
        self.tell(&standing, &evidence, &result);
        let (service, check) = (standing.assignment.service.clone(), &standing.assignment.check);
        let recorded = Recorded { service, check: check.id.clone(), pace: check.pace(), result };
        if self.spool.record(recorded).await.is_err() {
            self.metrics.results_lost.inc();
            tracing::error!(check = %check.id, at = %result.at, "Result is lost, the spool has ended");
        }
    }

    /// Asks for the circumstances only if there is something to excuse.
    async fn judge(&self, evidence: &Evidence, started: Reading, orders: &Orders, standing: &Standing) -> Outcome {
        let check = &standing.assignment.check;
        if complaint(evidence, &check.target, check.timeout).is_none() {
            return Outcome::Up;
        }
        let pause = self.pauses.between(started.boot, self.clock.boot());
        let references = orders.references.since(started.boot).await;
        judge(evidence, &check.target, check.timeout, Circumstances { references, pause })
    }

    fn tell(&self, standing: &Standing, evidence: &Evidence, result: &ProbeResult) {
        let (service, check) = (&standing.assignment.service, &standing.assignment.check);
        tracing::debug!(
            %service,
            check = %check.id,
            at = %result.at,
            outcome = %result.outcome.kind(),
            cause = result.outcome.cause().map(|cause| cause.as_str()),
            detail = evidence.failure.as_ref().map(|failure| failure.detail.as_str()),
            elapsed_us = evidence.elapsed.as_micros(),
            "Probed"
        );
        match self.local().take(service, &check.id, result, check.pace()) {
            None => {}
            Some(Turn::Opened { service, began }) => {
                tracing::info!(%service, %began, "Local outage opened, all checks have failed for five minutes");
            }
            Some(Turn::Closed { service, began, ended }) => {
                let length_ms = ended.since(began).as_millis();
                tracing::info!(%service, %began, %ended, length_ms, "Local outage closed");
            }
        }
    }
}
