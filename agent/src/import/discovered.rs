//! What a job discovers, as sources of targets: its relabelling becomes places in a template.
//!
//! The usual idiom is understood: an address, or a text around it, becomes the parameter `target`; the
//! module is fixed or a label; whole labels are kept or dropped by a regular expression.

use super::jobs::{Job, Pace, Rule};
use super::modules::Modules;
use super::page::Page;
use config::agent::discovery::{ADDRESS, PARAM_MODULE, PARAM_TARGET};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// The regular expression of a rule that takes the whole.
const EVERYTHING: &str = "(.*)";
/// What stands for an address while a module is tried out.
const SAMPLES: [&str; 2] = ["host.example:443", "https://host.example/"];

/// What a job's rules make of a target that is not known yet.
#[derive(Default)]
struct Outline {
    /// What each label holds: a template.
    labels: BTreeMap<String, String>,
    select: Map<String, Value>,
}

/// Imports the sources of `job`.
pub(super) fn import(job: &Job, pace: Pace, modules: &Modules, page: &mut Page) {
    let places = places(job, page);
    if places.is_empty() {
        return;
    }
    let name = &job.job_name;
    let outline = match outline(job, page) {
        Ok(outline) => outline,
        Err(why) => return page.leave_out(format!("job `{name}`: what it discovers: {why}")),
    };
    let Some(target) = outline.labels.get(PARAM_TARGET) else {
        return page
            .leave_out(format!("job `{name}`: what it discovers: no rule makes an address the parameter `target`"));
    };
    let module = outline.labels.get(PARAM_MODULE).map_or(job.module(), String::as_str);
    if module.contains('{') {
        let why = "the module is a label; write a source for each, with `select`";
        return page.leave_out(format!("job `{name}`: what it discovers: {why}"));
    }
    for (number, place) in places.into_iter().enumerate() {
        let source = if number == 0 { name.clone() } else { format!("{name}-{}", number + 1) };
        match sources(modules, module, target, pace) {
            Ok(made) => {
                for (suffix, condition, template) in made {
                    let mut select = outline.select.clone();
                    select.extend(condition.map(|condition| (ADDRESS.to_owned(), condition)));
                    let origin = format!("job `{name}`, module `{module}`");
                    page.source(&origin, &format!("{source}{suffix}"), &place, name, select, template);
                }
            }
            Err(why) => page.leave_out(format!("job `{name}`: what it discovers: {why}")),
        }
    }
}

/// The keys that say where each source is.
fn places(job: &Job, page: &mut Page) -> Vec<Map<String, Value>> {
    let files = job.file_sd_configs.iter().map(|files| Map::from_iter([("file_sd".to_owned(), json!(files.files))]));
    let mut places: Vec<_> = files.collect();
    for config in &job.http_sd_configs {
        let mut place = Map::new();
        for (key, value) in config {
            match key.as_str() {
                "url" => drop(place.insert("http_sd".to_owned(), value.clone())),
                "refresh_interval" => drop(place.insert(key.clone(), value.clone())),
                _ => page.leave_out(format!("job `{}`: http_sd_configs: write `{key}` by hand", job.job_name)),
            }
        }
        places.push(place);
    }
    places
}

/// A source's suffix, what its addresses must be, and its template; two where an address may be a URL or none.
type Sources = Vec<(&'static str, Option<Value>, Map<String, Value>)>;

fn sources(modules: &Modules, module: &str, target: &str, pace: Pace) -> Result<Sources, String> {
    let kind = modules.kind(module)?;
    let template = |address: &str, sample: &str| {
        let sample = address.replace("{address}", sample);
        modules.made(module, kind, address, &sample, pace).map(|made| made.keys)
    };
    if kind != "http" || target.contains("://") {
        return Ok(vec![("", None, template(target, SAMPLES[0])?)]);
    }
    let is_url = |key: &str| Some(json!({ key: "https?://.*" }));
    Ok(vec![
        ("", is_url("matches"), template(target, SAMPLES[1])?),
        ("-hosts", is_url("matches_not"), template(&format!("http://{target}"), SAMPLES[0])?),
    ])
}

fn outline(job: &Job, page: &mut Page) -> Result<Outline, String> {
    let mut outline = Outline::default();
    outline.labels.insert(ADDRESS.to_owned(), "{address}".to_owned());
    for rule in &job.relabel_configs {
        outline.take(rule, job, page)?;
    }
    Ok(outline)
}

impl Outline {
    fn take(&mut self, rule: &Rule, job: &Job, page: &mut Page) -> Result<(), String> {
        let action = rule.action.to_ascii_lowercase();
        match (action.as_str(), rule.source_labels.as_slice()) {
            ("replace", _) if !rule.replacement.contains('$') => {
                self.labels.insert(rule.target_label.clone(), rule.replacement.replace('{', "{{"));
            }
            ("replace", _) if rule.regex == EVERYTHING => {
                let texts: Vec<String> = rule.source_labels.iter().map(|name| self.text(name)).collect();
                let text = texts.join(&rule.separator);
                let replaced = rule.replacement.replace("${1}", "$1").replace("$1", &text);
                self.labels.insert(rule.target_label.clone(), replaced);
            }
            ("keep", [label]) => self.choose(label, "matches", &rule.regex),
            ("drop", [label]) => self.choose(label, "matches_not", &rule.regex),
            ("replace", _) if [PARAM_TARGET, PARAM_MODULE, ADDRESS].contains(&rule.target_label.as_str()) => {
                return Err(format!("the rule for `{}` with the expression `{}`", rule.target_label, rule.regex));
            }
            ("keep" | "drop", _) => return Err(format!("the rule that may {action} targets by several labels")),
            _ => page.leave_out(format!("job `{}`: the rule `{action}` for `{}`", job.job_name, rule.target_label)),
        }
        Ok(())
    }

    /// What the label `name` holds.
    fn text(&self, name: &str) -> String {
        self.labels.get(name).cloned().unwrap_or_else(|| format!("{{{name}}}"))
    }

    fn choose(&mut self, label: &str, condition: &str, regex: &str) {
        let conditions = self.select.entry(label).or_insert_with(|| json!({}));
        conditions[condition] = json!(regex);
    }
}
