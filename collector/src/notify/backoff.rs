//! When a message is tried again: later each time, and never all at once.

use rand::{RngExt, SeedableRng, rngs::StdRng};
use std::time::Duration;

/// The longest wait after the first failure: a receiver that restarts is back by then.
const FIRST: Duration = Duration::from_secs(10);
/// The longest wait at all: a receiver that is mended has everything within the hour.
const LONGEST: Duration = Duration::from_secs(3600);

/// Draws waits with full jitter.
#[derive(Debug)]
pub(super) struct Backoff {
    chance: StdRng,
}

impl Backoff {
    pub(super) fn new(seed: u64) -> Backoff {
        Backoff { chance: StdRng::seed_from_u64(seed) }
    }

    /// How long to wait after `attempts` failures, and never less than the receiver `asked` for as far
    /// as that is sensible.
    pub(super) fn wait(&mut self, attempts: u32, asked: Option<Duration>) -> Duration {
        let doubled = FIRST.saturating_mul(2_u32.saturating_pow(attempts.saturating_sub(1)));
        let longest = u64::try_from(doubled.min(LONGEST).as_millis()).unwrap_or(u64::MAX);
        let drawn = Duration::from_millis(self.chance.random_range(0..=longest));
        drawn.max(asked.unwrap_or_default().min(LONGEST))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_from_ten_seconds_to_an_hour_and_are_spread() {
        let mut backoff = Backoff::new(1);
        for (attempts, longest) in [(1, 10), (2, 20), (3, 40), (9, 2560), (10, 3600), (200, 3600)] {
            let drawn: Vec<Duration> = (0..200).map(|_| backoff.wait(attempts, None)).collect();
            let longest = Duration::from_secs(longest);
            assert!(drawn.iter().all(|wait| *wait <= longest), "{attempts}");
            assert!(drawn.iter().any(|wait| *wait < longest / 4) && drawn.iter().any(|wait| longest * 3 / 4 < *wait));
        }
    }

    #[test]
    fn a_receiver_is_not_asked_again_sooner_than_it_said_and_within_the_hour_all_the_same() {
        let mut backoff = Backoff::new(1);
        assert!(Duration::from_secs(60) <= backoff.wait(1, Some(Duration::from_secs(60))));
        assert_eq!(backoff.wait(1, Some(Duration::from_secs(86_400))), LONGEST);
    }
}
