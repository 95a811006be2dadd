//! One probe, from its slot to the spool: look, judge by the circumstances, record.
//!
//! It never decides when to look and never repeats a look; what it hands over is either in the
//! spool's queue or counted as lost.

use crate::local::{LocalRule, Turn};
use crate::metrics::Metrics;
use crate::orders::{Orders, Standing};
use crate::pauses::Pauses;
use crate::sequence::Begun;
use crate::spool::{Recorded, SpoolHandle};
use crate::timekeeping::{Moment, Timekeeper};
use daemon::clock::{Clock, Reading};
use rules::evidence::Evidence;
use rules::judge::{Circumstances, complaint, judge};
use rules::outcome::{Cause, Outcome, OutcomeKind};
use rules::result::{ProbeResult, Weight};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What every probe of this agent needs.
pub(crate) struct Vantage {
    pub(crate) clock: Clock,
    pub(crate) time: Timekeeper,
    pub(crate) spool: SpoolHandle,
    pub(crate) pauses: Pauses,
    pub(crate) metrics: Metrics,
    local: Mutex<LocalRule>,
}

/// Whether a probe's instant can be believed.
enum Timed {
    Well,
    Badly,
}

impl Vantage {
    pub(crate) fn new(
        clock: Clock,
        time: Timekeeper,
        spool: SpoolHandle,
        metrics: Metrics,
        local: LocalRule,
    ) -> Vantage {
        Vantage { clock, time, spool, pauses: Pauses::default(), metrics, local: Mutex::new(local) }
    }

    /// The local five-minute rule's state.
    pub(crate) fn local(&self) -> MutexGuard<'_, LocalRule> {
        self.local.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Probes once and records what came of it; nothing if it was overtaken.
    pub(crate) async fn probe(
        &self,
        orders: Arc<Orders>,
        standing: Arc<Standing>,
        weight: Weight,
    ) -> Option<OutcomeKind> {
        let started = self.time.now();
        let begun = standing.sequence.begin(started.at);
        let at = begun.at();
        let evidence = orders.prober.probe(&standing.plan).await;
        let outcome = match self.timed(started, begun) {
            Timed::Well => self.judge(&evidence, started.reading, &orders, &standing).await,
            Timed::Badly => Outcome::Void(Cause::Clock),
        };
        if weight == Weight::Extra && !standing.sequence.is_last(at) {
            // The slot that came meanwhile tells as much, and a series is to come in order.
            self.metrics.reprobes_overtaken.inc();
            return None;
        }
        let result = ProbeResult { at, outcome, elapsed: evidence.elapsed, weight };
        self.keep(&standing, &evidence, result).await;
        Some(outcome.kind())
    }

    /// Notes, tells and records a result.
    pub(crate) async fn keep(&self, standing: &Standing, evidence: &Evidence, result: ProbeResult) {
        standing.figures.note(evidence, &result);
        self.tell(standing, evidence, &result);
        let (service, check) = (standing.assignment.service.clone(), &standing.assignment.check);
        let note = standing.notes.take(check, evidence, &result);
        let recorded = Recorded { service, check: check.id.clone(), pace: check.pace(), result, note };
        if self.spool.record(recorded).await.is_err() {
            self.metrics.results_lost.inc();
            tracing::error!(check = %check.id, at = %result.at, "Result is lost, the spool has ended");
        }
    }

    /// Whether it can be said when a probe was that `started` some time ago and is just over.
    fn timed(&self, started: Moment, begun: Begun) -> Timed {
        match begun {
            Begun::At(_) if started.is_believable_until(self.time.now()) => Timed::Well,
            Begun::At(_) | Begun::Behind(_) => Timed::Badly,
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

#[cfg(test)]
mod tests;
