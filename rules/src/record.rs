//! What people put on record for one agreement, in order: exclusions, their approval, incidents,
//! effort, the customer's standing, and what was done with statements and evidence.
//!
//! A record is append-only. A correction is a new entry that names the one it corrects; nothing is
//! ever changed or taken out. What stands on record at an instant is a function of the entries up to
//! it (`accounting.md` section 8).

use crate::exclusion::Exclusion;
use crate::incident;
use crate::period::Month;
use crate::retainer::Effort;
use crate::standing;
use crate::time::Timestamp;
use alloc::string::String;

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
    /// The agreement ended, or the customer asked.
    Erasure,
}
