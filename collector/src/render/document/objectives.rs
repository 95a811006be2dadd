//! What was promised, held against what was measured: a row a promise.

use super::writer::Writer;
use super::{ColumnKind, Row, Table, Tone};
use crate::closing::{CheckMonth, ServiceMonth};
use crate::render::figures::{self, cut_percent};
use crate::render::outside;
use crate::render::words::{Word, clock};
use rules::agreement::Agreement;
use rules::objective::{self, Limit, Measured, Promise};
use rules::policy::{Edge, RecoveryRule};
use std::time::Duration;

/// A service's promises.
pub(super) fn table(agreement: &Agreement, month: &ServiceMonth<'_>, writer: &Writer<'_>) -> Table {
    let rows = match month.objectives.is_empty() {
        true => drawn_from(agreement, month),
        false => month.objectives.clone(),
    };
    promises(Word::Objectives, &rows, writer)
}

/// Any list of promises.
pub(super) fn promises(title: Word, rows: &[objective::Row], writer: &Writer<'_>) -> Table {
    let columns = [
        (Word::Promise, ColumnKind::Name),
        (Word::Limit, ColumnKind::Number),
        (Word::Measured, ColumnKind::Number),
        (Word::Result, ColumnKind::Word),
    ];
    writer.table(title, &columns, rows.iter().map(|of| row(of, writer)).collect())
}

fn row(of: &objective::Row, writer: &Writer<'_>) -> Row {
    let (tone, word) = match (of.met, of.measured) {
        (Some(true), _) => (Tone::Good, Word::Kept),
        (Some(false), _) => (Tone::Bad, Word::Broken),
        (None, None) => (Tone::Weak, Word::NotMeasured),
        (None, Some(Measured::Kept { .. })) => (Tone::Weak, Word::Running),
        (None, Some(_)) => (Tone::Weak, Word::CannotBeSaid),
    };
    let measured = match of.measured {
        Some(measured) => figure(&of.promise, measured, writer),
        None if of.met == Some(true) => writer.say(Word::NoOutage).to_owned(),
        None => "–".to_owned(),
    };
    let cells = vec![promise(&of.promise, writer), limit(&of.limit, writer), measured, writer.say(word).to_owned()];
    Row { tone, cells }
}

fn promise(of: &Promise, writer: &Writer<'_>) -> String {
    match of {
        Promise::Availability => writer.say(Word::Availability).to_owned(),
        Promise::Latency { check, objective } => {
            let names = [check.as_str(), objective.as_str()].map(outside::shown);
            format!("{}: {} ({})", writer.say(Word::MeanLatency), names[0], names[1])
        }
        Promise::ErrorRate => writer.say(Word::ErrorRate).to_owned(),
        Promise::Mttr => writer.say(Word::Mttr).to_owned(),
        Promise::Mttsr => writer.say(Word::Mttsr).to_owned(),
        Promise::RecoverySum => writer.say(Word::RecoverySum).to_owned(),
        Promise::Backup { check } => {
            format!("{}: {}", writer.say(Word::Backup), outside::shown(check.as_str()))
        }
        Promise::PlannedDowntime => writer.say(Word::PlannedDowntime).to_owned(),
        Promise::Response { severity, clock: of } => {
            format!("{}: {}", outside::shown(severity), clock(*of, writer.language))
        }
    }
}

fn limit(of: &Limit, writer: &Writer<'_>) -> String {
    match of {
        Limit::AtLeast(percent) => format!("≥ {percent} %"),
        Limit::AtMost(percent) => format!("≤ {percent} %"),
        Limit::NotLonger(length) => format!("≤ {}", writer.length(*length)),
        Limit::Shorter(length) => format!("< {}", writer.length(*length)),
    }
}

fn figure(promise: &Promise, of: Measured, writer: &Writer<'_>) -> String {
    match of {
        Measured::Availability(ratio) => format!("{ratio} %"),
        Measured::Share { of, among } => {
            let share = cut_percent(of, among).unwrap_or_default();
            format!("{share} %\n{} / {}", figures::grouped(of), figures::grouped(among))
        }
        Measured::Length(length) => match promise {
            Promise::Latency { .. } => figures::latency(u64::try_from(length.as_micros()).unwrap_or(u64::MAX)),
            Promise::Availability
            | Promise::ErrorRate
            | Promise::Mttr
            | Promise::Mttsr
            | Promise::RecoverySum
            | Promise::Backup { .. }
            | Promise::PlannedDowntime
            | Promise::Response { .. } => writer.length(length),
        },
        Measured::Kept { met, missed, running } => writer.either(
            format!("{met} met, {missed} missed, {running} running"),
            format!("준수 {met}건, 미준수 {missed}건, 진행 중 {running}건"),
        ),
    }
}

/// The rows of a month that has none of its own yet.
fn drawn_from(agreement: &Agreement, month: &ServiceMonth<'_>) -> Vec<objective::Row> {
    let policy = &agreement.policy;
    let availability = month.reckoning.availability;
    let met = match super::service::answer(policy, availability) {
        super::service::Answer::Met => Some(true),
        super::service::Answer::Missed => Some(false),
        super::service::Answer::CannotBeSaid => None,
    };
    let mut rows = vec![objective::Row {
        promise: Promise::Availability,
        limit: Limit::AtLeast(policy.availability.objective),
        measured: Some(Measured::Availability(availability.nominal)),
        met,
    }];
    rows.extend(month.latency.iter().filter_map(latency_row));
    let rate = &month.error_rate;
    rows.extend(rate.limit.map(|limit| objective::Row {
        promise: Promise::ErrorRate,
        limit: Limit::AtMost(limit),
        measured: (0 < rate.total).then_some(Measured::Share { of: rate.downs, among: rate.total }),
        met: rate.met(),
    }));
    rows.extend(recovery_rows(policy.recovery, month));
    rows
}

fn latency_row(month: &CheckMonth<'_>) -> Option<objective::Row> {
    let objective = month.row.objective.as_ref()?;
    Some(objective::Row {
        promise: Promise::Latency { check: month.row.check.clone(), objective: objective.id.clone() },
        limit: Limit::NotLonger(objective.limit),
        measured: month.row.population.mean_us().map(|us| Measured::Length(Duration::from_micros(us))),
        met: objective.met,
    })
}

fn recovery_rows(rule: RecoveryRule, month: &ServiceMonth<'_>) -> Vec<objective::Row> {
    let recovery = &month.reckoning.recovery;
    let (mean, longest) = (recovery.mttr_ms(), recovery.mttsr_ms());
    let sum = mean.zip(longest).map(|(mean, longest)| mean + longest);
    let none = RecoveryRule { edge: rule.edge, ..RecoveryRule::default() };
    let limit_of = |length| match rule.edge {
        Edge::Below => Limit::Shorter(length),
        Edge::AtMost => Limit::NotLonger(length),
    };
    let promised = [
        (Promise::Mttr, mean, rule.mttr, RecoveryRule { mttr: rule.mttr, ..none }),
        (Promise::Mttsr, longest, rule.mttsr, RecoveryRule { mttsr: rule.mttsr, ..none }),
        (Promise::RecoverySum, sum, rule.sum, RecoveryRule { sum: rule.sum, ..none }),
    ];
    let row = |(promise, measured, limit, alone): (Promise, Option<u64>, Option<Duration>, RecoveryRule)| {
        let measured = measured.map(|ms| Measured::Length(Duration::from_millis(ms)));
        Some(objective::Row { promise, limit: limit_of(limit?), measured, met: recovery.keeps_to(&alone) })
    };
    promised.into_iter().filter_map(row).collect()
}
