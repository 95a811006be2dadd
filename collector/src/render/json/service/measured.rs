//! What was measured of a service beside its availability, as JSON: latency, errors, recovery, coverage.

use crate::closing::evidence::{Percentiles, SIGNIFICANT_DIGITS};
use crate::closing::{CheckMonth, Coverage};
use crate::render::figures::{cut_percent, millis};
use crate::render::json::text::micros;
use rules::policy::Policy;
use rules::recovery::Recovery;
use rules::statement::ErrorRate;
use serde::Serialize;

#[derive(Serialize)]
pub(super) struct LatencyView {
    check: String,
    objective: Option<String>,
    count: u64,
    mean_us: Option<u64>,
    limit_us: Option<u64>,
    met: Option<bool>,
    timeouts: u64,
    other_downs: u64,
    voids: u64,
    untimed: u64,
    /// Left out without any, so that statements issued before there were extra results keep their bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    extras: Option<u64>,
    /// From a histogram with two significant digits.
    percentiles_us: Option<PercentilesView>,
}

#[derive(Serialize)]
struct PercentilesView {
    p50: u64,
    p90: u64,
    p95: u64,
    p99: u64,
    max: u64,
    significant_digits: u8,
}

#[derive(Serialize)]
pub(super) struct ErrorRateView {
    downs: u64,
    results: u64,
    percent: Option<String>,
    limit_percent: Option<String>,
    met: Option<bool>,
}

#[derive(Serialize)]
pub(super) struct RecoveryView {
    outages: u32,
    mttr_ms: Option<u64>,
    mttsr_ms: Option<u64>,
    mttr_limit_ms: Option<u64>,
    mttsr_limit_ms: Option<u64>,
    sum_limit_ms: Option<u64>,
    met: Option<bool>,
}

#[derive(Serialize)]
pub(super) struct CoverageView {
    agent: String,
    check: String,
    spoken_ms: u64,
    void_ms: u64,
    silent_ms: u64,
}

pub(super) fn latency_view(month: &CheckMonth<'_>) -> LatencyView {
    let population = &month.row.population;
    let verdict = month.row.objective.as_ref();
    LatencyView {
        check: month.row.check.to_string(),
        objective: verdict.map(|verdict| verdict.id.to_string()),
        count: population.count(),
        mean_us: population.mean_us(),
        limit_us: verdict.map(|verdict| micros(verdict.limit)),
        met: verdict.and_then(|verdict| verdict.met),
        timeouts: population.timeouts,
        other_downs: population.other_downs,
        voids: population.voids,
        untimed: population.untimed,
        extras: (0 < population.extras).then_some(population.extras),
        percentiles_us: month.percentiles.map(percentiles_view),
    }
}

fn percentiles_view(percentiles: Percentiles) -> PercentilesView {
    PercentilesView {
        p50: micros(percentiles.p50),
        p90: micros(percentiles.p90),
        p95: micros(percentiles.p95),
        p99: micros(percentiles.p99),
        max: micros(percentiles.max),
        significant_digits: SIGNIFICANT_DIGITS,
    }
}

pub(super) fn error_rate_view(rate: &ErrorRate) -> ErrorRateView {
    ErrorRateView {
        downs: rate.downs,
        results: rate.total,
        percent: cut_percent(rate.downs, rate.total),
        limit_percent: rate.limit.map(|limit| limit.to_string()),
        met: rate.met(),
    }
}

pub(super) fn recovery_view(policy: &Policy, recovery: &Recovery, met: Option<bool>) -> RecoveryView {
    RecoveryView {
        outages: recovery.outages,
        mttr_ms: recovery.mttr_ms(),
        mttsr_ms: recovery.mttsr_ms(),
        mttr_limit_ms: policy.recovery.mttr.map(millis),
        mttsr_limit_ms: policy.recovery.mttsr.map(millis),
        sum_limit_ms: policy.recovery.sum.map(millis),
        met,
    }
}

pub(super) fn coverage_view(coverage: &Coverage) -> CoverageView {
    CoverageView {
        agent: coverage.agent.to_string(),
        check: coverage.check.to_string(),
        spoken_ms: millis(coverage.spoken),
        void_ms: millis(coverage.void),
        silent_ms: millis(coverage.silent),
    }
}
