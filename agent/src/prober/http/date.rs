//! Instants as HTTP writes them (RFC 9110, section 5.6.7).

use jiff::fmt::rfc2822::DateTimeParser;
use jiff::fmt::strtime::BrokenDownTime;
use jiff::tz::TimeZone;
use rules::time::Timestamp;

/// The two old forms that are still to be read.
const OLD_FORMS: [&str; 2] = ["%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"];

/// The instant that `text` names, if it is one.
pub(super) fn read(text: &[u8]) -> Option<Timestamp> {
    let modern = DateTimeParser::new().parse_timestamp(text);
    let instant = modern.ok().or_else(|| {
        OLD_FORMS.iter().find_map(|form| {
            let time = BrokenDownTime::parse(form, text).ok()?.to_datetime().ok()?;
            Some(time.to_zoned(TimeZone::UTC).ok()?.timestamp())
        })
    })?;
    Some(Timestamp::from_millis(instant.as_millisecond()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_forms_of_a_date_name_the_same_instant() {
        for text in ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"] {
            assert_eq!(read(text.as_bytes()), "1994-11-06T08:49:37Z".parse().ok(), "{text}");
        }
        for text in ["", "yesterday", "0", "Sun, 06 Nov 1994"] {
            assert_eq!(read(text.as_bytes()), None, "{text}");
        }
    }
}
