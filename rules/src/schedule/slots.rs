//! Where the slots of one check lie.

use crate::check::Assignment;
use crate::id::AgentId;
use crate::time::{Timestamp, millis};
use core::time::Duration;

/// The grid of one check's slots.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Slots {
    /// In whole milliseconds, and at least one.
    pub(super) every: Duration,
    /// Less than `every`.
    pub(super) phase: Duration,
}

impl Slots {
    pub(super) fn of(agent: &AgentId, assignment: &Assignment) -> Slots {
        let every = u64::try_from(assignment.check.every.as_millis()).unwrap_or(u64::MAX).max(1);
        let names = [agent.as_str(), assignment.service.as_str(), assignment.check.id.as_str()];
        let phase = hash(&names) % every;
        Slots { every: Duration::from_millis(every), phase: Duration::from_millis(phase) }
    }

    /// The first slot at or after `instant`.
    pub(super) fn first_from(self, instant: Timestamp) -> Timestamp {
        let into = self.into_slot(instant);
        if into.is_zero() { instant } else { instant.plus(self.every - into) }
    }

    /// The last slot at or before `instant`.
    pub(super) fn last_until(self, instant: Timestamp) -> Timestamp {
        instant.minus(self.into_slot(instant))
    }

    /// How long before `instant` the last slot was.
    fn into_slot(self, instant: Timestamp) -> Duration {
        let since_phase = i128::from(instant.as_millis()) - i128::from(millis(self.phase));
        let into = since_phase.rem_euclid(i128::from(millis(self.every)));
        Duration::from_millis(u64::try_from(into).expect("a remainder is less than its u64 divisor"))
    }
}

/// FNV-1a, 64 bits, over the names joined by `/`, which no name contains; then the finalizer of
/// MurmurHash3, because names that differ in their last digit differ in few bits before it.
/// It is part of the promise that a check keeps its phase: never change it.
pub(super) fn hash(names: &[&str]) -> u64 {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    let mut eat = |byte: u8| hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    for (index, name) in names.iter().enumerate() {
        if 0 < index {
            eat(b'/');
        }
        name.bytes().for_each(&mut eat);
    }
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^ (hash >> 33)
}
