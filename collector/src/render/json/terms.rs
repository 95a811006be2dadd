//! Everything that a statement was reckoned from but the evidence: with it anyone can draw the month
//! up again from results alone.
//!
//! Written as configuration writes it (`5m`, `99.9`), and read back by whoever verifies. A target is
//! shown without what could be a secret; nothing that a figure depends on is left out.

mod agreement;
mod policy;
mod services;
mod written;

use crate::closing::IncidentMonth;
use crate::closing::terms::Terms;
use crate::record::body;
use agreement::{AgreementView, ExclusionTerms};
use policy::PolicyView;
use rules::record::{Entry, Fact};
use rules::time::Timestamp;
use serde::{Deserialize, Serialize};
use services::ServiceTerms;
use std::collections::BTreeSet;
use std::sync::Arc;
use written::{Length, Text};

/// The terms as they stand in a statement's JSON.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TermsView {
    grace: Length,
    agreement: AgreementView,
    policy: PolicyView,
    services: Vec<ServiceTerms>,
    exclusions: Vec<ExclusionTerms>,
    /// What was heard of the record beyond exclusions and standings: incidents of the period and, under
    /// a retainer, effort.
    record: Vec<EntryTerms>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct EntryTerms {
    number: u64,
    recorded_at: Text<Timestamp>,
    recorded_by: String,
    /// The fact, as it lies in the ledger: JSON as a text, so that not a byte of it is another.
    fact: String,
}

/// Why terms can't be what they say they are.
#[derive(Debug, thiserror::Error)]
pub enum NotTerms {
    /// A check is of no known kind.
    #[error("`{0}` is no kind of check")]
    Kind(String),
    /// A stretch of time ends before it begins.
    #[error("a stretch from {from} until {until} has no length")]
    Stretch {
        /// From when.
        from: String,
        /// Until when.
        until: String,
    },
    /// A zone is none of the database's.
    #[error("`{0}` is no time zone")]
    Zone(String),
    /// An entry on record can't be read.
    #[error("entry {number} on record {why}")]
    Entry {
        /// Its number.
        number: u64,
        /// Why not.
        why: crate::record::body::Unreadable,
    },
    /// A number that can't be zero is.
    #[error("`truncate_below` is 0; amounts are cut down to a multiple of at least 1")]
    Zero,
}

impl TermsView {
    /// How `terms` are written in a statement about these `incidents`.
    pub fn of(terms: &Terms, incidents: &[IncidentMonth]) -> TermsView {
        let Terms { agreement, record, grace } = terms;
        let incidents: BTreeSet<u64> = incidents.iter().map(|month| month.incident.number).collect();
        let matters = |entry: &&Entry| match &entry.fact {
            Fact::Incident { incident, .. } => incidents.contains(incident),
            Fact::Effort(_) => agreement.retainer.is_some(),
            Fact::Exclusion { .. }
            | Fact::Withdrawal { .. }
            | Fact::Approval { .. }
            | Fact::Refusal { .. }
            | Fact::Standing(_)
            | Fact::Issue { .. }
            | Fact::Disposal(_) => false,
        };
        TermsView {
            grace: Length(*grace),
            agreement: AgreementView::of(agreement),
            policy: PolicyView::of(&agreement.policy),
            services: agreement.services.iter().map(ServiceTerms::of).collect(),
            exclusions: agreement.exclusions.iter().map(ExclusionTerms::of).collect(),
            record: record.iter().filter(matters).map(EntryTerms::of).collect(),
        }
    }

    /// The terms that are written.
    pub fn terms(self) -> Result<Terms, NotTerms> {
        let policy = Arc::new(self.policy.policy()?);
        let services = self.services.into_iter().map(ServiceTerms::service).collect::<Result<_, _>>()?;
        let exclusions = self.exclusions.into_iter().map(ExclusionTerms::exclusion).collect::<Result<_, _>>()?;
        let agreement = self.agreement.agreement(policy, services, exclusions)?;
        let record = self.record.into_iter().map(EntryTerms::entry).collect::<Result<_, _>>()?;
        Ok(Terms { agreement, record, grace: self.grace.0 })
    }
}

impl EntryTerms {
    fn of(entry: &Entry) -> EntryTerms {
        let Entry { number, recorded_at, recorded_by, fact } = entry;
        EntryTerms {
            number: *number,
            recorded_at: Text(*recorded_at),
            recorded_by: recorded_by.clone(),
            fact: body::write(fact),
        }
    }

    fn entry(self) -> Result<Entry, NotTerms> {
        let EntryTerms { number, recorded_at, recorded_by, fact } = self;
        let fact = body::read(&fact).map_err(|why| NotTerms::Entry { number, why })?;
        Ok(Entry { number, recorded_at: recorded_at.0, recorded_by, fact })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn again(terms: &Terms) -> Terms {
        let text = serde_json::to_string(&TermsView::of(terms, &[])).unwrap();
        serde_json::from_str::<TermsView>(&text).unwrap().terms().unwrap()
    }

    #[test]
    fn terms_are_read_back_as_they_are_written() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hostile");
        let config = config::collector::load(&folder.join("collector.yaml")).unwrap().value;
        let mut terms = Terms::new(config.agreements[0].clone());
        for service in &mut terms.agreement.services {
            for check in &mut service.checks {
                check.reprobe = None;
            }
        }
        let mut back = again(&terms);
        let services = back.agreement.services.iter_mut().zip(&terms.agreement.services);
        for (read, own) in services.flat_map(|(read, own)| read.checks.iter_mut().zip(&own.checks)) {
            // Reckoning asks of a target only what kind it is; its address is there to be read.
            assert_eq!((read.target.kind(), read.target.address()), (own.target.kind(), own.target.address()));
            read.target = own.target.clone();
        }
        assert_eq!(back, terms);
    }

    #[test]
    fn a_query_of_a_url_is_not_told_and_what_is_told_stays() {
        let config = "agents: []\nagreements: [{ agreement: a, zone: UTC, policy: p, services: [{ service: s, checks: [{ check: c, http: 'https://h/p?token=secret' }] }] }]\npolicies: [{ policy: p, availability: { objective: 99 } }]";
        let config = config::collector::parse(config, "c.yaml", Path::new(".")).unwrap().value;
        let terms = Terms::new(config.agreements[0].clone());
        let once = serde_json::to_string(&TermsView::of(&terms, &[])).unwrap();
        assert!(once.contains("https://h/p?…") && !once.contains("secret"), "{once}");
        assert_eq!(serde_json::to_string(&TermsView::of(&again(&terms), &[])).unwrap(), once);
    }
}
