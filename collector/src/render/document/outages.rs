//! Down stretches: outages with their brackets, near misses, and downtime too short to count.

use super::writer::Writer;
use super::{Block, ColumnKind, Row, Table, Tone};
use crate::closing::ServiceMonth;
use crate::closing::views::{Failures, FailuresEnd, View};
use crate::render::outside;
use crate::render::words::{Word, cause};
use rules::check::Counts;
use rules::outage::{Stretch, Verdict};
use std::time::Duration;

/// How many of the short stretches are listed, the longest: a flapping service has thousands.
const SHORT_SHOWN_MAX: usize = 50;

pub(super) fn blocks(month: &ServiceMonth<'_>, writer: &Writer<'_>) -> Vec<Block> {
    let mut blocks = vec![Block::Table(outages(month, writer))];
    blocks.extend(views(month, writer).map(Block::Table));
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

/// What each vantage saw of each outage, so that a reader can judge it alone.
fn views(month: &ServiceMonth<'_>, writer: &Writer<'_>) -> Option<Table> {
    let outages = month.reckoning.outages().enumerate();
    let of = outages.flat_map(|(index, (stretch, _))| {
        let views = month.views.get(&stretch.interval.from()).into_iter().flatten();
        views.map(move |view| (index, view))
    });
    let rows: Vec<Row> = of.map(|(index, view)| view_row(index, view, writer)).collect();
    let columns = [
        (Word::Number, ColumnKind::Name),
        (Word::Agent, ColumnKind::Name),
        (Word::Check, ColumnKind::Name),
        (Word::SeenDown, ColumnKind::Number),
        (Word::SeenUp, ColumnKind::Number),
        (Word::CouldNotJudge, ColumnKind::Number),
        (Word::Silent, ColumnKind::Number),
        (Word::Failures, ColumnKind::Prose),
    ];
    (!rows.is_empty()).then(|| Table {
        notes: vec![writer.say(Word::ViewsNote).to_owned()],
        ..writer.table(Word::ViewsTitle, &columns, rows)
    })
}

fn view_row(index: usize, view: &View, writer: &Writer<'_>) -> Row {
    let check = outside::shown(view.check.as_str());
    let check = match view.counts {
        Counts::Yes => check,
        Counts::No => format!("{check}\n({})", writer.say(Word::DoesNotCount)),
    };
    let [down, up, void, silent] = [view.down, view.up, view.void, view.silent].map(|of| writer.length(of));
    let failures = view.failures.as_ref().map_or_else(|| "–".to_owned(), |of| failures(of, writer));
    Row::plain([(index + 1).to_string(), outside::shown(view.agent.as_str()), check, down, up, void, silent, failures])
}

fn failures(of: &Failures, writer: &Writer<'_>) -> String {
    let causes: Vec<&str> = of.causes.iter().map(|of| cause(of, writer.language)).collect();
    let (first, causes) = (writer.instant(of.first_at), causes.join(", "));
    match of.ended {
        Some(FailuresEnd { last_at, results }) => {
            let last = writer.instant(last_at);
            writer.either(
                format!("{results} failed, the first {first}, the last {last}\n{causes}"),
                format!("실패 {results}건, 최초 {first}, 최후 {last}\n{causes}"),
            )
        }
        None => writer.either(format!("failing since {first}\n{causes}"), format!("{first}부터 계속 실패\n{causes}")),
    }
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
