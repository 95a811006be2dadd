//! The parts of a statement that are neither running text, tables nor drawings: the verdict, the
//! first figures, facts, lists and what is to be compared letter by letter.

use super::flow::{Flow, Mark, Strip, Stroke, Tie, stroke};
use super::sheet::{BAD, BODY, BODY_WIDTH, CELL, Colour, FIGURE, GOOD, INK, NOTE, PANEL, RULE, Style, WEAK};
use super::text::{Line, extent, lines};
use crate::render::document::{Fact, Figure, Tone, Verdict};
use krilla::tagging::{ListNumbering, Tag};

/// The bar beside a verdict, and the room between it and the words.
const BAR: f32 = 4.0;
const INDENT: f32 = 14.0;
/// The room around and between the boxes of figures.
const BOX_PADDING: f32 = 7.0;
const BOX_GAP: f32 = 8.0;
/// How many boxes stand beside each other, and how many facts.
const BOXES_A_ROW: usize = 5;
const FACTS_A_ROW: usize = 2;
/// Figures are set smaller than usual, though not than this, if they would break.
const FIGURE_SIZE_MIN: f32 = 10.0;
/// Where a list's sentences begin.
const LIST_INDENT: f32 = 12.0;

/// The colour in which `tone` is said.
pub(super) fn colour(tone: Tone) -> Colour {
    match tone {
        Tone::Plain => INK,
        Tone::Good => GOOD,
        Tone::Bad => BAD,
        Tone::Weak => WEAK,
    }
}

impl Flow {
    /// Adds the answer: a word, and sentences below it, with a bar in its colour beside them.
    pub(super) fn verdict(&mut self, verdict: &Verdict, space: f32) {
        let first = self.strips.len();
        let width = BODY_WIDTH - 2.0 * INDENT;
        let word = self.element(Tag::P);
        let style = FIGURE.coloured(colour(verdict.tone));
        self.set(&lines(verdict.word, style, width), style, INDENT, word, 0.0);
        for sentence in &verdict.sentences {
            let element = self.element(Tag::P);
            self.set(&lines(sentence, BODY, width), BODY, INDENT, element, 1.0);
        }
        let last = self.strips.len() - 1;
        for (index, strip) in self.strips.iter_mut().enumerate().skip(first) {
            let above = if index == first { BOX_PADDING } else { strip.space };
            let below = if index == last { BOX_PADDING } else { 0.0 };
            lower(strip, above);
            strip.height += above + below;
            strip.space = if index == first { space } else { 0.0 };
            strip.tie = if index == first { Tie::WithNext } else { strip.tie };
            let ground = |x, width, colour| Stroke::Box { x, y: 0.0, width, height: strip.height, colour };
            let panel = vec![ground(0.0, BODY_WIDTH, PANEL), ground(0.0, BAR, colour(verdict.tone))];
            strip.marks.insert(0, Mark::ornament(panel));
        }
        self.strips[last].tie = Tie::Loose;
    }

    /// Adds figures in boxes, each with what it is held against.
    pub(super) fn figures(&mut self, figures: &[Figure], space: f32) {
        let across = figures.len().clamp(1, BOXES_A_ROW);
        let width = (BODY_WIDTH - BOX_GAP * (across - 1) as f32) / across as f32;
        let inner = width - 2.0 * BOX_PADDING;
        let widest = figures.iter().map(|figure| extent(&figure.value, FIGURE).1).fold(inner, f32::max);
        let value_style = Style { size: (FIGURE.size * inner / widest).max(FIGURE_SIZE_MIN), ..FIGURE };
        self.within(Tag::L(ListNumbering::None), |flow| {
            for (row, figures) in figures.chunks(across).enumerate() {
                let (mut marks, mut height) = (Vec::new(), 0.0_f32);
                for (index, figure) in figures.iter().enumerate() {
                    let x = (width + BOX_GAP) * index as f32 + BOX_PADDING;
                    let (label, body) = flow.item();
                    let mut y = BOX_PADDING;
                    marks.push(Mark::of(label, stacked(&lines(figure.label, NOTE, inner), NOTE, x, &mut y)));
                    y += 1.0;
                    let mut strokes = stacked(&lines(&figure.value, value_style, inner), value_style, x, &mut y);
                    strokes.extend(stacked(&lines(&figure.note, NOTE, inner), NOTE, x, &mut y));
                    marks.push(Mark::of(body, strokes));
                    height = height.max(y + BOX_PADDING);
                }
                let frames = (0..figures.len()).map(|index| frame((width + BOX_GAP) * index as f32, width, height));
                marks.insert(0, Mark::ornament(frames.collect()));
                let space = if row == 0 { space } else { BOX_GAP };
                flow.strips.push(Strip { space, ..Strip::new(height, marks) });
            }
        });
    }

    /// Adds things and their values, two beside each other.
    pub(super) fn facts(&mut self, facts: &[Fact], space: f32) {
        let width = BODY_WIDTH / FACTS_A_ROW as f32;
        let labels = facts.iter().map(|fact| extent(fact.label, NOTE).1).fold(0.0, f32::max);
        let value_x = (labels + 10.0).min(width / 2.0);
        self.within(Tag::L(ListNumbering::None), |flow| {
            for (row, facts) in facts.chunks(FACTS_A_ROW).enumerate() {
                let (mut marks, mut height) = (Vec::new(), 0.0_f32);
                for (index, fact) in facts.iter().enumerate() {
                    let x = width * index as f32;
                    let (label, body) = flow.item();
                    let (mut label_y, mut value_y) = (0.0, 0.0);
                    let said = lines(fact.label, NOTE, value_x - 6.0);
                    marks.push(Mark::of(label, stacked(&said, NOTE, x, &mut label_y)));
                    let value = lines(&fact.value, CELL, width - value_x - 8.0);
                    marks.push(Mark::of(body, stacked(&value, CELL, x + value_x, &mut value_y)));
                    height = height.max(label_y).max(value_y);
                }
                let space = if row == 0 { space } else { 1.5 };
                flow.strips.push(Strip { space, ..Strip::new(height, marks) });
            }
        });
    }

    /// Adds sentences in order.
    pub(super) fn list(&mut self, sentences: &[String], space: f32) {
        self.within(Tag::L(ListNumbering::Disc), |flow| {
            for (index, sentence) in sentences.iter().enumerate() {
                let (label, body) = flow.item();
                let first = flow.strips.len();
                let set = lines(sentence, BODY, BODY_WIDTH - LIST_INDENT);
                flow.set(&set, BODY, LIST_INDENT, body, if index == 0 { space } else { 2.0 });
                let dot = lines("•", BODY, LIST_INDENT);
                if let (Some(strip), Some(dot)) = (flow.strips.get_mut(first), dot.first()) {
                    strip.marks.insert(0, Mark::of(label, vec![stroke(dot, BODY, 2.0, 0.0)]));
                }
            }
        });
    }

    /// Adds what is to be typed or compared letter by letter.
    pub(super) fn code(&mut self, text: &str, space: f32) {
        let element = self.element(Tag::P);
        let first = self.strips.len();
        self.set(&lines(text, CELL, BODY_WIDTH - 2.0 * BOX_PADDING), CELL, BOX_PADDING, element, 0.0);
        for strip in &mut self.strips[first..] {
            let ground = Stroke::Box { x: 0.0, y: 0.0, width: BODY_WIDTH, height: strip.height + 2.0, colour: PANEL };
            lower(strip, 1.0);
            strip.height += 2.0;
            strip.marks.insert(0, Mark::ornament(vec![ground]));
        }
        self.strips[first].space = space;
    }

    /// Adds an item of a list: its label and its body.
    fn item(&mut self) -> (super::flow::ElementId, super::flow::ElementId) {
        self.within(Tag::LI, |flow| (flow.element(Tag::Lbl), flow.element(Tag::LBody)))
    }
}

/// `lines` below each other from `y` on, which ends below them.
fn stacked(lines: &[Line], style: Style, x: f32, y: &mut f32) -> Vec<Stroke> {
    let mut strokes = Vec::new();
    for line in lines.iter().filter(|line| !line.letters.is_empty()) {
        strokes.push(stroke(line, style, x, *y));
        *y += style.leading;
    }
    strokes
}

/// A box's outline.
fn frame(x: f32, width: f32, height: f32) -> Stroke {
    let (right, inset) = (x + width - 0.3, 0.3);
    let corners = [(x + inset, inset), (right, inset), (right, height - inset), (x + inset, height - inset)];
    let points = corners.into_iter().chain([(x + inset, 0.0)]).collect();
    Stroke::Line { points, colour: RULE, width: 0.6, dash: None }
}

/// Moves what a strip draws down.
fn lower(strip: &mut Strip, by: f32) {
    for stroke in strip.marks.iter_mut().flat_map(|mark| &mut mark.strokes) {
        match stroke {
            Stroke::Text { baseline, .. } => *baseline += by,
            Stroke::Box { y, .. } => *y += by,
            Stroke::Line { points, .. } => points.iter_mut().for_each(|(_, y)| *y += by),
        }
    }
}
