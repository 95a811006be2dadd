//! One month under two policies, side by side: the same evidence, drawn up twice.
//!
//! Nothing is compared but what both statements say; which figures differ is decided on the texts
//! that people read, so that nothing is marked that they could not see.

use super::figures::{self, cut_percent, grouped};
use super::json;
use super::outside::printable;
use crate::closing::{CheckMonth, ServiceMonth, Statement};
use rules::agreement::Language;
use rules::outage::Verdict;
use rules::recovery::Recovery;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::time::Duration;

/// What a statement says nothing about.
const NOTHING: &str = "–";

/// A month under two policies.
pub(crate) struct Comparison {
    /// The two policies' names, the agreement's own first.
    pub(crate) policies: [String; 2],
    /// Each service that has time in the month.
    pub(crate) services: Vec<Compared>,
}

/// One service.
pub(crate) struct Compared {
    pub(crate) name: String,
    pub(crate) rows: Vec<Row>,
}

/// One figure, twice.
pub(crate) struct Row {
    pub(crate) figure: String,
    pub(crate) own: String,
    pub(crate) other: String,
}

impl Row {
    /// Whether a reader sees two different things.
    pub(crate) fn differs(&self) -> bool {
        self.own != self.other
    }
}

/// Puts two statements of one agreement and month beside each other.
pub(crate) fn compare(own: &Statement<'_>, other: &Statement<'_>) -> Comparison {
    let policy = |of: &Statement<'_>| of.agreement.policy.id.to_string();
    let services = own.services.iter().filter_map(|service| {
        let beside = other.services.iter().find(|beside| beside.service.id == service.service.id)?;
        let (own, other) = (figures_of(own, service), figures_of(other, beside));
        Some(Compared { name: service.service.id.to_string(), rows: rows(own, other) })
    });
    Comparison { policies: [policy(own), policy(other)], services: services.collect() }
}

/// Figures by name; a figure that only one side has stands beside a dash.
fn rows(own: Vec<(String, String)>, mut other: Vec<(String, String)>) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for (figure, value) in own {
        let beside = other.iter().position(|(name, _)| *name == figure).map(|at| other.remove(at).1);
        rows.push(Row { figure, own: value, other: beside.unwrap_or_else(|| NOTHING.to_owned()) });
    }
    rows.extend(other.into_iter().map(|(figure, value)| Row { figure, own: NOTHING.to_owned(), other: value }));
    rows
}

fn figures_of(statement: &Statement<'_>, month: &ServiceMonth<'_>) -> Vec<(String, String)> {
    let policy = &statement.agreement.policy;
    let reckoning = &month.reckoning;
    let nominal = reckoning.availability.nominal;
    let met = match (reckoning.evidence_is_incomplete(policy), reckoning.met(policy)) {
        (true, _) => "cannot be said: incomplete evidence",
        (false, true) => "met",
        (false, false) => "missed",
    };
    let of = |verdict| reckoning.stretches.iter().filter(move |(stretch, _)| stretch.verdict == verdict).count();
    let part = |set: &rules::interval::IntervalSet| said(set.length());
    let mut figures = vec![
        ("Availability".to_owned(), format!("{nominal} %")),
        ("Objective".to_owned(), format!("{} %", policy.availability.objective)),
        ("Result".to_owned(), met.to_owned()),
        ("Best reading".to_owned(), format!("{} %", reckoning.availability.best)),
        ("Worst reading".to_owned(), format!("{} %", reckoning.availability.worst)),
        ("Before exclusions".to_owned(), format!("{} %", reckoning.before_exclusions.nominal)),
        ("Downtime".to_owned(), said(Duration::from_millis(nominal.downtime_ms))),
        ("Outages".to_owned(), of(Verdict::Outage).to_string()),
        ("Near misses".to_owned(), of(Verdict::NearMiss).to_string()),
        ("Short downtime".to_owned(), part(&reckoning.partition.short)),
        ("Excluded".to_owned(), part(&reckoning.partition.excluded)),
        ("Undetermined".to_owned(), part(&reckoning.partition.undetermined)),
    ];
    figures.extend(month.latency.iter().filter_map(latency));
    let rate = &month.error_rate;
    if let Some(limit) = rate.limit {
        let measured =
            cut_percent(rate.downs, rate.total).map_or_else(|| "not measured".to_owned(), |of| format!("{of} %"));
        figures.push(("Error rate".to_owned(), format!("{measured}, at most {limit} %: {}", kept(rate.met()))));
    }
    figures.extend(recovery(&reckoning.recovery, reckoning.recovery_met));
    let credit = &reckoning.credit;
    figures.push(("Credit".to_owned(), format!("{} %", credit.percent)));
    if let Some(currency) = credit.currency {
        figures.push(("Credit amount".to_owned(), figures::money(credit.amount, currency, Language::English)));
    }
    figures
}

fn latency(check: &CheckMonth<'_>) -> Option<(String, String)> {
    let objective = check.row.objective.as_ref()?;
    let mean = check.row.population.mean_us().map_or_else(|| "not measured".to_owned(), figures::latency);
    let limit = figures::latency(u64::try_from(objective.limit.as_micros()).unwrap_or(u64::MAX));
    let results = grouped(check.row.population.count());
    let value = format!("{mean} over {results} results, at most {limit}: {}", kept(objective.met));
    Some((format!("Mean of {} ({})", check.row.check, objective.id), value))
}

fn recovery(recovery: &Recovery, met: Option<bool>) -> Option<(String, String)> {
    let met = met?;
    let length = |ms: Option<u64>| ms.map_or_else(|| "none".to_owned(), |ms| said(Duration::from_millis(ms)));
    let (mean, longest) = (length(recovery.mttr_ms()), length(recovery.mttsr_ms()));
    Some(("Recovery".to_owned(), format!("mean {mean}, longest {longest}: {}", kept(Some(met)))))
}

fn kept(met: Option<bool>) -> &'static str {
    match met {
        Some(true) => "kept",
        Some(false) => "missed",
        None => "not measured",
    }
}

/// The comparison is in English, as the configuration of policies is.
fn said(length: Duration) -> String {
    figures::length(length, Language::English)
}

/// The comparison for a terminal; figures that differ are marked.
pub(crate) fn text(comparison: &Comparison) -> String {
    let [own, other] = comparison.policies.each_ref().map(|name| printable(name));
    let mut out = String::new();
    for service in &comparison.services {
        let heads = ["", own.as_str(), other.as_str()];
        let cells = service.rows.iter().map(|row| [row.figure.as_str(), row.own.as_str(), row.other.as_str()]);
        let all: Vec<[&str; 3]> = std::iter::once(heads).chain(cells).collect();
        let width = |column: usize| all.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
        let (first, second) = (width(0), width(1));
        let _ = writeln!(out, "{}", printable(&service.name));
        for (index, [figure, own, other]) in all.into_iter().enumerate() {
            let mark = if index > 0 && own != other { '*' } else { ' ' };
            let _ = writeln!(out, "{mark} {figure:first$}  {own:second$}  {other}");
        }
        out.push('\n');
    }
    out.push_str("* differs\n");
    out
}

/// Both statements whole, and the figures that differ.
pub(crate) fn json(comparison: &Comparison, own: &Statement<'_>, other: &Statement<'_>) -> String {
    let whole = |statement: &Statement<'_>| -> Value {
        serde_json::from_str(&json::statement(statement)).expect("a statement is JSON")
    };
    let differences: Vec<Value> = comparison
        .services
        .iter()
        .flat_map(|service| {
            let differing = service.rows.iter().filter(|row| row.differs());
            differing
                .map(|row| json!({ "service": service.name, "figure": row.figure, "own": row.own, "other": row.other }))
        })
        .collect();
    let told = json!({ "own": whole(own), "other": whole(other), "differences": differences });
    let mut text = serde_json::to_string_pretty(&told).expect("texts and numbers are always JSON");
    text.push('\n');
    text
}
