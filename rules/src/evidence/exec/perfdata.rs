//! Performance data of a Nagios plugin: `'label'=value[UOM];[warn];[crit];[min];[max]`, apart by spaces.
//!
//! A value is brought to its base unit (seconds, bytes, a ratio), and its thresholds with it where
//! they are plain numbers. What can't be read is left out; it never spoils what stands beside it.

use crate::evidence::Said;
use alloc::string::String;
use alloc::vec::Vec;

/// The most values kept of one answer: more than any plugin of Debian's has on an ordinary machine.
pub const PERFDATA_MAX: usize = 32;
/// The longest label kept; the guidelines ask for 19.
const LABEL_BYTES_MAX: usize = 64;

/// One value that a plugin measured.
#[derive(Clone, PartialEq, Debug)]
pub struct Perfdata {
    /// What it is of, in the plugin's words.
    pub label: Said,
    /// How much, in the base unit.
    pub value: f64,
    /// The base unit; empty if the plugin named none, or one that is not known here.
    pub unit: &'static str,
    /// From where the plugin warns, if that is a plain number.
    pub warning: Option<f64>,
    /// From where it calls the value critical, if that is a plain number.
    pub critical: Option<f64>,
    /// The least possible value.
    pub min: Option<f64>,
    /// The greatest possible value.
    pub max: Option<f64>,
}

/// Units as plugins write them, in small letters: the base unit, and how much of it one is.
const UNITS: [(&str, &str, f64); 16] = [
    ("", "", 1.0),
    ("c", "", 1.0),
    ("s", "seconds", 1.0),
    ("ms", "seconds", 1e-3),
    ("us", "seconds", 1e-6),
    ("ns", "seconds", 1e-9),
    ("%", "ratio", 1e-2),
    ("b", "bytes", 1.0),
    ("kb", "bytes", 1e3),
    ("mb", "bytes", 1e6),
    ("gb", "bytes", 1e9),
    ("tb", "bytes", 1e12),
    ("kib", "bytes", 1_024.0),
    ("mib", "bytes", 1_048_576.0),
    ("gib", "bytes", 1_073_741_824.0),
    ("tib", "bytes", 1_099_511_627_776.0),
];

/// Reads at most [`PERFDATA_MAX`] values; of several with one label the first stands.
pub(super) fn read(text: &str) -> Vec<Perfdata> {
    let mut read: Vec<Perfdata> = Vec::new();
    let mut rest = text;
    while let (Some((label, data)), true) = (split_label(rest), read.len() < PERFDATA_MAX) {
        let end = data.find(char::is_whitespace).unwrap_or(data.len());
        let (data, after) = data.split_at(end);
        rest = after;
        if let Some(measured) = value(label, data)
            && read.iter().all(|earlier| earlier.label != measured.label)
        {
            read.push(measured);
        }
    }
    read
}

/// The next label, unquoted, and everything after its `=`; words that are no performance data are
/// passed over.
fn split_label(text: &str) -> Option<(String, &str)> {
    let mut rest = text.trim_start();
    loop {
        if let Some(quoted) = rest.strip_prefix('\'') {
            if let Some((label, data)) = split_quoted(quoted) {
                return Some((label, data));
            }
        } else {
            let end = rest.find(|c: char| c == '=' || c.is_whitespace())?;
            if let Some(data) = rest[end..].strip_prefix('=') {
                return Some((rest[..end].into(), data));
            }
        }
        // Not a label: on with the next word.
        let end = rest.find(char::is_whitespace)?;
        rest = rest[end..].trim_start();
    }
}

/// A label up to its closing quote, which `=` follows; two quotes within it stand for one.
fn split_quoted(quoted: &str) -> Option<(String, &str)> {
    let mut label = String::new();
    let mut rest = quoted;
    loop {
        let (part, after) = rest.split_once('\'')?;
        label.push_str(part);
        match after.strip_prefix('\'') {
            Some(more) => {
                label.push('\'');
                rest = more;
            }
            None => return after.strip_prefix('=').map(|data| (label, data)),
        }
    }
}

fn value(label: String, data: &str) -> Option<Perfdata> {
    let mut parts = data.split(';');
    let (value, unit) = split_number(parts.next()?)?;
    let unit = unit.to_lowercase();
    let known = UNITS.iter().find(|(word, ..)| *word == unit);
    let (base, factor) = known.map_or(("", 1.0), |(_, base, factor)| (*base, *factor));
    let mut next =
        || parts.next().and_then(split_number).filter(|(_, rest)| rest.is_empty()).map(|(bound, _)| bound * factor);
    let (warning, critical, min, max) = (next(), next(), next(), next());
    let end = label.char_indices().map(|(at, c)| at + c.len_utf8()).take_while(|&end| end <= LABEL_BYTES_MAX).last()?;
    let label = Said::new(&label[..end]);
    Some(Perfdata { label, value: value * factor, unit: base, warning, critical, min, max })
}

/// A finite number, which may have a comma as some locales write it, and what follows it.
fn split_number(text: &str) -> Option<(f64, &str)> {
    let is_number = |c: char| c.is_ascii_digit() || matches!(c, '.' | ',' | '-' | '+');
    let mut end = text.find(|c| !is_number(c)).unwrap_or(text.len());
    // An exponent, as `%g` writes it.
    if let Some(exponent) = text[end..].strip_prefix(['e', 'E'])
        && exponent.trim_start_matches(['+', '-']).starts_with(|c: char| c.is_ascii_digit())
    {
        end += 1 + exponent.find(|c| !is_number(c)).unwrap_or(exponent.len());
    }
    let number: f64 = text[..end].replace(',', ".").parse().ok()?;
    number.is_finite().then_some((number, &text[end..]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;
    use proptest::prelude::*;

    #[track_caller]
    fn check(text: &str, expected: &[(&str, f64, &str)]) {
        let found = read(text);
        let found: Vec<_> = found.iter().map(|one| (one.label.as_str(), one.value, one.unit)).collect();
        assert_eq!(found, expected, "{text:?}");
    }

    #[test]
    fn values_come_in_base_units() {
        check("time=0.006s;;;0.000 size=177B;;;0", &[("time", 0.006, "seconds"), ("size", 177.0, "bytes")]);
        check("rta=250ms;;;; pl=25%", &[("rta", 0.25, "seconds"), ("pl", 0.25, "ratio")]);
        check(
            "a=1KB b=1KiB c=12c d=-3 e=1.5e3us",
            &[
                ("a", 1000.0, "bytes"),
                ("b", 1024.0, "bytes"),
                ("c", 12.0, ""),
                ("d", -3.0, ""),
                ("e", 1.5e3 * 1e-6, "seconds"),
            ],
        );
        check("t=21,5degrees", &[("t", 21.5, "")]);
    }

    #[test]
    fn labels_may_be_quoted_and_hold_spaces_and_quotes() {
        check("'free space'=3 'it''s'=4 /var=5", &[("free space", 3.0, ""), ("it's", 4.0, ""), ("/var", 5.0, "")]);
    }

    #[test]
    fn what_cannot_be_read_spoils_nothing_beside_it() {
        check("garbage a=U b=1 'open=2 c=x d=2 =3 e=", &[("b", 1.0, ""), ("d", 2.0, "")]);
        check("a=1 a=2", &[("a", 1.0, "")]);
        check("a=inf b=nan c=1e999 d=--1", &[]);
        check("", &[]);
    }

    #[test]
    fn thresholds_that_are_plain_numbers_come_along_and_ranges_do_not() {
        let one = &read("load1=1.890;100.000;200.000;0;")[0];
        assert_eq!((one.warning, one.critical, one.min, one.max), (Some(100.0), Some(200.0), Some(0.0), None));
        let one = &read("users=3;@10:20;~:5;0")[0];
        assert_eq!((one.warning, one.critical, one.min), (None, None, Some(0.0)));
        let one = &read("pl=25%;50;100")[0];
        assert_eq!((one.warning, one.critical), (Some(0.5), Some(1.0)));
    }

    #[test]
    fn labels_and_their_number_have_a_limit() {
        let many: String = (0..1000).map(|number| format!("l{number}=1 ")).collect();
        assert_eq!(read(&many).len(), PERFDATA_MAX);
        let long = read(&format!("{}=1", "가".repeat(100)));
        assert_eq!(long[0].label.as_str().len(), 63);
        assert_eq!(read("a\u{1b}b=1")[0].label.as_str(), "a\\u{1b}b");
    }

    proptest! {
        #[test]
        fn no_output_makes_the_reader_panic(text in "(?s).{0,60}|['=; a1.,%e+-]{0,60}") {
            prop_assert!(read(&text).iter().all(|one| one.value.is_finite() || one.value.abs() > 1.0));
        }
    }
}
