//! A statement's document, block by block, into a flow of strips.

use super::blocks::colour;
use super::flow::{Flow, Mark, Starts, Stroke, Tie, stroke};
use super::sheet::{BODY, BODY_WIDTH, CELL, HEADING, KICKER, NOTE, SOFT, SUBHEADING, Style, TITLE};
use super::table::{Breaks, Grid, GridCell, GridColumn, GridRow, Role, Side};
use super::text::{lines, one_line};
use crate::render::document::{Begins, Block, Column, ColumnKind, Document, Row, Section, Table, Tone};
use krilla::tagging::Tag;

/// The room above a section, above a part of it, and above what else there is.
const ABOVE_SECTION: f32 = 24.0;
const ABOVE_PART: f32 = 16.0;
const ABOVE_BLOCK: f32 = 8.0;
/// White, on a badge's ground.
const BADGE: Style = Style { colour: super::sheet::Colour(0xff, 0xff, 0xff), ..NOTE.bold() };

/// Puts the whole document into strips.
pub(super) fn flow(document: &Document) -> Flow {
    let mut flow = Flow::default();
    title(&mut flow, document);
    flow.heading(2, document.first_title, SUBHEADING, ABOVE_PART);
    for block in &document.first {
        add(&mut flow, block);
    }
    for section in &document.sections {
        add_section(&mut flow, section);
    }
    flow
}

fn title(flow: &mut Flow, document: &Document) {
    flow.heading(1, document.title, KICKER, 0.0);
    let badge = one_line(document.state.word, BADGE, BODY_WIDTH / 2.0);
    let (width, height) = (badge.width + 14.0, 16.0);
    let x = BODY_WIDTH - width;
    let element = flow.element(Tag::P);
    let ground = Stroke::Box { x, y: 0.0, width, height, colour: colour(document.state.tone) };
    let word = stroke(&badge, BADGE, x + 7.0, (height - BADGE.leading) / 2.0);
    let customer = flow.element(Tag::P);
    if let Some(strip) = flow.strips.last_mut() {
        strip.marks.extend([Mark::ornament(vec![ground]), Mark::of(element, vec![word])]);
    }
    flow.set(&lines(&document.customer, TITLE, BODY_WIDTH), TITLE, 0.0, customer, 2.0);
    let period = flow.element(Tag::P);
    let style = SUBHEADING.coloured(SOFT);
    let whose = format!("{} · {}", document.period, document.agreement);
    flow.set(&lines(&whose, style, BODY_WIDTH), style, 0.0, period, 2.0);
}

fn add_section(flow: &mut Flow, section: &Section) {
    let first = flow.strips.len();
    flow.within(Tag::Section, |flow| {
        flow.heading(2, &section.title, HEADING, ABOVE_SECTION);
        for block in &section.blocks {
            add(flow, block);
        }
    });
    let rule = Stroke::Line { points: vec![(0.0, -7.0), (BODY_WIDTH, -7.0)], colour: SOFT, width: 0.6, dash: None };
    if let Some(strip) = flow.strips.get_mut(first) {
        strip.marks.insert(0, Mark::ornament(vec![rule]));
        strip.starts = match section.begins {
            Begins::OnNewPage => Starts::Page,
            Begins::WhereItFalls => Starts::Anywhere,
        };
    }
}

fn add(flow: &mut Flow, block: &Block) {
    match block {
        Block::Heading(text) => heading(flow, text),
        Block::Verdict(verdict) => flow.verdict(verdict, ABOVE_BLOCK),
        Block::Figures(figures) => flow.figures(figures, ABOVE_BLOCK),
        Block::Facts(facts) => flow.facts(facts, ABOVE_BLOCK),
        Block::Sentence(sentence) => flow.paragraph(&sentence.text, BODY.coloured(colour(sentence.tone)), ABOVE_BLOCK),
        Block::List(sentences) => flow.list(sentences, ABOVE_BLOCK),
        Block::Code(text) => flow.code(text, ABOVE_BLOCK),
        Block::Table(table) => add_table(flow, table),
        Block::Timeline(timeline) => {
            caption(flow, &timeline.title, &timeline.summary);
            flow.timeline(timeline, 4.0);
        }
        Block::Chart(chart) => {
            caption(flow, &chart.title, &chart.summary);
            flow.chart(chart, 4.0);
        }
    }
}

/// What a drawing below shows.
fn caption(flow: &mut Flow, title: &str, summary: &str) {
    flow.paragraph(title, CELL.bold(), ABOVE_BLOCK);
    tie_last(flow);
    flow.paragraph(summary, NOTE, 0.0);
    tie_last(flow);
}

fn heading(flow: &mut Flow, text: &str) {
    flow.heading(3, text, SUBHEADING, ABOVE_PART);
}

fn tie_last(flow: &mut Flow) {
    if let Some(strip) = flow.strips.last_mut() {
        strip.tie = Tie::WithNext;
    }
}

fn add_table(flow: &mut Flow, table: &Table) {
    heading(flow, &table.title);
    if table.rows.is_empty() {
        flow.paragraph(table.empty, NOTE, 0.0);
    } else {
        let verdict = table.columns.iter().rposition(|column| column.kind == ColumnKind::Word);
        let verdict = verdict.unwrap_or(table.columns.len().saturating_sub(1));
        let rows = table.rows.iter().map(|of| row(of, verdict)).collect();
        let columns = table.columns.iter().map(column).collect();
        flow.table(&Grid { summary: table.title.clone(), columns, rows }, 1.0);
    }
    for note in &table.notes {
        flow.paragraph(note, NOTE, 3.0);
    }
}

fn column(column: &Column) -> GridColumn {
    let (side, breaks) = match column.kind {
        ColumnKind::Name | ColumnKind::Prose => (Side::Left, Breaks::AtSpaces),
        ColumnKind::Instant => (Side::Left, Breaks::IfNeeded),
        ColumnKind::Word => (Side::Left, Breaks::Never),
        ColumnKind::Number => (Side::Right, Breaks::Never),
    };
    let role = if column.kind == ColumnKind::Name { Role::Head } else { Role::Value };
    GridColumn { head: column.head.to_owned(), side, breaks, role }
}

/// A row, with its tone in the column that says how it is.
fn row(row: &Row, verdict: usize) -> GridRow {
    let cell = |(index, text): (usize, &String)| {
        let style = match row.tone {
            Tone::Weak => CELL.coloured(SOFT),
            Tone::Good | Tone::Bad if index == verdict => CELL.bold().coloured(colour(row.tone)),
            Tone::Plain | Tone::Good | Tone::Bad => CELL,
        };
        GridCell { text: text.clone(), style }
    };
    GridRow { cells: row.cells.iter().enumerate().map(cell).collect() }
}
