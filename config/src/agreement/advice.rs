//! What is doubtful about an agreement under its policy, and the objectives that must exist.

use super::ServiceDraft;
use crate::check::{CheckDraft, Named};
use crate::reading::words::{listed, nearest};
use crate::reading::{Placed, Reading};
use crate::scalar::duration_text;
use crate::source::Span;
use rules::agreement::Fees;
use rules::check::{Counts, Target};
use rules::exclusion::{Class, Exclusion};
use rules::id::{ObjectiveId, ServiceId};
use rules::policy::{Need, Policy};
use rules::standing::{Change, Standing};

/// Warns about a service that nobody looks at, as a whole or from an agent that a check names.
pub(super) fn probed(service: &Placed<ServiceId>, agents: &Named, checks: &[CheckDraft], reading: &mut Reading) {
    let id = &service.value;
    if !checks.iter().any(|draft| draft.check.counts == Counts::Yes) {
        let message = format!("service `{id}` has no check that counts, so its availability is never known; add one");
        reading.warn(service.at, message);
    }
    let Named::Only(allowed) = agents else { return };
    for Placed { at, value: agent } in checks.iter().flat_map(|draft| draft.agents.listed()) {
        if !allowed.iter().any(|allowed| allowed.value == *agent) {
            let message = format!(
                "agent `{agent}` is not among the agents of service `{id}`, so it never probes this check; add it there"
            );
            reading.warn(*at, message);
        }
    }
}

/// Holds the checks against the policy's objectives and outage rule.
pub(super) fn services(services: &[ServiceDraft], policy: &Policy, policy_at: Span, reading: &mut Reading) {
    for service in services {
        enough_agents(service, policy, reading);
    }
    let checks = || services.iter().flat_map(|service| &service.checks);
    for draft in checks() {
        known_objective(draft, policy, reading);
        often_enough(draft, policy, reading);
    }
    let is_measured = |id: &ObjectiveId| checks().any(|draft| draft.check.objective.as_ref() == Some(id));
    let objectives = policy.latency.iter().map(|objective| &objective.id);
    let unmeasured: Vec<&str> = objectives.filter(|id| !is_measured(id)).map(ObjectiveId::as_str).collect();
    if !unmeasured.is_empty() {
        let (objectives, are) = if unmeasured.len() == 1 { ("objective", "it is") } else { ("objectives", "they are") };
        let message = format!(
            "no check of this agreement names the latency {objectives} {} of policy `{}`, so {are} never measured; add the key `objective` to a check",
            listed(&unmeasured),
            policy.id
        );
        reading.warn(policy_at, message);
    }
}

/// Warns about a promise of backups that nothing reports.
pub(super) fn backups(services: &[ServiceDraft], policy: &Policy, policy_at: Span, reading: &mut Reading) {
    let mut checks = services.iter().flat_map(|service| &service.checks);
    if policy.backup.is_some() && !checks.any(|draft| matches!(draft.check.target, Target::Heartbeat(_))) {
        let message = format!(
            "policy `{}` promises backups and no check of this agreement is a `heartbeat`, so they are never measured; add one that the backup reports to",
            policy.id
        );
        reading.warn(policy_at, message);
    }
}

/// Warns when a service can never be down because fewer agents look than the policy asks for.
fn enough_agents(draft: &ServiceDraft, policy: &Policy, reading: &mut Reading) {
    let outage = &policy.availability.outage;
    let asked = match outage.need {
        Need::Count(count) => count.max(outage.min_agents),
        Need::All | Need::Majority => outage.min_agents,
    };
    let Some(agents) = draft.agents else { return };
    if u32::try_from(agents).is_ok_and(|agents| agents < asked) {
        let (id, policy) = (&draft.service.id, &policy.id);
        let message = format!(
            "policy `{policy}` asks for {asked} agents to call service `{id}` down and it has {agents}, so it is never down; name more agents, or ask for fewer"
        );
        reading.warn(draft.id_at, message);
    }
}

fn known_objective(draft: &CheckDraft, policy: &Policy, reading: &mut Reading) {
    let Some(named) = &draft.check.objective else { return };
    let known: Vec<&str> = policy.latency.iter().map(|objective| objective.id.as_str()).collect();
    if known.contains(&named.as_str()) {
        return;
    }
    let right = match nearest(named.as_str(), known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("its objectives are {}", listed(&known)),
    };
    let message = format!("policy `{}` has no latency objective `{named}`; {right}", policy.id);
    reading.problem::<()>(draft.objective_at, message);
}

/// Warns when the distance of probes blurs what an outage is (`accounting.md`, sections 4 and 6).
fn often_enough(draft: &CheckDraft, policy: &Policy, reading: &mut Reading) {
    let (every, at_least) = (draft.check.every, policy.availability.outage.at_least);
    if draft.check.counts == Counts::No || every.saturating_mul(2) < at_least {
        return;
    }
    let id = &draft.check.id;
    let (shown, outage) = (duration_text(every), duration_text(at_least));
    let message = if at_least <= every {
        format!(
            "check `{id}` probes every {shown} and the policy calls {outage} an outage: one failed probe alone makes an outage, and one of {outage} can pass unseen; probe more than twice within {outage}"
        )
    } else {
        format!(
            "check `{id}` probes every {shown} and the policy calls {outage} an outage: one failed probe followed by a missed one makes an outage; probe more than twice within {outage}"
        )
    };
    reading.warn(draft.every_at, message);
}

/// Warns about announced maintenance that has no effect because of when the customer was told.
pub(super) fn exclusions<'a>(
    exclusions: impl Iterator<Item = &'a Placed<Exclusion>>,
    policy: &Policy,
    reading: &mut Reading,
) {
    let notice = policy.maintenance.notice;
    for Placed { at, value: exclusion } in exclusions {
        if exclusion.class != Class::AnnouncedMaintenance || notice.is_zero() {
            continue;
        }
        let asked = duration_text(notice);
        let (policy, from) = (&policy.id, exclusion.interval.from());
        match exclusion.told_at {
            None => {
                let message = format!(
                    "policy `{policy}` asks for {asked} of notice and `told_at` is missing, so this maintenance has no effect; add it"
                );
                reading.warn(*at, message);
            }
            Some(told_at) if from.minus(notice) < told_at => {
                let given = duration_text(from.since(told_at));
                let message = format!(
                    "policy `{policy}` asks for {asked} of notice and the customer was told {given} before, so this maintenance has no effect"
                );
                reading.warn(*at, message);
            }
            Some(_) => {}
        }
    }
}

/// Warns when a credit could be owed and nobody knows of what.
pub(super) fn fees(fees: Option<&Fees>, policy: &Policy, at: Span, reading: &mut Reading) {
    if fees.is_none() && policy.credits.as_ref().is_some_and(|credits| !credits.tiers.is_empty()) {
        let message = format!(
            "policy `{}` gives credits and this agreement has no `fees`, so no amount can be reckoned; add them",
            policy.id
        );
        reading.warn(at, message);
    }
}

/// Warns about a standing after which nothing happens.
pub(super) fn standing(changes: &[Placed<Change>], policy: &Policy, reading: &mut Reading) {
    let rule = &policy.standing;
    for Placed { at, value: change } in changes {
        let is_without_end = match change.standing {
            Standing::Trial => rule.trial.is_none(),
            Standing::Overdue => {
                [rule.screens_stop, rule.collection_stops, rule.data_deleted].iter().all(Option::is_none)
            }
            Standing::Paid | Standing::Terminated => false,
        };
        if is_without_end {
            let (policy, standing) = (&policy.id, change.standing.as_str());
            let message = format!(
                "policy `{policy}` says nothing about `{standing}`, so nothing ever stops for this customer; add `standing` to the policy if something should"
            );
            reading.warn(*at, message);
        }
    }
}
