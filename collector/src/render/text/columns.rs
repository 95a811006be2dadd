//! Text in columns of a terminal: how wide it is, where it breaks, and how a table fits a line.

use crate::render::document::{ColumnKind, Table};
use std::fmt::Write as _;

/// What stands between two columns.
const BETWEEN: usize = 2;
/// A column that may be broken is not narrower than this, which is a time of day to the millisecond;
/// a table that would need it to be is no table.
const BROKEN_WIDTH_MIN: usize = 12;

/// How many columns of a terminal `text` takes: Hangul, Han and full-width forms take two.
pub(super) fn width(text: &str) -> usize {
    text.chars().map(char_width).sum()
}

fn char_width(c: char) -> usize {
    let wide = matches!(c, '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7a3}' | '\u{f900}'..='\u{faff}' | '\u{fe30}'..='\u{fe6f}' | '\u{ff00}'..='\u{ff60}' | '\u{ffe0}'..='\u{ffe6}' | '\u{1f300}'..='\u{1faff}' | '\u{20000}'..='\u{3fffd}');
    let combining = matches!(c, '\u{300}'..='\u{36f}' | '\u{20d0}'..='\u{20ff}' | '\u{fe20}'..='\u{fe2f}');
    match (wide, combining) {
        (true, _) => 2,
        (false, true) => 0,
        (false, false) => 1,
    }
}

/// `text` in lines of at most `room` columns, broken between words, and within those that are longer.
pub(super) fn wrapped(text: &str, room: usize) -> Vec<String> {
    let room = room.max(2);
    let mut lines = vec![String::new()];
    let mut reached = 0;
    for word in text.split(' ') {
        let needed = width(word);
        if 0 < reached && room < reached + 1 + needed {
            lines.push(String::new());
            reached = 0;
        } else if 0 < reached {
            lines.last_mut().expect("there is always a line").push(' ');
            reached += 1;
        }
        for c in word.chars() {
            if room < reached + char_width(c) {
                lines.push(String::new());
                reached = 0;
            }
            lines.last_mut().expect("there is always a line").push(c);
            reached += char_width(c);
        }
    }
    lines
}

/// The table's lines, if it fits `room` columns with its prose broken; the head is ruled off.
pub(super) fn fitted(table: &Table, room: usize) -> Option<Vec<String>> {
    let widths = widths(table, room)?;
    let mut lines = Vec::new();
    let head: Vec<&str> = table.columns.iter().map(|column| column.head).collect();
    row(&mut lines, table, &head, &widths);
    lines.push(widths.iter().map(|width| "-".repeat(*width)).collect::<Vec<_>>().join(&" ".repeat(BETWEEN)));
    for of in &table.rows {
        let cells: Vec<&str> = of.cells.iter().map(String::as_str).collect();
        row(&mut lines, table, &cells, &widths);
    }
    Some(lines)
}

fn widths(table: &Table, room: usize) -> Option<Vec<usize>> {
    let cells = |index: usize| {
        let cells = table.rows.iter().filter_map(move |row| row.cells.get(index)).map(String::as_str);
        cells.chain(std::iter::once(table.columns[index].head))
    };
    let widest = |index: usize| cells(index).flat_map(str::lines).map(width).max().unwrap_or(0);
    let mut widths: Vec<usize> = (0..table.columns.len()).map(widest).collect();
    let breakable: Vec<usize> =
        (0..widths.len()).filter(|index| table.columns[*index].kind != ColumnKind::Word).collect();
    loop {
        let all = widths.iter().sum::<usize>() + BETWEEN * widths.len().saturating_sub(1);
        let Some(excess) = all.checked_sub(room).filter(|excess| 0 < *excess) else { return Some(widths) };
        let widest = breakable.iter().copied().max_by_key(|index| widths[*index])?;
        // The widest gives way down to the next widest, so that all end up alike.
        let next = breakable.iter().filter(|index| **index != widest).map(|index| widths[*index]).max().unwrap_or(0);
        let floor = next.min(widths[widest] - 1).max(BROKEN_WIDTH_MIN);
        if widths[widest] <= BROKEN_WIDTH_MIN {
            return None;
        }
        widths[widest] = widths[widest].saturating_sub(excess).max(floor);
    }
}

fn row(lines: &mut Vec<String>, table: &Table, cells: &[&str], widths: &[usize]) {
    let cells: Vec<Vec<String>> = cells
        .iter()
        .zip(widths)
        .map(|(cell, width)| cell.lines().flat_map(|line| wrapped(line, *width)).collect())
        .collect();
    let height = cells.iter().map(Vec::len).max().unwrap_or(0);
    for index in 0..height {
        let mut line = String::new();
        for ((cell, column), room) in cells.iter().zip(&table.columns).zip(widths) {
            let text = cell.get(index).map_or("", String::as_str);
            let padding = " ".repeat(room.saturating_sub(width(text)));
            let between = if line.is_empty() { "" } else { "  " };
            let _ = match column.kind {
                ColumnKind::Number => write!(line, "{between}{padding}{text}"),
                ColumnKind::Name | ColumnKind::Instant | ColumnKind::Word | ColumnKind::Prose => {
                    write!(line, "{between}{text}{padding}")
                }
            };
        }
        lines.push(line.trim_end().to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::document::{Column, Row, Tone};

    #[test]
    fn hangul_takes_two_columns_and_a_combining_mark_none() {
        assert_eq!([width("가용률 99.9 %"), width("e\u{301}"), width("")], [13, 1, 0]);
    }

    #[test]
    fn words_that_are_longer_than_a_line_are_broken() {
        assert_eq!(wrapped("a bb cccccc", 4), ["a bb", "cccc", "cc"]);
        assert_eq!(wrapped("가나다", 5), ["가나", "다"]);
        assert_eq!(wrapped("", 5), [""]);
    }

    #[test]
    fn a_table_breaks_its_prose_and_gives_up_rather_than_run_over() {
        let column = |head, kind| Column { head, kind };
        let table = |columns: Vec<Column>, cells: &[&str]| Table {
            title: String::new(),
            columns,
            rows: vec![Row { tone: Tone::Plain, cells: cells.iter().map(ToString::to_string).collect() }],
            empty: "",
            notes: Vec::new(),
        };
        let prose = || column("Prose", ColumnKind::Prose);
        let fits = table(vec![column("n", ColumnKind::Number), prose()], &["1", "one two three four five six"]);
        let lines = fitted(&fits, 20).unwrap();
        assert_eq!(lines, ["n  Prose", "-  -----------------", "1  one two three", "   four five six"]);
        let wide = table(vec![column("wide", ColumnKind::Word), prose()], &["0123456789", "one two three four"]);
        assert_eq!(fitted(&wide, 20), None);
    }
}
