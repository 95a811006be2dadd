//! What a customer is to the provider: on trial, paying, overdue, gone; and what follows from it.
//!
//! Time on trial and time overdue don't count (class `unpaid_or_trial`), and the policy says when
//! screens stop, collection stops and data is deleted.

use crate::exclusion::{Class, Exclusion};
use crate::interval::Interval;
use crate::period::Zone;
use crate::time::Timestamp;
use alloc::vec::Vec;
use core::time::Duration;

/// What a customer is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Standing {
    /// Trying it without paying.
    Trial,
    /// Paying.
    Paid,
    /// A bill is due since the instant at which this began, and not paid.
    Overdue,
    /// The agreement has ended.
    Terminated,
}

impl Standing {
    /// All standings.
    pub const ALL: &'static [Standing] = &[Standing::Trial, Standing::Paid, Standing::Overdue, Standing::Terminated];

    /// The word used in files and statements.
    pub fn as_str(self) -> &'static str {
        match self {
            Standing::Trial => "trial",
            Standing::Paid => "paid",
            Standing::Overdue => "overdue",
            Standing::Terminated => "terminated",
        }
    }

    /// The standing that `word` names.
    pub fn from_word(word: &str) -> Option<Standing> {
        Standing::ALL.iter().copied().find(|standing| standing.as_str() == word)
    }
}

/// From an instant on the customer's standing is another.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Change {
    /// From when: the beginning of the trial, the first day paid for, the day a bill was due, the end.
    pub from: Timestamp,
    /// What it is from then on.
    pub standing: Standing,
}

/// What a policy does about standings; what is absent never happens.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct StandingRule {
    /// How long a trial lasts; at its end screens and collection stop and data is deleted.
    pub trial: Option<Duration>,
    /// How long after a bill was due screens stop.
    pub screens_stop: Option<Duration>,
    /// How long after a bill was due collection stops.
    pub collection_stops: Option<Duration>,
    /// How long after a bill was due data is deleted.
    pub data_deleted: Option<Duration>,
    /// How long after the agreement ended data is deleted.
    pub terminated_deleted: Option<Duration>,
}

/// A stretch of one standing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stretch {
    /// When.
    pub interval: Interval,
    /// What the customer was.
    pub standing: Standing,
}

/// What a customer may have at an instant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Access {
    /// Whether screens are shown.
    pub screens: Granted,
    /// Whether agents look.
    pub collection: Granted,
    /// Whether data is kept.
    pub data: Granted,
}

/// Whether something is granted, and if not, since when it isn't.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Granted {
    /// It is.
    Yes,
    /// It is not, since this instant.
    Stopped(Timestamp),
}

/// Who stands as the recorder of exclusions that follow from standing alone.
pub const RECORDED_BY: &str = "standing";

/// The stretches of standing within `within`, in order; none if nothing is known: then the customer
/// pays.
///
/// A customer whose first change is a bill that was due, or the end, paid before it; one whose first
/// change is a trial or the first day paid for was no customer before.
pub fn stretches(changes: &[Change], within: Interval) -> Vec<Stretch> {
    let settled = settled(changes);
    let before = settled.first().filter(|first| matches!(first.standing, Standing::Overdue | Standing::Terminated));
    let before = before.map(|_| Change { from: Timestamp::MIN, standing: Standing::Paid });
    let all: Vec<Change> = before.into_iter().chain(settled).collect();
    let untils = all.iter().skip(1).map(|next| next.from).chain([Timestamp::MAX]);
    let stretch = |(change, until): (&Change, Timestamp)| {
        let interval = Interval::new(change.from, until)?.intersection(within)?;
        Some(Stretch { interval, standing: change.standing })
    };
    all.iter().zip(untils).filter_map(stretch).collect()
}

/// The changes as they hold: in order of time; of several from one instant the last given, which
/// corrects the others; without those that change nothing, so that a second bill that is due does not
/// begin the count of days anew.
fn settled(changes: &[Change]) -> Vec<Change> {
    let mut ordered = changes.to_vec();
    ordered.sort_by_key(|change| change.from);
    let mut settled: Vec<Change> = Vec::new();
    for change in ordered {
        settled.pop_if(|last| last.from == change.from);
        if settled.last().is_none_or(|last| last.standing != change.standing) {
            settled.push(change);
        }
    }
    settled
}

/// When the agreement ended, if it did and was not taken up again.
pub fn ended(changes: &[Change]) -> Option<Timestamp> {
    settled(changes).last().filter(|last| last.standing == Standing::Terminated).map(|last| last.from)
}

/// The time that doesn't count because of standing: trials, time overdue, and time for which an
/// agreement had ended before it was taken up again.
pub fn exclusions(changes: &[Change]) -> Vec<Exclusion> {
    let ended = ended(changes);
    let all = stretches(changes, Interval::ALWAYS);
    let excluded = all.into_iter().filter_map(|Stretch { interval, standing }| {
        let (class, reason) = match standing {
            Standing::Trial => (Class::UnpaidOrTrial, "trial"),
            Standing::Overdue => (Class::UnpaidOrTrial, "fees overdue"),
            Standing::Terminated if ended != Some(interval.from()) => (Class::Suspension, "the agreement had ended"),
            Standing::Terminated | Standing::Paid => return None,
        };
        Some(Exclusion {
            reason: reason.into(),
            recorded_by: Some(RECORDED_BY.into()),
            ..Exclusion::new(interval, class)
        })
    });
    excluded.collect()
}

/// What a customer may have at `now`.
pub fn access(changes: &[Change], rule: &StandingRule, now: Timestamp) -> Access {
    let since_then = settled(changes);
    let Some(Change { from, standing }) = since_then.iter().rev().find(|change| change.from <= now).copied() else {
        return Access { screens: Granted::Yes, collection: Granted::Yes, data: Granted::Yes };
    };
    let after = |length: Option<Duration>| match length.map(|length| from.plus(length)) {
        Some(at) if at <= now => Granted::Stopped(at),
        Some(_) | None => Granted::Yes,
    };
    match standing {
        Standing::Paid => Access { screens: Granted::Yes, collection: Granted::Yes, data: Granted::Yes },
        Standing::Trial => {
            Access { screens: after(rule.trial), collection: after(rule.trial), data: after(rule.trial) }
        }
        Standing::Overdue => Access {
            screens: after(rule.screens_stop),
            collection: after(rule.collection_stops),
            data: after(rule.data_deleted),
        },
        Standing::Terminated => Access {
            screens: Granted::Stopped(from),
            collection: Granted::Stopped(from),
            data: after(rule.terminated_deleted),
        },
    }
}

/// The instants at which what a customer may have can change, in no order.
pub fn turns(changes: &[Change], rule: &StandingRule) -> impl Iterator<Item = Timestamp> {
    let StandingRule { trial, screens_stop, collection_stops, data_deleted, terminated_deleted } = *rule;
    let lengths = [Some(Duration::ZERO), trial, screens_stop, collection_stops, data_deleted, terminated_deleted];
    changes.iter().flat_map(move |change| lengths.into_iter().flatten().map(|length| change.from.plus(length)))
}

/// Why a customer gets no credit for a period.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ineligible {
    /// It was on trial at the period's end.
    Trial,
    /// A bill was overdue at the period's end.
    Overdue,
    /// At the period's end it had not paid for a month yet, so no bill for a month was issued.
    PaidTooShort {
        /// Since when it pays; nothing if it has not begun.
        since: Option<Timestamp>,
    },
}

/// Whether a customer may get a credit for a period that ends at `end`, as far as its standing goes.
///
/// It must have used the service against payment for at least a calendar month by then, which is when
/// the first bill is issued. Time overdue was to be paid for, so it is part of that month; a trial is
/// not. What comes after an agreement's end changes nothing for the time before.
pub fn eligible(changes: &[Change], end: Timestamp, zone: &Zone) -> Result<(), Ineligible> {
    if changes.is_empty() {
        return Ok(());
    }
    let before_end = stretches(changes, Interval::ALWAYS);
    let mut known = before_end.iter().rev().filter(|stretch| stretch.interval.from() < end);
    let last = known.clone().find(|stretch| stretch.standing != Standing::Terminated);
    match last.map(|stretch| stretch.standing) {
        Some(Standing::Trial) => return Err(Ineligible::Trial),
        Some(Standing::Overdue) => return Err(Ineligible::Overdue),
        Some(Standing::Paid | Standing::Terminated) => {}
        None => return Err(Ineligible::PaidTooShort { since: None }),
    }
    let paying = known.by_ref().skip_while(|stretch| stretch.standing == Standing::Terminated);
    let paying = paying.take_while(|stretch| matches!(stretch.standing, Standing::Paid | Standing::Overdue));
    let since = paying.last().map(|stretch| stretch.interval.from());
    match since {
        Some(Timestamp::MIN) => Ok(()),
        Some(since) if zone.month_later(since) <= end => Ok(()),
        since => Err(Ineligible::PaidTooShort { since }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Standing::{Overdue, Paid, Terminated, Trial};
    use alloc::vec;

    const DAY: Duration = Duration::from_secs(86_400);

    fn day(day: u32) -> Timestamp {
        "2026-10-01T00:00:00+09:00".parse::<Timestamp>().unwrap().plus(DAY * (day - 1))
    }

    fn changes(all: &[(u32, Standing)]) -> Vec<Change> {
        all.iter().map(|(from, standing)| Change { from: day(*from), standing: *standing }).collect()
    }

    fn days(from: u32, until: u32) -> Interval {
        Interval::new(day(from), day(until)).unwrap()
    }

    #[test]
    fn a_trial_and_what_follows_are_stretches_and_nothing_lies_before() {
        let check = |all: &[(u32, Standing)], expected: &[(u32, u32, Standing)]| {
            let expected: Vec<Stretch> = expected
                .iter()
                .map(|(from, until, standing)| Stretch { interval: days(*from, *until), standing: *standing })
                .collect();
            assert_eq!(stretches(&changes(all), days(1, 32)), expected, "{all:?}");
        };
        check(&[], &[]);
        check(&[(5, Trial), (20, Paid)], &[(5, 20, Trial), (20, 32, Paid)]);
        check(&[(20, Paid)], &[(20, 32, Paid)]);
        check(&[(10, Overdue)], &[(1, 10, Paid), (10, 32, Overdue)]);
        check(&[(10, Terminated)], &[(1, 10, Paid), (10, 32, Terminated)]);
        check(&[(50, Overdue)], &[(1, 32, Paid)]);
    }

    #[test]
    fn of_changes_from_one_instant_the_last_given_holds_and_order_is_that_of_time() {
        let given = changes(&[(20, Paid), (5, Trial), (20, Overdue), (20, Paid)]);
        assert_eq!(stretches(&given, days(1, 32)), stretches(&changes(&[(5, Trial), (20, Paid)]), days(1, 32)));
        let taken_back = changes(&[(5, Paid), (10, Terminated), (10, Paid)]);
        assert_eq!((ended(&taken_back), exclusions(&taken_back)), (None, vec![]));
    }

    #[test]
    fn trials_and_time_overdue_do_not_count_and_say_why() {
        let all = exclusions(&changes(&[(1, Trial), (16, Paid), (20, Overdue), (25, Paid)]));
        let told: Vec<_> = all.iter().map(|one| (one.interval, one.class, one.reason.as_str())).collect();
        assert_eq!(
            told,
            [(days(1, 16), Class::UnpaidOrTrial, "trial"), (days(20, 25), Class::UnpaidOrTrial, "fees overdue"),]
        );
        assert!(all.iter().all(|one| one.recorded_by.as_deref() == Some("standing") && one.services.is_none()));
    }

    #[test]
    fn an_end_is_an_end_unless_the_agreement_is_taken_up_again() {
        assert_eq!(ended(&changes(&[(1, Paid), (10, Terminated)])), Some(day(10)));
        assert_eq!(exclusions(&changes(&[(1, Paid), (10, Terminated)])), vec![]);
        let resumed = changes(&[(1, Paid), (10, Terminated), (20, Paid)]);
        assert_eq!(ended(&resumed), None);
        let between = exclusions(&resumed);
        assert_eq!((between.len(), between[0].interval, between[0].class), (1, days(10, 20), Class::Suspension));
    }

    #[test]
    fn what_stops_stops_at_its_instant_and_not_a_millisecond_before() {
        let rule = StandingRule {
            trial: Some(15 * DAY),
            screens_stop: Some(DAY),
            collection_stops: Some(10 * DAY),
            data_deleted: Some(20 * DAY),
            terminated_deleted: Some(30 * DAY),
        };
        let check = |all: &[(u32, Standing)], now: Timestamp, stopped: [Option<u32>; 3]| {
            let granted = |day_of: Option<u32>| day_of.map_or(Granted::Yes, |of| Granted::Stopped(day(of)));
            let [screens, collection, data] = stopped.map(granted);
            assert_eq!(access(&changes(all), &rule, now), Access { screens, collection, data }, "{all:?} at {now}");
        };
        let before = |at: u32| day(at).minus(Duration::from_millis(1));
        check(&[], day(1), [None; 3]);
        check(&[(5, Trial)], day(1), [None; 3]);
        check(&[(5, Trial)], before(20), [None; 3]);
        check(&[(5, Trial)], day(20), [Some(20); 3]);
        check(&[(5, Overdue)], before(6), [None; 3]);
        check(&[(5, Overdue)], day(6), [Some(6), None, None]);
        check(&[(5, Overdue)], day(15), [Some(6), Some(15), None]);
        check(&[(5, Overdue)], day(25), [Some(6), Some(15), Some(25)]);
        check(&[(5, Overdue), (8, Overdue)], day(6), [Some(6), None, None]);
        check(&[(5, Overdue), (25, Paid)], day(26), [None; 3]);
        check(&[(5, Terminated)], day(5), [Some(5), Some(5), None]);
        check(&[(5, Terminated)], day(35), [Some(5), Some(5), Some(35)]);
        assert_eq!(access(&changes(&[(5, Trial)]), &StandingRule::default(), day(90)).screens, Granted::Yes);
    }

    #[test]
    fn a_credit_needs_a_paid_month_by_the_periods_end() {
        let zone: Zone = "Asia/Seoul".parse().unwrap();
        let check = |all: &[(u32, Standing)], end: u32, expected: Result<(), Ineligible>| {
            assert_eq!(eligible(&changes(all), day(end), &zone), expected, "{all:?} at day {end}");
        };
        let since = |from: u32| Err(Ineligible::PaidTooShort { since: Some(day(from)) });
        // Day 32 is the first of November, day 62 the first of December.
        check(&[], 32, Ok(()));
        check(&[(1, Paid)], 32, Ok(()));
        check(&[(2, Paid)], 32, since(2));
        check(&[(2, Paid)], 62, Ok(()));
        check(&[(1, Trial), (16, Paid)], 32, since(16));
        check(&[(1, Trial)], 32, Err(Ineligible::Trial));
        check(&[(20, Overdue)], 32, Err(Ineligible::Overdue));
        check(&[(20, Overdue), (25, Paid)], 32, Ok(()));
        check(&[(1, Paid), (20, Overdue), (31, Paid)], 32, Ok(()));
        check(&[(40, Paid)], 32, Err(Ineligible::PaidTooShort { since: None }));
        check(&[(31, Terminated)], 31, Ok(()));
        check(&[(1, Paid), (20, Terminated)], 20, since(1));
        check(&[(1, Paid), (20, Overdue), (31, Terminated)], 31, Err(Ineligible::Overdue));
    }
}
