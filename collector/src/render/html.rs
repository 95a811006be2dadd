//! A statement as a self-contained page: no script, nothing loaded, printable on A4.

use super::document::{Begins, Block, ColumnKind, Document, Table};
use super::timeline::{COLUMNS_AN_HOUR, Timeline};
use super::words::code;
use askama::Template;

/// What the page looks like; also allowed by hash where a page embeds it.
pub(crate) const STYLE: &str = include_str!("../../templates/statement.css");

/// The timeline's drawing: how high a day is and how far below each other days stand, and the room
/// for hours above and dates beside.
const DAY_HEIGHT: usize = 11;
const DAY_PITCH: usize = 13;
const TOP: usize = 16;
const LEFT: usize = 26;
const RIGHT: usize = 12;
/// Below this width a pattern can't be seen: the bar is filled.
const THIN: usize = 5;
/// Tables of so many rows are not parted between two pages of paper.
const BRIEF_ROWS_MAX: usize = 14;
/// Where hours are labelled.
const HOURS_APART: usize = 3;

#[derive(Template)]
#[template(path = "statement.html")]
struct Page<'a> {
    document: &'a Document,
    code: &'static str,
    style: &'static str,
}

#[derive(Template)]
#[template(path = "statement_body.html")]
struct Body<'a> {
    document: &'a Document,
}

/// Renders the whole page.
pub(super) fn page(document: &Document) -> String {
    let page = Page { document, code: code(document.language), style: STYLE };
    page.render().expect("writing into a string can't fail")
}

/// Renders the statement without head and style, for a page around it.
pub(crate) fn body(document: &Document) -> String {
    Body { document }.render().expect("writing into a string can't fail")
}

/// A piece of a day in the drawing.
struct Rectangle<'a> {
    x: usize,
    y: usize,
    width: usize,
    class: &'static str,
    title: &'a str,
}

impl Rectangle<'_> {
    fn is_thin(&self) -> bool {
        self.width < THIN
    }
}

impl Table {
    fn is_brief(&self) -> bool {
        self.rows.len() <= BRIEF_ROWS_MAX
    }
}

impl Timeline {
    fn width(&self) -> usize {
        LEFT + self.hours() * COLUMNS_AN_HOUR + RIGHT
    }

    fn height(&self) -> usize {
        TOP + self.days.len() * DAY_PITCH
    }

    fn hour_labels(&self) -> Vec<(usize, String)> {
        let labelled = (0..=self.hours()).step_by(HOURS_APART);
        labelled.map(|hour| (LEFT + hour * COLUMNS_AN_HOUR, format!("{hour:02}"))).collect()
    }

    fn day_labels(&self) -> Vec<(usize, &str)> {
        self.days.iter().enumerate().map(|(index, day)| (y(index) + DAY_HEIGHT - 2, day.label.as_str())).collect()
    }

    fn rectangles(&self) -> Vec<Rectangle<'_>> {
        let days = self.days.iter().enumerate();
        let bars = days.flat_map(|(index, day)| day.bars.iter().map(move |bar| (index, bar)));
        bars.map(|(index, bar)| Rectangle {
            x: LEFT + bar.piece.column,
            y: y(index),
            width: bar.piece.columns,
            class: bar.piece.kind.class(),
            title: &bar.title,
        })
        .collect()
    }
}

fn y(day: usize) -> usize {
    TOP + day * DAY_PITCH
}

impl ColumnKind {
    /// Its class in style sheets.
    fn class(self) -> &'static str {
        match self {
            ColumnKind::Name => "name",
            ColumnKind::Instant => "instant",
            ColumnKind::Number => "number",
            ColumnKind::Word => "word",
            ColumnKind::Prose => "prose",
        }
    }
}

impl Begins {
    /// Its class in style sheets.
    fn class(self) -> &'static str {
        match self {
            Begins::OnNewPage => "new-page",
            Begins::WhereItFalls => "falls",
        }
    }
}
