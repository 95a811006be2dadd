//! People's handling of an outage, and whether they kept the policy's clocks.
//!
//! An incident is what its events say, in the order in which they were recorded. Its clocks start
//! when the outage began for its customer: at the `began_at` of its opening.

use crate::id::ServiceId;
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
    /// Where its clocks start.
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
