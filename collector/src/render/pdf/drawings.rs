//! The month's timeline and a check's latency, drawn with boxes and lines.
//!
//! What a time was is told by shape as well as by colour, so that a copy in black and white still
//! tells an outage from an exclusion.

use super::flow::{Flow, Mark, Strip, Stroke, stroke};
use super::sheet::{ACCENT, BAD, BODY_WIDTH, Colour, NOTE, RULE, TINY};
use super::text::one_line;
use crate::render::chart::{Chart, SPAN};
use crate::render::strip::Kind;
use crate::render::timeline::{COLUMNS_AN_HOUR, Timeline};
use krilla::tagging::Tag;

/// The room for days beside a timeline, and for latencies beside a chart.
const DAYS_WIDTH: f32 = 18.0;
const LEVELS_WIDTH: f32 = 48.0;
/// How high a day is, and how far below each other days stand.
const DAY_HEIGHT: f32 = 6.4;
const DAY_PITCH: f32 = 8.2;
/// The room for hours above the days.
const HOURS_HEIGHT: f32 = 11.0;
/// A legend's swatch, and the room around it.
const SWATCH: f32 = 10.0;
const LEGEND_GAP: f32 = 14.0;
/// How high a chart's field is, with room for the objective's label above and days below.
const FIELD_HEIGHT: f32 = 96.0;
const FIELD_TOP: f32 = 12.0;
const FIELD_BOTTOM: f32 = 14.0;

const UP: Colour = Colour(0xcf, 0xe7, 0xd7);
const SHORT: Colour = Colour(0xd9, 0x82, 0x00);
const EXCLUDED: Colour = Colour(0x3c, 0x56, 0x77);
const EXCLUDED_GROUND: Colour = Colour(0xd3, 0xde, 0xec);
const UNDETERMINED: Colour = Colour(0x83, 0x8b, 0x94);
const NOTHING: Colour = Colour(0xf1, 0xf3, 0xf5);

impl Flow {
    /// Adds a month, a row a day.
    pub(super) fn timeline(&mut self, timeline: &Timeline, space: f32) {
        let element = self.element(Tag::Figure(Some(format!("{}. {}", timeline.title, timeline.summary))));
        let column = (BODY_WIDTH - DAYS_WIDTH) / (timeline.hours() * COLUMNS_AN_HOUR) as f32;
        let mut strokes = Vec::new();
        for hour in (0..=timeline.hours()).step_by(3) {
            let x = DAYS_WIDTH + (hour * COLUMNS_AN_HOUR) as f32 * column;
            let label = one_line(&format!("{hour:02}"), TINY, 20.0);
            let left = (x - label.width / 2.0).min(BODY_WIDTH - label.width);
            strokes.push(stroke(&label, TINY, left, 0.0));
        }
        for (index, day) in timeline.days.iter().enumerate() {
            let y = HOURS_HEIGHT + index as f32 * DAY_PITCH;
            let label = one_line(&day.label, TINY, DAYS_WIDTH);
            let x = DAYS_WIDTH - 5.0 - label.width;
            strokes.push(stroke(&label, TINY, x, y + (DAY_HEIGHT - TINY.leading) / 2.0));
            for bar in &day.bars {
                let from = DAYS_WIDTH + bar.piece.column as f32 * column;
                strokes.extend(shape(bar.piece.kind, from, y, bar.piece.columns as f32 * column, DAY_HEIGHT));
            }
        }
        let height = HOURS_HEIGHT + timeline.days.len() as f32 * DAY_PITCH;
        let height = legend(timeline, height + 4.0, &mut strokes);
        self.strips.push(Strip { space, ..Strip::new(height, vec![Mark::of(element, strokes)]) });
        if let Some(note) = &timeline.note {
            self.paragraph(note, NOTE, 2.0);
        }
    }

    /// Adds a check's hourly means against its objective.
    pub(super) fn chart(&mut self, chart: &Chart, space: f32) {
        let element = self.element(Tag::Figure(Some(format!("{}. {}", chart.title, chart.summary))));
        let width = BODY_WIDTH - LEVELS_WIDTH;
        let base = FIELD_TOP + FIELD_HEIGHT;
        let x = |x: u32| LEVELS_WIDTH + width * x as f32 / SPAN as f32;
        let y = |us: u64| base - FIELD_HEIGHT * us as f32 / chart.top_us.max(1) as f32;
        let line = |points: Vec<(f32, f32)>, colour, width| Stroke::Line { points, colour, width, dash: None };
        let mut strokes = Vec::new();
        for (us, label) in &chart.levels {
            let y = y(*us);
            strokes.push(line(vec![(LEVELS_WIDTH, y), (BODY_WIDTH, y)], RULE, 0.5));
            let label = one_line(label, TINY, LEVELS_WIDTH - 4.0);
            strokes.push(stroke(&label, TINY, LEVELS_WIDTH - 4.0 - label.width, y - TINY.leading / 2.0));
        }
        for (at, label) in &chart.ticks {
            let x = x(*at);
            strokes.push(line(vec![(x, base), (x, base + if label.is_empty() { 2.0 } else { 4.0 })], RULE, 0.5));
            let label = one_line(label, TINY, 40.0);
            let left = (x - label.width / 2.0).min(BODY_WIDTH - label.width);
            strokes.push(stroke(&label, TINY, left, base + 4.0));
        }
        for points in &chart.lines {
            match points.as_slice() {
                [one] => {
                    let (x, y) = (x(one.x) - 0.9, y(one.us) - 0.9);
                    strokes.push(Stroke::Box { x, y, width: 1.8, height: 1.8, colour: ACCENT });
                }
                points => {
                    strokes.push(line(points.iter().map(|point| (x(point.x), y(point.us))).collect(), ACCENT, 0.9));
                }
            }
        }
        if let Some(limit) = &chart.limit {
            let at = (limit.us <= chart.top_us).then(|| y(limit.us));
            let style = TINY.coloured(BAD);
            let label = one_line(&limit.label, style, width);
            strokes.push(stroke(
                &label,
                style,
                BODY_WIDTH - label.width,
                at.unwrap_or(FIELD_TOP) - style.leading - 1.5,
            ));
            strokes.extend(at.map(|y| {
                let points = vec![(LEVELS_WIDTH, y), (BODY_WIDTH, y)];
                Stroke::Line { points, colour: BAD, width: 0.9, dash: Some(3.0) }
            }));
        }
        strokes.retain(|stroke| !matches!(stroke, Stroke::Text { letters, .. } if letters.is_empty()));
        self.strips.push(Strip { space, ..Strip::new(base + FIELD_BOTTOM, vec![Mark::of(element, strokes)]) });
    }
}

/// Adds what the shapes mean, from `y` on; says where it ends.
fn legend(timeline: &Timeline, y: f32, strokes: &mut Vec<Stroke>) -> f32 {
    let (mut x, mut y) = (DAYS_WIDTH, y);
    for (kind, word) in &timeline.legend {
        let label = one_line(word, TINY, BODY_WIDTH / 2.0);
        let width = SWATCH + 4.0 + label.width;
        if BODY_WIDTH < x + width {
            (x, y) = (DAYS_WIDTH, y + TINY.leading + 2.0);
        }
        strokes.extend(shape(*kind, x, y + (TINY.leading - DAY_HEIGHT) / 2.0, SWATCH, DAY_HEIGHT));
        strokes.push(stroke(&label, TINY, x + SWATCH + 4.0, y));
        x += width + LEGEND_GAP;
    }
    y + TINY.leading + 2.0
}

/// A stretch of one kind.
fn shape(kind: Kind, x: f32, y: f32, width: f32, height: f32) -> Vec<Stroke> {
    let whole = |colour| Stroke::Box { x, y, width, height, colour };
    let band = |from: f32, until: f32, colour| {
        let (y, height) = (y + height * from, height * (until - from));
        Stroke::Box { x, y, width, height, colour }
    };
    match kind {
        Kind::Nothing => vec![whole(NOTHING)],
        Kind::Up => vec![whole(UP)],
        Kind::Outage => vec![whole(BAD)],
        Kind::Short => vec![whole(UP), band(0.5, 1.0, SHORT)],
        Kind::Excluded => vec![whole(EXCLUDED_GROUND), band(0.42, 0.58, EXCLUDED)],
        Kind::Undetermined => {
            vec![band(0.0, 0.16, UNDETERMINED), band(0.42, 0.58, UNDETERMINED), band(0.84, 1.0, UNDETERMINED)]
        }
    }
}
