//! What people and tools see of the collector: the console, the API, `/metrics`.
//!
//! It shows what is committed, each to those who may see it, and takes what people put on record. Every page works without a script; with
//! one it updates itself when something changes.

mod agents;
mod agreements;
mod api;
mod console;
mod effort;
mod events;
mod exclusions;
mod figures;
mod form;
mod frame;
mod incidents;
mod issued;
mod keep;
mod means;
mod metrics;
mod moments;
pub(crate) mod people;
pub(crate) mod problem;
mod recent;
mod statements;
mod what_if;

use crate::outages::ServiceNow;
use crate::render::press::Press;
use crate::serve::{Collector, Facts, ServeError};
use axum::Router;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use config::collector::CollectorConfig;
use daemon::reload::FileWatch;
use figures::{Figures, ServiceFigures};
use people::{People, sign_in};
use rules::agreement::{Agreement, Service};
use rules::time::Timestamp;
use std::ops::Deref;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// What pages may load: their own style and script, and nothing from elsewhere.
const CONTENT_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
);

/// What the web's routes need; cheap to clone.
#[derive(Clone)]
pub(crate) struct AppState {
    /// What the collector knows.
    facts: Facts,
    /// The months' figures so far.
    figures: Arc<Figures>,
    /// Who was here.
    people: Arc<People>,
    /// What prints statements.
    press: Press,
}

impl Deref for AppState {
    type Target = Facts;

    fn deref(&self) -> &Facts {
        &self.facts
    }
}

impl AppState {
    fn new(facts: Facts) -> AppState {
        AppState { facts, figures: Arc::default(), people: Arc::default(), press: Press::default() }
    }

    /// What `service` is now.
    fn now(&self, agreement: &Agreement, service: &Service) -> ServiceNow {
        self.outages.service(&service.id).unwrap_or_else(|| ServiceNow::unheard(&agreement.id, &service.id))
    }

    /// The months' figures of `service`, which `is` as it is, as of `now`.
    fn figures(&self, agreement: &Agreement, service: &Service, is: &ServiceNow, now: Timestamp) -> ServiceFigures {
        self.figures.of(agreement, service, &self.state.service(&service.id), is.state, now)
    }

    /// What is promised as of now: the configuration with what stands on record among it. Months are
    /// drawn up from the two apart.
    fn promised(&self) -> Arc<CollectorConfig> {
        self.facts.promised.borrow().clone()
    }

    /// The configuration as it is now.
    fn config(&self) -> Arc<CollectorConfig> {
        self.facts.config.borrow().clone()
    }
}

/// Runs `collector` with its pages until `cancel`; `file` is its configuration, read again when it
/// changes.
pub async fn serve(collector: Collector, file: Option<FileWatch>, cancel: CancellationToken) -> Result<(), ServeError> {
    let app = AppState::new(collector.facts());
    let pages = router(app.clone());
    let (ended, ()) = tokio::join!(collector.run(pages, file, cancel), means::keep(app));
    ended
}

/// The routes of the web's listener. What is not said to be open is behind the gate.
fn router(app: AppState) -> Router {
    let gate = axum::middleware::from_fn_with_state(app.clone(), people::gate);
    let guarded = Router::new()
        .route("/", get(console::overview))
        .route("/services/{service}", get(console::service))
        .route("/agents", get(agents::show))
        .route("/statements/{agreement}/{period}", get(statements::show))
        .route("/what-if/{agreement}/{period}", get(what_if::show))
        .route("/agreements", get(agreements::list))
        .route("/agreements/{agreement}", get(agreements::show))
        .route("/agreements/{agreement}/exclusions", post(exclusions::announce))
        .route("/agreements/{agreement}/exclusions/new", get(exclusions::ask))
        .route("/agreements/{agreement}/exclusions/{entry}", get(exclusions::show).post(exclusions::decide))
        .route("/agreements/{agreement}/incidents", post(incidents::open))
        .route("/agreements/{agreement}/incidents/new", get(incidents::ask))
        .route("/agreements/{agreement}/incidents/{incident}", get(incidents::show).post(incidents::happen))
        .route("/agreements/{agreement}/effort", post(effort::spend))
        .route("/agreements/{agreement}/effort/new", get(effort::ask))
        .route("/sign-out", post(sign_in::leave))
        .route("/events", get(events::stream))
        .route("/metrics", get(metrics::page))
        .merge(api::router())
        .route_layer(gate);
    let open = Router::new()
        .route("/sign-in", get(sign_in::ask).post(sign_in::enter))
        .route("/.well-known/nines-keys.json", get(issued::keys))
        .route("/console.css", get(async || asset("text/css; charset=utf-8", include_str!("../templates/console.css"))))
        .route("/statement.css", get(async || asset("text/css; charset=utf-8", crate::render::html::STYLE)))
        .route(
            "/console.js",
            get(async || asset("text/javascript; charset=utf-8", include_str!("../templates/console.js"))),
        );
    let health = daemon::admin::health(app.readiness.clone());
    guarded.merge(open).with_state(app).merge(health)
}

fn asset(kind: &'static str, text: &'static str) -> Response {
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, "max-age=60"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, text).into_response()
}

/// A page of the console with the headers that keep it to itself.
fn page(html: String) -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (header::CONTENT_SECURITY_POLICY, CONTENT_POLICY),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (header::REFERRER_POLICY, HeaderValue::from_static("same-origin")),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    ];
    (headers, html).into_response()
}

/// A name as a part of a path: whatever isn't plain is percent-encoded.
fn encoded(name: &str) -> String {
    let mut path = String::with_capacity(name.len());
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => path.push(char::from(byte)),
            _ => path.push_str(&format!("%{byte:02X}")),
        }
    }
    path
}
