//! `/api/v1`: everything that the console shows, as JSON.
//!
//! Lists page by a cursor, which is the last name of the page before. Errors are RFC 9457 problem
//! objects. `openapi.json` beside this file describes it; a test holds the two together.

mod effort;
mod exclusions;
mod incidents;
mod record;
mod views;

use super::people::Actor;
use super::problem::Problem;
use super::{AppState, agents, issued, recent, statements};
use crate::closing::explanation::explain;
use crate::closing::terms::joined;
use axum::extract::{self, Path, Query};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use rules::agreement::{Agreement, Service};
use rules::time::Timestamp;
use serde::Deserialize;

/// Entries of a page when nothing is said, and at most.
const LIMIT_DEFAULT: usize = 100;
const LIMIT_MAX: usize = 1000;

/// The routes.
pub(super) fn router() -> Router<AppState> {
    Router::new()
        .route("/api/v1/openapi.json", get(openapi))
        .route("/api/v1/agents", get(list_agents))
        .route("/api/v1/agreements", get(list_agreements))
        .route("/api/v1/agreements/{agreement}/statements", get(issued::list))
        .route("/api/v1/agreements/{agreement}/statements/{period}", get(issued::period))
        .route("/api/v1/agreements/{agreement}/incidents", get(incidents::list).post(incidents::open))
        .route("/api/v1/agreements/{agreement}/incidents/{incident}", get(incidents::one))
        .route("/api/v1/agreements/{agreement}/incidents/{incident}/events", post(incidents::happened))
        .route("/api/v1/agreements/{agreement}/statements/{period}/versions/{version}", get(issued::version))
        .route("/api/v1/keys", get(issued::keys))
        .route("/api/v1/agreements/{agreement}/effort", get(effort::list).post(effort::spend))
        .route("/api/v1/agreements/{agreement}/exclusions", get(exclusions::list).post(exclusions::claim))
        .route("/api/v1/agreements/{agreement}/exclusions/{entry}/approval", post(exclusions::approve))
        .route("/api/v1/agreements/{agreement}/exclusions/{entry}/refusal", post(exclusions::refuse))
        .route("/api/v1/agreements/{agreement}/exclusions/{entry}/withdrawal", post(exclusions::withdraw))
        .route("/api/v1/agreements/{agreement}/record", get(record::list))
        .route("/api/v1/services", get(list_services))
        .route("/api/v1/services/{service}", get(service))
        .route("/api/v1/services/{service}/outages", get(outages))
        .route("/api/v1/services/{service}/explanation", get(explanation))
}

async fn openapi() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], include_str!("api/openapi.json")).into_response()
}

/// Which part of a list.
#[derive(Deserialize)]
struct Paging {
    /// Only what comes after this name.
    after: Option<String>,
    limit: Option<usize>,
}

impl Paging {
    /// The page's part of `all`, which is in order of `name`, and the cursor of the next.
    fn of<T>(&self, mut all: Vec<T>, name: impl Fn(&T) -> String) -> (Vec<T>, Option<String>) {
        if let Some(after) = &self.after {
            all.retain(|entry| *after < name(entry));
        }
        let limit = self.limit.unwrap_or(LIMIT_DEFAULT).clamp(1, LIMIT_MAX);
        let more = limit < all.len();
        all.truncate(limit);
        let next = if more { all.last().map(name) } else { None };
        (all, next)
    }
}

async fn list_agents(
    extract::State(app): extract::State<AppState>,
    actor: Actor,
    Query(paging): Query<Paging>,
) -> Response {
    let rows = agents::agents(&app, &actor, app.clock.wall());
    let (rows, next) = paging.of(rows, |row| row.agent.clone());
    Json(views::Agents { agents: rows.iter().map(views::Agent::of).collect(), next }).into_response()
}

async fn list_agreements(
    extract::State(app): extract::State<AppState>,
    actor: Actor,
    Query(paging): Query<Paging>,
) -> Response {
    let (config, now) = (app.config(), app.clock.wall());
    let mut all: Vec<&Agreement> = actor.agreements(&config.agreements, now).collect();
    all.sort_by(|a, b| a.id.cmp(&b.id));
    let (all, next) = paging.of(all, |agreement| agreement.id.to_string());
    Json(views::Agreements { agreements: all.into_iter().map(views::Agreement::of).collect(), next }).into_response()
}

async fn list_services(
    extract::State(app): extract::State<AppState>,
    actor: Actor,
    Query(paging): Query<Paging>,
) -> Response {
    let config = app.promised();
    app.figures.under(&config);
    let now = app.clock.wall();
    let mut all: Vec<(&Agreement, &Service)> = actor.services(&config.agreements, now).collect();
    all.sort_by(|(_, a), (_, b)| a.id.cmp(&b.id));
    let (all, next) = paging.of(all, |(_, service)| service.id.to_string());
    let view = |(agreement, service): (&Agreement, &Service)| {
        let is = app.now(agreement, service);
        let recent = recent::recent(&app.state, agreement, service, now);
        views::Service::of(agreement, service, &is, &recent, &app.figures(agreement, service, &is, now))
    };
    Json(views::Services { services: all.into_iter().map(view).collect(), next }).into_response()
}

async fn service(
    extract::State(app): extract::State<AppState>,
    actor: Actor,
    Path(name): Path<String>,
) -> Result<Json<views::ServiceDetail>, Problem> {
    let config = app.promised();
    app.figures.under(&config);
    let now = app.clock.wall();
    let (agreement, service) = actor.service(&config.agreements, &name, now)?;
    let recent = recent::recent(&app.state, agreement, service, now);
    let is = app.now(agreement, service);
    let figures = app.figures(agreement, service, &is, now);
    Ok(Json(views::ServiceDetail {
        service: views::Service::of(agreement, service, &is, &recent, &figures),
        checks: service.checks.iter().map(views::Check::of).collect(),
        series: app.state.service(&service.id).iter().map(views::Series::of).collect(),
    }))
}

async fn outages(
    extract::State(app): extract::State<AppState>,
    actor: Actor,
    Path(name): Path<String>,
) -> Result<Json<views::Outages>, Problem> {
    let config = app.promised();
    let now = app.clock.wall();
    let (agreement, service) = actor.service(&config.agreements, &name, now)?;
    let recent = recent::recent(&app.state, agreement, service, now);
    Ok(Json(views::Outages { outages: recent.stretches.iter().rev().map(views::Outage::of).collect() }))
}

/// What to explain.
#[derive(Deserialize)]
struct Question {
    period: String,
    at: Option<String>,
}

async fn explanation(
    extract::State(app): extract::State<AppState>,
    actor: Actor,
    Path(name): Path<String>,
    Query(question): Query<Question>,
) -> Result<Json<views::Explanation>, Problem> {
    let config = app.config();
    let month = statements::month(&question.period)?;
    let (agreement, service) = actor.service_in(&config, &name, month)?;
    let at = match question.at {
        Some(at) => Some(
            at.parse::<Timestamp>().map_err(|why| Problem::BadParameter { parameter: "at", why: why.to_string() })?,
        ),
        None => None,
    };
    let agreement = joined(agreement, &app.record.entries(&agreement.id));
    let text = explain(&app.evidence, &agreement, service, month, Some(app.clock.wall()), at).await?;
    Ok(Json(views::Explanation { service: service.id.to_string(), period: month.to_string(), text }))
}
