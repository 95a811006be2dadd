//! Whom the collector tells what, and when reports are sent.

use crate::secret::Secret;
use rules::id::AgreementId;
use std::collections::BTreeSet;
use std::time::Duration;

/// A way to tell somebody.
#[derive(Clone, PartialEq, Debug)]
pub struct Channel {
    /// Its name, which reports refer to.
    pub channel: String,
    /// How it tells.
    pub way: Way,
    /// The agreements it hears of; absent: all.
    pub agreements: Option<BTreeSet<AgreementId>>,
    /// The events it hears of; absent: all.
    pub events: Option<BTreeSet<Told>>,
}

/// How a channel tells.
#[derive(Clone, PartialEq, Debug)]
pub enum Way {
    /// A JSON body posted to a URL and signed with HMAC-SHA-256.
    Webhook {
        /// Where to.
        url: String,
        /// What signs it; absent: nothing does.
        secret: Option<Secret>,
    },
    /// An e-mail by SMTP.
    Email {
        /// `smtps://user@host:465`, `smtp://user@host:587` (STARTTLS required) or
        /// `smtp+plain://127.0.0.1:25` (loopback only).
        server: String,
        /// The user's password.
        password: Option<Secret>,
        /// The sender's address.
        from: String,
        /// The receivers' addresses.
        to: Vec<String>,
    },
    /// Alerts posted to Alertmanager's API, version 2.
    Alertmanager {
        /// Its base URL.
        url: String,
    },
    /// Events of PagerDuty's shape (Events API, version 2).
    PagerDuty {
        /// Where to.
        url: String,
        /// The integration's key.
        routing_key: Secret,
    },
}

/// What can be told.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Told {
    /// An incident was opened.
    IncidentOpened,
    /// An incident was acknowledged.
    IncidentAcknowledged,
    /// The customer was told something: notice, update, progress, report.
    IncidentUpdated,
    /// The outage behind an incident is over, or it was resolved.
    IncidentResolved,
    /// One of people's clocks ran out.
    ClockMissed,
    /// An exclusion was recorded, approved, refused or taken back.
    ExclusionRecorded,
    /// A statement was issued or amended.
    StatementIssued,
}

/// A statement that is sent regularly.
#[derive(Clone, PartialEq, Debug)]
pub struct Report {
    /// Its name.
    pub report: String,
    /// The agreements it is about; absent: all.
    pub agreements: Option<BTreeSet<AgreementId>>,
    /// When it is sent.
    pub schedule: Schedule,
    /// The channel that sends it.
    pub channel: String,
    /// In which form: `json`, `html`, `pdf`, `csv` or `text`.
    pub format: String,
}

/// When a report is sent, in its agreement's zone.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Schedule {
    /// Every day, about the month so far.
    Daily {
        /// Since local midnight.
        at: Duration,
    },
    /// Every week, about the month so far.
    Weekly {
        /// 1 is Monday, 7 is Sunday.
        weekday: u8,
        /// Since local midnight.
        at: Duration,
    },
    /// When the month before is issued, and at every amendment.
    Monthly,
}
