//! How long what people write may be: a record is kept for good and printed on statements.

use rules::incident::Event;
use rules::record::Fact;

/// Who recorded something; as long as a name may be.
const NAME_BYTES_MAX: usize = rules::id::NAME_BYTES_MAX;
/// A line: a title, a severity.
const LINE_BYTES_MAX: usize = 500;
/// A few sentences: a reason, a note, a remark, an update.
const TEXT_BYTES_MAX: usize = 2_000;
/// A report of some pages.
const REPORT_BYTES_MAX: usize = 64_000;
/// The services one entry names.
const SERVICES_MAX: usize = 1_000;

/// Why something can't be recorded.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum OutOfBounds {
    /// A text is too long.
    #[error("{what} has {bytes} bytes; at most {at_most} are allowed")]
    TooLong {
        /// Which.
        what: &'static str,
        /// How long it is.
        bytes: usize,
        /// How long it may be.
        at_most: usize,
    },
    /// A text must say something.
    #[error("{what} is empty; say it in a few words")]
    Empty {
        /// Which.
        what: &'static str,
    },
    /// A text has a character that is none to be printed.
    #[error("{what} has a control character; leave it out")]
    Control {
        /// Which.
        what: &'static str,
    },
    /// Too many services.
    #[error("{0} services are named; at most {SERVICES_MAX} are allowed, or all of them by naming none")]
    Services(usize),
    /// No service at all.
    #[error("no service is named; name at least one")]
    NoService,
}

/// Whether `fact`, recorded by `by`, may be kept.
pub(super) fn check(by: &str, fact: &Fact) -> Result<(), OutOfBounds> {
    text("who records it", by, NAME_BYTES_MAX)?;
    match fact {
        Fact::Exclusion { exclusion, supersedes: _ } => {
            services(exclusion.services.as_ref().map(|services| services.len()))?;
            text("the reason", &exclusion.reason, TEXT_BYTES_MAX)
        }
        Fact::Withdrawal { entry: _, reason } | Fact::Refusal { entry: _, reason } => {
            text("the reason", reason, TEXT_BYTES_MAX)
        }
        Fact::Incident { incident: _, event } => event_text(event),
        Fact::Effort(effort) => text("the note", &effort.note, TEXT_BYTES_MAX),
        Fact::Approval { .. } | Fact::Standing(_) | Fact::Issue { .. } | Fact::Disposal(_) => Ok(()),
    }
}

fn event_text(event: &Event) -> Result<(), OutOfBounds> {
    match event {
        Event::Opened(opening) => {
            services(Some(opening.services.len()))?;
            text("the severity", &opening.severity, LINE_BYTES_MAX)?;
            text("the title", &opening.title, LINE_BYTES_MAX)
        }
        Event::Notice(said) => text("the notice", said, TEXT_BYTES_MAX),
        Event::Update(said) => text("the update", said, TEXT_BYTES_MAX),
        Event::Progress(said) => text("the progress report", said, REPORT_BYTES_MAX),
        Event::Resolved(said) => text("the resolution", said, TEXT_BYTES_MAX),
        Event::Report(said) => text("the report", said, REPORT_BYTES_MAX),
        Event::Severity(severity) => text("the severity", severity, LINE_BYTES_MAX),
        Event::Remark(said) => text("the remark", said, TEXT_BYTES_MAX),
        Event::Acknowledged | Event::Started | Event::OutageEnded { .. } | Event::Missed { .. } => Ok(()),
    }
}

fn services(count: Option<usize>) -> Result<(), OutOfBounds> {
    match count {
        Some(0) => Err(OutOfBounds::NoService),
        Some(count) if SERVICES_MAX < count => Err(OutOfBounds::Services(count)),
        Some(_) | None => Ok(()),
    }
}

fn text(what: &'static str, text: &str, at_most: usize) -> Result<(), OutOfBounds> {
    match text.len() {
        _ if text.trim().is_empty() => Err(OutOfBounds::Empty { what }),
        bytes if at_most < bytes => Err(OutOfBounds::TooLong { what, bytes, at_most }),
        _ if text.chars().any(|c| c.is_control() && c != '\n') => Err(OutOfBounds::Control { what }),
        _ => Ok(()),
    }
}
