//! What a customer is to the provider: on trial, paying, overdue, gone; and what follows from it.
//!
//! Time on trial and time overdue don't count (class `unpaid_or_trial`), and the policy says when
//! screens stop, collection stops and data is deleted.

use crate::interval::Interval;
use crate::time::Timestamp;
use core::time::Duration;

/// What a customer is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Standing {
    /// Trying it without paying.
    Trial,
    /// Paying.
    Paid,
    /// A bill is due since the instant at which this began, and not paid.
    Overdue,
    /// The agreement has ended.
    Terminated,
}

impl Standing {
    /// All standings.
    pub const ALL: &'static [Standing] = &[Standing::Trial, Standing::Paid, Standing::Overdue, Standing::Terminated];

    /// The word used in files and statements.
    pub fn as_str(self) -> &'static str {
        match self {
            Standing::Trial => "trial",
            Standing::Paid => "paid",
            Standing::Overdue => "overdue",
            Standing::Terminated => "terminated",
        }
    }

    /// The standing that `word` names.
    pub fn from_word(word: &str) -> Option<Standing> {
        Standing::ALL.iter().copied().find(|standing| standing.as_str() == word)
    }
}

/// From an instant on the customer's standing is another.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Change {
    /// From when: the beginning of the trial, the first day paid for, the day a bill was due, the end.
    pub from: Timestamp,
    /// What it is from then on.
    pub standing: Standing,
}

/// What a policy does about standings; what is absent never happens.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct StandingRule {
    /// How long a trial lasts; at its end screens and collection stop and data is deleted.
    pub trial: Option<Duration>,
    /// How long after a bill was due screens stop.
    pub screens_stop: Option<Duration>,
    /// How long after a bill was due collection stops.
    pub collection_stops: Option<Duration>,
    /// How long after a bill was due data is deleted.
    pub data_deleted: Option<Duration>,
    /// How long after the agreement ended data is deleted.
    pub terminated_deleted: Option<Duration>,
}

/// A stretch of one standing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stretch {
    /// When.
    pub interval: Interval,
    /// What the customer was.
    pub standing: Standing,
}

/// What a customer may have at an instant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Access {
    /// Whether screens are shown.
    pub screens: Granted,
    /// Whether agents look.
    pub collection: Granted,
    /// Whether data is kept.
    pub data: Granted,
}

/// Whether something is granted, and if not, since when it isn't.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Granted {
    /// It is.
    Yes,
    /// It is not, since this instant.
    Stopped(Timestamp),
}
