//! `/metrics`: what was promised and what became of it, written straight from what is committed.
//!
//! No registry holds these series: 10 000 services have half a million of them. Names and labels
//! are those of `docs/metrics.md`. Label values come from the configuration only: results of
//! services, checks and agents that it doesn't name are not shown.

use super::AppState;
use super::figures::{Evidence, Figures, MonthFigures, ServiceFigures};
use super::people::Actor;
use crate::fold::series::{LATENCY_BOUNDS_US, Tally};
use crate::outages::{ServiceNow, ServiceState};
use crate::state::{AgentView, SeriesView};
use axum::extract;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use config::collector::CollectorConfig;
use daemon::admin::METRICS_TYPE;
use prometheus::TextEncoder;
use rules::agreement::{Agreement, Service};
use rules::availability::Ratio;
use rules::check::Check;
use rules::time::Timestamp;
use std::borrow::Cow;
use std::fmt::{Display, Write as _};
use std::sync::Arc;
use std::time::Duration;

/// Answers a scrape.
pub(super) async fn page(extract::State(app): extract::State<AppState>, actor: Actor) -> Response {
    let families = if actor.sees_all() { app.metrics.registry().gather() } else { Vec::new() };
    // Reckoning what changed may take a tenth of a second: not on a thread that serves others.
    let promises = tokio::task::spawn_blocking(move || exposition(&app, &actor, &app.promised(), app.clock.wall()));
    match (promises.await, TextEncoder::new().encode_to_string(&families)) {
        (Ok(promises), Ok(process)) => ([(header::CONTENT_TYPE, METRICS_TYPE)], promises + &process).into_response(),
        _ => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// One service with everything that its series say.
struct Row<'a> {
    agreement: &'a Agreement,
    service: &'a Service,
    labels: String,
    is: ServiceNow,
    figures: ServiceFigures,
    checks: Vec<(&'a Check, String, Tally)>,
}

/// A service's series take about this much text.
const TEXT_OF_A_SERVICE: usize = 3 * 1024;

/// All series about promises that `actor` sees, and about agents, in the text format.
fn exposition(app: &AppState, actor: &Actor, config: &Arc<CollectorConfig>, now: Timestamp) -> String {
    app.figures.under(config);
    let rows: Vec<Row<'_>> = actor
        .services(&config.agreements, now)
        .map(|(agreement, service)| {
            let (of, name) = (label(agreement.id.as_str()), label(service.id.as_str()));
            let labels = format!("agreement=\"{of}\",service=\"{name}\"");
            let views = app.state.service(&service.id);
            let is = app.now(agreement, service);
            let figures = app.figures.of(agreement, service, &views, is.state, now);
            let checks = service.checks.iter().map(|check| (check, of_check(&labels, check), tally(&views, check)));
            Row { agreement, service, is, figures, checks: checks.collect(), labels }
        })
        .collect();
    let mut page = Page { out: String::with_capacity(rows.len() * TEXT_OF_A_SERVICE) };
    states(&mut page, &rows);
    months(&mut page, &rows);
    latencies(&mut page, &rows, &app.figures);
    results(&mut page, &rows);
    if actor.sees_all() {
        agents(&mut page, config, &app.state.agents());
    }
    page.out
}

fn of_check(labels: &str, check: &Check) -> String {
    format!("{labels},check=\"{}\"", label(check.id.as_str()))
}

fn tally(views: &[SeriesView], check: &Check) -> Tally {
    let mut sum = Tally::default();
    for view in views.iter().filter(|view| view.key.check == check.id) {
        sum.ups += view.tally.ups;
        sum.downs += view.tally.downs;
        sum.voids += view.tally.voids;
        sum.extras += view.tally.extras;
        sum.sum_us = sum.sum_us.saturating_add(view.tally.sum_us);
        for (sum, bucket) in sum.buckets.iter_mut().zip(view.tally.buckets) {
            *sum += bucket;
        }
    }
    sum
}

/// The text as it grows.
struct Page {
    out: String,
}

impl Page {
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        let _ = write!(self.out, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
    }

    fn sample(&mut self, name: &str, labels: &str, value: impl Display) {
        self.sample_of(name, labels, "", value);
    }

    /// Of the same labels and `more`, which begins with a comma. Only the value is formatted:
    /// with half a million series that is what a scrape costs.
    fn sample_of(&mut self, name: &str, labels: &str, more: &str, value: impl Display) {
        for part in [name, "{", labels, more, "} "] {
            self.out.push_str(part);
        }
        let _ = write!(self.out, "{value}");
        self.out.push('\n');
    }
}

fn states(page: &mut Page, rows: &[Row<'_>]) {
    page.family("nines_service_up", "gauge", "1 up, 0 down; absent while unknown.");
    for row in rows {
        match row.is.state {
            ServiceState::Up => page.sample("nines_service_up", &row.labels, 1),
            ServiceState::Down => page.sample("nines_service_up", &row.labels, 0),
            ServiceState::Unknown => {}
        }
    }
    page.family("nines_service_in_outage", "gauge", "1 while an outage is open, else 0.");
    for row in rows {
        page.sample("nines_service_in_outage", &row.labels, u8::from(row.is.outage.is_some()));
    }
    page.family("nines_availability_objective_ratio", "gauge", "What the policy promises.");
    for row in rows {
        let objective = row.agreement.policy.availability.objective;
        page.sample("nines_availability_objective_ratio", &row.labels, Percentage(objective));
    }
    page.family(
        "nines_error_budget_remaining_seconds",
        "gauge",
        "What the objective leaves over this month, less downtime; negative once missed.",
    );
    for row in rows {
        if let Some(month) = &row.figures.current {
            let left = month.availability.budget_left_ms(row.agreement.policy.availability.objective);
            page.sample("nines_error_budget_remaining_seconds", &row.labels, Millis(left));
        }
    }
}

/// What a gauge shows of a month; nothing if it would mislead.
type Shown = fn(&MonthFigures) -> Option<Value>;

/// A gauge of a month: its name, its help, and what it shows.
type Gauge = (&'static str, &'static str, Shown);

fn months(page: &mut Page, rows: &[Row<'_>]) {
    let gauges: [Gauge; 6] = [
        (
            "nines_availability_ratio",
            "Availability of the month so far, best reading; absent without evidence.",
            |month| (month.evidence != Evidence::None).then_some(Value::Ratio(month.best)),
        ),
        ("nines_downtime_seconds", "Counted downtime.", |month| Some(Value::Millis(month.best.downtime_ms))),
        ("nines_undetermined_seconds", "Time without evidence.", |month| Some(Value::Length(month.undetermined))),
        ("nines_excluded_seconds", "Time the agreement does not count.", |month| Some(Value::Length(month.excluded))),
        ("nines_outages", "Outages that touch the month.", |month| Some(Value::Count(month.outages))),
        ("nines_credit_percent", "Credit that the figures so far would earn, 0 to 100.", |month| {
            Some(Value::Percent(month.credit))
        }),
    ];
    for (name, help, shown) in gauges {
        page.family(name, "gauge", help);
        for row in rows {
            for (period, month) in periods(&row.figures) {
                if let Some(value) = month.and_then(|month| shown(&month)) {
                    page.sample_of(name, &row.labels, period, value);
                }
            }
        }
    }
}

/// Both months, each with its label.
fn periods(figures: &ServiceFigures) -> [(&'static str, Option<MonthFigures>); 2] {
    [(",period=\"current\"", figures.current), (",period=\"previous\"", figures.previous)]
}

fn latencies(page: &mut Page, rows: &[Row<'_>], figures: &Figures) {
    let promised = |row: &Row<'_>| -> Vec<(String, Duration, usize)> {
        let objective = |(index, (check, labels, _)): (usize, &(&Check, String, Tally))| {
            let id = check.objective.as_ref()?;
            let objective = row.agreement.policy.latency.iter().find(|objective| objective.id == *id)?;
            Some((format!("{labels},objective=\"{}\"", label(id.as_str())), objective.mean_max, index))
        };
        row.checks.iter().enumerate().filter_map(objective).collect()
    };
    page.family("nines_latency_limit_seconds", "gauge", "What the policy promises.");
    for row in rows {
        for (labels, limit, _) in promised(row) {
            page.sample("nines_latency_limit_seconds", &labels, Micros(micros(limit)));
        }
    }
    page.family("nines_latency_mean_seconds", "gauge", "Mean over the population of the objective.");
    for row in rows {
        for (labels, _, check) in promised(row) {
            for (period, month) in periods(&row.figures) {
                let Some(month) = month else { continue };
                if let Some(mean) = figures.mean(&row.service.id, &row.checks[check].0.id, month.month) {
                    page.sample_of("nines_latency_mean_seconds", &labels, period, Micros(micros(mean)));
                }
            }
        }
    }
}

fn results(page: &mut Page, rows: &[Row<'_>]) {
    page.family("nines_check_results_total", "counter", "Results committed, without extra ones.");
    for (_, labels, tally) in rows.iter().flat_map(|row| &row.checks) {
        let counts =
            [(",outcome=\"up\"", tally.ups), (",outcome=\"down\"", tally.downs), (",outcome=\"void\"", tally.voids)];
        for (outcome, count) in counts {
            page.sample_of("nines_check_results_total", labels, outcome, count);
        }
    }
    page.family("nines_check_extra_results_total", "counter", "Results committed on top of what was due.");
    for (_, labels, tally) in rows.iter().flat_map(|row| &row.checks) {
        page.sample("nines_check_extra_results_total", labels, tally.extras);
    }
    page.family("nines_check_latency_seconds", "histogram", "Elapsed time of up results, as they arrive.");
    let bounds = LATENCY_BOUNDS_US.map(|bound| format!(",le=\"{}\"", Micros(bound)));
    for (_, labels, tally) in rows.iter().flat_map(|row| &row.checks) {
        let mut below = 0;
        for (bound, count) in bounds.iter().zip(tally.buckets) {
            below += count;
            page.sample_of("nines_check_latency_seconds_bucket", labels, bound, below);
        }
        let all: u64 = tally.buckets.iter().sum();
        page.sample_of("nines_check_latency_seconds_bucket", labels, ",le=\"+Inf\"", all);
        page.sample("nines_check_latency_seconds_sum", labels, Micros(tally.sum_us));
        page.sample("nines_check_latency_seconds_count", labels, all);
    }
}

fn agents(page: &mut Page, config: &CollectorConfig, agents: &[AgentView]) {
    let known = |view: &&AgentView| config.agents.iter().any(|known| known.agent == view.agent);
    let gauges = [
        ("nines_agent_last_result_timestamp_seconds", "When the newest committed result was probed."),
        ("nines_agent_watermark_timestamp_seconds", "Up to when the agent's results are complete."),
    ];
    for (name, help) in gauges {
        page.family(name, "gauge", help);
        for view in agents.iter().filter(known) {
            if let Some(last_at) = view.last_at {
                page.sample(name, &format!("agent=\"{}\"", label(view.agent.as_str())), Millis(last_at.as_millis()));
            }
        }
    }
}

/// A label's value as the text format wants it.
fn label(name: &str) -> Cow<'_, str> {
    if !name.contains(['\\', '"', '\n']) {
        return Cow::Borrowed(name);
    }
    Cow::Owned(name.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}

fn micros(length: Duration) -> u64 {
    u64::try_from(length.as_micros()).unwrap_or(u64::MAX)
}

/// What a gauge shows, in base units and exact decimals.
enum Value {
    Ratio(Ratio),
    Millis(u64),
    Length(Duration),
    Count(usize),
    Percent(rules::decimal::Percent),
}

impl Display for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Value::Ratio(ratio) => write!(f, "{}", ratio.as_f64()),
            Value::Millis(ms) => write!(f, "{}", Micros(ms.saturating_mul(1_000))),
            Value::Length(length) => write!(f, "{}", Micros(micros(*length))),
            Value::Count(count) => write!(f, "{count}"),
            Value::Percent(percent) => write!(f, "{percent}"),
        }
    }
}

/// Microseconds as seconds.
struct Micros(u64);

impl Display for Micros {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 % 1_000_000 {
            0 => write!(f, "{}", self.0 / 1_000_000),
            mut rest => {
                let mut width = 6;
                while rest % 10 == 0 {
                    (rest, width) = (rest / 10, width - 1);
                }
                write!(f, "{}.{rest:0width$}", self.0 / 1_000_000)
            }
        }
    }
}

/// Signed milliseconds as seconds.
struct Millis(i64);

impl Display for Millis {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        write!(f, "{sign}{}", Micros(self.0.unsigned_abs().saturating_mul(1_000)))
    }
}

/// A percentage as a ratio of one.
struct Percentage(rules::decimal::Percent);

impl Display for Percentage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let scale = rules::decimal::Percent::DENOMINATOR;
        let digits = format!("{:011}", self.0.numerator() % scale);
        match digits.trim_end_matches('0') {
            "" => write!(f, "{}", self.0.numerator() / scale),
            digits => write!(f, "{}.{digits}", self.0.numerator() / scale),
        }
    }
}
