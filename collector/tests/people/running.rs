//! A collector with two customers and people of every role, whose clock stands still.

use collector::import::{import_lines, paces};
use collector::serve::{Collector, ServeError};
use config::collector::CollectorConfig;
use config::collector::users::{Role, User};
use daemon::clock::{Clock, Hand};
use reqwest::{Client, Method, RequestBuilder, Response};
use sha2::{Digest, Sha256};
use std::path::Path;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

pub(crate) const NOW: &str = "2026-10-10T05:10:00Z";
/// Everybody there is: name, token, role, and the agreement they are limited to.
pub(crate) const USERS: [(&str, &str, Role, Option<&str>); 5] = [
    ("viewer", "viewer's token", Role::Viewer, Some("acme")),
    ("rival", "rival's token", Role::Viewer, Some("rival")),
    ("operator", "operator's token", Role::Operator, None),
    ("second", "second's token", Role::Operator, None),
    ("admin", "admin's token", Role::Admin, None),
];

pub(crate) struct Running {
    pub(crate) client: Client,
    pub(crate) base: String,
    pub(crate) hand: Hand,
    cancel: CancellationToken,
    running: JoinSet<Result<(), ServeError>>,
    _dir: tempfile::TempDir,
}

pub(crate) fn users() -> Vec<User> {
    let user = |(name, token, role, limit): (&str, &str, Role, Option<&str>)| User {
        user: name.to_owned(),
        role,
        token_sha256: Sha256::digest(token).into(),
        agreements: limit.map(|agreement| [agreement.parse().unwrap()].into()),
    };
    USERS.map(user).into()
}

/// The configuration, with its ledger and its keys in `dir`.
pub(crate) fn configuration(dir: &Path, users: Vec<User>) -> CollectorConfig {
    let mut config = config::collector::parse(include_str!("collector.yaml"), "collector.yaml", dir).unwrap().value;
    config.users = users;
    config
}

impl Running {
    pub(crate) async fn start() -> Running {
        Running::with(users()).await
    }

    pub(crate) async fn with(users: Vec<User>) -> Running {
        let dir = tempfile::tempdir().unwrap();
        let config = configuration(dir.path(), users);
        Running::of(config, dir).await
    }

    pub(crate) async fn of(config: CollectorConfig, dir: tempfile::TempDir) -> Running {
        let (clock, hand) = Clock::manual(NOW.parse().unwrap());
        let ledger = collector::ledger::open(&collector::serve::ledger_url(&config.ledger)).await.unwrap();
        let line = |agent: &str, service: &str, check: &str, minute: u32| {
            let outcome = if minute < 10 { "\"up\"" } else { "\"down\",\"cause\":\"refused\"" };
            format!(
                "{{\"agent\":\"{agent}\",\"service\":\"{service}\",\"check\":\"{check}\",\"at\":\"2026-10-10T04:{minute:02}:00Z\",\"outcome\":{outcome},\"elapsed_us\":1000}}\n"
            )
        };
        let acme = (0..20).map(|minute| line("seoul-1", "apm", "login", minute));
        let rival = (0..20).map(|minute| line("rival-agent", "rival-db", "rival-port", minute));
        let results: String = acme.chain(rival).collect();
        let paces = paces(&config.agreements);
        import_lines(ledger, clock.clone(), "results", results.as_bytes(), paces).await.unwrap();
        let collector = Collector::start(config, clock).await.unwrap();
        let base = format!("http://{}", collector.web_address());
        let (cancel, mut running) = (CancellationToken::new(), JoinSet::new());
        let end = cancel.clone();
        running.spawn(async move { collector::web::serve(collector, None, end).await });
        let client = Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        let started = Running { client, base, hand, cancel, running, _dir: dir };
        while started.ask(Method::GET, "/readyz").send().await.unwrap().status() != 200 {
            tokio::task::yield_now().await;
        }
        started
    }

    pub(crate) fn ask(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.base))
    }

    /// Asks as one of [`USERS`], by token.
    pub(crate) fn ask_as(&self, user: &str, method: Method, path: &str) -> RequestBuilder {
        let (_, token, ..) = USERS.into_iter().find(|(name, ..)| *name == user).unwrap();
        self.ask(method, path).bearer_auth(token)
    }

    /// Signs in with a form, as a browser does.
    pub(crate) async fn sign_in(&self, name: &str, token: &str) -> Response {
        let body = format!("name={name}&token={}&to=%2Fagents", token.replace(' ', "+"));
        let request = self.ask(Method::POST, "/sign-in").header("content-type", "application/x-www-form-urlencoded");
        request.body(body).send().await.unwrap()
    }

    /// Signs in as one of [`USERS`]; what a browser would show afterwards.
    pub(crate) async fn session(&self, user: &str) -> String {
        let (_, token, ..) = USERS.into_iter().find(|(name, ..)| *name == user).unwrap();
        let answer = self.sign_in(user, token).await;
        assert_eq!(answer.status(), 303);
        cookie(&answer)
    }

    pub(crate) async fn page(&self, session: &str, path: &str) -> String {
        let request = self.ask(Method::GET, path).header("cookie", session).header("accept", "text/html");
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        answer.text().await.unwrap()
    }

    /// The token that a session's forms carry.
    pub(crate) async fn form_token(&self, session: &str) -> String {
        let page = self.page(session, "/agents").await;
        let (_, rest) = page.split_once("name=\"form_token\" value=\"").unwrap();
        rest.split('"').next().unwrap().to_owned()
    }

    pub(crate) async fn stop(mut self) {
        self.cancel.cancel();
        self.running.join_next().await.unwrap().unwrap().unwrap();
    }
}

/// The cookie that an answer sets, as a browser sends it back.
pub(crate) fn cookie(answer: &Response) -> String {
    let set = answer.headers()["set-cookie"].to_str().unwrap();
    set.split(';').next().unwrap().to_owned()
}
