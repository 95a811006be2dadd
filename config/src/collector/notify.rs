//! Whom the collector tells what.

mod place;

use super::named::{agreements, distinct, is_empty};
use crate::node::Node;
use crate::reading::keys::Keys;
use crate::reading::words::{either, word};
use crate::reading::{Placed, Reading, list, one_or_list, placed, text};
use crate::scalar::name;
use crate::secret::{Secret, secret_or_file};
use place::{server, url};
use rules::id::AgreementId;
use std::collections::BTreeSet;

/// Where PagerDuty takes events in.
const PAGERDUTY: &str = "https://events.pagerduty.com/v2/enqueue";
/// How many receivers one e-mail may have.
const RECEIVERS_MAX: usize = 50;
/// The longest address, by the standard of mail.
const ADDRESS_BYTES_MAX: usize = 254;

/// A way to tell somebody.
#[derive(Clone, PartialEq, Debug)]
pub struct Channel {
    /// Its name, which reports refer to.
    pub channel: String,
    /// How it tells.
    pub way: Way,
    /// The agreements it hears of; absent: all.
    pub agreements: Option<BTreeSet<AgreementId>>,
    /// The events it hears of; absent: all.
    pub events: Option<BTreeSet<Told>>,
}

/// How a channel tells.
#[derive(Clone, PartialEq, Debug)]
pub enum Way {
    /// A JSON body posted to a URL and signed with HMAC-SHA-256.
    Webhook {
        /// Where to; many such URLs are secrets themselves.
        url: Secret,
        /// What signs it; absent: nothing does.
        secret: Option<Secret>,
    },
    /// An e-mail by SMTP.
    Email {
        /// `smtps://user@host:465`, `smtp://user@host:587` (STARTTLS required) or
        /// `smtp+plain://127.0.0.1:25` (loopback only).
        server: String,
        /// The user's password.
        password: Option<Secret>,
        /// The sender's address.
        from: String,
        /// The receivers' addresses.
        to: Vec<String>,
    },
    /// Alerts posted to Alertmanager's API, version 2.
    Alertmanager {
        /// Its base URL, without a slash at its end; may hold a password.
        url: Secret,
    },
    /// Events of PagerDuty's shape (Events API, version 2).
    PagerDuty {
        /// Where to.
        url: String,
        /// The integration's key.
        routing_key: Secret,
    },
}

macro_rules! told {
    ($($(#[$doc:meta])* $variant:ident = $word:literal,)*) => {
        /// What can be told.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum Told { $($(#[$doc])* $variant,)* }

        impl Told {
            /// All that can be told.
            pub const ALL: &'static [Told] = &[$(Told::$variant,)*];

            /// The word used in files and messages.
            pub fn as_str(self) -> &'static str {
                match self { $(Told::$variant => $word,)* }
            }
        }
    };
}

told! {
    /// An incident was opened.
    IncidentOpened = "incident_opened",
    /// An incident was acknowledged.
    IncidentAcknowledged = "incident_acknowledged",
    /// The customer was told something: notice, update, progress, report.
    IncidentUpdated = "incident_updated",
    /// The outage behind an incident is over, or it was resolved.
    IncidentResolved = "incident_resolved",
    /// One of people's clocks ran out.
    ClockMissed = "clock_missed",
    /// An exclusion was recorded, approved, refused or taken back.
    ExclusionRecorded = "exclusion_recorded",
    /// A statement was issued or amended.
    StatementIssued = "statement_issued",
}

impl Way {
    /// Whether it can carry a report; alerts only say that something happened.
    pub(super) fn carries_reports(&self) -> bool {
        match self {
            Way::Webhook { .. } | Way::Email { .. } => true,
            Way::Alertmanager { .. } | Way::PagerDuty { .. } => false,
        }
    }
}

/// Reads the channels, which may hear of agreements among `known`.
pub(super) fn read(node: &Node, known: &BTreeSet<AgreementId>, reading: &mut Reading) -> Option<Vec<Channel>> {
    let channels = list(|node, reading| channel(node, known, reading))(node, reading)?;
    distinct("channel", channels.iter().map(|channel| (channel.value.channel.as_str(), channel.at)), reading);
    Some(channels.into_iter().map(|channel| channel.value).collect())
}

fn channel(node: &Node, known: &BTreeSet<AgreementId>, reading: &mut Reading) -> Option<Placed<Channel>> {
    let mut keys = Keys::of(node, "a channel", reading)?;
    let channel = keys.required("channel", reading, placed(name));
    let agreements = keys.optional("agreements", reading, |node, reading| agreements(node, known, reading));
    let events = keys.optional("events", reading, events);
    let given: Vec<_> =
        WAYS.iter().filter_map(|(key, read)| keys.take(key).map(|(at, node)| (at, node, *read))).collect();
    let at = keys.at;
    keys.end(reading);
    let ways: Vec<&str> = WAYS.iter().map(|(key, _)| *key).collect();
    let (_, node, read) = match given.as_slice() {
        [one] => *one,
        [] => {
            let message = format!("this channel tells nobody; add {}", either(&ways));
            return reading.problem(at, message);
        }
        [(first, ..), (second, ..), ..] => {
            let message =
                format!("`{}` stands here and `{}` before; give each a channel of its own", second.name, first.name);
            return reading.problem(second.at, message);
        }
    };
    let way = read(node, reading);
    let Placed { at, value: channel } = channel?;
    Some(Placed { at, value: Channel { channel, way: way?, agreements, events } })
}

type ReadWay = fn(&Node, &mut Reading) -> Option<Way>;
/// The key of each way, and what reads it.
const WAYS: &[(&str, ReadWay)] =
    &[("webhook", webhook), ("email", email), ("alertmanager", alertmanager), ("pagerduty", pagerduty)];

fn events(node: &Node, reading: &mut Reading) -> Option<BTreeSet<Told>> {
    let words: Vec<(&'static str, Told)> = Told::ALL.iter().map(|told| (told.as_str(), *told)).collect();
    if is_empty(node) {
        return reading.problem(node.at, "no event is listed here; list one or more, or leave the key out for all");
    }
    let events = one_or_list(|node, reading| word(&words)(node, reading))(node, reading)?;
    Some(events.into_iter().collect())
}

fn webhook(node: &Node, reading: &mut Reading) -> Option<Way> {
    let mut keys = Keys::of(node, "`webhook`", reading)?;
    let url = keys.required("url", reading, url);
    let secret = secret_or_file(&mut keys, "secret", "secret_file", reading);
    keys.end(reading);
    Some(Way::Webhook { url: url?, secret })
}

fn email(node: &Node, reading: &mut Reading) -> Option<Way> {
    let mut keys = Keys::of(node, "`email`", reading)?;
    let server = keys.required("server", reading, placed(server));
    let password = secret_or_file(&mut keys, "password", "password_file", reading);
    let from = keys.required("from", reading, address);
    let to = keys.required("to", reading, placed(|node, reading| one_or_list(address)(node, reading)));
    keys.end(reading);
    let (server, to) = (server?, to?);
    match (server.value.contains('@'), &password) {
        (true, None) => {
            let message = "the server is given a user and no password; add `password_file`, or leave the user out";
            return reading.problem(server.at, message);
        }
        (false, Some(_)) => {
            let message = "there is a password and the server names no user; write it as `smtps://user@host:465`";
            return reading.problem(server.at, message);
        }
        (true, Some(_)) | (false, None) => {}
    }
    if to.value.is_empty() || RECEIVERS_MAX < to.value.len() {
        let message = format!("an e-mail goes to {} receivers here; name 1 to {RECEIVERS_MAX}", to.value.len());
        return reading.problem(to.at, message);
    }
    Some(Way::Email { server: server.value, password, from: from?, to: to.value })
}

/// An address, alone or behind a name as in `Nines <nines@example.com>`.
fn address(node: &Node, reading: &mut Reading) -> Option<String> {
    let given = text(node, reading)?;
    let bare = match given.split_once('<') {
        Some((_, rest)) => rest.strip_suffix('>'),
        None => Some(given),
    };
    let parts = bare.filter(|bare| bare.len() <= ADDRESS_BYTES_MAX).and_then(|bare| bare.rsplit_once('@'));
    let is_part = |part: &str| !part.is_empty() && !part.contains(|c: char| c.is_whitespace() || "<>,;".contains(c));
    let good = parts.is_some_and(|(local, domain)| is_part(local) && is_part(domain) && !domain.contains('@'));
    if good && !given.contains(char::is_control) {
        return Some(given.to_owned());
    }
    let message = format!("`{}` is no e-mail address; write one such as `ops@example.com`", given.escape_debug());
    reading.problem(node.at, message)
}

fn alertmanager(node: &Node, reading: &mut Reading) -> Option<Way> {
    let mut keys = Keys::of(node, "`alertmanager`", reading)?;
    let url = keys.required("url", reading, url);
    keys.end(reading);
    Some(Way::Alertmanager { url: Secret::new(url?.expose().trim_end_matches('/')) })
}

fn pagerduty(node: &Node, reading: &mut Reading) -> Option<Way> {
    let mut keys = Keys::of(node, "`pagerduty`", reading)?;
    let url = keys.or("url", Secret::new(PAGERDUTY), reading, url);
    let routing_key = secret_or_file(&mut keys, "routing_key", "routing_key_file", reading);
    keys.end(reading);
    match routing_key {
        Some(routing_key) => Some(Way::PagerDuty { url: url.expose().to_owned(), routing_key }),
        None => reading.problem(node.at, "`pagerduty` has no key; add `routing_key_file`, or `routing_key: ${NAME}`"),
    }
}

impl Channel {
    /// Whether it is told `what` about `agreement`.
    pub fn hears(&self, agreement: &AgreementId, what: Told) -> bool {
        self.agreements.as_ref().is_none_or(|agreements| agreements.contains(agreement))
            && self.events.as_ref().is_none_or(|events| events.contains(&what))
    }
}
