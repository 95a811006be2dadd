//! Whether the agent stood still: frozen, suspended or starved (`reliability.md` D9).
//!
//! The scheduler promises when it will wake next; waking more than a second late is a pause. A
//! probe that ran through one can't blame its target for a time-out. Missed slots are the
//! schedule's business, not this module's.

use rules::judge::Pause;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Waking later than this after the promised time is a pause; a busy machine's delays are far shorter.
const LATE_MAX: Duration = Duration::from_secs(1);

/// What is known about pauses, in boot time.
#[derive(Debug, Default)]
pub(crate) struct Pauses {
    /// Microseconds of boot time at which the scheduler promised to be awake; 0 before it runs.
    promised: AtomicU64,
    /// Microseconds of boot time at which the last pause was over.
    ended: AtomicU64,
}

impl Pauses {
    /// The scheduler will be awake at `until` or before.
    pub(crate) fn promise(&self, until: Duration) {
        self.promised.store(micros(until), Ordering::Release);
    }

    /// The scheduler is awake at `now`; returns how late it is if that was a pause.
    pub(crate) fn awake(&self, now: Duration) -> Option<Duration> {
        let late = self.late(now)?;
        self.ended.fetch_max(micros(now), Ordering::AcqRel);
        Some(late)
    }

    /// Whether the agent paused between `started` and `ended`, a stretch that is just over: also if
    /// the scheduler has not yet woken from it.
    pub(crate) fn between(&self, started: Duration, ended: Duration) -> Pause {
        if micros(started) < self.ended.load(Ordering::Acquire) || self.late(ended).is_some() {
            Pause::Present
        } else {
            Pause::Absent
        }
    }

    fn late(&self, now: Duration) -> Option<Duration> {
        let promised = match self.promised.load(Ordering::Acquire) {
            0 => return None,
            micros => Duration::from_micros(micros),
        };
        now.checked_sub(promised).filter(|late| LATE_MAX < *late)
    }
}

fn micros(instant: Duration) -> u64 {
    u64::try_from(instant.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_probe_that_ran_through_a_pause_knows_even_before_the_scheduler_does() {
        let pauses = Pauses::default();
        assert_eq!(pauses.between(seconds(1), seconds(100)), Pause::Absent, "nothing was promised");
        pauses.promise(seconds(10));
        assert_eq!(pauses.between(seconds(9), seconds(11)), Pause::Absent, "a second is no pause");
        assert_eq!(pauses.between(seconds(9), seconds(70)), Pause::Present);
    }

    #[test]
    fn a_pause_excuses_what_began_before_its_end_and_nothing_later() {
        let pauses = Pauses::default();
        pauses.promise(seconds(10));
        assert_eq!(pauses.awake(seconds(70)), Some(seconds(60)));
        pauses.promise(seconds(71));
        assert_eq!(pauses.between(seconds(69), seconds(71)), Pause::Present);
        assert_eq!(pauses.between(seconds(70), seconds(71)), Pause::Absent);
        assert_eq!(pauses.awake(seconds(71)), None);
    }
}
