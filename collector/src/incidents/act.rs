//! What people do with an incident, from wherever they do it: command line, API, console.
//!
//! It is decided from the record as it is when it is written: of two people who acknowledge at once the
//! second is told that the first has.

use super::deadlines::version_of;
use crate::notify::booking::telling;
use crate::record::{Before, Draft, Record, RecordError};
use config::collector::CollectorConfig;
use rules::agreement::Agreement;
use rules::id::AgreementId;
use rules::incident::{Event, Incident, NotNow, NotOpened, Opening, incidents};
use rules::record::{Entry, Fact};

/// Why something could not be done.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ActError {
    /// There is no such incident.
    #[error("the record of `{agreement}` has no incident {number}")]
    NoIncident {
        /// Whose record.
        agreement: AgreementId,
        /// The number that was given.
        number: u64,
    },
    /// It can't happen to it now.
    #[error("incident {number} can't take that: {why}")]
    NotNow {
        /// Which.
        number: u64,
        /// Why.
        why: NotNow,
    },
    /// It can't be opened like that.
    #[error("the incident can't be opened: {0}")]
    NotOpened(#[from] NotOpened),
    /// It could not be recorded.
    #[error(transparent)]
    Record(#[from] RecordError),
}

/// Opens an incident in `by`'s name; its entry's number is its own.
pub(crate) async fn open(
    record: &Record,
    config: &CollectorConfig,
    agreement: &Agreement,
    by: &str,
    opening: Opening,
) -> Result<Vec<Entry>, ActError> {
    let decide = |before: Before<'_>| {
        opening.is_possible(agreement, before.at)?;
        let fact = Fact::Incident { incident: before.next, event: Event::Opened(opening.clone()) };
        Ok(telling(Draft::fact(fact), before, by, config, agreement))
    };
    record.append(&agreement.id, by, decide).await
}

/// Records what happened to the incident called `number`, in `by`'s name.
pub(crate) async fn happened(
    record: &Record,
    config: &CollectorConfig,
    agreement: &Agreement,
    by: &str,
    number: u64,
    event: Event,
) -> Result<Vec<Entry>, ActError> {
    let decide = |before: Before<'_>| {
        let incident = found(before.entries, &agreement.id, number)?;
        let version = version_of(&incident, config, &agreement.id).unwrap_or(agreement);
        let allowed = incident.allows(&event, &version.policy.response);
        allowed.map_err(|why| ActError::NotNow { number, why })?;
        let fact = Fact::Incident { incident: number, event: event.clone() };
        Ok(telling(Draft::fact(fact), before, by, config, version))
    };
    record.append(&agreement.id, by, decide).await
}

/// The incident called `number`.
pub(crate) fn found(record: &[Entry], agreement: &AgreementId, number: u64) -> Result<Incident, ActError> {
    let incident = incidents(record).into_iter().find(|incident| incident.number == number);
    incident.ok_or_else(|| ActError::NoIncident { agreement: agreement.clone(), number })
}
