//! One check's latency over a month: the mean of each hour against its objective, drawn as SVG by a
//! template.

use super::figures::{self, Local};
use super::words::Word;
use crate::closing::{CheckMonth, Statement};
use rules::agreement::Language;
use rules::interval::Interval;
use rules::time::Timestamp;
use std::fmt::Write as _;
use std::time::Duration;

/// The drawing's size, and the room for labels.
const WIDTH: u64 = 720;
const HEIGHT: u64 = 120;
const LEFT: u64 = 64;
const TOP: u64 = 10;
const BOTTOM: u64 = 18;
/// An hour: the distance of points; where more than one is missing the line is broken.
const HOUR: Duration = Duration::from_secs(3_600);

/// A drawing of a month's means.
pub(crate) struct Chart {
    pub(crate) title: String,
    pub(crate) summary: String,
    pub(crate) width: u64,
    pub(crate) height: u64,
    pub(crate) left: u64,
    pub(crate) right: u64,
    pub(crate) base: u64,
    /// `points` attributes of unbroken lines.
    pub(crate) lines: Vec<String>,
    /// Hours that stand alone.
    pub(crate) dots: Vec<(u64, u64)>,
    /// Where the objective lies, and its label.
    pub(crate) limit: Option<(u64, String)>,
    /// Labels of the height.
    pub(crate) levels: Vec<(u64, String)>,
    /// Labels of the days.
    pub(crate) days: Vec<(u64, String)>,
}

/// Draws one check's month; nothing without a population.
pub(crate) fn chart(statement: &Statement<'_>, month: &CheckMonth<'_>, language: Language) -> Option<Chart> {
    let means: Vec<(Timestamp, u64)> =
        month.hours.iter().filter_map(|(hour, population)| Some((*hour, population.mean_us()?))).collect();
    let limit_us = month.row.objective.as_ref().map(|objective| {
        let limit = u64::try_from(objective.limit.as_micros()).unwrap_or(u64::MAX);
        (limit, objective.id.to_string())
    });
    let highest = means.iter().map(|(_, mean)| *mean).max()?;
    // The objective is drawn if it doesn't flatten the line.
    let limit_us = limit_us.filter(|(limit, _)| *limit <= highest.saturating_mul(8));
    let top_us = nice(highest.max(limit_us.as_ref().map_or(0, |(limit, _)| *limit)));
    let y = |us: u64| {
        let up = u128::from(us) * u128::from(HEIGHT) / u128::from(top_us);
        TOP + HEIGHT - u64::try_from(up).unwrap_or(HEIGHT).min(HEIGHT)
    };
    let (lines, dots) = lines(&means, statement.calendar, y);
    let name = &month.row.check;
    Some(Chart {
        title: format!("{}: {name}", Word::LatencyTitle.say(language)),
        summary: summary(month, language),
        width: LEFT + WIDTH + 12,
        height: TOP + HEIGHT + BOTTOM,
        left: LEFT,
        right: LEFT + WIDTH,
        base: TOP + HEIGHT,
        lines,
        dots,
        limit: limit_us.map(|(limit, name)| (y(limit), format!("{name} ≤ {}", figures::latency(limit)))),
        levels: [0, top_us / 2, top_us].map(|level| (y(level), figures::latency(level))).to_vec(),
        days: days(statement),
    })
}

fn lines(means: &[(Timestamp, u64)], window: Interval, y: impl Fn(u64) -> u64) -> (Vec<String>, Vec<(u64, u64)>) {
    let x = |at: Timestamp| {
        let middle = at.plus(HOUR / 2).since(window.from()).as_millis();
        LEFT + u64::try_from(middle * u128::from(WIDTH) / window.length().as_millis()).unwrap_or(WIDTH).min(WIDTH)
    };
    let (mut lines, mut dots) = (Vec::new(), Vec::new());
    for unbroken in means.chunk_by(|a, b| b.0.since(a.0) <= HOUR) {
        if let [(at, mean)] = unbroken {
            dots.push((x(*at), y(*mean)));
            continue;
        }
        let mut line = String::new();
        for (at, mean) in unbroken {
            let _ = write!(line, "{},{} ", x(*at), y(*mean));
        }
        lines.push(line.trim_end().to_owned());
    }
    (lines, dots)
}

fn days(statement: &Statement<'_>) -> Vec<(u64, String)> {
    let local = Local::new(&statement.agreement.zone, statement.calendar);
    let mut days = Vec::new();
    let mut begins = statement.calendar.from();
    while begins < statement.calendar.until() {
        let passed = begins.since(statement.calendar.from()).as_millis() * u128::from(WIDTH);
        let x = LEFT + u64::try_from(passed / statement.calendar.length().as_millis()).unwrap_or(WIDTH);
        if days.len() % 5 == 0 {
            days.push((x, local.day(begins).to_string()));
        } else {
            days.push((x, String::new()));
        }
        begins = statement.agreement.zone.next_midnight(begins);
    }
    days
}

/// The next of 1, 2, 5, 10, 20, 50 … that is at least `value`.
fn nice(value: u64) -> u64 {
    let mut unit = 1_000;
    loop {
        for step in [1, 2, 5] {
            if value <= unit * step {
                return unit * step;
            }
        }
        match unit.checked_mul(10) {
            Some(next) if next <= u64::MAX / 10 => unit = next,
            _ => return value,
        }
    }
}

/// The drawing in a sentence, for those who don't see it.
fn summary(month: &CheckMonth<'_>, language: Language) -> String {
    let mean = month.row.population.mean_us().map_or_else(|| Word::NotMeasured.say(language).to_owned(), figures::latency);
    let count = figures::grouped(month.row.population.count());
    match language {
        Language::English => format!("Mean {mean} over {count} results."),
        Language::Korean => format!("결과 {count}건의 평균 {mean}."),
    }
}

#[cfg(test)]
mod tests {
    use super::nice;

    #[test]
    fn the_scale_ends_at_a_number_that_people_read_easily() {
        assert_eq!([1, 1_001, 674_360, 3_000_000].map(nice), [1_000, 2_000, 1_000_000, 5_000_000]);
        assert_eq!(nice(u64::MAX), u64::MAX);
    }
}
