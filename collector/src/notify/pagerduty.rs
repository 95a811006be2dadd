//! Events of PagerDuty's shape (Events API, version 2), which other products take too.
//!
//! One incident is one `dedup_key`, so that what follows a trigger finds it.

use super::body::Notification;
use super::http::{Poster, SendError};
use bytes::Bytes;
use http::StatusCode;
use rules::check::Secret;
use serde::Serialize;

/// The longest summary that the API takes.
const SUMMARY_CHARS_MAX: usize = 1024;
/// The event is invalid; the same event stays so.
const HOPELESS: &[StatusCode] = &[StatusCode::BAD_REQUEST];
/// Its words for how bad it is, by a severity's place in the policy; whatever comes after is `info`.
const SEVERITIES: [&str; 3] = ["critical", "error", "warning"];

#[derive(Serialize)]
struct Event<'a> {
    routing_key: &'a str,
    event_action: &'static str,
    dedup_key: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload: Option<Payload<'a>>,
    client: &'static str,
}

#[derive(Serialize)]
struct Payload<'a> {
    summary: String,
    source: String,
    severity: &'static str,
    timestamp: String,
    component: String,
    group: &'a str,
    class: &'static str,
    custom_details: &'a Notification,
}

/// Posts one event.
pub(super) async fn send(
    poster: &Poster,
    url: &str,
    routing_key: &Secret,
    told: &Notification,
) -> Result<(), SendError> {
    let Some(event) = event(routing_key, told) else {
        return Err(SendError::Never(format!("PagerDuty has no event for `{}`", told.what)));
    };
    let body = serde_json::to_vec(&event).expect("texts are always JSON");
    poster.post(&Secret::new(url), &[], Bytes::from(body)).await?.accepted(HOPELESS)
}

fn event<'a>(routing_key: &'a Secret, told: &'a Notification) -> Option<Event<'a>> {
    let incident = told.incident.as_ref()?;
    let event_action = match told.what.as_str() {
        "opened" => "trigger",
        "acknowledged" => "acknowledge",
        "outage_ended" | "resolved" => "resolve",
        _ => return None,
    };
    let payload = (event_action == "trigger").then(|| Payload {
        summary: format!("{}: {}", told.agreement, incident.title).chars().take(SUMMARY_CHARS_MAX).collect(),
        source: incident.services.first().cloned().unwrap_or_default(),
        severity: incident.rank.map_or("error", |rank| SEVERITIES.get(rank).copied().unwrap_or("info")),
        timestamp: incident.began_at.0.to_string(),
        component: incident.services.join(", "),
        group: &told.agreement,
        class: "outage",
        custom_details: told,
    });
    let dedup_key = format!("nines:{}:{}", told.agreement, incident.number);
    Some(Event { routing_key: routing_key.expose(), event_action, dedup_key, payload, client: "Nines" })
}
