//! One UTC hour of one series: what latency needs of it.
//!
//! While it is open it is a list of microseconds (a dense histogram of an hour takes 20 KiB, the
//! list a few hundred bytes); it becomes an HDR histogram with two significant digits when it is
//! over. Equal contributions give equal bytes.

use crate::ledger::{Hour, LedgerError};
use hdrhistogram::Histogram;
use hdrhistogram::serialization::{Deserializer, Serializer, V2Serializer};
use rules::latency::Population;
use rules::time::Timestamp;

/// Significant digits of every histogram (`accounting.md` section 9).
const DIGITS: u8 = 2;

/// An hour that results still come in for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct OpenHour {
    pub(crate) hour: Timestamp,
    pub(crate) population: Population,
    /// What each result contributes, in microseconds, in order of `at`.
    pub(crate) contributions: Vec<u32>,
}

impl OpenHour {
    pub(crate) fn new(hour: Timestamp) -> OpenHour {
        OpenHour { hour, population: Population::default(), contributions: Vec::new() }
    }

    /// The hour as it lies in the ledger.
    pub(crate) fn close(self) -> Hour {
        let OpenHour { hour, population, mut contributions } = self;
        // The widest first: the histogram's range then depends on nothing but its content.
        contributions.sort_unstable_by(|a, b| b.cmp(a));
        let mut histogram = empty_histogram();
        for us in &contributions {
            histogram.record(u64::from(*us)).expect("the histogram grows to any value of 32 bits");
        }
        let histogram = if contributions.is_empty() { Vec::new() } else { to_bytes(&histogram) };
        Hour { hour, population, histogram }
    }
}

/// A histogram of microseconds with nothing in it.
pub(crate) fn empty_histogram() -> Histogram<u64> {
    Histogram::new(DIGITS).expect("two digits are allowed")
}

fn to_bytes(histogram: &Histogram<u64>) -> Vec<u8> {
    let mut bytes = Vec::new();
    V2Serializer::new().serialize(histogram, &mut bytes).expect("a Vec takes all bytes and counts are small");
    bytes
}

/// Adds a closed hour's histogram to `sum`.
pub(crate) fn add_histogram(sum: &mut Histogram<u64>, hour: &Hour) -> Result<(), LedgerError> {
    if hour.histogram.is_empty() {
        return Ok(());
    }
    let corrupt = |why: &dyn std::fmt::Display| LedgerError::Corrupt {
        what: format!("the histogram of the hour {} is no HDR histogram ({why})", hour.hour),
    };
    let one: Histogram<u64> =
        Deserializer::new().deserialize(&mut hour.histogram.as_slice()).map_err(|error| corrupt(&error))?;
    sum.add(&one).map_err(|error| corrupt(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hour_of(contributions: &[u32]) -> Hour {
        let mut open = OpenHour::new(Timestamp::from_millis(0));
        open.contributions = contributions.to_vec();
        open.close()
    }

    #[test]
    fn equal_contributions_in_any_order_give_equal_bytes() {
        assert_eq!(hour_of(&[1, 90_000_000, 255, 256, 7]), hour_of(&[7, 256, 255, 90_000_000, 1]));
        assert_eq!(hour_of(&[255, 256]), hour_of(&[256, 255]));
    }

    #[test]
    fn histograms_add_up_and_garbage_is_refused() {
        let mut sum = empty_histogram();
        add_histogram(&mut sum, &hour_of(&[10_000, 20_000])).unwrap();
        add_histogram(&mut sum, &hour_of(&[3_000_000])).unwrap();
        add_histogram(&mut sum, &hour_of(&[])).unwrap();
        assert_eq!(sum.len(), 3);
        let garbage = Hour { histogram: vec![1, 2, 3], ..hour_of(&[]) };
        assert!(matches!(add_histogram(&mut sum, &garbage), Err(LedgerError::Corrupt { .. })));
    }
}
