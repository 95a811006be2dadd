//! Tables: columns as wide as what stands in them and the page allow, rows that no page break cuts.

use super::flow::{ElementId, Flow, Mark, Strip, Stroke, Tie, stroke};
use super::sheet::{BODY_HEIGHT, BODY_WIDTH, CELL_HEAD, Colour, RULE, Style};
use super::text::{Line, extent, lines};
use krilla::tagging::{TableHeaderScope, Tag};
use std::rc::Rc;

/// The room between columns, and above and below the lines of a row.
const GUTTER: f32 = 9.0;
const PADDING: f32 = 3.0;
/// A row higher than this is parted into several: it would not fit below a head on a page of its own.
const ROW_MAX: f32 = BODY_HEIGHT * 0.6;
/// The widest that one unbreakable word makes a column, as a part of the page.
const WORD_PART_MAX: f32 = 0.4;

/// A table of texts.
#[derive(Debug)]
pub(super) struct Grid {
    /// What it shows, for those who hear it.
    pub(super) summary: String,
    pub(super) columns: Vec<GridColumn>,
    pub(super) rows: Vec<GridRow>,
}

/// A column, and how its cells are set.
#[derive(Debug)]
pub(super) struct GridColumn {
    pub(super) head: String,
    pub(super) side: Side,
    pub(super) breaks: Breaks,
    pub(super) role: Role,
}

/// The side of a column that its cells stand at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Side {
    Left,
    /// Figures, so that their digits stand below each other.
    Right,
}

/// Whether a column's cells may take several lines.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Breaks {
    AtSpaces,
    /// If the columns don't fit beside each other otherwise.
    IfNeeded,
    /// Unless they still don't fit.
    Never,
}

/// What a column's cells are to their row.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Role {
    /// What the row is about.
    Head,
    Value,
}

/// A row of a table.
#[derive(Debug)]
pub(super) struct GridRow {
    pub(super) cells: Vec<GridCell>,
}

/// A cell of a table.
#[derive(Debug)]
pub(super) struct GridCell {
    pub(super) text: String,
    pub(super) style: Style,
}

/// Where a column stands.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Column {
    x: f32,
    width: f32,
    side: Side,
}

impl Flow {
    /// Adds a table.
    pub(super) fn table(&mut self, grid: &Grid, space: f32) {
        let columns = columns(grid);
        self.within(Tag::Table.with_summary(Some(grid.summary.clone())), |flow| {
            let head = flow.within(Tag::THead, |flow| flow.head(grid, &columns, space));
            flow.within(Tag::TBody, |flow| {
                for row in &grid.rows {
                    flow.row(grid, row, &columns, &head);
                }
            });
        });
    }

    fn head(&mut self, grid: &Grid, columns: &[Column], space: f32) -> Rc<Strip> {
        let cells: Vec<ElementId> = self.within(Tag::TR, |flow| {
            grid.columns.iter().map(|_| flow.element(Tag::TH(TableHeaderScope::Column))).collect()
        });
        let set = grid.columns.iter().zip(columns).map(|(of, column)| lines(&of.head, CELL_HEAD, column.width));
        let set: Vec<(Vec<Line>, Style)> = set.map(|lines| (lines, CELL_HEAD)).collect();
        let mut strip = slice(&set, &cells, columns, 0..usize::MAX, Edge { below: 0.9, colour: CELL_HEAD.colour });
        strip.tie = Tie::WithNext;
        let repeated = Rc::new(strip.clone());
        strip.space = space;
        self.strips.push(strip);
        repeated
    }

    fn row(&mut self, grid: &Grid, row: &GridRow, columns: &[Column], head: &Rc<Strip>) {
        let cells: Vec<ElementId> = self.within(Tag::TR, |flow| {
            let roles = grid.columns.iter().map(|column| column.role);
            let element = |role| match role {
                Role::Head => flow.element(Tag::TH(TableHeaderScope::Row)),
                Role::Value => flow.element(Tag::TD),
            };
            roles.map(element).collect()
        });
        let set = row.cells.iter().zip(columns).map(|(cell, column)| lines(&cell.text, cell.style, column.width));
        let set: Vec<(Vec<Line>, Style)> = set.zip(&row.cells).map(|(lines, cell)| (lines, cell.style)).collect();
        let count = set.iter().map(|(lines, _)| lines.len()).max().unwrap_or(0);
        let leading = set.iter().map(|(_, style)| style.leading).fold(1.0, f32::max);
        let mut at_once = count.max(1);
        while ROW_MAX < leading * at_once as f32 {
            at_once = at_once.div_ceil(2);
        }
        for first in (0..count.max(1)).step_by(at_once) {
            let edge = if first + at_once < count { Edge::NONE } else { Edge { below: 0.5, colour: RULE } };
            let mut strip = slice(&set, &cells, columns, first..first + at_once, edge);
            strip.repeated = Some(head.clone());
            self.strips.push(strip);
        }
    }
}

/// The line below a row.
#[derive(Clone, Copy)]
struct Edge {
    below: f32,
    colour: Colour,
}

impl Edge {
    const NONE: Edge = Edge { below: 0.0, colour: RULE };
}

/// The strip with the lines `range` of a row's cells.
fn slice(
    set: &[(Vec<Line>, Style)],
    cells: &[ElementId],
    columns: &[Column],
    range: std::ops::Range<usize>,
    edge: Edge,
) -> Strip {
    let (mut marks, mut height) = (Vec::new(), 0.0_f32);
    for (((lines, style), cell), column) in set.iter().zip(cells).zip(columns) {
        let part = &lines[range.start.min(lines.len())..range.end.min(lines.len())];
        let mut y = PADDING;
        let mut strokes = Vec::new();
        for line in part {
            let x = match column.side {
                Side::Left => column.x,
                Side::Right => column.x + column.width - line.width,
            };
            if !line.letters.is_empty() {
                strokes.push(stroke(line, *style, x, y));
            }
            y += style.leading;
        }
        height = height.max(y + PADDING);
        if !strokes.is_empty() {
            marks.push(Mark::of(*cell, strokes));
        }
    }
    if 0.0 < edge.below {
        let rule = vec![(0.0, height), (BODY_WIDTH, height)];
        marks.push(Mark::ornament(vec![Stroke::Line {
            points: rule,
            colour: edge.colour,
            width: edge.below,
            dash: None,
        }]));
    }
    Strip::new(height, marks)
}

fn columns(grid: &Grid) -> Vec<Column> {
    let count = grid.columns.len().max(1);
    let room = BODY_WIDTH - GUTTER * (count - 1) as f32;
    // Word and line of each column; first no cell breaks that need not, then any may.
    let mut extents = Vec::new();
    for unbroken in [Breaks::IfNeeded, Breaks::Never, Breaks::AtSpaces] {
        extents = (0..grid.columns.len()).map(|index| extent_of(grid, index, unbroken)).collect();
        if extents.iter().map(|(word, _)| word).sum::<f32>() <= room {
            break;
        }
    }
    let mut x = 0.0;
    let mut columns = Vec::with_capacity(count);
    for (column, width) in grid.columns.iter().zip(shares(&extents, room)) {
        columns.push(Column { x, width, side: column.side });
        x += width + GUTTER;
    }
    columns
}

/// The widest word and line of a column; its lines count as words if it breaks no sooner than
/// `unbroken` says, and that is not at spaces.
fn extent_of(grid: &Grid, index: usize, unbroken: Breaks) -> (f32, f32) {
    let Some(column) = grid.columns.get(index) else { return (0.0, 0.0) };
    let (word, line) = extent(&column.head, CELL_HEAD);
    let (mut widest_word, mut widest_line) = (word, line);
    let whole = unbroken != Breaks::AtSpaces && unbroken <= column.breaks;
    for cell in grid.rows.iter().filter_map(|row| row.cells.get(index)) {
        let (word, line) = extent(&cell.text, cell.style);
        widest_word = widest_word.max(if whole { line } else { word });
        widest_line = widest_line.max(line);
    }
    (widest_word.min(BODY_WIDTH * WORD_PART_MAX), widest_line)
}

/// Shares `room` among columns whose widest words and lines are known. Each gets what its lines need
/// as long as the widest are cut first; words are cut only if they don't fit beside each other.
fn shares(extents: &[(f32, f32)], room: f32) -> Vec<f32> {
    let at_level = |level: f32| extents.iter().map(move |(word, line)| level.clamp(*word, line.max(*word)));
    let words: f32 = extents.iter().map(|(word, _)| word).sum();
    let lines: f32 = extents.iter().map(|(word, line)| line.max(*word)).sum();
    if lines <= room {
        let more = (room - lines) / extents.len() as f32;
        return extents.iter().map(|(word, line)| line.max(*word) + more).collect();
    }
    if room < words {
        let level = level(room, |level| extents.iter().map(|(word, _)| word.min(level)).sum());
        return extents.iter().map(|(word, _)| word.min(level)).collect();
    }
    let level = level(room, |level| at_level(level).sum());
    at_level(level).collect()
}

/// The highest level at which `taken`, which grows with it, is at most `room`.
fn level(room: f32, taken: impl Fn(f32) -> f32) -> f32 {
    let (mut low, mut high) = (0.0, room);
    for _ in 0..32 {
        let middle = (low + high) / 2.0;
        if taken(middle) <= room { low = middle } else { high = middle }
    }
    low
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_get_what_they_need_and_the_widest_gives_way_first() {
        let check = |extents: &[(f32, f32)], room: f32, expected: &[f32]| {
            let shares = shares(extents, room);
            let close = shares.iter().zip(expected).all(|(a, b)| (a - b).abs() < 0.1);
            assert!(close && shares.len() == expected.len(), "{shares:?}");
        };
        check(&[(10.0, 20.0), (10.0, 30.0)], 70.0, &[30.0, 40.0]);
        check(&[(10.0, 20.0), (10.0, 500.0)], 100.0, &[20.0, 80.0]);
        check(&[(10.0, 200.0), (10.0, 500.0)], 100.0, &[50.0, 50.0]);
        check(&[(90.0, 200.0), (90.0, 500.0)], 100.0, &[50.0, 50.0]);
    }
}
