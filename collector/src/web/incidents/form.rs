//! The forms of an incident: the one that opens it, and one for each thing that can happen to it.

use super::super::agreements::agreement_path;
use super::super::form::{Choice, Field, Form, Kind};
use super::super::moments;
use super::super::people::Fields;
use super::incident_path;
use rules::agreement::Agreement;
use rules::id::ServiceId;
use rules::incident::{Event, Incident, Opened, Opening, Stage, UNRATED};
use rules::time::Timestamp;
use std::collections::BTreeSet;

/// What a person can record about an incident: the event's word, the form's heading, its button, and
/// what to write; nothing to write if that is empty.
const EVENTS: [(&str, &str, &str, &str); 9] = [
    ("acknowledged", "Acknowledge", "Acknowledge", ""),
    ("started", "Start", "Work began", ""),
    ("notice", "First notice", "Record notice", "What the customer was told first."),
    ("update", "Update", "Record update", "What the customer was told since."),
    ("progress", "Progress report", "Record report", "What the customer was told about cause and progress."),
    ("resolved", "Resolve", "Resolve", "How it was resolved."),
    ("report", "Report afterwards", "Record report", "The report that the customer had, or where it lies."),
    ("severity", "Severity", "Change severity", ""),
    ("remark", "Remark", "Record remark", "For the file; no clock hears it."),
];

/// The severities that the agreement's policy knows.
fn severities(agreement: &Agreement) -> Vec<Choice> {
    let known: Vec<&str> = agreement.policy.response.iter().map(|rule| rule.severity.as_str()).collect();
    let known = if known.is_empty() { vec![UNRATED] } else { known };
    known.into_iter().map(Choice::named).collect()
}

/// The form of each thing that can happen to `incident` as it is.
pub(super) fn forms(agreement: &Agreement, incident: &Incident) -> Vec<Form> {
    let stage = incident.stage();
    let has = |word: &str| incident.events.iter().any(|stamped| stamped.event.word() == word);
    let is_offered = |word: &str| match word {
        "acknowledged" => stage == Stage::Open && !has("acknowledged"),
        "started" | "notice" => stage != Stage::Resolved && !has(word),
        "update" => stage != Stage::Resolved && has("notice"),
        "severity" => stage != Stage::Resolved && 1 < agreement.policy.response.len(),
        "progress" | "resolved" => stage != Stage::Resolved,
        "report" => stage == Stage::Resolved,
        _ => true,
    };
    let offered = EVENTS.iter().filter(|(word, ..)| is_offered(word));
    offered.map(|(word, ..)| of(word, agreement, incident)).collect()
}

fn of(word: &str, agreement: &Agreement, incident: &Incident) -> Form {
    let (word, title, submit, hint) = EVENTS.into_iter().find(|(known, ..)| *known == word).unwrap_or(EVENTS[8]);
    let fields = match (word, hint) {
        ("severity", _) => vec![
            Field::new(
                "severity",
                "Severity",
                "Its clocks go by it from the beginning.",
                Kind::One(severities(agreement)),
            )
            .with(incident.severity.clone()),
        ],
        (_, "") => Vec::new(),
        (_, hint) => vec![Field::new("text", "Text", hint, Kind::Text)],
    };
    let mut form = Form::new(title, incident_path(agreement, incident.number), submit, fields);
    form.hidden.push(("event", word.to_owned()));
    form
}

/// The form that was sent, as it was filled in, with why it was refused.
pub(super) fn filled(agreement: &Agreement, incident: &Incident, fields: &Fields, why: String) -> Form {
    of(fields.one("event"), agreement, incident).filled(fields).refused(why)
}

/// The event that a form describes.
pub(super) fn event(fields: &Fields) -> Option<Event> {
    let text = fields.one("text").to_owned();
    Some(match fields.one("event") {
        "acknowledged" => Event::Acknowledged,
        "started" => Event::Started,
        "notice" => Event::Notice(text),
        "update" => Event::Update(text),
        "progress" => Event::Progress(text),
        "resolved" => Event::Resolved(text),
        "report" => Event::Report(text),
        "severity" => Event::Severity(fields.one("severity").to_owned()),
        "remark" => Event::Remark(text),
        _ => return None,
    })
}

/// The form that opens an incident.
pub(super) fn opening(agreement: &Agreement, now: Timestamp) -> Form {
    let shown = moments::minute(now, &agreement.zone);
    let services = agreement.services.iter().map(|service| Choice::named(service.id.as_str())).collect();
    let fields = vec![
        Field::new("title", "Title", "In a few words; it is the subject of what is sent.", Kind::Line),
        Field::new("severity", "Severity", "", Kind::One(severities(agreement))),
        Field::new("began_at", "Began at", format!("In {}, now {shown}.", agreement.zone.name()), Kind::Line)
            .with(shown),
        Field::new("services", "Services", "Those concerned.", Kind::Any(services)),
    ];
    Form::new("Open an incident", format!("{}/incidents", agreement_path(agreement)), "Open", fields)
}

/// The opening that a form describes; otherwise its fields say what is wrong.
pub(super) fn read_opening(form: &mut Form, agreement: &Agreement) -> Option<Opening> {
    let title = form.read("title", |text| match text {
        "" => Err("it is empty; say in a few words what is wrong".to_owned()),
        text => Ok(text.to_owned()),
    });
    let severity = form.read("severity", |text| Ok(text.to_owned()));
    let began_at = form.read("began_at", |text| moments::read(text, &agreement.zone));
    let known = |name: &str| agreement.services.iter().map(|service| &service.id).find(|id| id.as_str() == name);
    let services: BTreeSet<ServiceId> = form.chosen("services").into_iter().filter_map(known).cloned().collect();
    let services = form.read("services", |_| match services.is_empty() {
        true => Err("none is chosen; choose at least one".to_owned()),
        false => Ok(services),
    });
    Some(Opening {
        services: services?,
        severity: severity?,
        began_at: began_at?,
        cause: Opened::ByHand,
        title: title?,
    })
}
