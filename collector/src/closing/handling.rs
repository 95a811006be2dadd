//! People's part of a statement: the period's incidents, their clocks, and what those come to.
//!
//! Evidence is heard up to `as_of`; the record, and with it what people did, up to when the statement
//! was issued. Nothing is judged here.

use super::{IncidentMonth, Issue, Statement};
use rules::incident::{self, Incident};
use rules::time::Timestamp;

impl Statement<'_> {
    /// Makes it the version of its period that was issued so.
    pub fn issue_as(&mut self, version: u32, issue: Issue) {
        self.version = version;
        self.issue = Some(issue);
        self.read_clocks();
    }

    /// The instant at which people's clocks are read: when the statement was issued; of one that was
    /// not, the instant up to which evidence is heard.
    ///
    /// Evidence may be complete long before, and stay so while people are still at work.
    pub(crate) fn clocks_read_at(&self) -> Timestamp {
        let last = self.terms.record.last().map_or(Timestamp::MIN, |entry| entry.recorded_at);
        let issued_at = self.issue.as_ref().map(|issue| issue.issued_at);
        issued_at.or(self.as_of).unwrap_or(self.calendar.until().max(last))
    }

    /// Fills in the incidents whose clocks started in the period.
    pub(super) fn read_clocks(&mut self) {
        let (policy, calendar, now) = (&self.agreement.policy, self.calendar, self.clocks_read_at());
        let heard = self.terms.record.iter().filter(|entry| entry.recorded_at <= now);
        let of_period = |incident: &Incident| calendar.contains(incident.starts_at(policy));
        let incidents = incident::incidents(heard).into_iter().filter(of_period);
        let read = incidents.map(|incident| {
            let clocks = incident::readings(&incident, policy, now);
            IncidentMonth { incident, clocks }
        });
        let read: Vec<IncidentMonth> = read.collect();
        self.handling = incident::handling(read.iter().map(|month| &month.incident), policy, now);
        self.response = incident::rows(read.iter().map(|month| (&month.incident, month.clocks.as_slice())), policy);
        self.incidents = read;
    }
}

#[cfg(test)]
mod tests;
