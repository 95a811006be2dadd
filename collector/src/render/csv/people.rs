//! What people promised and did: response, incidents, the retainer, the customer's standing.

use super::service::objective;
use super::{Sheet, ms};
use crate::closing::{IncidentMonth, Statement};
use rules::incident::{Event, Handling, Stamped};
use rules::policy::Policy;
use rules::retainer::{Account, ManMonths, Work};

pub(super) fn figures(sheet: &mut Sheet, statement: &Statement<'_>) {
    statement.response.iter().for_each(|row| objective(sheet, row));
    handling(sheet, &statement.handling);
    statement.incidents.iter().for_each(|of| incident(sheet, of, &statement.agreement.policy));
    if let Some(account) = &statement.retainer {
        retainer(sheet, account);
    }
    for stretch in &statement.standing {
        sheet.within("standing", stretch.standing.as_str(), stretch.interval, ms(stretch.interval.length()), "ms");
    }
}

/// How fast people were with the period's incidents; what nobody did has no line.
fn handling(sheet: &mut Sheet, of: &Handling) {
    if of.incidents == 0 {
        return;
    }
    let counts = [("incidents", of.incidents), ("acknowledged", of.acknowledged), ("resolved", of.resolved)];
    counts.into_iter().for_each(|(name, count)| sheet.figure("handling", name, count, "incidents"));
    for (name, figure) in [("mtta", of.mtta_ms()), ("mttr", of.mttr_ms()), ("mttsr", of.mttsr_ms())] {
        if let Some(ms) = figure {
            sheet.figure("handling", name, ms, "ms");
        }
    }
}

fn incident(sheet: &mut Sheet, of: &IncidentMonth, policy: &Policy) {
    let incident = &of.incident;
    let (number, began_at) = (incident.number.to_string(), incident.opening.began_at);
    sheet.at("incident_clocks_start", &number, began_at, incident.starts_at(policy), "instant");
    sheet.at("incident_severity", &number, began_at, &incident.severity, "");
    sheet.at("incident_title", &number, began_at, &incident.opening.title, "");
    for service in &incident.opening.services {
        sheet.at("incident_service", &number, began_at, service, "");
    }
    for reading in &of.clocks {
        let name = format!("{number}/{}", reading.clock.as_str());
        let verdict = reading.verdict.as_str();
        sheet.row("incident_clock", &name, [&began_at.to_string(), &reading.due_at.to_string()], verdict, "");
        if let Some(done_at) = reading.done_at {
            sheet.at("incident_clock_done", &name, began_at, done_at, "instant");
        }
    }
    incident.events.iter().for_each(|of| entry(sheet, &number, of));
}

fn entry(sheet: &mut Sheet, incident: &str, of: &Stamped) {
    let nothing = String::new();
    let (key, said) = match &of.event {
        Event::Opened(opening) => ("opened", &opening.title),
        Event::Acknowledged => ("acknowledged", &nothing),
        Event::Started => ("started", &nothing),
        Event::Notice(text) => ("notice", text),
        Event::Update(text) => ("update", text),
        Event::Progress(text) => ("progress", text),
        Event::OutageEnded { ended_at } => ("outage_ended", &ended_at.to_string()),
        Event::Resolved(text) => ("resolved", text),
        Event::Report(text) => ("report", text),
        Event::Severity(text) => ("severity", text),
        Event::Remark(text) => ("remark", text),
        Event::Missed { clock: of, .. } => ("missed", &of.as_str().to_owned()),
    };
    let name = format!("{incident}/{}/{key}", of.entry);
    sheet.at("incident_entry", &name, of.at, said, "");
    sheet.at("incident_entry_by", &name, of.at, &of.by, "");
}

fn retainer(sheet: &mut Sheet, account: &Account) {
    let figures = [
        ("available", account.available),
        ("carried", account.carried),
        ("used_before", account.used_before),
        ("used", account.used),
        ("left", account.left),
        ("over", account.over),
    ];
    for (name, of) in figures {
        sheet.figure("retainer", name, mm(of), "M/M");
    }
    for line in &account.lines {
        let name = match line.effort.work {
            Work::Incident(number) => format!("{}/incident/{number}", line.entry),
            Work::Diagnosis => format!("{}/diagnosis", line.entry),
        };
        sheet.at("retainer_worked", &name, line.effort.at, mm(line.effort.worked), "M/M");
        sheet.at("retainer_used", &name, line.effort.at, mm(line.used), "M/M");
        sheet.at("retainer_note", &name, line.effort.at, &line.effort.note, "");
    }
}

/// Man-months with both their digits: `0.50`.
fn mm(of: ManMonths) -> String {
    format!("{}.{:02}", of.0 / 100, of.0 % 100)
}
