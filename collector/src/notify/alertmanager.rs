//! Alertmanager's API, version 2: an alert for each service of an incident, on until it is over.
//!
//! Alertmanager keeps alerts in memory and ends those that nobody repeats, so what is open is posted
//! again every minute (`refresh`) and each time given a day to live: long enough to outlast a night
//! without any collector, because an alert that ends by itself would say that the service is up.

use super::body::Incident;
use super::http::{Poster, SendError};
use bytes::Bytes;
use http::StatusCode;
use rules::check::Secret;
use rules::time::Timestamp;
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::Duration;

/// How long an alert lives that nobody repeats.
const LIFE: Duration = Duration::from_hours(24);
/// What Alertmanager says of a body that it can't use; the same body gets the same answer.
const HOPELESS: &[StatusCode] = &[StatusCode::BAD_REQUEST];
/// The alerts' name, which routes can match.
const NAME: &str = "NinesIncident";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Alert {
    labels: BTreeMap<&'static str, String>,
    annotations: BTreeMap<&'static str, String>,
    starts_at: String,
    ends_at: String,
}

/// Posts the alerts of one agreement's `incidents` as they are at `now`.
pub(super) async fn send(
    poster: &Poster,
    url: &Secret,
    agreement: &str,
    incidents: &[Incident],
    now: Timestamp,
) -> Result<(), SendError> {
    let alerts: Vec<Alert> = incidents.iter().flat_map(|incident| alerts(agreement, incident, now)).collect();
    let body = serde_json::to_vec(&alerts).expect("texts are always JSON");
    let url = Secret::new(format!("{}/api/v2/alerts", url.expose()));
    poster.post(&url, &[], Bytes::from(body)).await?.accepted(HOPELESS)
}

/// Labels make an alert what it is, so an incident that got another severity is another alert: those
/// of the severities it had are ended.
fn alerts(agreement: &str, incident: &Incident, now: Timestamp) -> Vec<Alert> {
    let mut severities: Vec<&String> = incident.severities.iter().filter(|had| **had != incident.severity).collect();
    severities.sort();
    severities.dedup();
    severities.push(&incident.severity);
    let starts_at = incident.began_at.0;
    let mut alerts = Vec::new();
    for service in &incident.services {
        for severity in &severities {
            let over_at = if **severity == incident.severity { incident.over_at() } else { Some(starts_at) };
            let labels = BTreeMap::from([
                ("alertname", NAME.to_owned()),
                ("agreement", agreement.to_owned()),
                ("service", service.clone()),
                ("severity", (*severity).clone()),
                ("incident", incident.number.to_string()),
            ]);
            let annotations = BTreeMap::from([("summary", incident.title.clone())]);
            // An end before the beginning is refused; so is one that is the beginning.
            let ends_at = over_at.unwrap_or(now.plus(LIFE)).max(starts_at.plus(Duration::from_millis(1)));
            alerts.push(Alert { labels, annotations, starts_at: starts_at.to_string(), ends_at: ends_at.to_string() });
        }
    }
    alerts
}
