//! The dashboard as a list of what it asks for. Reads the file as Grafana would and draws nothing.

use std::fs;

use anyhow::{Context as _, Result};
use serde_json::Value;

/// One expression and where it stands.
pub(crate) struct Query {
    pub(crate) place: String,
    pub(crate) expr: String,
}

/// What Grafana would put for each variable when everything is selected.
const VARIABLES: &[(&str, &str)] =
    &[("$agreement", ".+"), ("$service", ".+"), ("$__rate_interval", "1m"), ("$__range", "1h")];

pub(crate) fn read() -> Result<Value> {
    let path = super::file("nines.json");
    let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    Ok(serde_json::from_str(&text)?)
}

/// The dashboard's panels, rows left out.
pub(crate) fn panels(dashboard: &Value) -> Vec<&Value> {
    dashboard["panels"].as_array().into_iter().flatten().filter(|panel| panel["type"] != "row").collect()
}

/// Every expression of every panel, annotation and variable, its variables put in.
pub(crate) fn queries(dashboard: &Value) -> Vec<Query> {
    let mut queries = Vec::new();
    for panel in panels(dashboard) {
        for target in panel["targets"].as_array().into_iter().flatten() {
            queries.push(query(format!("{} {}", text(&panel["title"]), text(&target["refId"])), text(&target["expr"])));
        }
    }
    for annotation in dashboard["annotations"]["list"].as_array().into_iter().flatten() {
        queries.push(query(format!("annotation {}", text(&annotation["name"])), text(&annotation["target"]["expr"])));
    }
    for variable in dashboard["templating"]["list"].as_array().into_iter().flatten() {
        let definition = text(&variable["definition"]);
        if let Some((selector, _)) = definition.strip_prefix("label_values(").and_then(|it| it.rsplit_once(',')) {
            queries.push(query(format!("variable {}", text(&variable["name"])), selector));
        }
    }
    queries
}

fn query(place: String, expr: &str) -> Query {
    let put_in = |expr: String, &(name, value): &(&str, &str)| expr.replace(name, value);
    Query { place, expr: VARIABLES.iter().fold(expr.to_owned(), put_in) }
}

pub(crate) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
