//! Whether every expression of dashboards and rules has an answer, asked of a Prometheus that scrapes programs under load.
//! Doesn't judge the answers.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Context as _, Result};
use regex::Regex;

use crate::dashboard::{self, Query};
use crate::server::Prometheus;

/// Long enough for a first block, two scrapes and two evaluations on a loaded machine.
const ANSWERED_WITHIN: Duration = Duration::from_secs(60);

/// How often the open questions are asked again.
const ASK_EVERY: Duration = Duration::from_millis(500);

/// Questions that a young, healthy installation has no answer to, with the reason for each.
const MAY_BE_EMPTY: &[(&str, &str)] = &[
    ("This month by service C", "a new ledger has no previous month"),
    ("Backlog B", "nothing waits in the spool"),
    ("Certificates A", "no target here speaks TLS"),
];

/// Metrics that dashboards use and that such an installation need not write, for the same reasons.
const MAY_BE_ABSENT: &[&str] =
    &["nines_agent_spool_oldest_timestamp_seconds", "nines_probe_certificate_expiry_timestamp_seconds"];

/// Every panel, annotation, variable and recording rule; each alert's expression is asked too, but a silent one is a good answer.
async fn questions(prometheus: &Prometheus) -> Result<(Vec<Query>, Vec<Query>)> {
    let mut asked = dashboard::queries(&dashboard::read()?);
    let mut alerts = Vec::new();
    for rule in prometheus.rules().await? {
        let list = if rule.is_alert { &mut alerts } else { &mut asked };
        list.push(Query { place: rule.name, expr: rule.expr });
    }
    Ok((asked, alerts))
}

/// Fails unless every question parses and, in time, all that must have an answer have one.
pub(crate) async fn assert_all_answered(prometheus: &Prometheus) -> Result<()> {
    let (asked, alerts) = questions(prometheus).await?;
    for (place, _) in MAY_BE_EMPTY {
        assert!(asked.iter().any(|query| query.place == *place), "nobody asks {place} any more");
    }
    for query in alerts.iter().chain(&asked) {
        prometheus.samples(&query.expr).await.with_context(|| format!("{}: {}", query.place, query.expr))?;
    }
    let must = asked.into_iter().filter(|query| !MAY_BE_EMPTY.iter().any(|(place, _)| *place == query.place));
    let mut open: Vec<_> = must.collect();
    let all_answered = async {
        let mut again = tokio::time::interval(ASK_EVERY);
        while !open.is_empty() {
            again.tick().await;
            let mut at = 0;
            while let Some(query) = open.get(at) {
                if prometheus.samples(&query.expr).await? == 0 {
                    at += 1;
                } else {
                    open.swap_remove(at);
                }
            }
        }
        Ok::<_, anyhow::Error>(())
    };
    let answered = tokio::time::timeout(ANSWERED_WITHIN, all_answered).await;
    let list: Vec<_> = open.iter().map(|query| format!("{}: {}", query.place, query.expr)).collect();
    assert!(answered.is_ok(), "no data after {ANSWERED_WITHIN:?}:\n  {}", list.join("\n  "));
    answered?
}

/// Fails when a rule could not be evaluated.
pub(crate) async fn assert_rules_are_well(prometheus: &Prometheus) -> Result<()> {
    let rules = prometheus.rules().await?;
    let ill: Vec<_> =
        rules.iter().filter_map(|rule| Some(format!("{}: {}", rule.name, rule.error.as_ref()?))).collect();
    assert!(ill.is_empty(), "rules that failed:\n  {}", ill.join("\n  "));
    Ok(())
}

/// Waits until these alerts fire and fails when another one does.
pub(crate) async fn assert_firing(prometheus: &Prometheus, expected: &[&str]) -> Result<()> {
    let expected: BTreeSet<_> = expected.iter().map(|name| (*name).to_owned()).collect();
    let mut firing = BTreeSet::new();
    let as_expected = async {
        let mut again = tokio::time::interval(ASK_EVERY);
        while firing != expected {
            again.tick().await;
            firing = prometheus.firing().await?.into_iter().collect();
        }
        Ok::<_, anyhow::Error>(())
    };
    let in_time = tokio::time::timeout(ANSWERED_WITHIN, as_expected).await;
    assert!(in_time.is_ok(), "firing: {firing:?}, expected: {expected:?}");
    in_time?
}

/// Fails when dashboards or rules name a metric that no program has written.
pub(crate) async fn assert_metrics_exist(prometheus: &Prometheus) -> Result<()> {
    let (asked, alerts) = questions(prometheus).await?;
    let name = Regex::new(r"\bnines_[a-z0-9_]+")?;
    let seen: BTreeSet<_> = prometheus.metrics().await?.into_iter().collect();
    let used = asked.iter().chain(&alerts).flat_map(|query| name.find_iter(&query.expr).map(|found| found.as_str()));
    let absent: BTreeSet<_> = used.filter(|it| !seen.contains(*it) && !MAY_BE_ABSENT.contains(it)).collect();
    assert!(absent.is_empty(), "used and never seen: {absent:?}");
    Ok(())
}
