//! What the collector's process counts about itself.
//!
//! Per-service series are not here: they are written straight from the state. Label values come
//! from closed lists, never from the network.

use prometheus::{
    GaugeVec, Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry,
};

/// Bounds of a commit's time: from a fast disk's fsync to a database that fails over.
const COMMIT_SECONDS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0];

/// Why ingest refused something.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// No token or certificate, or a wrong one.
    Unauthenticated,
    /// Another agent's lane, or an agent that the configuration does not know.
    Forbidden,
    /// The request is longer than allowed.
    TooLarge,
    /// The request is not as the protocol draws it.
    Malformed,
    /// The agent has more requests in flight than it may.
    AgentBusy,
    /// All agents together have more bytes in flight than fit.
    Overloaded,
    /// The ledger could not be written.
    LedgerDown,
    /// Blocks before it are missing.
    Gap,
    /// The incarnation was never granted.
    UnknownIncarnation,
    /// Other bytes have its place.
    Conflict,
    /// It does not decode, or is not believable; it is in quarantine.
    Poison,
}

impl Refusal {
    const ALL: [Refusal; 11] = [
        Refusal::Unauthenticated,
        Refusal::Forbidden,
        Refusal::TooLarge,
        Refusal::Malformed,
        Refusal::AgentBusy,
        Refusal::Overloaded,
        Refusal::LedgerDown,
        Refusal::Gap,
        Refusal::UnknownIncarnation,
        Refusal::Conflict,
        Refusal::Poison,
    ];

    /// The value of the label `reason`.
    pub fn as_str(self) -> &'static str {
        match self {
            Refusal::Unauthenticated => "unauthenticated",
            Refusal::Forbidden => "forbidden",
            Refusal::TooLarge => "too_large",
            Refusal::Malformed => "malformed",
            Refusal::AgentBusy => "agent_busy",
            Refusal::Overloaded => "overloaded",
            Refusal::LedgerDown => "ledger_down",
            Refusal::Gap => "gap",
            Refusal::UnknownIncarnation => "unknown_incarnation",
            Refusal::Conflict => "conflict",
            Refusal::Poison => "poison",
        }
    }
}

/// The collector's own metrics; cheap to clone.
#[derive(Clone, Debug)]
pub struct Metrics {
    registry: Registry,
    /// Blocks committed.
    pub(crate) blocks: IntCounter,
    /// Results in those blocks.
    pub(crate) results: IntCounter,
    /// Bytes of those blocks.
    pub(crate) bytes: IntCounter,
    refused: IntCounterVec,
    /// What must be added to each agent's wall clock to get this one.
    pub(crate) clock_offset: GaugeVec,
    /// Blocks waiting for the ledger.
    pub(crate) queue: IntGauge,
    /// Bytes of requests in flight.
    pub(crate) bytes_in_flight: IntGauge,
    /// Time of one commit, until durable.
    pub(crate) commit_seconds: Histogram,
    /// Ledger operations that failed.
    pub(crate) ledger_errors: IntCounter,
    /// Commits that found another collector had been faster.
    pub(crate) collisions: IntCounter,
    /// Blocks that others committed and that are not folded here yet.
    pub(crate) follow_lag: IntGauge,
    /// Blocks in quarantine.
    pub(crate) quarantined: IntGauge,
    /// Messages that wait in the outbox.
    pub(crate) notifications_waiting: IntGauge,
    /// Attempts at telling, by channel.
    pub(crate) notification_attempts: IntCounterVec,
    /// Messages that receivers took.
    pub(crate) notifications_delivered: IntCounterVec,
    /// Messages that nobody will be told any more.
    pub(crate) notifications_given_up: IntCounterVec,
}

impl Metrics {
    /// Metrics in a registry of their own.
    pub fn new() -> Metrics {
        let registry = Registry::new();
        let counter = |name, help| kept(&registry, IntCounter::new(name, help));
        let gauge = |name, help| kept(&registry, IntGauge::new(name, help));
        let by_channel = |name, help| kept(&registry, IntCounterVec::new(Opts::new(name, help), &["channel"]));
        let refused = Opts::new("nines_ingest_refused_total", "Requests and blocks refused, by reason.");
        let refused: IntCounterVec = kept(&registry, IntCounterVec::new(refused, &["reason"]));
        for refusal in Refusal::ALL {
            refused.with_label_values(&[refusal.as_str()]);
        }
        let offset = Opts::new(
            "nines_agent_clock_offset_seconds",
            "What must be added to the agent's wall clock to get the collector's.",
        );
        let build = Opts::new("nines_build_info", "Always 1; the labels say what runs.");
        let build: IntGaugeVec = kept(&registry, IntGaugeVec::new(build, &["version"]));
        build.with_label_values(&[env!("CARGO_PKG_VERSION")]).set(1);
        let commit = HistogramOpts::new("nines_ledger_commit_seconds", "Time of one commit, until durable.");
        Metrics {
            blocks: counter("nines_ingest_blocks_total", "Blocks committed."),
            results: counter("nines_ingest_results_total", "Results in the blocks committed."),
            bytes: counter("nines_ingest_bytes_total", "Bytes of the blocks committed."),
            refused,
            clock_offset: kept(&registry, GaugeVec::new(offset, &["agent"])),
            queue: gauge("nines_ingest_queue_depth", "Blocks waiting for the ledger."),
            bytes_in_flight: gauge("nines_ingest_in_flight_bytes", "Bytes of requests being worked on."),
            commit_seconds: kept(&registry, Histogram::with_opts(commit.buckets(COMMIT_SECONDS.to_vec()))),
            ledger_errors: counter("nines_ledger_errors_total", "Ledger operations that failed."),
            collisions: counter("nines_ledger_collisions_total", "Commits that another collector's forestalled."),
            follow_lag: gauge("nines_ledger_follow_lag_blocks", "Blocks that others committed, not folded here yet."),
            notifications_waiting: gauge("nines_notifications_waiting", "Messages that wait in the outbox."),
            notification_attempts: by_channel("nines_notification_attempts_total", "Attempts at telling, by channel."),
            notifications_delivered: by_channel("nines_notifications_delivered_total", "Messages that receivers took."),
            notifications_given_up: by_channel("nines_notifications_given_up_total", "Messages given up for good."),
            quarantined: gauge("nines_ledger_quarantined_blocks", "Blocks that were refused for good and kept."),
            registry,
        }
    }

    /// The registry to show at `/metrics`.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// Counts a refusal.
    pub(crate) fn refuse(&self, refusal: Refusal) {
        self.refused.with_label_values(&[refusal.as_str()]).inc();
    }

    /// How often something was refused for this reason.
    #[cfg(test)]
    pub(crate) fn refusals(&self, refusal: Refusal) -> u64 {
        self.refused.with_label_values(&[refusal.as_str()]).get()
    }
}

impl Default for Metrics {
    fn default() -> Metrics {
        Metrics::new()
    }
}

fn kept<M: prometheus::core::Collector + Clone + 'static>(registry: &Registry, made: prometheus::Result<M>) -> M {
    let metric = made.expect("names and labels are constants that Prometheus allows");
    registry.register(Box::new(metric.clone())).expect("each name is registered once");
    metric
}
