//! The figures of one check, kept in a few hundred bytes and written to the page without a registry.

use super::kinds::{self, Gauge, Measured};
use daemon::exposition::{Exposition, Labels, MetricKind};
use rules::check::Assignment;
use rules::evidence::{Evidence, Phases};
use rules::outcome::{Cause, Outcome, OutcomeKind};
use rules::result::{ProbeResult, Weight};
use rules::time::Timestamp;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Upper bounds in microseconds and as they stand on the page: from a port next door to a page
/// that nobody waits for any longer.
const BUCKETS: [(u64, &str); 14] = [
    (1_000, "0.001"),
    (2_500, "0.0025"),
    (5_000, "0.005"),
    (10_000, "0.01"),
    (25_000, "0.025"),
    (50_000, "0.05"),
    (100_000, "0.1"),
    (250_000, "0.25"),
    (500_000, "0.5"),
    (1_000_000, "1"),
    (2_500_000, "2.5"),
    (5_000_000, "5"),
    (10_000_000, "10"),
    (30_000_000, "30"),
];

/// What one check came to since the agent began.
#[derive(Debug)]
pub(crate) struct Figures {
    labels: Labels,
    /// Whether it may be probed on top of what is due.
    reprobed: bool,
    /// Probes by duration; the last place is for what is beyond every bound.
    durations: [AtomicU64; BUCKETS.len() + 1],
    duration_us_sum: AtomicU64,
    outcomes: [AtomicU64; 3],
    /// Probes that judged nothing, by cause; most checks never have one.
    voids: Mutex<BTreeMap<Cause, u64>>,
    /// Probes on top of what was due.
    extras: AtomicU64,
    last: Mutex<Option<Last>>,
}

#[derive(Clone, Debug)]
struct Last {
    kind: OutcomeKind,
    phases: Phases,
    certificate_expires_at: Option<Timestamp>,
    measured: Arc<[Measured]>,
}

const KINDS: [OutcomeKind; 3] = [OutcomeKind::Up, OutcomeKind::Down, OutcomeKind::Void];

impl Figures {
    pub(crate) fn new(assignment: &Assignment) -> Figures {
        let (service, check) = (assignment.service.as_str(), assignment.check.id.as_str());
        Figures {
            labels: Labels::new(&[("service", service), ("check", check)]),
            reprobed: assignment.check.reprobe.is_some(),
            durations: Default::default(),
            duration_us_sum: AtomicU64::new(0),
            outcomes: Default::default(),
            voids: Mutex::default(),
            extras: AtomicU64::new(0),
            last: Mutex::new(None),
        }
    }

    /// Takes note of one probe. One that came on top of what was due has no say in the counts.
    pub(crate) fn note(&self, evidence: &Evidence, result: &ProbeResult) {
        let outcome = result.outcome;
        match result.weight {
            Weight::Slot => self.count(evidence.elapsed, outcome),
            Weight::Extra => drop(self.extras.fetch_add(1, Ordering::Relaxed)),
        }
        let certificate = evidence.tls.as_ref().and_then(|tls| tls.certificate.as_ref());
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(Last {
            kind: outcome.kind(),
            phases: evidence.phases,
            certificate_expires_at: certificate.map(|facts| facts.chain_expires_at),
            measured: kinds::measured(evidence).into(),
        });
    }

    fn count(&self, elapsed: Duration, outcome: Outcome) {
        let micros = u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX);
        let place = BUCKETS.partition_point(|(bound, _)| *bound < micros);
        self.durations[place].fetch_add(1, Ordering::Relaxed);
        self.duration_us_sum.fetch_add(micros, Ordering::Relaxed);
        self.outcomes[outcome.kind() as usize].fetch_add(1, Ordering::Relaxed);
        if let Outcome::Void(cause) = outcome {
            *self.voids.lock().unwrap_or_else(PoisonError::into_inner).entry(cause).or_default() += 1;
        }
    }

    fn last(&self) -> Option<Last> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Checks whose figures are written at a stretch: some 80 KiB at most.
const CHECKS_A_PIECE: usize = 64;

/// How the samples of one metric are written for some checks.
type Write = fn(&mut Exposition, &[Arc<Figures>]);

/// The metrics of a check, in the order of the page.
const METRICS: [(&str, MetricKind, &str, Write); 7] = [
    (SUCCESS, MetricKind::Gauge, "Whether the last probe was up; absent if it could not be judged.", write_success),
    (RESULTS, MetricKind::Counter, "Probes that were due, by outcome.", write_results),
    (VOIDS, MetricKind::Counter, "Probes that were due and judged nothing, by cause.", write_voids),
    (EXTRAS, MetricKind::Counter, "Probes on top of what was due, while a target fails.", write_extras),
    (PHASE, MetricKind::Gauge, "How long each phase of the last probe took.", write_phases),
    (EXPIRY, MetricKind::Gauge, "When the first certificate of the chain shown last expires.", write_expiry),
    (DURATION, MetricKind::Histogram, "How long probes took.", write_durations),
];
const SUCCESS: &str = "nines_probe_success";
const RESULTS: &str = "nines_probe_results_total";
const VOIDS: &str = "nines_probe_void_results_total";
const EXTRAS: &str = "nines_probe_extra_results_total";
const PHASE: &str = "nines_probe_phase_seconds";
const EXPIRY: &str = "nines_probe_certificate_expiry_timestamp_seconds";
const DURATION: &str = "nines_probe_duration_seconds";

/// The figures of all checks, metric by metric, in pieces of a page.
pub(crate) fn pieces(checks: Vec<Arc<Figures>>) -> impl Iterator<Item = Exposition> {
    let checks: Arc<[Arc<Figures>]> = checks.into();
    let starts = (0..checks.len()).step_by(CHECKS_A_PIECE);
    let (of_all, of_kinds) = (Arc::clone(&checks), checks);
    let (all, kinds) = (starts.clone(), starts);
    let common = METRICS.into_iter().flat_map(move |metric| all.clone().map(move |start| (metric, start)));
    let common = common.map(move |((name, kind, help, write), start)| {
        let mut page = Exposition::default();
        if start == 0 {
            page.metric(name, kind, help);
        }
        write(&mut page, piece(&of_all, start));
        page
    });
    let gauges = kinds::gauges().flat_map(move |gauge| {
        let mut begun = false;
        let checks = Arc::clone(&of_kinds);
        kinds.clone().map(move |start| write_gauge(gauge, piece(&checks, start), &mut begun))
    });
    common.chain(gauges)
}

fn piece(checks: &[Arc<Figures>], start: usize) -> &[Arc<Figures>] {
    &checks[start..checks.len().min(start + CHECKS_A_PIECE)]
}

/// Writes a gauge for those of `checks` that have it; names it before the first of all.
fn write_gauge(gauge: &'static Gauge, checks: &[Arc<Figures>], begun: &mut bool) -> Exposition {
    let mut page = Exposition::default();
    for (check, last) in probed(checks) {
        for measured in last.measured.iter().filter(|measured| measured.gauge == gauge) {
            if !*begun {
                page.metric(gauge.name, MetricKind::Gauge, gauge.help);
                *begun = true;
            }
            match gauge.label {
                Some(label) => page.sample_with(gauge.name, &check.labels, label, &measured.label, measured.value),
                None => page.sample(gauge.name, &check.labels, measured.value),
            }
        }
    }
    page
}

fn write_success(page: &mut Exposition, checks: &[Arc<Figures>]) {
    for (check, last) in probed(checks) {
        match last.kind {
            OutcomeKind::Up => page.sample(SUCCESS, &check.labels, 1),
            OutcomeKind::Down => page.sample(SUCCESS, &check.labels, 0),
            OutcomeKind::Void => {}
        }
    }
}

fn write_results(page: &mut Exposition, checks: &[Arc<Figures>]) {
    for check in checks {
        for (kind, count) in KINDS.into_iter().zip(&check.outcomes) {
            page.sample_with(RESULTS, &check.labels, "outcome", kind.as_str(), count.load(Ordering::Relaxed));
        }
    }
}

fn write_voids(page: &mut Exposition, checks: &[Arc<Figures>]) {
    for check in checks {
        for (cause, count) in &*check.voids.lock().unwrap_or_else(PoisonError::into_inner) {
            page.sample_with(VOIDS, &check.labels, "cause", cause.as_str(), count);
        }
    }
}

fn write_extras(page: &mut Exposition, checks: &[Arc<Figures>]) {
    for check in checks.iter().filter(|check| check.reprobed) {
        page.sample(EXTRAS, &check.labels, check.extras.load(Ordering::Relaxed));
    }
}

fn write_phases(page: &mut Exposition, checks: &[Arc<Figures>]) {
    for (check, last) in probed(checks) {
        for (phase, length) in last.phases.iter() {
            page.sample_with(PHASE, &check.labels, "phase", phase.as_str(), length.as_secs_f64());
        }
    }
}

fn write_expiry(page: &mut Exposition, checks: &[Arc<Figures>]) {
    for (check, last) in probed(checks) {
        if let Some(expires_at) = last.certificate_expires_at {
            page.sample(EXPIRY, &check.labels, expires_at.as_millis().div_euclid(1000));
        }
    }
}

fn write_durations(page: &mut Exposition, checks: &[Arc<Figures>]) {
    checks.iter().for_each(|check| write_histogram(page, check));
}

fn probed(checks: &[Arc<Figures>]) -> impl Iterator<Item = (&Figures, Last)> {
    checks.iter().filter_map(|check| check.last().map(|last| (&**check, last)))
}

fn write_histogram(page: &mut Exposition, check: &Figures) {
    let bounds = BUCKETS.iter().map(|(_, text)| *text).chain(["+Inf"]);
    let mut count = 0;
    for (bound, probes) in bounds.zip(&check.durations) {
        count += probes.load(Ordering::Relaxed);
        page.sample_with("nines_probe_duration_seconds_bucket", &check.labels, "le", bound, count);
    }
    let micros = check.duration_us_sum.load(Ordering::Relaxed);
    let (seconds, rest) = (micros / 1_000_000, micros % 1_000_000);
    page.sample("nines_probe_duration_seconds_sum", &check.labels, format_args!("{seconds}.{rest:06}"));
    page.sample("nines_probe_duration_seconds_count", &check.labels, count);
}

#[cfg(test)]
mod tests {
    use super::*;
    use rules::check::{Check, Counts, Target, Vantages};
    use rules::evidence::Phase;

    fn result(evidence: &Evidence, outcome: Outcome) -> ProbeResult {
        ProbeResult::of_slot(Timestamp::from_millis(0), outcome, evidence.elapsed)
    }

    fn figures() -> Arc<Figures> {
        let check = Check {
            id: "login".parse().unwrap(),
            target: Target::parse("tcp:127.0.0.1:1").unwrap(),
            every: Duration::from_secs(30),
            timeout: Duration::from_secs(10),
            reprobe: None,
            counts: Counts::Yes,
            objective: None,
            agents: Vantages::All,
        };
        Arc::new(Figures::new(&Assignment { service: "apm".parse().unwrap(), check: Arc::new(check) }))
    }

    fn page(figures: &Arc<Figures>) -> String {
        pieces(vec![Arc::clone(figures)]).map(Exposition::into_text).collect()
    }

    #[test]
    fn many_checks_come_in_pieces_that_together_are_one_page() {
        let checks: Vec<_> = (0..2 * CHECKS_A_PIECE + 1).map(|_| figures()).collect();
        let texts: Vec<String> = pieces(checks.clone()).map(Exposition::into_text).collect();
        assert_eq!(texts.len(), (METRICS.len() + kinds::gauges().count()) * 3);
        assert!(texts.iter().all(|text| text.len() < 128 * 1024));
        let page = texts.concat();
        for (name, ..) in METRICS {
            assert_eq!(page.matches(&format!("# TYPE {name} ")).count(), 1);
        }
        assert_eq!(page.matches("_count{").count(), checks.len());
    }

    #[test]
    fn a_probe_is_counted_in_its_bucket_and_shown_by_phase() {
        let figures = figures();
        let mut evidence = Evidence { elapsed: Duration::from_micros(2_500), ..Evidence::default() };
        evidence.phases.add(Phase::Connect, Duration::from_micros(700));
        figures.note(&evidence, &result(&evidence, Outcome::Up));
        evidence.elapsed = Duration::from_secs(60);
        figures.note(&evidence, &result(&evidence, Outcome::Down(Cause::Timeout)));
        let extra = ProbeResult { weight: Weight::Extra, ..result(&evidence, Outcome::Down(Cause::Reset)) };
        figures.note(&evidence, &extra);
        let page = page(&figures);
        let labels = r#"service="apm",check="login""#;
        for line in [
            format!("nines_probe_success{{{labels}}} 0\n"),
            format!("nines_probe_duration_seconds_bucket{{{labels},le=\"0.001\"}} 0\n"),
            format!("nines_probe_duration_seconds_bucket{{{labels},le=\"0.0025\"}} 1\n"),
            format!("nines_probe_duration_seconds_bucket{{{labels},le=\"+Inf\"}} 2\n"),
            format!("nines_probe_duration_seconds_sum{{{labels}}} 60.002500\n"),
            format!("nines_probe_phase_seconds{{{labels},phase=\"connect\"}} 0.0007\n"),
            format!("nines_probe_results_total{{{labels},outcome=\"down\"}} 1\n"),
        ] {
            assert!(page.contains(&line), "{line} is not in\n{page}");
        }
    }

    #[test]
    fn what_could_not_be_judged_is_neither_success_nor_failure() {
        let figures = figures();
        assert!(!page(&figures).contains("nines_probe_success{"), "nothing was probed");
        let evidence = Evidence::default();
        figures.note(&evidence, &result(&evidence, Outcome::Void(Cause::Paused)));
        let page = page(&figures);
        assert!(!page.contains("nines_probe_success{"), "{page}");
        assert!(page.contains(r#"outcome="void"} 1"#), "{page}");
        assert!(
            page.contains(r#"nines_probe_void_results_total{service="apm",check="login",cause="paused"} 1"#),
            "{page}"
        );
    }
}
