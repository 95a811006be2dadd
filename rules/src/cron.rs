//! Schedules as crontab writes them: minute, hour, day of month, month, day of week.
//!
//! The meaning is that of crontab(5) on Debian: five fields, 0 and 7 are Sunday, and when both days
//! are restricted either will do. Times are local to a zone: one that clocks skip in spring comes
//! when they go on, and one that they show twice in autumn comes once, the first time.

use crate::period::Zone;
use crate::time::Timestamp;
use alloc::string::{String, ToString};
use core::fmt;
use core::str::FromStr;
use core::time::Duration;
use jiff::civil::Date;

/// How far ahead a next run is looked for: the 29th of February may be eight years away.
const DAYS_AHEAD_MAX: usize = 10 * 366;
/// The years over which the distance of runs is measured: each day of the week meets each date, and
/// a leap day comes twice, so no later year has a longer one, but for the century's.
const MEASURED: (i16, i16) = (2024, 2032);

/// When something is due, by the minute.
#[derive(Clone, PartialEq, Eq)]
pub struct Cron {
    text: String,
    /// A bit for each value.
    minutes: u64,
    hours: u64,
    days: u64,
    months: u64,
    weekdays: u64,
    days_meet: DaysMeet,
}

/// How the day of the month and the day of the week go together.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum DaysMeet {
    /// One of them is a star: the other decides.
    Both,
    /// Both are restricted: a day that either names is one.
    Either,
}

/// A text that is no schedule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no schedule: {why}; write minute, hour, day of month, month and day of week, such as `0 2 * * *`")]
pub struct NotASchedule {
    text: String,
    why: String,
}

/// A field's name, its least and greatest value, and the words for its values from the least on.
struct Field {
    name: &'static str,
    least: u32,
    greatest: u32,
    words: &'static [&'static str],
}

const FIELDS: [Field; 5] = [
    Field { name: "minute", least: 0, greatest: 59, words: &[] },
    Field { name: "hour", least: 0, greatest: 23, words: &[] },
    Field { name: "day of month", least: 1, greatest: 31, words: &[] },
    Field {
        name: "month",
        least: 1,
        greatest: 12,
        words: &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"],
    },
    Field {
        name: "day of week",
        least: 0,
        greatest: 7,
        words: &["sun", "mon", "tue", "wed", "thu", "fri", "sat", "sun"],
    },
];

/// Words that stand for a whole schedule.
const WHOLE: [(&str, &str); 7] = [
    ("@hourly", "0 * * * *"),
    ("@daily", "0 0 * * *"),
    ("@midnight", "0 0 * * *"),
    ("@weekly", "0 0 * * 0"),
    ("@monthly", "0 0 1 * *"),
    ("@yearly", "0 0 1 1 *"),
    ("@annually", "0 0 1 1 *"),
];

impl Cron {
    /// The first run after `instant` in `zone`; nothing if none comes in ten years.
    pub fn next_after(&self, instant: Timestamp, zone: &Zone) -> Option<Timestamp> {
        let mut day = zone.date(instant)?;
        for _ in 0..DAYS_AHEAD_MAX {
            if self.has_day(day)
                && let Some(run) = self.times().map(|time| at(day, time, zone)).find(|run| instant < *run)
            {
                return Some(run);
            }
            day = day.tomorrow().ok()?;
        }
        None
    }

    /// The longest time that passes in `zone` from one run to the next; nothing if it has none.
    pub fn longest_distance(&self, zone: &Zone) -> Option<Duration> {
        let (mut day, until) = (Date::new(MEASURED.0, 1, 1).ok()?, Date::new(MEASURED.1, 1, 1).ok()?);
        let (first, last) = (self.times().next()?, self.times().last()?);
        let (mut longest, mut before) = (None, None::<Timestamp>);
        while day < until {
            if self.has_day(day) {
                let (begin, end) = (at(day, first, zone), at(day, last, zone));
                let minutes = u64::from(last - first);
                let is_even = end.since(begin) == Duration::from_secs(minutes * 60);
                let within = if is_even { self.distance_of_times() } else { self.distance_on(day, zone) };
                longest = longest.max(before.map(|before| begin.since(before))).max(within);
                before = Some(end);
            }
            day = day.tomorrow().ok()?;
        }
        longest
    }

    /// The longest distance of two times of a day whose hours all have sixty minutes.
    fn distance_of_times(&self) -> Option<Duration> {
        let apart = self.times().zip(self.times().skip(1)).map(|(time, next)| next - time).max()?;
        Some(Duration::from_secs(u64::from(apart) * 60))
    }

    /// The longest distance of two runs on a day on which clocks are changed.
    fn distance_on(&self, day: Date, zone: &Zone) -> Option<Duration> {
        let runs = || self.times().map(|time| at(day, time, zone));
        runs().zip(runs().skip(1)).map(|(run, next)| next.since(run)).max()
    }

    /// The minutes of a day that are due, in order.
    fn times(&self) -> impl Iterator<Item = u32> + '_ {
        let hours = (0..24).filter(|hour| has(self.hours, *hour));
        hours.flat_map(|hour| (0..60).filter(|minute| has(self.minutes, *minute)).map(move |minute| hour * 60 + minute))
    }

    fn has_day(&self, day: Date) -> bool {
        let value = |number: i8| u32::try_from(number).unwrap_or(0);
        let of_month = has(self.days, value(day.day()));
        let of_week = has(self.weekdays, value(day.weekday().to_sunday_zero_offset()));
        has(self.months, value(day.month()))
            && match self.days_meet {
                DaysMeet::Both => of_month && of_week,
                DaysMeet::Either => of_month || of_week,
            }
    }
}

fn has(set: u64, value: u32) -> bool {
    set & (1 << value) != 0
}

/// The instant at which clocks in `zone` show this minute of `day`.
fn at(day: Date, minute: u32, zone: &Zone) -> Timestamp {
    let part = |number: u32| i8::try_from(number).expect("hours and minutes are below 60");
    zone.instant(day.at(part(minute / 60), part(minute % 60), 0, 0))
}

impl FromStr for Cron {
    type Err = NotASchedule;

    fn from_str(text: &str) -> Result<Cron, NotASchedule> {
        let refuse =
            |why: String| NotASchedule { text: text.chars().flat_map(crate::evidence::escaped).collect(), why };
        let word = text.trim().to_lowercase();
        let fields = WHOLE.iter().find(|(known, _)| *known == word).map_or(text, |(_, fields)| fields);
        let mut sets = [0; 5];
        let parts: alloc::vec::Vec<&str> = fields.split_whitespace().collect();
        if parts.len() != FIELDS.len() {
            return Err(refuse(alloc::format!("it has {} fields and not five", parts.len())));
        }
        for ((set, field), part) in sets.iter_mut().zip(&FIELDS).zip(&parts) {
            *set = field.read(part).map_err(refuse)?;
        }
        let [minutes, hours, days, months, weekdays] = sets;
        // Both 0 and 7 are Sunday.
        let weekdays = weekdays | (weekdays >> 7 & 1);
        let is_star = |part: &str| part.starts_with('*');
        let days_meet = if is_star(parts[2]) || is_star(parts[4]) { DaysMeet::Both } else { DaysMeet::Either };
        Ok(Cron { text: text.trim().to_string(), minutes, hours, days, months, weekdays, days_meet })
    }
}

impl Field {
    /// The values of a list of stars, values, ranges and steps.
    fn read(&self, text: &str) -> Result<u64, String> {
        text.split(',').try_fold(0, |set, part| Ok(set | self.read_part(part)?))
    }

    fn read_part(&self, part: &str) -> Result<u64, String> {
        let refuse = |why: &str| alloc::format!("the {} `{}` {why}", self.name, part.escape_debug());
        let (range, step) = part.split_once('/').map_or((part, None), |(range, step)| (range, Some(step)));
        let (from, until) = match range.split_once('-') {
            _ if range == "*" => (self.least, self.greatest),
            Some((from, until)) => (self.value(from)?, self.value(until)?),
            None if step.is_some() => return Err(refuse("has a step without a range")),
            None => (self.value(range)?, self.value(range)?),
        };
        if until < from {
            return Err(refuse("ends before it begins"));
        }
        let step = match step.map(str::parse::<usize>) {
            None => 1,
            Some(Ok(step)) if 0 < step => step,
            Some(_) => return Err(refuse("has a step that is no number from 1")),
        };
        Ok((from..=until).step_by(step).fold(0, |set, value| set | 1 << value))
    }

    fn value(&self, text: &str) -> Result<u32, String> {
        let small = text.to_lowercase();
        let word = self.words.iter().position(|word| *word == small).and_then(|place| u32::try_from(place).ok());
        let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let number = text.parse().ok().filter(|_| is_number);
        let value = word.map(|place| self.least + place).or(number);
        value.filter(|value| (self.least..=self.greatest).contains(value)).ok_or_else(|| {
            let (name, least, greatest) = (self.name, self.least, self.greatest);
            alloc::format!("the {name} `{}` is not from {least} to {greatest}", text.escape_debug())
        })
    }
}

/// As it was written.
impl fmt::Display for Cron {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl fmt::Debug for Cron {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.text, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;
    use proptest::prelude::*;

    #[track_caller]
    fn check(cron: &str, zone: &str, from: &str, expected: &[&str]) {
        let (cron, zone): (Cron, Zone) = (cron.parse().unwrap(), zone.parse().unwrap());
        let mut at: Timestamp = from.parse().unwrap();
        let mut runs = Vec::new();
        for _ in expected {
            at = cron.next_after(at, &zone).unwrap();
            runs.push(at.to_string());
        }
        assert_eq!(runs, expected, "{cron} in {zone:?}");
    }

    #[test]
    fn runs_come_when_crontab_says() {
        let from = "2026-11-20T12:00:00Z"; // a Friday
        check("0 2 * * *", "UTC", from, &["2026-11-21T02:00:00Z", "2026-11-22T02:00:00Z"]);
        check("0 2 * * *", "Asia/Seoul", from, &["2026-11-20T17:00:00Z"]);
        check("*/20 12 * * *", "UTC", from, &["2026-11-20T12:20:00Z", "2026-11-20T12:40:00Z", "2026-11-21T12:00:00Z"]);
        check("30 4 1,15 * *", "UTC", from, &["2026-12-01T04:30:00Z", "2026-12-15T04:30:00Z"]);
        check("0 0 * * mon-FRI", "UTC", from, &["2026-11-23T00:00:00Z"]);
        check("0 0 * * 7", "UTC", from, &["2026-11-22T00:00:00Z", "2026-11-29T00:00:00Z"]);
        check("0 0 29 feb *", "UTC", from, &["2028-02-29T00:00:00Z", "2032-02-29T00:00:00Z"]);
        check("@monthly", "UTC", from, &["2026-12-01T00:00:00Z"]);
        check(
            "5-55/25 12 20 11 *",
            "UTC",
            from,
            &["2026-11-20T12:05:00Z", "2026-11-20T12:30:00Z", "2026-11-20T12:55:00Z"],
        );
    }

    #[test]
    fn of_two_restricted_days_either_will_do_and_a_star_leaves_it_to_the_other() {
        let from = "2026-11-20T12:00:00Z";
        check(
            "0 0 13 * fri",
            "UTC",
            from,
            &["2026-11-27T00:00:00Z", "2026-12-04T00:00:00Z", "2026-12-11T00:00:00Z", "2026-12-13T00:00:00Z"],
        );
        check("0 0 */10 * sun", "UTC", from, &["2027-01-31T00:00:00Z"]);
    }

    #[test]
    fn a_time_that_clocks_skip_comes_when_they_go_on_and_one_shown_twice_comes_once() {
        let berlin = "Europe/Berlin";
        check("30 2 * * *", berlin, "2026-03-28T12:00:00Z", &["2026-03-29T01:30:00Z", "2026-03-30T00:30:00Z"]);
        check("30 2 * * *", berlin, "2026-10-24T12:00:00Z", &["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"]);
        check("0 * * * *", berlin, "2026-03-29T00:30:00Z", &["2026-03-29T01:00:00Z", "2026-03-29T02:00:00Z"]);
    }

    #[test]
    fn the_longest_distance_is_between_the_farthest_runs() {
        let hours = |cron: &str, zone: &str, expected: Option<u64>| {
            let distance = cron.parse::<Cron>().unwrap().longest_distance(&zone.parse().unwrap());
            assert_eq!(distance.map(|length| length.as_secs()), expected.map(|hours| hours * 3600), "{cron}");
        };
        hours("0 2 * * *", "UTC", Some(24));
        hours("0 4 * * *", "Europe/Berlin", Some(25));
        hours("0 * * * *", "UTC", Some(1));
        hours("30 * * * *", "Europe/Berlin", Some(2));
        hours("0 8-17 * * 1-5", "UTC", Some(63));
        hours("0 2 1 * *", "UTC", Some(31 * 24));
        hours("0 0 29 2 *", "UTC", Some((4 * 365 + 1) * 24));
    }

    #[test]
    fn what_never_comes_has_neither_a_next_run_nor_a_distance() {
        let never: Cron = "0 0 31 2 *".parse().unwrap();
        assert_eq!(never.next_after(Timestamp::from_millis(0), &Zone::utc()), None);
        assert_eq!(never.longest_distance(&Zone::utc()), None);
    }

    #[test]
    fn a_mistake_is_named_with_its_field() {
        let check = |text: &str, why: &str| {
            let refusal = text.parse::<Cron>().unwrap_err().to_string();
            assert!(refusal.contains(why), "{refusal}");
        };
        check("", "it has 0 fields");
        check("0 0 2 * * *", "it has 6 fields");
        check("60 * * * *", "the minute `60` is not from 0 to 59");
        check("0 24 * * *", "the hour `24` is not from 0 to 23");
        check("0 0 0 * *", "the day of month `0` is not from 1 to 31");
        check("0 0 * foo *", "the month `foo`");
        check("0 0 * * 8", "the day of week `8` is not from 0 to 7");
        check("5/15 * * * *", "has a step without a range");
        check("*/0 * * * *", "a step that is no number from 1");
        check("9-5 * * * *", "ends before it begins");
        check("+5 * * * *", "the minute `+5`");
        check("@reboot", "it has 1 fields");
    }

    proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(text in "[0-9*/,a-z@ -]{0,30}|\\PC{0,20}") {
            let _ = text.parse::<Cron>();
        }

        #[test]
        fn a_next_run_is_later_and_no_farther_than_the_longest_distance(
            minute in 0_u32..60, hour in 0_u32..24, weekday in 0_u32..8, from in 1_704_067_200_000_i64..1_900_000_000_000,
        ) {
            let cron: Cron = alloc::format!("{minute} {hour} * * {weekday}").parse().unwrap();
            for zone in ["UTC", "America/New_York", "Asia/Seoul"] {
                let (zone, from): (Zone, _) = (zone.parse().unwrap(), Timestamp::from_millis(from));
                let first = cron.next_after(from, &zone).unwrap();
                let second = cron.next_after(first, &zone).unwrap();
                prop_assert!(from < first && first < second);
                prop_assert!(second.since(first) <= cron.longest_distance(&zone).unwrap());
            }
        }
    }
}
