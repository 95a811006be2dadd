//! What the agent tells about itself at `/metrics`.
//!
//! The process's own few dozen figures are one struct over one registry; those of ten thousand
//! checks are kept compactly and written straight to the page. Label values come from the
//! configuration, never from a target.

pub(crate) mod heartbeat;
mod kinds;
pub(crate) mod series;

use crate::local::LocalRule;
use crate::orders::Orders;
use crate::spool::SpoolHandle;
use crate::uplink::State;
use daemon::clock::Reading;
use daemon::exposition::{Exposition, Labels, MetricKind};
use prometheus::core::Collector;
use prometheus::{Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry};
use std::sync::Arc;

/// From a timer's own grain to a whole period of the usual check.
const LATENESS_BUCKETS: &[f64] = &[0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0];

/// The process's own figures.
#[derive(Clone, Debug)]
pub(crate) struct Metrics {
    pub(crate) registry: Registry,
    /// From a slot's instant to the start of its probe.
    pub(crate) lateness_seconds: Histogram,
    /// Slots that no probe was started for, by reason.
    pub(crate) slots_missed: IntCounterVec,
    /// Probes that run now.
    pub(crate) probes_running: IntGauge,
    /// Probes that may run at once.
    pub(crate) probes_running_limit: IntGauge,
    /// Checks that are scheduled.
    pub(crate) checks: IntGauge,
    /// Times that the agent stood still for more than a second.
    pub(crate) pauses: IntCounter,
    /// Whether the wall clock is off by more than five seconds, 1 or 0.
    pub(crate) clock_alarm: IntGauge,
    /// Times that the wall clock was stepped.
    pub(crate) clock_steps: IntCounter,
    /// Whether the agent's own network is there, 1 or 0; absent without references.
    pub(crate) references_up: IntGaugeVec,
    /// Whether the last reload of the configuration was taken, 1 or 0.
    pub(crate) reload_successful: IntGauge,
    /// Results that could not be handed to the spool.
    pub(crate) results_lost: IntCounter,
    /// Probes between slots that run now.
    pub(crate) reprobes_running: IntGauge,
    /// Probes between slots that may run at once.
    pub(crate) reprobes_running_limit: IntGauge,
    /// Failing checks that would be looked at again now if there were room.
    pub(crate) reprobes_waiting: IntGauge,
    /// Probes between slots that took until after the next slot and left no result.
    pub(crate) reprobes_overtaken: IntCounter,
}

/// Why a slot was missed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Missed {
    /// The agent was paused or overloaded for a whole period or longer.
    Late,
    /// As many probes ran as may run at once.
    Busy,
}

impl Missed {
    fn as_str(self) -> &'static str {
        match self {
            Missed::Late => "late",
            Missed::Busy => "busy",
        }
    }
}

impl Metrics {
    pub(crate) fn new() -> Metrics {
        let registry = Registry::new();
        let gauge = |name, help| kept(&registry, IntGauge::new(name, help));
        let counter = |name, help| kept(&registry, IntCounter::new(name, help));
        let lateness = HistogramOpts::new(
            "nines_agent_schedule_lateness_seconds",
            "From a slot's instant to the start of its probe.",
        );
        let missed = Opts::new("nines_agent_slots_missed_total", "Slots that no probe was started for, by reason.");
        let references = Opts::new("nines_agent_references_up", "Whether the agent's own network is there.");
        let build = Opts::new("nines_build_info", "The version that runs.");
        let build = kept(&registry, IntGaugeVec::new(build, &["version"]));
        build.with_label_values(&[daemon::version::VERSION]).set(1);
        let slots_missed = kept(&registry, IntCounterVec::new(missed, &["reason"]));
        for reason in [Missed::Late, Missed::Busy] {
            slots_missed.with_label_values(&[reason.as_str()]).inc_by(0);
        }
        Metrics {
            lateness_seconds: kept(&registry, Histogram::with_opts(lateness.buckets(LATENESS_BUCKETS.to_vec()))),
            slots_missed,
            probes_running: gauge("nines_agent_probes_running", "Probes that run now."),
            probes_running_limit: gauge("nines_agent_probes_running_limit", "Probes that may run at once."),
            checks: gauge("nines_agent_checks", "Checks that are scheduled."),
            pauses: counter("nines_agent_pauses_total", "Times the agent stood still for more than a second."),
            clock_alarm: gauge(
                "nines_agent_clock_alarm",
                "Whether the wall clock is more than five seconds off the collector's.",
            ),
            clock_steps: counter("nines_agent_clock_steps_total", "Times the wall clock was stepped."),
            references_up: kept(&registry, IntGaugeVec::new(references, &[])),
            reload_successful: gauge("nines_agent_reload_successful", "Whether the last reload was taken."),
            results_lost: counter("nines_agent_results_lost_total", "Results that no spool took."),
            reprobes_running: gauge("nines_agent_reprobes_running", "Probes between slots that run now."),
            reprobes_running_limit: gauge(
                "nines_agent_reprobes_running_limit",
                "Probes between slots that may run at once.",
            ),
            reprobes_waiting: gauge(
                "nines_agent_reprobes_waiting",
                "Failing checks that would be looked at again now if there were room.",
            ),
            reprobes_overtaken: counter(
                "nines_agent_reprobes_overtaken_total",
                "Probes between slots that took until after the next slot and left no result.",
            ),
            registry,
        }
    }

    pub(crate) fn missed(&self, reason: Missed, slots: u64) {
        self.slots_missed.with_label_values(&[reason.as_str()]).inc_by(slots);
    }
}

/// Registers what was just made; names are ours, so neither step can fail.
pub(crate) fn kept<C: Collector + Clone + 'static>(registry: &Registry, made: prometheus::Result<C>) -> C {
    let made = made.expect("the name and labels are valid, they are written above");
    registry.register(Box::new(made.clone())).expect("each name is registered once");
    made
}

/// Writes what the spool says of itself.
pub(crate) fn write_spool(page: &mut Exposition, spool: &SpoolHandle) {
    let depth = spool.depth();
    let (queued, queued_max) = spool.queue();
    let mut figure = |name: &str, kind: MetricKind, help: &str, value: u64| {
        page.metric(name, kind, help);
        page.sample(name, &Labels::default(), value);
    };
    let gauge = MetricKind::Gauge;
    figure("nines_agent_spool_results", gauge, "Results that are durable and not acknowledged.", depth.results);
    figure("nines_agent_spool_blocks", gauge, "Blocks that are not acknowledged.", depth.blocks());
    figure("nines_agent_spool_bytes", gauge, "Bytes of all blocks kept.", depth.bytes);
    figure("nines_agent_spool_limit_bytes", gauge, "The most bytes of all blocks.", depth.bytes_at_most);
    figure("nines_agent_spool_memory_results", gauge, "Results that are not durable yet.", depth.results_in_memory);
    figure("nines_agent_spool_queue_results", gauge, "Results that wait for the spool.", queued as u64);
    figure("nines_agent_spool_queue_limit_results", gauge, "Results that may wait for the spool.", queued_max as u64);
    let at_risk = u64::from(depth.evidence_at_risk);
    figure("nines_agent_evidence_at_risk", gauge, "Whether the spool's disk is away.", at_risk);
    let counter = MetricKind::Counter;
    figure("nines_agent_results_dropped_total", counter, "Results dropped for want of room.", depth.results_dropped);
    figure("nines_agent_results_refused_total", counter, "Results with absurd instants.", depth.results_refused);
    if let Some(oldest) = depth.oldest_at {
        let seconds = u64::try_from(oldest.as_millis() / 1000).unwrap_or(0);
        let help = "The first instant of the oldest block that is not acknowledged.";
        figure("nines_agent_spool_oldest_timestamp_seconds", gauge, help, seconds);
    }
}

/// Writes how the agent stands with its collector.
pub(crate) fn write_uplink(page: &mut Exposition, state: &State, now: Reading) {
    let mut figure = |name: &str, kind: MetricKind, help: &str, value: f64| {
        page.metric(name, kind, help);
        page.sample(name, &Labels::default(), value);
    };
    let connected = f64::from(u8::from(state.connected));
    figure("nines_agent_uplink_up", MetricKind::Gauge, "Whether the last request was answered as hoped.", connected);
    let counter = MetricKind::Counter;
    figure("nines_agent_blocks_posted_total", counter, "Blocks posted, as often as sent.", state.blocks_posted as f64);
    figure("nines_agent_bytes_posted_total", counter, "Bytes of blocks posted.", state.bytes_posted as f64);
    figure("nines_agent_blocks_refused_total", counter, "Blocks refused for good.", state.blocks_refused as f64);
    figure("nines_agent_conflicts_total", counter, "Blocks whose name had other bytes.", state.conflicts as f64);
    let seconds = |millis: i64| millis as f64 / 1000.0;
    if let Some(at) = state.last_ack_at {
        let help = "When the collector last said that more blocks are safe.";
        figure("nines_agent_last_ack_timestamp_seconds", MetricKind::Gauge, help, seconds(at.as_millis()));
    }
    if let Some(offset) = state.offset {
        let help = "What must be added to this clock to get the collector's.";
        figure("nines_agent_clock_offset_seconds", MetricKind::Gauge, help, seconds(offset.ahead_ms(now)));
    }
}

/// Writes the local five-minute rule's word on each service.
pub(crate) fn write_local(page: &mut Exposition, local: &LocalRule) {
    let name = "nines_local_outage";
    page.metric(name, MetricKind::Gauge, "Whether all of a service's checks have failed here for five minutes.");
    for (service, is_open) in local.services() {
        page.sample(name, &Labels::new(&[("service", service.as_str())]), u8::from(is_open));
    }
}

/// Every check's figures, in pieces of a page.
pub(crate) fn checks(orders: &Orders) -> impl Iterator<Item = Exposition> + use<> {
    series::pieces(orders.standing.values().map(|standing| Arc::clone(&standing.figures)).collect())
}
