//! What can be wrong with the answer of an `http` check.
//!
//! In the order in which blackbox_exporter asks: status, headers, body, JSON, version, TLS. The rules
//! of a target stand in that order already.

use super::Complaint;
use crate::check::{ContentRule, FailsIf, HttpTarget, Look, Missing, Secured};
use crate::evidence::{Found, HttpFacts, Said, Transport};
use crate::outcome::Cause;
use alloc::format;
use core::fmt;
use core::ops::RangeInclusive;

/// The statuses that are up when a target doesn't name any.
const STATUSES_DEFAULT: RangeInclusive<u16> = 200..=299;

/// The first thing that is wrong, if anything is.
pub(super) fn complaint<'a>(target: &'a HttpTarget, facts: &HttpFacts) -> Option<Complaint<'a>> {
    if !is_expected(&target.valid_status_codes, facts.status) {
        return Some(Complaint::Status(facts.status));
    }
    let mut rules = target.content.iter().zip(&facts.found);
    if let Some((rule, _)) = rules.find(|(rule, found)| fails(rule, **found)) {
        return Some(Complaint::Content(rule));
    }
    if !target.valid_versions.is_empty() && !target.valid_versions.contains(&facts.version) {
        let why = format!("the answer is HTTP/{}, which is not among the valid versions", facts.version.as_str());
        return Some(Complaint::Unmet { cause: Cause::Protocol, why: Said::new(&why) });
    }
    let why = match (target.secured, facts.transport) {
        (Secured::Required, Transport::Plain) => "the answer came without TLS, and the check asks for it",
        (Secured::Refused, Transport::Tls) => "the answer came over TLS, and the check asks for none",
        (Secured::Either, _) | (Secured::Required, Transport::Tls) | (Secured::Refused, Transport::Plain) => {
            return None;
        }
    };
    Some(Complaint::Unmet { cause: Cause::Tls, why: Said::new(why) })
}

/// Whether `status` is one of those of a check; without any, of those from 200 to 299.
pub(super) fn is_expected(valid: &[RangeInclusive<u16>], status: u16) -> bool {
    match valid {
        [] => STATUSES_DEFAULT.contains(&status),
        ranges => ranges.iter().any(|range| range.contains(&status)),
    }
}

/// Whether `rule` fails by what was found; one that there was nothing to look at for fails whichever
/// way it looks, unless the check allows a missing header.
pub(super) fn fails(rule: &ContentRule, found: Found) -> bool {
    match (found, rule.fails, &rule.look) {
        (Found::Yes, fails, _) => fails == FailsIf::Found,
        (Found::No, fails, _) => fails == FailsIf::Missing,
        (Found::Nothing, _, Look::Header { missing, .. }) => *missing == Missing::Fails,
        (Found::Nothing, _, Look::Body(_) | Look::Json(_)) => true,
    }
}

/// For people: what a rule that failed means.
pub(super) fn tell(rule: &ContentRule, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let verb = match rule.fails {
        FailsIf::Found => "matches",
        FailsIf::Missing => "doesn't match",
    };
    match &rule.look {
        Look::Body(pattern) => write!(f, "the body {verb} `{}`", pattern.as_str()),
        Look::Header { name, pattern, missing: Missing::Holds } => {
            write!(f, "the header `{name}` {verb} `{}`", pattern.as_str())
        }
        Look::Header { name, pattern, missing: Missing::Fails } => {
            write!(f, "the header `{name}` is missing or {verb} `{}`", pattern.as_str())
        }
        Look::Json(condition) => write!(f, "the body is no JSON or {verb} the condition `{condition}`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{Pattern, Target};
    use crate::evidence::{Evidence, HttpVersion};
    use crate::judge::{Circumstances, References, judge};
    use crate::outcome::Outcome;
    use alloc::boxed::Box;
    use alloc::string::ToString;
    use alloc::vec;
    use core::time::Duration;

    const AWAY: Circumstances = Circumstances { references: References::Away, pause: crate::judge::Pause::Absent };

    /// The outcome of an answer that `facts` describe, with the agent's references away: an answer
    /// that was whole is the target's doing all the same.
    fn outcome(target: &HttpTarget, facts: HttpFacts) -> Outcome {
        let evidence = Evidence { http: Some(facts), ..Evidence::default() };
        judge(&evidence, &Target::Http(Box::new(target.clone())), Duration::from_secs(10), AWAY)
    }

    fn page() -> HttpTarget {
        HttpTarget::parse("http://a/").unwrap()
    }

    #[test]
    fn a_status_is_held_against_the_ranges_or_else_against_200_to_299() {
        let check = |ranges: &[RangeInclusive<u16>], status: u16, expected: Outcome| {
            let target = HttpTarget { valid_status_codes: ranges.to_vec(), ..page() };
            let outcome = outcome(&target, HttpFacts::new(status, HttpVersion::V1_1));
            assert_eq!(outcome, expected, "{status} against {ranges:?}");
        };
        let down = Outcome::Down(Cause::Status);
        for (status, expected) in [(199, down), (200, Outcome::Up), (201, Outcome::Up), (299, Outcome::Up), (300, down)]
        {
            check(&[], status, expected);
        }
        let either = [200..=200, 404..=404];
        check(&either, 404, Outcome::Up);
        check(&either, 200, Outcome::Up);
        check(&either, 201, down);
        check(&[404..=404], 404, Outcome::Up);
        check(&[404..=404], 200, down);
        check(&[500..=599], 503, Outcome::Up);
    }

    #[test]
    fn a_content_rule_fails_in_its_own_direction_only() {
        let ok = || Pattern::new("ok").unwrap();
        let header = |missing| Look::Header { name: "x".into(), pattern: ok(), missing };
        // The rule's look, then whether it fails on Yes, No and Nothing when finding is bad, and when it is good.
        let table = [
            (Look::Body(ok()), [true, false, true], [false, true, true]),
            (Look::Json("body.ok".into()), [true, false, true], [false, true, true]),
            (header(Missing::Fails), [true, false, true], [false, true, true]),
            (header(Missing::Holds), [true, false, false], [false, true, false]),
        ];
        for (look, if_found, if_missing) in table {
            for (fails, expected) in [(FailsIf::Found, if_found), (FailsIf::Missing, if_missing)] {
                let target = HttpTarget { content: vec![ContentRule { look: look.clone(), fails }], ..page() };
                for (found, expected) in [Found::Yes, Found::No, Found::Nothing].into_iter().zip(expected) {
                    let facts = HttpFacts { found: vec![found], ..HttpFacts::new(200, HttpVersion::V1_1) };
                    let expected = if expected { Outcome::Down(Cause::Content) } else { Outcome::Up };
                    assert_eq!(outcome(&target, facts), expected, "{look:?} {fails:?} {found:?}");
                }
            }
        }
    }

    #[test]
    fn a_version_or_a_transport_that_the_check_does_not_allow_is_down() {
        let answer = |version, transport| HttpFacts { transport, ..HttpFacts::new(200, version) };
        let only_2 = HttpTarget { valid_versions: vec![HttpVersion::V2], ..page() };
        assert_eq!(outcome(&only_2, answer(HttpVersion::V2, Transport::Tls)), Outcome::Up);
        assert_eq!(outcome(&only_2, answer(HttpVersion::V1_1, Transport::Tls)), Outcome::Down(Cause::Protocol));
        let check = |secured, transport, expected| {
            let target = HttpTarget { secured, ..page() };
            assert_eq!(outcome(&target, answer(HttpVersion::V1_1, transport)), expected, "{secured:?} {transport:?}");
        };
        check(Secured::Required, Transport::Tls, Outcome::Up);
        check(Secured::Required, Transport::Plain, Outcome::Down(Cause::Tls));
        check(Secured::Refused, Transport::Plain, Outcome::Up);
        check(Secured::Refused, Transport::Tls, Outcome::Down(Cause::Tls));
    }

    #[test]
    fn what_is_wrong_is_told_with_what_was_expected() {
        let rule = |look, fails| Complaint::Content(&ContentRule { look, fails }).to_string();
        let pattern = Pattern::new("^ok$").unwrap();
        assert_eq!(rule(Look::Body(pattern.clone()), FailsIf::Missing), "the body doesn't match `^ok$`");
        let header = Look::Header { name: "x".into(), pattern, missing: Missing::Fails };
        assert_eq!(rule(header, FailsIf::Found), "the header `x` is missing or matches `^ok$`");
        let json = "the body is no JSON or doesn't match the condition `body.ok`";
        assert_eq!(rule(Look::Json("body.ok".into()), FailsIf::Missing), json);
    }
}
