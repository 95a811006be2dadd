//! Time that an agreement doesn't count (`accounting.md` section 8).

use crate::agreement::Agreement;
use crate::id::ServiceId;
use crate::interval::{Interval, IntervalSet};
use crate::policy::MaintenanceRule;
use crate::standing;
use crate::time::Timestamp;
use alloc::borrow::Cow;
use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

/// A stretch of time that doesn't count, and why.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Exclusion {
    /// The services it is for; absent: all of the agreement.
    pub services: Option<BTreeSet<ServiceId>>,
    /// When.
    pub interval: Interval,
    /// On what ground.
    pub class: Class,
    /// In somebody's words: text from outside.
    pub reason: String,
    /// When the customer was told, for announced maintenance.
    pub told_at: Option<Timestamp>,
    /// Who recorded it, if that is known.
    pub recorded_by: Option<String>,
    /// When it was recorded, if that is known.
    pub recorded_at: Option<Timestamp>,
    /// The number of its entry in the agreement's record; nothing if the configuration holds it.
    pub entry: Option<u64>,
    /// Who approved it, if somebody had to.
    pub approved_by: Option<String>,
    /// Why it has no effect whatever the policy says.
    pub bar: Option<Bar>,
}

/// What the record says against an exclusion.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Bar {
    /// It was claimed afterwards and no second person has approved it.
    NotApproved,
    /// A second person refused it.
    Refused {
        /// Who. Text from outside.
        by: String,
        /// Why. Text from outside.
        reason: String,
    },
    /// A later entry corrects it.
    Superseded {
        /// The later entry.
        by: u64,
    },
    /// It was taken back.
    Withdrawn {
        /// The entry that did.
        by: u64,
    },
}

impl Exclusion {
    /// One for all services, of which nothing more is said and nothing is recorded.
    pub fn new(interval: Interval, class: Class) -> Exclusion {
        Exclusion {
            services: None,
            interval,
            class,
            reason: String::new(),
            told_at: None,
            recorded_by: None,
            recorded_at: None,
            entry: None,
            approved_by: None,
            bar: None,
        }
    }

    /// Whether it is for `service`.
    pub fn covers(&self, service: &ServiceId) -> bool {
        self.services.as_ref().is_none_or(|services| services.contains(service))
    }
}

macro_rules! classes {
    ($($(#[$doc:meta])* $variant:ident = $word:literal,)*) => {
        /// The ground of an exclusion, from the source agreement's list.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum Class { $($(#[$doc])* $variant,)* }

        impl Class {
            /// All classes.
            pub const ALL: &'static [Class] = &[$(Class::$variant,)*];

            /// The word used in files and statements.
            pub fn as_str(self) -> &'static str {
                match self { $(Class::$variant => $word,)* }
            }
        }
    };
}

classes! {
    /// The provider stopped the service for maintenance as it had announced.
    AnnouncedMaintenance = "announced_maintenance",
    /// Natural disaster, war, terror, a nationwide network failure and the like.
    ForceMajeure = "force_majeure",
    /// The customer's or a third party's equipment or software failed.
    CustomerSoftware = "customer_software",
    /// The customer did what was not allowed, or did not do what was needed.
    CustomerAction = "customer_action",
    /// The customer didn't follow the rules or neglected security.
    PolicyBreach = "policy_breach",
    /// Wrong input, or use beyond the agreed limits.
    CustomerInputOrOveruse = "customer_input_or_overuse",
    /// The service was stopped to keep an accident in the customer's system from spreading.
    IncidentContainment = "incident_containment",
    /// Somebody broke in although the lawful protection was in place.
    ExternalIntrusion = "external_intrusion",
    /// The provider suspended or ended the customer's right to use it.
    Suspension = "suspension",
    /// Fees were overdue, or it was a trial or free use.
    UnpaidOrTrial = "unpaid_or_trial",
    /// Something else of this kind that the provider didn't do.
    OtherBeyondControl = "other_beyond_control",
}

impl Class {
    /// The class that `word` names.
    pub fn from_word(word: &str) -> Option<Class> {
        Class::ALL.iter().copied().find(|class| class.as_str() == word)
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// An exclusion held against the policy.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Judged<'a> {
    /// What was recorded, or follows from the customer's standing.
    pub exclusion: Cow<'a, Exclusion>,
    /// What of it counts, within the period: empty if it has no effect.
    pub effective: IntervalSet,
    /// Why all or part of it has no effect.
    pub refusal: Option<Refusal>,
}

/// Why an exclusion has no effect, or less than all of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// The customer was never told.
    NotTold,
    /// The customer was told too late.
    ToldTooLate {
        /// How long before.
        given: Duration,
        /// How long the policy asks for.
        notice: Duration,
    },
    /// The record says so: the exclusion's [`Exclusion::bar`] tells why.
    Barred,
    /// The month's cap on maintenance was used up.
    CapUsedUp {
        /// The cap.
        at_most: Duration,
    },
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::NotTold => write!(f, "the customer was not told"),
            Refusal::Barred => write!(f, "the record says so"),
            Refusal::ToldTooLate { given, notice } => {
                write!(f, "told {} s before it began; the policy asks for {} s", given.as_secs(), notice.as_secs())
            }
            Refusal::CapUsedUp { at_most } => {
                write!(f, "the month's {} s of announced maintenance were used up", at_most.as_secs())
            }
        }
    }
}

/// Holds the exclusions of one service against the policy, over one whole calendar month: those that
/// were recorded, and those that follow from the customer's standing.
///
/// Maintenance has effect in order of time until the month's cap is used up; time that two
/// maintenances share uses the cap once.
pub fn judge<'a>(agreement: &'a Agreement, service: &ServiceId, month: Interval) -> Vec<Judged<'a>> {
    let recorded = agreement.exclusions.iter().map(Cow::Borrowed);
    let of_standing = standing::exclusions(&agreement.standing).into_iter().map(Cow::Owned);
    held(recorded.chain(of_standing), service, month, &agreement.policy.maintenance)
}

fn held<'a>(
    exclusions: impl Iterator<Item = Cow<'a, Exclusion>>,
    service: &ServiceId,
    month: Interval,
    rule: &MaintenanceRule,
) -> Vec<Judged<'a>> {
    let mut judged: Vec<Judged<'a>> = exclusions
        .filter(|exclusion| exclusion.covers(service))
        .filter_map(|exclusion| {
            let within = exclusion.interval.intersection(month)?;
            let barred = exclusion.bar.as_ref().map(|_| Refusal::Barred);
            let refusal = barred.or_else(|| notice_refusal(&exclusion, rule.notice));
            let effective = if refusal.is_some() { IntervalSet::default() } else { IntervalSet::from(within) };
            Some(Judged { exclusion, effective, refusal })
        })
        .collect();
    judged.sort_by_key(|entry| (entry.exclusion.interval, entry.exclusion.class));
    if let Some(at_most) = rule.at_most {
        cap(&mut judged, at_most);
    }
    judged
}

fn notice_refusal(exclusion: &Exclusion, notice: Duration) -> Option<Refusal> {
    if exclusion.class != Class::AnnouncedMaintenance || notice.is_zero() {
        return None;
    }
    let Some(told_at) = exclusion.told_at else { return Some(Refusal::NotTold) };
    let given = exclusion.interval.from().since(told_at);
    (given < notice).then_some(Refusal::ToldTooLate { given, notice })
}

/// Cuts maintenance off where the cap is used up.
fn cap(judged: &mut [Judged<'_>], at_most: Duration) {
    let mut used = IntervalSet::default();
    for entry in judged.iter_mut().filter(|entry| entry.exclusion.class == Class::AnnouncedMaintenance) {
        let mut effective = entry.effective.intersection(&used);
        for piece in entry.effective.difference(&used).iter() {
            let left = at_most.saturating_sub(used.length());
            let granted = Interval::new(piece.from(), piece.until().min(piece.from().plus(left)));
            if granted != Some(piece) {
                entry.refusal = Some(Refusal::CapUsedUp { at_most });
            }
            if let Some(granted) = granted {
                effective = effective.union(&IntervalSet::from(granted));
                used = used.union(&IntervalSet::from(granted));
            }
        }
        entry.effective = effective;
    }
}

/// The union of what has effect.
pub fn effective(judged: &[Judged<'_>]) -> IntervalSet {
    judged.iter().flat_map(|entry| entry.effective.iter()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    const MINUTE: i64 = 60_000;

    fn minutes(from: i64, until: i64) -> Interval {
        Interval::new(Timestamp::from_millis(from * MINUTE), Timestamp::from_millis(until * MINUTE)).unwrap()
    }

    fn maintenance(from: i64, until: i64, told: Option<i64>) -> Exclusion {
        Exclusion {
            told_at: told.map(|at| Timestamp::from_millis(at * MINUTE)),
            ..Exclusion::new(minutes(from, until), Class::AnnouncedMaintenance)
        }
    }

    fn check(exclusions: &[Exclusion], rule: MaintenanceRule) -> (Vec<Option<Refusal>>, Duration) {
        let all = exclusions.iter().map(Cow::Borrowed);
        let judged = held(all, &"s".parse().unwrap(), minutes(0, 44_640), &rule);
        (judged.iter().map(|entry| entry.refusal).collect(), effective(&judged).length())
    }

    fn of_minutes(count: u64) -> Duration {
        Duration::from_secs(60 * count)
    }

    #[test]
    fn maintenance_told_too_late_has_no_effect() {
        let rule = MaintenanceRule { notice: of_minutes(60), at_most: None };
        let told = [maintenance(100, 110, Some(41)), maintenance(200, 210, Some(140)), maintenance(300, 310, None)];
        let late = Refusal::ToldTooLate { given: of_minutes(59), notice: of_minutes(60) };
        assert_eq!(check(&told, rule), (vec![Some(late), None, Some(Refusal::NotTold)], of_minutes(10)));
    }

    #[test]
    fn a_policy_without_notice_asks_for_none() {
        assert_eq!(check(&[maintenance(5, 9, None)], MaintenanceRule::default()), (vec![None], of_minutes(4)));
    }

    #[test]
    fn the_cap_is_used_up_in_order_of_time_and_shared_time_uses_it_once() {
        let rule = MaintenanceRule { notice: Duration::ZERO, at_most: Some(of_minutes(30)) };
        let all = [maintenance(200, 220, None), maintenance(100, 120, None), maintenance(110, 125, None)];
        let cut = Refusal::CapUsedUp { at_most: of_minutes(30) };
        assert_eq!(check(&all, rule), (vec![None, None, Some(cut)], of_minutes(30)));
    }

    #[test]
    fn other_grounds_need_no_notice_and_use_no_cap() {
        let rule = MaintenanceRule { notice: of_minutes(60), at_most: Some(Duration::ZERO) };
        let storm = Exclusion { class: Class::ForceMajeure, ..maintenance(5, 10, None) };
        assert_eq!(check(&[storm], rule), (vec![None], of_minutes(5)));
    }
}
