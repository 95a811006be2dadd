//! Decimals of any size, compared as they are written and never through floats.

use alloc::string::String;
use core::cmp::Ordering;
use core::fmt;
use core::str::FromStr;

/// The longest number: the longest that Prometheus writes of a double has 343 bytes.
const NUMBER_BYTES_MAX: usize = 400;

/// A number as written: digits, a point, an exponent, or an infinity.
#[derive(Clone)]
pub struct Number {
    text: String,
    size: Size,
}

/// What a number comes to. `0.digits` times ten to the power of `exponent`; zero has no digits.
#[derive(Clone)]
enum Size {
    Finite { negative: bool, digits: String, exponent: i64 },
    Infinite { negative: bool },
}

/// A text that is no number.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("`{0}` is no number; write digits with at most one point, such as `0.5` or `-3`")]
pub struct NotANumber(String);

impl Number {
    /// Whether it is neither of the infinities.
    pub fn is_finite(&self) -> bool {
        matches!(self.size, Size::Finite { .. })
    }

    /// The nearest float, for those who only show it.
    pub fn as_f64(&self) -> f64 {
        match self.size {
            Size::Infinite { negative: true } => f64::NEG_INFINITY,
            Size::Infinite { negative: false } => f64::INFINITY,
            Size::Finite { .. } => self.text.parse().unwrap_or(f64::NAN),
        }
    }
}

impl FromStr for Number {
    type Err = NotANumber;

    fn from_str(text: &str) -> Result<Number, NotANumber> {
        let refuse = || NotANumber(text.chars().take(40).flat_map(crate::evidence::escaped).collect());
        if NUMBER_BYTES_MAX < text.len() {
            return Err(refuse());
        }
        let (negative, bare) = match text.strip_prefix(['+', '-']) {
            Some(bare) => (text.starts_with('-'), bare),
            None => (false, text),
        };
        let size = if bare == "Inf" { Some(Size::Infinite { negative }) } else { finite(negative, bare) };
        Ok(Number { text: text.into(), size: size.ok_or_else(refuse)? })
    }
}

fn finite(negative: bool, bare: &str) -> Option<Size> {
    let (mantissa, power) = match bare.split_once(['e', 'E']) {
        Some((mantissa, power)) => (mantissa, power.parse::<i32>().ok()?),
        None => (bare, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let is_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if !is_digits(whole) || !is_digits(fraction) || whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let all: String = whole.chars().chain(fraction.chars()).collect();
    let significant = all.trim_start_matches('0');
    let leading = i64::try_from(all.len() - significant.len()).ok()?;
    let digits = significant.trim_end_matches('0');
    if digits.is_empty() {
        return Some(Size::Finite { negative: false, digits: String::new(), exponent: 0 });
    }
    let exponent = i64::try_from(whole.len()).ok()? - leading + i64::from(power);
    Some(Size::Finite { negative, digits: digits.into(), exponent })
}

impl Ord for Number {
    fn cmp(&self, other: &Number) -> Ordering {
        let (left, right) = (self.size.sign(), other.size.sign());
        let by_sign = left.cmp(&right);
        if by_sign != Ordering::Equal {
            return by_sign;
        }
        let by_size = self.size.magnitude().cmp(&other.size.magnitude());
        if left < 0 { by_size.reverse() } else { by_size }
    }
}

impl Size {
    /// -1, 0 or 1.
    fn sign(&self) -> i8 {
        match self {
            Size::Finite { digits, .. } if digits.is_empty() => 0,
            Size::Finite { negative: true, .. } | Size::Infinite { negative: true } => -1,
            Size::Finite { negative: false, .. } | Size::Infinite { negative: false } => 1,
        }
    }

    /// How far from zero, for comparison among numbers of one sign. Digits of equal exponent compare
    /// as texts, for none ends in a zero.
    fn magnitude(&self) -> (i64, &str) {
        match self {
            Size::Finite { digits, exponent, .. } => (*exponent, digits),
            Size::Infinite { .. } => (i64::MAX, ""),
        }
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Number) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Number) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Number {}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl fmt::Debug for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;
    use proptest::prelude::*;

    fn number(text: &str) -> Number {
        text.parse().unwrap()
    }

    #[test]
    fn numbers_are_compared_by_what_they_come_to() {
        let rising =
            ["-Inf", "-1e3", "-99.5", "-1", "-0.5", "0", "1e-30", "0.1", "0.10000000000000000001", "2", "10", "+Inf"];
        for (low, left) in rising.iter().enumerate() {
            for (high, right) in rising.iter().enumerate() {
                assert_eq!(number(left).cmp(&number(right)), low.cmp(&high), "{left} and {right}");
            }
        }
    }

    #[test]
    fn one_number_has_many_spellings() {
        for (left, right) in [("1", "+1.0"), ("0.5", ".5"), ("-0", "0.00"), ("1500", "1.5e3"), ("0.015", "1.5E-2")] {
            assert_eq!(number(left), number(right));
            assert_eq!(number(left).to_string(), left);
        }
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in ["", ".", "-", "1.2.3", "1e", "0x10", "1_000", "NaN", "inf", "1 ", "٣", &"9".repeat(401)] {
            assert!(text.parse::<Number>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn the_order_is_that_of_doubles(left in any::<f64>(), right in any::<f64>()) {
            prop_assume!(left.is_finite() && right.is_finite());
            let order = number(&left.to_string()).cmp(&number(&right.to_string()));
            prop_assert_eq!(Some(order), left.partial_cmp(&right));
        }
    }
}
