//! A month as days by hours: data for whoever draws it.

use super::figures::Local;
use super::strip::{self, Kind, Piece};
use super::words::Word;
use crate::closing::{ServiceMonth, Statement};
use rules::agreement::Language;
use rules::interval::Interval;
use std::time::Duration;

/// The columns of an hour: two minutes each, so the shortest outage of five has its own.
pub(crate) const COLUMNS_AN_HOUR: usize = 30;
const COLUMN: Duration = Duration::from_secs(120);
/// The hours of a day on which clocks don't change.
const HOURS_A_DAY: usize = 24;

/// A month, a row a local day.
pub(crate) struct Timeline {
    pub(crate) title: String,
    /// The drawing in a sentence, for those who don't see it.
    pub(crate) summary: String,
    pub(crate) days: Vec<Day>,
    /// Every kind with its letter and word, in the order in which a legend tells them.
    pub(crate) legend: Vec<(Kind, &'static str)>,
    /// What to know of days that have not 24 hours, if there are any.
    pub(crate) note: Option<String>,
}

/// A local day. Its hours are counted from its midnight, so that none is missing or double where
/// clocks change.
pub(crate) struct Day {
    /// The day of the month.
    pub(crate) label: String,
    /// What it was in each hour: the gravest of what happened.
    pub(crate) cells: Vec<Kind>,
    /// The same by columns of two minutes.
    pub(crate) bars: Vec<Bar>,
}

/// Columns of one kind.
pub(crate) struct Bar {
    pub(crate) piece: Piece,
    /// What it is and when, for pointers and screen readers; empty while it is up.
    pub(crate) title: String,
}

impl Timeline {
    /// The hours of its longest day.
    pub(crate) fn hours(&self) -> usize {
        self.days.iter().map(|day| day.cells.len()).max().unwrap_or(HOURS_A_DAY)
    }
}

/// Divides `month` into days and hours.
pub(crate) fn timeline(statement: &Statement<'_>, month: &ServiceMonth<'_>, language: Language) -> Timeline {
    let zone = &statement.agreement.zone;
    let local = Local::new(zone, statement.calendar);
    let layers = strip::layers(&month.reckoning.partition);
    let (mut days, mut changed) = (Vec::new(), Vec::new());
    let mut begins = statement.calendar.from();
    while let Some(day) = Interval::new(begins, zone.next_midnight(begins).min(statement.calendar.until())) {
        let columns = usize::try_from(day.length().as_secs().div_ceil(COLUMN.as_secs())).unwrap_or(1).max(1);
        let pieces = strip::strip(&layers, day, columns);
        if columns != HOURS_A_DAY * COLUMNS_AN_HOUR {
            changed.push((local.date(begins), day.length()));
        }
        days.push(Day {
            label: local.day(begins).to_string(),
            cells: cells(&pieces, columns),
            bars: pieces.into_iter().map(|piece| bar(piece, day, columns, &local, language)).collect(),
        });
        begins = day.until();
    }
    let kinds = [Kind::Up, Kind::Outage, Kind::Short, Kind::Excluded, Kind::Undetermined, Kind::Nothing];
    Timeline {
        title: format!("{}: {}", Word::TimelineTitle.say(language), super::outside::shown(month.service.id.as_str())),
        summary: summary(month, language),
        days,
        legend: kinds.map(|kind| (kind, kind_word(kind).say(language))).to_vec(),
        note: note(&changed, language),
    }
}

fn cells(pieces: &[Piece], columns: usize) -> Vec<Kind> {
    let mut cells = vec![Kind::Nothing; columns.div_ceil(COLUMNS_AN_HOUR)];
    for piece in pieces {
        let last = (piece.column + piece.columns - 1) / COLUMNS_AN_HOUR;
        for cell in &mut cells[piece.column / COLUMNS_AN_HOUR..=last] {
            *cell = (*cell).max(piece.kind);
        }
    }
    cells
}

fn bar(piece: Piece, day: Interval, columns: usize, local: &Local<'_>, language: Language) -> Bar {
    let title = match piece.kind {
        Kind::Nothing | Kind::Up => String::new(),
        Kind::Excluded | Kind::Undetermined | Kind::Short | Kind::Outage => {
            let at = |column| local.hour_minute(strip::instant(column, day, columns));
            let (from, until) = (at(piece.column), at(piece.column + piece.columns));
            format!("{} {from}–{until}: {}", local.date(day.from()), kind_word(piece.kind).say(language))
        }
    };
    Bar { piece, title }
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

fn summary(month: &ServiceMonth<'_>, language: Language) -> String {
    let count = month.reckoning.outages().count();
    let length = |set: &rules::interval::IntervalSet| super::figures::length(set.length(), language);
    let partition = &month.reckoning.partition;
    let (counted, undetermined) = (length(&partition.counted), length(&partition.undetermined));
    match language {
        Language::English => {
            let outages = if count == 1 { "outage" } else { "outages" };
            format!("{count} {outages}, {counted} of downtime, {undetermined} undetermined.")
        }
        Language::Korean => format!("장애 {count}건, 장애 시간 {counted}, 미확정 {undetermined}."),
    }
}

fn note(changed: &[(String, Duration)], language: Language) -> Option<String> {
    let days = changed.iter().map(|(date, of)| format!("{date}: {}", super::figures::length(*of, language)));
    let days = days.collect::<Vec<_>>().join(", ");
    (!changed.is_empty()).then(|| match language {
        Language::English => format!("Clocks changed ({days}); hours are counted from the day's midnight."),
        Language::Korean => format!("시각 변경이 있는 날({days})의 시간은 그날 자정부터 셉니다."),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hour_shows_the_gravest_of_its_columns() {
        let piece = |column, columns, kind| Piece { column, columns, kind };
        let pieces = [piece(0, 31, Kind::Up), piece(31, 3, Kind::Outage), piece(34, 56, Kind::Up)];
        assert_eq!(cells(&pieces, 90), [Kind::Up, Kind::Outage, Kind::Up]);
        assert_eq!(cells(&pieces[..1], 31), [Kind::Up, Kind::Up]);
    }
}
