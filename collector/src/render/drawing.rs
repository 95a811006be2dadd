//! Where the points of a chart lie in an SVG: coordinates for `chart.html`, nothing else.

use super::chart::{Chart, Point, SPAN};
use std::fmt::Write as _;

/// The drawing's size, and the room for labels.
const WIDTH: u64 = 720;
const HEIGHT: u64 = 120;
const LEFT: u64 = 64;
const RIGHT: u64 = 12;
const TOP: u64 = 14;
const BOTTOM: u64 = 18;

/// A chart in units of an SVG.
pub(crate) struct Drawing {
    pub(crate) width: u64,
    pub(crate) height: u64,
    pub(crate) left: u64,
    pub(crate) right: u64,
    pub(crate) base: u64,
    /// `points` attributes of unbroken lines.
    pub(crate) lines: Vec<String>,
    /// Hours that stand alone.
    pub(crate) dots: Vec<(u64, u64)>,
    /// Where the objective lies.
    pub(crate) limit: Option<LimitLine>,
    /// Labels of the height.
    pub(crate) levels: Vec<(u64, String)>,
    /// Days of a month or hours of a day, some of them labelled.
    pub(crate) ticks: Vec<(u64, String)>,
}

/// The objective's label, and its line if it lies within the drawing.
pub(crate) struct LimitLine {
    pub(crate) label_y: u64,
    pub(crate) label: String,
    pub(crate) line_y: Option<u64>,
}

/// Lays `chart` out.
pub(crate) fn of(chart: &Chart) -> Drawing {
    let y = |us: u64| {
        let up = u128::from(us) * u128::from(HEIGHT) / u128::from(chart.top_us.max(1));
        TOP + HEIGHT - u64::try_from(up).unwrap_or(HEIGHT).min(HEIGHT)
    };
    let x = |x: u32| LEFT + u64::from(x) * WIDTH / u64::from(SPAN);
    let (mut lines, mut dots) = (Vec::new(), Vec::new());
    for line in &chart.lines {
        match line.as_slice() {
            [Point { x: at, us }] => dots.push((x(*at), y(*us))),
            points => lines.push(points.iter().fold(String::new(), |mut text, point| {
                let _ = write!(text, "{}{},{}", if text.is_empty() { "" } else { " " }, x(point.x), y(point.us));
                text
            })),
        }
    }
    let limit = chart.limit.as_ref().map(|limit| {
        let line_y = (limit.us <= chart.top_us).then(|| y(limit.us));
        LimitLine { label_y: line_y.unwrap_or(TOP) - 4, label: limit.label.clone(), line_y }
    });
    Drawing {
        width: LEFT + WIDTH + RIGHT,
        height: TOP + HEIGHT + BOTTOM,
        left: LEFT,
        right: LEFT + WIDTH,
        base: TOP + HEIGHT,
        lines,
        dots,
        limit,
        levels: chart.levels.iter().map(|(us, label)| (y(*us), label.clone())).collect(),
        ticks: chart.ticks.iter().map(|(at, label)| (x(*at), label.clone())).collect(),
    }
}
