//! What an actor sees of what was promised.
//!
//! Every page and every answer finds agreements and services through here, so that nobody is shown
//! what isn't theirs, not even that it exists.

use super::super::figures;
use super::{Actor, Problem};
use config::collector::CollectorConfig;
use rules::agreement::{Agreement, Service};
use rules::period::Month;
use rules::time::Timestamp;

impl Actor {
    /// The agreements in force at `now` that this actor sees, with each of their services.
    pub(crate) fn services<'a>(
        &self,
        agreements: &'a [Agreement],
        now: Timestamp,
    ) -> impl Iterator<Item = (&'a Agreement, &'a Service)> {
        figures::services(agreements, now).filter(|(agreement, _)| self.sees(&agreement.id))
    }

    /// The agreements in force at `now` that this actor sees.
    pub(crate) fn agreements<'a>(
        &self,
        agreements: &'a [Agreement],
        now: Timestamp,
    ) -> impl Iterator<Item = &'a Agreement> {
        agreements.iter().filter(move |version| version.is_in_force_at(now) && self.sees(&version.id))
    }

    /// The service of that name, and its agreement.
    pub(crate) fn service<'a>(
        &self,
        agreements: &'a [Agreement],
        name: &str,
        now: Timestamp,
    ) -> Result<(&'a Agreement, &'a Service), Problem> {
        let found = self.services(agreements, now).find(|(_, service)| service.id.as_str() == name);
        found.ok_or_else(|| Problem::NotFound { what: "service", name: name.to_owned() })
    }

    /// The service of that name in `month`, and the agreement that promised it then.
    pub(crate) fn service_in<'a>(
        &self,
        config: &'a CollectorConfig,
        name: &str,
        month: Month,
    ) -> Result<(&'a Agreement, &'a Service), Problem> {
        let found = config.service(name, month).filter(|(agreement, _)| self.sees(&agreement.id));
        found.ok_or_else(|| Problem::NotFound { what: "service", name: name.to_owned() })
    }

    /// The agreement of that name: the version in force at `now`, or else the last there is.
    pub(crate) fn agreement<'a>(
        &self,
        agreements: &'a [Agreement],
        name: &str,
        now: Timestamp,
    ) -> Result<&'a Agreement, Problem> {
        let versions = || agreements.iter().filter(|known| known.id.as_str() == name && self.sees(&known.id));
        let found = versions().find(|version| version.is_in_force_at(now)).or_else(|| versions().next_back());
        found.ok_or_else(|| Problem::NotFound { what: "agreement", name: name.to_owned() })
    }
}
