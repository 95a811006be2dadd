//! One customer's services, zone, fees and exclusions under a policy, as values.

use crate::check::{Check, Vantages};
use crate::decimal::{Currency, Money};
use crate::exclusion::Exclusion;
use crate::id::{AgreementId, ServiceId};
use crate::period::{Month, Zone};
use crate::policy::Policy;
use crate::retainer::Retainer;
use crate::standing::Change;
use crate::time::Timestamp;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

/// What one customer was promised.
#[derive(Clone, PartialEq, Debug)]
pub struct Agreement {
    /// Its name.
    pub id: AgreementId,
    /// The customer's name, as it is printed: text from outside.
    pub customer: String,
    /// The zone that its months are months of.
    pub zone: Zone,
    /// The rules it follows.
    pub policy: Arc<Policy>,
    /// The months in which this version of the agreement is in force.
    pub effective: Effective,
    /// How the customer's standing changed, in order; empty: it pays.
    pub standing: Vec<Change>,
    /// Expert work bought by the year.
    pub retainer: Option<Retainer>,
    /// The language its statements are written in.
    pub language: Language,
    /// Whether a credit may be paid.
    pub eligible: Eligible,
    /// What the customer pays.
    pub fees: Option<Fees>,
    /// What was promised.
    pub services: Vec<Service>,
    /// What doesn't count.
    pub exclusions: Vec<Exclusion>,
}

impl Agreement {
    /// Whether `month` is reckoned under this version.
    pub fn is_in_force(&self, month: Month) -> bool {
        let Effective { from, until } = self.effective;
        from.is_none_or(|from| from <= month) && until.is_none_or(|until| month < until)
    }

    /// Whether this version is the one in force at `now`.
    pub fn is_in_force_at(&self, now: Timestamp) -> bool {
        self.effective == Effective::default() || self.is_in_force(Month::containing(now, &self.zone))
    }
}

/// The months in which a version is in force: whole periods, so that no period has two.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Effective {
    /// From this month on; absent: always.
    pub from: Option<Month>,
    /// Until before this month; absent: for good.
    pub until: Option<Month>,
}

/// The language of a statement.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Language {
    /// English.
    #[default]
    English,
    /// Korean.
    Korean,
}

/// Whether a credit may be paid (section 11), as far as the agreement itself says; its standing may
/// forbid it all the same.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Eligible {
    /// It may.
    Yes,
    /// It may not: no bill was issued yet, a trial, or fees are overdue.
    No,
}

/// What the customer pays a month.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fees {
    /// The currency of all of them.
    pub currency: Currency,
    /// The fee of a month that is not listed.
    pub default: Option<Money>,
    /// The fees of single months.
    pub months: BTreeMap<Month, Money>,
}

impl Fees {
    /// The fee of `month`, if one is known.
    pub fn of(&self, month: Month) -> Option<Money> {
        self.months.get(&month).copied().or(self.default)
    }
}

/// A customer's instance or task.
#[derive(Clone, PartialEq, Debug)]
pub struct Service {
    /// Its name, unique among all services.
    pub id: ServiceId,
    /// From when it is promised; absent: always.
    pub from: Option<Timestamp>,
    /// Until when it is promised; absent: for good.
    pub until: Option<Timestamp>,
    /// Who probes it.
    pub agents: Vantages,
    /// How it is looked at.
    pub checks: Vec<Check>,
}
