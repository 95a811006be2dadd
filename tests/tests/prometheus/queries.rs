//! Checks of kind `promql` against a real Prometheus: what its answers come to.

use std::path::Path;
use std::time::Duration;

use crate::server::Prometheus;
use agent::prober::Prober;
use anyhow::{Context as _, Result};
use daemon::clock::Clock;
use rules::judge::{Circumstances, judge};
use rules::outcome::{Cause, Outcome};

/// More than a query of constants ever takes.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Asks each query and holds what it comes to against what is expected.
pub(crate) async fn assert_judged(prometheus: &Prometheus) -> Result<()> {
    let table = [
        ("vector(1)", "at_least: 1", Outcome::Up),
        ("1 + 1", "below: 2", Outcome::Down(Cause::Bound)),
        ("0.1 + 0.2", "at_most: 0.3", Outcome::Down(Cause::Bound)),
        ("vector(1) / 0", "above: 1e300", Outcome::Up),
        ("vector(0) / 0", "at_least: 0", Outcome::Void(Cause::Prober)),
        ("up{job=\"none\"}", "at_least: 0", Outcome::Void(Cause::Prober)),
        ("up{job=\"none\"}", "at_least: 0, no_data: up", Outcome::Up),
        (
            "label_replace(vector(3), \"a\", \"b c\", \"\", \"\") or vector(1)",
            "at_least: 2",
            Outcome::Down(Cause::Bound),
        ),
        ("label_replace(vector(3), \"a\", \"b c\", \"\", \"\") or vector(1)", "at_least: 2, series: any", Outcome::Up),
        ("sum(", "at_least: 0", Outcome::Void(Cause::Prober)),
        ("up[5m]", "at_least: 0", Outcome::Void(Cause::Prober)),
    ];
    let prober = Prober::new(Clock::system())?;
    for (query, options, expected) in table {
        let url = prometheus.url();
        let text = format!("agent: a\nchecks: [{{ check: c, promql: '{query}', server: '{url}', {options} }}]");
        let config = config::agent::parse(&text, "agent.yaml", Path::new("."))?.value;
        let target = &config.checks.list.first().context("the check is there")?.check.target;
        let evidence = prober.probe(&prober.plan(target, TIMEOUT)).await;
        let outcome = judge(&evidence, target, TIMEOUT, Circumstances::default());
        assert_eq!(outcome, expected, "{query} {options}: {evidence:?}");
    }
    Ok(())
}
