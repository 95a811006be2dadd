//! Statements that are sent regularly: when one is due it is booked into the outbox, once, whichever
//! collector is first. What was issued is sent as it was issued; the month so far is drawn up when it
//! is sent.
//!
//! One that nobody booked in time because no collector ran is booked late; the outbox sends it within
//! hours, and skips it, saying so, after that.

use super::body::{Body, Report};
use super::http::SendError;
use super::words;
use crate::closing::Statement;
use crate::closing::copies::{Asked, Copies, CopyError};
use crate::evidence::LedgerEvidence;
use crate::ledger::books::Message;
use crate::record::{Draft, Record, RecordError};
use crate::render::figures::{cut_percent, length};
use crate::render::outside::printable;
use crate::render::press::Press;
use crate::render::{Format, Manuscript};
use crate::serve::Facts;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use config::collector::CollectorConfig;
use config::collector::reports::{Form, Report as Wanted, Schedule};
use daemon::clock::Clock;
use daemon::error_text::whole;
use rules::agreement::{Agreement, Language};
use rules::availability::Ratio;
use rules::period::Month;
use rules::record::BY_NINES;
use rules::time::Timestamp;
use serde::Serialize;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// How often it is looked whether a report is due: nobody waits for one by the second.
const LOOK_EVERY: Duration = Duration::from_secs(10);
/// Services that a mail's text names; the attachment has all.
const SERVICES_MAX: usize = 20;

/// Books reports; one runs in each collector.
pub(crate) struct Scheduler {
    record: Record,
    config: watch::Receiver<Arc<CollectorConfig>>,
    clock: Clock,
    /// The keys of the last reports booked here, so that they are not booked over and over.
    booked: BTreeSet<String>,
}

impl Scheduler {
    pub(super) fn new(facts: &Facts) -> Scheduler {
        let (record, config, clock) = (facts.record.clone(), facts.config.clone(), facts.clock.clone());
        Scheduler { record, config, clock, booked: BTreeSet::new() }
    }

    /// Books until `cancel`.
    pub(crate) async fn run(mut self, cancel: CancellationToken) {
        loop {
            self.look().await;
            tokio::select! {
                () = cancel.cancelled() => return,
                () = self.clock.sleep(LOOK_EVERY) => {}
            }
        }
    }

    /// Books what is due.
    pub(super) async fn look(&mut self) {
        let config = Arc::clone(&self.config.borrow());
        let now = self.clock.wall();
        let mut current = BTreeSet::new();
        for (agreement, message) in due(&config, now) {
            current.insert(message.key.clone());
            if self.booked.contains(&message.key) {
                continue;
            }
            let key = message.key.clone();
            // The key is unique, so a report that another collector booked is not booked again.
            let draft = Draft { messages: vec![message], ..Draft::default() };
            let booked = self.record.append(&agreement.id, BY_NINES, |_| Ok::<_, RecordError>(draft.clone())).await;
            match booked {
                Ok(_) => {
                    self.booked.insert(key);
                }
                Err(error) => tracing::warn!(key, error = whole(&error), "Report could not be booked; trying again"),
            }
        }
        self.booked.retain(|key| current.contains(key));
    }
}

/// The last report of each schedule that was due by `now`, as a message for the outbox.
fn due(config: &CollectorConfig, now: Timestamp) -> Vec<(&Agreement, Message)> {
    let mut due = Vec::new();
    for wanted in &config.reports {
        let about = |agreement: &&Agreement| {
            wanted.agreements.as_ref().is_none_or(|agreements| agreements.contains(&agreement.id))
        };
        for agreement in config.agreements.iter().filter(about) {
            let Some(due_at) = last_due(wanted, agreement, now) else { continue };
            if agreement.is_in_force_at(due_at) {
                due.push((agreement, message(wanted, agreement, due_at)));
            }
        }
    }
    due
}

fn last_due(wanted: &Wanted, agreement: &Agreement, now: Timestamp) -> Option<Timestamp> {
    match wanted.schedule {
        Schedule::Daily { at } => agreement.zone.last_at(now, at, None),
        Schedule::Weekly { weekday, at } => agreement.zone.last_at(now, at, Some(weekday)),
        // Booked with the statement's entry.
        Schedule::Monthly => None,
    }
}

fn message(wanted: &Wanted, agreement: &Agreement, due_at: Timestamp) -> Message {
    let period = Month::containing(due_at, &agreement.zone).to_string();
    let body = Report::new(&wanted.report, agreement, period, word(wanted.format), due_at);
    Message {
        key: format!("report:{}:{due_at}:{}", agreement.id, wanted.report),
        agreement: agreement.id.clone(),
        channel: wanted.channel.clone(),
        body: Body::Report(body).to_json(),
        due_at,
        turn: None,
    }
}

/// A form's word in messages.
pub(super) fn word(form: Form) -> &'static str {
    match form {
        Form::Json => "json",
        Form::Html => "html",
        Form::Pdf => "pdf",
        Form::Csv => "csv",
        Form::Text => "text",
    }
}

/// Draws reports up; cheap to clone.
#[derive(Clone)]
pub(crate) struct Renderer {
    evidence: LedgerEvidence,
    record: Record,
    config: watch::Receiver<Arc<CollectorConfig>>,
    press: Press,
}

/// A report, ready to be sent.
#[derive(Debug)]
pub(super) struct Rendered {
    pub(super) subject: String,
    pub(super) text: String,
    pub(super) name: String,
    pub(super) kind: &'static str,
    pub(super) bytes: Vec<u8>,
}

/// What a webhook gets.
#[derive(Serialize)]
struct View<'a> {
    kind: &'static str,
    #[serde(flatten)]
    report: &'a Report,
    text: &'a str,
    file: &'a str,
    content_type: &'a str,
    content_base64: String,
}

impl Rendered {
    /// As a webhook gets it.
    pub(super) fn to_json(&self, report: &Report) -> Vec<u8> {
        let view = View {
            kind: "report",
            report,
            text: &self.text,
            file: &self.name,
            content_type: self.kind,
            content_base64: STANDARD.encode(&self.bytes),
        };
        serde_json::to_vec(&view).expect("texts and numbers are always JSON")
    }
}

impl Renderer {
    pub(super) fn new(facts: &Facts) -> Renderer {
        let (evidence, record, config) = (facts.evidence.clone(), facts.record.clone(), facts.config.clone());
        Renderer { evidence, record, config, press: Press::default() }
    }

    /// Gets `report` ready: what was issued, or what is known at `now` of a month of which nothing was.
    pub(super) async fn render(&self, report: &Report, now: Timestamp) -> Result<Rendered, SendError> {
        let config = Arc::clone(&self.config.borrow());
        let month = report.period.parse::<Month>().map_err(|error| SendError::Never(error.to_string()))?;
        let id = report.agreement.parse().map_err(|_| SendError::Never("its agreement has no name".to_owned()))?;
        let asked = report.issued.map_or(Asked::Newest, Asked::Version);
        let copies = Copies { ledger: self.evidence.ledger(), record: &self.record, config: &config };
        let original = copies.find(&id, month, asked, now).await.map_err(|error| failed(&error))?;
        let format = form(&report.format)?;
        let put_into_words = |statement: &Statement<'_>| {
            let language = statement.agreement.language;
            (Manuscript::of(statement, format, language), figures(statement, language), language)
        };
        let read = original.read(&self.evidence, put_into_words).await;
        let stored = original.issued().filter(|_| format == Format::Json).map(|issued| issued.bytes.clone());
        let (bytes, text, language) = match (stored, read) {
            (Some(stored), Ok((_, text, language))) => (stored, text, language),
            // Its figures can't be told beside it any more; the file has them.
            (Some(stored), Err(CopyError::Gone { .. })) => (stored, String::new(), Language::English),
            (None, Ok((manuscript, text, language))) => {
                let printed = self.press.print(manuscript).await;
                (printed.map_err(|error| failed(&CopyError::Pages(error)))?, text, language)
            }
            (_, Err(error)) => return Err(failed(&error)),
        };
        Ok(Rendered {
            subject: words::report_subject(report, language),
            text,
            name: format!("{}-{month}.{}", plain(&report.agreement), report.format.replace("text", "txt")),
            kind: format.media_type(),
            bytes,
        })
    }
}

/// Whether it is worth trying again.
fn failed(error: &CopyError) -> SendError {
    match error {
        CopyError::Ledger(_) | CopyError::Again { .. } | CopyError::Amendment(_) => SendError::later(whole(error)),
        CopyError::NoVersion { .. } | CopyError::NotInForce { .. } | CopyError::Gone { .. } | CopyError::Pages(_) => {
            SendError::Never(whole(error))
        }
    }
}

fn form(word: &str) -> Result<Format, SendError> {
    match word {
        "json" => Ok(Format::Json),
        "html" => Ok(Format::Html),
        "csv" => Ok(Format::Csv),
        "text" => Ok(Format::Text),
        "pdf" => Ok(Format::Pdf),
        word => Err(SendError::Never(format!("there is no form `{word}`"))),
    }
}

/// A name as part of a file's.
fn plain(name: &str) -> String {
    let keep = |c: char| if c.is_alphanumeric() || "-_.".contains(c) { c } else { '_' };
    name.chars().map(keep).collect()
}

/// The first figures, for whoever does not open the attachment.
fn figures(statement: &Statement<'_>, language: Language) -> String {
    let head = format!("{} · {} · {}", statement.agreement.customer, statement.agreement.id, statement.month);
    let mut lines = vec![printable(&head)];
    for month in statement.services.iter().take(SERVICES_MAX) {
        let Ratio { downtime_ms, total_ms } = month.reckoning.availability.nominal;
        let percent = cut_percent(total_ms.saturating_sub(downtime_ms), total_ms).unwrap_or_default();
        let downtime = length(Duration::from_millis(downtime_ms), language);
        let (service, objective) = (&month.service.id, statement.agreement.policy.availability.objective);
        lines.push(printable(&match language {
            Language::English => {
                format!("{service}: availability {percent} % (objective {objective} %), downtime {downtime}")
            }
            Language::Korean => format!("{service}: 월 가용률 {percent} % (목표 {objective} %), 장애 시간 {downtime}"),
        }));
    }
    lines.join("\n") + "\n"
}
