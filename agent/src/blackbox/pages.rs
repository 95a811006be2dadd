//! What is answered beside probes: `/`, `/config`, `/logs`, `/-/healthy` and `/-/reload`.

use super::Blackbox;
use super::history::Entry;
use super::log::without_password;
use super::parameters::Parameters;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use std::fmt::Write as _;
use std::sync::Arc;

const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");
const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");

/// A refusal as Go's library writes it: one line of text that no browser takes for anything else.
pub(super) fn refusal(status: StatusCode, why: &str) -> Response {
    let headers = [(header::CONTENT_TYPE, TEXT), (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"))];
    (status, headers, format!("{why}\n")).into_response()
}

fn text(text: String) -> Response {
    ([(header::CONTENT_TYPE, TEXT)], text).into_response()
}

pub(super) async fn healthy() -> Response {
    text("Healthy".to_owned())
}

pub(super) async fn config(State(blackbox): State<Arc<Blackbox>>) -> Response {
    let modules = Arc::clone(&blackbox.modules.borrow());
    text(modules.shown())
}

pub(super) async fn reload(State(blackbox): State<Arc<Blackbox>>, method: Method) -> Response {
    if method != Method::POST {
        let body = "This endpoint requires a POST request.\n".to_owned();
        return (StatusCode::METHOD_NOT_ALLOWED, [(header::CONTENT_TYPE, TEXT)], body).into_response();
    }
    match blackbox.reload("request").await {
        Ok(()) => StatusCode::OK.into_response(),
        Err(error) => refusal(StatusCode::INTERNAL_SERVER_ERROR, &format!("failed to reload config: {error}")),
    }
}

pub(super) async fn logs(State(blackbox): State<Arc<Blackbox>>, RawQuery(query): RawQuery) -> Response {
    let parameters = Parameters::read(query.as_deref().unwrap_or(""));
    let (id, target, module) = (parameters.first("id"), parameters.first("target"), parameters.first("module"));
    let bad = |why: &str| refusal(StatusCode::BAD_REQUEST, why);
    let found = match (id, target, module) {
        ("", "", "") => return bad("Probe id or target must be defined as http query parameters"),
        ("", "", _) => return bad("Target parameter must be defined when module is"),
        (_, "", _) => match id.parse::<i64>() {
            Ok(id) => u64::try_from(id).ok().and_then(|id| blackbox.history().by_id(id)),
            Err(_) => return bad("Invalid probe id"),
        },
        ("", target, module) => blackbox.history().by_target(target, (!module.is_empty()).then_some(module)),
        _ => return bad("Probe id and target can't be defined at the same time"),
    };
    match found {
        Some(entry) => text(debug(&entry)),
        None if id.is_empty() => refusal(StatusCode::NOT_FOUND, "Probe target not found"),
        None => refusal(StatusCode::NOT_FOUND, "Probe id not found"),
    }
}

/// What `debug=true` answers.
pub(super) fn debug(entry: &Entry) -> String {
    let Entry { log, metrics, module, .. } = entry;
    let module = module.shown();
    format!(
        "Logs for the probe:\n{log}\n\n\nMetrics that would have been returned:\n{metrics}\n\n\nModule configuration:\n{module}"
    )
}

pub(super) async fn index(State(blackbox): State<Arc<Blackbox>>) -> Response {
    let mut page = String::from(
        "<html>
    <head><title>Blackbox Exporter</title></head>
    <body>
    <h1>Blackbox Exporter</h1>
    <p>Served by nines-agent.</p>
    <p><a href=\"probe?target=prometheus.io&module=http_2xx\">Probe prometheus.io for http_2xx</a></p>
    <p><a href=\"probe?target=prometheus.io&module=http_2xx&debug=true\">Debug probe prometheus.io for http_2xx</a></p>
    <p><a href=\"metrics\">Metrics</a></p>
    <p><a href=\"config\">Configuration</a></p>
    <h2>Recent Probes</h2>
    <table border='1'><tr><th>Module</th><th>Target</th><th>Result</th><th>Debug</th></tr>",
    );
    for entry in blackbox.history().iter().rev() {
        let (module, target) = (escaped(&entry.module_name), escaped(&without_password(&entry.target)));
        let result = if entry.is_success { "Success" } else { "<strong>Failure</strong>" };
        // Writing to a string can't fail.
        let _ = write!(
            page,
            "<tr><td>{module}</td><td>{target}</td><td>{result}</td><td><a href='logs?id={}'>Logs</a></td></tr>",
            entry.id
        );
    }
    page.push_str("</table></body>\n    </html>");
    ([(header::CONTENT_TYPE, HTML)], page).into_response()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&#34;").replace('\'', "&#39;")
}
