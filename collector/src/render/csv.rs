//! A statement as CSV: one figure a line, so that a spreadsheet can filter and sum.
//!
//! Keys and units are those of the JSON form, whatever the language. No number is negative: what can
//! be, has a key for either side. A cell that a spreadsheet could take for a formula gets an
//! apostrophe in front.

mod people;
mod service;

use super::outside;
use crate::closing::amendment::Amendment;
use crate::closing::{Awaiting, State, Statement};
use crate::digest::hex;
use rules::interval::Interval;
use rules::time::Timestamp;
use std::fmt::Write as _;
use std::time::Duration;

const HEAD: [&str; 9] = ["agreement", "period", "service", "record", "name", "from", "until", "value", "unit"];
/// What begins a formula, also in its full-width form.
const FORMULA: [char; 8] = ['=', '+', '-', '@', '＝', '＋', '－', '＠'];
/// What may part cells in a spreadsheet of another country.
const SEPARATORS: [char; 6] = [',', ';', '\t', '"', '\n', '\r'];

/// Renders the whole statement.
pub fn statement(statement: &Statement<'_>) -> String {
    let mut sheet = Sheet {
        out: String::new(),
        agreement: statement.agreement.id.to_string(),
        period: statement.month.to_string(),
        service: String::new(),
    };
    line(&mut sheet.out, &HEAD);
    head(&mut sheet, statement);
    if let Some(amends) = &statement.amends {
        amendment(&mut sheet, statement, amends);
    }
    for month in &statement.services {
        sheet.service = month.service.id.to_string();
        service::figures(&mut sheet, &statement.agreement.policy, month);
    }
    sheet.service.clear();
    if let Some(total) = statement.owed().filter(|total| total.is_capped()) {
        let currency = statement.agreement.fees.as_ref().map(|fees| format!("{} minor units", fees.currency.code()));
        let currency = currency.unwrap_or_default();
        sheet.figure("credit", "of_services", total.of_services.0, &currency);
        sheet.figure("credit", "amount", total.amount.0, &currency);
    }
    people::figures(&mut sheet, statement);
    sheet.out
}

struct Sheet {
    out: String,
    agreement: String,
    period: String,
    service: String,
}

impl Sheet {
    /// A figure of the whole period.
    fn figure(&mut self, record: &str, name: &str, value: impl ToString, unit: &str) {
        self.row(record, name, ["", ""], &value.to_string(), unit);
    }

    /// A figure of a stretch of time.
    fn within(&mut self, record: &str, name: &str, of: Interval, value: impl ToString, unit: &str) {
        let [from, until] = [of.from(), of.until()].map(|at| at.to_string());
        self.row(record, name, [&from, &until], &value.to_string(), unit);
    }

    /// A figure of an instant.
    fn at(&mut self, record: &str, name: &str, at: Timestamp, value: impl ToString, unit: &str) {
        self.row(record, name, [&at.to_string(), ""], &value.to_string(), unit);
    }

    fn row(&mut self, record: &str, name: &str, [from, until]: [&str; 2], value: &str, unit: &str) {
        let cells = [&self.agreement, &self.period, &self.service, record, name, from, until, value, unit];
        line(&mut self.out, &cells);
    }
}

fn head(sheet: &mut Sheet, statement: &Statement<'_>) {
    let agreement = statement.agreement;
    let mut fact = |name: &str, value: &str| sheet.within("statement", name, statement.calendar, value, "");
    fact("customer", &agreement.customer);
    fact("zone", agreement.zone.name());
    fact("policy", agreement.policy.id.as_str());
    fact("version", &statement.version.to_string());
    if let Some(as_of) = statement.as_of {
        fact("as_of", &as_of.to_string());
    }
    if let Some(issue) = &statement.issue {
        fact("issued_at", &issue.issued_at.to_string());
    }
    if let Some(document) = &statement.document {
        fact("sha256", &hex(&document.sha256));
        fact("key", &document.key);
    }
    match &statement.state {
        State::Provisional(awaiting) => {
            fact("state", "provisional");
            if let Awaiting::Evidence(agents) = awaiting {
                agents.iter().for_each(|agent| fact("awaiting", agent.as_str()));
            }
        }
        State::Final { missing } => {
            fact("state", "final");
            missing.iter().for_each(|agent| fact("missing", agent.as_str()));
        }
    }
    statement.without_time.iter().for_each(|service| fact("service_without_time", service.as_str()));
}

fn amendment(sheet: &mut Sheet, statement: &Statement<'_>, amends: &Amendment) {
    sheet.figure("amendment", "predecessor_version", amends.predecessor, "");
    sheet.figure("amendment", "predecessor_sha256", hex(&amends.sha256), "");
    let currency = statement.agreement.fees.as_ref().map(|fees| format!("{} minor units", fees.currency.code()));
    let size = amends.credit_difference.unsigned_abs();
    let (more, less) = if amends.credit_difference < 0 { (0, size) } else { (size, 0) };
    let currency = currency.unwrap_or_default();
    sheet.figure("amendment", "credit_more", more, &currency);
    sheet.figure("amendment", "credit_less", less, &currency);
    for change in &amends.changes {
        sheet.figure("change_before", &change.place, change.before.as_deref().unwrap_or_default(), "");
        sheet.figure("change_after", &change.place, change.after.as_deref().unwrap_or_default(), "");
    }
}

/// Whole milliseconds.
fn ms(length: Duration) -> u64 {
    super::figures::millis(length)
}

/// Writes one line as RFC 4180 has it.
fn line(out: &mut String, cells: &[&str]) {
    for (index, cell) in cells.iter().enumerate() {
        let comma = if index == 0 { "" } else { "," };
        let cell = harmless(cell);
        if cell.contains(SEPARATORS) {
            let _ = write!(out, "{comma}\"{}\"", cell.replace('"', "\"\""));
        } else {
            let _ = write!(out, "{comma}{cell}");
        }
    }
    out.push_str("\r\n");
}

/// A cell that no spreadsheet takes for a formula, and no terminal for a command.
fn harmless(cell: &str) -> String {
    let printable = outside::cell(cell);
    if printable.trim_start().starts_with(FORMULA) { format!("'{printable}") } else { printable }
}
