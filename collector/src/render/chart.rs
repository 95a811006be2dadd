//! One check's latency over a stretch of time: the mean of each hour against its objective, as data
//! for whoever draws it.

use super::drawing::{self, Drawing};
use super::figures::{self, Local};
use super::words::Word;
use rules::agreement::Language;
use rules::check::Check;
use rules::interval::Interval;
use rules::latency::Population;
use rules::period::Zone;
use rules::policy::Policy;
use rules::time::Timestamp;
use std::time::Duration;

/// The width of a chart: points lie from 0 to here.
pub(crate) const SPAN: u32 = 100_000;
/// From this length on a window is divided into days, below into hours.
const DAYS_FROM: Duration = Duration::from_secs(3 * 86_400);
/// An hour: the distance of points; where more than one is missing the line is broken.
const HOUR: Duration = Duration::from_secs(3_600);
/// An objective so many times the highest mean would flatten the line: it is named, not drawn.
const FLATTENED_FROM: u64 = 12;

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

/// Hourly means over a stretch of time.
pub(crate) struct Chart {
    pub(crate) title: String,
    /// The drawing in a sentence, for those who don't see it.
    pub(crate) summary: String,
    /// The height: points lie from 0 to here, in microseconds.
    pub(crate) top_us: u64,
    /// Unbroken lines; one of a single point is an hour that stands alone.
    pub(crate) lines: Vec<Vec<Point>>,
    pub(crate) limit: Option<Limit>,
    /// Labels of the height.
    pub(crate) levels: Vec<(u64, String)>,
    /// Where days of a month or hours of a day begin; some are labelled.
    pub(crate) ticks: Vec<(u32, String)>,
}

/// The mean of one hour.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Point {
    /// The hour's middle, from 0 to [`SPAN`].
    pub(crate) x: u32,
    pub(crate) us: u64,
}

/// The objective.
pub(crate) struct Limit {
    /// Where its line lies; above [`Chart::top_us`] it is named at the top and not drawn.
    pub(crate) us: u64,
    pub(crate) label: String,
}

impl Chart {
    /// The chart as SVG has it.
    pub(crate) fn drawing(&self) -> Drawing {
        drawing::of(self)
    }
}

/// Makes the chart; nothing without a population.
pub(crate) fn chart(of: &Means<'_>, language: Language) -> Option<Chart> {
    let means: Vec<(Timestamp, u64)> =
        of.hours.iter().filter_map(|(hour, population)| Some((*hour, population.mean_us()?))).collect();
    let highest = means.iter().map(|(_, mean)| *mean).max()?;
    let objective = of.policy.latency.iter().find(|objective| Some(&objective.id) == of.check.objective.as_ref());
    let limit = objective.map(|objective| {
        let us = u64::try_from(objective.mean_max.as_micros()).unwrap_or(u64::MAX);
        let name = super::outside::shown(objective.id.as_str());
        let drawn = us <= highest.saturating_mul(FLATTENED_FROM);
        let label = format!("{}{name} ≤ {}", if drawn { "" } else { "↑ " }, figures::latency(us));
        (drawn, Limit { us, label })
    });
    let drawn = limit.as_ref().filter(|(drawn, _)| *drawn).map_or(0, |(_, limit)| limit.us);
    let top_us = nice(highest.max(drawn));
    Some(Chart {
        title: format!("{}: {}", Word::ChartTitle.say(language), super::outside::shown(of.check.id.as_str())),
        summary: summary(of.population, limit.as_ref().map(|(_, limit)| limit), language),
        top_us,
        lines: lines(&means, of.window),
        limit: limit.map(|(_, limit)| limit),
        levels: [0, top_us / 2, top_us].map(|level| (level, figures::latency(level))).to_vec(),
        ticks: ticks(of.zone, of.window),
    })
}

fn lines(means: &[(Timestamp, u64)], window: Interval) -> Vec<Vec<Point>> {
    let point = |(at, us): &(Timestamp, u64)| Point { x: x(at.plus(HOUR / 2), window), us: *us };
    let unbroken = means.chunk_by(|a, b| b.0.since(a.0) <= HOUR);
    unbroken.map(|line| line.iter().map(point).collect()).collect()
}

fn x(at: Timestamp, window: Interval) -> u32 {
    let passed = at.since(window.from()).as_millis() * u128::from(SPAN) / window.length().as_millis();
    u32::try_from(passed).unwrap_or(SPAN).min(SPAN)
}

fn ticks(zone: &Zone, window: Interval) -> Vec<(u32, String)> {
    let local = Local::new(zone, window);
    let of_days = DAYS_FROM < window.length();
    let next = |at: &Timestamp| Some(if of_days { zone.next_midnight(*at) } else { at.plus(HOUR) });
    let first = if of_days { window.from() } else { window.from().plus(HOUR).hour() };
    let label = |(index, at): (usize, Timestamp)| match (of_days, index) {
        (true, day) if day % 5 == 0 => (x(at, window), local.day(at).to_string()),
        (false, hour) if hour % 4 == 0 => (x(at, window), local.hour_minute(at)),
        _ => (x(at, window), String::new()),
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

fn summary(population: &Population, limit: Option<&Limit>, language: Language) -> String {
    let mean = population.mean_us().map_or_else(|| Word::NotMeasured.say(language).to_owned(), figures::latency);
    let count = figures::grouped(population.count());
    let against = |word: &str| limit.map(|limit| format!(" {word}: {}.", limit.label)).unwrap_or_default();
    match language {
        Language::English => format!("Mean {mean} over {count} results.{}", against("Objective")),
        Language::Korean => format!("결과 {count}건의 평균 {mean}.{}", against("목표")),
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
