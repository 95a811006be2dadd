//! From blackbox_exporter's modules and Prometheus' scrape jobs to an agent's configuration.
//!
//! Targets that a job lists become checks; what a job discovers becomes a source of targets. What can't be
//! carried over is said as a comment and on stderr: nothing is left out silently. Nothing is probed.

mod discovered;
mod jobs;
mod modules;
mod page;
mod relabel;

use config::blackbox::{self, LoadError};
use jobs::{Job, Prometheus};
use modules::Modules;
use page::Page;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Files that can't be imported.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ImportError {
    /// A file can't be read.
    #[error("read {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The modules are wrong.
    #[error("import {}: {source}", path.display())]
    Modules {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: LoadError,
    },
    /// A file is not what it should be.
    #[error("import {}: {why}", path.display())]
    Wrong {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
}

/// A configuration, and what it leaves out.
pub(crate) struct Imported {
    pub(crate) yaml: String,
    pub(crate) left_out: Vec<String>,
}

/// Imports the modules of the file `modules` and the jobs of the file `prometheus`.
pub(crate) fn blackbox(modules: &Path, prometheus: &Path) -> Result<Imported, ImportError> {
    blackbox::load(modules).map_err(|source| ImportError::Modules { path: modules.to_owned(), source })?;
    let modules_named = Modules::new(&read::<Value>(modules)?);
    let jobs: Prometheus = read(prometheus)?;
    let mut page = Page::default();
    page.say(format!("Made by `nines-agent import blackbox` from {} and {}.", modules.display(), prometheus.display()));
    page.say("Name the agent, and references that tell whether its own network is there.");
    if !jobs.scrape_config_files.is_empty() {
        page.leave_out(format!("scrape_config_files {:?}: import them one by one", jobs.scrape_config_files));
    }
    let mut names = BTreeSet::new();
    for job in &jobs.scrape_configs {
        match job.is_probing() {
            true => import(job, &jobs, &modules_named, &mut names, &mut page),
            false => page.leave_out(format!("job `{}`: it scrapes metrics and probes nothing", job.job_name)),
        }
    }
    Ok(page.end())
}

fn import(job: &Job, jobs: &Prometheus, modules: &Modules, names: &mut BTreeSet<(String, String)>, page: &mut Page) {
    let pace = job.pace(jobs);
    for key in job.rest.keys() {
        match key.ends_with("_sd_configs") {
            true => page.leave_out(format!(
                "job `{}`: {key}: name its targets by file_sd, http_sd or kubernetes",
                job.job_name
            )),
            false => {
                page.say(format!("job `{}`: {key} concerns how Prometheus scrapes, not what is probed", job.job_name))
            }
        }
    }
    if !job.metric_relabel_configs.is_empty() {
        page.leave_out(format!("job `{}`: metric_relabel_configs: metrics have names of their own here", job.job_name));
    }
    for target in job.listed(page) {
        let name = unique(&job.job_name, modules::name_of(&target.address), names);
        match modules.check(&target.module, &target.address, pace) {
            Ok(made) => {
                let origin = format!("job `{}`, module `{}`", job.job_name, target.module);
                made.left_out
                    .into_iter()
                    .for_each(|why| page.leave_out(format!("{origin}, {}: {why}", target.address)));
                page.check(&origin, &job.job_name, Some(&name), made.keys);
            }
            Err(why) => page.leave_out(format!("job `{}`, target {}: {why}", job.job_name, target.address)),
        }
    }
    discovered::import(job, pace, modules, page);
}

/// `name`, or with a number if the service has a check of that name.
fn unique(service: &str, name: String, names: &mut BTreeSet<(String, String)>) -> String {
    let numbered = (2..).map(|number| format!("{name}-{number}"));
    let mut all = std::iter::once(name.clone()).chain(numbered);
    all.find(|name| names.insert((service.to_owned(), name.clone()))).unwrap_or(name)
}

fn read<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T, ImportError> {
    let text = std::fs::read_to_string(path);
    let text = text.map_err(|source| ImportError::Unreadable { path: path.to_owned(), source })?;
    let wrong = |error: serde_saphyr::Error| ImportError::Wrong { path: path.to_owned(), why: error.to_string() };
    serde_saphyr::from_str(&text).map_err(wrong)
}

#[cfg(test)]
mod tests;
