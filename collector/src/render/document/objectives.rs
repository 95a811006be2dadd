//! What was promised, held against what was measured: a row a promise.

use super::writer::Writer;
use super::{ColumnKind, Row, Table, Tone};
use crate::closing::ServiceMonth;
use crate::render::figures::{self, cut_percent};
use crate::render::outside;
use crate::render::words::{Word, clock};
use rules::objective::{self, Limit, Measured, Promise};

/// A service's promises.
pub(super) fn table(month: &ServiceMonth<'_>, writer: &Writer<'_>) -> Table {
    promises(Word::Objectives, &month.objectives, writer)
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
