//! The only place that reads clocks.
//!
//! The wall clock says *when*, the boot-time clock says *how long*: it counts through suspension
//! and never goes back. Whoever needs both takes them together, as a [`Reading`]. A clock never
//! judges: that the wall clock was stepped, or that somebody overslept, is the caller's finding.

use rules::time::Timestamp;
use rustix::time::{ClockId, Timespec, clock_gettime};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// The longest sleep at a stretch: the runtime's timer stands still while the machine is
/// suspended, so a sleeper looks at the boot-time clock at least this often.
const SLEEP_MAX: Duration = Duration::from_secs(5);
/// Wall and boot time count as taken together when no more than this passed between their reads.
const TOGETHER: Duration = Duration::from_micros(200);
/// How often a reading is taken again because the process was put aside in the middle of it.
const READINGS_MAX: usize = 4;

/// A handle on the time; cheap to clone.
#[derive(Clone, Debug)]
pub struct Clock {
    source: Source,
}

#[derive(Clone, Debug)]
enum Source {
    System,
    Manual(Arc<watch::Sender<Instants>>),
}

/// Both clocks, to the nanosecond.
#[derive(Clone, Copy, Debug)]
struct Instants {
    /// Since the Unix epoch.
    wall: Duration,
    boot: Duration,
}

/// Wall and boot time taken together.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reading {
    /// When it is.
    pub wall: Timestamp,
    /// How long the machine has been up, suspension included.
    pub boot: Duration,
}

impl Clock {
    /// The machine's clocks.
    pub fn system() -> Clock {
        Clock { source: Source::System }
    }

    /// A clock that stands at `wall` until its [`Hand`] moves it.
    pub fn manual(wall: Timestamp) -> (Clock, Hand) {
        let since_epoch = Duration::from_millis(u64::try_from(wall.as_millis()).unwrap_or(0));
        let instants = Instants { wall: since_epoch, boot: Duration::from_secs(1) };
        let shared = Arc::new(watch::Sender::new(instants));
        (Clock { source: Source::Manual(Arc::clone(&shared)) }, Hand { instants: shared })
    }

    /// Reads both clocks together.
    pub fn now(&self) -> Reading {
        let Instants { wall, boot } = self.instants();
        Reading { wall: timestamp(wall), boot }
    }

    /// When it is.
    pub fn wall(&self) -> Timestamp {
        match &self.source {
            Source::System => timestamp(since_zero(clock_gettime(ClockId::Realtime))),
            Source::Manual(instants) => timestamp(instants.borrow().wall),
        }
    }

    /// How long the machine has been up.
    pub fn boot(&self) -> Duration {
        match &self.source {
            Source::System => since_zero(clock_gettime(ClockId::Boottime)),
            Source::Manual(instants) => instants.borrow().boot,
        }
    }

    /// The boot time at which the wall clock will show `wall`, unless somebody steps it before.
    pub fn boot_at(&self, wall: Timestamp) -> Duration {
        let now = self.instants();
        let then = Duration::from_millis(u64::try_from(wall.as_millis()).unwrap_or(0));
        match then.checked_sub(now.wall) {
            Some(ahead) => now.boot + ahead,
            None => now.boot.saturating_sub(now.wall - then),
        }
    }

    /// Sleeps until the boot-time clock shows `deadline` or more. Safe to drop at any time.
    pub async fn sleep_until(&self, deadline: Duration) {
        match &self.source {
            Source::System => loop {
                let left = deadline.saturating_sub(self.boot());
                if left.is_zero() {
                    return;
                }
                tokio::time::sleep(left.min(SLEEP_MAX)).await;
            },
            Source::Manual(instants) => {
                let mut moves = instants.subscribe();
                // The sender lives in `self`, so waiting can't fail.
                let _ = moves.wait_for(|now| deadline <= now.boot).await;
            }
        }
    }

    /// Sleeps for `length` of boot time. Safe to drop at any time.
    pub async fn sleep(&self, length: Duration) {
        self.sleep_until(self.boot() + length).await;
    }

    fn instants(&self) -> Instants {
        match &self.source {
            Source::System => system_instants(),
            Source::Manual(instants) => *instants.borrow(),
        }
    }
}

/// What moves a manual clock.
#[derive(Clone, Debug)]
pub struct Hand {
    instants: Arc<watch::Sender<Instants>>,
}

impl Hand {
    /// Lets `length` pass on both clocks.
    pub fn advance(&self, length: Duration) {
        self.instants.send_modify(|now| {
            now.wall += length;
            now.boot += length;
        });
    }

    /// Sets the wall clock, as an operator or a time daemon does; no time passes.
    pub fn step_wall(&self, wall: Timestamp) {
        let since_epoch = Duration::from_millis(u64::try_from(wall.as_millis()).unwrap_or(0));
        self.instants.send_modify(|now| now.wall = since_epoch);
    }

    /// How many sleepers wait for the clock to move.
    pub fn sleepers(&self) -> usize {
        self.instants.receiver_count()
    }
}

/// Reads the wall clock between two reads of the boot-time clock, again if they lie apart.
fn system_instants() -> Instants {
    let read = || {
        let before = since_zero(clock_gettime(ClockId::Boottime));
        let wall = since_zero(clock_gettime(ClockId::Realtime));
        let after = since_zero(clock_gettime(ClockId::Boottime));
        (Instants { wall, boot: before }, after - before)
    };
    let mut closest = read();
    for _ in 1..READINGS_MAX {
        if closest.1 <= TOGETHER {
            break;
        }
        let again = read();
        if again.1 < closest.1 {
            closest = again;
        }
    }
    closest.0
}

/// A clock that shows a time before its zero is taken to show zero.
fn since_zero(read: Timespec) -> Duration {
    let nanos = u32::try_from(read.tv_nsec).unwrap_or(0);
    u64::try_from(read.tv_sec).map_or(Duration::ZERO, |seconds| Duration::new(seconds, nanos))
}

fn timestamp(since_epoch: Duration) -> Timestamp {
    Timestamp::from_millis(rules::time::millis(since_epoch))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_clock_is_after_this_file_was_written_and_never_goes_back() {
        let clock = Clock::system();
        let first = clock.now();
        let second = clock.now();
        assert!("2026-01-01T00:00:00Z".parse::<Timestamp>().unwrap() < first.wall);
        assert!(first.boot <= second.boot);
    }

    #[test]
    fn boot_at_is_as_far_from_now_as_the_wall_time_is() {
        let (clock, _hand) = Clock::manual(Timestamp::from_millis(1_000_000));
        let now = clock.now();
        assert_eq!(clock.boot_at(Timestamp::from_millis(1_000_250)), now.boot + Duration::from_millis(250));
        assert_eq!(clock.boot_at(Timestamp::from_millis(999_900)), now.boot - Duration::from_millis(100));
    }

    #[tokio::test]
    async fn a_system_sleep_ends_at_its_deadline_and_not_before() {
        let clock = Clock::system();
        let deadline = clock.boot() + Duration::from_millis(20);
        clock.sleep_until(deadline).await;
        assert!(deadline <= clock.boot());
    }

    #[tokio::test]
    async fn a_manual_sleep_ends_when_the_hand_passes_its_deadline() {
        let (clock, hand) = Clock::manual(Timestamp::from_millis(0));
        let mut sleeper = tokio::task::JoinSet::new();
        let sleeping = clock.clone();
        sleeper.spawn(async move { sleeping.sleep(Duration::from_secs(3600)).await });
        while hand.sleepers() == 0 {
            tokio::task::yield_now().await;
        }
        hand.advance(Duration::from_secs(3599));
        tokio::task::yield_now().await;
        assert!(sleeper.try_join_next().is_none());
        hand.advance(Duration::from_secs(1));
        sleeper.join_next().await.unwrap().unwrap();
        assert_eq!(clock.wall(), Timestamp::from_millis(3_600_000));
    }

    #[test]
    fn a_stepped_wall_clock_leaves_boot_time_alone() {
        let (clock, hand) = Clock::manual(Timestamp::from_millis(5_000));
        let boot = clock.boot();
        hand.step_wall(Timestamp::from_millis(1_000));
        assert_eq!((clock.wall(), clock.boot()), (Timestamp::from_millis(1_000), boot));
    }
}
