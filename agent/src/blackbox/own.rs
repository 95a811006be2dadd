//! What the drop-in tells of itself, under blackbox_exporter's names.

use prometheus::core::Collector;
use prometheus::{Gauge, IntCounter, IntGauge, IntGaugeVec, Opts, Registry};

/// The figures of the drop-in itself.
#[derive(Clone, Debug)]
pub(crate) struct Own {
    /// Whether the modules were read the last time they should have been, 1 or 0.
    pub(crate) reload_successful: IntGauge,
    /// When modules were last read that could be used.
    pub(crate) reloaded_at: Gauge,
    /// Probes asked for by modules that there are not.
    pub(crate) modules_unknown: IntCounter,
}

impl Own {
    /// The figures, kept in `registry`.
    pub(crate) fn new(registry: &Registry) -> Own {
        let build = Opts::new(
            "blackbox_exporter_build_info",
            "A metric with a constant '1' value labeled by the version that runs in blackbox_exporter's place.",
        );
        kept(registry, IntGaugeVec::new(build, &["version"])).with_label_values(&[daemon::version::VERSION]).set(1);
        Own {
            reload_successful: kept(
                registry,
                IntGauge::new(
                    "blackbox_exporter_config_last_reload_successful",
                    "Blackbox exporter config loaded successfully.",
                ),
            ),
            reloaded_at: kept(
                registry,
                Gauge::new(
                    "blackbox_exporter_config_last_reload_success_timestamp_seconds",
                    "Timestamp of the last successful configuration reload.",
                ),
            ),
            modules_unknown: kept(
                registry,
                IntCounter::new("blackbox_module_unknown_total", "Count of unknown modules requested by probes"),
            ),
        }
    }
}

/// Registers what was just made; names are ours, so neither step can fail.
fn kept<C: Collector + Clone + 'static>(registry: &Registry, made: prometheus::Result<C>) -> C {
    let made = made.expect("the name and labels are valid, they are written above");
    registry.register(Box::new(made.clone())).expect("each name is registered once");
    made
}
