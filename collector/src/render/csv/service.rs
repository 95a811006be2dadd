//! One service's figures.

use super::{Sheet, ms};
use crate::closing::ServiceMonth;
use crate::render::figures::cut_percent;
use rules::objective::{Limit, Measured, Promise, Row};
use rules::outage::{Stretch, Verdict};
use rules::policy::Policy;
use std::time::Duration;

pub(super) fn figures(sheet: &mut Sheet, policy: &Policy, month: &ServiceMonth<'_>) {
    partition(sheet, month);
    availability(sheet, policy, month);
    month.objectives.iter().for_each(|row| objective(sheet, row));
    for (stretch, counted) in &month.reckoning.stretches {
        down(sheet, stretch, *counted);
        views(sheet, month, stretch);
    }
    exclusions(sheet, month);
    latency(sheet, month);
    recovery(sheet, month);
    coverage(sheet, month);
    credit(sheet, month);
}

fn partition(sheet: &mut Sheet, month: &ServiceMonth<'_>) {
    let partition = &month.reckoning.partition;
    let parts = [
        ("up", &partition.up),
        ("counted", &partition.counted),
        ("short", &partition.short),
        ("excluded", &partition.excluded),
        ("undetermined", &partition.undetermined),
    ];
    for (name, set) in parts {
        sheet.within("partition", name, month.reckoning.period, ms(set.length()), "ms");
    }
    for stretch in partition.undetermined.iter() {
        sheet.within("undetermined", "length", stretch, ms(stretch.length()), "ms");
    }
}

fn availability(sheet: &mut Sheet, policy: &Policy, month: &ServiceMonth<'_>) {
    let reckoning = &month.reckoning;
    let availability = reckoning.availability;
    let objective = policy.availability.objective;
    let left = availability.nominal.budget_left_ms(objective);
    let (left, over) = (u64::try_from(left).unwrap_or(0), if left < 0 { left.unsigned_abs() } else { 0 });
    let before = reckoning.before_exclusions.nominal;
    sheet.figure("availability", "downtime", availability.nominal.downtime_ms, "ms");
    sheet.figure("availability", "total", availability.nominal.total_ms, "ms");
    sheet.figure("availability", "budget_left", left, "ms");
    sheet.figure("availability", "budget_over", over, "ms");
    sheet.figure("availability", "percent", availability.nominal, "percent");
    sheet.figure("availability", "best_percent", availability.best, "percent");
    sheet.figure("availability", "worst_percent", availability.worst, "percent");
    sheet.figure("availability", "before_exclusions_downtime", before.downtime_ms, "ms");
    sheet.figure("availability", "before_exclusions_percent", before, "percent");
    sheet.figure("availability", "objective_percent", objective, "percent");
    sheet.figure("availability", "met", reckoning.met(policy), "");
    sheet.figure("availability", "incomplete_evidence", reckoning.evidence_is_incomplete(policy), "");
}

/// A promise: its limit, what was measured, and whether it was kept.
pub(super) fn objective(sheet: &mut Sheet, row: &Row) {
    let name = promise(&row.promise);
    let (limit, value, unit) = match row.limit {
        Limit::AtLeast(percent) => ("objective_at_least", percent.to_string(), "percent"),
        Limit::AtMost(percent) => ("objective_at_most", percent.to_string(), "percent"),
        Limit::NotLonger(length) => ("objective_not_longer", length.as_micros().to_string(), "us"),
        Limit::Shorter(length) => ("objective_shorter", length.as_micros().to_string(), "us"),
    };
    sheet.figure(limit, &name, value, unit);
    match row.measured {
        None => {}
        Some(Measured::Availability(ratio)) => sheet.figure("objective_measured", &name, ratio, "percent"),
        Some(Measured::Share { of, among }) => {
            sheet.figure("objective_measured", &name, cut_percent(of, among).unwrap_or_default(), "percent");
        }
        Some(Measured::Length(length)) => sheet.figure("objective_measured", &name, length.as_micros(), "us"),
        Some(Measured::Kept { met, missed, running }) => {
            for (record, count) in
                [("objective_kept", met), ("objective_missed", missed), ("objective_running", running)]
            {
                sheet.figure(record, &name, count, "clocks");
            }
        }
    }
    sheet.figure("objective_met", &name, row.met.map_or_else(|| "unknown".to_owned(), |met| met.to_string()), "");
}

fn promise(of: &Promise) -> String {
    match of {
        Promise::Availability => "availability".to_owned(),
        Promise::Latency { check, objective } => format!("latency/{check}/{objective}"),
        Promise::ErrorRate => "error_rate".to_owned(),
        Promise::Mttr => "recovery/mttr".to_owned(),
        Promise::Mttsr => "recovery/mttsr".to_owned(),
        Promise::RecoverySum => "recovery/sum".to_owned(),
        Promise::Backup { check } => format!("backup/{check}"),
        Promise::PlannedDowntime => "planned_downtime".to_owned(),
        Promise::Response { severity, clock } => format!("response/{severity}/{}", clock.as_str()),
    }
}

fn down(sheet: &mut Sheet, stretch: &Stretch, counted: Duration) {
    let record = match stretch.verdict {
        Verdict::Outage => "outage",
        Verdict::NearMiss => "near_miss",
        Verdict::Short => "short_downtime",
    };
    let of = stretch.interval;
    sheet.within(record, "length", of, ms(of.length()), "ms");
    sheet.within(record, "counted", of, ms(counted), "ms");
    sheet.within(record, "shortest", of, ms(stretch.shortest()), "ms");
    if let Some(longest) = stretch.longest() {
        sheet.within(record, "longest", of, ms(longest), "ms");
    }
    let causes: Vec<&str> = stretch.causes.iter().map(rules::outcome::Cause::as_str).collect();
    sheet.within(record, "causes", of, causes.join(" "), "");
    sheet.within(record, "ongoing", of, stretch.ongoing, "");
}

/// What each series saw of an outage.
fn views(sheet: &mut Sheet, month: &ServiceMonth<'_>, stretch: &Stretch) {
    for view in month.views.get(&stretch.interval.from()).into_iter().flatten() {
        let name = format!("{}/{}", view.agent, view.check);
        let lengths =
            [("view_down", view.down), ("view_up", view.up), ("view_void", view.void), ("view_silent", view.silent)];
        for (record, length) in lengths {
            sheet.within(record, &name, stretch.interval, ms(length), "ms");
        }
        if let Some(end) = view.failures.and_then(|failures| failures.ended) {
            sheet.within("view_failures", &name, stretch.interval, end.results, "results");
        }
    }
}

fn exclusions(sheet: &mut Sheet, month: &ServiceMonth<'_>) {
    for judged in &month.reckoning.exclusions {
        let of = &*judged.exclusion;
        let class = of.class.as_str();
        let mut row = |record: &str, value: &str, unit: &str| sheet.within(record, class, of.interval, value, unit);
        row("exclusion", &ms(judged.effective.length()).to_string(), "ms");
        let facts = [
            ("exclusion_entry", of.entry.map(|entry| entry.to_string())),
            ("exclusion_reason", Some(of.reason.clone()).filter(|reason| !reason.is_empty())),
            ("exclusion_told_at", of.told_at.map(|at| at.to_string())),
            ("exclusion_recorded_at", of.recorded_at.map(|at| at.to_string())),
            ("exclusion_recorded_by", of.recorded_by.clone()),
            ("exclusion_approved_by", of.approved_by.clone()),
            ("exclusion_refused", judged.refusal.map(|refusal| refusal.to_string())),
        ];
        facts.iter().filter_map(|(record, value)| Some((record, value.as_ref()?))).for_each(|(r, v)| row(r, v, ""));
    }
}

fn latency(sheet: &mut Sheet, month: &ServiceMonth<'_>) {
    for check in &month.latency {
        let name = check.row.check.as_str();
        let population = &check.row.population;
        sheet.figure("latency_count", name, population.count(), "results");
        if let Some(mean) = population.mean_us() {
            sheet.figure("latency_mean", name, mean, "us");
        }
        let others = [
            ("latency_timeouts", population.timeouts),
            ("latency_other_downs", population.other_downs),
            ("latency_voids", population.voids),
        ];
        others.into_iter().for_each(|(record, count)| sheet.figure(record, name, count, "results"));
        if let Some(objective) = &check.row.objective {
            sheet.figure("latency_limit", name, objective.limit.as_micros(), "us");
            let met = objective.met.map_or_else(|| "not measured".to_owned(), |met| met.to_string());
            sheet.figure("latency_met", name, met, "");
        }
    }
    if let Some(rate) = cut_percent(month.error_rate.downs, month.error_rate.total) {
        sheet.figure("error_rate", "percent", rate, "percent");
    }
}

fn recovery(sheet: &mut Sheet, month: &ServiceMonth<'_>) {
    let recovery = &month.reckoning.recovery;
    for (name, figure) in [("mttr", recovery.mttr_ms()), ("mttsr", recovery.mttsr_ms())] {
        if let Some(ms) = figure {
            sheet.figure("recovery", name, ms, "ms");
        }
    }
}

fn coverage(sheet: &mut Sheet, month: &ServiceMonth<'_>) {
    for of in &month.coverage {
        let name = format!("{}/{}", of.agent, of.check);
        for (record, length) in
            [("coverage_spoken", of.spoken), ("coverage_void", of.void), ("coverage_silent", of.silent)]
        {
            sheet.figure(record, &name, ms(length), "ms");
        }
    }
}

fn credit(sheet: &mut Sheet, month: &ServiceMonth<'_>) {
    let credit = &month.reckoning.credit;
    sheet.figure("credit", "percent", credit.percent, "percent");
    let currency = credit.currency.map(|currency| format!("{} minor units", currency.code())).unwrap_or_default();
    for (of, fee) in &credit.fees {
        sheet.figure("credit_fee", &of.to_string(), fee.0, &currency);
    }
    if let Some(basis) = credit.basis() {
        sheet.figure("credit", "basis", basis.0, &currency);
    }
    sheet.figure("credit", "amount", credit.amount.0, &currency);
}
