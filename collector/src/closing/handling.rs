//! People's part of a statement: the period's incidents, their clocks, and what those come to.
//!
//! It reads the record up to the instant up to which evidence is heard, and judges nothing itself.

use super::{IncidentMonth, Statement};
use rules::incident::{self, Incident};
use rules::record::Entry;
use rules::time::Timestamp;

/// Fills in the incidents whose clocks started in the period.
pub(super) fn fill(statement: &mut Statement<'_>, record: &[Entry]) {
    let agreement = statement.agreement;
    let policy = &agreement.policy;
    let last = record.last().map_or(Timestamp::MIN, |entry| entry.recorded_at);
    let now = statement.as_of.unwrap_or(statement.calendar.until().max(last));
    let heard = record.iter().filter(|entry| entry.recorded_at <= now);
    let calendar = statement.calendar;
    let of_period = |incident: &Incident| calendar.contains(incident.starts_at(policy));
    let incidents = incident::incidents(heard).into_iter().filter(of_period);
    let read = incidents.map(|incident| {
        let clocks = incident::readings(&incident, policy, now);
        IncidentMonth { incident, clocks }
    });
    let read: Vec<IncidentMonth> = read.collect();
    statement.handling = incident::handling(read.iter().map(|month| &month.incident), policy, now);
    statement.response = incident::rows(read.iter().map(|month| (&month.incident, month.clocks.as_slice())), policy);
    statement.incidents = read;
}
