//! What a message says: kept in the outbox as JSON, and posted to webhooks as it is.
//!
//! Its keys are promises to receivers (`docs/notifications.md`): add to them, never change them.

use config::collector::notify::Told;
use rules::agreement::{Agreement, Language};
use rules::exclusion::Exclusion;
use rules::incident::{self, Clock, Event};
use rules::policy::Policy;
use rules::record::{Entry, Fact};
use rules::time::Timestamp;
use serde::{Deserialize, Serialize};

/// The shape of what follows; another one would have another number.
const VERSION: u32 = 1;

/// What a message says.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum Body {
    /// Something went on record.
    Event(Box<Notification>),
    /// A statement is sent regularly; it is drawn up when it is sent.
    Report(Report),
}

/// One event.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Notification {
    pub(crate) version: u32,
    pub(crate) event: String,
    /// What the entry is, more closely than `event`.
    pub(crate) what: String,
    pub(crate) agreement: String,
    pub(crate) customer: String,
    pub(crate) language: String,
    pub(crate) zone: String,
    pub(crate) entry: u64,
    pub(crate) at: Instant,
    pub(crate) by: String,
    pub(crate) text: Option<String>,
    pub(crate) incident: Option<Incident>,
    pub(crate) clock: Option<Missed>,
    pub(crate) exclusion: Option<Excluded>,
    pub(crate) statement: Option<Issued>,
}

/// An incident as it was after the event.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Incident {
    pub(crate) number: u64,
    pub(crate) title: String,
    pub(crate) severity: String,
    /// Every severity it had, the first first.
    pub(crate) severities: Vec<String>,
    /// The place of its severity in the policy, from 0.
    pub(crate) rank: Option<usize>,
    pub(crate) services: Vec<String>,
    pub(crate) began_at: Instant,
    pub(crate) stage: String,
    pub(crate) outage_ended_at: Option<Instant>,
    pub(crate) resolved_at: Option<Instant>,
}

/// A clock that ran out.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Missed {
    pub(crate) clock: String,
    pub(crate) due_at: Instant,
}

/// An exclusion, or the one that was approved, refused or taken back.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Excluded {
    pub(crate) entry: u64,
    pub(crate) class: String,
    pub(crate) from: Instant,
    pub(crate) until: Instant,
    /// Absent: all of the agreement.
    pub(crate) services: Option<Vec<String>>,
    pub(crate) reason: String,
}

/// A statement that was issued.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Issued {
    pub(crate) period: String,
    pub(crate) version: u32,
    pub(crate) sha256: String,
}

/// A report that is due.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Report {
    pub(crate) version: u32,
    pub(crate) report: String,
    pub(crate) agreement: String,
    pub(crate) period: String,
    /// The version that was issued; absent: the month so far.
    pub(crate) issued: Option<u32>,
    pub(crate) format: String,
    /// When it was to be sent.
    pub(crate) at: Instant,
}

impl Report {
    /// A report of this shape's version.
    pub(crate) fn new(report: &str, agreement: &Agreement, period: String, format: &str, at: Timestamp) -> Report {
        let (report, agreement, format) = (report.to_owned(), agreement.id.to_string(), format.to_owned());
        Report { version: VERSION, report, agreement, period, issued: None, format, at: Instant(at) }
    }
}

/// An instant as RFC 3339.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Instant(pub(crate) Timestamp);

impl Serialize for Instant {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Instant {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Instant, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map(Instant).map_err(serde::de::Error::custom)
    }
}

impl Body {
    /// As it lies in the outbox.
    pub(crate) fn to_json(&self) -> String {
        serde_json::to_string(self).expect("texts and numbers are always JSON")
    }

    /// Reads what lies in the outbox.
    pub(crate) fn read(text: &str) -> Result<Body, serde_json::Error> {
        serde_json::from_str(text)
    }

    /// When what it tells of happened: a message is given up some days after.
    pub(crate) fn at(&self) -> Timestamp {
        match self {
            Body::Event(event) => event.at.0,
            Body::Report(report) => report.at.0,
        }
    }
}

impl Incident {
    /// Whether what the incident is about goes on, and if not since when: it is over when the outage
    /// is, or when people resolved it, whichever comes first.
    pub(crate) fn over_at(&self) -> Option<Timestamp> {
        [self.outage_ended_at, self.resolved_at].into_iter().flatten().map(|instant| instant.0).min()
    }

    /// An incident of `agreement` as it stands.
    pub(crate) fn of(incident: &incident::Incident, policy: &Policy) -> Incident {
        let mut severities = vec![incident.opening.severity.clone()];
        severities.extend(incident.events.iter().filter_map(|stamped| match &stamped.event {
            Event::Severity(severity) => Some(severity.clone()),
            Event::Opened(_)
            | Event::Acknowledged
            | Event::Started
            | Event::Notice(_)
            | Event::Update(_)
            | Event::Progress(_)
            | Event::OutageEnded { .. }
            | Event::Resolved(_)
            | Event::Report(_)
            | Event::Remark(_)
            | Event::Missed { .. } => None,
        }));
        Incident {
            number: incident.number,
            title: incident.opening.title.clone(),
            rank: policy.response.iter().position(|rule| rule.severity == incident.severity),
            severity: incident.severity.clone(),
            severities,
            services: incident.opening.services.iter().map(ToString::to_string).collect(),
            began_at: Instant(incident.opening.began_at),
            stage: incident.stage().as_str().to_owned(),
            outage_ended_at: incident.outage_ended_at().map(Instant),
            resolved_at: incident.resolved().map(|resolved| Instant(resolved.at)),
        }
    }
}

/// Which of the events that can be told `fact` is; nothing if nobody is told.
pub(crate) fn told(fact: &Fact) -> Option<Told> {
    match fact {
        Fact::Incident { incident: _, event } => match event {
            Event::Opened(_) => Some(Told::IncidentOpened),
            Event::Acknowledged => Some(Told::IncidentAcknowledged),
            Event::Notice(_) | Event::Update(_) | Event::Progress(_) | Event::Report(_) | Event::Severity(_) => {
                Some(Told::IncidentUpdated)
            }
            Event::OutageEnded { .. } | Event::Resolved(_) => Some(Told::IncidentResolved),
            Event::Missed { .. } => Some(Told::ClockMissed),
            Event::Started | Event::Remark(_) => None,
        },
        Fact::Exclusion { .. } | Fact::Withdrawal { .. } | Fact::Approval { .. } | Fact::Refusal { .. } => {
            Some(Told::ExclusionRecorded)
        }
        Fact::Issue { .. } => Some(Told::StatementIssued),
        Fact::Effort(_) | Fact::Standing(_) | Fact::Disposal(_) => None,
    }
}

/// What is told of the last entry of `record`; nothing if nobody is told.
pub(crate) fn notification(agreement: &Agreement, record: &[Entry]) -> Option<(Told, Notification)> {
    let entry = record.last()?;
    let event = told(&entry.fact)?;
    let mut told = Notification {
        version: VERSION,
        event: event.as_str().to_owned(),
        what: String::new(),
        agreement: agreement.id.to_string(),
        customer: agreement.customer.clone(),
        language: language(agreement.language).to_owned(),
        zone: agreement.zone.name().to_owned(),
        entry: entry.number,
        at: Instant(entry.recorded_at),
        by: entry.recorded_by.clone(),
        text: None,
        incident: None,
        clock: None,
        exclusion: None,
        statement: None,
    };
    let excluded = |number: u64| record.iter().find(|entry| entry.number == number).and_then(excluded);
    match &entry.fact {
        Fact::Incident { incident, event } => {
            told.what = event.word().to_owned();
            told.text = event.text().map(str::to_owned);
            let incidents = incident::incidents(record);
            let found = incidents.iter().find(|known| known.number == *incident)?;
            told.incident = Some(Incident::of(found, &agreement.policy));
            if let Event::Missed { clock, due_at } = event {
                told.clock = Some(Missed { clock: Clock::as_str(*clock).to_owned(), due_at: Instant(*due_at) });
            }
        }
        Fact::Exclusion { supersedes, .. } => {
            told.what = if supersedes.is_some() { "corrected" } else { "recorded" }.to_owned();
            told.exclusion = excluded(entry.number);
        }
        Fact::Withdrawal { entry, reason } => {
            (told.what, told.text) = ("withdrawn".to_owned(), Some(reason.clone()));
            told.exclusion = excluded(*entry);
        }
        Fact::Approval { entry } => {
            told.what = "approved".to_owned();
            told.exclusion = excluded(*entry);
        }
        Fact::Refusal { entry, reason } => {
            (told.what, told.text) = ("refused".to_owned(), Some(reason.clone()));
            told.exclusion = excluded(*entry);
        }
        Fact::Issue { month, version, sha256 } => {
            told.what = if *version == 1 { "issued" } else { "amended" }.to_owned();
            let sha256 = sha256.iter().map(|byte| format!("{byte:02x}")).collect();
            told.statement = Some(Issued { period: month.to_string(), version: *version, sha256 });
        }
        Fact::Effort(_) | Fact::Standing(_) | Fact::Disposal(_) => return None,
    }
    Some((event, told))
}

fn excluded(entry: &Entry) -> Option<Excluded> {
    let Fact::Exclusion { exclusion, supersedes: _ } = &entry.fact else { return None };
    let Exclusion { services, interval, class, reason, .. } = exclusion;
    Some(Excluded {
        entry: entry.number,
        class: class.as_str().to_owned(),
        from: Instant(interval.from()),
        until: Instant(interval.until()),
        services: services.as_ref().map(|services| services.iter().map(ToString::to_string).collect()),
        reason: reason.clone(),
    })
}

fn language(language: Language) -> &'static str {
    match language {
        Language::English => "en",
        Language::Korean => "ko",
    }
}
