//! What happens to an incident, as it stands in the body of its entry.

use super::value;
use rules::incident::{Clock, Event, Opened, Opening};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum EventBody {
    Opened(OpeningBody),
    Acknowledged,
    Started,
    Notice(String),
    Update(String),
    Progress(String),
    OutageEnded(String),
    Resolved(String),
    Report(String),
    Severity(String),
    Remark(String),
    Missed(MissedBody),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OpeningBody {
    services: BTreeSet<String>,
    severity: String,
    began_at: String,
    cause: CauseWord,
    title: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum CauseWord {
    Outage,
    Hand,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MissedBody {
    clock: ClockWord,
    due_at: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ClockWord {
    Acknowledge,
    FirstNotice,
    Update,
    Start,
    Progress,
    Resolve,
    Report,
}

impl EventBody {
    pub(super) fn of(event: &Event) -> EventBody {
        match event {
            Event::Opened(opening) => EventBody::Opened(OpeningBody::of(opening)),
            Event::Acknowledged => EventBody::Acknowledged,
            Event::Started => EventBody::Started,
            Event::Notice(said) => EventBody::Notice(said.clone()),
            Event::Update(said) => EventBody::Update(said.clone()),
            Event::Progress(said) => EventBody::Progress(said.clone()),
            Event::OutageEnded { ended_at } => EventBody::OutageEnded(ended_at.to_string()),
            Event::Resolved(said) => EventBody::Resolved(said.clone()),
            Event::Report(said) => EventBody::Report(said.clone()),
            Event::Severity(severity) => EventBody::Severity(severity.clone()),
            Event::Remark(said) => EventBody::Remark(said.clone()),
            Event::Missed { clock, due_at } => {
                EventBody::Missed(MissedBody { clock: ClockWord::of(*clock), due_at: due_at.to_string() })
            }
        }
    }

    pub(super) fn event(self) -> Result<Event, String> {
        Ok(match self {
            EventBody::Opened(opening) => Event::Opened(opening.opening()?),
            EventBody::Acknowledged => Event::Acknowledged,
            EventBody::Started => Event::Started,
            EventBody::Notice(said) => Event::Notice(said),
            EventBody::Update(said) => Event::Update(said),
            EventBody::Progress(said) => Event::Progress(said),
            EventBody::OutageEnded(ended_at) => Event::OutageEnded { ended_at: value(&ended_at)? },
            EventBody::Resolved(said) => Event::Resolved(said),
            EventBody::Report(said) => Event::Report(said),
            EventBody::Severity(severity) => Event::Severity(severity),
            EventBody::Remark(said) => Event::Remark(said),
            EventBody::Missed(MissedBody { clock, due_at }) => {
                Event::Missed { clock: clock.clock(), due_at: value(&due_at)? }
            }
        })
    }
}

impl OpeningBody {
    fn of(opening: &Opening) -> OpeningBody {
        OpeningBody {
            services: opening.services.iter().map(ToString::to_string).collect(),
            severity: opening.severity.clone(),
            began_at: opening.began_at.to_string(),
            cause: match opening.cause {
                Opened::ByOutage => CauseWord::Outage,
                Opened::ByHand => CauseWord::Hand,
            },
            title: opening.title.clone(),
        }
    }

    fn opening(self) -> Result<Opening, String> {
        Ok(Opening {
            services: self.services.iter().map(|name| value(name)).collect::<Result<_, _>>()?,
            severity: self.severity,
            began_at: value(&self.began_at)?,
            cause: match self.cause {
                CauseWord::Outage => Opened::ByOutage,
                CauseWord::Hand => Opened::ByHand,
            },
            title: self.title,
        })
    }
}

impl ClockWord {
    fn of(clock: Clock) -> ClockWord {
        match clock {
            Clock::Acknowledge => ClockWord::Acknowledge,
            Clock::FirstNotice => ClockWord::FirstNotice,
            Clock::Update => ClockWord::Update,
            Clock::Start => ClockWord::Start,
            Clock::Progress => ClockWord::Progress,
            Clock::Resolve => ClockWord::Resolve,
            Clock::Report => ClockWord::Report,
        }
    }

    fn clock(self) -> Clock {
        match self {
            ClockWord::Acknowledge => Clock::Acknowledge,
            ClockWord::FirstNotice => Clock::FirstNotice,
            ClockWord::Update => Clock::Update,
            ClockWord::Start => Clock::Start,
            ClockWord::Progress => Clock::Progress,
            ClockWord::Resolve => Clock::Resolve,
            ClockWord::Report => Clock::Report,
        }
    }
}
