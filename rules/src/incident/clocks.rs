//! What the policy's clocks show for one incident.
//!
//! Exactly at its limit a clock is kept: "within 15 minutes" holds at 15 minutes. A verdict goes from
//! running to met or missed and never back, however much time passes and whatever else is recorded
//! (unless somebody changes the severity, and with it what was promised).

use super::{Clock, Event, Incident, Opened, Reading, Verdict};
use crate::policy::{Policy, ResponseRule};
use crate::time::Timestamp;
use alloc::vec::Vec;
use core::time::Duration;

impl Clock {
    /// All clocks, in the order in which they run out.
    pub const ALL: [Clock; 7] = [
        Clock::FirstNotice,
        Clock::Acknowledge,
        Clock::Update,
        Clock::Start,
        Clock::Progress,
        Clock::Resolve,
        Clock::Report,
    ];

    /// The policy's key for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Clock::Acknowledge => "acknowledge",
            Clock::FirstNotice => "first_notice",
            Clock::Update => "update_every",
            Clock::Start => "start",
            Clock::Progress => "progress",
            Clock::Resolve => "resolve",
            Clock::Report => "report",
        }
    }

    /// What `rule` promises of it.
    pub fn limit(self, rule: &ResponseRule) -> Option<Duration> {
        match self {
            Clock::Acknowledge => rule.acknowledge,
            Clock::FirstNotice => rule.first_notice,
            Clock::Update => rule.update_every,
            Clock::Start => rule.start,
            Clock::Progress => rule.progress,
            Clock::Resolve => rule.resolve,
            Clock::Report => rule.report,
        }
    }

    /// Whether `event` is what this clock waits for. Whoever starts on an incident has taken it, and
    /// every word to the customer is a notice. Resolving it does all that was still to be done but the
    /// report: its text tells the customer.
    fn hears(self, event: &Event) -> bool {
        match event {
            Event::Acknowledged => self == Clock::Acknowledge,
            Event::Started => matches!(self, Clock::Acknowledge | Clock::Start),
            Event::Notice(_) | Event::Update(_) => matches!(self, Clock::FirstNotice | Clock::Update),
            Event::Progress(_) => matches!(self, Clock::FirstNotice | Clock::Update | Clock::Progress),
            Event::Resolved(_) => self != Clock::Report,
            Event::Report(_) => self == Clock::Report,
            Event::Opened(_)
            | Event::OutageEnded { .. }
            | Event::Severity(_)
            | Event::Remark(_)
            | Event::Missed { .. } => false,
        }
    }
}

impl Incident {
    /// Where its clocks start: where the outage behind it opened under `policy`, or where the person
    /// who opened it says that it began.
    pub fn starts_at(&self, policy: &Policy) -> Timestamp {
        match self.opening.cause {
            Opened::ByOutage => self.opening.began_at.plus(policy.availability.outage.at_least),
            Opened::ByHand => self.opening.began_at,
        }
    }

    /// When `clock` first heard what it waits for, by `now`.
    pub fn done_at(&self, clock: Clock, now: Timestamp) -> Option<Timestamp> {
        self.heard(clock, now).next()
    }

    fn heard(&self, clock: Clock, now: Timestamp) -> impl Iterator<Item = Timestamp> {
        let events = self.events.iter().filter(move |stamped| stamped.at <= now && clock.hears(&stamped.event));
        events.map(|stamped| stamped.at)
    }
}

/// What every promised clock of `incident` shows at `now`.
pub fn readings(incident: &Incident, policy: &Policy, now: Timestamp) -> Vec<Reading> {
    let Some(rule) = incident.rule(&policy.response) else { return Vec::new() };
    let start = incident.starts_at(policy);
    let read = |clock: Clock| {
        let limit = clock.limit(rule)?;
        Some(match clock {
            Clock::Update => updates(incident, first_word_by(incident, rule, start, now), limit, now),
            Clock::Acknowledge
            | Clock::FirstNotice
            | Clock::Start
            | Clock::Progress
            | Clock::Resolve
            | Clock::Report => reading(clock, start.plus(limit), incident.done_at(clock, now), now),
        })
    };
    Clock::ALL.into_iter().filter_map(read).collect()
}

fn reading(clock: Clock, due_at: Timestamp, done_at: Option<Timestamp>, now: Timestamp) -> Reading {
    let verdict = match done_at {
        Some(done_at) if done_at <= due_at => Verdict::Met,
        Some(_) => Verdict::Missed,
        None if due_at < now => Verdict::Missed,
        None => Verdict::Running,
    };
    Reading { clock, due_at, done_at, verdict }
}

/// From when on updates are counted: from the first notice, and from when it was due if it came later
/// or not at all. Without a promise of a notice they are counted from the start.
fn first_word_by(incident: &Incident, rule: &ResponseRule, start: Timestamp, now: Timestamp) -> Timestamp {
    let Some(limit) = rule.first_notice else { return start };
    let due_at = start.plus(limit);
    incident.done_at(Clock::FirstNotice, now).map_or(due_at, |told_at| told_at.min(due_at))
}

/// The first gap between words to the customer that was too long, or else the one that runs, or else
/// the one that the resolution ended.
fn updates(incident: &Incident, from: Timestamp, every: Duration, now: Timestamp) -> Reading {
    let resolved_at = incident.resolved().map(|resolved| resolved.at).filter(|at| *at <= now);
    let mut due_at = from.plus(every);
    for told_at in incident.heard(Clock::Update, now).filter(|told_at| from < *told_at) {
        let gap = reading(Clock::Update, due_at, Some(told_at), now);
        if gap.verdict == Verdict::Missed || resolved_at == Some(told_at) {
            return gap;
        }
        due_at = told_at.plus(every);
    }
    // Resolved before there was anything to tell.
    reading(Clock::Update, due_at, resolved_at, now)
}
