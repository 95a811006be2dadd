//! The statements that are sent regularly.

use super::named::{agreements, distinct, unknown};
use super::notify::Channel;
use crate::node::Node;
use crate::reading::keys::Keys;
use crate::reading::words::word;
use crate::reading::{Placed, Reading, list, placed, text};
use crate::scalar::name;
use rules::id::AgreementId;
use std::collections::BTreeSet;
use std::time::Duration;

/// The hour at which daily and weekly reports are sent when nothing is said.
const AT_DEFAULT: Duration = Duration::from_secs(18 * 3600);
/// The day of weekly reports when nothing is said: Friday.
const WEEKDAY_DEFAULT: u8 = 5;

/// A statement that is sent regularly.
#[derive(Clone, PartialEq, Debug)]
pub struct Report {
    /// Its name.
    pub report: String,
    /// The agreements it is about; absent: all.
    pub agreements: Option<BTreeSet<AgreementId>>,
    /// When it is sent.
    pub schedule: Schedule,
    /// The channel that sends it.
    pub channel: String,
    /// In which form.
    pub format: Form,
}

/// The form of a report.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    /// Canonical JSON.
    Json,
    /// A page of its own.
    Html,
    /// Typeset, with the JSON inside.
    Pdf,
    /// A table.
    Csv,
    /// Plain text.
    Text,
}

/// When a report is sent, in its agreement's zone.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Schedule {
    /// Every day, about the month so far.
    Daily {
        /// Since local midnight.
        at: Duration,
    },
    /// Every week, about the month so far.
    Weekly {
        /// 1 is Monday, 7 is Sunday.
        weekday: u8,
        /// Since local midnight.
        at: Duration,
    },
    /// When the month before is issued, and at every amendment.
    Monthly,
}

/// Reads the reports about agreements among `known`, sent by `channels`.
pub(super) fn read(
    node: &Node,
    known: &BTreeSet<AgreementId>,
    channels: &[Channel],
    reading: &mut Reading,
) -> Option<Vec<Report>> {
    let reports = list(|node, reading| report(node, known, channels, reading))(node, reading)?;
    distinct("report", reports.iter().map(|report| (report.value.report.as_str(), report.at)), reading);
    Some(reports.into_iter().map(|report| report.value).collect())
}

fn report(
    node: &Node,
    known: &BTreeSet<AgreementId>,
    channels: &[Channel],
    reading: &mut Reading,
) -> Option<Placed<Report>> {
    let mut keys = Keys::of(node, "a report", reading)?;
    let report = keys.required("report", reading, placed(name));
    let agreements = keys.optional("agreements", reading, |node, reading| agreements(node, known, reading));
    let schedule = schedule(&mut keys, reading);
    let channel = keys.required("channel", reading, |node, reading| channel(node, channels, reading));
    let forms =
        [("json", Form::Json), ("html", Form::Html), ("pdf", Form::Pdf), ("csv", Form::Csv), ("text", Form::Text)];
    let format = keys.or("format", Form::Pdf, reading, word(&forms));
    keys.end(reading);
    let Placed { at, value: report } = report?;
    Some(Placed { at, value: Report { report, agreements, schedule: schedule?, channel: channel?, format } })
}

fn channel(node: &Node, channels: &[Channel], reading: &mut Reading) -> Option<String> {
    let given = text(node, reading)?;
    let Some(found) = channels.iter().find(|channel| channel.channel == given) else {
        return unknown("channel", given, channels.iter().map(|channel| channel.channel.as_str()), node.at, reading);
    };
    if !found.way.carries_reports() {
        let message =
            format!("channel `{given}` carries alerts and no reports; name a channel with `email` or `webhook`");
        return reading.problem(node.at, message);
    }
    Some(given.to_owned())
}

/// How often.
#[derive(Clone, Copy)]
enum Every {
    Day,
    Week,
    Month,
}

fn schedule(keys: &mut Keys<'_>, reading: &mut Reading) -> Option<Schedule> {
    let words = [("daily", Every::Day), ("weekly", Every::Week), ("monthly", Every::Month)];
    let every = keys.required("every", reading, word(&words));
    let at = keys.optional("at", reading, placed(hour));
    let weekday = keys.optional("weekday", reading, placed(weekday));
    let every = every?;
    let hour = at.map_or(AT_DEFAULT, |at| at.value);
    match (every, at, weekday) {
        (Every::Month, Some(Placed { at, .. }), _) | (Every::Month, None, Some(Placed { at, .. })) => {
            let message = "a monthly report is sent when the month before is issued, and at every amendment; leave out `at` and `weekday`";
            reading.problem(at, message)
        }
        (Every::Day, _, Some(Placed { at, .. })) => {
            reading.problem(at, "a daily report has a `weekday`; leave it out, or write `every: weekly`")
        }
        (Every::Month, None, None) => Some(Schedule::Monthly),
        (Every::Day, _, None) => Some(Schedule::Daily { at: hour }),
        (Every::Week, _, weekday) => {
            Some(Schedule::Weekly { weekday: weekday.map_or(WEEKDAY_DEFAULT, |day| day.value), at: hour })
        }
    }
}

/// An hour of the day such as `18:00`, since midnight.
fn hour(node: &Node, reading: &mut Reading) -> Option<Duration> {
    let given = text(node, reading)?;
    let number = |part: &str, below: u64| {
        let digits = part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
        part.parse::<u64>().ok().filter(|number| digits && *number < below)
    };
    let read = given.split_once(':').and_then(|(hours, minutes)| Some((number(hours, 24)?, number(minutes, 60)?)));
    match read {
        Some((hours, minutes)) => Some(Duration::from_secs(hours * 3600 + minutes * 60)),
        None => {
            let message = format!("`{}` is no hour of the day; write one such as \"18:00\"", given.escape_debug());
            reading.problem(node.at, message)
        }
    }
}

fn weekday(node: &Node, reading: &mut Reading) -> Option<u8> {
    let days = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
    let numbered: Vec<(&'static str, u8)> = days.into_iter().zip(1u8..).collect();
    word(&numbered)(node, reading)
}
