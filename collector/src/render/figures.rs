//! How figures are written for people: lengths, instants, money, percentages; cut, never rounded.

use rules::agreement::Language;
use rules::decimal::{Currency, Money};
use rules::interval::Interval;
use rules::period::Zone;
use rules::time::Timestamp;
use std::fmt::Write as _;
use std::time::Duration;

/// Whole milliseconds of `length`.
pub(crate) fn millis(length: Duration) -> u64 {
    u64::try_from(length.as_millis()).unwrap_or(u64::MAX)
}

/// `part` of `whole` as a percentage cut to four decimals; nothing of nothing.
pub(crate) fn cut_percent(part: u64, whole: u64) -> Option<String> {
    let cut = (u128::from(part) * 1_000_000).checked_div(u128::from(whole))?;
    Some(format!("{}.{:04}", cut / 10_000, cut % 10_000))
}

/// A length to the millisecond in units that people say: `1 d 2 h 3 min 4.005 s`.
pub(crate) fn length(length: Duration, language: Language) -> String {
    let units = match language {
        Language::English => [" d", " h", " min", " s"],
        Language::Korean => ["일", "시간", "분", "초"],
    };
    let (seconds, rest_ms) = (length.as_secs(), length.subsec_millis());
    let whole = [seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60];
    let mut parts: Vec<String> = whole
        .iter()
        .zip(units)
        .filter(|(count, _)| 0 < **count)
        .map(|(count, unit)| format!("{count}{unit}"))
        .collect();
    let seconds = seconds % 60;
    match rest_ms {
        0 if seconds == 0 && !parts.is_empty() => {}
        0 => parts.push(format!("{seconds}{}", units[3])),
        _ => parts.push(format!("{seconds}.{}{}", format!("{rest_ms:03}").trim_end_matches('0'), units[3])),
    }
    parts.join(" ")
}

/// Microseconds as milliseconds, cut to three decimals: `674.36 ms`.
pub(crate) fn latency(micros: u64) -> String {
    let (whole, rest) = (micros / 1_000, micros % 1_000);
    if rest == 0 {
        return format!("{} ms", grouped(whole));
    }
    format!("{}.{} ms", grouped(whole), format!("{rest:03}").trim_end_matches('0'))
}

/// Microseconds from a histogram, cut to the two significant digits that it has: `580 ms`.
pub(crate) fn about(micros: u64) -> String {
    let unit = 10u64.pow(micros.checked_ilog10().unwrap_or(0).saturating_sub(1));
    latency(micros / unit * unit)
}

/// Digits in groups of three: `1,200,000`.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.char_indices() {
        if 0 < index && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// An amount with its currency: `1,200,000 KRW`, `1,200.50 USD`, and as contracts write it `1,200,000원`.
pub(crate) fn money(amount: Money, currency: Currency, language: Language) -> String {
    let unit = 10u64.pow(currency.digits());
    let mut text = grouped(amount.0 / unit);
    if 1 < unit {
        let width = currency.digits() as usize;
        let _ = write!(text, ".{:0width$}", amount.0 % unit);
    }
    match (currency.code(), language) {
        ("KRW", Language::Korean) => format!("{text}원"),
        (code, Language::Korean | Language::English) => format!("{text} {code}"),
    }
}

/// Writes instants in a zone, with their offset where a stretch of time has two.
pub(crate) struct Local<'a> {
    zone: &'a Zone,
    offset: Offset,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Offset {
    Shown,
    Constant,
}

impl<'a> Local<'a> {
    /// For pages about `stretch`.
    pub(crate) fn new(zone: &'a Zone, stretch: Interval) -> Local<'a> {
        let changes = zone.offset_seconds(stretch.from()) != zone.offset_seconds(stretch.until());
        Local { zone, offset: if changes { Offset::Shown } else { Offset::Constant } }
    }

    /// For single instants, whose offset is always shown.
    pub(crate) fn with_offset(zone: &'a Zone) -> Local<'a> {
        Local { zone, offset: Offset::Shown }
    }

    /// Date and time to the millisecond, without a fraction that is zero.
    pub(crate) fn instant(&self, at: Timestamp) -> String {
        let fraction = if at.as_millis().rem_euclid(1_000) == 0 { "%F %T" } else { "%F %T.%3f" };
        self.written(at, fraction)
    }

    /// The date.
    pub(crate) fn date(&self, at: Timestamp) -> String {
        self.civil(at).strftime("%F").to_string()
    }

    /// The time of day, without seconds.
    pub(crate) fn hour_minute(&self, at: Timestamp) -> String {
        self.civil(at).strftime("%H:%M").to_string()
    }

    /// The day of the month.
    pub(crate) fn day(&self, at: Timestamp) -> i8 {
        self.civil(at).day()
    }

    fn written(&self, at: Timestamp, format: &str) -> String {
        let mut text = self.civil(at).strftime(format).to_string();
        if self.offset == Offset::Shown {
            let minutes = self.zone.offset_seconds(at) / 60;
            let sign = if minutes < 0 { '−' } else { '+' };
            let _ = write!(text, " {sign}{:02}:{:02}", minutes.abs() / 60, minutes.abs() % 60);
        }
        text
    }

    fn civil(&self, at: Timestamp) -> jiff::civil::DateTime {
        let offset = jiff::tz::Offset::from_seconds(self.zone.offset_seconds(at)).unwrap_or(jiff::tz::Offset::UTC);
        let instant = jiff::Timestamp::from_millisecond(at.as_millis()).unwrap_or_default();
        offset.to_datetime(instant)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_cut_and_never_rounded() {
        assert_eq!(cut_percent(99_899_999, 100_000_000).as_deref(), Some("99.8999"));
        assert_eq!((cut_percent(1, 1).as_deref(), cut_percent(0, 0)), (Some("100.0000"), None));
        assert_eq!(about(10_027_007), "10,000 ms");
        assert_eq!([0, 7, 99, 581_631].map(about), ["0 ms", "0.007 ms", "0.099 ms", "580 ms"]);
        assert_eq!(latency(674_360), "674.36 ms");
    }

    #[test]
    fn lengths_are_said_in_the_units_that_are_there() {
        let check = |ms: u64, english: &str, korean: &str| {
            let of = Duration::from_millis(ms);
            assert_eq!((length(of, Language::English), length(of, Language::Korean)), (english.into(), korean.into()));
        };
        check(0, "0 s", "0초");
        check(60_000, "1 min", "1분");
        check(93_784_005, "1 d 2 h 3 min 4.005 s", "1일 2시간 3분 4.005초");
        check(86_400_500, "1 d 0.5 s", "1일 0.5초");
    }

    #[test]
    fn money_has_the_digits_of_its_currency() {
        let say = |code: &str, amount, language| money(Money(amount), code.parse().unwrap(), language);
        let check = |code, amount, said: &str| assert_eq!(say(code, amount, Language::English), said);
        assert_eq!(say("KRW", 1_200_000, Language::Korean), "1,200,000원");
        check("KRW", 1_200_000, "1,200,000 KRW");
        check("USD", 120_050, "1,200.50 USD");
        check("KWD", 5, "0.005 KWD");
    }

    #[test]
    fn instants_show_their_offset_only_where_a_month_has_two() {
        let say = |zone: &str, month: &str, at: &str| {
            let zone: Zone = zone.parse().unwrap();
            let stretch = month.parse::<rules::period::Month>().unwrap().interval(&zone);
            Local::new(&zone, stretch).instant(at.parse().unwrap())
        };
        assert_eq!(say("Asia/Seoul", "2026-10", "2026-10-01T00:00:00.5Z"), "2026-10-01 09:00:00.500");
        assert_eq!(say("Europe/Berlin", "2026-10", "2026-10-25T00:30:00Z"), "2026-10-25 02:30:00 +02:00");
        assert_eq!(say("Europe/Berlin", "2026-10", "2026-10-25T01:30:00Z"), "2026-10-25 02:30:00 +01:00");
    }
}
