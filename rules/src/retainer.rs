//! A retainer: expert work bought by the year and used up in man-months (M/M).
//!
//! Handling an incident uses at least the policy's minimum, a diagnosis what was worked. What is
//! left of a year is carried into the next up to a limit.

use crate::decimal::{NotADecimal, Percent, scaled};
use crate::period::Month;
use crate::time::Timestamp;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;

/// Man-months in hundredths: 0.5 M/M is 50.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct ManMonths(pub u64);

/// More than any firm has people for; sums of a contract's entries never overflow.
const MAN_MONTHS_MAX: ManMonths = ManMonths(100_000_000);

impl FromStr for ManMonths {
    type Err = NotADecimal;

    fn from_str(text: &str) -> Result<ManMonths, NotADecimal> {
        let wanted = "a number of man-months with at most two digits after the point, such as 0.5";
        let read = scaled(text, 2).map(ManMonths).filter(|read| *read <= MAN_MONTHS_MAX);
        read.ok_or_else(|| NotADecimal { text: text.into(), wanted })
    }
}

impl fmt::Display for ManMonths {
    /// Without trailing zeros: `0.5`, `2`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, rest) = (self.0 / 100, self.0 % 100);
        match rest {
            0 => write!(f, "{whole}"),
            _ if rest.is_multiple_of(10) => write!(f, "{whole}.{}", rest / 10),
            _ => write!(f, "{whole}.{rest:02}"),
        }
    }
}

/// What was bought.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Retainer {
    /// The first month of the first year; a year is twelve months from here.
    pub from: Month,
    /// What a year holds.
    pub a_year: ManMonths,
    /// What was carried into the first year from an earlier contract.
    pub carried: ManMonths,
    /// The least that handling one incident uses.
    pub incident_at_least: ManMonths,
    /// How much of a year's own amount may be carried into the next.
    pub carry_at_most: Percent,
}

/// Somebody worked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Effort {
    /// On what.
    pub work: Work,
    /// When the work was done: it counts in the month of this instant.
    pub at: Timestamp,
    /// How much, as worked.
    pub worked: ManMonths,
    /// In somebody's words. Text from outside.
    pub note: String,
}

/// What effort goes into.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Work {
    /// Handling the incident of this number.
    Incident(u64),
    /// A regular diagnosis.
    Diagnosis,
}

/// A month of the retainer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Account {
    /// The first month of the year that the month lies in.
    pub year: Month,
    /// What the year began with: its own amount and what was carried into it.
    pub available: ManMonths,
    /// How much of that was carried.
    pub carried: ManMonths,
    /// What the year's earlier months used.
    pub used_before: ManMonths,
    /// What this month used.
    pub used: ManMonths,
    /// What is left; nothing if more was used than there was.
    pub left: ManMonths,
    /// How much more was used than there was.
    pub over: ManMonths,
    /// This month's entries, in order.
    pub lines: Vec<Line>,
}

/// One effort and what it uses.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Line {
    /// The entry's number in the record.
    pub entry: u64,
    /// What was recorded.
    pub effort: Effort,
    /// What it uses: as worked, or what the minimum adds to an incident's first entries.
    pub used: ManMonths,
}
