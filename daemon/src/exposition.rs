//! Prometheus' text format, written straight from a program's own state.
//!
//! For the thousands of series that a registry would keep twice; a program's own few hundred stay
//! in the `prometheus` crate. It never invents a label: names and values are the caller's.

use std::fmt::{self, Display, Write};

/// What a metric is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MetricKind {
    /// It only grows.
    Counter,
    /// It goes up and down.
    Gauge,
    /// Counts by upper bound, with `_sum` and `_count`.
    Histogram,
}

/// Labels as they stand between braces, written once for many samples.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Labels(String);

impl Labels {
    /// Writes `labels`, their values escaped.
    pub fn new(labels: &[(&str, &str)]) -> Labels {
        let mut text = String::new();
        for (name, value) in labels {
            let comma = if text.is_empty() { "" } else { "," };
            // Writing to a string can't fail.
            let _ = write!(text, "{comma}{name}=\"{}\"", Escaped(value));
        }
        Labels(text)
    }
}

/// A page of metrics that grows.
#[derive(Clone, Debug, Default)]
pub struct Exposition {
    text: String,
}

impl Exposition {
    /// Begins the metric `name`; all its samples follow before the next one begins.
    pub fn metric(&mut self, name: &str, kind: MetricKind, help: &str) {
        let kind = match kind {
            MetricKind::Counter => "counter",
            MetricKind::Gauge => "gauge",
            MetricKind::Histogram => "histogram",
        };
        let _ = writeln!(self.text, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    /// Adds the sample `name{labels}`.
    pub fn sample(&mut self, name: &str, labels: &Labels, value: impl Display) {
        let _ = match labels.0.as_str() {
            "" => writeln!(self.text, "{name} {value}"),
            labels => writeln!(self.text, "{name}{{{labels}}} {value}"),
        };
    }

    /// Adds the sample `name{labels,label="word"}`.
    pub fn sample_with(&mut self, name: &str, labels: &Labels, label: &str, word: &str, value: impl Display) {
        let (labels, word) = (&labels.0, Escaped(word));
        let comma = if labels.is_empty() { "" } else { "," };
        let _ = writeln!(self.text, "{name}{{{labels}{comma}{label}=\"{word}\"}} {value}");
    }

    /// The page so far.
    pub fn into_text(self) -> String {
        self.text
    }
}

/// A label's value as the format wants it.
struct Escaped<'a>(&'a str);

impl Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|c| match c {
            '\\' => f.write_str("\\\\"),
            '"' => f.write_str("\\\""),
            '\n' => f.write_str("\\n"),
            c => f.write_char(c),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_stand_under_their_metric_with_escaped_labels() {
        let mut page = Exposition::default();
        let labels = Labels::new(&[("service", "a\"b\\c"), ("check", "서비스")]);
        page.metric("x_total", MetricKind::Counter, "Things.");
        page.sample("x_total", &labels, 3);
        page.sample_with("x_total", &labels, "outcome", "up", 0.5);
        page.sample("x_total", &Labels::default(), 4);
        page.sample_with("x_total", &Labels::default(), "outcome", "down", 1);
        let expected = "# HELP x_total Things.\n# TYPE x_total counter\n\
            x_total{service=\"a\\\"b\\\\c\",check=\"서비스\"} 3\n\
            x_total{service=\"a\\\"b\\\\c\",check=\"서비스\",outcome=\"up\"} 0.5\n\
            x_total 4\n\
            x_total{outcome=\"down\"} 1\n";
        assert_eq!(page.into_text(), expected);
    }
}
