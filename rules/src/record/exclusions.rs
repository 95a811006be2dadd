//! Which exclusions stand on record, and who may say what about them (`accounting.md` section 8).
//!
//! Maintenance that was recorded before it begins is **announced** and needs nobody's consent. Every
//! other exclusion is **claimed**: it has no effect until a second person approves it. The first
//! decision of a second person is the one that counts; whoever wants another records the exclusion
//! anew. A correction takes its predecessor's place at once and needs consent by the same rules; what
//! was superseded or taken back never comes to life again.

use super::{BY_NINES, Entry, Fact};
use crate::exclusion::{Bar, Class, Exclusion};
use crate::time::Timestamp;
use alloc::string::String;
use alloc::vec::Vec;

/// Why a fact about exclusions can't be recorded.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Objection {
    /// There is no such exclusion.
    #[error("entry {0} is no exclusion on record; `exclude list` shows those there are")]
    NoExclusion(u64),
    /// A later entry has taken its place.
    #[error("exclusion {entry} was superseded by entry {by}; name that one")]
    Superseded {
        /// The exclusion.
        entry: u64,
        /// Its correction.
        by: u64,
    },
    /// It was taken back.
    #[error("exclusion {entry} was withdrawn by entry {by}; record it anew")]
    Withdrawn {
        /// The exclusion.
        entry: u64,
        /// The entry that took it back.
        by: u64,
    },
    /// It is maintenance that was announced in time.
    #[error(
        "exclusion {0} is maintenance recorded before it begins, which needs no approval; withdraw it if it is not to be"
    )]
    NotClaimed(u64),
    /// A claim and its approval are two persons' affair.
    #[error("exclusion {entry} was recorded by {by}; a second person must approve or refuse it")]
    OwnClaim {
        /// The exclusion.
        entry: u64,
        /// Who recorded it.
        by: String,
    },
    /// The collector itself approves nothing.
    #[error("`{BY_NINES}` is the collector itself; a person must record this")]
    NoPerson,
    /// A second person has decided already.
    #[error("exclusion {entry} was {decided} by {by} in entry {decision}; record a correction if that was wrong")]
    Decided {
        /// The exclusion.
        entry: u64,
        /// What was decided.
        decided: &'static str,
        /// By whom.
        by: String,
        /// In which entry.
        decision: u64,
    },
    /// Nobody can have been told in the future.
    #[error("the customer was told at {told_at}, which is after now ({now}); give the instant at which it was told")]
    ToldInFuture {
        /// What was said.
        told_at: Timestamp,
        /// When it was said.
        now: Timestamp,
    },
}

/// An exclusion and what became of it.
struct Case<'a> {
    entry: &'a Entry,
    exclusion: &'a Exclusion,
    /// The first decision of a second person.
    decision: Option<(&'a Entry, Decision<'a>)>,
    /// What ended it.
    end: Option<Bar>,
}

#[derive(Clone, Copy)]
enum Decision<'a> {
    Approved,
    Refused(&'a str),
}

/// The exclusions on record, in the order in which they were recorded, each with what the record says
/// for and against it.
pub fn exclusions(entries: &[Entry]) -> Vec<Exclusion> {
    cases(entries).iter().map(Case::exclusion).collect()
}

/// Objects if `fact` can't be recorded after `entries`, at `now`, by `by`. About what is no exclusion it
/// has nothing to say.
pub fn object(entries: &[Entry], fact: &Fact, by: &str, now: Timestamp) -> Result<(), Objection> {
    let cases = cases(entries);
    match fact {
        Fact::Exclusion { exclusion, supersedes } => {
            if by == BY_NINES {
                return Err(Objection::NoPerson);
            }
            if let Some(told_at) = exclusion.told_at.filter(|told_at| now < *told_at) {
                return Err(Objection::ToldInFuture { told_at, now });
            }
            supersedes.map_or(Ok(()), |entry| open(&cases, entry).map(|_| ()))
        }
        Fact::Withdrawal { entry, reason: _ } => open(&cases, *entry).map(|_| ()),
        Fact::Approval { entry } | Fact::Refusal { entry, reason: _ } => {
            let case = open(&cases, *entry)?;
            if !case.is_claimed() {
                return Err(Objection::NotClaimed(*entry));
            }
            if let Some((decision, what)) = &case.decision {
                let decided = match what {
                    Decision::Approved => "approved",
                    Decision::Refused(_) => "refused",
                };
                let (by, decision) = (decision.recorded_by.clone(), decision.number);
                return Err(Objection::Decided { entry: *entry, decided, by, decision });
            }
            match by {
                BY_NINES => Err(Objection::NoPerson),
                _ if case.is_second_person(by) => Ok(()),
                _ => Err(Objection::OwnClaim { entry: *entry, by: by.into() }),
            }
        }
        Fact::Incident { .. } | Fact::Effort(_) | Fact::Standing(_) | Fact::Issue { .. } | Fact::Disposal(_) => Ok(()),
    }
}

/// The exclusion numbered `entry`, if nothing ended it.
fn open<'c, 'a>(cases: &'c [Case<'a>], entry: u64) -> Result<&'c Case<'a>, Objection> {
    let case = cases.iter().find(|case| case.entry.number == entry).ok_or(Objection::NoExclusion(entry))?;
    match case.end {
        Some(Bar::Superseded { by }) => Err(Objection::Superseded { entry, by }),
        Some(Bar::Withdrawn { by }) => Err(Objection::Withdrawn { entry, by }),
        Some(Bar::NotApproved | Bar::Refused { .. }) | None => Ok(case),
    }
}

/// Reads the entries in order. One that should not be there, written by whatever means, changes nothing.
fn cases(entries: &[Entry]) -> Vec<Case<'_>> {
    let mut cases: Vec<Case<'_>> = Vec::new();
    for entry in entries {
        let find = |cases: &Vec<Case<'_>>, number: u64| {
            let found = cases.binary_search_by_key(&number, |case| case.entry.number).ok();
            found.filter(|index| cases[*index].end.is_none())
        };
        match &entry.fact {
            Fact::Exclusion { exclusion, supersedes } => {
                if let Some(index) = supersedes.and_then(|number| find(&cases, number)) {
                    cases[index].end = Some(Bar::Superseded { by: entry.number });
                }
                cases.push(Case { entry, exclusion, decision: None, end: None });
            }
            Fact::Withdrawal { entry: number, reason: _ } => {
                if let Some(index) = find(&cases, *number) {
                    cases[index].end = Some(Bar::Withdrawn { by: entry.number });
                }
            }
            Fact::Approval { entry: number } => {
                if let Some(index) = find(&cases, *number) {
                    cases[index].decide(entry, Decision::Approved);
                }
            }
            Fact::Refusal { entry: number, reason } => {
                if let Some(index) = find(&cases, *number) {
                    cases[index].decide(entry, Decision::Refused(reason));
                }
            }
            Fact::Incident { .. } | Fact::Effort(_) | Fact::Standing(_) | Fact::Issue { .. } | Fact::Disposal(_) => {}
        }
    }
    cases
}

impl<'a> Case<'a> {
    /// Whether a second person must approve it: anything but maintenance recorded before it begins.
    fn is_claimed(&self) -> bool {
        let in_time = self.entry.recorded_at < self.exclusion.interval.from();
        self.exclusion.class != Class::AnnouncedMaintenance || !in_time
    }

    fn is_second_person(&self, by: &str) -> bool {
        by != self.entry.recorded_by && by != BY_NINES
    }

    fn decide(&mut self, entry: &'a Entry, decision: Decision<'a>) {
        if self.decision.is_none() && self.is_claimed() && self.is_second_person(&entry.recorded_by) {
            self.decision = Some((entry, decision));
        }
    }

    fn exclusion(&self) -> Exclusion {
        let undecided = match &self.decision {
            _ if !self.is_claimed() => None,
            Some((_, Decision::Approved)) => None,
            Some((entry, Decision::Refused(reason))) => {
                Some(Bar::Refused { by: entry.recorded_by.clone(), reason: (*reason).into() })
            }
            None => Some(Bar::NotApproved),
        };
        let approved = self.decision.as_ref().filter(|(_, decision)| matches!(decision, Decision::Approved));
        Exclusion {
            recorded_by: Some(self.entry.recorded_by.clone()),
            recorded_at: Some(self.entry.recorded_at),
            entry: Some(self.entry.number),
            approved_by: approved.map(|(entry, _)| entry.recorded_by.clone()),
            bar: self.end.clone().or(undecided),
            ..self.exclusion.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::interval::Interval;
    use alloc::format;
    use alloc::string::ToString;
    use alloc::vec;

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_millis(minutes * 60_000)
    }

    fn excluded(class: Class, from: i64, supersedes: Option<u64>) -> Fact {
        let exclusion =
            Exclusion { reason: "r".into(), ..Exclusion::new(Interval::new(at(from), at(from + 10)).unwrap(), class) };
        Fact::Exclusion { exclusion, supersedes }
    }

    fn storm(from: i64) -> Fact {
        excluded(Class::ForceMajeure, from, None)
    }

    fn maintenance(from: i64) -> Fact {
        excluded(Class::AnnouncedMaintenance, from, None)
    }

    fn approval(entry: u64) -> Fact {
        Fact::Approval { entry }
    }

    fn refusal(entry: u64) -> Fact {
        Fact::Refusal { entry, reason: "no".into() }
    }

    fn withdrawal(entry: u64) -> Fact {
        Fact::Withdrawal { entry, reason: "moved".into() }
    }

    /// Entries at the minutes 100, 101, 102, …, whether or not they may be recorded.
    fn entries(facts: &[(&str, Fact)]) -> Vec<Entry> {
        let entry = |(number, (by, fact)): (u64, &(&str, Fact))| Entry {
            number,
            recorded_at: at(99 + number.cast_signed()),
            recorded_by: (*by).into(),
            fact: fact.clone(),
        };
        (1..).zip(facts).map(entry).collect()
    }

    /// What is against each exclusion.
    fn check(facts: &[(&str, Fact)], expected: &[&str]) {
        let bars: Vec<String> = exclusions(&entries(facts))
            .iter()
            .map(|exclusion| match (&exclusion.bar, &exclusion.approved_by) {
                (None, None) => "stands".into(),
                (None, Some(by)) => format!("approved by {by}"),
                (Some(Bar::NotApproved), _) => "not approved".into(),
                (Some(Bar::Refused { by, .. }), _) => format!("refused by {by}"),
                (Some(Bar::Superseded { by }), _) => format!("superseded by {by}"),
                (Some(Bar::Withdrawn { by }), _) => format!("withdrawn by {by}"),
            })
            .collect();
        assert_eq!(bars, expected, "{facts:?}");
    }

    #[test]
    fn maintenance_recorded_before_it_begins_needs_nobodys_consent() {
        check(&[("kim", maintenance(101)), ("kim", maintenance(101))], &["stands", "not approved"]);
    }

    #[test]
    fn every_other_ground_needs_a_second_person_whenever_it_is_recorded() {
        check(&[("kim", storm(20)), ("kim", storm(900))], &["not approved", "not approved"]);
        check(&[("kim", storm(20)), ("lee", approval(1))], &["approved by lee"]);
        check(&[("kim", storm(20)), ("kim", approval(1))], &["not approved"]);
        check(&[("kim", storm(20)), (BY_NINES, approval(1))], &["not approved"]);
        check(&[("kim", storm(20)), ("lee", refusal(1))], &["refused by lee"]);
    }

    #[test]
    fn the_first_decision_of_a_second_person_counts() {
        let both = [("kim", storm(20)), ("kim", refusal(1)), ("lee", refusal(1)), ("park", approval(1))];
        check(&both, &["refused by lee"]);
        check(&[("kim", storm(20)), ("lee", approval(1)), ("park", refusal(1))], &["approved by lee"]);
        check(&[("lee", approval(2)), ("kim", storm(20))], &["not approved"]);
    }

    #[test]
    fn a_correction_takes_its_predecessors_place_and_needs_the_same_anew() {
        let corrected = excluded(Class::ForceMajeure, 30, Some(1));
        let mut facts = vec![("kim", storm(20)), ("lee", approval(1)), ("kim", corrected)];
        check(&facts, &["superseded by 3", "not approved"]);
        facts.push(("lee", approval(1)));
        check(&facts, &["superseded by 3", "not approved"]);
        facts.push(("lee", approval(3)));
        check(&facts, &["superseded by 3", "approved by lee"]);
        facts.push(("kim", excluded(Class::ForceMajeure, 40, Some(1))));
        check(&facts, &["superseded by 3", "approved by lee", "not approved"]);
        facts.push(("kim", withdrawal(3)));
        check(&facts, &["superseded by 3", "withdrawn by 7", "not approved"]);
    }

    #[test]
    fn maintenance_moved_after_it_began_is_a_claim() {
        let late = excluded(Class::AnnouncedMaintenance, 101, Some(1));
        check(&[("kim", maintenance(900)), ("kim", late)], &["superseded by 2", "not approved"]);
    }

    #[test]
    fn objections_say_what_would_be_right() {
        let on_record = entries(&[
            ("kim", storm(20)),
            ("lee", approval(1)),
            ("kim", maintenance(900)),
            ("kim", storm(30)),
            ("kim", storm(40)),
            ("kim", withdrawal(5)),
            ("kim", excluded(Class::ForceMajeure, 50, Some(4))),
        ]);
        let check = |by: &str, fact: Fact, said: &str| {
            let objection = object(&on_record, &fact, by, at(200)).unwrap_err();
            assert_eq!(objection.to_string(), said);
        };
        check("lee", approval(2), "entry 2 is no exclusion on record; `exclude list` shows those there are");
        check("park", refusal(1), "exclusion 1 was approved by lee in entry 2; record a correction if that was wrong");
        check(
            "lee",
            approval(3),
            "exclusion 3 is maintenance recorded before it begins, which needs no approval; withdraw it if it is not to be",
        );
        check("lee", approval(4), "exclusion 4 was superseded by entry 7; name that one");
        check("lee", withdrawal(5), "exclusion 5 was withdrawn by entry 6; record it anew");
        check("kim", excluded(Class::ForceMajeure, 9, Some(5)), "exclusion 5 was withdrawn by entry 6; record it anew");
        check("kim", approval(7), "exclusion 7 was recorded by kim; a second person must approve or refuse it");
        check(BY_NINES, approval(7), "`nines` is the collector itself; a person must record this");
        let Fact::Exclusion { mut exclusion, supersedes } = maintenance(900) else { unreachable!() };
        exclusion.told_at = Some(at(201));
        let told = Fact::Exclusion { exclusion, supersedes };
        check(
            "kim",
            told,
            "the customer was told at 1970-01-01T03:21:00Z, which is after now (1970-01-01T03:20:00Z); give the instant at which it was told",
        );
        for (by, fact) in [("lee", approval(7)), ("kim", withdrawal(1)), ("kim", storm(1)), ("lee", refusal(7))] {
            assert_eq!(object(&on_record, &fact, by, at(200)), Ok(()));
        }
    }
}
