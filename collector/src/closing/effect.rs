//! What an entry does to the figures: the months that it touches, as they were and as they are.
//!
//! It reckons and keeps nothing; a month that has not begun has no figures.

use super::evidence::Evidence;
use super::reckon;
use super::terms::joined;
use rules::agreement::Agreement;
use rules::availability::Ratio;
use rules::credit::Credit;
use rules::id::{AgreementId, ServiceId};
use rules::interval::Interval;
use rules::period::Month;
use rules::record::Entry;
use rules::statement::Reckoning;
use rules::time::Timestamp;

/// Months that are reckoned: nobody waits for more, and the rest changes likewise.
const MONTHS_MAX: usize = 12;

/// One service's month, before and after.
#[derive(Clone, PartialEq, Debug)]
pub struct Effect {
    /// Which month.
    pub month: Month,
    /// Which service.
    pub service: ServiceId,
    /// Without the entry.
    pub before: Figures,
    /// With it.
    pub after: Figures,
}

/// What is said of a month in a line.
#[derive(Clone, PartialEq, Debug)]
pub struct Figures {
    /// Availability.
    pub availability: Ratio,
    /// What is owed.
    pub credit: Credit,
}

impl Figures {
    fn of(reckoning: &Reckoning<'_>) -> Figures {
        Figures { availability: reckoning.availability.nominal, credit: reckoning.credit.clone() }
    }
}

/// The months of agreement `id` that `touched` touches and that have begun, reckoned under the record
/// as it was and as it is; of every service, in the agreement's order.
pub async fn effects<E: Evidence>(
    evidence: &E,
    agreements: &[Agreement],
    id: &AgreementId,
    (before, after): (&[Entry], &[Entry]),
    touched: Interval,
    now: Timestamp,
) -> Result<Vec<Effect>, E::Error> {
    let mut effects = Vec::new();
    let versions = || agreements.iter().filter(|version| version.id == *id);
    let Some(zone) = versions().next().map(|version| &version.zone) else { return Ok(effects) };
    let first = Month::containing(touched.from(), zone);
    let months = std::iter::successors(Some(first), |month| Some(month.next()));
    let has_begun = |month: &Month| {
        let from = month.interval(zone).from();
        from < touched.until() && from <= now
    };
    for month in months.take_while(has_begun).take(MONTHS_MAX) {
        let Some(version) = versions().find(|version| version.is_in_force(month)) else { continue };
        let (was, is) = (joined(version, before), joined(version, after));
        for service in &version.services {
            let seen = evidence.series(service, month.interval(zone)).await?;
            let of = |terms| reckon(terms, service, month, Some(now), &seen).map(|reckoning| Figures::of(&reckoning));
            if let (Some(before), Some(after)) = (of(&was), of(&is)) {
                effects.push(Effect { month, service: service.id.clone(), before, after });
            }
        }
    }
    Ok(effects)
}
