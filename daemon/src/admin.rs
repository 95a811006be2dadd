//! The operator's endpoints: `/healthz`, `/readyz` and `/metrics`.
//!
//! `/healthz` says that the process lives and nothing more; `/readyz` says whether it can do its
//! work and, if not, why. Neither ever probes anything when asked.

use crate::exposition::Exposition;
use axum::Router;
use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use bytes::Bytes;
use hyper::body::Frame;
use prometheus::{Registry, TextEncoder};
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::iter::once;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

/// The media type of Prometheus' text format.
pub const METRICS_TYPE: HeaderValue = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");

/// What stands between the process and its work; cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Readiness {
    obstacles: Arc<Mutex<BTreeMap<&'static str, String>>>,
}

impl Readiness {
    /// Nothing stands in the way.
    pub fn new() -> Readiness {
        Readiness::default()
    }

    /// Says that `part` keeps the process from its work, and why.
    pub fn block(&self, part: &'static str, why: impl Into<String>) {
        self.obstacles.lock().unwrap_or_else(PoisonError::into_inner).insert(part, why.into());
    }

    /// Says that `part` is no longer in the way.
    pub fn clear(&self, part: &'static str) {
        self.obstacles.lock().unwrap_or_else(PoisonError::into_inner).remove(part);
    }

    /// Why the process can't do its work, one line a part; `None` when it can.
    pub fn obstacles(&self) -> Option<String> {
        let obstacles = self.obstacles.lock().unwrap_or_else(PoisonError::into_inner);
        let lines: Vec<String> = obstacles.iter().map(|(part, why)| format!("{part}: {why}\n")).collect();
        (!lines.is_empty()).then(|| lines.concat())
    }
}

/// `/healthz` and `/readyz`.
pub fn health(readiness: Readiness) -> Router {
    Router::new().route("/healthz", get(async || "alive\n")).route(
        "/readyz",
        get(async move || match readiness.obstacles() {
            None => (StatusCode::OK, "ready\n".to_owned()),
            Some(lines) => (StatusCode::SERVICE_UNAVAILABLE, lines),
        }),
    )
}

/// `/metrics` of `registry`, followed by what the `pieces` hold, each made when those before it are
/// on their way: a page of many megabytes never lies in memory whole.
pub fn metrics<P>(registry: Registry, pieces: impl Fn() -> P + Clone + Send + Sync + 'static) -> Router
where
    P: Iterator<Item = Exposition> + Send + Unpin + 'static,
{
    let answer = async move || match TextEncoder::new().encode_to_string(&registry.gather()) {
        Ok(own) => {
            let texts = once(own).chain(pieces().map(Exposition::into_text));
            ([(header::CONTENT_TYPE, METRICS_TYPE)], Body::new(Pieces(texts))).into_response()
        }
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")).into_response(),
    };
    Router::new().route("/metrics", get(answer))
}

/// A body that is written while it is sent.
struct Pieces<T>(T);

impl<T: Iterator<Item = String> + Unpin> hyper::body::Body for Pieces<T> {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.next().map(|text| Ok(Frame::data(text.into()))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exposition::Labels;
    use axum::body::to_bytes;
    use axum::http::Request;
    use prometheus::IntCounter;
    use tower::ServiceExt;

    async fn ask(router: Router, path: &str) -> (StatusCode, String) {
        let answer = router.oneshot(Request::get(path).body(Body::empty()).unwrap()).await.unwrap();
        let status = answer.status();
        let body = to_bytes(answer.into_body(), 1 << 20).await.unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn readyz_says_what_stands_in_the_way_until_it_is_gone() {
        let readiness = Readiness::new();
        readiness.block("ledger", "migrating");
        let refused = ask(health(readiness.clone()), "/readyz").await;
        assert_eq!(refused, (StatusCode::SERVICE_UNAVAILABLE, "ledger: migrating\n".to_owned()));
        assert_eq!(ask(health(readiness.clone()), "/healthz").await.0, StatusCode::OK);
        readiness.clear("ledger");
        assert_eq!(ask(health(readiness), "/readyz").await.0, StatusCode::OK);
    }

    #[tokio::test]
    async fn metrics_are_prometheus_text() {
        let registry = Registry::new();
        let counter = IntCounter::new("nines_things_total", "Things.").unwrap();
        registry.register(Box::new(counter.clone())).unwrap();
        counter.inc_by(3);
        let piece = |value| {
            let mut page = Exposition::default();
            page.sample("nines_own", &Labels::default(), value);
            page
        };
        let (status, text) = ask(metrics(registry, move || [4, 5].into_iter().map(piece)), "/metrics").await;
        assert_eq!(status, StatusCode::OK);
        assert!(text.contains("# HELP nines_things_total Things.\n"), "{text}");
        assert!(text.ends_with("nines_things_total 3\nnines_own 4\nnines_own 5\n"), "{text}");
    }
}
