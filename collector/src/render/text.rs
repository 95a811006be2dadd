//! A statement as plain text, for terminals and mail.

use super::document::{Document, Part, Table, document};
use crate::closing::Statement;
use rules::agreement::Language;
use std::fmt::Write as _;

/// The widest that a method's sentence runs before it is broken.
const LINE_WIDTH: usize = 100;

/// Renders the whole statement.
pub fn statement(statement: &Statement<'_>, language: Language) -> String {
    let document = document(statement, language);
    let mut out = String::new();
    head(&mut out, &document);
    for part in &document.services {
        service(&mut out, part);
    }
    if let Some(without) = &document.without_time {
        let _ = writeln!(out, "\n{without}");
    }
    heading(&mut out, document.method_title, '-');
    for sentence in &document.method {
        wrapped(&mut out, sentence);
    }
    out
}

fn head(out: &mut String, document: &Document) {
    let _ = writeln!(out, "{} · {} · {}", document.title, document.customer, document.period);
    let _ = writeln!(out, "{}", "=".repeat(LINE_WIDTH));
    let _ = writeln!(out, "[{}] {}", document.state_word, document.state_note.as_deref().unwrap_or_default());
    for fact in &document.facts {
        let _ = writeln!(out, "{}: {}", fact.label, fact.value);
    }
}

fn service(out: &mut String, part: &Part) {
    heading(out, &part.name, '=');
    let _ = writeln!(out, "*** {} ***", part.verdict_word);
    wrapped(out, &part.sentence);
    for figure in &part.figures {
        let note = if figure.note.is_empty() { String::new() } else { format!(" ({})", figure.note) };
        let _ = writeln!(out, "  {}: {}{note}", figure.label, figure.value);
    }
    for of in &part.tables {
        table(out, of);
    }
    heading(out, part.credit_title, '-');
    for line in &part.credit {
        let _ = writeln!(out, "  {line}");
    }
}

fn heading(out: &mut String, title: &str, underline: char) {
    let _ = writeln!(out, "\n{title}\n{}", underline.to_string().repeat(width(title)));
}

fn table(out: &mut String, table: &Table) {
    heading(out, table.title, '-');
    if table.rows.is_empty() {
        let _ = writeln!(out, "  {}", table.empty);
        return;
    }
    let head: Vec<String> = table.head.iter().map(ToString::to_string).collect();
    let rows: Vec<&Vec<String>> = std::iter::once(&head).chain(table.rows.iter().map(|row| &row.cells)).collect();
    let widths: Vec<usize> = (0..head.len())
        .map(|column| rows.iter().filter_map(|row| row.get(column)).map(|cell| width(cell)).max().unwrap_or(0))
        .collect();
    for row in rows {
        let mut line = String::new();
        for (cell, column) in row.iter().zip(&widths) {
            let _ = write!(line, "  {cell}{}", " ".repeat(column - width(cell)));
        }
        let _ = writeln!(out, "{}", line.trim_end());
    }
    if let Some(note) = table.note {
        wrapped(out, note);
    }
}

fn wrapped(out: &mut String, sentence: &str) {
    let mut reached = 0;
    for word in sentence.split(' ') {
        let needed = width(word) + 1;
        if reached == 0 {
            out.push_str("  ");
        } else if LINE_WIDTH < reached + needed {
            out.push_str("\n  ");
            reached = 0;
        } else {
            out.push(' ');
        }
        out.push_str(word);
        reached += needed;
    }
    out.push('\n');
}

/// How many columns of a terminal `text` takes: Hangul, Han and full-width forms take two.
fn width(text: &str) -> usize {
    let wide = |c: char| matches!(c, '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7a3}' | '\u{f900}'..='\u{faff}' | '\u{fe30}'..='\u{fe6f}' | '\u{ff00}'..='\u{ff60}' | '\u{ffe0}'..='\u{ffe6}' | '\u{1f300}'..='\u{1faff}');
    text.chars().map(|c| if wide(c) { 2 } else { 1 }).sum()
}
