//! A document as a row of strips: horizontal slices that no page break cuts, in reading order.
//!
//! A line is a strip, so is a table's row or a drawing. Each says what it draws, relative to its own
//! top left corner, and to which element of the document's structure that belongs. `pages` puts
//! strips onto sheets; nothing here knows where a page ends.

use super::faces::Letter;
use super::sheet::{BODY_WIDTH, Colour, Style};
use super::text::{Line, legible, lines};
use krilla::tagging::{Tag, TagKind};
use std::num::NonZeroU16;
use std::rc::Rc;

/// What an outline calls a heading without words: it must call it something.
const UNTITLED: &str = "–";

/// A slice of the document across the whole width of the text.
#[derive(Clone, Debug)]
pub(super) struct Strip {
    /// The room above it, unless it begins a page.
    pub(super) space: f32,
    pub(super) height: f32,
    pub(super) starts: Starts,
    /// Whether it stays with the next.
    pub(super) tie: Tie,
    /// What stands above it again if it begins a page.
    pub(super) repeated: Option<Rc<Strip>>,
    pub(super) marks: Vec<Mark>,
}

/// Whether a page may end below a strip.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Tie {
    Loose,
    WithNext,
}

/// Where a strip may stand.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Starts {
    Anywhere,
    /// At the top of a page.
    Page,
}

/// Something drawn, and the element it belongs to; nothing: it is ornament.
#[derive(Clone, Debug)]
pub(super) struct Mark {
    pub(super) element: Option<ElementId>,
    pub(super) strokes: Vec<Stroke>,
}

/// One thing that is drawn.
#[derive(Clone, Debug)]
pub(super) enum Stroke {
    Text { x: f32, baseline: f32, size: f32, colour: Colour, letters: Vec<Letter> },
    Box { x: f32, y: f32, width: f32, height: f32, colour: Colour },
    Line { points: Vec<(f32, f32)>, colour: Colour, width: f32, dash: Option<f32> },
}

/// Where an element stands in the structure.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct ElementId(usize);

impl ElementId {
    pub(super) fn index(self) -> usize {
        self.0
    }
}

/// A part of the document's structure: what it is, and its parts in reading order.
#[derive(Debug)]
pub(super) struct Element {
    pub(super) tag: TagKind,
    pub(super) parts: Vec<ElementId>,
}

/// A heading, for the outline: where its first strip stands in the row.
#[derive(Clone, Debug)]
pub(super) struct Landmark {
    pub(super) level: u16,
    pub(super) text: String,
    pub(super) strip: usize,
}

/// The whole document.
#[derive(Debug, Default)]
pub(super) struct Flow {
    pub(super) strips: Vec<Strip>,
    pub(super) landmarks: Vec<Landmark>,
    elements: Vec<Element>,
    top: Vec<ElementId>,
    open: Vec<ElementId>,
}

impl Flow {
    /// Adds an element to what is open, or at the top.
    pub(super) fn element(&mut self, tag: impl Into<TagKind>) -> ElementId {
        let id = ElementId(self.elements.len());
        self.elements.push(Element { tag: tag.into(), parts: Vec::new() });
        match self.open.last() {
            Some(parent) => self.elements[parent.0].parts.push(id),
            None => self.top.push(id),
        }
        id
    }

    /// Adds an element that `fill` puts its parts into.
    pub(super) fn within<T>(&mut self, tag: impl Into<TagKind>, fill: impl FnOnce(&mut Flow) -> T) -> T {
        let id = self.element(tag);
        self.open.push(id);
        let filled = fill(self);
        self.open.pop();
        filled
    }

    /// The elements at the top.
    pub(super) fn top(&self) -> &[ElementId] {
        &self.top
    }

    pub(super) fn at(&self, id: ElementId) -> &Element {
        &self.elements[id.0]
    }

    pub(super) fn elements_count(&self) -> usize {
        self.elements.len()
    }

    /// A heading, which stays with what is below it.
    pub(super) fn heading(&mut self, level: u16, text: &str, style: Style, space: f32) {
        let words = legible(text).split_whitespace().collect::<Vec<_>>().join(" ");
        let title = if words.is_empty() { UNTITLED.to_owned() } else { words };
        let number = NonZeroU16::new(level).unwrap_or(NonZeroU16::MIN);
        let element = self.element(Tag::Hn(number, Some(title.clone())));
        self.landmarks.push(Landmark { level, text: title, strip: self.strips.len() });
        let first = self.strips.len();
        self.set(&lines(text, style, BODY_WIDTH), style, 0.0, element, space);
        for strip in &mut self.strips[first..] {
            strip.tie = Tie::WithNext;
        }
        if let Some(last) = self.strips.last_mut() {
            last.height += style.leading * 0.2;
        }
    }

    /// A paragraph over the whole width.
    pub(super) fn paragraph(&mut self, text: &str, style: Style, space: f32) {
        let element = self.element(Tag::P);
        self.set(&lines(text, style, BODY_WIDTH), style, 0.0, element, space);
    }

    /// Adds `lines` at `x`; no page shows the first or the last of them alone.
    pub(super) fn set(&mut self, lines: &[Line], style: Style, x: f32, element: ElementId, space: f32) {
        let count = lines.len();
        for (index, line) in lines.iter().enumerate() {
            let tied = index + 1 < count && (index == 0 || index + 2 == count);
            let mark = Mark::of(element, vec![stroke(line, style, x, 0.0)]);
            self.strips.push(Strip {
                space: if index == 0 { space } else { 0.0 },
                tie: if tied { Tie::WithNext } else { Tie::Loose },
                ..Strip::new(style.leading, vec![mark])
            });
        }
    }
}

impl Strip {
    /// A strip that may stand anywhere.
    pub(super) fn new(height: f32, marks: Vec<Mark>) -> Strip {
        Strip { space: 0.0, height, starts: Starts::Anywhere, tie: Tie::Loose, repeated: None, marks }
    }
}

impl Mark {
    /// Strokes that belong to `element`.
    pub(super) fn of(element: ElementId, strokes: Vec<Stroke>) -> Mark {
        Mark { element: Some(element), strokes }
    }

    /// Strokes that belong to no element.
    pub(super) fn ornament(strokes: Vec<Stroke>) -> Mark {
        Mark { element: None, strokes }
    }
}

/// `line` with its top at `y`.
pub(super) fn stroke(line: &Line, style: Style, x: f32, y: f32) -> Stroke {
    Stroke::Text {
        x,
        baseline: y + style.ascent(),
        size: style.size,
        colour: style.colour,
        letters: line.letters.clone(),
    }
}
