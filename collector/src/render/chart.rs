//! One check's latency over a stretch of time: the mean of each hour against its objective, drawn as
//! SVG by a template.

use super::figures::{self, Local};
use super::words::Word;
use rules::agreement::Language;
use rules::check::Check;
use rules::interval::Interval;
use rules::latency::Population;
use rules::period::Zone;
use rules::policy::Policy;
use rules::time::Timestamp;
use std::fmt::Write as _;
use std::time::Duration;

/// The drawing's size, and the room for labels.
const WIDTH: u64 = 720;
const HEIGHT: u64 = 120;
const LEFT: u64 = 64;
const TOP: u64 = 10;
const BOTTOM: u64 = 18;
/// From this length on a window is divided into days, below into hours.
const DAYS_FROM: Duration = Duration::from_secs(3 * 86_400);
/// An hour: the distance of points; where more than one is missing the line is broken.
const HOUR: Duration = Duration::from_secs(3_600);

/// What is drawn of one check.
pub(crate) struct Means<'a> {
    pub(crate) check: &'a Check,
    pub(crate) policy: &'a Policy,
    pub(crate) zone: &'a Zone,
    pub(crate) window: Interval,
    /// The population of the whole window, and those of its hours.
    pub(crate) population: &'a Population,
    pub(crate) hours: &'a [(Timestamp, Population)],
}

/// A drawing of hourly means.
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
    /// Days of a month or hours of a day, some of them labelled.
    pub(crate) ticks: Vec<(u64, String)>,
}

/// Draws the means; nothing without a population.
pub(crate) fn chart(of: &Means<'_>, language: Language) -> Option<Chart> {
    let means: Vec<(Timestamp, u64)> =
        of.hours.iter().filter_map(|(hour, population)| Some((*hour, population.mean_us()?))).collect();
    let objective = of.policy.latency.iter().find(|objective| Some(&objective.id) == of.check.objective.as_ref());
    let limit_us = objective.map(|objective| {
        let limit = u64::try_from(objective.mean_max.as_micros()).unwrap_or(u64::MAX);
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
    let (lines, dots) = lines(&means, of.window, y);
    Some(Chart {
        title: format!("{}: {}", Word::LatencyTitle.say(language), of.check.id),
        summary: summary(of.population, language),
        width: LEFT + WIDTH + 12,
        height: TOP + HEIGHT + BOTTOM,
        left: LEFT,
        right: LEFT + WIDTH,
        base: TOP + HEIGHT,
        lines,
        dots,
        limit: limit_us.map(|(limit, name)| (y(limit), format!("{name} ≤ {}", figures::latency(limit)))),
        levels: [0, top_us / 2, top_us].map(|level| (y(level), figures::latency(level))).to_vec(),
        ticks: ticks(of.zone, of.window),
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

fn ticks(zone: &Zone, window: Interval) -> Vec<(u64, String)> {
    let local = Local::new(zone, window);
    let x = |at: Timestamp| {
        let passed = at.since(window.from()).as_millis() * u128::from(WIDTH) / window.length().as_millis();
        LEFT + u64::try_from(passed).unwrap_or(WIDTH)
    };
    let of_days = DAYS_FROM < window.length();
    let next = |at: &Timestamp| Some(if of_days { zone.next_midnight(*at) } else { at.plus(HOUR) });
    let first = if of_days { window.from() } else { window.from().plus(HOUR).hour() };
    let label = |(index, at): (usize, Timestamp)| match (of_days, index) {
        (true, day) if day % 5 == 0 => (x(at), local.day(at).to_string()),
        (false, hour) if hour % 4 == 0 => (x(at), local.hour_minute(at)),
        _ => (x(at), String::new()),
    };
    std::iter::successors(Some(first), next).take_while(|at| *at < window.until()).enumerate().map(label).collect()
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
fn summary(population: &Population, language: Language) -> String {
    let mean = population.mean_us().map_or_else(|| Word::NotMeasured.say(language).to_owned(), figures::latency);
    let count = figures::grouped(population.count());
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
