//! Incidents as lines for a terminal.

use crate::render::outside::printable;
use rules::agreement::Agreement;
use rules::incident::{Event, Incident, readings};
use rules::record::{Entry, Fact};
use rules::time::Timestamp;

/// One line each, the newest last.
pub(super) fn list<'a>(incidents: impl Iterator<Item = &'a Incident>, agreement: &Agreement) -> String {
    let mut lines = String::new();
    for incident in incidents {
        let opening = &incident.opening;
        let services: Vec<String> = opening.services.iter().map(ToString::to_string).collect();
        let ended = match incident.outage_ended_at() {
            Some(at) => format!("  outage ended {at}"),
            None => String::new(),
        };
        let (number, severity, stage) = (incident.number, &incident.severity, incident.stage().as_str());
        let line = format!(
            "{number:>5}  {severity:<8}  {stage:<12}  {:<24}  {}  {}  {}{ended}",
            opening.began_at.to_string(),
            agreement.id,
            services.join(","),
            opening.title
        );
        lines.push_str(&printable(&line));
        lines.push('\n');
    }
    lines
}

/// One incident, its clocks and its file.
pub(super) fn one(incident: &Incident, agreement: &Agreement, now: Timestamp) -> String {
    let mut lines = list(std::iter::once(incident), agreement);
    lines.push_str("clocks\n");
    for reading in readings(incident, &agreement.policy, now) {
        let verdict = reading.verdict.as_str();
        let done = reading.done_at.map_or_else(|| "-".to_owned(), |at| at.to_string());
        let (clock, due) = (reading.clock.as_str(), reading.due_at);
        lines.push_str(&format!("  {clock:<14}  due {:<24}  done {done:<24}  {verdict}\n", due.to_string()));
    }
    lines.push_str("file\n");
    for stamped in &incident.events {
        let (entry, at, by) = (stamped.entry, stamped.at.to_string(), &stamped.by);
        let line = format!("  {entry:>5}  {at:<24}  {by}  {}", words(&stamped.event));
        lines.push_str(&printable(&line));
        lines.push('\n');
    }
    lines
}

/// What was recorded just now.
pub(super) fn entry(entry: &Entry) -> String {
    let about = match &entry.fact {
        Fact::Incident { incident, event } => format!("incident {incident}: {}", words(event)),
        Fact::Exclusion { .. }
        | Fact::Withdrawal { .. }
        | Fact::Approval { .. }
        | Fact::Refusal { .. }
        | Fact::Effort(_)
        | Fact::Standing(_)
        | Fact::Issue { .. }
        | Fact::Disposal(_) => "recorded".to_owned(),
    };
    format!("{}\n", printable(&format!("entry {} at {}: {about}", entry.number, entry.recorded_at)))
}

fn words(event: &Event) -> String {
    let word = event.word();
    match event {
        Event::Opened(opening) => format!("{word} {}: {}", opening.severity, opening.title),
        Event::OutageEnded { ended_at } => format!("{word} at {ended_at}"),
        Event::Severity(severity) => format!("{word} {severity}"),
        Event::Missed { clock, due_at } => format!("{word} {}, due {due_at}", clock.as_str()),
        Event::Notice(text)
        | Event::Update(text)
        | Event::Progress(text)
        | Event::Resolved(text)
        | Event::Report(text)
        | Event::Remark(text) => format!("{word}: {text}"),
        Event::Acknowledged | Event::Started => word.to_owned(),
    }
}
