//! What discovery tells of itself: figures by source, whose names come from the configuration.

use crate::metrics::kept;
use prometheus::{IntCounterVec, IntGaugeVec, Opts, Registry};
use rules::id::SourceId;
use rules::time::Timestamp;

/// Figures by source.
#[derive(Clone)]
pub(super) struct DiscoveryMetrics {
    targets: IntGaugeVec,
    checks: IntGaugeVec,
    checks_limit: IntGaugeVec,
    skipped: IntGaugeVec,
    failures: IntCounterVec,
    last_success: IntGaugeVec,
}

/// Why a target makes no check.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Skipped {
    /// The template makes nothing of it that could be probed.
    Invalid,
    /// Another check has the name.
    Collision,
    /// The source made as many checks as it may.
    Limit,
}

impl Skipped {
    const ALL: [Skipped; 3] = [Skipped::Invalid, Skipped::Collision, Skipped::Limit];

    fn as_str(self) -> &'static str {
        match self {
            Skipped::Invalid => "invalid",
            Skipped::Collision => "collision",
            Skipped::Limit => "limit",
        }
    }
}

impl DiscoveryMetrics {
    pub(super) fn new(registry: &Registry) -> DiscoveryMetrics {
        let gauge =
            |name: &str, help: &str, labels: &[&str]| kept(registry, IntGaugeVec::new(Opts::new(name, help), labels));
        let failures = Opts::new("nines_agent_discovery_failures_total", "Looks at a source that failed.");
        DiscoveryMetrics {
            targets: gauge("nines_agent_discovery_targets", "Targets that a source names and selects.", &["source"]),
            checks: gauge("nines_agent_discovery_checks", "Checks made of a source's targets.", &["source"]),
            checks_limit: gauge(
                "nines_agent_discovery_checks_limit",
                "Checks that may be made of a source's targets.",
                &["source"],
            ),
            skipped: gauge(
                "nines_agent_discovery_skipped",
                "Checks that a source's targets do not make, by reason.",
                &["source", "reason"],
            ),
            failures: kept(registry, IntCounterVec::new(failures, &["source"])),
            last_success: gauge(
                "nines_agent_discovery_last_success_timestamp_seconds",
                "When a source was last heard.",
                &["source"],
            ),
        }
    }

    pub(super) fn begin(&self, source: &SourceId, checks_max: usize) {
        self.checks_limit.with_label_values(&[source.as_str()]).set(whole(checks_max));
        self.failures.with_label_values(&[source.as_str()]).inc_by(0);
    }

    pub(super) fn targets(&self, source: &SourceId, targets: usize) {
        self.targets.with_label_values(&[source.as_str()]).set(whole(targets));
    }

    pub(super) fn checks(&self, source: &SourceId, checks: usize) {
        self.checks.with_label_values(&[source.as_str()]).set(whole(checks));
    }

    pub(super) fn skipped(&self, source: &SourceId, reason: Skipped, checks: usize) {
        self.skipped.with_label_values(&[source.as_str(), reason.as_str()]).set(whole(checks));
    }

    pub(super) fn failed(&self, source: &SourceId) {
        self.failures.with_label_values(&[source.as_str()]).inc();
    }

    pub(super) fn heard(&self, source: &SourceId, at: Timestamp) {
        self.last_success.with_label_values(&[source.as_str()]).set(at.as_millis().div_euclid(1000));
    }

    /// Takes a source off the page.
    pub(super) fn forget(&self, source: &SourceId) {
        let source = source.as_str();
        for gauge in [&self.targets, &self.checks, &self.checks_limit, &self.last_success] {
            // A source that never got so far has none.
            let _ = gauge.remove_label_values(&[source]);
        }
        let _ = self.failures.remove_label_values(&[source]);
        for reason in Skipped::ALL {
            let _ = self.skipped.remove_label_values(&[source, reason.as_str()]);
        }
    }
}

fn whole(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
