//! Calendar months in IANA zones (`accounting.md` section 2).

use crate::interval::Interval;
use crate::time::Timestamp;
use alloc::string::{String, ToString};
use core::fmt;
use core::str::FromStr;
use core::time::Duration;
use jiff::SignedDuration;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

/// A calendar month of no particular zone.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month {
    year: i16,
    month: i8,
}

/// Years that months may have: wide enough for any agreement, narrow enough for any arithmetic.
const YEARS: core::ops::RangeInclusive<i16> = 1970..=9000;

/// After so many days there was every weekday.
const DAYS_IN_A_WEEK: u8 = 7;

/// A text that is no month.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a month such as `2026-10`")]
pub struct NotAMonth(String);

impl Month {
    /// The month that `instant` lies in, on a calendar in `zone`.
    pub fn containing(instant: Timestamp, zone: &Zone) -> Month {
        let instant = jiff::Timestamp::from_millisecond(instant.as_millis()).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        let date = zone.time_zone.to_datetime(instant).date();
        Month { year: date.year().clamp(*YEARS.start(), *YEARS.end()), month: date.month() }
    }

    /// The month before.
    pub fn previous(self) -> Month {
        match self.month {
            1 => Month { year: self.year - 1, month: 12 },
            month => Month { month: month - 1, ..self },
        }
    }

    /// The month after.
    pub fn next(self) -> Month {
        match self.month {
            12 => Month { year: self.year + 1, month: 1 },
            month => Month { month: month + 1, ..self },
        }
    }

    /// How many months this one is after `earlier`; nothing if it is before it.
    pub fn months_since(self, earlier: Month) -> Option<u32> {
        let number = |month: Month| i32::from(month.year) * 12 + i32::from(month.month);
        u32::try_from(number(self) - number(earlier)).ok()
    }

    /// The year.
    pub fn year(self) -> i16 {
        self.year
    }

    /// The month of the year, from 1.
    pub fn number(self) -> i8 {
        self.month
    }

    /// From local midnight of its first day until local midnight of the next month's: real elapsed
    /// time, so a month with a change of clocks is an hour longer or shorter.
    pub fn interval(self, zone: &Zone) -> Interval {
        Interval::new(self.midnight(zone), self.next().midnight(zone)).expect("a month is longer than any clock change")
    }

    /// The first instant of its first day; where midnight is skipped, the instant of the skip.
    fn midnight(self, zone: &Zone) -> Timestamp {
        let date = Date::new(self.year, self.month, 1).expect("a month has a first day");
        let start = date.to_zoned(zone.time_zone.clone()).expect("years up to 9000 are within the calendar");
        Timestamp::from_millis(start.timestamp().as_millisecond())
    }
}

impl FromStr for Month {
    type Err = NotAMonth;

    fn from_str(text: &str) -> Result<Month, NotAMonth> {
        let parse = || {
            let (year, month) = text.split_once('-')?;
            let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
            if year.len() != 4 || month.len() != 2 || !is_number(year) || !is_number(month) {
                return None;
            }
            let month = Month { year: year.parse().ok()?, month: month.parse().ok()? };
            (YEARS.contains(&month.year) && (1..=12).contains(&month.month)).then_some(month)
        };
        parse().ok_or_else(|| NotAMonth(text.to_string()))
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.month)
    }
}

impl fmt::Debug for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// An IANA time zone, from the database that is built in: statements don't depend on the machine's.
#[derive(Clone, PartialEq, Eq)]
pub struct Zone {
    time_zone: TimeZone,
}

/// A text that names no zone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an IANA time zone such as `Asia/Seoul`")]
pub struct NotAZone(String);

impl Zone {
    /// Coordinated Universal Time.
    pub fn utc() -> Zone {
        Zone { time_zone: TimeZone::UTC }
    }

    /// Its IANA name.
    pub fn name(&self) -> &str {
        self.time_zone.iana_name().unwrap_or("UTC")
    }

    /// How far `instant` is east of UTC here, in seconds: for pages that show local times.
    pub fn offset_seconds(&self, instant: Timestamp) -> i32 {
        jiff::Timestamp::from_millisecond(instant.as_millis())
            .map(|instant| self.time_zone.to_offset(instant).seconds())
            .unwrap_or(0)
    }

    /// The day that `instant` lies in.
    pub(crate) fn date(&self, instant: Timestamp) -> Option<Date> {
        let instant = jiff::Timestamp::from_millisecond(instant.as_millis()).ok()?;
        Some(self.time_zone.to_datetime(instant).date())
    }

    /// When clocks here show `local`: the first time if they do twice, and if they skip it as much
    /// later as they skip.
    pub(crate) fn instant(&self, local: DateTime) -> Timestamp {
        let instant = self.time_zone.to_ambiguous_timestamp(local).compatible();
        instant.map_or(Timestamp::MAX, |instant| Timestamp::from_millis(instant.as_millisecond()))
    }

    /// The last instant by `now` at which clocks here show `at` past midnight, on any day or on one
    /// `weekday` (1 is Monday): the first time if they show it twice, and if they skip it as much later
    /// as they skip.
    pub fn last_at(&self, now: Timestamp, at: Duration, weekday: Option<u8>) -> Option<Timestamp> {
        let mut day = self.date(now)?;
        for _ in 0..=DAYS_IN_A_WEEK {
            let number = u8::try_from(day.weekday().to_monday_one_offset()).ok();
            if weekday.is_none() || weekday == number {
                let local = DateTime::from(day).checked_add(SignedDuration::try_from(at).ok()?).ok()?;
                let instant = self.instant(local);
                if instant <= now {
                    return Some(instant);
                }
            }
            day = day.yesterday().ok()?;
        }
        None
    }

    /// The same hour of the same day a calendar month later, or of that month's last day if it is shorter.
    pub(crate) fn month_later(&self, instant: Timestamp) -> Timestamp {
        let later = jiff::Timestamp::from_millisecond(instant.as_millis())
            .and_then(|instant| self.time_zone.to_datetime(instant).checked_add(jiff::Span::new().months(1)));
        later.map_or(Timestamp::MAX, |later| self.instant(later))
    }

    /// The first instant of the day after the one that `instant` lies in: for pages that show days.
    pub fn next_midnight(&self, instant: Timestamp) -> Timestamp {
        let start = jiff::Timestamp::from_millisecond(instant.as_millis())
            .and_then(|instant| self.time_zone.to_datetime(instant).date().tomorrow())
            .and_then(|tomorrow| tomorrow.to_zoned(self.time_zone.clone()));
        start.map_or(Timestamp::MAX, |start| Timestamp::from_millis(start.timestamp().as_millisecond()))
    }
}

impl FromStr for Zone {
    type Err = NotAZone;

    fn from_str(text: &str) -> Result<Zone, NotAZone> {
        let time_zone = jiff::tz::TimeZoneDatabase::bundled().get(text).map_err(|_| NotAZone(text.to_string()))?;
        Ok(Zone { time_zone })
    }
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_has_the_length_that_passed_in_its_zone() {
        let check = |zone: &str, month: &str, hours: u64| {
            let interval = month.parse::<Month>().unwrap().interval(&zone.parse().unwrap());
            assert_eq!(interval.length().as_secs(), hours * 3600, "{month} in {zone}");
        };
        check("Europe/Berlin", "2026-03", 743);
        check("Europe/Berlin", "2026-10", 745);
        check("America/New_York", "2026-03", 743);
        check("America/New_York", "2026-11", 721);
        check("Asia/Seoul", "2024-02", 696);
        check("UTC", "2026-02", 672);
        // Clocks went forward at midnight of the first: the day began at 01:00.
        check("America/Asuncion", "2017-10", 743);
    }

    #[test]
    fn the_next_midnight_is_a_day_away_that_may_be_an_hour_longer_or_shorter() {
        let check = |zone: &str, at: &str, next: &str| {
            let zone: Zone = zone.parse().unwrap();
            assert_eq!(zone.next_midnight(at.parse().unwrap()), next.parse().unwrap(), "{zone:?}");
        };
        check("UTC", "2026-02-28T23:59:59.999Z", "2026-03-01T00:00:00Z");
        check("Europe/Berlin", "2026-10-25T00:00:00+02:00", "2026-10-26T00:00:00+01:00");
        check("Asia/Kathmandu", "2026-10-25T12:00:00+05:45", "2026-10-26T00:00:00+05:45");
    }

    #[test]
    fn an_hour_of_the_day_was_last_shown_when_clocks_showed_it() {
        let check = |zone: &str, now: &str, hours: u64, weekday: Option<u8>, expected: &str| {
            let zone: Zone = zone.parse().unwrap();
            let found = zone.last_at(now.parse().unwrap(), Duration::from_secs(hours * 3600), weekday);
            assert_eq!(found, Some(expected.parse().unwrap()), "{zone:?} {now}");
        };
        check("Asia/Seoul", "2026-10-05T18:00:00+09:00", 18, None, "2026-10-05T18:00:00+09:00");
        check("Asia/Seoul", "2026-10-05T17:59:59.999+09:00", 18, None, "2026-10-04T18:00:00+09:00");
        // A Monday; the last Friday was the second.
        check("Asia/Seoul", "2026-10-05T12:00:00+09:00", 18, Some(5), "2026-10-02T18:00:00+09:00");
        check("Asia/Seoul", "2026-10-02T12:00:00+09:00", 18, Some(5), "2026-09-25T18:00:00+09:00");
        // Six in the evening is six in the evening on both sides of a change of clocks.
        check("Europe/Berlin", "2026-10-24T20:00:00+02:00", 18, None, "2026-10-24T16:00:00Z");
        check("Europe/Berlin", "2026-10-25T20:00:00+01:00", 18, None, "2026-10-25T17:00:00Z");
        // Two o'clock is skipped in March and shown twice in October.
        check("Europe/Berlin", "2026-03-29T12:00:00+02:00", 2, None, "2026-03-29T01:00:00Z");
        check("Europe/Berlin", "2026-10-25T12:00:00+01:00", 2, None, "2026-10-25T00:00:00Z");
    }

    #[test]
    fn months_tile_the_year() {
        let zone: Zone = "America/New_York".parse().unwrap();
        let mut month: Month = "2025-12".parse().unwrap();
        for _ in 0..14 {
            assert_eq!(month.interval(&zone).until(), month.next().interval(&zone).from());
            assert_eq!(Month::containing(month.interval(&zone).from(), &zone), month);
            assert_eq!(month.next().previous(), month);
            month = month.next();
        }
    }

    #[test]
    fn months_are_counted_across_years_and_a_month_later_is_a_day_that_exists() {
        let month = |text: &str| text.parse::<Month>().unwrap();
        assert_eq!(month("2027-02").months_since(month("2025-11")), Some(15));
        assert_eq!(month("2025-10").months_since(month("2025-11")), None);
        let zone: Zone = "Asia/Seoul".parse().unwrap();
        let later = |text: &str| zone.month_later(text.parse().unwrap());
        assert_eq!(later("2026-10-31T00:00:00+09:00"), "2026-11-30T00:00:00+09:00".parse().unwrap());
        assert_eq!(later("2026-12-05T10:00:00+09:00"), "2027-01-05T10:00:00+09:00".parse().unwrap());
    }

    #[test]
    fn only_a_month_is_a_month_and_only_a_zone_a_zone() {
        for bad in ["2026-13", "2026-1", "2026-00", "26-10", "2026/10", "+026-10", "1900-01"] {
            assert!(bad.parse::<Month>().is_err(), "{bad}");
        }
        assert_eq!(
            "Asia/Seol".parse::<Zone>().unwrap_err().to_string(),
            "`Asia/Seol` is not an IANA time zone such as `Asia/Seoul`"
        );
        assert_eq!("asia/seoul".parse::<Zone>().unwrap().name(), "Asia/Seoul");
    }
}
