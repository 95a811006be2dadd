//! Repeats to Alertmanager what is open, because it forgets what nobody repeats and keeps nothing over a
//! restart. Also what was over a moment ago, lest another collector that had not heard so repeats it as open.
//!
//! Posting the same alert twice is posting it once, so every collector may do this; nothing of it is booked.

use super::alertmanager;
use super::body::Incident;
use super::http::Poster;
use crate::record::Record;
use crate::serve::Facts;
use config::collector::CollectorConfig;
use config::collector::notify::{Channel, Told, Way};
use daemon::clock::Clock;
use rules::agreement::Agreement;
use rules::incident;
use rules::time::Timestamp;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// How often: an Alertmanager that was restarted knows everything again within this time.
const REPEAT_EVERY: Duration = Duration::from_secs(60);
/// How long after its end an incident is still repeated as over.
const OVER_FOR: Duration = Duration::from_secs(600);
/// Each post must be through by then.
const SEND_TIME: Duration = Duration::from_secs(10);
/// Incidents of one agreement in one post: far more than people can handle at once.
const INCIDENTS_MAX: usize = 200;

/// What repeats; one runs in each collector.
pub(super) struct Refresher {
    poster: Poster,
    record: Record,
    config: watch::Receiver<Arc<CollectorConfig>>,
    clock: Clock,
}

impl Refresher {
    pub(super) fn new(facts: &Facts, poster: Poster) -> Refresher {
        let (record, config, clock) = (facts.record.clone(), facts.config.clone(), facts.clock.clone());
        Refresher { poster, record, config, clock }
    }

    /// Repeats until `cancel`.
    pub(super) async fn run(self, cancel: CancellationToken) {
        loop {
            tokio::select! {
                () = cancel.cancelled() => return,
                () = self.once() => {}
            }
            tokio::select! {
                () = cancel.cancelled() => return,
                () = self.clock.sleep(REPEAT_EVERY) => {}
            }
        }
    }

    /// Repeats everything once.
    pub(super) async fn once(&self) {
        let config = Arc::clone(&self.config.borrow());
        round(&self.poster, &self.record, &config, self.clock.wall()).await;
    }
}

async fn round(poster: &Poster, record: &Record, config: &CollectorConfig, now: Timestamp) {
    for (channel, url) in config.channels.iter().filter_map(|channel| match &channel.way {
        Way::Alertmanager { url } => Some((channel, url)),
        Way::Webhook { .. } | Way::Email { .. } | Way::PagerDuty { .. } => None,
    }) {
        for agreement in heard(config, channel, now) {
            let incidents = current(agreement, record, now);
            if incidents.is_empty() {
                continue;
            }
            let sending = alertmanager::send(poster, url, agreement.id.as_str(), &incidents, now);
            let (name, agreement) = (&channel.channel, &agreement.id);
            match tokio::time::timeout(SEND_TIME, sending).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::warn!(channel = name, %agreement, %error, "Alerts could not be repeated"),
                Err(_) => tracing::warn!(channel = name, %agreement, "Alerts could not be repeated in time"),
            }
        }
    }
}

fn heard<'a>(config: &'a CollectorConfig, channel: &'a Channel, now: Timestamp) -> impl Iterator<Item = &'a Agreement> {
    let told = [Told::IncidentOpened, Told::IncidentResolved];
    let hears = move |agreement: &Agreement| told.iter().all(|told| channel.hears(&agreement.id, *told));
    config.in_force(now).filter(move |agreement| hears(agreement))
}

/// What is open, and what was over a moment ago; the newest if there are too many.
fn current(agreement: &Agreement, record: &Record, now: Timestamp) -> Vec<Incident> {
    let incidents = incident::incidents(record.entries(&agreement.id).iter());
    let shown = incidents.iter().rev().map(|incident| Incident::of(incident, &agreement.policy));
    shown
        .filter(|incident| incident.over_at().is_none_or(|over_at| now <= over_at.plus(OVER_FOR)))
        .take(INCIDENTS_MAX)
        .collect()
}
