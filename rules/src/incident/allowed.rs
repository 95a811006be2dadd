//! What can happen to an incident, and when.
//!
//! The same rules answer the command line, the API and the console; what they refuse never reaches
//! the record. How long texts may be is the record's affair.

use super::{Event, Incident, Opened, Opening};
use crate::agreement::Agreement;
use crate::id::ServiceId;
use crate::policy::ResponseRule;
use crate::time::Timestamp;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::time::Duration;

/// The severity of an incident whose policy names none.
pub const UNRATED: &str = "unrated";

/// Why something can't happen to an incident now.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NotNow {
    /// It can happen once, and has.
    #[error("it has {what} already, at {at} by `{by}`")]
    Already {
        /// What happened.
        what: &'static str,
        /// When.
        at: Timestamp,
        /// By whom. Text from outside.
        by: String,
    },
    /// It is resolved.
    #[error("it was resolved at {at}; only a report or a remark can follow, and for a new failure open another")]
    Resolved {
        /// When.
        at: Timestamp,
    },
    /// A report comes afterwards.
    #[error("it is not resolved yet; record how it goes as `progress`, and the report once it is resolved")]
    NotResolved,
    /// An update follows a notice.
    #[error("the customer has had no notice yet; record the first one as `notice`")]
    NoNotice,
    /// No such severity.
    #[error("the policy has no severity `{given}`; it has {known}")]
    UnknownSeverity {
        /// What was given. Text from outside.
        given: String,
        /// What there is.
        known: String,
    },
    /// It is of that severity.
    #[error("its severity is `{0}` already")]
    SameSeverity(String),
    /// An opening opens another.
    #[error("an incident is opened once; a second opening is another incident")]
    Open,
    /// No outage is behind it.
    #[error("a person opened it, so no outage of it can end; record that it is resolved")]
    NoOutage,
}

/// Why an incident can't be opened like that.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NotOpened {
    /// It concerns nothing.
    #[error("an incident concerns at least one service; the agreement has {0}")]
    NoService(String),
    /// It concerns what the agreement doesn't promise.
    #[error("the agreement has no service `{service}`; it has {known}")]
    UnknownService {
        /// What was given.
        service: ServiceId,
        /// What there is.
        known: String,
    },
    /// No such severity.
    #[error("{0}")]
    Severity(NotNow),
    /// It is not yet.
    #[error("it can't begin at {began_at}, which is still to come; the time is {now}")]
    Ahead {
        /// When it should have begun.
        began_at: Timestamp,
        /// When it is.
        now: Timestamp,
    },
    /// It is so long ago that it is a slip of the pen.
    #[error("it can't have begun at {0}, more than a year ago; check the year")]
    LongAgo(Timestamp),
}

/// How long ago an incident that is opened now may have begun: its period's statement is amended for it.
const AGO_MAX: Duration = Duration::from_secs(366 * 86_400);

/// The severity of an incident that an outage opens: the policy's first.
pub fn first_severity(rules: &[ResponseRule]) -> &str {
    rules.first().map_or(UNRATED, |rule| &rule.severity)
}

impl Opening {
    /// Whether it can open an incident of `agreement` at `now`.
    pub fn is_possible(&self, agreement: &Agreement, now: Timestamp) -> Result<(), NotOpened> {
        let names: Vec<&ServiceId> = agreement.services.iter().map(|service| &service.id).collect();
        if self.services.is_empty() {
            return Err(NotOpened::NoService(listed(&names)));
        }
        if let Some(unknown) = self.services.iter().find(|service| !names.contains(service)) {
            return Err(NotOpened::UnknownService { service: unknown.clone(), known: listed(&names) });
        }
        known_severity(&self.severity, &agreement.policy.response).map_err(NotOpened::Severity)?;
        if now < self.began_at {
            return Err(NotOpened::Ahead { began_at: self.began_at, now });
        }
        if self.began_at < now.minus(AGO_MAX) {
            return Err(NotOpened::LongAgo(self.began_at));
        }
        Ok(())
    }
}

impl Incident {
    /// Whether `event` can happen to it now, under the policy's `rules`.
    pub fn allows(&self, event: &Event, rules: &[ResponseRule]) -> Result<(), NotNow> {
        match event {
            Event::Opened(_) => Err(NotNow::Open),
            Event::Acknowledged => {
                self.unresolved()?;
                self.not_yet("been acknowledged", |event| matches!(event, Event::Acknowledged))
            }
            Event::Started => {
                self.unresolved()?;
                self.not_yet("been started on", |event| matches!(event, Event::Started))
            }
            Event::Notice(_) => {
                self.unresolved()?;
                self.not_yet("had its first notice (record the next as `update`)", is_notice)
            }
            Event::Update(_) => {
                self.unresolved()?;
                let promised = self.rule(rules).is_some_and(|rule| rule.first_notice.is_some());
                if promised && self.first(is_notice).is_none() { Err(NotNow::NoNotice) } else { Ok(()) }
            }
            Event::Progress(_) | Event::Resolved(_) => self.unresolved(),
            Event::Severity(severity) => {
                self.unresolved()?;
                known_severity(severity, rules)?;
                if *severity == self.severity { Err(NotNow::SameSeverity(severity.clone())) } else { Ok(()) }
            }
            Event::Report(_) => self.resolved().map(|_| ()).ok_or(NotNow::NotResolved),
            Event::OutageEnded { .. } => match self.opening.cause {
                Opened::ByOutage => {
                    self.not_yet("an outage that ended", |event| matches!(event, Event::OutageEnded { .. }))
                }
                Opened::ByHand => Err(NotNow::NoOutage),
            },
            Event::Remark(_) => Ok(()),
            missed @ Event::Missed { .. } => self.not_yet("this clock's miss on file", |event| event == missed),
        }
    }

    /// The policy's promises for its severity.
    pub fn rule<'a>(&self, rules: &'a [ResponseRule]) -> Option<&'a ResponseRule> {
        rules.iter().find(|rule| rule.severity == self.severity)
    }

    fn unresolved(&self) -> Result<(), NotNow> {
        self.resolved().map_or(Ok(()), |resolved| Err(NotNow::Resolved { at: resolved.at }))
    }

    fn not_yet(&self, what: &'static str, is_it: impl Fn(&Event) -> bool) -> Result<(), NotNow> {
        let Some(before) = self.first(is_it) else { return Ok(()) };
        Err(NotNow::Already { what, at: before.at, by: before.by.clone() })
    }
}

fn is_notice(event: &Event) -> bool {
    matches!(event, Event::Notice(_))
}

/// A policy without severities leaves every incident unrated.
fn known_severity(given: &str, rules: &[ResponseRule]) -> Result<(), NotNow> {
    let known = rules.iter().map(|rule| rule.severity.as_str());
    let known: Vec<&str> = if rules.is_empty() { Vec::from([UNRATED]) } else { known.collect() };
    if known.contains(&given) {
        return Ok(());
    }
    Err(NotNow::UnknownSeverity { given: given.to_string(), known: listed(&known) })
}

fn listed<T: ToString>(names: &[T]) -> String {
    let names: Vec<String> = names.iter().map(|name| alloc::format!("`{}`", name.to_string())).collect();
    names.join(", ")
}
