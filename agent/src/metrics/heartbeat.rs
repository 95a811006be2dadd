//! What is told of jobs that report.

use super::kept;
use crate::orders::Key;
use prometheus::{GaugeVec, IntCounterVec, IntGaugeVec, Opts, Registry};
use rules::heartbeat::{Job, RunOutcome};
use rules::time::Timestamp;

const LABELS: [&str; 2] = ["service", "check"];

/// The figures of all jobs.
pub(crate) struct Figures {
    runs: IntCounterVec,
    last_success: IntGaugeVec,
    last_duration: GaugeVec,
    last_bytes: IntGaugeVec,
    running: IntGaugeVec,
    next_due: IntGaugeVec,
}

impl Figures {
    pub(crate) fn new(registry: &Registry) -> Figures {
        let whole = |name, help| kept(registry, IntGaugeVec::new(Opts::new(name, help), &LABELS));
        let runs = Opts::new("nines_heartbeat_runs_total", "Runs of a job by what became of them.");
        let last_duration = Opts::new("nines_heartbeat_last_duration_seconds", "How long the last success took.");
        Figures {
            runs: kept(registry, IntCounterVec::new(runs, &["service", "check", "outcome"])),
            last_success: whole(
                "nines_heartbeat_last_success_timestamp_seconds",
                "When the last success was reported.",
            ),
            last_duration: kept(registry, GaugeVec::new(last_duration, &LABELS)),
            last_bytes: whole("nines_heartbeat_last_bytes", "How much the last success made."),
            running: whole("nines_heartbeat_running", "Whether a run has reported its start and not its end."),
            next_due: whole("nines_heartbeat_next_due_timestamp_seconds", "When the job is due next."),
        }
    }

    /// Counts a run.
    pub(crate) fn count(&self, (service, check): &Key, run: Option<RunOutcome>) {
        if let Some(run) = run {
            self.runs.with_label_values(&[service.as_str(), check.as_str(), run.as_str()]).inc();
        }
    }

    /// Shows what is known of a job.
    pub(crate) fn show(&self, (service, check): &Key, job: &Job) {
        let (labels, state) = ([service.as_str(), check.as_str()], job.state());
        let seconds = |at: Timestamp| at.as_millis().div_euclid(1000);
        for run in RunOutcome::ALL {
            self.runs.with_label_values(&[service.as_str(), check.as_str(), run.as_str()]).inc_by(0);
        }
        self.running.with_label_values(&labels).set(i64::from(state.started_at.is_some()));
        self.next_due.with_label_values(&labels).set(seconds(job.next_due()));
        if let Some(at) = state.succeeded_at {
            self.last_success.with_label_values(&labels).set(seconds(at));
        }
        // What the last success did not say is not known any more.
        let _ = self.last_duration.remove_label_values(&labels);
        let _ = self.last_bytes.remove_label_values(&labels);
        if let Some(duration) = state.duration {
            self.last_duration.with_label_values(&labels).set(duration.as_secs_f64());
        }
        if let Some(bytes) = state.bytes {
            self.last_bytes.with_label_values(&labels).set(i64::try_from(bytes).unwrap_or(i64::MAX));
        }
    }

    /// Forgets a job that is not awaited; its counters stay for when it comes back.
    pub(crate) fn forget(&self, (service, check): &Key) {
        let labels = [service.as_str(), check.as_str()];
        // What was never shown can't be removed.
        let _ = self.last_duration.remove_label_values(&labels);
        for gauge in [&self.last_success, &self.last_bytes, &self.running, &self.next_due] {
            let _ = gauge.remove_label_values(&labels);
        }
    }
}
