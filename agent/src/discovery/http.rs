//! Targets from a server, in Prometheus' format, fetched again and again.
//!
//! What it named last stands until it answers with another list. It is asked again after
//! `refresh_interval`, and sooner when it failed; its answers are bounded in length and time.

use super::follow::Look;
use super::kept::Lists;
use config::agent::discovery::{Credentials, HttpPlace, targets};
use daemon::clock::Clock;
use daemon::error_text::whole;
use daemon::version::USER_AGENT;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use reqwest::header::{ACCEPT, AUTHORIZATION, ETAG, HeaderMap, HeaderValue, IF_NONE_MATCH};
use reqwest::{Certificate, Client, Identity, StatusCode};
use rules::check::Verify;
use rules::time::millis;
use std::path::Path;
use std::time::Duration;

/// How long an answer may take as a whole.
const ANSWER_MAX: Duration = Duration::from_secs(30);
/// The longest answer: a hundred thousand targets with a few labels each.
const BYTES_MAX: usize = 16 * 1024 * 1024;
/// The shortest wait after a failure; it doubles up to the refresh interval.
const RETRY_MIN: Duration = Duration::from_secs(1);
/// The label that says where a target was named, as in Prometheus.
const ORIGIN: &str = "__meta_url";
/// The header that says how often the server is asked, as in Prometheus.
const REFRESH_HEADER: &str = "x-prometheus-refresh-interval-seconds";

/// Asks a server.
pub(super) struct Http {
    client: Client,
    url: String,
    headers: HeaderMap,
    refresh: Duration,
    clock: Clock,
    chance: StdRng,
    /// What the last list was called by the server.
    etag: Option<HeaderValue>,
    /// How long to wait before the next look; none before the first.
    pause: Duration,
    retry: Duration,
}

impl Http {
    /// Reads the files that `place` names; says what is wrong with them.
    pub(super) fn new(place: &HttpPlace, clock: Clock, seed: u64) -> Result<Http, String> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(REFRESH_HEADER, HeaderValue::from(place.refresh.as_secs()));
        headers.extend(authorization(place)?.map(|value| (AUTHORIZATION, value)));
        let chance = StdRng::seed_from_u64(seed);
        let (client, url, refresh) = (client(place)?, place.url.clone(), place.refresh);
        Ok(Http { client, url, headers, refresh, clock, chance, etag: None, pause: Duration::ZERO, retry: RETRY_MIN })
    }

    /// Asks when it is time.
    pub(super) async fn look(&mut self) -> Look {
        self.clock.sleep(self.pause).await;
        match self.ask().await {
            Ok(lists) => {
                (self.pause, self.retry) = (self.refresh, RETRY_MIN);
                Look { lists, ..Look::unchanged() }
            }
            Err(why) => {
                let retry = self.retry.min(self.refresh);
                let spread = self.chance.random_range(0..=millis(retry).max(0).unsigned_abs() / 2);
                self.pause = retry / 2 + Duration::from_millis(spread);
                self.retry = retry * 2;
                Look::failed(format!("{}: {why}", self.url))
            }
        }
    }

    /// Another list than the last one, if there is one.
    async fn ask(&mut self) -> Result<Option<Lists>, String> {
        let mut request = self.client.get(&self.url).headers(self.headers.clone()).timeout(ANSWER_MAX);
        if let Some(etag) = &self.etag {
            request = request.header(IF_NONE_MATCH, etag);
        }
        let mut response = request.send().await.map_err(|error| whole(&error))?;
        match response.status() {
            StatusCode::OK => {}
            StatusCode::NOT_MODIFIED if self.etag.is_some() => return Ok(None),
            status => return Err(format!("it answered {status}")),
        }
        let etag = response.headers().get(ETAG).cloned();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| whole(&error))? {
            if BYTES_MAX < body.len() + chunk.len() {
                return Err(format!("its answer is longer than {BYTES_MAX} bytes"));
            }
            body.extend_from_slice(&chunk);
        }
        let text = String::from_utf8(body).map_err(|_| "its answer is no UTF-8".to_owned())?;
        let list = targets(&text, &self.url, ORIGIN);
        let list = list.map_err(|error| error.to_string().lines().next().unwrap_or_default().to_owned())?;
        self.etag = etag;
        Ok(Some(Lists::from([(String::new(), list)])))
    }
}

fn client(place: &HttpPlace) -> Result<Client, String> {
    let access = &place.access;
    let mut client = Client::builder().user_agent(USER_AGENT).connect_timeout(ANSWER_MAX);
    if let Some(file) = &access.ca_file {
        let certificates = Certificate::from_pem_bundle(&read(file)?);
        client = client.tls_certs_only(certificates.map_err(|error| no_pem(file, &error))?);
    }
    if let Some(identity) = &access.identity {
        let pem = [read(&identity.cert_file)?, read(&identity.key_file)?].join(&b'\n');
        client = client.identity(Identity::from_pem(&pem).map_err(|error| no_pem(&identity.key_file, &error))?);
    }
    if access.verify == Verify::Nothing {
        client = client.tls_danger_accept_invalid_certs(true);
    }
    client.build().map_err(|error| whole(&error))
}

fn authorization(place: &HttpPlace) -> Result<Option<HeaderValue>, String> {
    use base64::Engine as _;
    let text = match &place.access.credentials {
        None => return Ok(None),
        Some(Credentials::Basic { username, password }) => {
            let password = password.as_ref().map_or("", |password| password.expose());
            let both = format!("{username}:{password}");
            format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(both))
        }
        Some(Credentials::Token { scheme, token }) => format!("{scheme} {}", token.expose()),
    };
    let mut value =
        HeaderValue::from_str(&text).map_err(|_| "the credentials have a character that no header may have")?;
    value.set_sensitive(true);
    Ok(Some(value))
}

fn read(file: &Path) -> Result<Vec<u8>, String> {
    std::fs::read(file).map_err(|error| format!("{} can't be read: {error}", file.display()))
}

fn no_pem(file: &Path, error: &reqwest::Error) -> String {
    format!("{} is no PEM: {}", file.display(), whole(error))
}
