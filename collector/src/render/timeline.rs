//! A month as days by hours: one row a local day, drawn as SVG by a template.

use super::figures::Local;
use super::strip::{self, Kind};
use super::words::Word;
use crate::closing::{ServiceMonth, Statement};
use rules::agreement::Language;
use rules::interval::Interval;

/// The columns of a day: two minutes each, so the shortest outage of five has its own.
const COLUMNS: usize = 720;
/// How high a day is, and how far below each other days stand, in units of the drawing.
const DAY_HEIGHT: usize = 10;
const DAY_PITCH: usize = 13;
/// The room for hours above and dates beside.
const TOP: usize = 16;
const LEFT: usize = 26;

/// A drawing of a month.
pub(crate) struct Timeline {
    pub(crate) title: String,
    pub(crate) summary: String,
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) hours: Vec<Label>,
    pub(crate) days: Vec<Label>,
    pub(crate) bars: Vec<Bar>,
    pub(crate) legend: Vec<(&'static str, &'static str)>,
}

/// A text at a place.
pub(crate) struct Label {
    pub(crate) x: usize,
    pub(crate) y: usize,
    pub(crate) text: String,
}

/// A piece of a day.
pub(crate) struct Bar {
    pub(crate) x: usize,
    pub(crate) y: usize,
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) class: &'static str,
    /// What it is and when, for pointers and screen readers; empty while it is up.
    pub(crate) title: String,
}

/// Draws `month`.
pub(crate) fn timeline(statement: &Statement<'_>, month: &ServiceMonth<'_>, language: Language) -> Timeline {
    let zone = &statement.agreement.zone;
    let local = Local::new(zone, statement.calendar);
    let layers = strip::layers(&month.reckoning.partition);
    let (mut bars, mut days) = (Vec::new(), Vec::new());
    let mut begins = statement.calendar.from();
    while let Some(day) = Interval::new(begins, zone.next_midnight(begins).min(statement.calendar.until())) {
        let y = TOP + days.len() * DAY_PITCH;
        days.push(Label { x: LEFT - 6, y: y + DAY_HEIGHT - 1, text: local.day(begins).to_string() });
        for piece in strip::strip(&layers, day, COLUMNS) {
            let title = match piece.kind {
                Kind::Nothing | Kind::Up => String::new(),
                Kind::Excluded | Kind::Undetermined | Kind::Short | Kind::Outage => {
                    let at = |column| local.hour_minute(strip::instant(column, day, COLUMNS));
                    let (from, until) = (at(piece.column), at(piece.column + piece.columns));
                    format!("{} {from}–{until}: {}", local.date(begins), kind_word(piece.kind).say(language))
                }
            };
            let class = piece.kind.class();
            bars.push(Bar { x: LEFT + piece.column, y, width: piece.columns, height: DAY_HEIGHT, class, title });
        }
        begins = day.until();
    }
    let hours = (0..=24).step_by(3).map(|hour| Label { x: LEFT + hour * 30, y: TOP - 5, text: format!("{hour:02}") });
    let kinds = [Kind::Up, Kind::Outage, Kind::Short, Kind::Excluded, Kind::Undetermined, Kind::Nothing];
    Timeline {
        title: format!("{}: {}", Word::TimelineTitle.say(language), month.service.id),
        summary: summary(month, language),
        width: LEFT + COLUMNS + 12,
        height: TOP + days.len() * DAY_PITCH,
        hours: hours.collect(),
        days,
        bars,
        legend: kinds.map(|kind| (kind.class(), kind_word(kind).say(language))).to_vec(),
    }
}

/// What a kind is called.
pub(crate) fn kind_word(kind: Kind) -> Word {
    match kind {
        Kind::Nothing => Word::Future,
        Kind::Up => Word::Up,
        Kind::Excluded => Word::Excluded,
        Kind::Undetermined => Word::Undetermined,
        Kind::Short => Word::Short,
        Kind::Outage => Word::Outage,
    }
}

/// The drawing in a sentence, for those who don't see it.
fn summary(month: &ServiceMonth<'_>, language: Language) -> String {
    let count = month.reckoning.outages().count();
    let length = |set: &rules::interval::IntervalSet| super::figures::length(set.length(), language);
    let partition = &month.reckoning.partition;
    let (counted, undetermined) = (length(&partition.counted), length(&partition.undetermined));
    match language {
        Language::English => format!("{count} outages, {counted} counted down, {undetermined} undetermined."),
        Language::Korean => format!("장애 {count}건, 장애 시간 {counted}, 미확정 {undetermined}."),
    }
}
