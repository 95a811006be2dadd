//! When the next clock of an agreement's incidents runs out, and which have.

use config::collector::CollectorConfig;
use rules::agreement::Agreement;
use rules::id::AgreementId;
use rules::incident::{Event, Incident, Verdict, incidents, readings};
use rules::record::{Entry, Fact};
use rules::time::Timestamp;

/// What was found when an agreement's record was last looked at.
#[derive(Debug, Default)]
pub(super) struct Deadlines {
    entries: Option<usize>,
    policy: Option<std::sync::Arc<rules::policy::Policy>>,
    next: Option<Timestamp>,
}

impl Deadlines {
    /// Whether a clock has run out that is not on record; looks closely only if the record or the policy
    /// changed, or the time has come.
    pub(super) fn are_due(
        &mut self,
        record: &[Entry],
        config: &CollectorConfig,
        agreement: &Agreement,
        now: Timestamp,
    ) -> bool {
        let is_same = self.entries == Some(record.len())
            && self.policy.as_ref().is_some_and(|policy| std::sync::Arc::ptr_eq(policy, &agreement.policy));
        if is_same && self.next.is_none_or(|next| now <= next) {
            return false;
        }
        let found = missed(record, config, &agreement.id, now);
        (self.entries, self.policy, self.next) = (Some(record.len()), Some(agreement.policy.clone()), found.next);
        if found.facts.is_empty() {
            return false;
        }
        // Look again until they are on record.
        self.entries = None;
        true
    }
}

/// The clocks that ran out and are not on record, and when the next one does.
pub(super) struct Found {
    pub(super) facts: Vec<Fact>,
    next: Option<Timestamp>,
}

/// Looks at every incident under the version of the agreement that it began under.
pub(super) fn missed(record: &[Entry], config: &CollectorConfig, id: &AgreementId, now: Timestamp) -> Found {
    let (mut facts, mut next) = (Vec::new(), None::<Timestamp>);
    for incident in incidents(record) {
        let Some(agreement) = version_of(&incident, config, id) else { continue };
        for reading in readings(&incident, &agreement.policy, now) {
            let event = Event::Missed { clock: reading.clock, due_at: reading.due_at };
            match reading.verdict {
                Verdict::Met => {}
                Verdict::Running => next = Some(next.map_or(reading.due_at, |next| next.min(reading.due_at))),
                Verdict::Missed if incident.first(|known| *known == event).is_some() => {}
                Verdict::Missed => facts.push(Fact::Incident { incident: incident.number, event }),
            }
        }
    }
    Found { facts, next }
}

/// The version of the agreement whose promises an incident is held to.
pub(crate) fn version_of<'a>(
    incident: &Incident,
    config: &'a CollectorConfig,
    id: &AgreementId,
) -> Option<&'a Agreement> {
    let mut versions = config.agreements.iter().filter(|agreement| agreement.id == *id);
    versions.find(|agreement| agreement.is_in_force_at(incident.starts_at(&agreement.policy)))
}
