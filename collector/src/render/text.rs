//! A statement as plain text, for terminals and mail: a hundred columns, Hangul counted as two.

mod columns;
mod grid;

use super::document::{Block, Document, Table};
use columns::{fitted, width, wrapped};
use std::fmt::Write as _;

/// How wide a line is at most.
const LINE_WIDTH: usize = 100;
/// What stands before everything that belongs to a heading.
const INDENT: &str = "  ";
/// How wide labels are padded.
const LABEL_WIDTH: usize = 24;

/// Renders the whole statement.
pub(super) fn page(document: &Document) -> String {
    let mut out = String::new();
    head(&mut out, document);
    for block in &document.first {
        print(&mut out, block);
    }
    for section in &document.sections {
        heading(&mut out, &section.title, '=');
        for block in &section.blocks {
            print(&mut out, block);
        }
    }
    out
}

fn head(out: &mut String, document: &Document) {
    paragraph(out, "", &format!("{} · {} · {}", document.title, document.customer, document.period));
    let _ = writeln!(out, "{}", "=".repeat(LINE_WIDTH));
    let _ = writeln!(out, "[{}] {}", document.state.word, document.agreement);
}

fn print(out: &mut String, block: &Block) {
    match block {
        Block::Heading(title) => heading(out, title, '-'),
        Block::Verdict(verdict) => {
            let _ = writeln!(out, "\n*** {} ***", verdict.word);
            verdict.sentences.iter().for_each(|sentence| paragraph(out, INDENT, sentence));
            out.push('\n');
        }
        Block::Figures(figures) => {
            for figure in figures {
                let note = if figure.note.is_empty() { String::new() } else { format!(" ({})", figure.note) };
                labelled(out, figure.label, &format!("{}{note}", figure.value));
            }
        }
        Block::Facts(facts) => {
            out.push('\n');
            facts.iter().for_each(|fact| labelled(out, fact.label, &fact.value));
        }
        Block::Sentence(sentence) => paragraph(out, INDENT, &sentence.text),
        Block::List(sentences) => sentences.iter().for_each(|sentence| item(out, sentence)),
        Block::Code(text) => {
            let _ = writeln!(out, "\n{INDENT}{INDENT}{text}\n");
        }
        Block::Table(of) => table(out, of),
        Block::Timeline(timeline) => grid::timeline(out, timeline),
        Block::Chart(chart) => {
            let _ = writeln!(out);
            paragraph(out, INDENT, &format!("{}. {}", chart.title, chart.summary));
        }
    }
}

fn heading(out: &mut String, title: &str, underline: char) {
    let lines = wrapped(title, LINE_WIDTH);
    let widest = lines.iter().map(|line| width(line)).max().unwrap_or(0);
    let _ = writeln!(out, "\n{}\n{}", lines.join("\n"), underline.to_string().repeat(widest));
}

/// A label, and a value that may have several lines.
fn labelled(out: &mut String, label: &str, value: &str) {
    let padding = " ".repeat(LABEL_WIDTH.saturating_sub(width(label)));
    let mut before = format!("{INDENT}{label}: {padding}");
    let room = LINE_WIDTH - width(&before);
    for line in value.lines().flat_map(|line| wrapped(line, room)) {
        let _ = writeln!(out, "{}", format!("{before}{line}").trim_end());
        before = " ".repeat(width(&before));
    }
}

fn item(out: &mut String, sentence: &str) {
    let mut before = format!("{INDENT}- ");
    for line in wrapped(sentence, LINE_WIDTH - before.len()) {
        let _ = writeln!(out, "{before}{line}");
        before = " ".repeat(before.len());
    }
}

fn paragraph(out: &mut String, before: &str, text: &str) {
    for line in wrapped(text, LINE_WIDTH - before.len()) {
        let _ = writeln!(out, "{before}{line}");
    }
}

fn table(out: &mut String, table: &Table) {
    heading(out, &table.title, '-');
    if table.rows.is_empty() {
        let _ = writeln!(out, "{INDENT}{}", table.empty);
    } else {
        match fitted(table, LINE_WIDTH - INDENT.len()) {
            Some(lines) => lines.iter().for_each(|line| {
                let _ = writeln!(out, "{INDENT}{line}");
            }),
            None => stacked(out, table),
        }
    }
    for note in &table.notes {
        paragraph(out, INDENT, note);
    }
}

/// A table that is too wide for a line: a label and a value a line, row by row.
fn stacked(out: &mut String, table: &Table) {
    for (index, row) in table.rows.iter().enumerate() {
        if 0 < index {
            out.push('\n');
        }
        for (column, cell) in table.columns.iter().zip(&row.cells) {
            labelled(out, column.head, cell);
        }
    }
}
