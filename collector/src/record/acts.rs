//! What people put on record about exclusions, effort and the customer's standing, from wherever they do
//! it: command line, API, console.
//!
//! It is decided from the record as it is when it is written: of two who approve at once the second
//! is told that the first has, and what was recorded already is not recorded twice.

use super::{Before, Draft, Record, RecordError};
use crate::notify::booking::telling;
use config::collector::CollectorConfig;
use config::reading::words::nearest;
use rules::agreement::Agreement;
use rules::block::AT_MIN;
use rules::id::{AgreementId, ServiceId};
use rules::record::exclusions::{Objection, object};
use rules::record::{BY_NINES, Entry, Fact};
use rules::retainer::NotSpent;
use rules::time::Timestamp;
use std::time::Duration;

/// Why something was not recorded.
#[derive(Debug, thiserror::Error)]
pub enum NotRecorded {
    /// The record itself speaks against it.
    #[error(transparent)]
    Objection(#[from] Objection),
    /// It is no effort that can be kept.
    #[error(transparent)]
    Effort(#[from] NotSpent),
    /// It names a time that can't be meant.
    #[error(transparent)]
    Time(#[from] NotMeant),
    /// No version of the agreement promises such a service.
    #[error("agreement `{agreement}` has no service `{service}`{}", meant(.nearest))]
    UnknownService {
        /// Which agreement.
        agreement: AgreementId,
        /// What was named.
        service: ServiceId,
        /// What may have been meant.
        nearest: Option<String>,
    },
    /// It is on record already.
    #[error("that is on record already, as entry {entry}")]
    Twice {
        /// Where.
        entry: u64,
    },
    /// It could not be written.
    #[error(transparent)]
    Record(#[from] RecordError),
}

/// Why a time can't be meant: a slip of the pen that would stop, delete or excuse what it should not.
#[derive(Debug, thiserror::Error)]
pub enum NotMeant {
    /// It is further off than anybody plans.
    #[error("{at} is more than {} days ahead; check the year", AHEAD_MAX.as_secs() / 86_400)]
    TooFar {
        /// When it was to be.
        at: Timestamp,
    },
    /// It was before there were results.
    #[error("{0} is before the year 2000; check the year")]
    TooEarly(Timestamp),
}

/// How far ahead something can be recorded: an end that was agreed upon for the year after next.
const AHEAD_MAX: Duration = Duration::from_secs(3 * 366 * 86_400);

fn check_times(fact: &Fact, now: Timestamp) -> Result<(), NotMeant> {
    let (from, until) = match fact {
        Fact::Standing(change) => (change.from, change.from),
        Fact::Exclusion { exclusion, .. } => (exclusion.interval.from(), exclusion.interval.until()),
        Fact::Withdrawal { .. } | Fact::Approval { .. } | Fact::Refusal { .. } | Fact::Incident { .. } => return Ok(()),
        Fact::Effort(_) | Fact::Issue { .. } | Fact::Disposal(_) => return Ok(()),
    };
    if from < AT_MIN {
        return Err(NotMeant::TooEarly(from));
    }
    if now.plus(AHEAD_MAX) < until { Err(NotMeant::TooFar { at: until }) } else { Ok(()) }
}

fn meant(nearest: &Option<String>) -> String {
    nearest.as_ref().map_or_else(String::new, |near| format!("; did you mean `{near}`?"))
}

/// Records `fact` about `agreement` in `by`'s name, with a message for everybody who is to hear of it.
///
/// # Panics
/// If the configuration has no such agreement.
pub async fn put_on_record(
    record: &Record,
    config: &CollectorConfig,
    agreement: &AgreementId,
    by: &str,
    fact: Fact,
) -> Result<Entry, NotRecorded> {
    let versions: Vec<&Agreement> = config.versions(agreement.as_str()).collect();
    check_services(&versions, agreement, &fact)?;
    let decide = |before: Before<'_>| {
        if by == BY_NINES {
            return Err(NotRecorded::Objection(Objection::NoPerson));
        }
        if let Some(entry) = same_on_record(before.entries, by, &fact) {
            return Err(NotRecorded::Twice { entry });
        }
        object(before.entries, &fact, by, before.at)?;
        let in_force = versions.iter().find(|version| version.is_in_force_at(before.at)).or(versions.last());
        let version = in_force.expect("the agreement is one of the configuration's");
        check_times(&fact, before.at)?;
        if let Fact::Effort(effort) = &fact {
            effort.object(before.entries, version.retainer.as_ref(), &version.zone, before.at)?;
        }
        Ok(telling(Draft::fact(fact.clone()), before, by, config, version))
    };
    let entries = record.append(agreement, by, decide).await?;
    Ok(entries.into_iter().next().expect("a draft of one fact is one entry"))
}

fn check_services(versions: &[&Agreement], agreement: &AgreementId, fact: &Fact) -> Result<(), NotRecorded> {
    let Fact::Exclusion { exclusion, .. } = fact else { return Ok(()) };
    let known: Vec<&ServiceId> =
        versions.iter().flat_map(|version| version.services.iter().map(|service| &service.id)).collect();
    let unknown = exclusion.services.iter().flatten().find(|service| !known.contains(service));
    unknown.map_or(Ok(()), |service| {
        let nearest = nearest(service.as_str(), known.iter().map(|known| known.as_str())).map(ToOwned::to_owned);
        Err(NotRecorded::UnknownService { agreement: agreement.clone(), service: service.clone(), nearest })
    })
}

/// The entry by which `by` has said the same already, if it still stands: somebody who heard no answer
/// asks again.
fn same_on_record(entries: &[Entry], by: &str, fact: &Fact) -> Option<u64> {
    let same = entries.iter().rev().find(|entry| entry.recorded_by == by && entry.fact == *fact)?;
    let stands = match fact {
        Fact::Exclusion { .. } => {
            let withdrawn = Fact::Withdrawal { entry: same.number, reason: "it no longer stands".into() };
            object(entries, &withdrawn, by, same.recorded_at).is_ok()
        }
        Fact::Standing(change) => {
            let of_instant = |entry: &&Entry| matches!(&entry.fact, Fact::Standing(other) if other.from == change.from);
            let last = entries.iter().rev().find(of_instant).map(|entry| entry.number);
            last == Some(same.number)
        }
        // The same work at the same instant in the same words was done once.
        Fact::Effort(_) => true,
        // The record objects to these by itself.
        Fact::Withdrawal { .. } | Fact::Approval { .. } | Fact::Refusal { .. } => false,
        Fact::Incident { .. } | Fact::Issue { .. } | Fact::Disposal(_) => false,
    };
    stands.then_some(same.number)
}

#[cfg(test)]
mod tests;
