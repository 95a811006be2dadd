//! When: whole milliseconds since the Unix epoch, UTC (`accounting.md` section 2).
//!
//! *How long* is [`core::time::Duration`]. No clock is read here or anywhere in this crate.

use alloc::string::ToString;
use core::fmt;
use core::str::FromStr;
use core::time::Duration;

/// An instant in whole milliseconds since the Unix epoch, UTC.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(i64);

impl Timestamp {
    /// Earlier than any instant a result can carry.
    pub const MIN: Timestamp = Timestamp(-62_135_596_800_000);
    /// Later than any instant a result can carry: the end of the year 9999.
    pub const MAX: Timestamp = Timestamp(253_402_300_799_999);

    /// The instant `millis` after the Unix epoch, held within [`Timestamp::MIN`] and [`Timestamp::MAX`].
    pub const fn from_millis(millis: i64) -> Timestamp {
        if millis < Timestamp::MIN.0 {
            Timestamp::MIN
        } else if Timestamp::MAX.0 < millis {
            Timestamp::MAX
        } else {
            Timestamp(millis)
        }
    }

    /// Milliseconds since the Unix epoch.
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// The instant `length` later, cut to whole milliseconds and held at [`Timestamp::MAX`].
    pub fn plus(self, length: Duration) -> Timestamp {
        Timestamp::from_millis(self.0.saturating_add(millis(length)))
    }

    /// The instant `length` earlier, cut to whole milliseconds and held at [`Timestamp::MIN`].
    pub fn minus(self, length: Duration) -> Timestamp {
        Timestamp::from_millis(self.0.saturating_sub(millis(length)))
    }

    /// How long after `earlier` this is; zero if it is not after it.
    pub fn since(self, earlier: Timestamp) -> Duration {
        let difference = self.0.saturating_sub(earlier.0);
        Duration::from_millis(u64::try_from(difference).unwrap_or(0))
    }

    /// The beginning of the UTC hour that this instant lies in.
    pub fn hour(self) -> Timestamp {
        Timestamp(self.0 - self.0.rem_euclid(3_600_000))
    }
}

/// Whole milliseconds of `length`, held at `i64::MAX`.
pub fn millis(length: Duration) -> i64 {
    i64::try_from(length.as_millis()).unwrap_or(i64::MAX)
}

/// RFC 3339 in UTC: with three digits of a second when it has a fraction, with none when it is whole.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(instant) if self.0.rem_euclid(1000) == 0 => write!(f, "{instant:.0}"),
            Ok(instant) => write!(f, "{instant:.3}"),
            Err(_) => write!(f, "{} ms", self.0),
        }
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text that is no instant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an RFC 3339 instant such as `2026-10-05T00:00:00+09:00` ({why})")]
pub struct NotAnInstant {
    text: alloc::string::String,
    why: alloc::string::String,
}

impl FromStr for Timestamp {
    type Err = NotAnInstant;

    /// Reads RFC 3339 with an offset; what is finer than a millisecond is cut off.
    fn from_str(text: &str) -> Result<Timestamp, NotAnInstant> {
        let refuse = |why: &dyn fmt::Display| NotAnInstant { text: text.into(), why: why.to_string() };
        let instant = jiff::Timestamp::from_str(text).map_err(|error| refuse(&error))?;
        let cut = instant.as_nanosecond().div_euclid(1_000_000);
        let millis = i64::try_from(cut).map_err(|error| refuse(&error))?;
        Ok(Timestamp::from_millis(millis))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_prints_milliseconds_only_when_it_has_some() {
        let check = |text: &str, printed: &str| {
            assert_eq!(text.parse::<Timestamp>().unwrap().to_string(), printed);
        };
        check("2026-10-01T00:00:00Z", "2026-10-01T00:00:00Z");
        check("2026-10-01T00:00:00.2Z", "2026-10-01T00:00:00.200Z");
        check("2026-10-05T00:00:00.0019+09:00", "2026-10-04T15:00:00.001Z");
    }

    #[test]
    fn an_instant_without_offset_is_refused_with_an_example() {
        let refusal = "2026-10-01T00:00:00".parse::<Timestamp>().unwrap_err().to_string();
        assert!(refusal.contains("such as `2026-10-05T00:00:00+09:00`"), "{refusal}");
    }

    #[test]
    fn arithmetic_stays_within_the_calendar() {
        assert_eq!(Timestamp::MAX.plus(Duration::MAX), Timestamp::MAX);
        assert_eq!(Timestamp::MIN.minus(Duration::MAX), Timestamp::MIN);
        assert_eq!(Timestamp::from_millis(5).since(Timestamp::from_millis(9)), Duration::ZERO);
    }
}
