//! The shapes of the API's answers. Tools rely on the names: add to them, never change them.

use crate::outages::ServiceNow;
use crate::render::figures::millis;
use crate::state::SeriesView;
use crate::web::agents::AgentRow;
use crate::web::figures::{MonthFigures, ServiceFigures};
use crate::web::recent::Recent;
use rules::outage::{Stretch, Verdict};
use serde::Serialize;

#[derive(Serialize)]
pub(super) struct Agents {
    pub(super) agents: Vec<Agent>,
    pub(super) next: Option<String>,
}

#[derive(Serialize)]
pub(super) struct Agent {
    agent: String,
    configured: bool,
    last_result_at: Option<String>,
    watermark_at: Option<String>,
    blocks_committed: u64,
    series: usize,
    series_down: usize,
}

impl Agent {
    pub(super) fn of(row: &AgentRow) -> Agent {
        let last_at = row.last_at.map(|at| at.to_string());
        Agent {
            agent: row.agent.clone(),
            configured: row.known,
            watermark_at: last_at.clone(),
            last_result_at: last_at,
            blocks_committed: row.position,
            series: row.series,
            series_down: row.down,
        }
    }
}

#[derive(Serialize)]
pub(super) struct Agreements {
    pub(super) agreements: Vec<Agreement>,
    pub(super) next: Option<String>,
}

#[derive(Serialize)]
pub(super) struct Agreement {
    agreement: String,
    customer: String,
    zone: String,
    policy: String,
    services: Vec<String>,
}

impl Agreement {
    pub(super) fn of(agreement: &rules::agreement::Agreement) -> Agreement {
        Agreement {
            agreement: agreement.id.to_string(),
            customer: agreement.customer.clone(),
            zone: agreement.zone.name().to_owned(),
            policy: agreement.policy.id.to_string(),
            services: agreement.services.iter().map(|service| service.id.to_string()).collect(),
        }
    }
}

#[derive(Serialize)]
pub(super) struct Services {
    pub(super) services: Vec<Service>,
    pub(super) next: Option<String>,
}

#[derive(Serialize)]
pub(super) struct Service {
    service: String,
    agreement: String,
    state: &'static str,
    since: Option<String>,
    objective_percent: String,
    current: Option<Month>,
    previous: Option<Month>,
    last_outage: Option<Outage>,
}

impl Service {
    pub(super) fn of(
        agreement: &rules::agreement::Agreement,
        service: &rules::agreement::Service,
        is: &ServiceNow,
        recent: &Recent,
        figures: &ServiceFigures,
    ) -> Service {
        let objective = agreement.policy.availability.objective;
        let month = |month: &MonthFigures| Month {
            period: month.month.to_string(),
            percent: month.availability.to_string(),
            worst_percent: month.worst.to_string(),
            evidence: month.evidence.as_str(),
            met: month.met,
            downtime_ms: month.availability.downtime_ms,
            undetermined_ms: millis(month.undetermined),
            excluded_ms: millis(month.excluded),
            budget_left_ms: month.availability.budget_left_ms(objective),
            outages: month.outages,
            credit_percent: month.credit.to_string(),
        };
        Service {
            service: service.id.to_string(),
            agreement: agreement.id.to_string(),
            state: is.word(),
            since: is.since.map(|since| since.to_string()),
            objective_percent: objective.to_string(),
            current: figures.current.as_ref().map(month),
            previous: figures.previous.as_ref().map(month),
            last_outage: recent.last_outage().map(Outage::of),
        }
    }
}

#[derive(Serialize)]
struct Month {
    period: String,
    percent: String,
    worst_percent: String,
    evidence: &'static str,
    met: bool,
    downtime_ms: u64,
    undetermined_ms: u64,
    excluded_ms: u64,
    budget_left_ms: i64,
    outages: usize,
    credit_percent: String,
}

#[derive(Serialize)]
pub(super) struct ServiceDetail {
    #[serde(flatten)]
    pub(super) service: Service,
    pub(super) checks: Vec<Check>,
    pub(super) series: Vec<Series>,
}

#[derive(Serialize)]
pub(super) struct Check {
    check: String,
    kind: &'static str,
    target: String,
    every_ms: u64,
    timeout_ms: u64,
    counts: bool,
    objective: Option<String>,
}

impl Check {
    pub(super) fn of(check: &rules::check::Check) -> Check {
        Check {
            check: check.id.to_string(),
            kind: check.target.kind(),
            target: check.target.address().to_owned(),
            every_ms: millis(check.every),
            timeout_ms: millis(check.timeout),
            counts: check.counts == rules::check::Counts::Yes,
            objective: check.objective.as_ref().map(ToString::to_string),
        }
    }
}

#[derive(Serialize)]
pub(super) struct Series {
    agent: String,
    check: String,
    last_at: Option<String>,
    outcome: Option<&'static str>,
    cause: Option<&'static str>,
    elapsed_us: Option<u64>,
    since: Option<String>,
}

impl Series {
    pub(super) fn of(view: &SeriesView) -> Series {
        let last = view.last;
        Series {
            agent: view.key.agent.to_string(),
            check: view.key.check.to_string(),
            last_at: last.map(|last| last.at.to_string()),
            outcome: last.map(|last| last.outcome.kind().as_str()),
            cause: last.and_then(|last| last.outcome.cause()).map(rules::outcome::Cause::as_str),
            elapsed_us: last
                .and_then(|last| last.latency())
                .map(|took| u64::try_from(took.as_micros()).unwrap_or(u64::MAX)),
            since: view.open.map(|run| run.first_at.to_string()),
        }
    }
}

#[derive(Serialize)]
pub(super) struct Outages {
    pub(super) outages: Vec<Outage>,
}

#[derive(Serialize)]
pub(super) struct Outage {
    kind: &'static str,
    began_at: String,
    ended_at: String,
    length_ms: u64,
    shortest_ms: u64,
    longest_ms: Option<u64>,
    ongoing: bool,
    causes: Vec<&'static str>,
}

impl Outage {
    pub(super) fn of(stretch: &Stretch) -> Outage {
        Outage {
            kind: match stretch.verdict {
                Verdict::Outage => "outage",
                Verdict::NearMiss => "near_miss",
                Verdict::Short => "short_downtime",
            },
            began_at: stretch.interval.from().to_string(),
            ended_at: stretch.interval.until().to_string(),
            length_ms: millis(stretch.interval.length()),
            shortest_ms: millis(stretch.shortest()),
            longest_ms: stretch.longest().map(millis),
            ongoing: stretch.ongoing,
            causes: stretch.causes.iter().map(rules::outcome::Cause::as_str).collect(),
        }
    }
}

#[derive(Serialize)]
pub(super) struct Explanation {
    pub(super) service: String,
    pub(super) period: String,
    pub(super) text: String,
}
