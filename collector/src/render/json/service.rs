//! One service's month as JSON: availability, outages and who saw them, exclusions, latency,
//! recovery, credit.

use super::promises::{RowView, row_view};
use super::text::{bounded, micros};
use crate::closing::evidence::Percentiles;
use crate::closing::views::{Failures, View};
use crate::closing::{CheckMonth, Coverage, ServiceMonth};
use crate::render::figures::{cut_percent, millis};
use rules::agreement::{Agreement, Eligible};
use rules::availability::{Availability, Partition};
use rules::check::Counts;
use rules::credit::{Credit, Withheld};
use rules::exclusion::{Bar, Judged};
use rules::outage::{Stretch, Verdict};
use rules::outcome::{Cause, CauseSet};
use rules::policy::Policy;
use rules::recovery::Recovery;
use rules::standing::Ineligible;
use rules::statement::{ErrorRate, Reckoning};
use rules::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::time::Duration;

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

#[derive(Serialize)]
struct StretchView {
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
struct ShortView {
    count: usize,
    length_ms: u64,
}

#[derive(Serialize)]
struct ExclusionView {
    from: String,
    until: String,
    class: &'static str,
    reason: String,
    told_at: Option<String>,
    recorded_by: Option<String>,
    recorded_at: Option<String>,
    /// The entry on the agreement's record; null if the configuration holds it.
    entry: Option<u64>,
    approved_by: Option<String>,
    effect_ms: u64,
    refused: Option<String>,
    bar: Option<BarView>,
}

/// What the record says against an exclusion.
#[derive(Serialize, Deserialize)]
#[serde(tag = "bar", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum BarView {
    NotApproved {},
    Refused { by: String, reason: String },
    Superseded { by_entry: u64 },
    Withdrawn { by_entry: u64 },
}

#[derive(Serialize)]
struct LatencyView {
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
struct ErrorRateView {
    downs: u64,
    results: u64,
    percent: Option<String>,
    limit_percent: Option<String>,
    met: Option<bool>,
}

#[derive(Serialize)]
struct RecoveryView {
    outages: u32,
    mttr_ms: Option<u64>,
    mttsr_ms: Option<u64>,
    mttr_limit_ms: Option<u64>,
    mttsr_limit_ms: Option<u64>,
    sum_limit_ms: Option<u64>,
    met: Option<bool>,
}

#[derive(Serialize)]
struct CreditView {
    percent: String,
    amount: u64,
    basis: Option<u64>,
    currency: Option<String>,
    currency_digits: Option<u32>,
    eligible: bool,
    withheld: Option<&'static str>,
    fees: Vec<FeeView>,
}

#[derive(Serialize)]
struct FeeView {
    period: String,
    amount: u64,
}

#[derive(Serialize)]
struct CoverageView {
    agent: String,
    check: String,
    spoken_ms: u64,
    void_ms: u64,
    silent_ms: u64,
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

fn stretch_view(stretch: &Stretch, counted: Duration, views: &[View]) -> StretchView {
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

fn exclusion_view(judged: &Judged<'_>) -> ExclusionView {
    let exclusion = &*judged.exclusion;
    let text = |at: Option<Timestamp>| at.map(|at| at.to_string());
    ExclusionView {
        from: exclusion.interval.from().to_string(),
        until: exclusion.interval.until().to_string(),
        class: exclusion.class.as_str(),
        reason: bounded(&exclusion.reason),
        told_at: text(exclusion.told_at),
        recorded_by: exclusion.recorded_by.as_deref().map(bounded),
        recorded_at: text(exclusion.recorded_at),
        entry: exclusion.entry,
        approved_by: exclusion.approved_by.as_deref().map(bounded),
        effect_ms: millis(judged.effective.length()),
        refused: judged.refusal.map(|refusal| refusal.to_string()),
        bar: exclusion.bar.as_ref().map(bar_view),
    }
}

pub(super) fn bar_view(bar: &Bar) -> BarView {
    match bar {
        Bar::NotApproved => BarView::NotApproved {},
        Bar::Refused { by, reason } => BarView::Refused { by: bounded(by), reason: bounded(reason) },
        Bar::Superseded { by } => BarView::Superseded { by_entry: *by },
        Bar::Withdrawn { by } => BarView::Withdrawn { by_entry: *by },
    }
}

fn latency_view(month: &CheckMonth<'_>) -> LatencyView {
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
        significant_digits: crate::closing::evidence::SIGNIFICANT_DIGITS,
    }
}

fn error_rate_view(rate: &ErrorRate) -> ErrorRateView {
    ErrorRateView {
        downs: rate.downs,
        results: rate.total,
        percent: cut_percent(rate.downs, rate.total),
        limit_percent: rate.limit.map(|limit| limit.to_string()),
        met: rate.met(),
    }
}

fn recovery_view(policy: &Policy, recovery: &Recovery, met: Option<bool>) -> RecoveryView {
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

fn credit_view(agreement: &Agreement, credit: &Credit) -> CreditView {
    CreditView {
        percent: credit.percent.to_string(),
        amount: credit.amount.0,
        basis: credit.basis().map(|basis| basis.0),
        currency: credit.currency.map(|currency| currency.code().to_owned()),
        currency_digits: credit.currency.map(|currency| currency.digits()),
        eligible: agreement.eligible == Eligible::Yes && !matches!(credit.withheld, Some(Withheld::Standing(_))),
        withheld: credit.withheld.map(|withheld| match withheld {
            Withheld::NotEligible => "not_eligible",
            Withheld::Standing(Ineligible::Trial) => "trial",
            Withheld::Standing(Ineligible::Overdue) => "overdue",
            Withheld::Standing(Ineligible::PaidTooShort { .. }) => "paid_too_short",
            Withheld::NoFee => "no_fee",
        }),
        fees: credit.fees.iter().map(|(month, fee)| FeeView { period: month.to_string(), amount: fee.0 }).collect(),
    }
}

fn coverage_view(coverage: &Coverage) -> CoverageView {
    CoverageView {
        agent: coverage.agent.to_string(),
        check: coverage.check.to_string(),
        spoken_ms: millis(coverage.spoken),
        void_ms: millis(coverage.void),
        silent_ms: millis(coverage.silent),
    }
}
