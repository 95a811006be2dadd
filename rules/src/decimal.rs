//! Exact decimals: percentages and money, read as written and never through floats.

use alloc::string::String;
use core::fmt;
use core::str::FromStr;

/// Digits after the point that a percentage may have.
const PERCENT_DIGITS: u32 = 9;
/// One percent in units of a [`Percent`].
const ONE_PERCENT: u64 = 10u64.pow(PERCENT_DIGITS);

/// A percentage from 0 to 100, exact to nine digits after the point.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Percent(u64);

impl Percent {
    /// Nothing.
    pub const ZERO: Percent = Percent(0);
    /// All of it.
    pub const HUNDRED: Percent = Percent(100 * ONE_PERCENT);

    /// The percentage as a numerator over [`Percent::DENOMINATOR`].
    pub fn numerator(self) -> u128 {
        u128::from(self.0)
    }

    /// What [`Percent::numerator`] is over, for a fraction of one.
    pub const DENOMINATOR: u128 = 100 * ONE_PERCENT as u128;
}

/// A text that is no decimal of the kind wanted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not {wanted}")]
pub struct NotADecimal {
    pub(crate) text: String,
    pub(crate) wanted: &'static str,
}

impl FromStr for Percent {
    type Err = NotADecimal;

    fn from_str(text: &str) -> Result<Percent, NotADecimal> {
        let wanted = "a percentage from 0 to 100 with at most nine digits after the point, such as 99.9";
        scaled(text, PERCENT_DIGITS)
            .filter(|value| *value <= Percent::HUNDRED.0)
            .map(Percent)
            .ok_or_else(|| NotADecimal { text: text.into(), wanted })
    }
}

impl fmt::Display for Percent {
    /// All digits that are there, no trailing zeros: `99.9`, `5`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, mut rest) = (self.0 / ONE_PERCENT, self.0 % ONE_PERCENT);
        if rest == 0 {
            return write!(f, "{whole}");
        }
        let mut width = PERCENT_DIGITS as usize;
        while rest.is_multiple_of(10) {
            rest /= 10;
            width -= 1;
        }
        write!(f, "{whole}.{rest:0width$}")
    }
}

impl fmt::Debug for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self} %")
    }
}

/// A currency, by its three-letter code.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency([u8; 3]);

impl Currency {
    /// The ISO 4217 code.
    pub fn code(&self) -> &str {
        core::str::from_utf8(&self.0).expect("a currency is made of three ASCII letters")
    }

    /// How many digits its minor unit has: 0 for the won and the yen, 2 for most.
    pub fn digits(&self) -> u32 {
        match self.code() {
            "BIF" | "CLP" | "DJF" | "GNF" | "ISK" | "JPY" | "KMF" | "KRW" | "PYG" | "RWF" | "UGX" | "VND" | "VUV"
            | "XAF" | "XOF" | "XPF" => 0,
            "BHD" | "IQD" | "JOD" | "KWD" | "LYD" | "OMR" | "TND" => 3,
            _ => 2,
        }
    }

    /// Reads an amount such as `1200.50` as minor units of this currency.
    pub fn amount(&self, text: &str) -> Result<Money, NotADecimal> {
        let wanted = "an amount of money in this currency, such as 1200000, with no more digits than it has";
        scaled(text, self.digits()).map(Money).ok_or_else(|| NotADecimal { text: text.into(), wanted })
    }
}

impl FromStr for Currency {
    type Err = NotADecimal;

    fn from_str(text: &str) -> Result<Currency, NotADecimal> {
        match text.as_bytes() {
            &[a, b, c] if [a, b, c].iter().all(u8::is_ascii_uppercase) => Ok(Currency([a, b, c])),
            _ => {
                Err(NotADecimal { text: text.into(), wanted: "a currency code of three capital letters, such as KRW" })
            }
        }
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// An amount in minor units (won, cents) of the currency that stands beside it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Money(pub u64);

/// `text` as an integer of `10^-digits`; nothing if it has more digits, a sign or no digit at all.
pub(crate) fn scaled(text: &str, digits: u32) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !is_number(whole) || !is_number(fraction) || text.ends_with('.') {
        return None;
    }
    let fraction = fraction.trim_end_matches('0');
    let missing = digits.checked_sub(u32::try_from(fraction.len()).ok()?)?;
    let whole: u64 = whole.parse().ok()?;
    let fraction: u64 = if fraction.is_empty() { 0 } else { fraction.parse().ok()? };
    let unit = 10u64.pow(digits);
    whole.checked_mul(unit)?.checked_add(fraction.checked_mul(10u64.pow(missing))?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn a_percentage_is_read_and_printed_as_written() {
        for text in ["99.9", "0", "100", "99.999999999", "5"] {
            assert_eq!(text.parse::<Percent>().unwrap().to_string(), text);
        }
        assert_eq!("99.90".parse::<Percent>().unwrap(), "99.9".parse().unwrap());
    }

    #[test]
    fn what_is_no_percentage_is_refused() {
        for text in ["", ".5", "1.", "-1", "100.000000001", "1e2", "0.0000000001", "9 "] {
            assert!(text.parse::<Percent>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn money_counts_the_minor_units_of_its_currency() {
        let check = |code: &str, text: &str, units| {
            assert_eq!(code.parse::<Currency>().unwrap().amount(text).ok(), units);
        };
        check("KRW", "1200000", Some(Money(1_200_000)));
        check("KRW", "0.5", None);
        check("USD", "12.5", Some(Money(1250)));
        check("KWD", "1.234", Some(Money(1234)));
    }
}
