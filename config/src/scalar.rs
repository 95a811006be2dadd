//! Single values from their spelling: durations, sizes, numbers, names, decimals. Never through floats.

use crate::node::Node;
use crate::reading::words::word;
use crate::reading::{Reading, text};
use rules::decimal::Percent;
use rules::time::Timestamp;
use std::fmt::Display;
use std::str::FromStr;
use std::time::Duration;

/// The longest duration: longer ones are slips, and sums of them must not overflow.
const DURATION_MAX: Duration = Duration::from_secs(10 * 366 * 86_400);

/// A text that is no duration or size, in words that say what would be right.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotAQuantity(String);

/// Reads a Go-style duration such as `30s`, `1h30m`, `250ms` or `1.5h`; `d` is 24 hours.
pub fn parse_duration(given: &str) -> Result<Duration, NotAQuantity> {
    let refuse = |why: &str| NotAQuantity(format!("`{}` {why}", given.escape_debug()));
    let example = "is no duration; write one such as `30s`, `5m`, `1h30m` or `250ms`";
    if given == "0" {
        return Ok(Duration::ZERO);
    }
    if given.is_empty() {
        return Err(refuse(example));
    }
    let (mut rest, mut nanos) = (given, 0u128);
    while !rest.is_empty() {
        let (number, after) = split_number(rest).ok_or_else(|| refuse(example))?;
        let unit_end = after.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(after.len());
        let (unit, after) = after.split_at(unit_end);
        let unit_nanos: u128 = match unit {
            "ns" => 1,
            "us" | "µs" | "μs" => 1_000,
            "ms" => 1_000_000,
            "s" => 1_000_000_000,
            "m" => 60_000_000_000,
            "h" => 3_600_000_000_000,
            "d" => 86_400_000_000_000,
            "" => return Err(refuse(&format!("has no unit; write `{given}s` for seconds or `{given}m` for minutes"))),
            _ => return Err(refuse(example)),
        };
        nanos = scaled(number, unit_nanos).and_then(|part| nanos.checked_add(part)).ok_or_else(|| refuse(example))?;
        rest = after;
    }
    match u64::try_from(nanos).map(Duration::from_nanos) {
        Ok(length) if length <= DURATION_MAX => Ok(length),
        _ => Err(refuse("is longer than ten years; write a shorter duration")),
    }
}

/// Reads a size in bytes such as `1GiB`, `10MB` or `4096`.
pub fn parse_size(given: &str) -> Result<u64, NotAQuantity> {
    let refuse = |why: &str| NotAQuantity(format!("`{}` {why}", given.escape_debug()));
    let example = "is no size; write bytes, or a size such as `1GiB`, `512MiB` or `10MB`";
    let (number, unit) = split_number(given).ok_or_else(|| refuse(example))?;
    let factor: u128 = match unit.trim_start() {
        "" | "B" => 1,
        "kB" | "KB" => 1_000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        "TB" => 1_000_000_000_000,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        "TiB" => 1 << 40,
        _ => return Err(refuse(example)),
    };
    let bytes = scaled(number, factor).ok_or_else(|| refuse(example))?;
    u64::try_from(bytes).map_err(|_| refuse("is more than any disk holds; write a smaller size"))
}

/// The digits at the beginning of `given`, with at most one point, and what follows.
fn split_number(given: &str) -> Option<(&str, &str)> {
    let end = given.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(given.len());
    let (number, rest) = given.split_at(end);
    let is_number = number.starts_with(|c: char| c.is_ascii_digit())
        && number.ends_with(|c: char| c.is_ascii_digit())
        && number.matches('.').count() <= 1;
    is_number.then_some((number, rest))
}

/// `number` times `unit`, if that is whole and fits.
fn scaled(number: &str, unit: u128) -> Option<u128> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let fraction = fraction.trim_end_matches('0');
    let whole: u128 = whole.parse().ok()?;
    let mut total = whole.checked_mul(unit)?;
    if !fraction.is_empty() {
        let part = fraction.parse::<u128>().ok()?.checked_mul(unit)?;
        let parts = 10u128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
        if !part.is_multiple_of(parts) {
            return None;
        }
        total = total.checked_add(part / parts)?;
    }
    Some(total)
}

/// How people write `length`: `1h30m`, `5m`, `250ms`; [`parse_duration`] reads it back.
pub fn duration_text(length: Duration) -> String {
    let (seconds, nanos) = (length.as_secs(), length.subsec_nanos());
    let parts = [
        (u128::from(seconds / 3600), "h"),
        (u128::from(seconds / 60 % 60), "m"),
        (u128::from(seconds % 60), "s"),
        (u128::from(nanos / 1_000_000), "ms"),
        (u128::from(nanos / 1_000 % 1_000), "us"),
        (u128::from(nanos % 1_000), "ns"),
    ];
    let shown: String =
        parts.iter().filter(|(count, _)| *count != 0).map(|(count, unit)| format!("{count}{unit}")).collect();
    if shown.is_empty() { "0s".to_owned() } else { shown }
}

/// The same for lengths that people count in days: `41d`.
pub(crate) fn days_text(length: Duration) -> String {
    const DAY: Duration = Duration::from_secs(86_400);
    let days = length.as_secs() / DAY.as_secs();
    if 2 <= days && length == Duration::from_secs(days * DAY.as_secs()) {
        format!("{days}d")
    } else {
        duration_text(length)
    }
}

/// Anything that says itself why a text is not it: names, zones, instants, percentages.
pub(crate) fn parsed<T: FromStr<Err: Display>>(node: &Node, reading: &mut Reading) -> Option<T> {
    let given = text(node, reading)?;
    given.parse().or_else(|error: T::Err| reading.problem(node.at, error.to_string()).ok_or(())).ok()
}

/// A percentage, with or without a percent sign.
pub(crate) fn percent(node: &Node, reading: &mut Reading) -> Option<Percent> {
    let given = text(node, reading)?;
    let digits = given.strip_suffix('%').map_or(given, str::trim_end);
    match digits.parse() {
        Ok(percent) => Some(percent),
        Err(error) => reading.problem(node.at, error.to_string()),
    }
}

/// A duration, zero allowed.
pub(crate) fn duration(node: &Node, reading: &mut Reading) -> Option<Duration> {
    let given = text(node, reading)?;
    match parse_duration(given) {
        Ok(length) => Some(length),
        Err(error) => reading.problem(node.at, error.to_string()),
    }
}

/// A duration longer than nothing, in whole milliseconds.
pub(crate) fn length(node: &Node, reading: &mut Reading) -> Option<Duration> {
    let length = duration(node, reading)?;
    if length < Duration::from_millis(1) || length.subsec_nanos() % 1_000_000 != 0 {
        let given = duration_text(length);
        return reading.problem(
            node.at,
            format!("`{given}` is not a whole number of milliseconds above zero; write one such as `250ms` or `30s`"),
        );
    }
    Some(length)
}

/// A size in bytes.
pub(crate) fn size(node: &Node, reading: &mut Reading) -> Option<u64> {
    let given = text(node, reading)?;
    match parse_size(given) {
        Ok(bytes) => Some(bytes),
        Err(error) => reading.problem(node.at, error.to_string()),
    }
}

/// A whole number above zero.
pub(crate) fn count(node: &Node, reading: &mut Reading) -> Option<u32> {
    let given = text(node, reading)?;
    match whole(given) {
        Some(number) if 0 < number => Some(number),
        _ => {
            reading.problem(node.at, format!("`{}` is not a number; write a whole number from 1", given.escape_debug()))
        }
    }
}

/// Digits alone as a number: no sign, no underscore, no base.
pub(crate) fn whole<T: FromStr>(given: &str) -> Option<T> {
    let is_plain = given.bytes().all(|byte| byte.is_ascii_digit());
    given.parse().ok().filter(|_| is_plain)
}

/// `true` or `false`.
pub(crate) fn truth(node: &Node, reading: &mut Reading) -> Option<bool> {
    word(&[("true", true), ("false", false)])(node, reading)
}

/// An instant: RFC 3339 with an offset.
pub(crate) fn instant(node: &Node, reading: &mut Reading) -> Option<Timestamp> {
    parsed(node, reading)
}

/// A name that no page and no file can be broken with.
pub(crate) fn name(node: &Node, reading: &mut Reading) -> Option<String> {
    match rules::id::read_name(text(node, reading)?) {
        Ok(name) => Some((*name).to_owned()),
        Err(error) => reading.problem(node.at, error.to_string()),
    }
}

/// Any text that is not empty.
pub(crate) fn words(node: &Node, reading: &mut Reading) -> Option<String> {
    match text(node, reading)? {
        "" => reading.problem(node.at, "nothing stands between the quotes; write some text, or leave the key out"),
        given => Some(given.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn durations_are_read_as_go_writes_them() {
        let check = |given: &str, expected: Option<u64>| {
            assert_eq!(parse_duration(given).ok(), expected.map(Duration::from_millis), "{given}");
        };
        check("30s", Some(30_000));
        check("5m", Some(300_000));
        check("300s", Some(300_000));
        check("1h30m", Some(5_400_000));
        check("250ms", Some(250));
        check("1.5h", Some(5_400_000));
        check("10d", Some(864_000_000));
        check("0", Some(0));
        for wrong in ["", "30", "s", "-1s", "1 s", "1.s", ".5s", "1e3s", "30sec", "99999999h", "0.0000000001s"] {
            check(wrong, None);
        }
    }

    #[test]
    fn a_duration_without_unit_says_which_unit_to_add() {
        let refusal = parse_duration("30").unwrap_err().to_string();
        assert_eq!(refusal, "`30` has no unit; write `30s` for seconds or `30m` for minutes");
    }

    #[test]
    fn sizes_tell_decimal_from_binary_units() {
        let check = |given: &str, expected: Option<u64>| assert_eq!(parse_size(given).ok(), expected, "{given}");
        check("1GiB", Some(1 << 30));
        check("10MB", Some(10_000_000));
        check("1.5 KiB", Some(1536));
        check("4096", Some(4096));
        for wrong in ["", "GiB", "1Gi", "-1", "1.0001KiB", "99999999999TiB"] {
            check(wrong, None);
        }
    }

    proptest! {
        #[test]
        fn a_duration_is_read_back_as_it_is_written(nanos in 0u64..300_000_000_000_000_000) {
            let length = Duration::from_nanos(nanos);
            prop_assert_eq!(parse_duration(&duration_text(length)), Ok(length));
        }

        #[test]
        fn no_text_makes_the_readers_of_quantities_panic(given in "\\PC{0,40}|[0-9.]{0,60}[a-zµ]{0,3}") {
            let _ = parse_duration(&given);
            let _ = parse_size(&given);
        }
    }
}
