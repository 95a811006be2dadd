//! Dashboards against the real thing: Debian's promtool judges the rules, and a real Prometheus that scrapes a real collector
//! and agent runs every expression of every panel and rule. Never asks whether a figure is right: other suites do.
#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]

mod answers;
mod dashboard;
mod history;
mod programs;
mod queries;
mod server;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A file of `dashboards/`.
fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("dashboards").join(name)
}

fn promtool(arguments: &[&str], name: &str) -> String {
    let output = Command::new("/usr/bin/promtool")
        .args(arguments)
        .arg(file(name))
        .output()
        .expect("promtool is Debian's; tests/run installs it");
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    assert!(output.status.success(), "promtool {arguments:?} {name}:\n{said}");
    said
}

#[test]
fn rules_are_ones_that_prometheus_accepts() {
    let said = promtool(&["check", "rules"], "rules.yaml");
    assert!(said.contains("SUCCESS"), "{said}");
}

#[test]
fn rules_do_what_their_tests_say() {
    let said = promtool(&["test", "rules"], "rules_test.yaml");
    assert!(said.contains("SUCCESS"), "{said}");
}

#[test]
fn every_alert_is_tried_both_firing_and_silent() {
    let rules = fs::read_to_string(file("rules.yaml")).unwrap();
    let tests = fs::read_to_string(file("rules_test.yaml")).unwrap();
    let alerts: Vec<_> = rules.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")).collect();
    assert!(!alerts.is_empty(), "no alert in rules.yaml");
    for alert in alerts {
        let fires = tests.contains(&format!("alertname: {alert}\n        exp_alerts:"));
        let is_silent = tests.contains(&format!("alertname: {alert} }}"));
        assert!(fires && is_silent, "{alert} in rules_test.yaml: fires {fires}, silent {is_silent}");
    }
}

#[test]
fn panels_say_what_they_show_and_lie_beside_each_other() {
    let dashboard = dashboard::read().unwrap();
    let mut cells = BTreeSet::new();
    let mut ids = BTreeSet::new();
    for panel in dashboard::panels(&dashboard) {
        let title = dashboard::text(&panel["title"]);
        assert!(dashboard::text(&panel["description"]).ends_with('.'), "{title} has no sentence to explain it");
        assert_eq!(panel["datasource"]["uid"], "${datasource}", "{title} is tied to one data source");
        assert!(ids.insert(panel["id"].as_u64().unwrap()), "{title} has another panel's id");
        let [x, y, w, h] = ["x", "y", "w", "h"].map(|key| panel["gridPos"][key].as_u64().unwrap());
        assert!(x + w <= 24, "{title} is wider than the page");
        let own: Vec<_> = (x..x + w).flat_map(|column| (y..y + h).map(move |line| (column, line))).collect();
        assert!(own.into_iter().all(|cell| cells.insert(cell)), "{title} lies over another panel");
    }
}

#[tokio::test]
async fn every_expression_is_answered_by_a_prometheus_that_scrapes_real_programs() -> anyhow::Result<()> {
    let programs = programs::start().await?;
    let targets = [programs.collector, programs.agent];
    let prometheus = server::Prometheus::start(&targets, &file("rules.yaml")).await?;
    answers::assert_all_answered(&prometheus).await?;
    answers::assert_rules_are_well(&prometheus).await?;
    // One service never answers, under a policy that allows no downtime; all else is well.
    answers::assert_firing(&prometheus, &["NinesServiceInOutage", "NinesObjectiveMissed"]).await?;
    answers::assert_metrics_exist(&prometheus).await
}

#[tokio::test]
async fn a_check_holds_what_a_real_prometheus_answers_against_its_bounds() -> anyhow::Result<()> {
    let prometheus = server::Prometheus::start(&[], &file("rules.yaml")).await?;
    queries::assert_judged(&prometheus).await
}
