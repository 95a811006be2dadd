//! Prometheus' relabelling, as far as probing jobs use it: on labels that are known.

use super::jobs::Rule;
use regex::Regex;
use std::collections::BTreeMap;

pub(super) type Labels = BTreeMap<String, String>;

/// The labels after `rules`; none if a rule drops the target.
pub(super) fn apply(rules: &[Rule], labels: Labels) -> Result<Option<Labels>, String> {
    let mut labels = labels;
    for rule in rules {
        if !step(rule, &mut labels)? {
            return Ok(None);
        }
    }
    Ok(Some(labels))
}

/// Carries out one rule; whether the target stays.
fn step(rule: &Rule, labels: &mut Labels) -> Result<bool, String> {
    let regex = Regex::new(&format!("^(?s:{})$", rule.regex)).map_err(|error| error.to_string())?;
    let texts: Vec<&str> = rule.source_labels.iter().map(|name| labels.get(name).map_or("", String::as_str)).collect();
    let text = texts.join(&rule.separator);
    match rule.action.to_ascii_lowercase().as_str() {
        "replace" => {
            if let Some(found) = regex.captures(&text) {
                let mut value = String::new();
                found.expand(&rule.replacement, &mut value);
                put(labels, &rule.target_label, value);
            }
        }
        "keep" => return Ok(regex.is_match(&text)),
        "drop" => return Ok(!regex.is_match(&text)),
        "lowercase" => put(labels, &rule.target_label, text.to_lowercase()),
        "uppercase" => put(labels, &rule.target_label, text.to_uppercase()),
        "labeldrop" => labels.retain(|name, _| !regex.is_match(name)),
        "labelkeep" => labels.retain(|name, _| regex.is_match(name)),
        "labelmap" => {
            let mapped = labels.iter().filter(|(name, _)| regex.is_match(name));
            let mapped = mapped.map(|(name, text)| (regex.replace(name, &rule.replacement).into_owned(), text.clone()));
            labels.extend(mapped.collect::<Vec<_>>());
        }
        action => return Err(format!("relabelling with the action `{action}` is not known here")),
    }
    Ok(true)
}

fn put(labels: &mut Labels, name: &str, value: String) {
    match value.is_empty() {
        true => drop(labels.remove(name)),
        false => drop(labels.insert(name.to_owned(), value)),
    }
}
