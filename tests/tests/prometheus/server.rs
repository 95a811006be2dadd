//! A real Prometheus on loopback, with `dashboards/rules.yaml` loaded and its data in a directory that goes away with it.
//! Knows nothing of Nines: it scrapes what it is given and answers queries.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;
use tempfile::TempDir;

/// Debian's package puts it here; `tests/run` installs it.
const PROGRAM: &str = "/usr/bin/prometheus";

/// Another process may take the port between our letting go of it and Prometheus' asking for it.
const PORT_ATTEMPTS: usize = 5;

/// A loaded machine starts it in about two seconds.
const START_WITHIN: Duration = Duration::from_secs(30);

/// How often a condition is looked at again.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// A running Prometheus, killed when dropped.
pub(crate) struct Prometheus {
    process: Child,
    url: String,
    client: reqwest::Client,
    _directory: TempDir,
}

/// One rule as Prometheus reports it.
pub(crate) struct Rule {
    pub(crate) name: String,
    pub(crate) expr: String,
    /// Nothing, or why its last evaluation failed.
    pub(crate) error: Option<String>,
    pub(crate) is_alert: bool,
}

impl Prometheus {
    /// Starts one that scrapes these addresses and evaluates these rules twice a second.
    pub(crate) async fn start(targets: &[SocketAddr], rules: &Path) -> Result<Prometheus> {
        let settings = format!(
            "rule_files: [{rules:?}]\nscrape_configs: [{{ job_name: nines, static_configs: [{{ targets: {targets:?} }}] }}]\n",
            targets = targets.iter().map(ToString::to_string).collect::<Vec<_>>(),
        );
        Prometheus::start_over(&settings, None).await
    }

    /// Starts one that scrapes nothing and holds the samples of this OpenMetrics text.
    pub(crate) async fn start_with_history(samples: &str) -> Result<Prometheus> {
        Prometheus::start_over("", Some(samples)).await
    }

    async fn start_over(settings: &str, samples: Option<&str>) -> Result<Prometheus> {
        for _ in 0..PORT_ATTEMPTS {
            let mut prometheus = Prometheus::spawn(settings, samples)?;
            if tokio::time::timeout(START_WITHIN, prometheus.ready()).await.context("waiting for /-/ready")?? {
                return Ok(prometheus);
            }
        }
        bail!("{PROGRAM} ended {PORT_ATTEMPTS} times before it was ready");
    }

    fn spawn(settings: &str, samples: Option<&str>) -> Result<Prometheus> {
        let directory = tempfile::tempdir()?;
        let data = directory.path().join("data");
        if let Some(samples) = samples {
            let file = directory.path().join("samples");
            fs::write(&file, samples)?;
            let made = Command::new("/usr/bin/promtool")
                .args(["tsdb", "create-blocks-from", "openmetrics"])
                .args([&file, &data])
                .output()?;
            ensure!(made.status.success(), "promtool made no blocks: {}", String::from_utf8_lossy(&made.stderr));
        }
        let config = format!(
            "global: {{ scrape_interval: 500ms, scrape_timeout: 500ms, evaluation_interval: 500ms }}\n{settings}"
        );
        let file = directory.path().join("prometheus.yaml");
        fs::write(&file, config)?;
        let address = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?;
        let process = Command::new(PROGRAM)
            .arg(format!("--config.file={}", file.display()))
            .arg(format!("--storage.tsdb.path={}", data.display()))
            .arg("--storage.tsdb.retention.time=100y")
            .arg(format!("--web.listen-address={address}"))
            .arg("--log.level=warn")
            .stdout(Stdio::null())
            .spawn()
            .with_context(|| format!("starting {PROGRAM}; tests/run installs it"))?;
        let url = format!("http://{address}");
        Ok(Prometheus { process, url, client: reqwest::Client::new(), _directory: directory })
    }

    /// Waits until it answers; false when it ended instead.
    async fn ready(&mut self) -> Result<bool> {
        let mut again = tokio::time::interval(LOOK_EVERY);
        loop {
            again.tick().await;
            if self.process.try_wait()?.is_some() {
                return Ok(false);
            }
            let answer = self.client.get(format!("{}/-/ready", self.url)).send().await;
            if answer.is_ok_and(|answer| answer.status().is_success()) {
                return Ok(true);
            }
        }
    }

    /// Where it answers.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    async fn api(&self, path: &str, parameters: &[(&str, &str)]) -> Result<Value> {
        let mut url = reqwest::Url::parse(&format!("{}/api/v1/{path}", self.url))?;
        url.query_pairs_mut().extend_pairs(parameters);
        let answer: Value = self.client.get(url).send().await?.json().await?;
        ensure!(answer["status"] == "success", "{}", answer["error"].as_str().unwrap_or("no reason given"));
        Ok(answer["data"].clone())
    }

    /// How many samples an expression has now.
    pub(crate) async fn samples(&self, expr: &str) -> Result<usize> {
        let data = self.api("query", &[("query", expr)]).await?;
        Ok(data["result"].as_array().context("an instant query that yields no list")?.len())
    }

    /// Every rule that is loaded, in the order of its file.
    pub(crate) async fn rules(&self) -> Result<Vec<Rule>> {
        let data = self.api("rules", &[]).await?;
        let groups = data["groups"].as_array().context("no rule groups")?;
        let rules = groups.iter().filter_map(|group| group["rules"].as_array()).flatten();
        let text = |rule: &Value, key: &str| rule[key].as_str().unwrap_or_default().to_owned();
        let read = |rule: &Value| Rule {
            name: text(rule, "name"),
            expr: text(rule, "query"),
            error: (rule["health"] == "err").then(|| text(rule, "lastError")),
            is_alert: rule["type"] == "alerting",
        };
        Ok(rules.map(read).collect())
    }

    /// The alerts that fire now.
    pub(crate) async fn firing(&self) -> Result<Vec<String>> {
        let data = self.api("alerts", &[]).await?;
        let alerts = data["alerts"].as_array().context("no list of alerts")?.iter();
        let firing = alerts.filter(|alert| alert["state"] == "firing");
        Ok(firing.filter_map(|alert| alert["labels"]["alertname"].as_str()).map(str::to_owned).collect())
    }

    /// The names of all metrics it has seen.
    pub(crate) async fn metrics(&self) -> Result<Vec<String>> {
        let data = self.api("label/__name__/values", &[]).await?;
        let names = data.as_array().context("no list of names")?.iter();
        Ok(names.filter_map(Value::as_str).map(str::to_owned).collect())
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
