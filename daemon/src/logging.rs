//! Logs: lines on stderr, for a person or a machine.
//!
//! Targets, certificates and peers choose some of the text that is logged, so control characters
//! and direction marks never reach a terminal: they are shown as escapes.

use rules::evidence::escaped;
use std::fmt::{self, Write};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::field::MakeExt;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::debug_fn;

/// The variable that says what is logged, in tracing's filter language.
pub const FILTER_VARIABLE: &str = "NINES_LOG";
/// What is logged when the variable doesn't say.
const FILTER_DEFAULT: &str = "info";

/// Who reads the log.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LogFormat {
    /// A person.
    Human,
    /// A machine: one JSON object a line.
    Json,
}

/// Logging could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum LoggingError {
    /// The filter can't be read.
    #[error("read {FILTER_VARIABLE}=`{filter}`; write for example `info` or `agent=debug,info`")]
    Filter {
        /// What the variable holds.
        filter: String,
        /// What tracing says.
        source: tracing_subscriber::filter::ParseError,
    },
    /// Somebody else set it up before.
    #[error("set up logging: it is set up already")]
    SetUpAlready,
}

/// Sends the process's log to stderr; once a process.
pub fn start(format: LogFormat) -> Result<(), LoggingError> {
    start_at(format, FILTER_DEFAULT)
}

/// The same with another filter for when [`FILTER_VARIABLE`] doesn't say.
pub fn start_at(format: LogFormat, default: &str) -> Result<(), LoggingError> {
    let filter = std::env::var(FILTER_VARIABLE).unwrap_or_else(|_| default.to_owned());
    let parsed = EnvFilter::try_new(&filter).map_err(|source| LoggingError::Filter { filter, source })?;
    let subscriber = subscriber(format, parsed, std::io::stderr);
    tracing::dispatcher::set_global_default(subscriber).map_err(|_| LoggingError::SetUpAlready)
}

fn subscriber<W>(format: LogFormat, filter: EnvFilter, writer: W) -> tracing::Dispatch
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    // A line that can't be written is lost: to complain of it on the same stderr would end the process.
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(writer)
        .with_target(false)
        .log_internal_errors(false);
    match format {
        LogFormat::Json => builder.json().flatten_event(true).into(),
        LogFormat::Human => {
            let fields = debug_fn(|writer, field, value| match field.name() {
                "message" => write!(Escaping(writer), "{value:?}"),
                name => {
                    write!(writer, "{name}=")?;
                    write!(Escaping(writer), "{value:?}")
                }
            });
            builder.with_ansi(false).fmt_fields(fields.delimited(" ")).into()
        }
    }
}

/// Passes text on with its control characters and direction marks escaped.
struct Escaping<W>(W);

impl<W: Write> Write for Escaping<W> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        text.chars().flat_map(escaped).try_for_each(|c| self.0.write_char(c))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged(format: LogFormat, filter: &str, event: impl FnOnce()) -> String {
        let lines = Lines::default();
        let writer = lines.clone();
        let subscriber = subscriber(format, EnvFilter::new(filter), move || writer.clone());
        tracing::dispatcher::with_default(&subscriber, event);
        let bytes = lines.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn text_from_outside_can_neither_break_a_line_nor_colour_a_terminal() {
        let banner = "220 hi\r\nERROR forged \u{1b}[31mred\u{202e}";
        for format in [LogFormat::Human, LogFormat::Json] {
            let log = logged(format, "info", || tracing::info!(%banner, "Read a banner from {banner}"));
            assert_eq!(log.lines().count(), 1, "{log}");
            assert!(!log.contains('\u{1b}'), "{log}");
            assert!(log.contains("220 hi"), "{log}");
        }
    }

    #[test]
    fn a_human_line_keeps_its_message_and_fields() {
        let log = logged(LogFormat::Human, "info", || tracing::info!(check = "login", tries = 2, "Outage opened"));
        assert!(log.trim_end().ends_with(r#"INFO Outage opened check="login" tries=2"#), "{log}");
    }

    #[test]
    fn what_is_below_the_filter_is_silent() {
        assert_eq!(logged(LogFormat::Human, "warn", || tracing::info!("Quiet")), "");
    }
}
