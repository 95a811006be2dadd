//! Which terms hold in which month: every version of an agreement under every version of its policy
//! that meets it.
//!
//! What is agreed has versions: services, policy, fees, retainer. What happened has none: exclusions
//! and standings hold for all versions of their agreement, whichever of them lists them.

use super::{AgreementDraft, Agreements, advice};
use crate::policy::PolicyDraft;
use crate::reading::{Placed, Reading};
use rules::agreement::{Agreement, Effective};
use rules::credit;
use rules::exclusion::Exclusion;
use rules::id::AgreementId;
use rules::period::Month;
use rules::standing::Change;
use std::collections::BTreeMap;

/// How many months before a version the fees of the versions before it still matter: the mean of
/// three months looks at two.
const MONTHS_LOOKED_BACK: usize = 2;

impl Agreements {
    /// One value for each stretch of months with terms of its own, those of one agreement in order of
    /// time, agreements in the order in which they first came.
    pub(crate) fn resolve(&self, drafts: Vec<AgreementDraft>, reading: &mut Reading) -> Vec<Agreement> {
        let mut order: Vec<AgreementId> = Vec::new();
        let mut versions: BTreeMap<AgreementId, Vec<AgreementDraft>> = BTreeMap::new();
        for draft in drafts {
            let id = draft.id.value.clone();
            let known = versions.entry(id.clone()).or_default();
            if known.is_empty() {
                order.push(id);
            }
            known.push(draft);
        }
        order.iter().filter_map(|id| versions.remove(id)).flat_map(|versions| resolved(versions, reading)).collect()
    }
}

fn resolved(mut versions: Vec<AgreementDraft>, reading: &mut Reading) -> Vec<Agreement> {
    versions.sort_by_key(|version| version.effective_from);
    one_zone(&versions, reading);
    let exclusions: Vec<Placed<Exclusion>> = versions.iter().flat_map(|version| version.exclusions.clone()).collect();
    let standing = standing(&versions, reading);
    let untils: Vec<Option<Month>> = versions.iter().skip(1).map(|next| next.effective_from).chain([None]).collect();
    let mut stretches: Vec<Agreement> = Vec::new();
    for (version, until) in versions.iter().zip(untils) {
        let own = Effective { from: version.effective_from, until };
        let under = meeting(&version.policies, own);
        covered(version, own, &under, reading);
        for (effective, policy) in under {
            let stretch = version.under(policy, effective, &exclusions, &standing);
            version.advise(&stretch, &exclusions, reading);
            stretches.push(stretch);
        }
    }
    for index in 1..stretches.len() {
        let (earlier, later) = stretches.split_at_mut(index);
        remember_fees(earlier, &mut later[0]);
    }
    stretches
}

/// Each of `policies` with the months in which it is in force within `own`; none twice, in order.
fn meeting(policies: &[PolicyDraft], own: Effective) -> Vec<(Effective, &PolicyDraft)> {
    let untils = policies.iter().skip(1).map(|next| next.effective_from).chain([None]);
    let within = policies.iter().zip(untils).filter_map(|(policy, until)| {
        let from = own.from.max(policy.effective_from);
        let until = match (own.until, until) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
        let holds_any = until.is_none_or(|until| from.is_none_or(|from| from < until));
        holds_any.then_some((Effective { from, until }, policy))
    });
    within.collect()
}

/// Warns about months in which an agreement is in force and its policy is not.
fn covered(version: &AgreementDraft, own: Effective, under: &[(Effective, &PolicyDraft)], reading: &mut Reading) {
    let (agreement, at) = (&version.id.value, version.policy_at);
    let Some(first) = version.policies.first() else { return };
    let (policy, begins) = (&first.policy.id, first.effective_from);
    let Some((effective, _)) = under.first() else {
        let (begins, until) = (shown(begins), shown(own.until));
        let message = format!(
            "this version of agreement `{agreement}` never applies: it is in force until {until}, and policy `{policy}` only from {begins} on; give the policy an earlier version"
        );
        reading.warn(at, message);
        return;
    };
    if own.from < effective.from {
        let (since, begins) = (own.from.map_or_else(|| "always".to_owned(), |month| month.to_string()), shown(begins));
        let message = format!(
            "agreement `{agreement}` is in force from {since} on and policy `{policy}` only from {begins} on; no month before that can be reckoned: leave `effective_from` out of the policy's first version, or add it to the agreement's"
        );
        reading.warn(at, message);
    }
}

fn shown(month: Option<Month>) -> String {
    month.map_or_else(String::new, |month| month.to_string())
}

/// Refuses versions in different zones: their months would overlap, or leave a hole.
fn one_zone(versions: &[AgreementDraft], reading: &mut Reading) {
    for pair in versions.windows(2) {
        let (earlier, later) = (&pair[0].zone.value, &pair[1].zone);
        if *earlier != later.value {
            let message = format!(
                "this version is in zone `{}` and the one before it in `{}`, so months would overlap or leave a hole; keep the zone, or begin an agreement of another name",
                later.value.name(),
                earlier.name()
            );
            reading.problem::<()>(later.at, message);
        }
    }
}

/// The changes that any version lists, in order of time.
fn standing(versions: &[AgreementDraft], reading: &mut Reading) -> Vec<Change> {
    let of_version = |(index, version): (usize, &AgreementDraft)| {
        version.standing.iter().map(|change| (index, *change)).collect::<Vec<_>>()
    };
    let mut changes: Vec<(usize, Placed<Change>)> = versions.iter().enumerate().flat_map(of_version).collect();
    changes.sort_by_key(|(_, change)| change.value.from);
    for pair in changes.windows(2) {
        let ((one, earlier), (other, later)) = (&pair[0], &pair[1]);
        let differs = earlier.value.standing != later.value.standing;
        if earlier.value.from == later.value.from && one != other && differs {
            let message =
                "another version of this agreement says of the same instant that the standing is another; keep one";
            reading.problem::<()>(later.at, message);
        }
    }
    let mut changes: Vec<Change> = changes.into_iter().map(|(_, change)| change.value).collect();
    changes.dedup();
    changes
}

impl AgreementDraft {
    fn under(
        &self,
        policy: &PolicyDraft,
        effective: Effective,
        exclusions: &[Placed<Exclusion>],
        standing: &[Change],
    ) -> Agreement {
        Agreement {
            id: self.id.value.clone(),
            customer: self.customer.clone().unwrap_or_else(|| self.id.value.as_str().to_owned()),
            zone: self.zone.value.clone(),
            policy: policy.policy.clone(),
            effective,
            standing: standing.to_vec(),
            retainer: self.retainer.clone(),
            language: self.language,
            eligible: self.eligible,
            fees: self.fees.clone(),
            services: self.services.iter().map(|draft| draft.service.clone()).collect(),
            exclusions: exclusions.iter().map(|placed| placed.value.clone()).collect(),
        }
    }

    /// What is doubtful about this version under one version of its policy.
    fn advise(&self, stretch: &Agreement, exclusions: &[Placed<Exclusion>], reading: &mut Reading) {
        let policy = &stretch.policy;
        advice::services(&self.services, policy, self.policy_at, reading);
        advice::backups(&self.services, policy, self.policy_at, reading);
        let begins_within = |placed: &&Placed<Exclusion>| stretch.is_in_force_at(placed.value.interval.from());
        advice::exclusions(exclusions.iter().filter(begins_within), policy, reading);
        advice::fees(self.fees.as_ref(), policy, self.id.at, reading);
        advice::standing(&self.standing, policy, reading);
    }
}

/// Writes down in `later` what was due in the months before it, under the versions then in force: a
/// mean over three months looks back across a change of version.
fn remember_fees(earlier: &[Agreement], later: &mut Agreement) {
    let (Some(from), Some(fees)) = (later.effective.from, later.fees.as_mut()) else { return };
    let before = std::iter::successors(Some(from.previous()), |month| Some(month.previous()));
    for month in before.take(MONTHS_LOOKED_BACK) {
        let then = earlier.iter().find(|version| version.is_in_force(month));
        let same_currency = then.and_then(|then| then.fees.as_ref()).is_some_and(|then| then.currency == fees.currency);
        if let Some(fee) = then.filter(|_| same_currency).and_then(|then| credit::due(then, month)) {
            fees.months.entry(month).or_insert(fee);
        }
    }
}
