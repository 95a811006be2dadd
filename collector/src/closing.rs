//! Draws up an agreement's month: gathers evidence, has `rules` reckon it, and keeps the answer as
//! one value that every rendering reads.
//!
//! No figure is made here; each comes from `rules`. What is decided here is only whether a
//! statement is provisional or final.

pub mod amendment;
pub mod closer;
pub mod copies;
pub mod effect;
pub mod evidence;
pub mod explanation;
mod handling;
pub mod issue;
pub mod issued;
pub mod pinned;
pub mod replay;
pub mod seal;
pub mod terms;
pub mod tree;
pub mod views;

use crate::record::chain::Head;
use amendment::Amendment;
use evidence::{Evidence, Percentiles, Seen, Watermark};
use rules::agreement::{Agreement, Service};
use rules::check::{Check, Counts, Target};
use rules::credit::{self, Total};
use rules::id::{AgentId, CheckId, ServiceId};
use rules::incident::{Handling, Incident, Reading};
use rules::interval::{Interval, IntervalSet};
use rules::latency::Population;
use rules::outcome::OutcomeKind;
use rules::period::Month;
use rules::service::SeriesRuns;
use rules::statement::{self, ErrorRate, LatencyRow, Reckoning};
use rules::time::Timestamp;
use rules::{objective, retainer, standing};
use std::collections::BTreeMap;
use std::time::Duration;
use terms::Terms;
use views::View;

/// One period's account for one agreement.
#[derive(Clone, PartialEq, Debug)]
pub struct Statement<'a> {
    /// What it is drawn up under.
    pub terms: &'a Terms,
    /// The agreement: that of the terms.
    pub agreement: &'a Agreement,
    /// The period.
    pub month: Month,
    /// The period as a stretch of time.
    pub calendar: Interval,
    /// The instant up to which evidence is heard; nothing: all there is.
    pub as_of: Option<Timestamp>,
    /// Whether figures can still change.
    pub state: State,
    /// Which version of the period's statement this is.
    pub version: u32,
    /// When it was issued and what it rests on; nothing while it is only drawn up.
    pub issue: Option<Issue>,
    /// The signed file, if this is it.
    pub document: Option<Document>,
    /// How it differs from the version before it, if there is one.
    pub amends: Option<Amendment>,
    /// What the customer was within the period, in order of time; empty: it paid.
    pub standing: Vec<standing::Stretch>,
    /// The incidents whose clocks started in the period, by number, as far as they were on record when
    /// clocks were read.
    pub incidents: Vec<IncidentMonth>,
    /// How fast people were with those.
    pub handling: Handling,
    /// People's promises over all incidents of the period.
    pub response: Vec<objective::Row>,
    /// The period's account of the retainer.
    pub retainer: Option<retainer::Account>,
    /// The services that had time in the period.
    pub services: Vec<ServiceMonth<'a>>,
    /// The services that had none, or none yet.
    pub without_time: Vec<&'a ServiceId>,
}

impl Statement<'_> {
    /// What is owed for all services together; nothing without a rule for credits.
    pub fn owed(&self) -> Option<Total> {
        let rule = self.agreement.policy.credits.as_ref()?;
        Some(credit::total(self.services.iter().map(|month| &month.reckoning.credit), rule))
    }
}

/// When a statement was issued, and exactly what it rests on: from the same terms and the same
/// blocks it can be drawn up again, byte for byte.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Issue {
    /// When.
    pub issued_at: Timestamp,
    /// How far the agreement's record went when it was heard.
    pub record: Head,
    /// What was heard of each agent that looks at one of the services.
    pub agents: BTreeMap<AgentId, Heard>,
}

/// An issued statement's file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Document {
    /// The signed canonical JSON, byte for byte.
    pub file: String,
    /// SHA-256 of its text without the seal.
    pub sha256: [u8; 32],
    /// The name of the key that signed it.
    pub key: String,
}

/// What was heard of one agent.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Heard {
    /// How many of its blocks.
    pub blocks: u64,
    /// The same in terms of its lanes: of each incarnation, the number of the first block that was not
    /// heard. Whoever has results without the ledger knows their blocks by these.
    pub lanes: BTreeMap<u64, u64>,
    /// Up to when its evidence was complete; nothing if it never sent any.
    pub complete_until: Option<Timestamp>,
}

impl Heard {
    /// Whether block `seq` of the lane of `incarnation` was heard.
    pub fn has(&self, incarnation: u64, seq: u64) -> bool {
        self.lanes.get(&incarnation).is_some_and(|until| seq < *until)
    }
}

/// How far each agent's evidence was complete when it was heard.
fn watermarks(agents: &BTreeMap<AgentId, Heard>) -> Vec<Watermark> {
    let noted = agents.iter().map(|(agent, heard)| Watermark {
        agent: agent.clone(),
        complete_until: heard.complete_until.unwrap_or(Timestamp::MIN),
    });
    noted.collect()
}

/// Whether figures can still change.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum State {
    /// They can.
    Provisional(Awaiting),
    /// They can't, but by an amendment.
    Final {
        /// Agents whose evidence was not waited for any longer.
        missing: Vec<AgentId>,
    },
}

/// What a provisional statement waits for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Awaiting {
    /// The period still runs.
    PeriodEnd,
    /// These agents' evidence is not complete up to the end; none are named if nobody sent any.
    Evidence(Vec<AgentId>),
}

/// One service's month.
#[derive(Clone, PartialEq, Debug)]
pub struct ServiceMonth<'a> {
    /// The service.
    pub service: &'a Service,
    /// Availability, outages, recovery, credit.
    pub reckoning: Reckoning<'a>,
    /// Every check with a population or an objective, by name.
    pub latency: Vec<CheckMonth<'a>>,
    /// The error rate over the counting checks.
    pub error_rate: ErrorRate,
    /// Everything that was promised of the service, held against what was measured.
    pub objectives: Vec<objective::Row>,
    /// How much of the period each series spoke for, by agent and check.
    pub coverage: Vec<Coverage>,
    /// What each series saw of each outage, by the outage's beginning.
    pub views: BTreeMap<Timestamp, Vec<View>>,
}

/// An incident, and what its clocks show when they are read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct IncidentMonth {
    /// The incident.
    pub incident: Incident,
    /// The policy's clocks for its severity.
    pub clocks: Vec<Reading>,
}

/// One check's latency.
#[derive(Clone, PartialEq, Debug)]
pub struct CheckMonth<'a> {
    /// The check.
    pub check: &'a Check,
    /// The mean's population, held against its objective.
    pub row: LatencyRow,
    /// From a histogram with two significant digits.
    pub percentiles: Option<Percentiles>,
    /// The populations of its hours, for charts.
    pub hours: Vec<(Timestamp, Population)>,
}

/// How much of the reckoned period one series spoke for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Coverage {
    /// Who looked.
    pub agent: AgentId,
    /// At what.
    pub check: CheckId,
    /// How long it was heard: up or down.
    pub spoken: Duration,
    /// How long it was there but could not judge.
    pub void: Duration,
    /// How long nothing came of it.
    pub silent: Duration,
}

/// Draws up the `month` of `terms`. `as_of` is the instant up to which evidence is heard: now, for a
/// period that still runs; without it all evidence is.
pub async fn draw_up<'a, E: Evidence>(
    evidence: &E,
    terms: &'a Terms,
    month: Month,
    as_of: Option<Timestamp>,
) -> Result<Statement<'a>, E::Error> {
    let agreement = &terms.agreement;
    let calendar = month.interval(&agreement.zone);
    let mut statement = Statement {
        terms,
        agreement,
        month,
        calendar,
        as_of,
        state: State::Provisional(Awaiting::PeriodEnd),
        version: 1,
        issue: None,
        document: None,
        amends: None,
        standing: standing::stretches(&agreement.standing, calendar),
        incidents: Vec::new(),
        handling: Handling::default(),
        response: Vec::new(),
        retainer: agreement
            .retainer
            .as_ref()
            .and_then(|retainer| retainer::account(retainer, &terms.record, month, &agreement.zone)),
        services: Vec::new(),
        without_time: Vec::new(),
    };
    let mut watermarks = Vec::new();
    let heard =
        Interval::new(calendar.from().minus(evidence::REACH), as_of.unwrap_or(Timestamp::MAX)).unwrap_or(calendar);
    for service in &agreement.services {
        let seen = evidence::within_reach(evidence.series(service, calendar).await?, calendar);
        let Some(reckoning) = reckon(agreement, service, month, as_of, &seen) else {
            statement.without_time.push(&service.id);
            continue;
        };
        watermarks.extend(evidence.watermarks(service).await?);
        let mut of_service = service_month(evidence, agreement, service, reckoning, &seen).await?;
        of_service.views = views::of_outages(service, &seen, &of_service.reckoning, heard);
        statement.services.push(of_service);
    }
    statement.read_clocks();
    statement.state = state(calendar.until(), terms.grace, as_of, watermarks);
    Ok(statement)
}

/// Reckons one service's month from what was seen of it.
pub fn reckon<'a>(
    agreement: &'a Agreement,
    service: &Service,
    month: Month,
    as_of: Option<Timestamp>,
    seen: &[Seen],
) -> Option<Reckoning<'a>> {
    statement::reckon(agreement, service, month, as_of, &counting(service, seen))
}

/// The series that take part in the service's availability.
pub fn counting<'a>(service: &Service, seen: &'a [Seen]) -> Vec<SeriesRuns<'a>> {
    let counts = |seen: &&Seen| {
        let check = service.checks.iter().find(|check| check.id == seen.check);
        check.is_some_and(|check| check.counts == Counts::Yes)
    };
    let runs = |seen: &'a Seen| SeriesRuns { agent: &seen.agent, check: &seen.check, runs: &seen.runs };
    seen.iter().filter(counts).map(runs).collect()
}

async fn service_month<'a, E: Evidence>(
    evidence: &E,
    agreement: &'a Agreement,
    service: &'a Service,
    reckoning: Reckoning<'a>,
    seen: &[Seen],
) -> Result<ServiceMonth<'a>, E::Error> {
    let mut latency = Vec::new();
    let mut checks: Vec<&Check> = service.checks.iter().collect();
    checks.sort_by(|a, b| a.id.cmp(&b.id));
    for check in checks {
        let heard = evidence.latency(service, check, &reckoning.measured).await?;
        let row = statement::latency_row(&agreement.policy, check, heard.population);
        latency.push(CheckMonth { check, row, percentiles: heard.percentiles, hours: heard.hours });
    }
    let error_rate =
        statement::error_rate(&agreement.policy, latency.iter().map(|month| (month.check, &month.row.population)));
    let runs = backup_runs(evidence, service, &reckoning).await?;
    let rows = latency.iter().map(|month| &month.row);
    let objectives = objective::rows(&agreement.policy, &reckoning, rows, &error_rate, &runs);
    let period = reckoning.period;
    let of_service = |seen: &&Seen| service.checks.iter().any(|check| check.id == seen.check);
    let mut coverage: Vec<Coverage> = seen.iter().filter(of_service).map(|seen| coverage(seen, period)).collect();
    // Each source of evidence has an order of its own; the same evidence must give the same bytes.
    coverage.sort_by(|a, b| (&a.agent, &a.check).cmp(&(&b.agent, &b.check)));
    Ok(ServiceMonth {
        service,
        latency: latency.into_iter().filter(|month| has_row(&month.row)).collect(),
        error_rate,
        objectives,
        coverage,
        views: BTreeMap::new(),
        reckoning,
    })
}

/// What the jobs of each heartbeat check came to, over the period less exclusions: a backup that failed
/// during an outage failed.
async fn backup_runs<E: Evidence>(
    evidence: &E,
    service: &Service,
    reckoning: &Reckoning<'_>,
) -> Result<Vec<(CheckId, Population)>, E::Error> {
    let counted = IntervalSet::from(reckoning.period).difference(&reckoning.partition.excluded);
    let mut runs = Vec::new();
    for check in service.checks.iter().filter(|check| matches!(check.target, Target::Heartbeat(_))) {
        let heard = evidence.latency(service, check, &counted).await?;
        runs.push((check.id.clone(), heard.population));
    }
    runs.sort_by(|(one, _), (other, _)| one.cmp(other));
    Ok(runs)
}

/// A check is listed if anything was measured, or if something was promised that nothing was
/// measured of.
fn has_row(row: &LatencyRow) -> bool {
    0 < row.population.count() || row.objective.is_some()
}

fn coverage(seen: &Seen, period: Interval) -> Coverage {
    let within = |wanted: fn(OutcomeKind) -> bool| {
        let runs = seen.runs.iter().filter(|run| wanted(run.kind)).filter_map(|run| run.interval());
        runs.collect::<IntervalSet>().clipped(period).length()
    };
    let spoken = within(|kind| kind != OutcomeKind::Void);
    let void = within(|kind| kind == OutcomeKind::Void);
    let silent = period.length().saturating_sub(spoken).saturating_sub(void);
    Coverage { agent: seen.agent.clone(), check: seen.check.clone(), spoken, void, silent }
}

fn state(end: Timestamp, grace: Duration, as_of: Option<Timestamp>, watermarks: Vec<Watermark>) -> State {
    if as_of.is_some_and(|now| now < end) {
        return State::Provisional(Awaiting::PeriodEnd);
    }
    let late = watermarks.iter().filter(|watermark| watermark.complete_until < end);
    let mut late: Vec<AgentId> = late.map(|watermark| watermark.agent.clone()).collect();
    late.sort();
    late.dedup();
    let grace_is_over = as_of.is_some_and(|now| end.plus(grace) <= now);
    let all_there = late.is_empty() && !watermarks.is_empty();
    if all_there || grace_is_over {
        State::Final { missing: late }
    } else {
        State::Provisional(Awaiting::Evidence(late))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use config::collector::evidence::GRACE_DEFAULT as GRACE;

    const END: Timestamp = Timestamp::from_millis(1_000_000_000_000);

    fn watermark(agent: &str, complete_until: Timestamp) -> Watermark {
        Watermark { agent: agent.parse().unwrap(), complete_until }
    }

    #[test]
    fn a_statement_is_provisional_while_the_period_runs_or_evidence_is_due() {
        let before = END.minus(Duration::from_millis(1));
        let running = State::Provisional(Awaiting::PeriodEnd);
        assert_eq!(state(END, GRACE, Some(before), vec![watermark("a", END)]), running);
        let due = State::Provisional(Awaiting::Evidence(vec!["b".parse().unwrap()]));
        assert_eq!(state(END, GRACE, Some(END), vec![watermark("a", END), watermark("b", before)]), due);
        assert_eq!(state(END, GRACE, None, Vec::new()), State::Provisional(Awaiting::Evidence(Vec::new())));
    }

    #[test]
    fn it_is_final_once_all_evidence_is_there_or_the_grace_is_over() {
        assert_eq!(state(END, GRACE, None, vec![watermark("a", END)]), State::Final { missing: Vec::new() });
        let late = vec![watermark("a", END.minus(GRACE)), watermark("a", END.minus(GRACE))];
        let missing = vec!["a".parse().unwrap()];
        assert_eq!(state(END, GRACE, Some(END.plus(GRACE)), late), State::Final { missing });
    }
}
