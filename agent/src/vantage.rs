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
use rules::outcome::{Outcome, OutcomeKind};
use rules::result::{ProbeResult, Weight};
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

    /// Probes once and records what came of it; nothing if it was overtaken.
    pub(crate) async fn probe(
        &self,
        orders: Arc<Orders>,
        standing: Arc<Standing>,
        weight: Weight,
    ) -> Option<OutcomeKind> {
        let started = self.clock.now();
        let at = standing.sequence.begin(started.wall).at();
        let evidence = orders.prober.probe(&standing.plan).await;
        let outcome = self.judge(&evidence, started, &orders, &standing).await;
        if weight == Weight::Extra && !standing.sequence.is_last(at) {
            // The slot that came meanwhile tells as much, and a series is to come in order.
            self.metrics.reprobes_overtaken.inc();
            return None;
        }
        let result = ProbeResult { at, outcome, elapsed: evidence.elapsed, weight };
        standing.figures.note(&evidence, &result);
        self.tell(&standing, &evidence, &result);
        let (service, check) = (standing.assignment.service.clone(), &standing.assignment.check);
        let recorded = Recorded { service, check: check.id.clone(), pace: check.pace(), result };
        if self.spool.record(recorded).await.is_err() {
            self.metrics.results_lost.inc();
            tracing::error!(check = %check.id, at = %result.at, "Result is lost, the spool has ended");
        }
        Some(outcome.kind())
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
mod tests {
    use super::*;
    use crate::spool;
    use daemon::clock::Hand;
    use rules::check::{Assignment, Check, Counts, Target, Vantages};
    use rules::evidence::{Attempt, Failure, Fault, Phase, Said};
    use rules::id::AgentId;
    use rules::outcome::Cause;
    use rules::reach::Reach;
    use rules::time::Timestamp;
    use std::net::TcpListener;
    use std::time::Duration;

    /// A port of this machine where nobody listens.
    fn closed() -> String {
        TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
    }

    fn vantage(dir: &tempfile::TempDir) -> (Vantage, Hand) {
        let (clock, hand) = Clock::manual(Timestamp::from_millis(1_800_000_000_000));
        let agent: AgentId = "a".parse().unwrap();
        let settings = spool::Settings { agent: agent.clone(), dir: dir.path().to_owned(), at_most: 1 << 20 };
        let (spool, _outlet, _writer) = spool::open(settings, clock.clone()).unwrap();
        (Vantage::new(clock, spool, Metrics::new(), LocalRule::new(agent)), hand)
    }

    /// What a time-out of a target elsewhere is judged to be, after `meanwhile`.
    async fn judged(references: &[String], meanwhile: impl FnOnce(&Vantage, &Hand)) -> Outcome {
        let dir = tempfile::tempdir().unwrap();
        let (vantage, hand) = vantage(&dir);
        let check = Check {
            id: "port".parse().unwrap(),
            target: Target::parse("tcp:192.0.2.1:80").unwrap(),
            every: Duration::from_secs(30),
            timeout: Duration::from_secs(10),
            reprobe: None,
            counts: Counts::Yes,
            objective: None,
            agents: Vantages::All,
        };
        let assignment = Assignment { service: "s".parse().unwrap(), check: Arc::new(check) };
        let targets: Vec<Target> =
            references.iter().map(|address| Target::parse(&format!("tcp:{address}")).unwrap()).collect();
        let orders = Orders::prepare(vec![assignment], &targets, &Reach::default(), None, &vantage.clock).unwrap();
        let standing = orders.standing.values().next().map(Arc::clone).unwrap();
        let address = "192.0.2.1:80".parse().unwrap();
        let elapsed = Duration::from_secs(10);
        let failure =
            Failure { fault: Fault::Deadline, phase: Some(Phase::Connect), detail: Said::new("no end within 10s") };
        let attempt = Attempt { address, fault: Some(Fault::Deadline), elapsed };
        let evidence = Evidence { attempts: vec![attempt], failure: Some(failure), elapsed, ..Evidence::default() };
        let started = vantage.clock.now();
        meanwhile(&vantage, &hand);
        vantage.judge(&evidence, started, &orders, &standing).await
    }

    #[tokio::test]
    async fn a_time_out_is_the_targets_fault_while_a_reference_answers_or_none_is_named() {
        let there = TcpListener::bind("127.0.0.1:0").unwrap();
        let there = [closed(), there.local_addr().unwrap().to_string()];
        assert_eq!(judged(&there, |_, _| ()).await, Outcome::Down(Cause::Timeout));
        assert_eq!(judged(&[], |_, _| ()).await, Outcome::Down(Cause::Timeout));
    }

    #[tokio::test]
    async fn a_time_out_while_all_references_are_away_is_void() {
        assert_eq!(judged(&[closed(), closed()], |_, _| ()).await, Outcome::Void(Cause::AgentOffline));
    }

    #[tokio::test]
    async fn a_time_out_in_a_pause_is_void() {
        let frozen = |vantage: &Vantage, hand: &Hand| {
            vantage.pauses.promise(vantage.clock.boot());
            hand.advance(Duration::from_secs(60));
        };
        assert_eq!(judged(&[], frozen).await, Outcome::Void(Cause::Paused));
    }
}
