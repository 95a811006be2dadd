//! `http_sd`: a real server that answers, says that nothing changed, fails and goes away.

use crate::running::{Place, port};
use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use daemon::listener::Listener;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// What a server says, and how often it was asked.
#[derive(Clone, Default)]
struct Inventory(Arc<Mutex<Said>>);

#[derive(Default)]
struct Said {
    list: String,
    status: Option<StatusCode>,
    is_endless: bool,
    asked: usize,
    unchanged: usize,
    headers: HeaderMap,
}

impl Inventory {
    fn say(&self, change: impl FnOnce(&mut Said)) {
        change(&mut self.0.lock().unwrap());
    }

    fn name(&self, addresses: &[&str]) {
        let list = serde_json::json!([{ "targets": addresses }]).to_string();
        self.say(|said| said.list = list);
    }

    async fn until(&self, reached: impl Fn(&Said) -> bool) {
        while !reached(&self.0.lock().unwrap()) {
            tokio::task::yield_now().await;
        }
    }

    async fn serve(&self, at: &str) -> (SocketAddr, JoinSet<()>) {
        let router = Router::new().route("/targets", get(answer)).with_state(self.clone());
        let listener = Listener::bind(at.parse().unwrap()).await.unwrap();
        let (address, mut serving) = (listener.address(), JoinSet::new());
        serving.spawn(listener.serve(router, CancellationToken::new()));
        (address, serving)
    }
}

async fn answer(State(inventory): State<Inventory>, headers: HeaderMap) -> Response {
    let mut said = inventory.0.lock().unwrap();
    said.asked += 1;
    said.headers = headers.clone();
    if let Some(status) = said.status {
        return status.into_response();
    }
    if said.is_endless {
        let piece = || Ok::<_, std::io::Error>(vec![b' '; 1 << 16]);
        return Body::from_stream(futures_util::stream::repeat_with(piece)).into_response();
    }
    let etag = format!("\"{}\"", said.list.len());
    if headers.get("if-none-match").is_some_and(|known| *known == etag) {
        said.unchanged += 1;
        return StatusCode::NOT_MODIFIED.into_response();
    }
    ([("etag", etag)], said.list.clone()).into_response()
}

fn configure(place: &Place, address: SocketAddr) {
    place.write("password", "hunter2\n");
    place.configure(&format!(
        "discovery:\n  - source: inventory\n    http_sd: http://{address}/targets\n    refresh_interval: 1s\n    \
         basic_auth: {{ username: me, password_file: password }}\n    service: s\n    \
         checks: [{{ tcp: \"{{address}}\", every: 100ms }}]\n"
    ));
}

const FAILURES: &str = r#"nines_agent_discovery_failures_total{source="inventory"}"#;

#[tokio::test]
async fn a_list_is_fetched_again_and_stays_while_its_server_fails() {
    let (place, port, inventory) = (Place::new(), port().await, Inventory::default());
    let (address, serving) = inventory.serve("127.0.0.1:0").await;
    configure(&place, address);
    inventory.say(|said| said.status = Some(StatusCode::BAD_GATEWAY));
    let running = place.start().await;
    inventory.until(|said| 1 < said.asked).await;
    let (status, why) = running.ask("/readyz").await;
    let expected = format!("waiting for the first answer of `inventory` (http://{address}/targets: it answered 502");
    assert!(status == 503 && why.contains(&expected), "{status} {why}");

    let name = |port: SocketAddr| format!("inventory:{port}");
    inventory.name(&[&port.address.to_string()]);
    inventory.say(|said| said.status = None);
    running.stands(&[&name(port.address)]).await;
    running.is_ready().await;
    inventory.until(|said| 0 < said.unchanged).await;
    let headers = inventory.0.lock().unwrap().headers.clone();
    assert_eq!(headers["authorization"], "Basic bWU6aHVudGVyMg==");
    assert_eq!(headers["x-prometheus-refresh-interval-seconds"], "1");

    for fault in [
        |said: &mut Said| said.list = "[{\"targets\"".to_owned(),
        |said: &mut Said| said.list = "{\"error\": \"no such page\"}".to_owned(),
        |said: &mut Said| said.is_endless = true,
    ] {
        let failures = running.value(FAILURES).await.unwrap();
        inventory.say(fault);
        running.shows(FAILURES, failures + 1.0).await;
        assert_eq!(running.checks().await.into_iter().collect::<Vec<_>>(), [name(port.address)]);
    }
    inventory.say(|said| said.is_endless = false);
    inventory.name(&[]);
    running.stands(&[]).await;
    inventory.name(&[&port.address.to_string()]);
    running.stands(&[&name(port.address)]).await;
    running.stop().await;

    drop(serving);
    let running = place.start().await;
    running.stands(&[&name(port.address)]).await;
    assert_eq!(running.ask("/readyz").await.0, 200);
    running.stop().await;
}
