//! Jobs on a drawn timeline: what is reported when, and what each run comes to.

use super::*;
use crate::period::Zone;
use crate::result::Weight;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use proptest::prelude::*;

const HOUR: Duration = Duration::from_secs(3600);

/// Due at 02:00 UTC, with an hour of grace.
fn nightly() -> HeartbeatTarget {
    let schedule = JobSchedule::Cron { cron: "0 2 * * *".parse().unwrap(), zone: Zone::utc(), every: 24 * HOUR };
    HeartbeatTarget { address: "0 2 * * *".into(), schedule, grace: HOUR, run_max: None, bytes_min: None }
}

/// Due every four hours, with half an hour of grace.
fn every() -> HeartbeatTarget {
    let schedule = JobSchedule::Every(4 * HOUR);
    HeartbeatTarget { address: "every".into(), schedule, grace: HOUR / 2, run_max: None, bytes_min: None }
}

/// `20 01:30` is that time of November 2026.
fn at(text: &str) -> Timestamp {
    let (day, time) = text.split_once(' ').unwrap();
    format!("2026-11-{day}T{time}:00Z").parse().unwrap()
}

const SUCCESS: Report = Report::Success(Done { bytes: None, duration: None });
const FAILURE: Report = Report::Failure(Done { bytes: None, duration: None });

fn shown(Judged { result, run }: Judged) -> String {
    let day_and_time = result.at.to_string()[8..16].replace('T', " ");
    let outcome = match result.outcome {
        Outcome::Up => "up".into(),
        Outcome::Down(cause) => format!("down({cause})"),
        Outcome::Void(cause) => format!("void({cause})"),
    };
    let extra = if result.weight == Weight::Extra { " extra" } else { "" };
    let elapsed = if result.elapsed.is_zero() { String::new() } else { format!(" {}m", result.elapsed.as_secs() / 60) };
    let run = run.map_or("again", RunOutcome::as_str);
    format!("{day_and_time} {outcome}{elapsed}{extra} {run}")
}

/// Lets the agent look every half minute from the 20th at noon, with these reports, until the end.
fn results(target: HeartbeatTarget, reports: &[(&str, Report)], end: &str) -> Vec<String> {
    let mut now = at("20 12:00");
    let mut job = Job::new(target, now);
    let mut told = Vec::new();
    let mut reports = reports.iter().peekable();
    while now < at(end) {
        now = now.plus(Duration::from_secs(30));
        told.extend(core::iter::from_fn(|| job.advance(now)).map(shown));
        while let Some((_, report)) = reports.next_if(|(then, _)| at(then) <= now) {
            told.extend(job.report(*report, now).map(shown));
        }
    }
    told
}

#[track_caller]
fn check(target: HeartbeatTarget, reports: &[(&str, Report)], end: &str, expected: &[&str]) {
    assert_eq!(results(target, reports, end), expected);
}

#[test]
fn each_run_has_one_result_and_silence_is_one_too() {
    check(
        nightly(),
        &[("21 02:20", SUCCESS), ("23 02:59", SUCCESS)],
        "24 12:00",
        &["21 02:20 up on_time", "22 03:00 down(missed) missed", "23 02:59 up on_time", "24 03:00 down(missed) missed"],
    );
}

#[test]
fn a_run_that_told_its_start_has_a_length() {
    check(nightly(), &[("21 02:00", Report::Start), ("21 02:45", SUCCESS)], "21 12:00", &["21 02:45 up 45m on_time"]);
    let told = Report::Success(Done { duration: Some(HOUR), bytes: None });
    check(nightly(), &[("21 02:00", Report::Start), ("21 02:45", told)], "21 12:00", &["21 02:45 up 60m on_time"]);
}

#[test]
fn a_failure_is_down_at_once_and_a_second_try_is_extra() {
    check(
        nightly(),
        &[("21 02:10", FAILURE), ("21 02:30", SUCCESS)],
        "21 12:00",
        &["21 02:10 down(unhealthy) failed", "21 02:30 up extra again"],
    );
}

#[test]
fn a_late_run_turns_the_state_and_has_no_weight() {
    check(
        nightly(),
        &[("21 05:00", SUCCESS), ("21 06:00", SUCCESS), ("22 02:01", SUCCESS)],
        "22 12:00",
        &["21 03:00 down(missed) missed", "21 05:00 up extra late", "21 06:00 up extra again", "22 02:01 up on_time"],
    );
}

#[test]
fn a_run_by_hand_in_the_afternoon_is_not_the_next_night_s() {
    check(
        nightly(),
        &[("21 02:01", SUCCESS), ("21 15:00", SUCCESS)],
        "22 12:00",
        &["21 02:01 up on_time", "21 15:00 up extra again", "22 03:00 down(missed) missed"],
    );
}

#[test]
fn a_clock_that_is_a_little_ahead_is_forgiven() {
    check(
        nightly(),
        &[("21 02:00", SUCCESS), ("22 01:59", SUCCESS)],
        "22 12:00",
        &["21 02:00 up on_time", "22 01:59 up on_time"],
    );
}

#[test]
fn a_run_that_began_has_its_own_time_when_that_is_limited() {
    let limited = || HeartbeatTarget { run_max: Some(2 * HOUR), ..nightly() };
    check(limited(), &[("21 02:30", Report::Start), ("21 04:20", SUCCESS)], "21 12:00", &["21 04:20 up 110m on_time"]);
    check(
        limited(),
        &[("21 02:30", Report::Start), ("21 06:30", SUCCESS)],
        "21 12:00",
        &["21 04:30 down(timeout) 120m missed", "21 06:30 up 240m extra late"],
    );
    check(limited(), &[], "21 12:00", &["21 03:00 down(missed) missed"]);
}

#[test]
fn a_run_that_goes_on_until_the_next_one_is_late_and_not_the_next_one() {
    check(
        nightly(),
        &[("21 02:00", Report::Start), ("22 02:30", SUCCESS)],
        "22 12:00",
        &["21 03:00 down(missed) missed", "22 02:30 up 1470m extra late", "22 03:00 down(missed) missed"],
    );
}

#[test]
fn a_grace_longer_than_the_time_between_runs_ends_with_it() {
    let schedule = JobSchedule::Cron { cron: "0 * * * *".parse().unwrap(), zone: Zone::utc(), every: 24 * HOUR };
    let hourly = HeartbeatTarget { schedule, grace: 5 * HOUR, ..nightly() };
    check(hourly, &[("20 14:10", SUCCESS)], "20 15:30", &["20 13:59 down(missed) missed", "20 14:10 up on_time"]);
}

#[test]
fn a_run_that_made_too_little_or_does_not_say_is_down() {
    let target = || HeartbeatTarget { bytes_min: Some(100), ..nightly() };
    let made = |bytes| Report::Success(Done { bytes, duration: None });
    check(target(), &[("21 02:10", made(Some(100)))], "21 12:00", &["21 02:10 up on_time"]);
    check(target(), &[("21 02:10", made(Some(99)))], "21 12:00", &["21 02:10 down(bound) failed"]);
    check(target(), &[("21 02:10", made(None))], "21 12:00", &["21 02:10 down(bound) failed"]);
}

#[test]
fn a_job_without_fixed_times_is_due_a_period_after_its_last_run() {
    check(
        every(),
        &[("20 13:00", SUCCESS), ("20 17:20", SUCCESS)],
        "20 22:00",
        &["20 13:00 up on_time", "20 17:20 up on_time", "20 21:50 down(missed) missed"],
    );
}

#[test]
fn a_job_that_reports_more_often_than_it_must_has_one_result_a_period() {
    let reports: Vec<String> = (13..23).map(|hour| format!("20 {hour}:00")).collect();
    let reports: Vec<(&str, Report)> = reports.iter().map(|then| (then.as_str(), SUCCESS)).collect();
    let told = results(every(), &reports, "20 22:30");
    assert_eq!(told.len(), 10);
    assert_eq!(told.iter().filter(|told| told.ends_with("on_time")).count(), 5, "{told:?}");
}

#[test]
fn a_run_that_nobody_watched_is_not_judged_unless_it_reports() {
    let away = |back: &str, report: Option<&str>| {
        let mut job = Job::new(nightly(), at("20 12:00"));
        job.advance(at("20 23:00"));
        let now = at(back);
        let mut told: Vec<String> = core::iter::from_fn(|| job.advance(now)).map(shown).collect();
        if let Some(report) = report {
            told.extend(job.report(SUCCESS, at(report)).map(shown));
        }
        let mut later = now;
        while later < at("25 00:00") {
            later = later.plus(Duration::from_secs(30));
            told.extend(core::iter::from_fn(|| job.advance(later)).map(shown));
        }
        told
    };
    let nights = |from: usize| (from..25).map(|day| format!("{day} 03:00 down(missed) missed")).collect::<Vec<_>>();
    assert_eq!(away("21 02:30", None), nights(22));
    assert_eq!(away("21 02:30", Some("21 02:31")), [["21 02:31 up on_time".to_string()].to_vec(), nights(22)].concat());
    assert_eq!(away("21 12:00", None), nights(22));
    assert_eq!(away("23 12:00", None), nights(24));
    assert_eq!(away("23 02:30", None), nights(24));
    assert_eq!(away("21 01:00", None), nights(21));
}

#[test]
fn an_agent_that_was_away_a_moment_goes_on() {
    let mut job = Job::new(nightly(), at("20 12:00"));
    while job.state().seen_until < at("21 02:59") {
        job.advance(job.state().seen_until.plus(Duration::from_secs(30)));
    }
    let mut job = Job::resume(nightly(), *job.state());
    assert_eq!(job.advance(at("21 03:00")).map(shown).as_deref(), Some("21 03:00 down(missed) missed"));
}

#[test]
fn a_clock_set_back_awaits_what_is_to_come() {
    let mut job = Job::new(nightly(), at("20 12:00"));
    job.report(SUCCESS, at("20 12:00"));
    assert_eq!(job.advance(at("20 06:00")), None);
    assert_eq!((job.next_due(), job.state().succeeded_at), (at("21 02:00"), Some(at("20 12:00"))));
    assert_eq!(job.advance(at("19 06:00")), None);
    assert_eq!(job.next_due(), at("20 02:00"));
}

#[test]
fn reports_at_one_instant_are_told_apart() {
    let mut job = Job::new(every(), at("20 12:00"));
    let instants = [(); 3].map(|()| job.report(SUCCESS, at("20 15:00")).unwrap().result.at.as_millis());
    assert_eq!([instants[1] - instants[0], instants[2] - instants[1]], [1, 1]);
}

proptest! {
    #[test]
    fn results_are_in_order_and_each_watched_run_has_exactly_one_with_weight(
        reports in prop::collection::vec((0_u64..200_000, 0_u8..3), 0..30),
        grace in 1_u64..200, most in prop::option::of(1_u64..200),
    ) {
        let schedule = JobSchedule::Cron { cron: "0 */2 * * *".parse().unwrap(), zone: Zone::utc(), every: 24 * HOUR };
        let (grace, run_max) = (Duration::from_secs(grace * 60), most.map(|most| Duration::from_secs(most * 60)));
        let begin = at("20 12:00").plus(Duration::from_secs(1));
        let mut job = Job::new(HeartbeatTarget { schedule, grace, run_max, ..nightly() }, begin);
        let mut reports: Vec<(Timestamp, Report)> = reports
            .into_iter()
            .map(|(after, kind)| (begin.plus(Duration::from_secs(after)), [Report::Start, SUCCESS, FAILURE][usize::from(kind)]))
            .collect();
        reports.sort_by_key(|(then, _)| *then);
        let mut results = Vec::new();
        let (mut now, mut reports) = (begin, reports.into_iter().peekable());
        let end = begin.plus(Duration::from_secs(200_000));
        while now < end {
            now = now.plus(Duration::from_secs(20));
            results.extend(core::iter::from_fn(|| job.advance(now)));
            while let Some((_, report)) = reports.next_if(|(then, _)| *then <= now) {
                results.extend(job.report(report, now));
            }
        }
        let results: Vec<ProbeResult> = results.into_iter().map(|judged| judged.result).collect();
        prop_assert!(results.windows(2).all(|pair| pair[0].at < pair[1].at));
        let weighty = results.iter().filter(|result| result.weight == Weight::Slot).count();
        // 200 000 s are 55.6 h: 27 runs were due, and the next may have opened or been awaited to its end.
        prop_assert!((26..=28).contains(&weighty), "{weighty}");
    }
}
