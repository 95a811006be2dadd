//! What can be wrong with a name server's answer: its code first, then the records, section by section.
//!
//! The rules about records read as blackbox_exporter's do, its reading of `fail_if_all_match_regexp`
//! included.

use super::Complaint;
use crate::check::{DnsTarget, Pattern, Rcode, RecordRules};
use crate::evidence::{DnsFacts, Said, SectionFacts};
use crate::outcome::Cause;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

/// The first thing that is wrong with what was seen.
pub(super) fn complaint<'a>(target: &'a DnsTarget, facts: &'a DnsFacts) -> Option<Complaint<'a>> {
    let answer = facts.answer.as_ref()?;
    let expected = match target.valid_rcodes.as_slice() {
        [] => &[Rcode::NOERROR][..],
        rcodes => rcodes,
    };
    if !expected.contains(&answer.rcode) {
        let expected: Vec<String> = expected.iter().map(Rcode::to_string).collect();
        let why = format!("the response code is {}, expected {}", answer.rcode, expected.join(" or "));
        return Some(Complaint::Unmet { cause: Cause::Status, why: Said::new(&why) });
    }
    let sections = [
        ("answer", &target.answer, &answer.answer),
        ("authority", &target.authority, &answer.authority),
        ("additional", &target.additional, &answer.additional),
    ];
    let why = sections.into_iter().find_map(|(name, rules, section)| broken(name, rules, section))?;
    Some(Complaint::Unmet { cause: Cause::Content, why: Said::new(&why) })
}

/// The first of `rules` that the section `name` breaks.
fn broken(name: &str, rules: &RecordRules, section: &SectionFacts) -> Option<String> {
    let SectionFacts { records, matches } = section;
    let mut counts = matches.iter().copied();
    let mut of = |patterns: &'_ [Pattern]| counts.by_ref().take(patterns.len()).collect::<Vec<u32>>();
    let (any, all, every, some) =
        (of(&rules.matches), of(&rules.all_match), of(&rules.not_matches), of(&rules.none_matches));
    let first = |patterns: &[Pattern], counts: &[u32], is_broken: &dyn Fn(u32) -> bool| {
        let broken = patterns.iter().zip(counts).find(|(_, count)| is_broken(**count));
        broken.map(|(pattern, _)| pattern.as_str().to_string())
    };
    if *records == 0 && !(rules.not_matches.is_empty() && rules.none_matches.is_empty()) {
        return Some(format!("the {name} section has no record, and its rules ask for some"));
    }
    if let Some(pattern) = first(&rules.matches, &any, &|count| 0 < count) {
        return Some(format!("a record of the {name} section matches `{pattern}` (fail_if_matches_regexp)"));
    }
    if let Some(pattern) = first(&rules.not_matches, &every, &|count| count < *records) {
        return Some(format!("a record of the {name} section doesn't match `{pattern}` (fail_if_not_matches_regexp)"));
    }
    if let Some(pattern) = first(&rules.all_match, &all, &|count| count < *records) {
        return Some(format!("a record of the {name} section doesn't match `{pattern}` (fail_if_all_match_regexp)"));
    }
    if !rules.none_matches.is_empty() && some.iter().all(|count| *count == 0) {
        return Some(format!("no record of the {name} section matches any of fail_if_none_matches_regexp"));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::{DnsAnswer, Edns, Evidence, Facts, TcpFallback};
    use crate::judge::{Circumstances, References, judge};
    use crate::outcome::Outcome;
    use alloc::boxed::Box;
    use alloc::vec;
    use core::time::Duration;

    fn answered(rcode: u16, answer: SectionFacts) -> Evidence {
        let answer = DnsAnswer {
            rcode: Rcode(rcode),
            authoritative: false,
            bytes: 40,
            answer,
            authority: SectionFacts::default(),
            additional: SectionFacts::default(),
            serial: None,
            shown: Vec::new(),
        };
        let facts = DnsFacts { fallback: TcpFallback::No, edns: Edns::Used, ignored: 0, answer: Some(answer) };
        Evidence { facts: Some(Facts::Dns(Box::new(facts))), ..Evidence::default() }
    }

    fn outcome(target: &DnsTarget, evidence: &Evidence) -> Outcome {
        // An answer came from the server: that our own references are away excuses nothing.
        let away = Circumstances { references: References::Away, ..Circumstances::default() };
        judge(evidence, &crate::check::Target::Dns(Box::new(target.clone())), Duration::from_secs(1), away)
    }

    fn target() -> DnsTarget {
        DnsTarget::new("192.0.2.53", "example.com").unwrap()
    }

    #[test]
    fn a_response_code_is_up_if_it_is_among_the_valid_ones_or_noerror_if_none_is_named() {
        let check = |valid: &[u16], rcode, expected| {
            let target = DnsTarget { valid_rcodes: valid.iter().copied().map(Rcode).collect(), ..target() };
            assert_eq!(outcome(&target, &answered(rcode, SectionFacts::default())), expected, "{valid:?} {rcode}");
        };
        check(&[], 0, Outcome::Up);
        check(&[], 2, Outcome::Down(Cause::Status));
        check(&[2, 3], 2, Outcome::Up);
        check(&[2, 3], 0, Outcome::Down(Cause::Status));
        check(&[], 3841, Outcome::Down(Cause::Status));
    }

    #[test]
    fn the_four_rules_about_records_read_as_blackbox_exporter_reads_them() {
        // Which rule, how many of how many records match its pattern, and whether that is up.
        let check = |key: &str, matches: u32, records: u32, up: bool| {
            let patterns = vec![Pattern::new("x").unwrap()];
            let mut rules = RecordRules::default();
            match key {
                "matches" => rules.matches = patterns,
                "all_match" => rules.all_match = patterns,
                "not_matches" => rules.not_matches = patterns,
                _ => rules.none_matches = patterns,
            }
            let target = DnsTarget { answer: rules, ..target() };
            let expected = if up { Outcome::Up } else { Outcome::Down(Cause::Content) };
            let seen = answered(0, SectionFacts { records, matches: vec![matches] });
            assert_eq!(outcome(&target, &seen), expected, "{key}: {matches} of {records}");
        };
        for (key, none_there, none, some, all) in [
            ("matches", true, true, false, false),
            ("all_match", true, false, false, true),
            ("not_matches", false, false, false, true),
            ("none_matches", false, false, true, true),
        ] {
            check(key, 0, 0, none_there);
            check(key, 0, 2, none);
            check(key, 1, 2, some);
            check(key, 2, 2, all);
        }
    }

    #[test]
    fn one_match_of_any_pattern_satisfies_fail_if_none_matches() {
        let patterns = vec![Pattern::new("x").unwrap(), Pattern::new("y").unwrap()];
        let target = DnsTarget { answer: RecordRules { none_matches: patterns, ..RecordRules::default() }, ..target() };
        let check = |matches: [u32; 2], expected| {
            let seen = answered(0, SectionFacts { records: 3, matches: matches.to_vec() });
            assert_eq!(outcome(&target, &seen), expected, "{matches:?}");
        };
        check([0, 1], Outcome::Up);
        check([0, 0], Outcome::Down(Cause::Content));
    }

    #[test]
    fn each_pattern_is_held_against_its_own_count() {
        let pattern = |source| vec![Pattern::new(source).unwrap()];
        let rules = RecordRules {
            matches: pattern("a"),
            all_match: pattern("b"),
            not_matches: pattern("c"),
            none_matches: pattern("d"),
        };
        let target = DnsTarget { answer: rules, ..target() };
        let check = |matches: [u32; 4], expected| {
            let seen = answered(0, SectionFacts { records: 2, matches: matches.to_vec() });
            assert_eq!(outcome(&target, &seen), expected, "{matches:?}");
        };
        check([0, 2, 2, 1], Outcome::Up);
        for broken in [[1, 2, 2, 1], [0, 1, 2, 1], [0, 2, 1, 1], [0, 2, 2, 0]] {
            check(broken, Outcome::Down(Cause::Content));
        }
    }
}
