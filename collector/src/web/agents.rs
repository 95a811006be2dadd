//! The agents' page: who looks, and how far each one's word reaches.

use super::console::coarse;
use super::frame::Frame;
use super::people::Actor;
use super::{AppState, page};
use askama::Template;
use axum::extract;
use axum::response::Response;
use rules::id::{AgentId, ServiceId};
use rules::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Template)]
#[template(path = "agents.html")]
struct AgentsPage {
    frame: Frame,
    rows: Vec<AgentRow>,
}

/// One agent, for pages and tools.
pub(super) struct AgentRow {
    pub(super) agent: String,
    /// Whether the configuration names it.
    pub(super) known: bool,
    pub(super) last_at: Option<Timestamp>,
    pub(super) ago: String,
    /// `quiet` if it was not heard for long, else nothing.
    pub(super) class: &'static str,
    pub(super) position: u64,
    pub(super) series: usize,
    pub(super) down: usize,
    pub(super) dropped: usize,
}

/// After this long without a result an agent is shown as quiet.
const QUIET_AFTER: std::time::Duration = std::time::Duration::from_secs(120);

/// The agents that `actor` sees: all that the configuration names or that ever sent anything, or
/// those that look at a service of the actor's, with what they see of those.
pub(super) fn agents(app: &AppState, actor: &Actor, now: Timestamp) -> Vec<AgentRow> {
    let config = app.config();
    let own: BTreeSet<&ServiceId> = actor.services(&config.agreements, now).map(|(_, service)| &service.id).collect();
    let mut series: BTreeMap<AgentId, (usize, usize)> = BTreeMap::new();
    app.state.for_each(|view| {
        if !actor.sees_all() && !own.contains(&view.key.service) {
            return;
        }
        let (all, down) = series.entry(view.key.agent.clone()).or_default();
        *all += 1;
        *down +=
            usize::from(view.open.is_some_and(|run| run.kind == rules::outcome::OutcomeKind::Down && now < run.until));
    });
    let views: BTreeMap<AgentId, _> = app.state.agents().into_iter().map(|view| (view.agent.clone(), view)).collect();
    let named: BTreeSet<AgentId> = config.agents.iter().map(|known| known.agent.clone()).collect();
    let all: BTreeSet<&AgentId> = match actor.sees_all() {
        true => named.iter().chain(views.keys()).collect(),
        false => series.keys().collect(),
    };
    let row = |agent: &AgentId| {
        let view = views.get(agent);
        let last_at = view.and_then(|view| view.last_at);
        let silence = last_at.map(|last_at| now.since(last_at));
        let (series, down) = series.get(agent).copied().unwrap_or_default();
        AgentRow {
            agent: agent.to_string(),
            known: named.contains(agent),
            last_at,
            ago: silence.map_or_else(|| "never".to_owned(), |silence| format!("{} ago", coarse(silence))),
            class: if silence.is_none_or(|silence| QUIET_AFTER < silence) { "quiet" } else { "" },
            position: view.map_or(0, |view| view.position),
            series,
            down,
            dropped: view.map_or(0, |view| view.tombstones.len()),
        }
    };
    all.into_iter().map(row).collect()
}

/// Answers `/agents`.
pub(super) async fn show(extract::State(app): extract::State<AppState>, actor: Actor) -> Response {
    let now = app.clock.wall();
    let shown = AgentsPage { frame: Frame::of(&actor, "Agents", now), rows: agents(&app, &actor, now) };
    page(shown.render().expect("writing into a string can't fail"))
}
