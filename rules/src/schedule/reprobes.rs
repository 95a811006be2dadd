//! Which failing targets are looked at again between their slots, and when.
//!
//! Ten thousand targets that fail at once, because something between them and here does, must not
//! starve the slots: whoever can't be looked at in this second waits, the longest awaited first.

use crate::check::Reprobe;
use crate::outcome::OutcomeKind;
use crate::time::Timestamp;
use alloc::collections::BTreeSet;

/// Looks between slots that begin within one second: a third of what the slots of ten thousand
/// checks every 30 s make.
pub const REPROBES_A_SECOND_MAX: u32 = 100;

/// A check whose target fails.
#[derive(Clone, Debug)]
pub(super) struct Failing {
    /// How many successes in a row are still wanted.
    pub(super) wanted: u32,
    /// When it is looked at again; nothing while a probe of it runs.
    pub(super) again_at: Option<Timestamp>,
}

/// What waits to be looked at again, by the index of its entry.
#[derive(Clone, Debug, Default)]
pub(super) struct Reprobes {
    queue: BTreeSet<(Timestamp, usize)>,
    /// The second in which one was handed out last, and how many were in it.
    handed: (i64, u32),
}

impl Reprobes {
    /// Waits for `waiting` and nothing else.
    pub(super) fn replace(&mut self, waiting: impl Iterator<Item = (Timestamp, usize)>) {
        self.queue = waiting.collect();
    }

    /// Takes note of what a probe of an entry came to. A void result neither begins nor ends anything.
    pub(super) fn learn(
        &mut self,
        index: usize,
        failing: &mut Option<Failing>,
        reprobe: Reprobe,
        outcome: Option<OutcomeKind>,
    ) {
        match (outcome, failing.as_mut()) {
            (Some(OutcomeKind::Down), Some(failing)) => failing.wanted = reprobe.until_up,
            (Some(OutcomeKind::Down), None) => *failing = Some(Failing { wanted: reprobe.until_up, again_at: None }),
            (Some(OutcomeKind::Up), Some(known)) => {
                known.wanted = known.wanted.saturating_sub(1);
                if known.wanted == 0 {
                    self.put_off(index, known);
                    *failing = None;
                }
            }
            (Some(OutcomeKind::Up), None) | (Some(OutcomeKind::Void) | None, _) => {}
        }
    }

    /// The entry is looked at again at `at`.
    pub(super) fn put_on(&mut self, index: usize, failing: &mut Failing, at: Timestamp) {
        self.put_off(index, failing);
        failing.again_at = Some(at);
        self.queue.insert((at, index));
    }

    /// The entry is not looked at again for now.
    pub(super) fn put_off(&mut self, index: usize, failing: &mut Failing) {
        if let Some(at) = failing.again_at.take() {
            self.queue.remove(&(at, index));
        }
    }

    /// The entry that has waited longest, if its time has come and this second has room for it.
    pub(super) fn next(&mut self, now: Timestamp) -> Option<usize> {
        let (at, index) = *self.queue.first()?;
        let (second, count) = self.handed;
        let count = if second == second_of(now) { count } else { 0 };
        if now < at || REPROBES_A_SECOND_MAX <= count {
            return None;
        }
        self.handed = (second_of(now), count + 1);
        Some(index)
    }

    /// When [`Reprobes::next`] has something.
    pub(super) fn deadline(&self) -> Option<Timestamp> {
        let (at, _) = *self.queue.first()?;
        let (second, count) = self.handed;
        let is_full = second_of(at) <= second && REPROBES_A_SECOND_MAX <= count;
        Some(if is_full { Timestamp::from_millis(second.saturating_add(1).saturating_mul(1000)) } else { at })
    }

    /// How many entries have waited until `now`.
    pub(super) fn waiting(&self, now: Timestamp) -> usize {
        self.queue.range(..=(now, usize::MAX)).count()
    }
}

fn second_of(at: Timestamp) -> i64 {
    at.as_millis().div_euclid(1000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{Assignment, Check, Counts, Target, Vantages};
    use crate::result::Weight;
    use crate::schedule::{Due, Schedule};
    use alloc::format;
    use alloc::sync::Arc;
    use alloc::vec::Vec;
    use core::time::Duration;
    use proptest::prelude::*;

    const AGAIN: Duration = Duration::from_secs(5);

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    fn assignment(name: usize, reprobe: Option<Reprobe>) -> Assignment {
        assignment_every(Duration::from_secs(30), name, reprobe)
    }

    fn assignment_every(every: Duration, name: usize, reprobe: Option<Reprobe>) -> Assignment {
        let check = Check {
            id: format!("check-{name}").parse().unwrap(),
            target: Target::parse("tcp:a:1").unwrap(),
            every,
            timeout: Duration::from_secs(10),
            reprobe,
            counts: Counts::Yes,
            objective: None,
            agents: Vantages::All,
        };
        Assignment { service: "s".parse().unwrap(), check: Arc::new(check) }
    }

    fn schedule(checks: usize, reprobe: Option<Reprobe>) -> Schedule {
        let mut schedule = Schedule::new("a".parse().unwrap());
        schedule.assign(at(0), (0..checks).map(|name| assignment(name, reprobe)));
        schedule
    }

    /// Ends each probe 100 ms after its beginning, with what `outcomes` says in turn; tells how far
    /// after the first failure each look between slots began.
    fn looks(outcomes: &str, for_seconds: i64) -> Vec<i64> {
        let mut schedule = Schedule::new("a".parse().unwrap());
        let hourly = assignment_every(Duration::from_secs(3600), 0, Some(Reprobe::default()));
        schedule.assign(at(0), [hourly]);
        let mut outcomes = outcomes.chars().map(|letter| match letter {
            'u' => OutcomeKind::Up,
            'd' => OutcomeKind::Down,
            _ => OutcomeKind::Void,
        });
        let (mut failed_at, mut looks) = (None, Vec::new());
        for now in (0..for_seconds * 10).map(|tenth| at(tenth * 100)) {
            let due = schedule.due(now).or_else(|| schedule.due_again(now));
            let Some(due) = due else { continue };
            if let (Weight::Extra, Some(failed_at)) = (due.weight, failed_at) {
                looks.push(now.since(failed_at).as_millis() as i64 / 100);
            }
            let outcome = outcomes.next().unwrap_or(OutcomeKind::Up);
            if outcome == OutcomeKind::Down && failed_at.is_none() {
                failed_at = Some(now);
            }
            schedule.ended(&due, Some(outcome), now.plus(Duration::from_millis(100)));
        }
        looks
    }

    #[test]
    fn a_target_that_fails_is_looked_at_every_five_seconds_until_it_was_up_three_times_in_a_row() {
        assert_eq!(looks("uu", 300), []);
        assert_eq!(looks("uv", 300), [], "a void result begins nothing");
        assert_eq!(looks("duuu", 60), [50, 100, 150]);
        assert_eq!(
            looks("dudvuuu", 60),
            [50, 100, 150, 200, 250, 300],
            "a void result ends nothing, a failure begins anew"
        );
    }

    #[test]
    fn a_slot_comes_in_place_of_a_look_and_nothing_overlaps_a_probe_that_runs() {
        let mut schedule = schedule(1, Some(Reprobe::default()));
        let first = schedule.due(at(0)).unwrap();
        let slot = schedule.next_deadline().unwrap();
        schedule.ended(&first, Some(OutcomeKind::Down), slot.minus(Duration::from_secs(2)));
        assert_eq!(schedule.next_reprobe(), Some(slot.minus(Duration::from_secs(2))), "its five seconds are over");
        let due = schedule.due(slot).unwrap();
        assert_eq!((due.slot, due.weight, schedule.due_again(Timestamp::MAX)), (slot, Weight::Slot, None));
        schedule.ended(&due, None, slot.plus(Duration::from_secs(1)));
        assert_eq!(schedule.next_reprobe(), Some(slot.plus(AGAIN)));
        schedule.assign(slot, [assignment(0, None)]);
        assert_eq!(schedule.next_reprobe(), None);
    }

    #[test]
    fn a_stepped_clock_puts_looks_off_by_no_more_than_their_distance() {
        let mut schedule = schedule(1, Some(Reprobe::default()));
        let due = schedule.due(at(0)).unwrap();
        schedule.ended(&due, Some(OutcomeKind::Down), at(100));
        for stepped in [at(120_000), at(-600_000)] {
            schedule.realign(stepped);
            assert_eq!(schedule.next_reprobe(), Some(stepped.plus(AGAIN)));
        }
        let late = schedule.due_again(at(-500_000)).unwrap();
        schedule.ended(&late, None, at(-900_000));
        assert_eq!(schedule.next_reprobe(), Some(at(-895_000)), "the clock went back while it ran");
    }

    #[test]
    fn ten_thousand_failing_targets_take_no_slot_and_no_more_than_their_share() {
        let mut schedule = schedule(10_000, Some(Reprobe::default()));
        let (mut slots, mut looks, mut second) = (0, 0, 0);
        for tick in 0..4 * 60 {
            let now = at(tick * 250);
            second = if tick % 4 == 0 { 0 } else { second };
            while let Some(due) = schedule.due(now) {
                slots += 1 + due.missed;
                schedule.ended(&due, Some(OutcomeKind::Down), now);
            }
            while let Some(due) = schedule.due_again(now) {
                (second, looks) = (second + 1, looks + 1);
                schedule.ended(&due, Some(OutcomeKind::Down), now);
            }
            assert!(second <= REPROBES_A_SECOND_MAX);
            assert!(schedule.next_reprobe().is_none_or(|next| now < next), "there is no deadline to wake for in vain");
        }
        assert!((19_900..20_200).contains(&slots), "{slots}: two a check and the first looks");
        assert!((5_000..=6_000).contains(&looks), "{looks}");
        assert!(5_000 < schedule.reprobes_waiting(at(60_000)), "{}", schedule.reprobes_waiting(at(60_000)));
    }

    proptest! {
        #[test]
        fn looking_again_moves_and_loses_no_slot_and_keeps_its_distance(
            checks in 1_usize..8,
            steps in prop::collection::vec((0_u64..4_000, prop::collection::vec((any::<prop::sample::Index>(), 0_u8..4), 0..6)), 1..120),
        ) {
            let (mut with, mut without) = (schedule(checks, Some(Reprobe::default())), schedule(checks, None));
            let mut running: Vec<Due> = Vec::new();
            let mut now = at(0);
            for (wait, ends) in steps {
                now = now.plus(Duration::from_millis(wait));
                loop {
                    let (one, other) = (with.due(now), without.due(now));
                    let named = |due: &Option<Due>| {
                        due.as_ref().map(|due| (due.assignment.check.id.clone(), due.slot, due.missed, due.weight))
                    };
                    prop_assert_eq!(named(&one), named(&other));
                    let Some(due) = one else { break };
                    running.push(due);
                }
                while let Some(due) = with.due_again(now) {
                    prop_assert_eq!(due.weight, Weight::Extra);
                    let name = &due.assignment.check.id;
                    prop_assert!(running.iter().all(|other| other.assignment.check.id != *name), "it would overlap");
                    running.push(due);
                }
                prop_assert_eq!(with.next_deadline(), without.next_deadline());
                for (which, outcome) in ends {
                    if running.is_empty() {
                        break;
                    }
                    let due = running.swap_remove(which.index(running.len()));
                    let kinds = [Some(OutcomeKind::Up), Some(OutcomeKind::Down), Some(OutcomeKind::Void), None];
                    with.ended(&due, kinds[usize::from(outcome)], now);
                }
            }
        }
    }
}
