//! A retainer: expert work bought by the year and used up in man-months (M/M).
//!
//! Handling an incident uses at least the policy's minimum, a diagnosis what was worked. What is
//! left of a year is carried into the next up to a limit.

use crate::decimal::{NotADecimal, Percent, scaled};
use crate::incident::incidents;
use crate::period::{Month, Zone};
use crate::record::{Entry, Fact};
use crate::time::Timestamp;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;

/// A retainer's year, in months.
const MONTHS_OF_A_YEAR: u32 = 12;

/// Man-months in hundredths: 0.5 M/M is 50.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct ManMonths(pub u64);

/// More than any firm has people for; sums of a contract's entries never overflow.
const MAN_MONTHS_MAX: ManMonths = ManMonths(100_000_000);

/// The most that one entry can mean: a hundred people for a month. More is a slip of the point.
pub const WORKED_MAX: ManMonths = ManMonths(10_000);

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

/// Why effort can't be put on record.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NotSpent {
    /// Nothing was worked.
    #[error("nothing was worked; say how much in man-months, such as `0.5`")]
    Nothing,
    /// More than one entry can mean.
    #[error(
        "{worked} M/M in one entry is more than {WORKED_MAX}; check where the point stands (`0.5` is half a man-month), or \
         record it month by month"
    )]
    TooMuch {
        /// How much was given.
        worked: ManMonths,
    },
    /// It was not done yet.
    #[error("{at} is still to come; it is {now}, and work is recorded once it is done")]
    ToCome {
        /// When it was to be done.
        at: Timestamp,
        /// What time it is.
        now: Timestamp,
    },
    /// No year of the retainer holds it.
    #[error("the retainer begins in {from}, so work of {month} would use up nothing; give the time it was done at")]
    BeforeRetainer {
        /// The month it was done in.
        month: Month,
        /// The retainer's first month.
        from: Month,
    },
    /// There is no such incident.
    #[error("the record has no incident {number}{}; leave the incident out if it was a diagnosis", known(.last))]
    NoIncident {
        /// The number that was given.
        number: u64,
        /// The last one that there is.
        last: Option<u64>,
    },
}

fn known(last: &Option<u64>) -> String {
    last.map_or_else(|| ", nor any other".into(), |last| alloc::format!("; the last one is {last}"))
}

impl Effort {
    /// Whether it can be put on the record that has `entries`, at `now`. An agreement without a retainer
    /// keeps effort all the same: it uses up nothing, and is there if a retainer is bought for the time.
    pub fn object(
        &self,
        entries: &[Entry],
        retainer: Option<&Retainer>,
        zone: &Zone,
        now: Timestamp,
    ) -> Result<(), NotSpent> {
        if self.worked == ManMonths(0) {
            return Err(NotSpent::Nothing);
        }
        if WORKED_MAX < self.worked {
            return Err(NotSpent::TooMuch { worked: self.worked });
        }
        if now < self.at {
            return Err(NotSpent::ToCome { at: self.at, now });
        }
        let month = Month::containing(self.at, zone);
        if let Some(from) = retainer.map(|retainer| retainer.from).filter(|from| month < *from) {
            return Err(NotSpent::BeforeRetainer { month, from });
        }
        let Work::Incident(number) = self.work else { return Ok(()) };
        let known = incidents(entries);
        match known.iter().any(|incident| incident.number == number) {
            true => Ok(()),
            false => Err(NotSpent::NoIncident { number, last: known.last().map(|incident| incident.number) }),
        }
    }
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

/// A year of the retainer, as far as one month needs it.
struct Year {
    carried: ManMonths,
    available: ManMonths,
}

/// The account of `month`, from the agreement's record; nothing before the retainer begins.
///
/// Effort counts in the month in which it was worked, and in that order. All effort on one incident
/// counts together, across months: its first entry uses the minimum at least, and later ones use only
/// what goes beyond what the incident has used by then. What is left at a year's end is carried into
/// the next up to the limit; what was used beyond a year's amount is shown and carried nowhere.
pub fn account(retainer: &Retainer, entries: &[Entry], month: Month, zone: &Zone) -> Option<Account> {
    let months = month.months_since(retainer.from)?;
    let charges = charges(retainer, entries, zone);
    let used_in = |first: u32, until: u32| -> ManMonths {
        let within = charges.iter().filter(|(at, _)| (first..until).contains(at));
        within.map(|(_, line)| line.used).fold(ManMonths::default(), ManMonths::plus)
    };
    let year_of = |index: u32| index / MONTHS_OF_A_YEAR;
    let begin = Year { carried: retainer.carried, available: retainer.a_year.plus(retainer.carried) };
    let year = (0..year_of(months)).fold(begin, |year, index| {
        let first = index * MONTHS_OF_A_YEAR;
        let left = year.available.less(used_in(first, first + MONTHS_OF_A_YEAR));
        let carried = left.min(retainer.carry_limit());
        Year { carried, available: retainer.a_year.plus(carried) }
    });
    let first = year_of(months) * MONTHS_OF_A_YEAR;
    let (used_before, used) = (used_in(first, months), used_in(months, months + 1));
    let all_used = used_before.plus(used);
    Some(Account {
        year: (first..months).fold(month, |month, _| month.previous()),
        available: year.available,
        carried: year.carried,
        used_before,
        used,
        left: year.available.less(all_used),
        over: all_used.less(year.available),
        lines: charges.into_iter().filter(|(at, _)| *at == months).map(|(_, line)| line).collect(),
    })
}

/// Every effort from the retainer's first month on, by the number of its month, with what it uses.
fn charges(retainer: &Retainer, entries: &[Entry], zone: &Zone) -> Vec<(u32, Line)> {
    let mut efforts: Vec<(&Entry, &Effort)> = entries
        .iter()
        .filter_map(|entry| match &entry.fact {
            Fact::Effort(effort) => Some((entry, effort)),
            Fact::Exclusion { .. } | Fact::Withdrawal { .. } | Fact::Approval { .. } | Fact::Refusal { .. } => None,
            Fact::Incident { .. } | Fact::Standing(_) | Fact::Issue { .. } | Fact::Disposal(_) => None,
        })
        .collect();
    efforts.sort_by_key(|(entry, effort)| (effort.at, entry.number));
    let mut incidents: BTreeMap<u64, OfIncident> = BTreeMap::new();
    let charge = |(entry, effort): (&Entry, &Effort)| {
        let month = Month::containing(effort.at, zone).months_since(retainer.from)?;
        let used = match effort.work {
            Work::Diagnosis => effort.worked,
            Work::Incident(incident) => incidents.entry(incident).or_default().charge(effort.worked, retainer),
        };
        Some((month, Line { entry: entry.number, effort: effort.clone(), used }))
    };
    efforts.into_iter().filter_map(charge).collect()
}

/// What an incident has taken so far.
#[derive(Default)]
struct OfIncident {
    worked: ManMonths,
    used: ManMonths,
}

impl OfIncident {
    /// What more effort uses: all of it counts together against the minimum.
    fn charge(&mut self, worked: ManMonths, retainer: &Retainer) -> ManMonths {
        self.worked = self.worked.plus(worked);
        let due = self.worked.max(retainer.incident_at_least);
        let more = due.less(self.used);
        self.used = due;
        more
    }
}

impl Retainer {
    /// The most that a year leaves to the next, cut down to hundredths.
    fn carry_limit(&self) -> ManMonths {
        let share = u128::from(self.a_year.0) * self.carry_at_most.numerator() / Percent::DENOMINATOR;
        ManMonths(u64::try_from(share).unwrap_or(u64::MAX))
    }
}

impl ManMonths {
    /// The two together.
    pub fn plus(self, other: ManMonths) -> ManMonths {
        ManMonths(self.0.saturating_add(other.0))
    }

    /// What is left of it without `other`; nothing if that is more.
    pub fn less(self, other: ManMonths) -> ManMonths {
        ManMonths(self.0.saturating_sub(other.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;
    use alloc::string::ToString;
    use proptest::prelude::*;

    fn retainer() -> Retainer {
        Retainer {
            from: "2026-01".parse().unwrap(),
            a_year: ManMonths(200),
            carried: ManMonths(0),
            incident_at_least: ManMonths(50),
            carry_at_most: "20".parse().unwrap(),
        }
    }

    fn entry(number: u64, at: &str, work: Work, worked: u64) -> Entry {
        let effort = Effort { work, at: at.parse().unwrap(), worked: ManMonths(worked), note: String::new() };
        Entry { number, recorded_at: effort.at, recorded_by: "kim".into(), fact: Fact::Effort(effort) }
    }

    #[track_caller]
    fn of(month: &str, entries: &[Entry]) -> Account {
        account(&retainer(), entries, month.parse().unwrap(), &Zone::utc()).unwrap()
    }

    fn used(account: &Account) -> Vec<u64> {
        account.lines.iter().map(|line| line.used.0).collect()
    }

    #[test]
    fn man_months_are_read_and_printed_as_written() {
        for text in ["0.5", "2", "12.25", "0.05"] {
            assert_eq!(text.parse::<ManMonths>().unwrap().to_string(), text);
        }
        for bad in ["", "-1", "0.005", ".5", "1e9", "1000001"] {
            assert!(bad.parse::<ManMonths>().is_err(), "{bad}");
        }
    }

    #[test]
    fn an_incident_uses_the_minimum_once_and_then_what_goes_beyond() {
        let entries = [
            entry(1, "2026-03-30T01:00:00Z", Work::Incident(7), 20),
            entry(2, "2026-03-31T01:00:00Z", Work::Incident(7), 20),
            entry(3, "2026-03-31T02:00:00Z", Work::Diagnosis, 13),
            entry(4, "2026-04-01T01:00:00Z", Work::Incident(7), 30),
            entry(5, "2026-04-02T01:00:00Z", Work::Incident(8), 90),
        ];
        let march = of("2026-03", &entries);
        assert_eq!((used(&march), march.used.0, march.left.0), ([50, 0, 13].into(), 63, 137));
        let april = of("2026-04", &entries);
        assert_eq!((used(&april), april.used_before.0, april.used.0), ([20, 90].into(), 63, 110));
        assert_eq!((april.left.0, april.over.0), (27, 0));
    }

    #[test]
    fn effort_counts_in_the_order_in_which_it_was_worked_not_recorded() {
        let entries = [
            entry(1, "2026-04-01T00:00:00Z", Work::Incident(7), 20),
            entry(2, "2026-03-31T00:00:00Z", Work::Incident(7), 20),
        ];
        assert_eq!((used(&of("2026-03", &entries)), used(&of("2026-04", &entries))), ([50].into(), [0].into()));
    }

    #[test]
    fn a_year_leaves_at_most_the_limit_and_what_went_over_is_shown_and_carried_nowhere() {
        let spent = |worked| [entry(1, "2026-12-31T23:59:59Z", Work::Diagnosis, worked)];
        let next = of("2027-01", &spent(100));
        assert_eq!((next.year.to_string().as_str(), next.carried.0, next.available.0), ("2027-01", 40, 240));
        assert_eq!(of("2027-05", &spent(175)).carried.0, 25);
        assert_eq!((of("2026-12", &spent(230)).left.0, of("2026-12", &spent(230)).over.0), (0, 30));
        assert_eq!((of("2027-05", &spent(230)).carried.0, of("2027-05", &spent(230)).available.0), (0, 200));
    }

    #[test]
    fn a_year_begins_with_the_retainer_and_nothing_is_before_it() {
        let autumn = Retainer { from: "2026-10".parse().unwrap(), carried: ManMonths(10), ..retainer() };
        let early = [entry(1, "2026-09-30T00:00:00Z", Work::Diagnosis, 99)];
        let year_of = |month: &str| account(&autumn, &early, month.parse().unwrap(), &Zone::utc());
        assert_eq!(year_of("2026-09"), None);
        let first = year_of("2027-09").unwrap();
        assert_eq!((first.year.to_string().as_str(), first.available.0, first.left.0), ("2026-10", 210, 210));
        assert_eq!(year_of("2027-10").unwrap().year.to_string(), "2027-10");
    }

    proptest! {
        #[test]
        fn what_was_used_and_what_is_left_is_what_there_was(
            efforts in prop::collection::vec((0u32..40, 0u64..4, 0u64..120), 0..40),
            carried in 0u64..100, percent in 0u32..=100,
        ) {
            let percent: Percent = format!("{percent}").parse().unwrap();
            let retainer = Retainer { carried: ManMonths(carried), carry_at_most: percent, ..retainer() };
            let month = |months: u32| (0..months).fold(retainer.from, |month, _| month.next());
            let entries: Vec<Entry> = efforts.iter().zip(1u64..).map(|((months, incident, worked), number)| {
                let work = if *incident == 0 { Work::Diagnosis } else { Work::Incident(*incident) };
                entry(number, &format!("{}-02T00:00:00Z", month(*months)), work, *worked)
            }).collect();
            let accounts: Vec<Account> = (0..40).map(|months| account(&retainer, &entries, month(months), &Zone::utc()).unwrap()).collect();
            for account in &accounts {
                let used = account.used_before.0 + account.used.0;
                prop_assert_eq!(used + account.left.0, account.available.0 + account.over.0);
                prop_assert!(account.left.0 == 0 || account.over.0 == 0);
                prop_assert_eq!(account.used.0, account.lines.iter().map(|line| line.used.0).sum::<u64>());
            }
            let worked: u64 = efforts.iter().map(|(_, _, worked)| worked).sum();
            let incidents = efforts.iter().map(|(_, incident, _)| *incident).filter(|incident| *incident != 0);
            let incidents = incidents.collect::<alloc::collections::BTreeSet<_>>().len() as u64;
            let all_used: u64 = accounts.iter().map(|account| account.used.0).sum();
            prop_assert!(worked <= all_used && all_used <= worked + incidents * retainer.incident_at_least.0);
        }
    }
}
