//! Which messages a booking of the record carries: one for each channel that hears of it.

use super::body::{Body, Report, notification};
use super::reports::word;
use crate::ledger::books::{Message, Turn};
use crate::record::{Before, Draft};
use config::collector::CollectorConfig;
use config::collector::notify::{Channel, Told, Way};
use config::collector::reports::Schedule;
use rules::agreement::Agreement;
use rules::record::{Entry, Fact};

/// `draft` with a message for everybody who is to be told of its facts. `before` is what the draft was
/// decided from, and `by` whose name it will bear.
pub(crate) fn telling(
    mut draft: Draft,
    before: Before<'_>,
    by: &str,
    config: &CollectorConfig,
    agreement: &Agreement,
) -> Draft {
    if config.channels.is_empty() {
        return draft;
    }
    let mut record = before.entries.to_vec();
    for (number, fact) in (before.next..).zip(&draft.facts) {
        let entry = Entry { number, recorded_at: before.at, recorded_by: by.to_owned(), fact: fact.clone() };
        record.push(entry);
        draft.messages.extend(events(config, agreement, &record));
        draft.messages.extend(issued(config, agreement, &record));
    }
    draft
}

/// What is told of the last entry of `record`.
fn events(config: &CollectorConfig, agreement: &Agreement, record: &[Entry]) -> Vec<Message> {
    let Some((told, notification)) = notification(agreement, record) else { return Vec::new() };
    let (entry, due_at) = (notification.entry, notification.at.0);
    let turn = notification.incident.as_ref().map(|incident| Turn { incident: incident.number, entry });
    let body = Body::Event(Box::new(notification)).to_json();
    let hears = |channel: &&Channel| channel.hears(&agreement.id, told) && can_say(&channel.way, told, record);
    let message = |channel: &Channel| Message {
        key: format!("{}:{}:{entry}:{}", told.as_str(), agreement.id, channel.channel),
        agreement: agreement.id.clone(),
        channel: channel.channel.clone(),
        body: body.clone(),
        due_at,
        turn,
    };
    config.channels.iter().filter(hears).map(message).collect()
}

/// The monthly reports that go out because a statement was issued.
fn issued(config: &CollectorConfig, agreement: &Agreement, record: &[Entry]) -> Vec<Message> {
    let Some(Entry { recorded_at, fact: Fact::Issue { month, version, .. }, .. }) = record.last() else {
        return Vec::new();
    };
    let monthly = config.reports.iter().filter(|report| {
        report.schedule == Schedule::Monthly
            && report.agreements.as_ref().is_none_or(|agreements| agreements.contains(&agreement.id))
    });
    let message = |report: &config::collector::reports::Report| {
        let format = word(report.format);
        let body = Report::new(&report.report, agreement, month.to_string(), format, *recorded_at);
        let body = Body::Report(Report { issued: Some(*version), ..body });
        Message {
            key: format!("report:{}:{month}:{version}:{}", agreement.id, report.report),
            agreement: agreement.id.clone(),
            channel: report.channel.clone(),
            body: body.to_json(),
            due_at: *recorded_at,
            turn: None,
        }
    };
    monthly.map(message).collect()
}

/// Whether such a channel has words for it. Alertmanager knows alerts that are on or off, and with
/// which labels; PagerDuty also knows that somebody took one. Other ways tell everything.
fn can_say(way: &Way, told: Told, record: &[Entry]) -> bool {
    let relabels = record
        .last()
        .is_some_and(|entry| matches!(&entry.fact, Fact::Incident { event: rules::incident::Event::Severity(_), .. }));
    match way {
        Way::Webhook { .. } | Way::Email { .. } => true,
        Way::Alertmanager { .. } => {
            matches!(told, Told::IncidentOpened | Told::IncidentResolved) || (told == Told::IncidentUpdated && relabels)
        }
        Way::PagerDuty { .. } => {
            matches!(told, Told::IncidentOpened | Told::IncidentAcknowledged | Told::IncidentResolved)
        }
    }
}
