//! Sends what waits in the outbox: claims a message, sends it once, and notes what became of it.
//!
//! A claim is a compare-and-swap, so of several collectors one sends. A crash between sending and
//! noting lets the claim run out and the message be sent again under the same key: at least once, and
//! recognisable. Each channel has its own few attempts in flight, so a slow one holds up only itself.

use super::backoff::Backoff;
use super::body::{Body, Notification, Report};
use super::email::{Attached, Mail, Mailer};
use super::http::{Poster, SendError};
use super::reports::{Rendered, Renderer};
use super::{alertmanager, pagerduty, webhook, words};
use crate::ledger::Ledger;
use crate::ledger::books::{Attempt, Queued};
use crate::metrics::Metrics;
use crate::serve::Facts;
use bytes::Bytes;
use config::collector::CollectorConfig;
use config::collector::notify::{Channel, Way};
use daemon::clock::Clock;
use daemon::error_text::whole;
use rules::time::Timestamp;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// How often the ledger is asked what is due: what a person who waits for a page would not notice.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How often what the outbox holds is counted, for metrics: it reads all of it.
const COUNT_EVERY: Duration = Duration::from_secs(60);
/// One attempt, from the first byte out to the answer.
const SEND_TIME: Duration = Duration::from_secs(10);
/// Drawing up and rendering a report, which may read a month of a hundred services.
const RENDER_TIME: Duration = Duration::from_secs(60);
/// When a claimed message of which nothing more is heard is due again: longer than rendering, sending
/// and noting together.
const CLAIM_TIME: Duration = Duration::from_secs(120);
/// When a message is given up: a receiver that is away over a weekend still hears of it.
const LIFE: Duration = Duration::from_hours(72);
/// When a report that is not sent yet is not worth sending: the next one is near.
const REPORT_LIFE: Duration = Duration::from_hours(12);
/// Attempts in flight on one channel: enough for a burst, and few for the receiver.
const IN_FLIGHT_MAX: usize = 4;
/// Messages of one channel that are read at once.
const DUE_AT_ONCE: usize = 16;

/// The sending side; one runs in each collector.
pub(super) struct Outbox {
    means: Means,
    config: watch::Receiver<Arc<CollectorConfig>>,
    in_flight: BTreeMap<String, usize>,
    flights: JoinSet<String>,
    counted_at: Option<Duration>,
}

/// What an attempt needs; cheap to clone.
#[derive(Clone)]
struct Means {
    ledger: Arc<dyn Ledger>,
    clock: Clock,
    metrics: Metrics,
    poster: Poster,
    renderer: Renderer,
    backoff: Arc<Mutex<Backoff>>,
}

impl Outbox {
    /// One that draws its waits from `seed`.
    pub(super) fn new(facts: &Facts, ledger: Arc<dyn Ledger>, poster: Poster, renderer: Renderer, seed: u64) -> Outbox {
        let backoff = Arc::new(Mutex::new(Backoff::new(seed)));
        let (clock, metrics) = (facts.clock.clone(), facts.metrics.clone());
        let means = Means { ledger, clock, metrics, poster, renderer, backoff };
        let config = facts.config.clone();
        Outbox { means, config, in_flight: BTreeMap::new(), flights: JoinSet::new(), counted_at: None }
    }

    /// Sends until `cancel`; attempts that are in flight then end, each within its deadline.
    pub(super) async fn run(mut self, cancel: CancellationToken) {
        loop {
            self.look().await;
            tokio::select! {
                () = cancel.cancelled() => break,
                Some(ended) = self.flights.join_next() => self.landed(ended),
                () = self.means.clock.sleep(LOOK_EVERY) => {}
            }
        }
        while self.flights.join_next().await.is_some() {}
    }

    /// Sends all that is due now, as far as channels have room, and waits for what comes of it.
    #[cfg(test)]
    pub(super) async fn send_due(&mut self) {
        self.look().await;
        while let Some(ended) = self.flights.join_next().await {
            self.landed(ended);
        }
    }

    /// Starts attempts at what is due, as far as channels have room.
    async fn look(&mut self) {
        let now = self.means.clock.wall();
        match self.means.ledger.due_messages(now, DUE_AT_ONCE).await {
            Ok(due) => due.into_iter().for_each(|queued| self.start(queued)),
            Err(error) => tracing::warn!(error = whole(&error), "Outbox could not be read; trying again"),
        }
        let boot = self.means.clock.boot();
        if self.counted_at.is_none_or(|counted_at| counted_at + COUNT_EVERY <= boot) {
            self.counted_at = Some(boot);
            if let Ok(outbox) = self.means.ledger.outbox().await {
                self.means.metrics.notifications_waiting.set(i64::try_from(outbox.waiting).unwrap_or(i64::MAX));
            }
        }
    }

    fn start(&mut self, queued: Queued) {
        let name = queued.message.channel.clone();
        let in_flight = self.in_flight.entry(name.clone()).or_default();
        if IN_FLIGHT_MAX <= *in_flight {
            return;
        }
        *in_flight += 1;
        let channel = self.config.borrow().channels.iter().find(|channel| channel.channel == name).cloned();
        let means = self.means.clone();
        self.flights.spawn(async move {
            means.attempt(queued, channel).await;
            name
        });
    }

    fn landed(&mut self, ended: Result<String, tokio::task::JoinError>) {
        match ended {
            Ok(channel) => {
                if let Some(in_flight) = self.in_flight.get_mut(&channel) {
                    *in_flight = in_flight.saturating_sub(1);
                }
                self.in_flight.retain(|_, in_flight| 0 < *in_flight);
            }
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_) => unreachable!("no attempt is ever cancelled"),
            },
        }
    }
}

impl Means {
    /// Claims, sends, and notes what became of it.
    async fn attempt(&self, queued: Queued, channel: Option<Channel>) {
        let Queued { message, attempts } = queued;
        let key = message.key.as_str();
        let now = self.clock.wall();
        match self.ledger.claim_message(key, attempts, now.plus(CLAIM_TIME)).await {
            Ok(true) => {}
            // Another collector sends it.
            Ok(false) => return,
            Err(error) => return tracing::warn!(key, error = whole(&error), "Message could not be claimed"),
        }
        self.metrics.notification_attempts.with_label_values(&[&message.channel]).inc();
        let body = Body::read(&message.body);
        let sent = match (&body, &channel) {
            (Err(error), _) => Err(SendError::Never(format!("the outbox holds what is no message: {error}"))),
            (Ok(_), None) => Err(SendError::later("the configuration has no such channel")),
            (Ok(body), Some(channel)) => self.send(channel, key, &message.body, body, now).await,
        };
        let (at, attempts) = (self.clock.wall(), attempts + 1);
        let late = body.as_ref().is_ok_and(|body| body.at().plus(life(body)) <= at);
        let attempt = match sent {
            Ok(()) => {
                self.metrics.notifications_delivered.with_label_values(&[&message.channel]).inc();
                tracing::info!(key, channel = message.channel, "Notification delivered");
                Attempt::Delivered { at }
            }
            Err(SendError::Later { why, after }) if !late => {
                let wait = self.backoff.lock().unwrap_or_else(PoisonError::into_inner).wait(attempts, after);
                tracing::warn!(
                    key,
                    attempts,
                    wait_s = wait.as_secs(),
                    error = why,
                    "Notification failed; it is tried again"
                );
                Attempt::Again { due_at: at.plus(wait), error: why }
            }
            Err(error) => {
                self.metrics.notifications_given_up.with_label_values(&[&message.channel]).inc();
                tracing::error!(key, attempts, error = error.to_string(), "Notification given up");
                Attempt::GivenUp { at, error: error.to_string() }
            }
        };
        if let Err(error) = self.ledger.settle_message(key, attempt).await {
            tracing::warn!(key, error = whole(&error), "Attempt could not be noted; the message may be sent again");
        }
    }

    async fn send(
        &self,
        channel: &Channel,
        key: &str,
        stored: &str,
        body: &Body,
        now: Timestamp,
    ) -> Result<(), SendError> {
        let rendered = match body {
            Body::Event(_) => None,
            Body::Report(report) => Some(self.rendered(report, now).await?),
        };
        let sending = async {
            match (body, rendered) {
                (Body::Report(report), Some(rendered)) => self.send_report(channel, key, report, rendered, now).await,
                (Body::Event(told), _) => self.send_event(channel, key, stored, told, now).await,
                (Body::Report(_), None) => Err(SendError::Never("the report was not rendered".to_owned())),
            }
        };
        let sent = tokio::time::timeout(SEND_TIME, sending).await;
        sent.unwrap_or_else(|_| Err(SendError::later(format!("no answer within {} s", SEND_TIME.as_secs()))))
    }

    async fn rendered(&self, report: &Report, now: Timestamp) -> Result<Rendered, SendError> {
        if report.issued.is_none() && report.at.0.plus(REPORT_LIFE) <= now {
            let why =
                format!("the report was due at {} and no collector could send it in time; it is skipped", report.at.0);
            return Err(SendError::Never(why));
        }
        let rendering = self.renderer.render(report, now);
        let rendered = tokio::time::timeout(RENDER_TIME, rendering).await;
        rendered.unwrap_or_else(|_| Err(SendError::later("it could not be drawn up in time")))
    }

    async fn send_event(
        &self,
        channel: &Channel,
        key: &str,
        stored: &str,
        told: &Notification,
        now: Timestamp,
    ) -> Result<(), SendError> {
        let poster = &self.poster;
        match &channel.way {
            Way::Webhook { url, secret } => {
                let body = Bytes::copy_from_slice(stored.as_bytes());
                webhook::send(poster, url, secret.as_ref(), key, body, now).await
            }
            Way::Email { server, password, from, to } => {
                let thread = told.incident.as_ref().map(|incident| format!("{}:{}", told.agreement, incident.number));
                let (subject, text) = (words::subject(told), words::text(told));
                let mail = Mail { key: key.to_owned(), thread, subject, text, attached: None, at: told.at.0 };
                Mailer { server, password: password.as_ref(), from, to }.send(mail).await
            }
            Way::Alertmanager { url } => {
                let incidents = told.incident.as_slice();
                alertmanager::send(poster, url, &told.agreement, incidents, now).await
            }
            Way::PagerDuty { url, routing_key } => pagerduty::send(poster, url, routing_key, told).await,
        }
    }

    async fn send_report(
        &self,
        channel: &Channel,
        key: &str,
        report: &Report,
        rendered: Rendered,
        now: Timestamp,
    ) -> Result<(), SendError> {
        match &channel.way {
            Way::Webhook { url, secret } => {
                let body = Bytes::from(rendered.to_json(report));
                webhook::send(&self.poster, url, secret.as_ref(), key, body, now).await
            }
            Way::Email { server, password, from, to } => {
                let Rendered { subject, text, name, kind, bytes } = rendered;
                let attached = Some(Attached { name, kind, bytes });
                let mail = Mail { key: key.to_owned(), thread: None, subject, text, attached, at: now };
                Mailer { server, password: password.as_ref(), from, to }.send(mail).await
            }
            Way::Alertmanager { .. } | Way::PagerDuty { .. } => {
                Err(SendError::Never("such a channel carries no reports".to_owned()))
            }
        }
    }
}

fn life(body: &Body) -> Duration {
    match body {
        Body::Report(Report { issued: None, .. }) => REPORT_LIFE,
        Body::Report(_) | Body::Event(_) => LIFE,
    }
}
