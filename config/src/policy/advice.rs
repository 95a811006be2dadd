//! What is doubtful about a policy's tiers: never an error, since the source agreement has all of it.

use super::{PolicyDraft, band};
use crate::reading::{Placed, Reading};
use rules::decimal::Percent;
use rules::policy::Tier;

/// Warns about tiers that overlap, bands that earn nothing and tiers above the objective.
pub(crate) fn tiers(draft: &PolicyDraft, reading: &mut Reading) {
    overlaps(&draft.tiers, reading);
    let objective = draft.policy.availability.objective;
    above(&draft.tiers, objective, reading);
    without_credit(draft, objective, reading);
}

fn bounds(tier: &Tier) -> (Percent, Percent) {
    (tier.from.unwrap_or(Percent::ZERO), tier.below)
}

fn overlaps(tiers: &[Placed<Tier>], reading: &mut Reading) {
    for (index, later) in tiers.iter().enumerate() {
        for earlier in &tiers[..index] {
            let ((from_a, below_a), (from_b, below_b)) = (bounds(&earlier.value), bounds(&later.value));
            let (from, below) = (from_a.max(from_b), below_a.min(below_b));
            if from < below {
                let highest = earlier.value.percent.max(later.value.percent);
                let message = format!(
                    "the tiers {} ({} %) and {} ({} %) overlap from {}; there the highest percent applies, {highest} %",
                    band(from_a, below_a),
                    earlier.value.percent,
                    band(from_b, below_b),
                    later.value.percent,
                    band(from, below),
                );
                reading.warn(later.at, message);
            }
        }
    }
}

fn above(tiers: &[Placed<Tier>], objective: Percent, reading: &mut Reading) {
    for Placed { at, value: tier } in tiers {
        if objective < tier.below {
            let band = band(tier.from.unwrap_or(Percent::ZERO).max(objective), tier.below);
            let message = format!(
                "this tier gives {} % from {band} although the objective of {objective} is met there; let it end at {objective}, or raise the objective",
                tier.percent
            );
            reading.warn(*at, message);
        }
    }
}

/// Bands below the objective that no tier covers.
fn without_credit(draft: &PolicyDraft, objective: Percent, reading: &mut Reading) {
    let Some(first) = draft.tiers.first() else { return };
    let mut covered: Vec<(Percent, Percent)> = draft.tiers.iter().map(|tier| bounds(&tier.value)).collect();
    covered.sort();
    covered.push((objective, objective));
    let mut reached = Percent::ZERO;
    for (from, below) in covered {
        if reached < from.min(objective) {
            let band = band(reached, from.min(objective));
            let message = format!(
                "availability from {band} misses the objective of {objective} and earns no credit; add a tier for it if that is not what was agreed"
            );
            reading.warn(first.at, message);
        }
        reached = reached.max(below);
    }
}
