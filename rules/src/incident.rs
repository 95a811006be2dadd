//! People's handling of an outage, and whether they kept the policy's clocks.
//!
//! An incident is what its events say, in the order in which they were recorded. Its clocks start
//! when its outage opened, which is when the stretch that began at `began_at` had become one under the
//! policy; those of an incident that a person opened start at its `began_at`.

mod allowed;
mod clocks;
mod figures;

pub use allowed::{NotNow, NotOpened, UNRATED, first_severity};
pub use clocks::readings;
pub use figures::{Handling, handling, rows};

use crate::id::ServiceId;
use crate::record::{Entry, Fact};
use crate::time::Timestamp;
use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;

/// What happens to an incident.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Event {
    /// It is opened: by an outage, or by a person.
    Opened(Opening),
    /// Somebody took it.
    Acknowledged,
    /// Work on it began.
    Started,
    /// The customer was told for the first time.
    Notice(String),
    /// The customer was told how it goes.
    Update(String),
    /// The customer had the progress report.
    Progress(String),
    /// The outage behind it is over; people may still be at work.
    OutageEnded {
        /// When the service was up again.
        ended_at: Timestamp,
    },
    /// It is resolved.
    Resolved(String),
    /// The customer had the report afterwards.
    Report(String),
    /// It is of another severity from now on, and was from the beginning as far as clocks go.
    Severity(String),
    /// A remark for the file; no clock hears it.
    Remark(String),
    /// A clock ran out; the collector notes it once.
    Missed {
        /// Which.
        clock: Clock,
        /// When it should have been done.
        due_at: Timestamp,
    },
}

/// How an incident begins.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Opening {
    /// The services concerned; at least one.
    pub services: BTreeSet<ServiceId>,
    /// One of the policy's severities.
    pub severity: String,
    /// When it began for the customer.
    pub began_at: Timestamp,
    /// Who or what opened it.
    pub cause: Opened,
    /// In somebody's words. Text from outside.
    pub title: String,
}

/// What opened an incident.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Opened {
    /// An outage, which began at the opening's `began_at`.
    ByOutage,
    /// A person.
    ByHand,
}

/// A promise of people's, by the policy's key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Clock {
    /// Until somebody acknowledges.
    Acknowledge,
    /// Until the customer is first told.
    FirstNotice,
    /// Between updates, from the first notice until it is resolved.
    Update,
    /// Until work begins.
    Start,
    /// Until the progress report.
    Progress,
    /// Until it is resolved.
    Resolve,
    /// Until the report afterwards, counted from where all clocks start.
    Report,
}

/// An event with its stamp.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stamped {
    /// The entry's number.
    pub entry: u64,
    /// When it was recorded.
    pub at: Timestamp,
    /// By whom. Text from outside.
    pub by: String,
    /// What happened.
    pub event: Event,
}

/// One incident as its entries tell it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Incident {
    /// The number of its opening entry.
    pub number: u64,
    /// Its opening.
    pub opening: Opening,
    /// The severity that its clocks go by.
    pub severity: String,
    /// All its events, the opening first.
    pub events: Vec<Stamped>,
}

/// What a clock shows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reading {
    /// Which clock.
    pub clock: Clock,
    /// By when it had to be done.
    pub due_at: Timestamp,
    /// When it was done.
    pub done_at: Option<Timestamp>,
    /// What that comes to.
    pub verdict: Verdict,
}

/// Whether a clock was kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// It was done in time.
    Met,
    /// It was done late, or is overdue.
    Missed,
    /// It is not done and not yet due.
    Running,
}

impl Verdict {
    /// The word used in files and pages.
    pub fn as_str(self) -> &'static str {
        match self {
            Verdict::Met => "met",
            Verdict::Missed => "missed",
            Verdict::Running => "running",
        }
    }
}

/// How far people are with an incident.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stage {
    /// Nobody took it yet.
    Open,
    /// Somebody is at it.
    Acknowledged,
    /// It is resolved.
    Resolved,
}

impl Stage {
    /// The word used in files and pages.
    pub fn as_str(self) -> &'static str {
        match self {
            Stage::Open => "open",
            Stage::Acknowledged => "acknowledged",
            Stage::Resolved => "resolved",
        }
    }
}

impl Event {
    /// The word used in files, commands and pages.
    pub fn word(&self) -> &'static str {
        match self {
            Event::Opened(_) => "opened",
            Event::Acknowledged => "acknowledged",
            Event::Started => "started",
            Event::Notice(_) => "notice",
            Event::Update(_) => "update",
            Event::Progress(_) => "progress",
            Event::OutageEnded { .. } => "outage_ended",
            Event::Resolved(_) => "resolved",
            Event::Report(_) => "report",
            Event::Severity(_) => "severity",
            Event::Remark(_) => "remark",
            Event::Missed { .. } => "missed",
        }
    }

    /// What somebody said with it.
    pub fn text(&self) -> Option<&str> {
        match self {
            Event::Notice(text)
            | Event::Update(text)
            | Event::Progress(text)
            | Event::Resolved(text)
            | Event::Report(text)
            | Event::Remark(text) => Some(text),
            Event::Opened(_)
            | Event::Acknowledged
            | Event::Started
            | Event::OutageEnded { .. }
            | Event::Severity(_)
            | Event::Missed { .. } => None,
        }
    }
}

/// The incidents that a record tells of, by number; to know them as of an instant, hand over the
/// entries up to it.
pub fn incidents<'a>(entries: impl IntoIterator<Item = &'a Entry>) -> Vec<Incident> {
    let mut found: Vec<Incident> = Vec::new();
    for entry in entries {
        let Fact::Incident { incident, event } = &entry.fact else { continue };
        let stamped =
            Stamped { entry: entry.number, at: entry.recorded_at, by: entry.recorded_by.clone(), event: event.clone() };
        if let Event::Opened(opening) = event {
            let severity = opening.severity.clone();
            found.push(Incident {
                number: entry.number,
                opening: opening.clone(),
                severity,
                events: Vec::from([stamped]),
            });
            continue;
        }
        // Numbers grow along the record, so the list is in order of them.
        let Ok(place) = found.binary_search_by_key(incident, |known| known.number) else { continue };
        if let Event::Severity(severity) = event {
            found[place].severity.clone_from(severity);
        }
        found[place].events.push(stamped);
    }
    found
}

impl Incident {
    /// The first event that is `wanted`.
    pub fn first(&self, wanted: impl Fn(&Event) -> bool) -> Option<&Stamped> {
        self.events.iter().find(|stamped| wanted(&stamped.event))
    }

    /// How far people are with it.
    pub fn stage(&self) -> Stage {
        if self.resolved().is_some() {
            return Stage::Resolved;
        }
        match self.first(|event| matches!(event, Event::Acknowledged | Event::Started)) {
            Some(_) => Stage::Acknowledged,
            None => Stage::Open,
        }
    }

    /// Where it was resolved.
    pub fn resolved(&self) -> Option<&Stamped> {
        self.first(|event| matches!(event, Event::Resolved(_)))
    }

    /// When the outage behind it ended, as far as it is on record.
    pub fn outage_ended_at(&self) -> Option<Timestamp> {
        let ended = |stamped: &Stamped| {
            if let Event::OutageEnded { ended_at } = stamped.event { Some(ended_at) } else { None }
        };
        self.events.iter().find_map(ended)
    }
}

#[cfg(test)]
mod tests;
