//! The table: one row a figure, with what it is measured against.

use std::fmt;

/// The table's head, as Markdown.
pub(crate) const HEAD: &str = "| what | nines | floor | peer | goal | |\n| --- | ---: | ---: | ---: | ---: | --- |";

/// What a figure should be.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Goal {
    /// Not more than this.
    AtMost(f64),
    /// Not less than this.
    AtLeast(f64),
    /// Whatever it is.
    None,
}

/// One figure.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Row {
    what: String,
    unit: &'static str,
    figure: f64,
    floor: Option<f64>,
    peer: Option<f64>,
    goal: Goal,
}

impl Row {
    /// A figure of ours in its unit.
    pub(crate) fn new(what: impl Into<String>, unit: &'static str, figure: f64) -> Row {
        Row { what: what.into(), unit, figure, floor: None, peer: None, goal: Goal::None }
    }

    /// The same, measured on the least that could do the work.
    pub(crate) fn floor(self, figure: f64) -> Row {
        Row { floor: Some(figure), ..self }
    }

    /// The same, measured on a peer; nothing if it is not installed.
    pub(crate) fn peer(self, figure: Option<f64>) -> Row {
        Row { peer: figure, ..self }
    }

    /// What it should be.
    pub(crate) fn goal(self, goal: Goal) -> Row {
        Row { goal, ..self }
    }

    fn verdict(&self) -> &'static str {
        let kept = match self.goal {
            Goal::AtMost(most) => self.figure <= most,
            Goal::AtLeast(least) => least <= self.figure,
            Goal::None => return "",
        };
        if kept { "kept" } else { "MISSED" }
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let beside = |figure: Option<f64>| figure.map_or("–".to_owned(), short);
        let goal = match self.goal {
            Goal::AtMost(most) => format!("≤ {}", short(most)),
            Goal::AtLeast(least) => format!("≥ {}", short(least)),
            Goal::None => "–".to_owned(),
        };
        let (what, unit, verdict) = (&self.what, self.unit, self.verdict());
        let (figure, floor, peer) = (short(self.figure), beside(self.floor), beside(self.peer));
        write!(f, "| {what}, {unit} | {figure} | {floor} | {peer} | {goal} | {verdict} |")
    }
}

/// Three digits: more would not come out the same twice.
fn short(figure: f64) -> String {
    let size = figure.abs();
    match size {
        _ if 1e6 <= size => format!("{:.2} M", figure / 1e6),
        _ if 1e4 <= size => format!("{:.0} k", figure / 1e3),
        _ if 100.0 <= size || size == 0.0 => format!("{figure:.0}"),
        _ if 10.0 <= size => format!("{figure:.1}"),
        _ => format!("{figure:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_says_whether_its_goal_was_kept() {
        let row = Row::new("one probe", "µs", 119.6).floor(63.0).goal(Goal::AtMost(120.0));
        assert_eq!(row.to_string(), "| one probe, µs | 120 | 63.0 | – | ≤ 120 | kept |");
        let row = Row::new("results", "/s", 900_000.0).peer(Some(3.71)).goal(Goal::AtLeast(1e6));
        assert_eq!(row.to_string(), "| results, /s | 900 k | – | 3.71 | ≥ 1.00 M | MISSED |");
    }
}
