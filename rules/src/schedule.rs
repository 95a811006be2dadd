//! When checks fall due: fixed slots on the wall clock, spread by a hash (`accounting.md` section 3).
//!
//! The slots of a check with period `every` are the instants `k × every + phase` since the Unix
//! epoch, in whole milliseconds, where `phase` is a stable hash of (agent, service, check) modulo
//! `every`. So a slot depends on nothing but the check's name and its `every`: restarts, versions
//! and changes to other checks leave it where it is, and it can't drift.
//!
//! Each slot is handed out once as due, or counted as missed by the due slot that comes after it:
//! none is invented, none is hidden. The schedule never reads a clock and never sleeps.
//!
//! A check whose target fails is looked at again between its slots ([`Schedule::due_again`]), until
//! it succeeded some times in a row. That moves and replaces no slot either, comes after all slots
//! that are due, and is bounded however many checks fail.
//!
//! A check that is new here has its **first look** before its first slot, so that nobody waits a
//! whole `every` to learn that it works. It is one more result and moves no slot.

mod reprobes;
mod slots;

pub use reprobes::REPROBES_A_SECOND_MAX;

use crate::check::Assignment;
use crate::id::{AgentId, CheckId, ServiceId};
use crate::outcome::OutcomeKind;
use crate::result::Weight;
use crate::time::Timestamp;
use alloc::collections::{BTreeMap, BinaryHeap};
use alloc::vec::Vec;
use core::cmp::Reverse;
use core::time::Duration;
use reprobes::{Failing, Reprobes};
use slots::Slots;

/// First looks that may wait at once: what is added by hand is looked at soon, and ten thousand
/// checks of an agent that starts go by their slots, which are spread already.
const FIRST_LOOKS_MAX: usize = 100;

/// How far first looks lie apart: twenty a second are no burst, and the last has five seconds to wait.
const FIRST_LOOKS_APART: Duration = Duration::from_millis(50);

/// The slots of everything that one agent checks.
#[derive(Clone, Debug)]
pub struct Schedule {
    agent: AgentId,
    entries: Vec<Entry>,
    /// What each entry waits for, by its index; earliest first.
    queue: BinaryHeap<Reverse<(Timestamp, usize)>>,
    /// Which entries wait to be looked at again between their slots.
    reprobes: Reprobes,
}

#[derive(Clone, Debug)]
struct Entry {
    assignment: Assignment,
    slots: Slots,
    /// The next slot.
    next: Timestamp,
    /// Before the next slot, and not taken yet.
    first_look: Option<Timestamp>,
    /// How many probes of it were handed out and are not over.
    running: u32,
    /// The slot or look handed out last.
    handed: Option<Timestamp>,
    /// Since its target failed.
    failing: Option<Failing>,
}

impl Entry {
    fn awaited(&self) -> Timestamp {
        self.first_look.unwrap_or(self.next)
    }
}

/// A slot, a first look or a look between slots that has come.
#[derive(Clone, PartialEq, Debug)]
pub struct Due {
    /// What is to be probed.
    pub assignment: Assignment,
    /// The instant the slot or look stands for.
    pub slot: Timestamp,
    /// What its result counts.
    pub weight: Weight,
    /// How many slots of this check directly before this one passed without being handed out,
    /// because nobody asked for as long as `every` or longer.
    pub missed: u64,
}

impl Schedule {
    /// The schedule of `agent`, with nothing in it.
    pub fn new(agent: AgentId) -> Schedule {
        Schedule { agent, entries: Vec::new(), queue: BinaryHeap::new(), reprobes: Reprobes::default() }
    }

    /// Replaces what is checked. A check that stays with the same `every` keeps its next slot; any
    /// other begins with its first slot at or after `now`. A check that was not here before has a
    /// first look too, unless its slot comes sooner or many others wait for theirs. Of two
    /// assignments with the same service and check the last one stands.
    pub fn assign(&mut self, now: Timestamp, assignments: impl IntoIterator<Item = Assignment>) {
        let mut before: BTreeMap<(ServiceId, CheckId), Entry> =
            self.entries.drain(..).map(|entry| (key(&entry.assignment), entry)).collect();
        let wanted: BTreeMap<(ServiceId, CheckId), Assignment> =
            assignments.into_iter().map(|assignment| (key(&assignment), assignment)).collect();
        before.retain(|key, _| wanted.contains_key(key));
        let mut waiting = before.values().filter(|entry| entry.first_look.is_some()).count();
        for (key, assignment) in wanted {
            let slots = Slots::of(&self.agent, &assignment);
            let first = slots.first_from(now);
            let same = before.get(&key).filter(|same| same.assignment.check.reprobe == assignment.check.reprobe);
            let failing = same.and_then(|same| same.failing.clone());
            let (running, handed) = before.get(&key).map_or((0, None), |same| (same.running, same.handed));
            let (next, first_look) = match before.get(&key) {
                Some(same) if same.slots == slots => (same.next, same.first_look),
                Some(_) => (first, None),
                None => (first, first_look(now, waiting).filter(|look| *look < first)),
            };
            waiting += usize::from(first_look.is_some() && !before.contains_key(&key));
            self.entries.push(Entry { assignment, slots, next, first_look, running, handed, failing });
        }
        self.queue_all();
    }

    /// The wall clock was stepped to `now`: every check goes on with its first slot at or after it.
    /// Slots that the step jumped over never were, so they aren't missed; slots that it brings back
    /// come again. First looks that still waited leave it to the slots.
    pub fn realign(&mut self, now: Timestamp) {
        for entry in &mut self.entries {
            entry.next = entry.slots.first_from(now);
            entry.first_look = None;
            if let (Some(failing), Some(reprobe)) = (&mut entry.failing, entry.assignment.check.reprobe) {
                failing.again_at = failing.again_at.map(|_| now.plus(reprobe.every));
            }
        }
        self.queue_all();
    }

    /// Hands out one slot or first look that has come by `now`, the longest awaited first; `None`
    /// when there is no other. Of several slots of one check the last is due and those before it
    /// are missed; a first look is left out once the slot has come too.
    pub fn due(&mut self, now: Timestamp) -> Option<Due> {
        let mut earliest = self.queue.peek_mut()?;
        let Reverse((awaited, index)) = *earliest;
        if now < awaited {
            return None;
        }
        let entry = &mut self.entries[index];
        let look = entry.first_look.take().filter(|_| now < entry.next);
        let (slot, missed) = match look {
            Some(look) => (look, 0),
            None => {
                let slot = entry.slots.last_until(now);
                let missed = slot.since(entry.next).as_millis() / entry.slots.every.as_millis();
                entry.next = slot.plus(entry.slots.every);
                (slot, u64::try_from(missed).expect("the calendar has fewer than 2^64 milliseconds"))
            }
        };
        *earliest = Reverse((entry.next, index));
        (entry.running, entry.handed) = (entry.running + 1, Some(slot));
        if let Some(failing) = &mut entry.failing {
            self.reprobes.put_off(index, failing);
        }
        Some(Due { assignment: entry.assignment.clone(), slot, weight: Weight::Slot, missed })
    }

    /// Hands out one look between slots that has come by `now`, the longest awaited first; `None`
    /// when there is no other, or when this second has had [`REPROBES_A_SECOND_MAX`].
    pub fn due_again(&mut self, now: Timestamp) -> Option<Due> {
        let index = self.reprobes.next(now)?;
        let entry = &mut self.entries[index];
        if let Some(failing) = &mut entry.failing {
            self.reprobes.put_off(index, failing);
        }
        (entry.running, entry.handed) = (entry.running + 1, Some(now));
        Some(Due { assignment: entry.assignment.clone(), slot: now, weight: Weight::Extra, missed: 0 })
    }

    /// The probe that was handed out as `due` is over at `now`; no `outcome`: nothing came of it.
    pub fn ended(&mut self, due: &Due, outcome: Option<OutcomeKind>, now: Timestamp) {
        let name = (&due.assignment.service, &due.assignment.check.id);
        let found =
            self.entries.binary_search_by(|entry| (&entry.assignment.service, &entry.assignment.check.id).cmp(&name));
        let Ok(index) = found else { return };
        let entry = &mut self.entries[index];
        entry.running = entry.running.saturating_sub(1);
        let Some(reprobe) = entry.assignment.check.reprobe else { return };
        self.reprobes.learn(index, &mut entry.failing, reprobe, outcome);
        if let (Some(failing), 0) = (&mut entry.failing, entry.running) {
            let again_at = entry.handed.unwrap_or(now).plus(reprobe.every).clamp(now, now.plus(reprobe.every));
            self.reprobes.put_on(index, failing, again_at);
        }
    }

    /// The instant of the next look between slots; `None` when no target that waits for one fails.
    pub fn next_reprobe(&self) -> Option<Timestamp> {
        self.reprobes.deadline()
    }

    /// How many looks between slots have come by `now` and were not handed out.
    pub fn reprobes_waiting(&self, now: Timestamp) -> usize {
        self.reprobes.waiting(now)
    }

    /// The instant of the next slot or first look; `None` when nothing is checked.
    pub fn next_deadline(&self) -> Option<Timestamp> {
        self.queue.peek().map(|Reverse((next, _))| *next)
    }

    /// What is checked, in the order of services and checks.
    pub fn assignments(&self) -> impl ExactSizeIterator<Item = &Assignment> {
        self.entries.iter().map(|entry| &entry.assignment)
    }

    fn queue_all(&mut self) {
        self.queue = self.entries.iter().enumerate().map(|(index, entry)| Reverse((entry.awaited(), index))).collect();
        let again = |(index, entry): (usize, &Entry)| Some((entry.failing.as_ref()?.again_at?, index));
        self.reprobes.replace(self.entries.iter().enumerate().filter_map(again));
    }
}

/// When a check that is new at `now` has its first look while as many others wait for theirs;
/// `None`: it would be one too many.
fn first_look(now: Timestamp, waiting: usize) -> Option<Timestamp> {
    let place = u32::try_from(waiting).ok().filter(|_| waiting < FIRST_LOOKS_MAX)?;
    Some(now.plus(FIRST_LOOKS_APART * place))
}

fn key(assignment: &Assignment) -> (ServiceId, CheckId) {
    (assignment.service.clone(), assignment.check.id.clone())
}

#[cfg(test)]
mod tests {
    use super::slots::hash;
    use super::*;
    use crate::check::{Check, Counts, Target, TcpTarget, Vantages};
    use crate::time::millis;
    use alloc::format;
    use alloc::string::String;
    use alloc::sync::Arc;
    use alloc::vec;
    use proptest::prelude::*;

    fn agent() -> AgentId {
        "seoul-1".parse().unwrap()
    }

    fn assignment(service: &str, check: &str, every_ms: u64) -> Assignment {
        let target = TcpTarget::parse("a:1").unwrap();
        let check = Check {
            id: check.parse().unwrap(),
            target: Target::Tcp(target),
            every: Duration::from_millis(every_ms),
            timeout: Duration::from_millis(every_ms),
            reprobe: None,
            counts: Counts::Yes,
            objective: None,
            agents: Vantages::All,
        };
        Assignment { service: service.parse().unwrap(), check: Arc::new(check) }
    }

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    /// Assigns as if every check had had its first look.
    fn assign_seen(schedule: &mut Schedule, now: Timestamp, assignments: impl IntoIterator<Item = Assignment>) {
        schedule.assign(now, assignments);
        schedule.entries.iter_mut().for_each(|entry| entry.first_look = None);
        schedule.queue_all();
    }

    /// Everything due at `now`: check, slot, missed.
    fn drain(schedule: &mut Schedule, now: Timestamp) -> Vec<(CheckId, Timestamp, u64)> {
        core::iter::from_fn(|| schedule.due(now))
            .map(|due| (due.assignment.check.id.clone(), due.slot, due.missed))
            .collect()
    }

    #[test]
    fn a_phase_is_the_same_in_every_version() {
        let check = |names: &[&str], pinned: u64| assert_eq!(hash(names), pinned, "{names:?}");
        check(&[""], 0xefd0_1f60_ba99_2926);
        check(&["seoul-1", "apm-prod", "login"], 0x2e22_fb30_ba75_8029);
        check(&["seoul-1", "apm-prod", "port"], 0x93f4_3113_0ad3_9dde);
        check(&["서울", "서비스 1", "a"], 0x0217_0aa9_7259_a1d7);
    }

    #[test]
    fn ten_thousand_checks_are_spread_evenly_over_their_period() {
        let mut buckets = [0_u32; 30];
        for number in 0..10_000 {
            let slots = Slots::of(&agent(), &assignment("s", &format!("check-{number}"), 30_000));
            buckets[usize::try_from(slots.phase.as_secs()).unwrap()] += 1;
        }
        assert!(buckets.iter().all(|&count| (260..410).contains(&count)), "{buckets:?}");
    }

    #[test]
    fn a_pause_reports_every_slot_it_swallowed_and_hands_out_the_last() {
        let mut schedule = Schedule::new(agent());
        assign_seen(&mut schedule, at(0), [assignment("s", "c", 1_000)]);
        let first = schedule.next_deadline().unwrap();
        let id: CheckId = "c".parse().unwrap();
        let second = |n: u64| Duration::from_secs(n);

        assert_eq!(drain(&mut schedule, first), vec![(id.clone(), first, 0)]);
        assert_eq!(drain(&mut schedule, first.plus(second(1)).minus(Duration::from_millis(1))), vec![]);
        let late = first.plus(second(1)).plus(Duration::from_millis(999));
        assert_eq!(drain(&mut schedule, late), vec![(id.clone(), first.plus(second(1)), 0)]);
        let paused = first.plus(second(61));
        assert_eq!(drain(&mut schedule, paused), vec![(id, paused, 59)]);
        assert_eq!(schedule.next_deadline(), Some(paused.plus(second(1))));
    }

    #[test]
    fn a_stepped_clock_misses_nothing_and_waits_no_longer_than_every() {
        let mut schedule = Schedule::new(agent());
        assign_seen(&mut schedule, at(500_000), [assignment("s", "c", 30_000)]);
        for stepped in [at(620_000), at(380_000)] {
            schedule.realign(stepped);
            let next = schedule.next_deadline().unwrap();
            assert!(stepped <= next && next < stepped.plus(Duration::from_secs(30)));
            assert_eq!(drain(&mut schedule, next).first().map(|due| due.2), Some(0));
        }
    }

    #[test]
    fn another_every_begins_anew_and_a_check_named_twice_is_one() {
        let mut schedule = Schedule::new(agent());
        assign_seen(&mut schedule, at(0), [assignment("s", "c", 60_000), assignment("s", "c", 1_000)]);
        assert_eq!(schedule.assignments().len(), 1);
        assert!(schedule.next_deadline().unwrap() < at(1_000));
        assign_seen(&mut schedule, at(10), []);
        assert_eq!((schedule.next_deadline(), schedule.due(Timestamp::MAX)), (None, None));
    }

    #[test]
    fn a_new_check_is_looked_at_at_once_and_keeps_its_phase() {
        let (mut with, mut without) = (Schedule::new(agent()), Schedule::new(agent()));
        with.assign(at(7), [assignment("s", "c", 30_000)]);
        assign_seen(&mut without, at(7), [assignment("s", "c", 30_000)]);
        let id: CheckId = "c".parse().unwrap();
        assert_eq!(drain(&mut with, at(7)), vec![(id.clone(), at(7), 0)]);
        assert_eq!(with.next_deadline(), without.next_deadline());
        let later = at(90_000);
        assert_eq!(drain(&mut with, later), drain(&mut without, later));
    }

    #[test]
    fn a_first_look_that_was_slept_through_is_neither_made_up_for_nor_missed() {
        let (mut with, mut without) = (Schedule::new(agent()), Schedule::new(agent()));
        with.assign(at(7), [assignment("s", "c", 30_000)]);
        assign_seen(&mut without, at(7), [assignment("s", "c", 30_000)]);
        for later in [at(90_000), at(130_000)] {
            assert_eq!(drain(&mut with, later), drain(&mut without, later));
        }
    }

    #[test]
    fn only_checks_that_are_new_have_a_first_look_and_one_that_waits_keeps_it() {
        let named = |names: &[&str]| names.iter().map(|name| assignment("s", name, 60_000)).collect::<Vec<_>>();
        let looks = |schedule: &mut Schedule, now| -> Vec<(String, i64)> {
            drain(schedule, now).into_iter().map(|(id, slot, _)| (format!("{id}"), slot.as_millis())).collect()
        };
        let mut schedule = Schedule::new(agent());
        schedule.assign(at(0), named(&["a", "b"]));
        assert_eq!(looks(&mut schedule, at(0)), [("a".into(), 0)]);
        schedule.assign(at(10), named(&["a", "b", "c"]));
        let expected: [(String, i64); 2] = [("b".into(), 50), ("c".into(), 60)];
        assert_eq!(looks(&mut schedule, at(60)), expected);
        schedule.assign(at(70), [assignment("s", "a", 50_000), assignment("s", "b", 60_000)]);
        assert_eq!(looks(&mut schedule, at(500)), []);
    }

    #[test]
    fn ten_thousand_new_checks_make_no_burst() {
        let mut schedule = Schedule::new(agent());
        schedule.assign(at(0), (0..10_000).map(|number| assignment("s", &format!("{number}"), 3_600_000)));
        let waiting = schedule.entries.iter().filter(|entry| entry.first_look.is_some()).count();
        assert_eq!(waiting, FIRST_LOOKS_MAX);
        // Of the slots some 14 fall into these five seconds.
        for second in 0..5 {
            let due: usize = (0..20).map(|tick| drain(&mut schedule, at(second * 1_000 + tick * 50)).len()).sum();
            assert!(due <= 40, "{due} in second {second}");
        }
    }

    #[test]
    fn a_first_look_never_comes_after_the_slot_it_is_to_forestall() {
        let mut schedule = Schedule::new(agent());
        schedule.assign(at(0), (0..100).map(|number| assignment("s", &format!("{number}"), 1_000)));
        for entry in &schedule.entries {
            assert!(entry.awaited() <= entry.next);
        }
    }

    proptest! {
        #[test]
        fn every_slot_is_due_once_or_missed_and_none_drifts(
            every in 1_u64..100_000,
            start in -1_000_000_000_000_i64..2_000_000_000_000,
            waits in prop::collection::vec(0_u64..400_000, 1..60),
        ) {
            let mut schedule = Schedule::new(agent());
            assign_seen(&mut schedule, at(start), [assignment("s", "c", every)]);
            let mut now = at(start);
            let mut expected = schedule.next_deadline().unwrap();
            let period = Duration::from_millis(every);
            prop_assert!(now <= expected && expected < now.plus(period));
            let phase = expected.as_millis().rem_euclid(millis(period));
            for wait in waits {
                now = now.plus(Duration::from_millis(wait));
                while let Some(due) = schedule.due(now) {
                    let skipped = Duration::from_millis(every * due.missed);
                    prop_assert_eq!(due.slot, expected.plus(skipped));
                    prop_assert_eq!(due.slot.as_millis().rem_euclid(millis(period)), phase);
                    prop_assert!(due.slot <= now && now < due.slot.plus(period));
                    expected = due.slot.plus(period);
                }
                prop_assert!(now < expected);
                prop_assert_eq!(schedule.next_deadline(), Some(expected));
            }
        }

        #[test]
        fn changing_other_checks_leaves_a_check_its_slots(
            changes in prop::collection::vec((0_u64..5_000, prop::collection::vec((0_u8..20, 1_u64..5_000), 0..20)), 1..20),
        ) {
            let kept = assignment("kept", "c", 700);
            let mut alone = Schedule::new(agent());
            let mut busy = Schedule::new(agent());
            assign_seen(&mut alone, at(0), [kept.clone()]);
            assign_seen(&mut busy, at(0), [kept.clone()]);
            let mut now = at(0);
            for (wait, others) in changes {
                now = now.plus(Duration::from_millis(wait));
                let others = others.into_iter().map(|(name, every)| assignment("other", &format!("{name}"), every));
                assign_seen(&mut busy, now, others.chain([kept.clone()]));
                let of_kept = |schedule: &mut Schedule| -> Vec<Due> {
                    core::iter::from_fn(|| schedule.due(now)).filter(|due| due.assignment == kept).collect()
                };
                prop_assert_eq!(of_kept(&mut busy), of_kept(&mut alone));
            }
        }

        #[test]
        fn slots_are_handed_out_in_the_order_they_are_awaited(
            everys in prop::collection::vec(1_u64..3_000, 1..30),
            waits in prop::collection::vec(0_u64..200, 1..30),
        ) {
            let mut schedule = Schedule::new(agent());
            let named = everys.iter().enumerate().map(|(name, &every)| assignment("s", &format!("{name}"), every));
            assign_seen(&mut schedule, at(0), named);
            let mut now = at(0);
            for wait in waits {
                now = now.plus(Duration::from_millis(wait));
                let mut handed = 0;
                while let Some(next) = schedule.next_deadline().filter(|&next| next <= now) {
                    let due = schedule.due(now).expect("a deadline has come");
                    prop_assert!(next <= due.slot);
                    handed += 1;
                    prop_assert!(handed <= everys.len(), "a check is due at most once an instant");
                }
                prop_assert!(schedule.due(now).is_none());
            }
        }
    }
}
