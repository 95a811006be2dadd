//! What is doubtful about an agreement under its policy, and the objectives that must exist.

use super::ServiceDraft;
use crate::check::CheckDraft;
use crate::reading::{Reading, listed, nearest};
use crate::scalar::duration_text;
use crate::source::Span;
use rules::agreement::Fees;
use rules::check::Counts;
use rules::policy::Policy;

/// Holds the checks against the policy's objectives and outage rule.
pub(super) fn services(services: &[ServiceDraft], policy: &Policy, policy_at: Span, reading: &mut Reading) {
    let checks = || services.iter().flat_map(|service| &service.checks);
    for draft in checks() {
        known_objective(draft, policy, reading);
        often_enough(draft, policy, reading);
    }
    for objective in &policy.latency {
        if !checks().any(|draft| draft.check.objective.as_ref() == Some(&objective.id)) {
            let message = format!(
                "objective `{}` of policy `{}` is named by no check of this agreement, so it is never measured; add `objective: {}` to a check",
                objective.id, policy.id, objective.id
            );
            reading.warn(policy_at, message);
        }
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
