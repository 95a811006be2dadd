//! What people did and owed in the period, as JSON: the customer's standing, incidents and their
//! clocks, the retainer's account.

use super::text::bounded;
use crate::closing::IncidentMonth;
use rules::incident::{Event, Handling, Opened, Reading, Stamped};
use rules::policy::Policy;
use rules::retainer::{Account, Line, Work};
use rules::standing::{Standing, Stretch};
use serde::Serialize;

#[derive(Serialize)]
pub(super) struct StandingView {
    standing: &'static str,
    from: String,
    until: String,
}

pub(super) fn standing_view(stretch: &Stretch) -> StandingView {
    StandingView {
        standing: standing_word(stretch.standing),
        from: stretch.interval.from().to_string(),
        until: stretch.interval.until().to_string(),
    }
}

/// A standing as configuration writes it.
pub(super) fn standing_word(standing: Standing) -> &'static str {
    match standing {
        Standing::Trial => "trial",
        Standing::Paid => "paid",
        Standing::Overdue => "overdue",
        Standing::Terminated => "terminated",
    }
}

/// How fast people were with the period's incidents; means are cut to whole milliseconds.
#[derive(Serialize)]
pub(super) struct HandlingView {
    incidents: u32,
    acknowledged: u32,
    resolved: u32,
    mtta_ms: Option<u64>,
    mttr_ms: Option<u64>,
    mttsr_ms: Option<u64>,
}

impl HandlingView {
    pub(super) fn of(handling: &Handling) -> HandlingView {
        HandlingView {
            incidents: handling.incidents,
            acknowledged: handling.acknowledged,
            resolved: handling.resolved,
            mtta_ms: handling.mtta_ms(),
            mttr_ms: handling.mttr_ms(),
            mttsr_ms: handling.mttsr_ms(),
        }
    }
}

#[derive(Serialize)]
pub(super) struct IncidentView {
    incident: u64,
    services: Vec<String>,
    severity: String,
    began_at: String,
    clocks_start_at: String,
    opened: &'static str,
    title: String,
    clocks: Vec<ReadingView>,
    events: Vec<EventView>,
}

#[derive(Serialize)]
struct ReadingView {
    clock: &'static str,
    due_at: String,
    done_at: Option<String>,
    verdict: &'static str,
}

#[derive(Serialize)]
struct EventView {
    entry: u64,
    at: String,
    by: String,
    event: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
}

pub(super) fn incident_view(month: &IncidentMonth, policy: &Policy) -> IncidentView {
    let incident = &month.incident;
    let opening = &incident.opening;
    IncidentView {
        incident: incident.number,
        services: opening.services.iter().map(ToString::to_string).collect(),
        severity: bounded(&incident.severity),
        began_at: opening.began_at.to_string(),
        clocks_start_at: incident.starts_at(policy).to_string(),
        opened: match opening.cause {
            Opened::ByOutage => "by_outage",
            Opened::ByHand => "by_hand",
        },
        title: bounded(&opening.title),
        clocks: month.clocks.iter().map(reading_view).collect(),
        events: incident.events.iter().map(event_view).collect(),
    }
}

fn reading_view(reading: &Reading) -> ReadingView {
    ReadingView {
        clock: reading.clock.as_str(),
        due_at: reading.due_at.to_string(),
        done_at: reading.done_at.map(|at| at.to_string()),
        verdict: reading.verdict.as_str(),
    }
}

fn event_view(stamped: &Stamped) -> EventView {
    let (event, text) = match &stamped.event {
        Event::Opened(opening) => ("opened", Some(bounded(&opening.title))),
        Event::Acknowledged => ("acknowledged", None),
        Event::Started => ("started", None),
        Event::Notice(text) => ("notice", Some(bounded(text))),
        Event::Update(text) => ("update", Some(bounded(text))),
        Event::Progress(text) => ("progress", Some(bounded(text))),
        Event::OutageEnded { ended_at } => ("outage_ended", Some(ended_at.to_string())),
        Event::Resolved(text) => ("resolved", Some(bounded(text))),
        Event::Report(text) => ("report", Some(bounded(text))),
        Event::Severity(severity) => ("severity", Some(bounded(severity))),
        Event::Remark(text) => ("remark", Some(bounded(text))),
        Event::Missed { clock, .. } => ("missed", Some(clock.as_str().to_owned())),
    };
    EventView { entry: stamped.entry, at: stamped.at.to_string(), by: bounded(&stamped.by), event, text }
}

/// All amounts are hundredths of a man-month: 50 is 0.5 M/M.
#[derive(Serialize)]
pub(super) struct RetainerView {
    year: String,
    available: u64,
    carried: u64,
    used_before: u64,
    used: u64,
    left: u64,
    over: u64,
    lines: Vec<LineView>,
}

#[derive(Serialize)]
struct LineView {
    entry: u64,
    work: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    incident: Option<u64>,
    at: String,
    worked: u64,
    used: u64,
    note: String,
}

pub(super) fn retainer_view(account: &Account) -> RetainerView {
    RetainerView {
        year: account.year.to_string(),
        available: account.available.0,
        carried: account.carried.0,
        used_before: account.used_before.0,
        used: account.used.0,
        left: account.left.0,
        over: account.over.0,
        lines: account.lines.iter().map(line_view).collect(),
    }
}

fn line_view(line: &Line) -> LineView {
    let (work, incident) = match line.effort.work {
        Work::Incident(number) => ("incident", Some(number)),
        Work::Diagnosis => ("diagnosis", None),
    };
    LineView {
        entry: line.entry,
        work,
        incident,
        at: line.effort.at.to_string(),
        worked: line.effort.worked.0,
        used: line.used.0,
        note: bounded(&line.effort.note),
    }
}
