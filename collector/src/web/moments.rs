//! Instants as people write and read them: in an agreement's zone, with the offset in sight.

use crate::render::figures::Local;
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};
use rules::period::Zone;
use rules::time::Timestamp;

/// `at` in `zone` with its offset: `2026-10-05 09:00:00 +09:00`.
pub(super) fn shown(at: Timestamp, zone: &Zone) -> String {
    Local::with_offset(zone).instant(at)
}

/// The minute of `at`, as a form suggests it.
pub(super) fn minute(at: Timestamp, zone: &Zone) -> String {
    shown(Timestamp::from_millis(at.as_millis().div_euclid(60_000) * 60_000), zone)
}

/// The instant that somebody wrote: a local time of `zone`, or one with its own offset.
pub(super) fn read(text: &str, zone: &Zone) -> Result<Timestamp, String> {
    let text = text.trim().replace('−', "-");
    if text.is_empty() {
        return Err("it is empty; write it as `2026-10-05 09:00`".to_owned());
    }
    if let Ok(local) = text.parse::<DateTime>()
        && !has_offset(&text)
    {
        return of_local(local, zone);
    }
    // People put a space before the offset, as pages show it.
    let closed: String = text.split_whitespace().collect::<Vec<_>>().join("T").replace("T+", "+").replace("T-", "-");
    let instant = closed.replace("TZ", "Z").parse::<jiff::Timestamp>();
    let instant =
        instant.map_err(|_| format!("`{text}` is no time; write it as `2026-10-05 09:00`, seconds if need be"))?;
    Ok(Timestamp::from_millis(instant.as_millisecond()))
}

/// Whether the time of day is followed by an offset.
fn has_offset(text: &str) -> bool {
    let time = text.split_once([' ', 'T']).map_or("", |(_, time)| time);
    time.contains(['+', '-', 'Z', 'z'])
}

fn of_local(local: DateTime, zone: &Zone) -> Result<Timestamp, String> {
    let name = zone.name();
    let unknown = |_| format!("the zone `{name}` is not known here; write the offset behind it, such as `+09:00`");
    let zone = TimeZone::get(name).map_err(unknown)?;
    let ambiguous = zone.to_ambiguous_timestamp(local);
    match ambiguous.offset() {
        AmbiguousOffset::Unambiguous { .. } => {}
        AmbiguousOffset::Gap { .. } => {
            return Err(format!("clocks in {name} skip this time; write one that there is"));
        }
        AmbiguousOffset::Fold { before, after } => {
            return Err(format!("clocks in {name} show this time twice; write `{before}` or `{after}` behind it"));
        }
    }
    let instant = ambiguous.unambiguous().map_err(|error| error.to_string())?;
    Ok(Timestamp::from_millis(instant.as_millisecond()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(zone: &str, text: &str, expected: Result<&str, &str>) {
        let zone: Zone = zone.parse().unwrap();
        match (read(text, &zone), expected) {
            (Ok(at), Ok(expected)) => assert_eq!(at, expected.parse().unwrap(), "{text}"),
            (Err(why), Err(expected)) => assert!(why.contains(expected), "{text}: {why}"),
            (read, expected) => panic!("{text}: {read:?}, not {expected:?}"),
        }
    }

    #[test]
    fn a_time_is_the_agreements_unless_it_says_otherwise() {
        check("Asia/Seoul", "2026-10-05 09:00", Ok("2026-10-05T00:00:00Z"));
        check("Asia/Seoul", " 2026-10-05T09:00:30 ", Ok("2026-10-05T00:00:30Z"));
        check("Asia/Seoul", "2026-10-05 09:00 +00:00", Ok("2026-10-05T09:00:00Z"));
        check("Asia/Seoul", "2026-10-05T09:00:00Z", Ok("2026-10-05T09:00:00Z"));
        check("America/New_York", "2026-10-05 09:00:00 −04:00", Ok("2026-10-05T13:00:00Z"));
    }

    #[test]
    fn what_is_shown_can_be_written() {
        for (zone, at) in [("Asia/Seoul", "2026-10-05T00:00:00.250Z"), ("America/New_York", "2026-11-01T06:30:00Z")] {
            let (zone, at): (Zone, Timestamp) = (zone.parse().unwrap(), at.parse().unwrap());
            assert_eq!(read(&shown(at, &zone), &zone), Ok(at), "{}", shown(at, &zone));
        }
    }

    #[test]
    fn a_time_that_there_is_twice_or_never_is_refused() {
        check("Europe/Berlin", "2026-10-25 02:30", Err("show this time twice; write `+02` or `+01` behind it"));
        check("Europe/Berlin", "2026-10-25 02:30 +01:00", Ok("2026-10-25T01:30:00Z"));
        check("Europe/Berlin", "2026-03-29 02:30", Err("skip this time"));
        check("Europe/Berlin", "tomorrow", Err("`tomorrow` is no time"));
        check("Europe/Berlin", "", Err("it is empty"));
    }
}
