//! One service's month as JSON: availability and the promises, and the views of what stands below.

mod down;
pub(super) mod exclusions;
mod measured;
mod owed;

use super::promises::{RowView, row_view};
use crate::closing::ServiceMonth;
use crate::render::figures::millis;
use down::{ShortView, StretchView, stretch_view};
use exclusions::{ExclusionView, exclusion_view};
use measured::{
    CoverageView, ErrorRateView, LatencyView, RecoveryView, coverage_view, error_rate_view, latency_view, recovery_view,
};
use owed::{CreditView, credit_view};
use rules::agreement::Agreement;
use rules::availability::{Availability, Partition};
use rules::outage::{Stretch, Verdict};
use rules::policy::Policy;
use rules::statement::Reckoning;
use serde::Serialize;

#[derive(Serialize)]
pub(super) struct ServiceView {
    service: String,
    from: String,
    until: String,
    partition_ms: PartitionView,
    availability: AvailabilityView,
    objectives: Vec<RowView>,
    outages: Vec<StretchView>,
    near_misses: Vec<StretchView>,
    short_downtime: ShortView,
    exclusions: Vec<ExclusionView>,
    latency: Vec<LatencyView>,
    error_rate: ErrorRateView,
    recovery: RecoveryView,
    credit: CreditView,
    coverage: Vec<CoverageView>,
}

#[derive(Serialize)]
struct PartitionView {
    up: u64,
    counted: u64,
    short: u64,
    excluded: u64,
    undetermined: u64,
}

#[derive(Serialize)]
struct AvailabilityView {
    downtime_ms: u64,
    total_ms: u64,
    percent: String,
    best_percent: String,
    worst_percent: String,
    objective_percent: String,
    met: bool,
    incomplete_evidence: bool,
    budget_left_ms: i64,
    before_exclusions_downtime_ms: u64,
    before_exclusions_percent: String,
}

pub(super) fn service_view(agreement: &Agreement, month: &ServiceMonth<'_>) -> ServiceView {
    let policy = &agreement.policy;
    let reckoning = &month.reckoning;
    let of = |verdict| {
        let stretches = reckoning.stretches.iter().filter(move |(stretch, _)| stretch.verdict == verdict);
        let views = |stretch: &Stretch| month.views.get(&stretch.interval.from()).map_or(&[][..], Vec::as_slice);
        stretches.map(move |(stretch, counted)| stretch_view(stretch, *counted, views(stretch)))
    };
    let short = reckoning.stretches.iter().filter(|(stretch, _)| stretch.verdict != Verdict::Outage);
    ServiceView {
        service: month.service.id.to_string(),
        from: reckoning.period.from().to_string(),
        until: reckoning.period.until().to_string(),
        partition_ms: partition_view(&reckoning.partition),
        availability: availability_view(policy, reckoning),
        objectives: month.objectives.iter().map(row_view).collect(),
        outages: of(Verdict::Outage).collect(),
        near_misses: of(Verdict::NearMiss).collect(),
        short_downtime: ShortView { count: short.count(), length_ms: millis(reckoning.partition.short.length()) },
        exclusions: reckoning.exclusions.iter().map(exclusion_view).collect(),
        latency: month.latency.iter().map(latency_view).collect(),
        error_rate: error_rate_view(&month.error_rate),
        recovery: recovery_view(policy, &reckoning.recovery, reckoning.recovery_met),
        credit: credit_view(agreement, &reckoning.credit),
        coverage: month.coverage.iter().map(coverage_view).collect(),
    }
}

fn partition_view(partition: &Partition) -> PartitionView {
    PartitionView {
        up: millis(partition.up.length()),
        counted: millis(partition.counted.length()),
        short: millis(partition.short.length()),
        excluded: millis(partition.excluded.length()),
        undetermined: millis(partition.undetermined.length()),
    }
}

fn availability_view(policy: &Policy, reckoning: &Reckoning<'_>) -> AvailabilityView {
    let Availability { nominal, best, worst } = reckoning.availability;
    let objective = policy.availability.objective;
    let before = reckoning.before_exclusions.nominal;
    AvailabilityView {
        downtime_ms: nominal.downtime_ms,
        total_ms: nominal.total_ms,
        percent: nominal.to_string(),
        best_percent: best.to_string(),
        worst_percent: worst.to_string(),
        objective_percent: objective.to_string(),
        met: reckoning.met(policy),
        incomplete_evidence: reckoning.evidence_is_incomplete(policy),
        budget_left_ms: nominal.budget_left_ms(objective),
        before_exclusions_downtime_ms: before.downtime_ms,
        before_exclusions_percent: before.to_string(),
    }
}
