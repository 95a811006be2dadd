//! A webhook's receiver that verifies signatures as the documentation says, with code of its own.

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use std::sync::{Arc, Mutex};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// What the receiver answers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Answering {
    Ok,
    Never,
    Status(u16),
    Redirect(String),
}

#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) key: String,
    pub(super) body: Vec<u8>,
    pub(super) is_genuine: bool,
}

/// A server on a port of its own, until it is dropped.
pub(super) struct Receiver {
    pub(super) url: String,
    heard: Arc<Heard>,
    _serving: JoinSet<()>,
}

struct Heard {
    requests: Mutex<Vec<Request>>,
    count: watch::Sender<usize>,
    answering: Mutex<Answering>,
}

impl Receiver {
    pub(super) async fn start(answering: Answering) -> Receiver {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let (requests, answering) = (Mutex::default(), Mutex::new(answering));
        let heard = Arc::new(Heard { requests, count: watch::Sender::new(0), answering });
        let router = Router::new().fallback(take).with_state(Arc::clone(&heard));
        let mut serving = JoinSet::new();
        serving.spawn(async move { axum::serve(listener, router).await.unwrap() });
        Receiver { url, heard, _serving: serving }
    }

    pub(super) fn requests(&self) -> Vec<Request> {
        self.heard.requests.lock().unwrap().clone()
    }

    /// Waits until there were so many requests.
    pub(super) async fn has(&self, count: usize) {
        self.heard.count.subscribe().wait_for(|heard| count <= *heard).await.unwrap();
    }

    pub(super) fn now(&self, answering: Answering) {
        *self.heard.answering.lock().unwrap() = answering;
    }
}

async fn take(State(heard): State<Arc<Heard>>, headers: HeaderMap, body: Bytes) -> Response {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let request = Request {
        key: text("idempotency-key"),
        is_genuine: is_genuine(&text("nines-signature"), &body),
        body: body.to_vec(),
    };
    heard.requests.lock().unwrap().push(request);
    heard.count.send_modify(|count| *count += 1);
    let answering = heard.answering.lock().unwrap().clone();
    match answering {
        Answering::Ok => StatusCode::NO_CONTENT.into_response(),
        Answering::Never => std::future::pending().await,
        Answering::Status(status) => StatusCode::from_u16(status).unwrap().into_response(),
        Answering::Redirect(to) => (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, to)]).into_response(),
    }
}

/// The recipe of `docs/notifications.md`, through openssl.
fn is_genuine(signature: &str, body: &[u8]) -> bool {
    use std::io::Write as _;
    let Some((time, given)) = signature.strip_prefix("t=").and_then(|rest| rest.split_once(",v1=")) else {
        return false;
    };
    let mut openssl = std::process::Command::new("openssl")
        .args(["dgst", "-sha256", "-hmac", env!("CARGO_PKG_NAME")])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = openssl.stdin.take().unwrap();
    stdin.write_all(format!("{time}.").as_bytes()).unwrap();
    stdin.write_all(body).unwrap();
    drop(stdin);
    let output = openssl.wait_with_output().unwrap().stdout;
    String::from_utf8(output).unwrap().trim_end().ends_with(given)
}
