//! What an exclusion does to the figures: each month it touches, without it and with it.

use super::super::AppState;
use super::super::problem::Problem;
use crate::closing::evidence::Evidence as _;
use crate::closing::reckon;
use crate::closing::terms::joined;
use crate::render::figures::length;
use rules::agreement::{Agreement, Language};
use rules::exclusion::{Bar, Exclusion};
use rules::id::AgreementId;
use rules::period::Month;
use rules::record::Entry;
use std::time::Duration;

/// Months shown: an exclusion of a day touches two.
const MONTHS_MAX: usize = 3;
/// Services shown, each of which costs reading its month twice.
const SERVICES_MAX: usize = 20;

/// One service's month, for templates.
pub(super) struct EffectRow {
    pub(super) month: String,
    pub(super) service: String,
    pub(super) without: String,
    pub(super) downtime_without: String,
    pub(super) with: String,
    pub(super) downtime_with: String,
}

/// What the columns mean for `exclusion`.
pub(super) fn note(exclusion: &Exclusion) -> &'static str {
    match &exclusion.bar {
        None => "It counts, as far as the policy's notice and cap let it.",
        Some(Bar::NotApproved) => "It has no effect yet: the figures with it are those once it is approved.",
        Some(Bar::Refused { .. }) => {
            "It was refused and has no effect: the figures with it are those it would have led to."
        }
        Some(Bar::Superseded { .. } | Bar::Withdrawn { .. }) => {
            "It is no longer in force: the figures with it are those it would have led to."
        }
    }
}

/// The figures of every month that `exclusion` touches and that has begun.
pub(super) async fn effects(
    app: &AppState,
    agreements: &[Agreement],
    entries: &[Entry],
    agreement: &AgreementId,
    exclusion: &Exclusion,
) -> Result<Vec<EffectRow>, Problem> {
    let now = app.clock.wall();
    let mut rows = Vec::new();
    let versions = || agreements.iter().filter(|version| version.id == *agreement);
    let Some(zone) = versions().next().map(|version| &version.zone) else { return Ok(rows) };
    let first = Month::containing(exclusion.interval.from(), zone);
    let months = std::iter::successors(Some(first), |month| Some(month.next()));
    let touched = months.take_while(|month| {
        let month = month.interval(zone);
        month.from() < exclusion.interval.until() && month.from() <= now
    });
    for month in touched.take(MONTHS_MAX) {
        let Some(version) = versions().find(|version| version.is_in_force(month)) else { continue };
        let (without, with) = variants(version, entries, exclusion);
        for service in without.services.iter().filter(|service| exclusion.covers(&service.id)).take(SERVICES_MAX) {
            let seen = app.evidence.series(service, month.interval(zone)).await?;
            let of = |terms: &Agreement| {
                let reckoned = reckon(terms, service, month, Some(now), &seen)?;
                let ratio = reckoned.availability.nominal;
                let downtime = length(Duration::from_millis(ratio.downtime_ms), Language::English);
                Some((format!("{ratio} %"), downtime))
            };
            let (Some(without), Some(with)) = (of(&without), of(&with)) else { continue };
            rows.push(EffectRow {
                month: month.to_string(),
                service: service.id.to_string(),
                without: without.0,
                downtime_without: without.1,
                with: with.0,
                downtime_with: with.1,
            });
        }
    }
    Ok(rows)
}

/// The terms without `exclusion`, and with it as if nothing on record were against it.
fn variants(version: &Agreement, entries: &[Entry], exclusion: &Exclusion) -> (Agreement, Agreement) {
    let mut without = joined(version, entries);
    without.exclusions.retain(|other| other.entry != exclusion.entry);
    let mut with = without.clone();
    with.exclusions.push(Exclusion { bar: None, ..exclusion.clone() });
    (without, with)
}
