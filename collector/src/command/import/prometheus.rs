//! `import prometheus`: the samples of a Prometheus server, with a bar that shows how far it is.

use crate::command::{Failure, configuration, ledger};
use crate::import::prometheus::{Access, Api, Naming, Part, Request, Step, import};
use daemon::clock::Clock;
use indicatif::{ProgressBar, ProgressStyle};
use reqwest::header::HeaderValue;
use rules::interval::Interval;
use rules::time::Timestamp;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Samples of a Prometheus server, as scraped: 1 is up, 0 is down, none is a gap
///
/// Each series becomes a check's results as one agent saw them. Without --service and --check, the
/// series' `instance` is looked for among the targets of the configuration. Cut off, the same
/// command goes on where it was; done twice, it changes nothing.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  nines-collector import prometheus --config collector.yaml --url http://prometheus:9090 \\\n    --query 'probe_success{job=\"blackbox\"}' --from 2026-10-01T00:00:00Z --until 2026-11-01T00:00:00Z --every 15s"
)]
pub(super) struct Prometheus {
    /// The collector's configuration
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// The server
    #[arg(long)]
    url: String,
    /// A selector of samples that are 1 or 0
    #[arg(long, default_value = "probe_success", value_name = "SELECTOR")]
    query: String,
    /// A selector of samples that are seconds; by default `probe_duration_seconds` with the query's labels
    #[arg(long, value_name = "SELECTOR")]
    duration_query: Option<String>,
    /// From when on (RFC 3339)
    #[arg(long, value_name = "INSTANT")]
    from: Timestamp,
    /// Until before when (RFC 3339)
    #[arg(long, value_name = "INSTANT")]
    until: Timestamp,
    /// How the probes followed each other, if not as their checks say (such as 15s)
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    every: Option<Duration>,
    /// The agent whose results these are to be
    #[arg(long, default_value = "prometheus", value_name = "NAME")]
    agent: String,
    /// Take the agent's name from this label
    #[arg(long, value_name = "LABEL", conflicts_with = "agent")]
    agent_label: Option<String>,
    /// The service
    #[arg(long, value_name = "NAME")]
    service: Option<String>,
    /// Take the service's name from this label
    #[arg(long, value_name = "LABEL", conflicts_with = "service")]
    service_label: Option<String>,
    /// The check
    #[arg(long, value_name = "NAME")]
    check: Option<String>,
    /// Take the check's name from this label
    #[arg(long, value_name = "LABEL", conflicts_with = "check")]
    check_label: Option<String>,
    /// The label that holds the target
    #[arg(long, default_value = "instance", value_name = "LABEL")]
    target_label: String,
    /// A file with the server's bearer token
    #[arg(long, value_name = "FILE")]
    bearer_token_file: Option<PathBuf>,
    /// A file with `user:password` for the server
    #[arg(long, value_name = "FILE", conflicts_with = "bearer_token_file")]
    basic_auth_file: Option<PathBuf>,
    /// Where progress is kept; by default `import-prometheus.json` beside the configuration
    #[arg(long, value_name = "FILE")]
    progress: Option<PathBuf>,
}

impl Prometheus {
    pub(super) async fn run(self) -> Result<(), Failure> {
        let config = configuration(&self.config)?;
        let range = Interval::new(self.from, self.until)
            .ok_or_else(|| Failure::NotThere("--until is no later than --from; nothing lies between".to_owned()))?;
        let doing = || format!("import from {}", self.url);
        let api = Api::new(&self.url, self.access()?).map_err(|error| Failure::run(doing(), error))?;
        let beside = || self.config.with_file_name("import-prometheus.json");
        let request = Request {
            query: self.query.clone(),
            duration_query: self.duration_query.clone(),
            range,
            every: self.every,
            progress: self.progress.clone().unwrap_or_else(beside),
        };
        let into = ledger::open(&config).await?;
        let bar = bar(range);
        let tell = |step: Step| {
            bar.set_position(step.done_until.since(range.from()).as_secs());
            bar.set_message(format!("{} new results, up to {}", step.imported.results, step.done_until));
        };
        let done = import(into, Clock::system(), &api, &self.naming(), (&config.agreements, &request), tell).await;
        bar.finish_and_clear();
        let imported = done.map_err(|error| Failure::run(doing(), error))?;
        let (samples, results, blocks) = (imported.lines, imported.results, imported.blocks);
        eprintln!("{}: {samples} samples read, {results} new results in {blocks} blocks", self.url);
        Ok(())
    }

    fn naming(&self) -> Naming {
        let label = |label: &Option<String>| label.clone().map(Part::Label);
        let name = |name: &Option<String>| name.clone().map(Part::Name);
        Naming {
            agent: label(&self.agent_label).unwrap_or_else(|| Part::Name(self.agent.clone())),
            service: label(&self.service_label).or_else(|| name(&self.service)),
            check: label(&self.check_label).or_else(|| name(&self.check)),
            target_label: self.target_label.clone(),
        }
    }

    fn access(&self) -> Result<Access, Failure> {
        use base64::Engine as _;
        let value = match (&self.bearer_token_file, &self.basic_auth_file) {
            (Some(file), _) => Some((file, format!("Bearer {}", secret(file)?))),
            (None, Some(file)) => {
                let encoded = base64::engine::general_purpose::STANDARD.encode(secret(file)?);
                Some((file, format!("Basic {encoded}")))
            }
            (None, None) => None,
        };
        let Some((file, value)) = value else { return Ok(Access::default()) };
        let mut header = HeaderValue::try_from(value)
            .map_err(|_| Failure::NotThere(format!("{} holds no secret: it has control characters", file.display())))?;
        header.set_sensitive(true);
        Ok(Access { authorization: Some(header) })
    }
}

/// A secret from a file, without the end of its line.
fn secret(file: &Path) -> Result<String, Failure> {
    let read =
        std::fs::read_to_string(file).map_err(|error| Failure::run(format!("read {}", file.display()), error))?;
    Ok(read.trim_end_matches(['\r', '\n']).to_owned())
}

fn duration(given: &str) -> Result<Duration, String> {
    match config::scalar::parse_duration(given) {
        Ok(Duration::ZERO) => Err("probes can't follow each other at once; give a length such as 15s".to_owned()),
        Ok(length) => Ok(length),
        Err(error) => Err(error.to_string()),
    }
}

/// Shown on a terminal only; elsewhere the last line says what came of it.
fn bar(range: Interval) -> ProgressBar {
    let style = ProgressStyle::with_template("{wide_bar} {percent:>3} %, {eta} to go: {msg}");
    ProgressBar::new(range.length().as_secs()).with_style(style.expect("the template is one"))
}
