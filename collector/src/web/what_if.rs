//! "What if the policy were another": a month under two policies side by side, `/what-if/{agreement}/{period}`.
//!
//! Both columns hear what is on record, as the statement does. It only asks: nothing is stored, and the
//! policy that is typed in reads no file and no environment.

use super::frame::Frame;
use super::people::Actor;
use super::problem::Problem;
use super::statements::{draw_up, named, terms};
use super::{AppState, console, encoded, page};
use crate::render::comparison::{Compared, compare};
use askama::Template;
use axum::extract::{self, Path, Query};
use axum::response::Response;
use config::collector::CollectorConfig;
use rules::policy::Policy;
use serde::Deserialize;
use std::sync::Arc;

/// The longest policy that can be typed in, in bytes: ten times the longest that ships.
const TEXT_BYTES_MAX: usize = 16 * 1024;

#[derive(Template)]
#[template(path = "what_if.html")]
struct WhatIfPage {
    frame: Frame,
    agreement: String,
    agreement_path: String,
    statement_path: String,
    action: String,
    /// The policies that can be named, and whether each is the one that was chosen.
    choices: Vec<(String, bool)>,
    text: String,
    wrong: Option<String>,
    policies: Option<[String; 2]>,
    services: Vec<Compared>,
}

/// Which policy.
#[derive(Deserialize)]
pub(super) struct Question {
    /// One that is known by name.
    policy: Option<String>,
    /// One that is typed in; it comes before the named one.
    text: Option<String>,
}

/// Answers with the question's form, and with the comparison if a policy is named.
pub(super) async fn show(
    extract::State(app): extract::State<AppState>,
    actor: Actor,
    Path((agreement, period)): Path<(String, String)>,
    Query(question): Query<Question>,
) -> Result<Response, Problem> {
    let (config, now) = (app.config(), app.clock.wall());
    let (agreement, month) = named(&config, &actor, now, &agreement, &period)?;
    let id = encoded(agreement.id.as_str());
    let text = question.text.unwrap_or_default();
    let chosen = question.policy.filter(|_| text.trim().is_empty());
    let mut shown = WhatIfPage {
        frame: Frame::of(&actor, format!("{month} under another policy"), now),
        agreement: agreement.id.to_string(),
        agreement_path: format!("/agreements/{id}"),
        statement_path: console::statement_path(agreement, month),
        action: format!("/what-if/{id}/{month}"),
        choices: choices(&config, chosen.as_deref()),
        text,
        wrong: None,
        policies: None,
        services: Vec::new(),
    };
    match policy(&config, chosen.as_deref(), &shown.text) {
        Err(wrong) => shown.wrong = Some(wrong),
        Ok(None) => {}
        Ok(Some(policy)) => {
            let own = terms(&app, &config, &agreement.id, month)?;
            let other = own.under(policy);
            let compared = compare(&draw_up(&app, &own, month).await?, &draw_up(&app, &other, month).await?);
            shown.policies = Some(compared.policies);
            shown.services = compared.services;
        }
    }
    Ok(page(shown.render().expect("writing into a string can't fail")))
}

fn choices(config: &CollectorConfig, chosen: Option<&str>) -> Vec<(String, bool)> {
    let own = config.policies.iter().map(|policy| policy.id.to_string());
    let mut names: Vec<String> = own.chain(config::lone_policy::presets().map(str::to_owned)).collect();
    names.sort();
    names.dedup();
    names.into_iter().map(|name| (name.clone(), chosen == Some(name.as_str()))).collect()
}

/// The policy that is asked for, or what is wrong with it. A policy of the configuration comes before
/// a preset of its name; of several versions the last is meant.
fn policy(config: &CollectorConfig, chosen: Option<&str>, text: &str) -> Result<Option<Arc<Policy>>, String> {
    if TEXT_BYTES_MAX < text.len() {
        return Err(format!("a policy of {} bytes is too long; at most {TEXT_BYTES_MAX} are read", text.len()));
    }
    if !text.trim().is_empty() {
        let loaded = config::lone_policy::parse(text, "policy").map_err(|error| error.to_string())?;
        return Ok(Some(loaded.value));
    }
    let Some(name) = chosen.filter(|name| !name.is_empty()) else { return Ok(None) };
    if let Some(known) = config.policies.iter().rev().find(|policy| policy.id.as_str() == name) {
        return Ok(Some(Arc::clone(known)));
    }
    match config::lone_policy::preset(name) {
        Some(loaded) => loaded.map(|loaded| Some(loaded.value)).map_err(|error| error.to_string()),
        None => Err(format!("no policy is called `{name}`; choose one of the list, or type one in")),
    }
}
