//! A page of gauges as Go's client library writes it: families and samples sorted, numbers in `%g`.

use std::collections::BTreeMap;
use std::fmt::Write as _;

/// From this power of ten on a number is written with an exponent.
const EXPONENT_FROM: i32 = 6;

/// The gauges of one probe.
#[derive(Clone, Debug, Default)]
pub(crate) struct Gauges {
    families: BTreeMap<&'static str, Family>,
}

#[derive(Clone, Debug, Default)]
struct Family {
    help: &'static str,
    /// By the labels as they stand between braces.
    samples: BTreeMap<String, f64>,
}

impl Gauges {
    /// Sets the gauge `name`, which has no labels.
    pub(crate) fn set(&mut self, name: &'static str, help: &'static str, value: f64) {
        self.set_with(name, help, &[], value);
    }

    /// Sets the gauge `name` with these labels.
    pub(crate) fn set_with(&mut self, name: &'static str, help: &'static str, labels: &[(&str, &str)], value: f64) {
        let mut labels: Vec<String> =
            labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
        labels.sort();
        let family = self.families.entry(name).or_insert_with(|| Family { help, samples: BTreeMap::new() });
        family.samples.insert(labels.join(","), value);
    }

    /// The page.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        for (name, Family { help, samples }) in &self.families {
            // Writing to a string can't fail.
            let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} gauge");
            for (labels, value) in samples {
                let value = number(*value);
                let _ = match labels.as_str() {
                    "" => writeln!(text, "{name} {value}"),
                    labels => writeln!(text, "{name}{{{labels}}} {value}"),
                };
            }
        }
        text
    }
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

/// `value` in Go's `%g`: the fewest digits that say it, with an exponent from a million on and below a
/// ten-thousandth.
pub(crate) fn number(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value < 0.0 { "-Inf" } else { "+Inf" }.to_owned();
    }
    let scientific = format!("{value:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..EXPONENT_FROM).contains(&exponent) {
        return value.to_string();
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_go_writes_them() {
        let check = |value: f64, expected: &str| assert_eq!(number(value), expected);
        check(0.0, "0");
        check(-1.0, "-1");
        check(200.0, "200");
        check(1.1, "1.1");
        check(123_456.0, "123456");
        check(1_234_567.0, "1.234567e+06");
        check(3_668_918_509.0, "3.668918509e+09");
        check(-62_135_596_800.0, "-6.21355968e+10");
        check(0.000_1, "0.0001");
        check(0.000_054_664, "5.4664e-05");
        check(119.5, "119.5");
        check(1_795_314_874.303_691_1, "1.7953148743036911e+09");
        check(f64::NAN, "NaN");
        check(f64::INFINITY, "+Inf");
    }

    #[test]
    fn a_page_is_sorted_and_its_labels_escaped() {
        let mut gauges = Gauges::default();
        gauges.set("probe_success", "Whether.", 1.0);
        gauges.set_with("probe_info", "Info.", &[("b", "x\"\\\n"), ("a", "1")], 1.0);
        gauges.set_with("probe_info", "Info.", &[("b", "0"), ("a", "1")], 1.0);
        let expected = "# HELP probe_info Info.\n# TYPE probe_info gauge\nprobe_info{a=\"1\",b=\"0\"} 1\n\
                        probe_info{a=\"1\",b=\"x\\\"\\\\\\n\"} 1\n\
                        # HELP probe_success Whether.\n# TYPE probe_success gauge\nprobe_success 1\n";
        assert_eq!(gauges.text(), expected);
    }
}
