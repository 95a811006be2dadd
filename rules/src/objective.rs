//! The rows of a statement's first table: what was promised, what was measured, whether it was kept.
//!
//! Every rendering prints these rows; none of them compares anything.

use crate::availability::Ratio;
use crate::decimal::Percent;
use crate::id::{CheckId, ObjectiveId};
use crate::incident::Clock;
use alloc::string::String;
use core::time::Duration;

/// One promise, held against what was measured.
#[derive(Clone, PartialEq, Debug)]
pub struct Row {
    /// What was promised.
    pub promise: Promise,
    /// The limit.
    pub limit: Limit,
    /// What was measured; nothing: not measured.
    pub measured: Option<Measured>,
    /// Whether the exact figure keeps the limit; nothing if there is no figure, or if incomplete
    /// evidence allows both answers.
    pub met: Option<bool>,
}

/// What can be promised of a service's month.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Promise {
    /// Availability.
    Availability,
    /// The mean that a check's results take.
    Latency {
        /// The check.
        check: CheckId,
        /// The policy's objective.
        objective: ObjectiveId,
    },
    /// The share of results that are down.
    ErrorRate,
    /// The mean length of outages.
    Mttr,
    /// The longest outage.
    Mttsr,
    /// The two together.
    RecoverySum,
    /// The share of a heartbeat's due runs that were reported in time.
    Backup {
        /// The heartbeat check.
        check: CheckId,
    },
    /// Announced maintenance in the month.
    PlannedDowntime,
    /// One of people's clocks, over all incidents of one severity.
    Response {
        /// The severity.
        severity: String,
        /// Which clock.
        clock: Clock,
    },
}

/// A limit on a figure.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Limit {
    /// It must be at least this.
    AtLeast(Percent),
    /// It must be at most this.
    AtMost(Percent),
    /// It must not be longer.
    NotLonger(Duration),
    /// It must be shorter.
    Shorter(Duration),
}

/// A figure.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Measured {
    /// Availability: one less a fraction of time.
    Availability(Ratio),
    /// So many of so many.
    Share {
        /// How many were such.
        of: u64,
        /// Among how many; never zero.
        among: u64,
    },
    /// A length of time.
    Length(Duration),
    /// A clock was kept in so many of so many incidents; `running` are neither.
    Kept {
        /// In time.
        met: u32,
        /// Late.
        missed: u32,
        /// Not yet due.
        running: u32,
    },
}
