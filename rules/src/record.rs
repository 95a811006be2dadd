//! What people put on record for one agreement, in order: exclusions, their approval, incidents,
//! effort, the customer's standing, and what was done with statements and evidence.
//!
//! A record is append-only. A correction is a new entry that names the one it corrects; nothing is
//! ever changed or taken out. What stands on record at an instant is a function of the entries up to
//! it (`accounting.md` section 8).

pub mod deletion;
pub mod exclusions;

use crate::exclusion::Exclusion;
use crate::incident;
use crate::period::Month;
use crate::retainer::Effort;
use crate::standing;
use crate::time::Timestamp;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

/// Who records what the collector does of itself; no person's name.
pub const BY_NINES: &str = "nines";

/// One line of an agreement's record.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// Its number within the agreement's record: 1, 2, 3, …
    pub number: u64,
    /// When it was recorded, by the collector's clock.
    pub recorded_at: Timestamp,
    /// Who recorded it: a user's name, or `nines` for what the collector does of itself. Text from
    /// outside.
    pub recorded_by: String,
    /// What is recorded.
    pub fact: Fact,
}

/// What can be on record.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fact {
    /// Time is announced or claimed not to count.
    Exclusion {
        /// The time and its ground.
        exclusion: Exclusion,
        /// The entry that this one corrects and takes the place of.
        supersedes: Option<u64>,
    },
    /// An exclusion is taken back.
    Withdrawal {
        /// The exclusion's entry.
        entry: u64,
        /// Why. Text from outside.
        reason: String,
    },
    /// A second person agrees to an exclusion that was claimed afterwards.
    Approval {
        /// The exclusion's entry.
        entry: u64,
    },
    /// A second person does not agree.
    Refusal {
        /// The exclusion's entry.
        entry: u64,
        /// Why. Text from outside.
        reason: String,
    },
    /// Something happened to an incident.
    Incident {
        /// The number of the entry that opened it; for the opening itself its own number.
        incident: u64,
        /// What.
        event: incident::Event,
    },
    /// Somebody worked under the retainer.
    Effort(Effort),
    /// The customer's standing changed.
    Standing(standing::Change),
    /// A statement was issued.
    Issue {
        /// For which period.
        month: Month,
        /// Which version of it.
        version: u32,
        /// SHA-256 of its canonical JSON, as in its seal.
        sha256: [u8; 32],
    },
    /// Evidence was disposed of, or handed over.
    Disposal(Disposal),
}

/// What was done with a customer's evidence.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Disposal {
    /// Why it was done.
    pub ground: Ground,
    /// Results before this instant are concerned.
    pub until: Timestamp,
    /// How many files.
    pub files: u64,
    /// How many results they held.
    pub results: u64,
}

/// Why evidence was disposed of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ground {
    /// It was handed to the customer as a bundle; nothing was deleted.
    Returned,
    /// The agreement's retention was over.
    Retention,
    /// A person had it erased: the customer asked, or the agreement ended.
    Erasure,
    /// The policy deletes data at this standing: a trial is over, fees are overdue, the agreement ended.
    Standing,
}

impl Ground {
    /// Whether evidence is gone that statements could still be drawn up from.
    pub fn is_erasure(self) -> bool {
        match self {
            Ground::Erasure | Ground::Standing => true,
            Ground::Returned | Ground::Retention => false,
        }
    }
}

/// Whether evidence from `instant` on, or a part of it, was erased.
pub fn is_erased_since(entries: &[Entry], instant: Timestamp) -> bool {
    entries.iter().any(|entry| match &entry.fact {
        Fact::Disposal(disposal) => disposal.ground.is_erasure() && instant <= disposal.until,
        Fact::Exclusion { .. } | Fact::Withdrawal { .. } | Fact::Approval { .. } | Fact::Refusal { .. } => false,
        Fact::Incident { .. } | Fact::Effort(_) | Fact::Standing(_) | Fact::Issue { .. } => false,
    })
}

/// What was on record at `as_of`; everything if it is nothing.
pub fn up_to(entries: &[Entry], as_of: Option<Timestamp>) -> &[Entry] {
    // The instants of a record never go back.
    let length = as_of.map_or(entries.len(), |as_of| entries.partition_point(|entry| entry.recorded_at <= as_of));
    &entries[..length]
}

/// The changes of the customer's standing on record, in order of time; of those from one instant the
/// last recorded.
pub fn standings(entries: &[Entry]) -> Vec<standing::Change> {
    let changes = entries.iter().filter_map(|entry| match &entry.fact {
        Fact::Standing(change) => Some(*change),
        Fact::Exclusion { .. } | Fact::Withdrawal { .. } | Fact::Approval { .. } | Fact::Refusal { .. } => None,
        Fact::Incident { .. } | Fact::Effort(_) | Fact::Issue { .. } | Fact::Disposal(_) => None,
    });
    in_order(changes)
}

/// `changes` in order of time; of those from one instant the last.
pub fn in_order(changes: impl IntoIterator<Item = standing::Change>) -> Vec<standing::Change> {
    let by_instant: BTreeMap<Timestamp, standing::Change> =
        changes.into_iter().map(|change| (change.from, change)).collect();
    by_instant.into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::standing::{Change, Standing};
    use alloc::vec;

    fn change(from: i64, standing: Standing) -> Change {
        Change { from: Timestamp::from_millis(from), standing }
    }

    fn entry(number: u64, change: Change) -> Entry {
        let recorded_at = Timestamp::from_millis(100 + number.cast_signed());
        Entry { number, recorded_at, recorded_by: "kim".into(), fact: Fact::Standing(change) }
    }

    #[test]
    fn of_two_changes_from_one_instant_the_last_recorded_stands() {
        use Standing::{Overdue, Paid, Terminated};
        let entries = [entry(1, change(9, Overdue)), entry(2, change(5, Paid)), entry(3, change(9, Terminated))];
        assert_eq!(standings(&entries), vec![change(5, Paid), change(9, Terminated)]);
        assert_eq!(
            standings(up_to(&entries, Some(Timestamp::from_millis(102)))),
            [change(5, Paid), change(9, Overdue)]
        );
        assert_eq!(up_to(&entries, Some(Timestamp::from_millis(100))), []);
        assert_eq!(up_to(&entries, None).len(), 3);
    }
}
