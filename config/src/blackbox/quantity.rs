//! Durations and sizes in Go's spelling, both ways.

use std::time::Duration;

/// Reads what `time.ParseDuration` reads; a negative duration is none that a module can use.
pub(super) fn duration(given: &str) -> Option<Duration> {
    let given = given.strip_prefix('+').unwrap_or(given);
    // Days are ours, not Go's, and Go lets a number begin or end with its point.
    let unit = |c: char| c.is_ascii_alphabetic() || c == 'µ' || c == 'μ';
    let units = given.split(|c: char| c.is_ascii_digit() || c == '.').filter(|unit| !unit.is_empty());
    if units.clone().any(|word| word == "d" || !word.chars().all(unit)) {
        return None;
    }
    let mut spelled = String::new();
    let mut before = ' ';
    for c in given.chars() {
        match (before, c) {
            ('0'..='9', '.') => {}
            (_, '.') => spelled.push('0'),
            ('.', c) if !c.is_ascii_digit() => spelled.push('0'),
            _ => {}
        }
        spelled.push(c);
        before = c;
    }
    crate::scalar::parse_duration(&spelled).ok()
}

/// How Go writes `length`: `1m30s`, `2h0m0s`, `1.5s`, `250ms`.
pub(super) fn duration_text(length: Duration) -> String {
    let nanos = length.as_nanos();
    let fraction = |value: u128, unit: u128| {
        let digits = format!("{:0width$}", value % unit, width = unit.ilog10() as usize);
        let digits = digits.trim_end_matches('0');
        if digits.is_empty() || unit == 1 { (value / unit).to_string() } else { format!("{}.{digits}", value / unit) }
    };
    match nanos {
        0 => "0s".to_owned(),
        1..1_000 => format!("{nanos}ns"),
        1_000..1_000_000 => format!("{}µs", fraction(nanos, 1_000)),
        1_000_000..1_000_000_000 => format!("{}ms", fraction(nanos, 1_000_000)),
        _ => {
            let (hours, minutes) = (nanos / 3_600_000_000_000, nanos / 60_000_000_000 % 60);
            let seconds = fraction(nanos % 60_000_000_000, 1_000_000_000);
            match (hours, minutes) {
                (0, 0) => format!("{seconds}s"),
                (0, minutes) => format!("{minutes}m{seconds}s"),
                (hours, minutes) => format!("{hours}h{minutes}m{seconds}s"),
            }
        }
    }
}

/// The units of sizes: each 1024 of the one before, whichever way it is written.
const UNITS: [char; 6] = ['K', 'M', 'G', 'T', 'P', 'E'];

/// Reads what `units.ParseBase2Bytes` reads: `10MB` and `10MiB` are both ten times 1024².
pub(super) fn size(given: &str) -> Result<u64, String> {
    let invalid = || format!("units: invalid {given}");
    if given == "0" {
        return Ok(0);
    }
    let (mut rest, mut total) = (given, 0_f64);
    if rest.is_empty() {
        return Err(invalid());
    }
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let number: f64 = rest[..end].parse().map_err(|_| invalid())?;
        let after = &rest[end..];
        let end = after.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(after.len());
        let (unit, after) = after.split_at(end);
        if unit.is_empty() {
            return Err(format!("units: missing unit in {given}"));
        }
        let factor = factor(unit).ok_or_else(|| format!("units: unknown unit {unit} in {given}"))?;
        total += number * factor;
        rest = after;
    }
    // Beyond what a file of modules can mean, the cast stops at the largest number.
    Ok(total as u64)
}

fn factor(unit: &str) -> Option<f64> {
    let prefix = unit.strip_suffix("iB").or_else(|| unit.strip_suffix('B'))?;
    let mut letters = prefix.chars();
    match (letters.next(), letters.next()) {
        (None, _) => (unit == "B").then_some(1.0),
        (Some(letter), None) => {
            let index = UNITS.iter().position(|known| *known == letter.to_ascii_uppercase())?;
            Some(1024_f64.powi(i32::try_from(index).ok()? + 1))
        }
        (Some(_), Some(_)) => None,
    }
}

/// How Go writes a size: `10MiB`, `1GiB512MiB`.
pub(super) fn size_text(bytes: u64) -> String {
    let mut text = String::new();
    for (index, letter) in UNITS.iter().enumerate().rev() {
        let unit = 1_u64 << (10 * (index + 1));
        let count = if index + 1 == UNITS.len() { bytes / unit } else { bytes / unit % 1024 };
        if count != 0 {
            text.push_str(&format!("{count}{letter}iB"));
        }
    }
    match bytes % 1024 {
        0 if !text.is_empty() => text,
        rest => format!("{text}{rest}B"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_and_written_as_go_does() {
        let check = |given: &str, expected: Option<&str>| {
            assert_eq!(duration(given).map(duration_text).as_deref(), expected, "{given}");
        };
        check("5s", Some("5s"));
        check("1m30s", Some("1m30s"));
        check("90s", Some("1m30s"));
        check("2h", Some("2h0m0s"));
        check("1500ms", Some("1.5s"));
        check(".5s", Some("500ms"));
        check("1.s", Some("1s"));
        check("250us", Some("250µs"));
        check("0", Some("0s"));
        for wrong in ["", "5", "1d", "-5s", "s", "5 s", "."] {
            check(wrong, None);
        }
    }

    #[test]
    fn a_size_has_units_of_1024_whatever_they_are_called() {
        let check = |given: &str, expected: Result<&str, &str>| {
            assert_eq!(size(given).map(size_text), expected.map(str::to_owned).map_err(str::to_owned), "{given}");
        };
        check("10MB", Ok("10MiB"));
        check("10MiB", Ok("10MiB"));
        check("1GB512MB", Ok("1GiB512MiB"));
        check("1.5KB", Ok("1KiB512B"));
        check("100B", Ok("100B"));
        check("10", Err("units: missing unit in 10"));
        check("10XB", Err("units: unknown unit XB in 10XB"));
        check("x", Err("units: invalid x"));
    }
}
