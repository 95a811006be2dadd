//! The rows of a statement's first table as JSON: what was promised, the limit, what was measured.

use super::text::{bounded, micros};
use crate::render::figures::cut_percent;
use rules::objective::{Limit, Measured, Promise, Row};
use serde::Serialize;

#[derive(Serialize)]
pub(super) struct RowView {
    promise: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    check: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    objective: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    severity: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    clock: Option<&'static str>,
    limit: LimitView,
    measured: Option<MeasuredView>,
    met: Option<bool>,
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum LimitView {
    AtLeastPercent(String),
    AtMostPercent(String),
    NotLongerUs(u64),
    ShorterUs(u64),
}

#[derive(Serialize)]
#[serde(untagged)]
enum MeasuredView {
    Availability { downtime_ms: u64, total_ms: u64, percent: String },
    Share { of: u64, among: u64, percent: Option<String> },
    Length { us: u64 },
    Kept { met: u32, missed: u32, running: u32 },
}

pub(super) fn row_view(row: &Row) -> RowView {
    let (promise, mut check, mut objective) = (word(&row.promise), None, None);
    let (mut severity, mut clock) = (None, None);
    match &row.promise {
        Promise::Latency { check: of, objective: named } => {
            (check, objective) = (Some(of.to_string()), Some(named.to_string()));
        }
        Promise::Backup { check: of } => check = Some(of.to_string()),
        Promise::Response { severity: of, clock: which } => {
            (severity, clock) = (Some(bounded(of)), Some(which.as_str()));
        }
        Promise::Availability
        | Promise::ErrorRate
        | Promise::Mttr
        | Promise::Mttsr
        | Promise::RecoverySum
        | Promise::PlannedDowntime => {}
    }
    let (limit, measured) = (limit_view(row.limit), row.measured.map(measured_view));
    RowView { promise, check, objective, severity, clock, limit, measured, met: row.met }
}

fn word(promise: &Promise) -> &'static str {
    match promise {
        Promise::Availability => "availability",
        Promise::Latency { .. } => "latency",
        Promise::ErrorRate => "error_rate",
        Promise::Mttr => "mttr",
        Promise::Mttsr => "mttsr",
        Promise::RecoverySum => "recovery_sum",
        Promise::Backup { .. } => "backup",
        Promise::PlannedDowntime => "planned_downtime",
        Promise::Response { .. } => "response",
    }
}

fn limit_view(limit: Limit) -> LimitView {
    match limit {
        Limit::AtLeast(percent) => LimitView::AtLeastPercent(percent.to_string()),
        Limit::AtMost(percent) => LimitView::AtMostPercent(percent.to_string()),
        Limit::NotLonger(length) => LimitView::NotLongerUs(micros(length)),
        Limit::Shorter(length) => LimitView::ShorterUs(micros(length)),
    }
}

fn measured_view(measured: Measured) -> MeasuredView {
    match measured {
        Measured::Availability(ratio) => MeasuredView::Availability {
            downtime_ms: ratio.downtime_ms,
            total_ms: ratio.total_ms,
            percent: ratio.to_string(),
        },
        Measured::Share { of, among } => MeasuredView::Share { of, among, percent: cut_percent(of, among) },
        Measured::Length(length) => MeasuredView::Length { us: micros(length) },
        Measured::Kept { met, missed, running } => MeasuredView::Kept { met, missed, running },
    }
}
