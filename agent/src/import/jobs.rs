//! Prometheus' scrape configurations: the keys that say what is probed.

use super::page::Page;
use super::relabel::{self, Labels};
use config::agent::discovery::{ADDRESS, PARAM_MODULE, PARAM_TARGET};
use config::scalar::parse_duration;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

/// How often Prometheus scrapes, and for how long, when nothing is said.
const INTERVAL_DEFAULT: &str = "1m";
const TIMEOUT_DEFAULT: &str = "10s";
/// What blackbox_exporter leaves of a scrape's timeout to itself.
const TIMEOUT_OFFSET: Duration = Duration::from_millis(500);
/// The module that blackbox_exporter takes when nothing is said.
const MODULE_DEFAULT: &str = "http_2xx";
/// Where blackbox_exporter probes.
const PROBE_PATH: &str = "/probe";

#[derive(Deserialize)]
pub(super) struct Prometheus {
    #[serde(default)]
    global: Global,
    #[serde(default)]
    pub(super) scrape_configs: Vec<Job>,
    #[serde(default)]
    pub(super) scrape_config_files: Vec<String>,
}

#[derive(Deserialize, Default)]
struct Global {
    scrape_interval: Option<String>,
    scrape_timeout: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Job {
    pub(super) job_name: String,
    scrape_interval: Option<String>,
    scrape_timeout: Option<String>,
    metrics_path: Option<String>,
    #[serde(default)]
    params: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    static_configs: Vec<Group>,
    #[serde(default)]
    pub(super) file_sd_configs: Vec<FileSd>,
    #[serde(default)]
    pub(super) http_sd_configs: Vec<BTreeMap<String, Value>>,
    #[serde(default)]
    pub(super) relabel_configs: Vec<Rule>,
    #[serde(default)]
    pub(super) metric_relabel_configs: Vec<Value>,
    #[serde(flatten)]
    pub(super) rest: BTreeMap<String, Value>,
}

#[derive(Deserialize)]
struct Group {
    #[serde(default)]
    targets: Vec<String>,
    #[serde(default)]
    labels: Labels,
}

#[derive(Deserialize)]
pub(super) struct FileSd {
    pub(super) files: Vec<String>,
}

#[derive(Deserialize)]
pub(super) struct Rule {
    #[serde(default)]
    pub(super) source_labels: Vec<String>,
    #[serde(default = "semicolon")]
    pub(super) separator: String,
    #[serde(default = "everything")]
    pub(super) regex: String,
    #[serde(default)]
    pub(super) target_label: String,
    #[serde(default = "first_group")]
    pub(super) replacement: String,
    #[serde(default = "replace")]
    pub(super) action: String,
}

fn semicolon() -> String {
    ";".to_owned()
}

fn everything() -> String {
    "(.*)".to_owned()
}

fn first_group() -> String {
    "$1".to_owned()
}

fn replace() -> String {
    "replace".to_owned()
}

/// How often a job probes, and how long a probe may take; both as Prometheus says them.
#[derive(Clone, Copy)]
pub(super) struct Pace {
    pub(super) every: Duration,
    pub(super) timeout: Duration,
}

/// What a job lists: an address and the module that probes it.
pub(super) struct Listed {
    pub(super) address: String,
    pub(super) module: String,
}

impl Job {
    /// Whether it asks blackbox_exporter to probe.
    pub(super) fn is_probing(&self) -> bool {
        self.metrics_path.as_deref() == Some(PROBE_PATH)
    }

    pub(super) fn pace(&self, jobs: &Prometheus) -> Pace {
        let said = |own: &Option<String>, global: &Option<String>, default: &str| {
            let text = own.as_deref().or(global.as_deref()).unwrap_or(default);
            parse_duration(text).or_else(|_| parse_duration(default)).unwrap_or(TIMEOUT_OFFSET)
        };
        let every = said(&self.scrape_interval, &jobs.global.scrape_interval, INTERVAL_DEFAULT);
        let timeout = said(&self.scrape_timeout, &jobs.global.scrape_timeout, TIMEOUT_DEFAULT).min(every);
        Pace { every, timeout: timeout.saturating_sub(TIMEOUT_OFFSET).max(Duration::from_millis(1)) }
    }

    /// The module that the job's parameters name.
    pub(super) fn module(&self) -> &str {
        self.params.get("module").and_then(|modules| modules.first()).map_or(MODULE_DEFAULT, String::as_str)
    }

    /// Its listed targets, relabelled.
    pub(super) fn listed(&self, page: &mut Page) -> Vec<Listed> {
        let mut listed = Vec::new();
        for group in &self.static_configs {
            if !group.labels.is_empty() {
                page.leave_out(format!("job `{}`: the labels {:?} of its targets", self.job_name, group.labels));
            }
            for address in &group.targets {
                match self.relabelled(address, &group.labels) {
                    Ok(Some(target)) => listed.push(target),
                    Ok(None) => {
                        page.say(format!("job `{}`: its relabelling drops the target {address}", self.job_name))
                    }
                    Err(why) => page.leave_out(format!("job `{}`, target {address}: {why}", self.job_name)),
                }
            }
        }
        listed
    }

    fn relabelled(&self, address: &str, labels: &Labels) -> Result<Option<Listed>, String> {
        let mut labels = labels.clone();
        labels.insert(ADDRESS.to_owned(), address.to_owned());
        labels.insert("job".to_owned(), self.job_name.clone());
        let first =
            self.params.iter().filter_map(|(name, values)| Some((format!("__param_{name}"), values.first()?.clone())));
        labels.extend(first);
        let Some(labels) = relabel::apply(&self.relabel_configs, labels)? else { return Ok(None) };
        if let Some(hostname) = labels.get("__param_hostname") {
            return Err(format!("the parameter `hostname` ({hostname}); write a check with a `Host` header by hand"));
        }
        let address = labels.get(PARAM_TARGET).ok_or("no rule makes its address the parameter `target`")?.clone();
        let module = labels.get(PARAM_MODULE).map_or(MODULE_DEFAULT, String::as_str).to_owned();
        Ok(Some(Listed { address, module }))
    }
}
