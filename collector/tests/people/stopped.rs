//! Screens that stop because of an agreement's standing.

use crate::running::{Running, configuration, users};
use reqwest::Method;
use rules::standing::{Change, Standing};
use std::sync::Arc;
use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 3600);

/// `acme`'s bill was due at the 8th of October; screens stop a day later.
async fn overdue() -> Running {
    let dir = tempfile::tempdir().unwrap();
    let mut config = configuration(dir.path(), users());
    let acme = &mut config.agreements[0];
    acme.standing = vec![Change { from: "2026-10-08T00:00:00+09:00".parse().unwrap(), standing: Standing::Overdue }];
    Arc::make_mut(&mut acme.policy).standing.screens_stop = Some(DAY);
    Running::of(config, dir).await
}

#[tokio::test]
async fn a_viewer_is_told_since_when_and_why_the_screens_are_stopped() {
    let running = overdue().await;
    let paths = [
        "/services/apm",
        "/agreements/acme",
        "/statements/acme/2026-10",
        "/api/v1/services/apm",
        "/api/v1/services/apm/outages",
        "/api/v1/agreements/acme/statements/2026-10",
    ];
    for path in paths {
        let answer = running.ask_as("viewer", Method::GET, path).header("accept", "text/html").send().await.unwrap();
        assert_eq!(answer.status(), 403, "{path}");
        let told = answer.text().await.unwrap();
        assert!(told.contains("2026-10-09 00:00:00 +09:00") && told.contains("fees are overdue"), "{path}: {told}");
        let operator = running.ask_as("operator", Method::GET, path).send().await.unwrap();
        assert_eq!(operator.status(), 200, "{path}: whoever works on it sees on");
        let rival = running.ask_as("rival", Method::GET, path).send().await.unwrap();
        assert_eq!(rival.status(), 404, "{path}: nobody else learns of it");
    }
    running.stop().await;
}

#[tokio::test]
async fn lists_and_metrics_leave_out_what_is_stopped_and_say_so() {
    let running = overdue().await;
    let text = async |path: &str| {
        let answer = running.ask_as("viewer", Method::GET, path).header("accept", "text/html").send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        answer.text().await.unwrap()
    };
    for path in ["/", "/agreements"] {
        let page = text(path).await;
        assert!(page.contains("fees are overdue") && !page.contains("/services/apm"), "{path}: {page}");
    }
    for path in ["/api/v1/services", "/api/v1/agreements", "/metrics", "/agents"] {
        let told = text(path).await;
        assert!(!told.contains("apm") && !told.contains("seoul-1"), "{path}: {told}");
    }
    running.stop().await;
}

#[tokio::test]
async fn screens_stop_at_the_instant_that_the_policy_says() {
    let dir = tempfile::tempdir().unwrap();
    let mut config = configuration(dir.path(), users());
    let acme = &mut config.agreements[0];
    // One second before the day is over.
    acme.standing = vec![Change { from: "2026-10-09T05:10:01Z".parse().unwrap(), standing: Standing::Overdue }];
    Arc::make_mut(&mut acme.policy).standing.screens_stop = Some(DAY);
    let running = Running::of(config, dir).await;
    let status = async || running.ask_as("viewer", Method::GET, "/services/apm").send().await.unwrap().status();
    assert_eq!(status().await, 200);
    running.hand.advance(Duration::from_secs(1));
    assert_eq!(status().await, 403);
    running.stop().await;
}
