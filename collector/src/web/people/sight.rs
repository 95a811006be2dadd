//! What an actor sees of what was promised.
//!
//! Every page and every answer finds agreements and services through here, so that nobody is shown
//! what isn't theirs, not even that it exists, and no viewer what standing has stopped.

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
        figures::services(agreements, now).filter(|(agreement, _)| self.is_shown(&agreement.id).is_ok())
    }

    /// The agreements in force at `now` that this actor sees.
    pub(crate) fn agreements<'a>(
        &self,
        agreements: &'a [Agreement],
        now: Timestamp,
    ) -> impl Iterator<Item = &'a Agreement> {
        agreements.iter().filter(move |version| version.is_in_force_at(now) && self.is_shown(&version.id).is_ok())
    }

    /// The service of that name, and its agreement.
    pub(crate) fn service<'a>(
        &self,
        agreements: &'a [Agreement],
        name: &str,
        now: Timestamp,
    ) -> Result<(&'a Agreement, &'a Service), Problem> {
        let mut promised = figures::services(agreements, now).filter(|(agreement, _)| self.sees(&agreement.id));
        let found = promised.find(|(_, service)| service.id.as_str() == name);
        let found = found.ok_or_else(|| Problem::NotFound { what: "service", name: name.to_owned() })?;
        self.is_shown(&found.0.id)?;
        Ok(found)
    }

    /// The service of that name in `month`, and the agreement that promised it then.
    pub(crate) fn service_in<'a>(
        &self,
        config: &'a CollectorConfig,
        name: &str,
        month: Month,
    ) -> Result<(&'a Agreement, &'a Service), Problem> {
        let found = config.service(name, month).filter(|(agreement, _)| self.sees(&agreement.id));
        let found = found.ok_or_else(|| Problem::NotFound { what: "service", name: name.to_owned() })?;
        self.is_shown(&found.0.id)?;
        Ok(found)
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
        let found = found.ok_or_else(|| Problem::NotFound { what: "agreement", name: name.to_owned() })?;
        self.is_shown(&found.id)?;
        Ok(found)
    }
}
