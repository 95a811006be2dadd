//! Down stretches: outages with their brackets, near misses, and downtime too short to count.

use super::writer::Writer;
use super::{Block, ColumnKind, Row, Table, Tone};
use crate::closing::{ServiceMonth, Statement};
use crate::render::words::{Word, cause};
use rules::outage::{Stretch, Verdict};
use std::time::Duration;

/// How many of the short stretches are listed, the longest: a flapping service has thousands.
const SHORT_SHOWN_MAX: usize = 50;

pub(super) fn blocks(_statement: &Statement<'_>, month: &ServiceMonth<'_>, writer: &Writer<'_>) -> Vec<Block> {
    let mut blocks = vec![Block::Table(outages(month, writer))];
    blocks.extend(near_misses(month, writer).map(Block::Table));
    blocks.extend(short(month, writer).map(Block::Table));
    blocks
}

const COLUMNS: [(Word, ColumnKind); 7] = [
    (Word::Number, ColumnKind::Name),
    (Word::Began, ColumnKind::Instant),
    (Word::Ended, ColumnKind::Instant),
    (Word::Length, ColumnKind::Number),
    (Word::Bracket, ColumnKind::Number),
    (Word::Counted, ColumnKind::Number),
    (Word::Causes, ColumnKind::Prose),
];

fn outages(month: &ServiceMonth<'_>, writer: &Writer<'_>) -> Table {
    let rows = month.reckoning.outages().enumerate().map(|(index, (stretch, counted))| {
        let tone = if counted.is_zero() { Tone::Weak } else { Tone::Plain };
        row(index, stretch, *counted, tone, writer)
    });
    let mut table = writer.table(Word::Outages, &COLUMNS, rows.collect());
    if !table.rows.is_empty() {
        table.notes.push(writer.say(Word::BracketNote).to_owned());
    }
    table
}

fn near_misses(month: &ServiceMonth<'_>, writer: &Writer<'_>) -> Option<Table> {
    let of = month.reckoning.stretches.iter().filter(|(stretch, _)| stretch.verdict == Verdict::NearMiss);
    let rows: Vec<Row> =
        of.enumerate().map(|(index, (stretch, counted))| row(index, stretch, *counted, Tone::Plain, writer)).collect();
    (!rows.is_empty()).then(|| Table {
        notes: vec![writer.say(Word::NearMissNote).to_owned()],
        ..writer.table(Word::NearMisses, &COLUMNS, rows)
    })
}

/// The longest of the stretches that are neither; what is left out is said.
fn short(month: &ServiceMonth<'_>, writer: &Writer<'_>) -> Option<Table> {
    let mut of: Vec<&Stretch> = month.reckoning.stretches.iter().map(|(stretch, _)| stretch).collect();
    of.retain(|stretch| stretch.verdict == Verdict::Short);
    if of.is_empty() {
        return None;
    }
    let (count, total) = (of.len(), of.iter().map(|stretch| stretch.interval.length()).sum::<Duration>());
    let total = writer.length(total);
    of.sort_by_key(|stretch| (std::cmp::Reverse(stretch.interval.length()), stretch.interval));
    of.truncate(SHORT_SHOWN_MAX);
    of.sort_by_key(|stretch| stretch.interval);
    let rows = of.iter().enumerate().map(|(index, stretch)| row(index, stretch, Duration::ZERO, Tone::Plain, writer));
    let mut table = writer.table(Word::ShortDowntime, &COLUMNS, rows.collect());
    table.notes.push(writer.either(
        format!("Too short to be an outage, and not counted: {count} in all, {total} together."),
        format!("장애 기준 시간에 미치지 못해 산입하지 않은 중단: 모두 {count}건, 합계 {total}."),
    ));
    if SHORT_SHOWN_MAX < count {
        table.notes.push(writer.either(
            format!("The {SHORT_SHOWN_MAX} longest are listed."),
            format!("그중 가장 긴 {SHORT_SHOWN_MAX}건을 기재합니다."),
        ));
    }
    Some(table)
}

fn row(index: usize, stretch: &Stretch, counted: Duration, tone: Tone, writer: &Writer<'_>) -> Row {
    let mut ended = writer.instant(stretch.interval.until());
    if stretch.ongoing {
        ended = format!("{ended}\n({})", writer.say(Word::Ongoing));
    }
    let longest =
        stretch.longest().map_or_else(|| writer.say(Word::Unknown).to_owned(), |longest| writer.length(longest));
    let causes: Vec<&str> = stretch.causes.iter().map(|of| cause(of, writer.language)).collect();
    let cells = vec![
        (index + 1).to_string(),
        writer.instant(stretch.interval.from()),
        ended,
        writer.length(stretch.interval.length()),
        format!("{} –\n{longest}", writer.length(stretch.shortest())),
        writer.length(counted),
        causes.join(", "),
    ];
    Row { tone, cells }
}
