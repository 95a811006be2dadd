//! How long a probe may take: the module's word, the scrape's, and what is left for the way back.

use std::time::Duration;

/// How long a scrape lasts that doesn't say.
const SCRAPE_DEFAULT: f64 = 120.0;
/// The longest that anything lasts, in seconds: a day is beyond every scrape.
const SECONDS_MAX: f64 = 86_400.0;

/// The seconds that a probe may take, by the module's timeout, the scrape's own (the header's text,
/// if it came), and the offset that is kept back from it. The module's own is not shortened.
pub(crate) fn seconds(module: Duration, scrape: Option<&str>, offset: f64) -> Result<f64, String> {
    let given = match scrape {
        None | Some("") => 0.0,
        Some(text) => read(text)?,
    };
    let scrape = if given == 0.0 { SCRAPE_DEFAULT } else { given };
    let (module, most) = (module.as_secs_f64(), scrape - offset);
    Ok(if module < most && 0.0 < module || most < 0.0 { module } else { most })
}

/// `seconds` as a length of time that can be waited for.
pub(crate) fn length(seconds: f64) -> Duration {
    Duration::from_secs_f64(if seconds.is_finite() { seconds.clamp(0.0, SECONDS_MAX) } else { 0.0 })
}

fn read(text: &str) -> Result<f64, String> {
    text.parse().map_err(|_| format!("strconv.ParseFloat: parsing {}: invalid syntax", super::parameters::quoted(text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shortest_of_module_and_scrape_counts_and_only_the_scrape_is_shortened() {
        let check = |module: f64, scrape: Option<&str>, offset: f64, expected: f64| {
            let module = Duration::from_secs_f64(module);
            assert_eq!(seconds(module, scrape, offset), Ok(expected), "{module:?}, {scrape:?}, {offset}");
        };
        check(0.0, Some("15"), 0.5, 14.5);
        check(20.0, Some("15"), 0.5, 14.5);
        check(5.0, Some("15"), 0.5, 5.0);
        check(10.0, None, 0.5, 10.0);
        check(10.0, Some("10"), 0.5, 9.5);
        check(9.5, None, 1.0, 9.5);
        check(9.5, Some(""), 1.0, 9.5);
        check(0.0, None, 0.5, 119.5);
        check(0.0, None, 0.0, 120.0);
        check(0.0, Some("0"), 0.5, 119.5);
        check(7.0, Some("0.2"), 0.5, 7.0);
    }

    #[test]
    fn what_is_no_number_is_refused_in_gos_words() {
        let refused = seconds(Duration::ZERO, Some("soon"), 0.5).unwrap_err();
        assert_eq!(refused, "strconv.ParseFloat: parsing \"soon\": invalid syntax");
    }

    #[test]
    fn no_number_makes_a_wait_that_can_not_be_waited_for() {
        for odd in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1.0, 1e300] {
            assert!(length(odd) <= Duration::from_secs(86_400));
        }
    }
}
