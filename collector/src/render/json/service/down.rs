//! Down stretches as JSON, and what each vantage saw of them.

use crate::closing::views::{Failures, View};
use crate::render::figures::millis;
use rules::check::Counts;
use rules::outage::Stretch;
use rules::outcome::{Cause, CauseSet};
use serde::Serialize;
use std::time::Duration;

#[derive(Serialize)]
pub(super) struct StretchView {
    began_at: String,
    ended_at: String,
    length_ms: u64,
    counted_ms: u64,
    shortest_ms: u64,
    longest_ms: Option<u64>,
    ongoing: bool,
    causes: Vec<&'static str>,
    /// What each vantage saw of it; for outages only.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    views: Vec<ViewView>,
}

#[derive(Serialize)]
struct ViewView {
    agent: String,
    check: String,
    counts: bool,
    down_ms: u64,
    up_ms: u64,
    void_ms: u64,
    silent_ms: u64,
    /// The failed attempts of the runs that touch the outage; they may begin before it.
    failures: Option<FailuresView>,
}

#[derive(Serialize)]
struct FailuresView {
    first_at: String,
    /// Null while they go on where the evidence ends; so is their number.
    last_at: Option<String>,
    results: Option<u64>,
    causes: Vec<&'static str>,
}

#[derive(Serialize)]
pub(super) struct ShortView {
    pub(super) count: usize,
    pub(super) length_ms: u64,
}

pub(super) fn stretch_view(stretch: &Stretch, counted: Duration, views: &[View]) -> StretchView {
    StretchView {
        began_at: stretch.interval.from().to_string(),
        ended_at: stretch.interval.until().to_string(),
        length_ms: millis(stretch.interval.length()),
        counted_ms: millis(counted),
        shortest_ms: millis(stretch.shortest()),
        longest_ms: stretch.longest().map(millis),
        ongoing: stretch.ongoing,
        causes: words(stretch.causes),
        views: views.iter().map(view_view).collect(),
    }
}

fn words(causes: CauseSet) -> Vec<&'static str> {
    causes.iter().map(Cause::as_str).collect()
}

fn view_view(view: &View) -> ViewView {
    let failures = |failures: Failures| FailuresView {
        first_at: failures.first_at.to_string(),
        last_at: failures.ended.map(|ended| ended.last_at.to_string()),
        results: failures.ended.map(|ended| ended.results),
        causes: words(failures.causes),
    };
    ViewView {
        agent: view.agent.to_string(),
        check: view.check.to_string(),
        counts: view.counts == Counts::Yes,
        down_ms: millis(view.down),
        up_ms: millis(view.up),
        void_ms: millis(view.void),
        silent_ms: millis(view.silent),
        failures: view.failures.map(failures),
    }
}
