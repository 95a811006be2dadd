//! Results as lines of JSON: what `replay` reads, `import` takes in and `evidence export` writes.
//!
//! Strict: a key that isn't known, a cause where nothing failed, an instant outside the calendar or
//! a line too long is refused with its file and line. Order and duplicates mean nothing here; the
//! fold takes care of both. Nothing is judged: a line says what an agent saw.

use rules::note::Note;
use rules::outcome::{Cause, Outcome, OutcomeKind};
use rules::result::{Pace, ProbeResult, SeriesKey, Weight};
use rules::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::io::{BufRead, Read as _};
use std::time::Duration;

/// The longest line in bytes: three names of 200 bytes, escaped, need a tenth of it.
const LINE_BYTES_MAX: usize = 16 * 1024;
/// The longest that an attempt can have taken: a thousand times the longest timeout in use.
const ELAPSED_MAX: Duration = Duration::from_secs(7 * 24 * 3600);

/// One result and the series it belongs to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Line {
    /// The series.
    pub series: SeriesKey,
    /// The result.
    pub result: ProbeResult,
    /// What is kept of its evidence.
    pub note: Option<Note>,
    /// How it was sent, if the line says so.
    pub sent: Option<Sent>,
}

/// How a result came in: what it takes to know whether a statement heard it, and how long it speaks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sent {
    /// The check's `every` and timeout at the time.
    pub pace: Pace,
    /// The lane of its block.
    pub incarnation: u64,
    /// The number of its block.
    pub seq: u64,
}

/// Why results can't be taken from a file.
#[derive(Debug, thiserror::Error)]
pub enum LinesError {
    /// Reading failed.
    #[error("failed to read results from {file}")]
    Unreadable {
        /// The file's name.
        file: String,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// A line is no result.
    #[error("{file}:{line}: {fault}")]
    Wrong {
        /// The file's name.
        file: String,
        /// The line's number, from 1.
        line: u64,
        /// What is wrong with it.
        fault: Fault,
    },
}

/// Why a line is no result.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// It is no object with the keys of a result.
    #[error("not a result: {0}")]
    Shape(String),
    /// A name can't be one.
    #[error("`{key}`: {why}")]
    Name {
        /// Which one.
        key: &'static str,
        /// What is wrong with it.
        why: rules::id::NotAName,
    },
    /// `at` is no instant of the calendar.
    #[error("`at`: {0}")]
    At(String),
    /// `outcome` is none of the three.
    #[error("`outcome`: `{0}` is not `up`, `down` or `void`")]
    Outcome(String),
    /// `cause` stands where nothing failed.
    #[error("`cause` stands beside `up`; leave it out")]
    CauseOfNothing,
    /// `elapsed_us` is longer than any attempt.
    #[error("`elapsed_us`: {0} is longer than seven days")]
    Elapsed(u64),
    /// Only some of the keys stand there that say how a result was sent.
    #[error("`every_us`, `timeout_us`, `incarnation` and `seq` stand together; give all of them or none")]
    HalfSent,
    /// The line is longer than any result.
    #[error("the line is longer than {LINE_BYTES_MAX} bytes")]
    TooLong,
    /// The line is not text.
    #[error("the line is not UTF-8")]
    NotText,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    agent: String,
    service: String,
    check: String,
    at: At,
    outcome: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cause: Option<String>,
    elapsed_us: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    extra: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    every_us: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    timeout_us: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    incarnation: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    seq: Option<u64>,
}

#[derive(Serialize, Deserialize)]
#[serde(untagged, expecting = "`at` must be an RFC 3339 text or integer milliseconds")]
enum At {
    Millis(i64),
    Text(String),
}

/// Reads one line.
pub fn parse(line: &str) -> Result<Line, Fault> {
    let written: Written = serde_json::from_str(line).map_err(|error| Fault::Shape(told(&error)))?;
    let kind = OutcomeKind::from_word(&written.outcome);
    let kind = kind.ok_or_else(|| Fault::Outcome(written.outcome.escape_debug().collect()))?;
    if kind == OutcomeKind::Up && written.cause.is_some() {
        return Err(Fault::CauseOfNothing);
    }
    let elapsed = Duration::from_micros(written.elapsed_us);
    if ELAPSED_MAX < elapsed {
        return Err(Fault::Elapsed(written.elapsed_us));
    }
    let cause = written.cause.as_deref().map(Cause::from_word);
    let weight = if written.extra == Some(true) { Weight::Extra } else { Weight::Slot };
    Ok(Line {
        series: SeriesKey {
            agent: name("agent", &written.agent)?,
            service: name("service", &written.service)?,
            check: name("check", &written.check)?,
        },
        result: ProbeResult { at: instant(&written.at)?, outcome: Outcome::new(kind, cause), elapsed, weight },
        note: written.note.as_deref().and_then(Note::new),
        sent: sent(&written)?,
    })
}

fn sent(written: &Written) -> Result<Option<Sent>, Fault> {
    match (written.every_us, written.timeout_us, written.incarnation, written.seq) {
        (Some(every), Some(timeout), Some(incarnation), Some(seq)) => {
            let pace = Pace { every: Duration::from_micros(every), timeout: Duration::from_micros(timeout) };
            Ok(Some(Sent { pace, incarnation, seq }))
        }
        (None, None, None, None) => Ok(None),
        _ => Err(Fault::HalfSent),
    }
}

/// What the JSON reader says, with the column but without its line: that is always the first.
fn told(error: &serde_json::Error) -> String {
    error.to_string().replace(" at line 1 column ", " at column ")
}

fn name<T: std::str::FromStr<Err = rules::id::NotAName>>(key: &'static str, text: &str) -> Result<T, Fault> {
    text.parse().map_err(|why| Fault::Name { key, why })
}

fn instant(at: &At) -> Result<Timestamp, Fault> {
    let instant = match at {
        At::Text(text) => text.parse().map_err(|why: rules::time::NotAnInstant| Fault::At(why.to_string()))?,
        At::Millis(millis) if *millis <= Timestamp::MAX.as_millis() => Timestamp::from_millis(*millis),
        At::Millis(millis) => return Err(Fault::At(format!("{millis} ms lies after the year 9999"))),
    };
    if instant.as_millis() < 0 {
        return Err(Fault::At(format!("{instant} lies before 1970")));
    }
    Ok(instant)
}

/// Reads all lines of `reader`, handing each to `take`; empty lines are passed over. `file` is what
/// messages call it. Returns how many results there were.
pub fn read(file: &str, mut reader: impl BufRead, mut take: impl FnMut(Line)) -> Result<u64, LinesError> {
    let mut results = 0;
    let mut bytes = Vec::new();
    for line in 1.. {
        bytes.clear();
        let unreadable = |source| LinesError::Unreadable { file: file.to_owned(), source };
        let limit = LINE_BYTES_MAX as u64 + 1;
        if reader.by_ref().take(limit).read_until(b'\n', &mut bytes).map_err(unreadable)? == 0 {
            break;
        }
        let wrong = |fault| LinesError::Wrong { file: file.to_owned(), line, fault };
        if LINE_BYTES_MAX < bytes.len() {
            return Err(wrong(Fault::TooLong));
        }
        let text = std::str::from_utf8(&bytes).map_err(|_| wrong(Fault::NotText))?.trim();
        if !text.is_empty() {
            take(parse(text).map_err(wrong)?);
            results += 1;
        }
    }
    Ok(results)
}

/// Writes one line, without its end.
pub fn write(line: &Line) -> String {
    let written = Written {
        agent: line.series.agent.to_string(),
        service: line.series.service.to_string(),
        check: line.series.check.to_string(),
        at: At::Text(line.result.at.to_string()),
        outcome: line.result.outcome.kind().to_string(),
        cause: line.result.outcome.cause().map(|cause| cause.to_string()),
        elapsed_us: micros(line.result.elapsed),
        extra: (line.result.weight == Weight::Extra).then_some(true),
        note: line.note.as_ref().map(Note::to_string),
        every_us: line.sent.map(|sent| micros(sent.pace.every)),
        timeout_us: line.sent.map(|sent| micros(sent.pace.timeout)),
        incarnation: line.sent.map(|sent| sent.incarnation),
        seq: line.sent.map(|sent| sent.seq),
    };
    serde_json::to_string(&written).expect("texts and numbers are always JSON")
}

fn micros(length: Duration) -> u64 {
    u64::try_from(length.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"{"agent":"seoul-1","service":"apm","check":"login","at":"2026-10-01T00:00:00.123Z","outcome":"down","cause":"timeout","elapsed_us":48123}"#;

    fn fault(from: &str, to: &str) -> String {
        parse(&GOOD.replace(from, to)).unwrap_err().to_string()
    }

    #[test]
    fn a_line_survives_being_written_and_read() {
        let line = parse(GOOD).unwrap();
        assert_eq!(write(&line), GOOD);
        assert_eq!(line.result.outcome, Outcome::Down(Cause::Timeout));
    }

    #[test]
    fn an_extra_result_says_so_and_one_that_was_due_may() {
        let extra = GOOD.replace('}', r#","extra":true}"#);
        let line = parse(&extra).unwrap();
        assert_eq!((line.result.weight, write(&line)), (Weight::Extra, extra));
        assert_eq!(parse(&GOOD.replace('}', r#","extra":false}"#)).unwrap(), parse(GOOD).unwrap());
    }

    #[test]
    fn a_note_goes_along_and_loses_what_could_steer_a_terminal() {
        let noted = GOOD.replace('}', r#","note":"status 503 \"<b>\""}"#);
        assert_eq!(write(&parse(&noted).unwrap()), noted);
        let hostile = parse(&GOOD.replace('}', r#","note":"\u001b[2J"}"#)).unwrap();
        assert_eq!(hostile.note.unwrap().as_str(), "\\u{1b}[2J");
        assert_eq!(parse(&GOOD.replace('}', r#","note":""}"#)).unwrap().note, None);
    }

    #[test]
    fn a_line_may_say_how_it_was_sent_but_not_by_halves() {
        let sent = GOOD.replace('}', r#","every_us":30000000,"timeout_us":10000000,"incarnation":3,"seq":977}"#);
        let line = parse(&sent).unwrap();
        assert_eq!((write(&line), line.sent.unwrap().pace.every), (sent.clone(), Duration::from_secs(30)));
        let half = parse(&sent.replace(r#","seq":977"#, "")).unwrap_err().to_string();
        assert!(half.ends_with("give all of them or none"), "{half}");
    }

    #[test]
    fn an_instant_may_be_integer_milliseconds() {
        let millis = parse(&GOOD.replace("\"2026-10-01T00:00:00.123Z\"", "1790812800123")).unwrap();
        assert_eq!(millis, parse(GOOD).unwrap());
    }

    #[test]
    fn what_is_not_a_result_is_refused_with_what_would_be_right() {
        assert!(fault("elapsed_us", "elapsed").starts_with("not a result: unknown field `elapsed`, expected one of"));
        assert!(fault("\"check\":\"login\",", "").starts_with("not a result: missing field `check`"));
        assert!(fault("\"agent\":", "\"agent\":\"a\",\"agent\":").starts_with("not a result: duplicate field `agent`"));
        assert_eq!(fault("\"down\"", "\"Down\""), "`outcome`: `Down` is not `up`, `down` or `void`");
        assert_eq!(fault("\"down\"", "\"up\""), "`cause` stands beside `up`; leave it out");
        assert_eq!(fault("\"apm\"", "\"\""), "`service`: a name is empty; give it at least one character");
        assert!(fault("00:00.123Z", "00:00").starts_with("`at`: `2026-10-01T00:00:00` is not an RFC 3339 instant"));
        assert_eq!(fault("\"2026-10-01T00:00:00.123Z\"", "-1"), "`at`: 1969-12-31T23:59:59.999Z lies before 1970");
        assert_eq!(fault("48123", "604800000001"), "`elapsed_us`: 604800000001 is longer than seven days");
        assert!(fault("48123", "-5").starts_with("not a result: invalid value"));
        assert!(fault("48123", "1.5").starts_with("not a result: invalid type"));
    }

    #[test]
    fn a_mistake_is_told_with_its_file_and_line() {
        let text = format!("{GOOD}\n\n  {GOOD}\r\nnonsense\n");
        let mut taken = 0;
        let error = read("r.ndjson", text.as_bytes(), |_| taken += 1).unwrap_err();
        assert_eq!(error.to_string(), "r.ndjson:4: not a result: expected ident at column 2");
        assert_eq!(taken, 2);
    }

    #[test]
    fn a_line_without_end_costs_no_memory() {
        let endless = std::io::repeat(b' ');
        let error = read("r", std::io::BufReader::new(endless), |_| ()).unwrap_err();
        assert_eq!(error.to_string(), format!("r:1: the line is longer than {LINE_BYTES_MAX} bytes"));
    }

    #[test]
    fn the_last_line_needs_no_end() {
        assert_eq!(read("r", GOOD.as_bytes(), |_| ()).unwrap(), 1);
    }
}
