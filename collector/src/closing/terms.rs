//! What a month is drawn up under: the version of the agreement that is in force, and what stands on
//! its record.
//!
//! It is a function of the versions and of the entries it is given. Of a record's first entries it
//! makes what was known then, so that an earlier statement can be drawn up again.

use config::collector::CollectorConfig;
use config::collector::evidence::GRACE_DEFAULT;
use rules::agreement::Agreement;
use rules::id::AgreementId;
use rules::period::Month;
use rules::policy::Policy;
use rules::record::exclusions::exclusions;
use rules::record::{Entry, in_order, standings};
use std::sync::Arc;
use std::time::Duration;

/// An agreement's terms for one month.
#[derive(Clone, PartialEq, Debug)]
pub struct Terms {
    /// The version in force, with the exclusions and standings that stand on record among its own.
    pub agreement: Agreement,
    /// The record itself, in order.
    pub record: Vec<Entry>,
    /// How long after the period's end evidence is waited for.
    pub grace: Duration,
}

impl Terms {
    /// The terms of an agreement that nothing is on record about: for evidence without a ledger.
    pub fn new(agreement: Agreement) -> Terms {
        Terms { agreement, record: Vec::new(), grace: GRACE_DEFAULT }
    }

    /// The terms of the version of `id` that is in force in `month`, with `record` joined to what the
    /// configuration says; nothing if no version is. Where the two name one instant for a change of
    /// standing, the record's counts.
    pub fn of(config: &CollectorConfig, record: &[Entry], id: &AgreementId, month: Month) -> Option<Terms> {
        let version = config.agreement(id.as_str(), month)?;
        Some(Terms { agreement: joined(version, record), record: record.to_vec(), grace: config.closing.grace })
    }

    /// The same terms under another policy: the record is heard as it was.
    pub fn under(&self, policy: Arc<Policy>) -> Terms {
        Terms { agreement: Agreement { policy, ..self.agreement.clone() }, ..self.clone() }
    }
}

/// A version of an agreement with what stands on `record` among its own exclusions and standings; what
/// it has of a record already is left behind.
pub fn joined(version: &Agreement, record: &[Entry]) -> Agreement {
    let mut agreement = version.clone();
    agreement.exclusions.retain(|exclusion| exclusion.entry.is_none());
    agreement.exclusions.extend(exclusions(record));
    agreement.standing = in_order(agreement.standing.into_iter().chain(standings(record)));
    agreement
}
