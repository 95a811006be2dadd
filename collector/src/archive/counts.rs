//! What the archive counts about itself, at `/metrics` of a collector that has one.

use prometheus::{IntCounter, IntGauge, Registry};

/// The archive's metrics; cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Counts {
    /// When the last seal was made, by whichever collector.
    pub(crate) last_seal_seconds: IntGauge,
    /// When the last round ended well.
    pub(crate) last_round_seconds: IntGauge,
    /// Blocks that no seal covers yet.
    pub(crate) unsealed: IntGauge,
    /// Seals made here.
    pub(crate) seals: IntCounter,
    /// Rounds that failed.
    pub(crate) failures: IntCounter,
    /// Blocks that left the ledger.
    pub(crate) forgotten: IntCounter,
    /// Files that were disposed of.
    pub(crate) disposed: IntCounter,
    /// What a crash had left, deleted.
    pub(crate) tidied: IntCounter,
    /// Agreements whose data was erased because of standing.
    pub(crate) erasures: IntCounter,
    /// Agreements whose data is to be erased and whose standing is not on record long enough.
    pub(crate) erasures_waiting: IntGauge,
}

impl Counts {
    /// Metrics in `registry`.
    pub(crate) fn new(registry: &Registry) -> Counts {
        let gauge = |name, help| kept(registry, IntGauge::new(name, help));
        let counter = |name, help| kept(registry, IntCounter::new(name, help));
        Counts {
            last_seal_seconds: gauge("nines_archive_last_seal_timestamp_seconds", "When evidence was last sealed."),
            last_round_seconds: gauge(
                "nines_archive_last_round_timestamp_seconds",
                "When sealing, verifying and forgetting last went well.",
            ),
            unsealed: gauge("nines_archive_unsealed_blocks", "Blocks that no seal covers yet."),
            seals: counter("nines_archive_seals_total", "Seals made by this process."),
            failures: counter("nines_archive_failures_total", "Rounds of sealing that failed."),
            forgotten: counter("nines_archive_forgotten_blocks_total", "Blocks that left the ledger for the archive."),
            disposed: counter("nines_archive_disposed_files_total", "Files whose retention or agreement was over."),
            tidied: counter("nines_archive_tidied_objects_total", "Objects that a crash had left, deleted."),
            erasures: counter("nines_archive_erasures_total", "Erasures because of a customer's standing."),
            erasures_waiting: gauge(
                "nines_archive_erasures_waiting",
                "Agreements whose data is to be erased and whose standing is not on record, or not for a day yet.",
            ),
        }
    }
}

fn kept<M: prometheus::core::Collector + Clone + 'static>(registry: &Registry, made: prometheus::Result<M>) -> M {
    let metric = made.expect("names are constants that Prometheus allows");
    registry.register(Box::new(metric.clone())).expect("each name is registered once");
    metric
}
