//! Which versions of the agreements hold when.

use super::CollectorConfig;
use rules::agreement::{Agreement, Service};
use rules::period::Month;
use rules::standing;
use rules::time::Timestamp;

impl CollectorConfig {
    /// All versions of the agreement called `name`, in order of time.
    pub fn versions<'a>(&'a self, name: &'a str) -> impl DoubleEndedIterator<Item = &'a Agreement> {
        self.agreements.iter().filter(move |agreement| agreement.id.as_str() == name)
    }

    /// The version of the agreement called `name` that `month` is reckoned under.
    pub fn agreement(&self, name: &str, month: Month) -> Option<&Agreement> {
        self.agreements.iter().find(|agreement| agreement.id.as_str() == name && agreement.is_in_force(month))
    }

    /// The version in force at `now` of every agreement that has one.
    pub fn in_force(&self, now: Timestamp) -> impl Iterator<Item = &Agreement> {
        self.agreements.iter().filter(move |agreement| agreement.is_in_force_at(now))
    }

    /// One version of every agreement: the one in force at `now`, or the last that was, or the first that
    /// will be.
    pub fn nearest(&self, now: Timestamp) -> impl Iterator<Item = &Agreement> {
        self.agreements.chunk_by(|one, other| one.id == other.id).filter_map(move |versions| {
            let has_begun = |version: &&Agreement| {
                let month = Month::containing(now, &version.zone);
                version.effective.from.is_none_or(|from| from <= month)
            };
            versions.iter().rev().find(has_begun).or_else(|| versions.first())
        })
    }

    /// The agreement that promises the service called `name` in `month`, and the service.
    pub fn service(&self, name: &str, month: Month) -> Option<(&Agreement, &Service)> {
        let in_force = self.agreements.iter().filter(|agreement| agreement.is_in_force(month));
        let mut services =
            in_force.flat_map(|agreement| agreement.services.iter().map(move |service| (agreement, service)));
        services.find(|(_, service)| service.id.as_str() == name)
    }

    /// Every service that is promised at `now`, with its agreement, in the configuration's order.
    pub fn services_in_force(&self, now: Timestamp) -> impl Iterator<Item = (&Agreement, &Service)> {
        self.in_force(now).flat_map(|agreement| agreement.services.iter().map(move |service| (agreement, service)))
    }

    /// The first instant after `now` at which another version of some agreement is in force, or a
    /// customer's standing may stop something or give it again.
    pub fn turns_after(&self, now: Timestamp) -> Option<Timestamp> {
        let turns = self.agreements.iter().flat_map(|agreement| {
            let edges = [agreement.effective.from, agreement.effective.until];
            let edges = edges.into_iter().flatten().map(|month| month.interval(&agreement.zone).from());
            edges.chain(standing::turns(&agreement.standing, &agreement.policy.standing))
        });
        turns.filter(|turn| now < *turn).min()
    }
}
