//! In which order the probes of one check begin.
//!
//! A series only ever goes forward: its results travel and are folded in order of their instants,
//! and a clock that was set back must not make one instant tell two stories. This keeps no result.

use rules::time::Timestamp;
use std::sync::atomic::{AtomicI64, Ordering};

/// The instant of the probe that began last.
#[derive(Debug)]
pub(crate) struct Sequence(AtomicI64);

/// Where a probe stands among the others of its check.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Begun {
    /// After all others.
    At(Timestamp),
    /// The clock shows a time that the series has passed: the probe stands right after the last
    /// one, and when it really began nobody knows.
    Behind(Timestamp),
}

impl Begun {
    /// The instant that its result has.
    pub(crate) fn at(self) -> Timestamp {
        match self {
            Begun::At(at) | Begun::Behind(at) => at,
        }
    }
}

impl Sequence {
    /// Nothing has begun.
    pub(crate) fn new() -> Sequence {
        Sequence(AtomicI64::new(i64::MIN))
    }

    /// A probe begins while the clock shows `now`.
    pub(crate) fn begin(&self, now: Timestamp) -> Begun {
        let after = |last: i64| now.as_millis().max(last.saturating_add(1));
        let before = self.0.fetch_update(Ordering::AcqRel, Ordering::Acquire, |last| Some(after(last)));
        let last = before.unwrap_or_else(|last| last);
        // Two probes of one check in the same millisecond are no step of a clock.
        match last <= now.as_millis() {
            true => Begun::At(Timestamp::from_millis(after(last))),
            false => Begun::Behind(Timestamp::from_millis(after(last))),
        }
    }

    /// Whether no probe has begun since the one at `at`.
    pub(crate) fn is_last(&self, at: Timestamp) -> bool {
        self.0.load(Ordering::Acquire) == at.as_millis()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_series_never_goes_back_and_says_when_the_clock_did() {
        let at = Timestamp::from_millis;
        let sequence = Sequence::new();
        assert_eq!(sequence.begin(at(5_000)), Begun::At(at(5_000)));
        assert_eq!(sequence.begin(at(5_000)), Begun::At(at(5_001)));
        assert_eq!(sequence.begin(at(2_000)), Begun::Behind(at(5_002)));
        assert_eq!(sequence.begin(at(9_000)), Begun::At(at(9_000)));
        assert!(sequence.is_last(at(9_000)) && !sequence.is_last(at(5_002)));
    }
}
