//! Whether a customer's data must be gone because of its standing.
//!
//! Deleting can't be undone, so the rule is read as narrowly as it can be: only a standing that is in
//! force now, that a person put on record, and that stood there long enough to be put right. What it
//! says is a function of the record and the policy; it deletes nothing.

use super::{Entry, in_order, standings, up_to};
use crate::standing::{Change, Granted, StandingRule, access};
use crate::time::Timestamp;
use core::time::Duration;

/// How long an entry must have stood before anything is deleted because of it: a slip of the pen, such as
/// the wrong year, can be put right for a day.
pub const HEEDED_AFTER: Duration = Duration::from_secs(24 * 3600);

/// Whether data must be gone.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Deletion {
    /// It is kept.
    NotDue,
    /// The standings say so, but the record by itself doesn't, or not for a day yet; since when they do.
    NotYet(Timestamp),
    /// It must be gone, since this instant.
    Due(Timestamp),
}

/// What becomes of a customer's data at `now`, under a policy's `rule`: `configured` is what the
/// configuration says of its standing, and `entries` is the whole record.
///
/// Data must be gone only if each of three readings says so: the record joined to the configuration, the
/// record alone, and the record alone as it stood [`HEEDED_AFTER`] ago.
pub fn deletion(configured: &[Change], rule: &StandingRule, entries: &[Entry], now: Timestamp) -> Deletion {
    let gone = |changes: &[Change]| match access(changes, rule, now).data {
        Granted::Stopped(since) => Some(since),
        Granted::Yes => None,
    };
    let recorded = standings(entries);
    let all = in_order(configured.iter().chain(&recorded).copied());
    let Some(since) = gone(&all) else { return Deletion::NotDue };
    let before = standings(up_to(entries, Some(now.minus(HEEDED_AFTER))));
    match (gone(&recorded), gone(&before)) {
        (Some(alone), Some(_)) => Deletion::Due(since.max(alone)),
        _ => Deletion::NotYet(since),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Fact;
    use crate::standing::Standing::{self, Overdue, Paid, Terminated, Trial};
    use alloc::vec::Vec;

    const DAY: Duration = Duration::from_secs(24 * 3600);
    const RULE: StandingRule = StandingRule {
        trial: Some(Duration::from_secs(15 * 24 * 3600)),
        screens_stop: Some(DAY),
        collection_stops: Some(Duration::from_secs(10 * 24 * 3600)),
        data_deleted: Some(Duration::from_secs(20 * 24 * 3600)),
        terminated_deleted: Some(Duration::from_secs(30 * 24 * 3600)),
    };

    fn day(day: u32) -> Timestamp {
        "2026-10-01T00:00:00Z".parse::<Timestamp>().unwrap().plus(DAY * (day - 1))
    }

    fn just_before(at: u32) -> Timestamp {
        day(at).minus(Duration::from_millis(1))
    }

    fn change((from, standing): &(u32, Standing)) -> Change {
        Change { from: day(*from), standing: *standing }
    }

    /// The configuration's changes, and the record's with the day each was recorded at.
    fn of(
        configured: &[(u32, Standing)],
        recorded: &[(u32, (u32, Standing))],
        rule: &StandingRule,
        now: Timestamp,
    ) -> Deletion {
        let configured: Vec<Change> = configured.iter().map(change).collect();
        let entry = |(number, (at, said)): (u64, &(u32, (u32, Standing)))| Entry {
            number,
            recorded_at: day(*at),
            recorded_by: "kim".into(),
            fact: Fact::Standing(change(said)),
        };
        deletion(&configured, rule, &(1..).zip(recorded).map(entry).collect::<Vec<_>>(), now)
    }

    #[test]
    fn data_must_be_gone_at_the_instant_that_the_policy_says_and_not_a_millisecond_before() {
        let check = |standing, until| {
            assert_eq!(of(&[], &[(1, (1, standing))], &RULE, just_before(until)), Deletion::NotDue, "{standing:?}");
            assert_eq!(of(&[], &[(1, (1, standing))], &RULE, day(until)), Deletion::Due(day(until)), "{standing:?}");
        };
        check(Trial, 16);
        check(Overdue, 21);
        check(Terminated, 31);
        assert_eq!(of(&[], &[(1, (1, Paid))], &RULE, day(900)), Deletion::NotDue);
        assert_eq!(of(&[], &[], &RULE, day(900)), Deletion::NotDue, "nothing is known");
        let silent = StandingRule::default();
        assert_eq!(of(&[], &[(1, (1, Overdue))], &silent, day(900)), Deletion::NotDue, "the policy deletes nothing");
    }

    #[test]
    fn whoever_pays_before_the_deadline_keeps_everything_however_late_it_is_recorded() {
        let overdue = (1, (1, Overdue));
        assert_eq!(of(&[], &[overdue, (20, (20, Paid))], &RULE, day(21)), Deletion::NotDue);
        assert_eq!(of(&[], &[overdue, (900, (20, Paid))], &RULE, day(900)), Deletion::NotDue);
        assert_eq!(of(&[], &[overdue, (20, (1, Paid))], &RULE, day(21)), Deletion::NotDue, "it was a mistake");
        assert_eq!(of(&[(20, Paid)], &[overdue], &RULE, day(21)), Deletion::NotDue, "the configuration says so");
    }

    #[test]
    fn the_configuration_alone_deletes_nothing() {
        assert_eq!(of(&[(1, Overdue)], &[], &RULE, day(30)), Deletion::NotYet(day(21)));
        // The later of the two readings is when it was due.
        assert_eq!(of(&[(1, Overdue)], &[(1, (5, Overdue))], &RULE, day(24)), Deletion::NotYet(day(21)));
        assert_eq!(of(&[(1, Overdue)], &[(1, (5, Overdue))], &RULE, day(25)), Deletion::Due(day(25)));
    }

    #[test]
    fn an_entry_of_less_than_a_day_deletes_nothing() {
        let slip = (40, (1, Overdue));
        assert_eq!(of(&[], &[slip], &RULE, day(40)), Deletion::NotYet(day(21)));
        assert_eq!(of(&[], &[slip], &RULE, just_before(41)), Deletion::NotYet(day(21)));
        assert_eq!(of(&[], &[slip], &RULE, day(41)), Deletion::Due(day(21)));
        assert_eq!(of(&[], &[slip, (40, (1, Paid))], &RULE, day(41)), Deletion::NotDue);
    }
}
