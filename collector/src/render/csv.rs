//! A statement as CSV: one figure a line, so that a spreadsheet can filter and sum.
//!
//! Keys and units are those of the JSON form, whatever the language. A cell from outside that a
//! spreadsheet could take for a formula gets an apostrophe in front.

use super::figures::{cut_percent, millis};
use crate::closing::{ServiceMonth, State, Statement};
use rules::outage::Verdict;
use rules::policy::Policy;
use std::fmt::Write as _;

const HEAD: [&str; 9] = ["agreement", "period", "service", "record", "name", "from", "until", "value", "unit"];

/// Renders the whole statement.
pub fn statement(statement: &Statement<'_>) -> String {
    let agreement = statement.agreement;
    let mut sheet = Sheet {
        out: String::new(),
        agreement: agreement.id.to_string(),
        period: statement.month.to_string(),
        service: String::new(),
    };
    line(&mut sheet.out, &HEAD);
    let (from, until) = (statement.calendar.from().to_string(), statement.calendar.until().to_string());
    sheet.row("statement", "customer", [&from, &until], &agreement.customer, "");
    sheet.row("statement", "zone", [&from, &until], agreement.zone.name(), "");
    sheet.row("statement", "policy", [&from, &until], agreement.policy.id.as_str(), "");
    let state = match statement.state {
        State::Provisional(_) => "provisional",
        State::Final { .. } => "final",
    };
    sheet.row("statement", "state", [&from, &until], state, "");
    for month in &statement.services {
        sheet.service = month.service.id.to_string();
        service(&mut sheet, &agreement.policy, month);
    }
    sheet.out
}

struct Sheet {
    out: String,
    agreement: String,
    period: String,
    service: String,
}

impl Sheet {
    fn row(&mut self, record: &str, name: &str, [from, until]: [&str; 2], value: &str, unit: &str) {
        let cells = [&self.agreement, &self.period, &self.service, record, name, from, until, value, unit];
        line(&mut self.out, &cells);
    }

    fn figure(&mut self, record: &str, name: &str, value: impl ToString, unit: &str) {
        self.row(record, name, ["", ""], &value.to_string(), unit);
    }
}

fn service(sheet: &mut Sheet, policy: &Policy, month: &ServiceMonth<'_>) {
    let reckoning = &month.reckoning;
    let partition = &reckoning.partition;
    let parts = [
        ("up", &partition.up),
        ("counted", &partition.counted),
        ("short", &partition.short),
        ("excluded", &partition.excluded),
        ("undetermined", &partition.undetermined),
    ];
    for (name, set) in parts {
        sheet.figure("partition", name, millis(set.length()), "ms");
    }
    let availability = reckoning.availability;
    sheet.figure("availability", "downtime", availability.nominal.downtime_ms, "ms");
    sheet.figure("availability", "total", availability.nominal.total_ms, "ms");
    sheet.figure("availability", "percent", availability.nominal, "percent");
    sheet.figure("availability", "best_percent", availability.best, "percent");
    sheet.figure("availability", "worst_percent", availability.worst, "percent");
    sheet.figure("availability", "before_exclusions_percent", reckoning.before_exclusions.nominal, "percent");
    sheet.figure("availability", "objective_percent", policy.availability.objective, "percent");
    sheet.figure("availability", "met", reckoning.met(policy), "");
    sheet.figure("availability", "incomplete_evidence", reckoning.evidence_is_incomplete(policy), "");
    stretches(sheet, month);
    for judged in &reckoning.exclusions {
        let of = judged.exclusion;
        let between = [of.interval.from().to_string(), of.interval.until().to_string()];
        let between = [between[0].as_str(), between[1].as_str()];
        sheet.row("exclusion", of.class.as_str(), between, &millis(judged.effective.length()).to_string(), "ms");
        if !of.reason.is_empty() {
            sheet.row("exclusion_reason", of.class.as_str(), between, &of.reason, "");
        }
        if let Some(refusal) = judged.refusal {
            sheet.row("exclusion_refused", of.class.as_str(), between, &refusal.to_string(), "");
        }
    }
    measures(sheet, month);
}

fn stretches(sheet: &mut Sheet, month: &ServiceMonth<'_>) {
    for (stretch, counted) in &month.reckoning.stretches {
        let record = match stretch.verdict {
            Verdict::Outage => "outage",
            Verdict::NearMiss => "near_miss",
            Verdict::Short => "short_downtime",
        };
        let between = [stretch.interval.from().to_string(), stretch.interval.until().to_string()];
        let between = [between[0].as_str(), between[1].as_str()];
        sheet.row(record, "length", between, &millis(stretch.interval.length()).to_string(), "ms");
        sheet.row(record, "counted", between, &millis(*counted).to_string(), "ms");
        sheet.row(record, "shortest", between, &millis(stretch.shortest()).to_string(), "ms");
        if let Some(longest) = stretch.longest() {
            sheet.row(record, "longest", between, &millis(longest).to_string(), "ms");
        }
    }
}

fn measures(sheet: &mut Sheet, month: &ServiceMonth<'_>) {
    for check in &month.latency {
        let name = check.row.check.as_str();
        sheet.figure("latency_count", name, check.row.population.count(), "results");
        if let Some(mean) = check.row.population.mean_us() {
            sheet.figure("latency_mean", name, mean, "us");
        }
        if let Some(objective) = &check.row.objective {
            sheet.figure("latency_limit", name, objective.limit.as_micros(), "us");
            sheet.figure(
                "latency_met",
                name,
                objective.met.map_or("not measured".to_owned(), |met| met.to_string()),
                "",
            );
        }
    }
    if let Some(rate) = cut_percent(month.error_rate.downs, month.error_rate.total) {
        sheet.figure("error_rate", "percent", rate, "percent");
    }
    let recovery = &month.reckoning.recovery;
    for (name, figure) in [("mttr", recovery.mttr_ms()), ("mttsr", recovery.mttsr_ms())] {
        if let Some(ms) = figure {
            sheet.figure("recovery", name, ms, "ms");
        }
    }
    let credit = &month.reckoning.credit;
    sheet.figure("credit", "percent", credit.percent, "percent");
    let currency = credit.currency.map(|currency| format!("{} minor units", currency.code())).unwrap_or_default();
    if let Some(basis) = credit.basis() {
        sheet.figure("credit", "basis", basis.0, &currency);
    }
    sheet.figure("credit", "amount", credit.amount.0, &currency);
}

/// Writes one line as RFC 4180 has it.
fn line(out: &mut String, cells: &[&str]) {
    for (index, cell) in cells.iter().enumerate() {
        let comma = if index == 0 { "" } else { "," };
        let cell = harmless(cell);
        if cell.contains([',', '"', '\n', '\r']) {
            let _ = write!(out, "{comma}\"{}\"", cell.replace('"', "\"\""));
        } else {
            let _ = write!(out, "{comma}{cell}");
        }
    }
    out.push_str("\r\n");
}

/// A cell that no spreadsheet takes for a formula, and no terminal for a command.
fn harmless(cell: &str) -> String {
    let printable = super::outside::cell(cell);
    if printable.starts_with(['=', '+', '-', '@']) { format!("'{printable}") } else { printable }
}
