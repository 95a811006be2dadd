//! What people did about outages, and whether they kept their clocks.

use super::objectives::promises;
use super::writer::Writer;
use super::{Begins, Block, ColumnKind, Fact, Row, Section, Table, Tone};
use crate::closing::{IncidentMonth, Statement};
use crate::render::outside;
use crate::render::words::{Word, clock, event};
use rules::incident::{Event, Opened, Reading, Stamped, Verdict};
use rules::policy::Policy;

/// How many entries of one incident are listed, the first ones and the last.
const ENTRIES_SHOWN_MAX: usize = 60;

pub(super) fn section(statement: &Statement<'_>, writer: &Writer<'_>) -> Option<Section> {
    if statement.incidents.is_empty() && statement.response.is_empty() {
        return None;
    }
    let mut blocks = Vec::new();
    if !statement.response.is_empty() {
        blocks.push(Block::Table(promises(Word::ResponseTitle, &statement.response, writer)));
    }
    if statement.incidents.is_empty() {
        blocks.push(Block::sentence(writer.say(Word::NoIncidents)));
    } else {
        blocks.push(Block::Table(handling(statement, writer)));
    }
    let policy = &statement.agreement.policy;
    blocks.extend(statement.incidents.iter().flat_map(|of| incident(of, policy, writer)));
    let begins = if statement.incidents.is_empty() { Begins::WhereItFalls } else { Begins::OnNewPage };
    Some(Section { title: writer.say(Word::IncidentsTitle).to_owned(), begins, blocks })
}

/// How fast people were.
fn handling(statement: &Statement<'_>, writer: &Writer<'_>) -> Table {
    let of = &statement.handling;
    let row = |what: Word, figure: Option<u64>, count: u32| {
        let figure = figure.map_or_else(|| "–".to_owned(), |ms| writer.millis(ms));
        let among = writer.either(format!("{count} of {}", of.incidents), format!("{}건 중 {count}건", of.incidents));
        Row::plain([writer.say(what).to_owned(), figure, among])
    };
    let rows = vec![
        row(Word::HandlingMtta, of.mtta_ms(), of.acknowledged),
        row(Word::HandlingMttr, of.mttr_ms(), of.resolved),
        row(Word::HandlingMttsr, of.mttsr_ms(), of.resolved),
    ];
    let columns = [
        (Word::What, ColumnKind::Name),
        (Word::Measured, ColumnKind::Number),
        (Word::HandlingAmong, ColumnKind::Number),
    ];
    let mut table = writer.table(Word::HandlingTitle, &columns, rows);
    let read_at = writer.instant(statement.clocks_read_at());
    table.notes.push(writer.say(Word::HandlingNote).to_owned());
    table.notes.push(writer.either(
        format!("Clocks and these figures are as of {read_at}."),
        format!("대응 기한과 이 수치는 {read_at} 기준입니다."),
    ));
    table
}

fn incident(of: &IncidentMonth, policy: &Policy, writer: &Writer<'_>) -> Vec<Block> {
    let incident = &of.incident;
    let (severity, title) = (outside::shown(&incident.severity), outside::shown(&incident.opening.title));
    let fact = |label: Word, value: String| Fact { label: writer.say(label), value };
    let facts = vec![
        fact(Word::Severity, severity.clone()),
        fact(Word::Services, writer.names(&incident.opening.services)),
        fact(Word::ClocksStart, writer.instant(incident.starts_at(policy))),
        fact(
            Word::OpenedBy,
            writer
                .say(match incident.opening.cause {
                    Opened::ByOutage => Word::AnOutage,
                    Opened::ByHand => Word::APerson,
                })
                .to_owned(),
        ),
    ];
    let heading = format!("{} {} · {severity} · {title}", writer.say(Word::Incident), incident.number);
    let mut blocks = vec![Block::Heading(heading), Block::Facts(facts)];
    if !of.clocks.is_empty() {
        blocks.push(Block::Table(clocks(&of.clocks, writer)));
    }
    blocks.push(Block::Table(events(&incident.events, writer)));
    blocks
}

fn clocks(clocks: &[Reading], writer: &Writer<'_>) -> Table {
    let rows = clocks.iter().map(|of| {
        let (tone, word) = match of.verdict {
            Verdict::Met => (Tone::Good, Word::Kept),
            Verdict::Missed => (Tone::Bad, Word::Broken),
            Verdict::Running => (Tone::Weak, Word::Running),
        };
        let late = of.done_at.filter(|done_at| of.due_at < *done_at);
        let late = late.map(|done_at| writer.length(done_at.since(of.due_at)));
        let result = match late {
            Some(by) => {
                writer.either(format!("{}, {by} late", writer.say(word)), format!("{}, {by} 초과", writer.say(word)))
            }
            None => writer.say(word).to_owned(),
        };
        let done = of.done_at.map_or_else(|| writer.say(Word::NotDone).to_owned(), |at| writer.instant(at));
        Row { tone, cells: vec![clock(of.clock, writer.language).to_owned(), writer.instant(of.due_at), done, result] }
    });
    let columns = [
        (Word::Clock, ColumnKind::Name),
        (Word::Due, ColumnKind::Instant),
        (Word::Done, ColumnKind::Instant),
        (Word::Result, ColumnKind::Prose),
    ];
    writer.table(Word::ClocksTitle, &columns, rows.collect())
}

fn events(events: &[Stamped], writer: &Writer<'_>) -> Table {
    let left_out = events.len().saturating_sub(ENTRIES_SHOWN_MAX);
    let half = ENTRIES_SHOWN_MAX / 2;
    let shown =
        events.iter().enumerate().filter(|(index, _)| left_out == 0 || *index < half || half + left_out <= *index);
    let rows = shown.map(|(_, of)| {
        let (what, note) = (event(&of.event, writer.language), said(&of.event, writer));
        let what = if note.is_empty() { what.to_owned() } else { format!("{what}\n{note}") };
        Row::plain([of.entry.to_string(), writer.instant(of.at), outside::shown(&of.by), what])
    });
    let columns = [
        (Word::Entry, ColumnKind::Name),
        (Word::Recorded, ColumnKind::Instant),
        (Word::By, ColumnKind::Prose),
        (Word::What, ColumnKind::Prose),
    ];
    let mut table = writer.table(Word::EntriesTitle, &columns, rows.collect());
    if 0 < left_out {
        table.notes.push(writer.either(
            format!("{left_out} entries in between are left out here; the JSON form has all."),
            format!("중간의 기록 {left_out}건은 여기에서 생략했으며 JSON 형식에 모두 있습니다."),
        ));
    }
    table
}

/// What an event says beyond what it is.
fn said(event: &Event, writer: &Writer<'_>) -> String {
    match event {
        Event::Acknowledged | Event::Started => String::new(),
        Event::Opened(opening) => outside::shown(&opening.title),
        Event::Notice(text)
        | Event::Update(text)
        | Event::Progress(text)
        | Event::Resolved(text)
        | Event::Report(text)
        | Event::Severity(text)
        | Event::Remark(text) => outside::shown(text),
        Event::OutageEnded { ended_at } => writer.instant(*ended_at),
        Event::Missed { clock: of, due_at } => {
            format!("{}: {}", clock(*of, writer.language), writer.instant(*due_at))
        }
    }
}
