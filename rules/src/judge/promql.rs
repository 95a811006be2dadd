//! What can be wrong with the answer of a `promql` check.
//!
//! The Prometheus server is not the target: unless the check says otherwise, that it failed says
//! nothing of the target.

use super::Complaint;
use crate::check::{Bound, NoData, PromqlTarget, SeriesRule, ServerFailure};
use crate::evidence::{Evidence, PromqlFacts, Said, Sample};
use crate::number::Number;
use crate::outcome::Cause;
use alloc::format;
use alloc::string::{String, ToString};
use core::time::Duration;

/// What is wrong with the way to the server, if that is not to be held against the target.
pub(super) fn excused(target: &PromqlTarget, evidence: &Evidence, timeout: Duration) -> Option<Complaint<'static>> {
    if target.server_failure == ServerFailure::Down {
        return None;
    }
    let why = match &evidence.failure {
        // These are the agent's own in any case, under a word that says more.
        Some(failure) if failure.fault.is_own() => return None,
        Some(failure) => format!("the Prometheus server can't be asked: {}", failure.detail),
        None if timeout < evidence.elapsed => "the Prometheus server's answer came after the timeout".to_string(),
        None => return None,
    };
    Some(Complaint::Unable { cause: Cause::Prober, why: Said::new(&why) })
}

/// The first thing that is wrong, if anything is.
pub(super) fn complaint(target: &PromqlTarget, facts: &PromqlFacts) -> Option<Complaint<'static>> {
    match facts {
        PromqlFacts::Values(samples) => about_values(target, samples),
        PromqlFacts::TooMany(series) => {
            let why = format!("the query has {series} series, more than are read; aggregate it, as with `max(…)`");
            Some(Complaint::Unable { cause: Cause::Prober, why: Said::new(&why) })
        }
        PromqlFacts::Refused(said) => {
            let why = Said::new(&format!("the Prometheus server gave no value: {said}"));
            Some(match target.server_failure {
                ServerFailure::Void => Complaint::Unable { cause: Cause::Prober, why },
                ServerFailure::Down => Complaint::Unmet { cause: Cause::Unhealthy, why },
            })
        }
    }
}

fn about_values(target: &PromqlTarget, samples: &[Sample]) -> Option<Complaint<'static>> {
    let values = || samples.iter().filter_map(|sample| sample.value.as_ref().map(|value| (sample, value)));
    if values().next().is_none() {
        return no_data(target.no_data, samples.len());
    }
    let breach = |value: &Number| target.bounds.iter().find(|bound| !bound.holds(value));
    let mut breaches = values().filter_map(|(sample, value)| breach(value).map(|bound| (sample, value, bound)));
    let first = breaches.next()?;
    let broken = 1 + breaches.count();
    match target.series {
        SeriesRule::Any if broken < values().count() => None,
        SeriesRule::Any | SeriesRule::All => {
            let others = if 1 < broken { format!(", and {} other series with it", broken - 1) } else { String::new() };
            let why = format!("{}{others}", breach_text(first));
            Some(Complaint::Unmet { cause: Cause::Bound, why: Said::new(&why) })
        }
    }
}

fn breach_text((sample, value, bound): (&Sample, &Number, &Bound)) -> String {
    let space = if sample.labels.as_str().is_empty() { "" } else { " of " };
    format!("the value{space}{} is {value}; it should be {bound}", sample.labels)
}

fn no_data(rule: NoData, series: usize) -> Option<Complaint<'static>> {
    let why = match series {
        0 => "the query has no series".to_string(),
        _ => "the query has no value that is a number".to_string(),
    };
    let why = Said::new(&why);
    match rule {
        NoData::Up => None,
        NoData::Down => Some(Complaint::Unmet { cause: Cause::Content, why }),
        NoData::Void => Some(Complaint::Unable { cause: Cause::Prober, why }),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Circumstances, judge};
    use super::*;
    use crate::check::{Relation, Target};
    use crate::evidence::{Facts, Failure, Fault, Phase};
    use crate::outcome::Outcome;
    use alloc::boxed::Box;
    use alloc::vec;
    use alloc::vec::Vec;

    const TIMEOUT: Duration = Duration::from_secs(10);

    fn target(bounds: &[(Relation, &str)]) -> PromqlTarget {
        let bound = |(relation, limit): &(Relation, &str)| Bound { relation: *relation, limit: limit.parse().unwrap() };
        let bounds = bounds.iter().map(bound).collect();
        PromqlTarget { bounds, ..PromqlTarget::unbounded("http://prom:9090", "up").unwrap() }
    }

    fn values(values: &[&str]) -> PromqlFacts {
        let sample = |(index, value): (usize, &&str)| Sample {
            labels: Said::new(&format!("{{i=\"{index}\"}}")),
            value: value.parse().ok(),
        };
        PromqlFacts::Values(values.iter().enumerate().map(sample).collect())
    }

    fn judged(target: &PromqlTarget, facts: PromqlFacts) -> Outcome {
        let evidence = Evidence { facts: Some(Facts::Promql(Box::new(facts))), ..Evidence::default() };
        judge(&evidence, &Target::Promql(target.clone()), TIMEOUT, Circumstances::default())
    }

    const LOW: Outcome = Outcome::Down(Cause::Bound);

    #[test]
    fn each_bound_holds_up_to_its_limit_and_no_further() {
        let check = |relation, value: &str, expected| {
            assert_eq!(judged(&target(&[(relation, "0.5")]), values(&[value])), expected, "{relation:?} {value}");
        };
        check(Relation::AtLeast, "0.5", Outcome::Up);
        check(Relation::AtLeast, "0.49999999999999994", LOW);
        check(Relation::AtMost, "0.5", Outcome::Up);
        check(Relation::AtMost, "0.5000000000000001", LOW);
        check(Relation::Above, "0.5", LOW);
        check(Relation::Above, "+Inf", Outcome::Up);
        check(Relation::Below, "0.5", LOW);
        check(Relation::Below, "-Inf", Outcome::Up);
    }

    #[test]
    fn all_series_must_keep_all_bounds_unless_one_is_enough() {
        let mut target = target(&[(Relation::AtLeast, "1"), (Relation::Below, "10")]);
        assert_eq!(judged(&target, values(&["1", "9.9"])), Outcome::Up);
        assert_eq!(judged(&target, values(&["1", "10", "0"])), LOW);
        target.series = SeriesRule::Any;
        assert_eq!(judged(&target, values(&["0", "5", "10"])), Outcome::Up);
        assert_eq!(judged(&target, values(&["0", "10"])), LOW);
    }

    #[test]
    fn no_value_means_what_the_check_says_and_by_default_nothing() {
        let mut target = target(&[(Relation::AtLeast, "1")]);
        for facts in [values(&[]), values(&["NaN", "NaN"])] {
            for (no_data, expected) in [
                (NoData::Void, Outcome::Void(Cause::Prober)),
                (NoData::Down, Outcome::Down(Cause::Content)),
                (NoData::Up, Outcome::Up),
            ] {
                target.no_data = no_data;
                assert_eq!(judged(&target, facts.clone()), expected);
            }
        }
        assert_eq!(judged(&target, values(&["NaN", "1"])), Outcome::Up);
        assert_eq!(judged(&target, values(&["NaN", "0"])), LOW);
    }

    #[test]
    fn the_server_s_failure_is_not_the_target_s_unless_the_check_says_so() {
        let failed = |fault| {
            let failure = Failure { fault, phase: Some(Phase::Connect), detail: Said::new("refused") };
            Evidence { failure: Some(failure), ..Evidence::default() }
        };
        let late = Evidence { elapsed: TIMEOUT + Duration::from_secs(1), ..Evidence::default() };
        let check = |server_failure, evidence: &Evidence, expected| {
            let target = PromqlTarget { server_failure, ..target(&[(Relation::Below, "1")]) };
            let outcome = judge(evidence, &Target::Promql(target), TIMEOUT, Circumstances::default());
            assert_eq!(outcome, expected, "{server_failure:?} {evidence:?}");
        };
        check(ServerFailure::Void, &failed(Fault::Refused), Outcome::Void(Cause::Prober));
        check(ServerFailure::Void, &failed(Fault::Deadline), Outcome::Void(Cause::Prober));
        check(ServerFailure::Void, &failed(Fault::Exhausted), Outcome::Void(Cause::Resources));
        check(ServerFailure::Void, &late, Outcome::Void(Cause::Prober));
        check(ServerFailure::Down, &failed(Fault::Refused), Outcome::Down(Cause::Refused));
        check(ServerFailure::Down, &late, Outcome::Down(Cause::Timeout));
    }

    #[test]
    fn a_query_that_is_refused_or_too_wide_says_nothing_of_the_target() {
        let mut target = target(&[(Relation::Below, "1")]);
        let refused = || PromqlFacts::Refused(Said::new("parse error"));
        assert_eq!(judged(&target, refused()), Outcome::Void(Cause::Prober));
        assert_eq!(judged(&target, PromqlFacts::TooMany(1_000)), Outcome::Void(Cause::Prober));
        target.server_failure = ServerFailure::Down;
        assert_eq!(judged(&target, refused()), Outcome::Down(Cause::Unhealthy));
        assert_eq!(judged(&target, PromqlFacts::TooMany(1_000)), Outcome::Void(Cause::Prober));
    }

    #[test]
    fn a_breach_names_the_series_its_value_and_the_bound() {
        let target = target(&[(Relation::Below, "1")]);
        let complaint = complaint(&target, &values(&["0", "2", "3"])).unwrap();
        let expected = "the value of {i=\"1\"} is 2; it should be below 1, and 1 other series with it";
        assert_eq!(complaint.to_string(), expected);
        let scalar = PromqlFacts::Values(vec![Sample { labels: Said::default(), value: "1".parse().ok() }]);
        let complaint = super::complaint(&target, &scalar).unwrap();
        assert_eq!(complaint.to_string(), "the value is 1; it should be below 1");
        let none: Vec<Sample> = Vec::new();
        assert!(super::complaint(&target, &PromqlFacts::Values(none)).is_some());
    }
}
