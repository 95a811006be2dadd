//! When it is, as far as this agent can be believed (`reliability.md` D10).
//!
//! Each answer of the collector says what its clock shows. From then on boot time carries that on:
//! it neither jumps nor goes back, whatever becomes of the wall clock. While the wall clock is within
//! a second of it, the wall clock is as good and says when; further off, results are stamped with
//! the collector's time; from a minute on nothing that depends on this machine's sense of time is
//! believed, and results are void. Without a collector the wall clock is all there is.
//!
//! Stamps are corrected here, before a block is made, and nowhere later: blocks stay the truth.

use crate::uplink::{ClockOffset, UplinkHandle};
use daemon::clock::{Clock, Reading};
use rules::time::Timestamp;
use std::time::Duration;

/// A wall clock further off than this doesn't stamp results.
const CORRECTED_FROM_MS: u64 = 1_000;
/// A wall clock further off than this is an alarm: somebody should look after it.
const ALARMING_FROM_MS: u64 = 5_000;
/// With a wall clock further off than this results are void.
const DISBELIEVED_FROM_MS: u64 = 60_000;
/// The wall clock was stepped if it moved this much against boot time; time daemons slew by less.
pub(crate) const STEP_MIN_MS: u64 = 250;

/// What is known of the wall clock. Later ones are worse.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Standing {
    /// No collector said what time it is.
    Alone,
    /// It shows the collector's time, to a second.
    Right,
    /// It is off, and results are stamped with the collector's time.
    Corrected,
    /// It is off by so much that somebody should look after it.
    Alarming,
    /// It is off by so much that results are void.
    Disbelieved,
}

/// When it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Moment {
    /// What stamps results: the wall clock's time, or the collector's.
    pub(crate) at: Timestamp,
    /// Both clocks of this machine.
    pub(crate) reading: Reading,
    pub(crate) standing: Standing,
}

impl Moment {
    /// Whether what began now and ended at `end` can be said to have been then.
    pub(crate) fn is_believable_until(self, end: Moment) -> bool {
        let worse = self.standing.max(end.standing);
        let is_alone = self.standing.min(end.standing) == Standing::Alone;
        worse != Standing::Disbelieved && !(is_alone && self.stepped_until(end))
    }

    fn stepped_until(self, end: Moment) -> bool {
        STEP_MIN_MS < ahead_ms(self.reading).abs_diff(ahead_ms(end.reading))
    }
}

/// How far the wall clock is ahead of boot time.
fn ahead_ms(reading: Reading) -> i64 {
    reading.wall.as_millis() - rules::time::millis(reading.boot)
}

/// Tells the time.
#[derive(Clone, Debug)]
pub(crate) struct Timekeeper {
    clock: Clock,
    uplink: Option<UplinkHandle>,
}

impl Timekeeper {
    /// Tells the time by `clock`, and by the collector's if there is an uplink to it.
    pub(crate) fn new(clock: Clock, uplink: Option<UplinkHandle>) -> Timekeeper {
        Timekeeper { clock, uplink }
    }

    /// When it is.
    pub(crate) fn now(&self) -> Moment {
        moment(self.clock.now(), self.uplink.as_ref().and_then(UplinkHandle::offset))
    }

    /// The boot time at which it will be `at`, unless somebody steps the wall clock before.
    pub(crate) fn boot_at(&self, at: Timestamp) -> Duration {
        let Moment { at: now, reading, .. } = self.now();
        if now <= at { reading.boot + at.since(now) } else { reading.boot.saturating_sub(now.since(at)) }
    }
}

fn moment(reading: Reading, offset: Option<ClockOffset>) -> Moment {
    let Some(offset) = offset else {
        return Moment { at: reading.wall, reading, standing: Standing::Alone };
    };
    let off_by = offset.ahead_ms(reading).unsigned_abs();
    // What the measurement may be off by itself is held in the wall clock's favour.
    let surely = off_by.saturating_sub(u64::try_from(offset.within.as_millis()).unwrap_or(u64::MAX));
    let standing = match surely {
        ms if ms <= CORRECTED_FROM_MS => Standing::Right,
        ms if ms <= ALARMING_FROM_MS => Standing::Corrected,
        ms if ms <= DISBELIEVED_FROM_MS => Standing::Alarming,
        _ => Standing::Disbelieved,
    };
    let at = if standing == Standing::Right { reading.wall } else { offset.collectors_time(reading.boot) };
    Moment { at, reading, standing }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::uplink::State;
    use daemon::clock::Hand;
    use tokio::sync::watch;

    const NOON: Timestamp = Timestamp::from_millis(1_800_000_000_000);
    const SECOND: Duration = Duration::from_secs(1);

    /// A machine whose wall clock shows `wall` while the collector's shows noon.
    fn machine(wall: Timestamp) -> (Timekeeper, Hand) {
        let (clock, hand) = Clock::manual(wall);
        let offset = ClockOffset { theirs: NOON, boot: clock.boot(), within: Duration::from_millis(20) };
        let (state, handle) = watch::channel(State { offset: Some(offset), ..State::default() });
        // The last state stays readable without its sender.
        drop(state);
        (Timekeeper::new(clock, Some(UplinkHandle::of(handle))), hand)
    }

    fn shifted(millis: i64) -> Timestamp {
        Timestamp::from_millis(NOON.as_millis() + millis)
    }

    #[test]
    fn the_wall_clock_says_when_within_a_second_and_the_collectors_beyond() {
        let check = |off_ms: i64, stamp: Timestamp, standing| {
            let (time, hand) = machine(shifted(off_ms));
            hand.advance(SECOND);
            let now = time.now();
            assert_eq!((now.at, now.standing), (stamp.plus(SECOND), standing), "{off_ms} ms off");
            let soon = now.at.plus(30 * SECOND);
            assert_eq!(time.boot_at(soon), now.reading.boot + 30 * SECOND);
        };
        check(0, NOON, Standing::Right);
        check(1_020, shifted(1_020), Standing::Right);
        check(-1_021, NOON, Standing::Corrected);
        check(5_000, NOON, Standing::Corrected);
        check(5_100, NOON, Standing::Alarming);
        check(90_000, NOON, Standing::Disbelieved);
        check(-90_000, NOON, Standing::Disbelieved);
        check(-NOON.as_millis(), NOON, Standing::Disbelieved);
    }

    #[test]
    fn a_step_is_seen_through_with_a_collector_and_spoils_what_it_met_without() {
        for step in [-120_000, 120_000, -3_000] {
            let (time, hand) = machine(NOON);
            let before = time.now();
            hand.advance(SECOND);
            hand.step_wall(shifted(1_000 + step));
            let after = time.now();
            assert_eq!(after.at, NOON.plus(SECOND), "the collector's time goes on");
            assert_eq!(before.is_believable_until(after), step.abs() < 60_000);

            let (clock, hand) = Clock::manual(NOON);
            let alone = Timekeeper::new(clock, None);
            let before = alone.now();
            hand.step_wall(shifted(step));
            assert!(!before.is_believable_until(alone.now()));
            assert!(alone.now().is_believable_until(alone.now()), "what begins later is not spoilt");
        }
    }

    #[test]
    fn a_clock_that_is_set_right_is_believed_again() {
        let (time, hand) = machine(Timestamp::from_millis(0));
        hand.advance(10 * SECOND);
        assert_eq!(time.now().standing, Standing::Disbelieved);
        hand.step_wall(NOON.plus(10 * SECOND));
        let now = time.now();
        assert_eq!((now.at, now.standing), (NOON.plus(10 * SECOND), Standing::Right));
    }
}
