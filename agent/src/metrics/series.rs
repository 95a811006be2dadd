//! The figures of one check, kept in a few hundred bytes and written to the page without a registry.

use daemon::exposition::{Exposition, Labels, MetricKind};
use rules::check::Assignment;
use rules::evidence::{Evidence, Phases};
use rules::outcome::{Outcome, OutcomeKind};
use rules::time::Timestamp;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

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
    /// Probes by duration; the last place is for what is beyond every bound.
    durations: [AtomicU64; BUCKETS.len() + 1],
    duration_us_sum: AtomicU64,
    outcomes: [AtomicU64; 3],
    last: Mutex<Option<Last>>,
}

#[derive(Clone, Copy, Debug)]
struct Last {
    kind: OutcomeKind,
    phases: Phases,
    certificate_expires_at: Option<Timestamp>,
}

const KINDS: [OutcomeKind; 3] = [OutcomeKind::Up, OutcomeKind::Down, OutcomeKind::Void];

impl Figures {
    pub(crate) fn new(assignment: &Assignment) -> Figures {
        let (service, check) = (assignment.service.as_str(), assignment.check.id.as_str());
        Figures {
            labels: Labels::new(&[("service", service), ("check", check)]),
            durations: Default::default(),
            duration_us_sum: AtomicU64::new(0),
            outcomes: Default::default(),
            last: Mutex::new(None),
        }
    }

    /// Takes note of one probe.
    pub(crate) fn note(&self, evidence: &Evidence, outcome: Outcome) {
        let micros = u64::try_from(evidence.elapsed.as_micros()).unwrap_or(u64::MAX);
        let place = BUCKETS.partition_point(|(bound, _)| *bound < micros);
        self.durations[place].fetch_add(1, Ordering::Relaxed);
        self.duration_us_sum.fetch_add(micros, Ordering::Relaxed);
        self.outcomes[outcome.kind() as usize].fetch_add(1, Ordering::Relaxed);
        let certificate = evidence.tls.as_ref().and_then(|tls| tls.certificate.as_ref());
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(Last {
            kind: outcome.kind(),
            phases: evidence.phases,
            certificate_expires_at: certificate.map(|facts| facts.not_after),
        });
    }

    fn last(&self) -> Option<Last> {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes the figures of all checks, metric by metric.
pub(crate) fn write<'a>(page: &mut Exposition, checks: impl Iterator<Item = &'a Figures> + Clone) {
    let probed = || checks.clone().filter_map(|check| check.last().map(|last| (check, last)));
    let name = "nines_probe_success";
    page.metric(name, MetricKind::Gauge, "Whether the last probe was up; absent if it could not be judged.");
    for (check, last) in probed() {
        match last.kind {
            OutcomeKind::Up => page.sample(name, &check.labels, 1),
            OutcomeKind::Down => page.sample(name, &check.labels, 0),
            OutcomeKind::Void => {}
        }
    }
    let name = "nines_probe_results_total";
    page.metric(name, MetricKind::Counter, "Probes by outcome.");
    for check in checks.clone() {
        for (kind, count) in KINDS.into_iter().zip(&check.outcomes) {
            page.sample_with(name, &check.labels, "outcome", kind.as_str(), count.load(Ordering::Relaxed));
        }
    }
    let name = "nines_probe_phase_seconds";
    page.metric(name, MetricKind::Gauge, "How long each phase of the last probe took.");
    for (check, last) in probed() {
        for (phase, length) in last.phases.iter() {
            page.sample_with(name, &check.labels, "phase", phase.as_str(), length.as_secs_f64());
        }
    }
    let name = "nines_probe_certificate_expiry_timestamp_seconds";
    page.metric(name, MetricKind::Gauge, "When the first certificate of the chain shown last expires.");
    for (check, last) in probed() {
        if let Some(expires_at) = last.certificate_expires_at {
            page.sample(name, &check.labels, expires_at.as_millis().div_euclid(1000));
        }
    }
    page.metric("nines_probe_duration_seconds", MetricKind::Histogram, "How long probes took.");
    checks.for_each(|check| write_durations(page, check));
}

fn write_durations(page: &mut Exposition, check: &Figures) {
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
    use rules::outcome::Cause;
    use std::sync::Arc;
    use std::time::Duration;

    fn figures() -> Figures {
        let check = Check {
            id: "login".parse().unwrap(),
            target: Target::parse("tcp:127.0.0.1:1").unwrap(),
            every: Duration::from_secs(30),
            timeout: Duration::from_secs(10),
            counts: Counts::Yes,
            objective: None,
            agents: Vantages::All,
        };
        Figures::new(&Assignment { service: "apm".parse().unwrap(), check: Arc::new(check) })
    }

    fn page(figures: &Figures) -> String {
        let mut page = Exposition::default();
        write(&mut page, std::iter::once(figures));
        page.into_text()
    }

    #[test]
    fn a_probe_is_counted_in_its_bucket_and_shown_by_phase() {
        let figures = figures();
        let mut evidence = Evidence { elapsed: Duration::from_micros(2_500), ..Evidence::default() };
        evidence.phases.add(Phase::Connect, Duration::from_micros(700));
        figures.note(&evidence, Outcome::Up);
        evidence.elapsed = Duration::from_secs(60);
        figures.note(&evidence, Outcome::Down(Cause::Timeout));
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
        figures.note(&Evidence::default(), Outcome::Void(Cause::Paused));
        let page = page(&figures);
        assert!(!page.contains("nines_probe_success{"), "{page}");
        assert!(page.contains(r#"outcome="void"} 1"#), "{page}");
    }
}
