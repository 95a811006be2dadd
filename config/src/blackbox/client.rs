//! What modules share with Prometheus itself: TLS settings, credentials, proxies and added headers.

mod auth;
mod tls;

pub use auth::{Authorization, BasicAuth, OAuth2};
pub use tls::{TlsConfig, TlsVersionText};

use super::module::HeaderText;
use super::shape::{Field, Reading, Record, Visit};
use super::shown::Shown;
use super::yaml::Node;
use crate::secret::Secret;
use std::collections::BTreeMap;
use std::fmt;
use url::Url;

/// Headers that `http_headers` may not set, in Go's canonical spelling.
const RESERVED_HEADERS: &[&str] = &[
    "Authorization",
    "Host",
    "Content-Encoding",
    "Content-Length",
    "Content-Type",
    "User-Agent",
    "Connection",
    "Keep-Alive",
    "Proxy-Authenticate",
    "Proxy-Authorization",
    "Www-Authenticate",
    "Accept-Encoding",
    "X-Prometheus-Remote-Write-Version",
    "X-Prometheus-Remote-Read-Version",
    "X-Prometheus-Scrape-Timeout-Seconds",
    "X-Amz-Date",
    "X-Amz-Security-Token",
    "X-Amz-Content-Sha256",
];

/// A URL; its password is never shown.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct UrlText(pub Option<Url>);

impl fmt::Debug for UrlText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.clone().shown())
    }
}

impl Field for UrlText {
    fn read(&mut self, node: &Node, reading: &mut Reading) {
        let mut text = String::new();
        text.read(node, reading);
        if text.is_empty() {
            return;
        }
        match Url::parse(&text) {
            Ok(url) => self.0 = Some(url),
            Err(error) => reading.refuse(format!("parse proxy_url on line {}: {error}", node.line)),
        }
    }

    fn shown(&mut self) -> Option<Shown> {
        let mut url = self.0.clone()?;
        if url.password().is_some() {
            // A URL that has a password can have another.
            let _ = url.set_password(Some("xxxxx"));
        }
        let text = url.as_str();
        let is_bare = url.path() == "/" && url.query().is_none();
        Some(Shown::text(if is_bare { text.trim_end_matches('/') } else { text }))
    }

    fn type_name(&self) -> String {
        "config.URL".to_owned()
    }
}

/// The keys about proxies, which stand among others.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Proxy {
    /// The proxy.
    pub proxy_url: UrlText,
    /// Hosts that are reached without it.
    pub no_proxy: String,
    /// Whether the environment names it.
    pub proxy_from_environment: bool,
    /// What it is told when a tunnel is asked for.
    pub proxy_connect_header: BTreeMap<String, Vec<Secret>>,
}

impl Proxy {
    fn fields(&mut self, visit: &mut dyn Visit) {
        visit.field("proxy_url", &mut self.proxy_url);
        visit.field("no_proxy", &mut self.no_proxy);
        visit.field("proxy_from_environment", &mut self.proxy_from_environment);
        visit.field("proxy_connect_header", &mut self.proxy_connect_header);
    }

    fn check(&self) -> Result<(), String> {
        let is_named = self.proxy_url.0.is_some();
        let why = match self {
            _ if !self.proxy_connect_header.is_empty() && !self.proxy_from_environment && !is_named => {
                "if proxy_connect_header is configured, proxy_url or proxy_from_environment must also be configured"
            }
            _ if self.proxy_from_environment && is_named => {
                "if proxy_from_environment is configured, proxy_url must not be configured"
            }
            _ if self.proxy_from_environment && !self.no_proxy.is_empty() => {
                "if proxy_from_environment is configured, no_proxy must not be configured"
            }
            _ if !is_named && !self.no_proxy.is_empty() => {
                "if no_proxy is configured, proxy_url must also be configured"
            }
            _ => return Ok(()),
        };
        Err(why.to_owned())
    }
}

/// One of `http_headers`.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct HeaderValues {
    /// Values.
    pub values: Vec<HeaderText>,
    /// Values that are not shown.
    pub secrets: Vec<Secret>,
    /// Files with values.
    pub files: Vec<String>,
}

impl Record for HeaderValues {
    const NAME: &'static str = "config.Header";
    const TYPE: &'static str = "config.Header";

    fn fields(&mut self, visit: &mut dyn Visit) {
        visit.field("values", &mut self.values);
        visit.field("secrets", &mut self.secrets);
        visit.field("files", &mut self.files);
    }
}

/// How requests are made: the keys that stand among those of `http`, or under `http_config`.
#[derive(Clone, PartialEq, Debug)]
pub struct Client {
    /// User name and password.
    pub basic_auth: Option<BasicAuth>,
    /// A token or the like; the deprecated `bearer_token` and `bearer_token_file` end up here.
    pub authorization: Option<Authorization>,
    /// Tokens that are fetched.
    pub oauth2: Option<OAuth2>,
    /// Deprecated.
    pub bearer_token: Secret,
    /// Deprecated.
    pub bearer_token_file: String,
    /// The proxy.
    pub proxy: Proxy,
    /// How TLS is spoken.
    pub tls_config: TlsConfig,
    /// Whether redirects are followed.
    pub follow_redirects: bool,
    /// Whether HTTP/2 is spoken where the target does.
    pub enable_http2: bool,
    /// Headers that are added.
    pub http_headers: BTreeMap<String, HeaderValues>,
}

impl Default for Client {
    fn default() -> Client {
        Client {
            basic_auth: None,
            authorization: None,
            oauth2: None,
            bearer_token: Secret::default(),
            bearer_token_file: String::new(),
            proxy: Proxy::default(),
            tls_config: TlsConfig::default(),
            follow_redirects: true,
            enable_http2: true,
            http_headers: BTreeMap::new(),
        }
    }
}

impl Record for Client {
    const NAME: &'static str = "config.HTTPClientConfig";

    fn fields(&mut self, visit: &mut dyn Visit) {
        visit.field("basic_auth", &mut self.basic_auth);
        visit.field("authorization", &mut self.authorization);
        visit.field("oauth2", &mut self.oauth2);
        visit.field("bearer_token", &mut self.bearer_token);
        visit.field("bearer_token_file", &mut self.bearer_token_file);
        self.proxy.fields(visit);
        visit.field("tls_config", &mut self.tls_config);
        visit.always("follow_redirects", &mut self.follow_redirects);
        visit.always("enable_http2", &mut self.enable_http2);
        visit.field("http_headers", &mut self.http_headers);
    }

    fn check(&mut self) -> Result<(), String> {
        let has_bearer = count([self.bearer_token.expose(), &self.bearer_token_file]);
        at_most_one("bearer_token & bearer_token_file", has_bearer)?;
        if has_bearer != 0 && (self.basic_auth.is_some() || self.oauth2.is_some()) {
            return Err("at most one of basic_auth, oauth2, bearer_token & bearer_token_file must be configured".into());
        }
        if let Some(basic) = &self.basic_auth {
            at_most_one("basic_auth username & username_file", count([&basic.username, &basic.username_file]))?;
            let passwords = count([basic.password.expose(), &basic.password_file]);
            at_most_one("basic_auth password & password_file", passwords)?;
        }
        self.check_authorization(has_bearer != 0)?;
        if let Some(oauth2) = &self.oauth2 {
            check_oauth2(oauth2)?;
        }
        self.proxy.check()?;
        let reserved = |name: &&String| RESERVED_HEADERS.contains(&canonical(name).as_str());
        match self.http_headers.keys().find(reserved) {
            Some(name) => Err(format!("setting header \"{}\" is not allowed", canonical(name))),
            None => Ok(()),
        }
    }
}

impl Client {
    fn check_authorization(&mut self, has_bearer: bool) -> Result<(), String> {
        let Some(authorization) = &mut self.authorization else {
            if has_bearer {
                self.authorization = Some(Authorization {
                    kind: "Bearer".to_owned(),
                    credentials: std::mem::take(&mut self.bearer_token),
                    credentials_file: std::mem::take(&mut self.bearer_token_file),
                    credentials_ref: String::new(),
                });
            }
            return match (&self.basic_auth, &self.oauth2) {
                (Some(_), Some(_)) => {
                    Err("at most one of basic_auth, oauth2 & authorization must be configured".into())
                }
                _ => Ok(()),
            };
        };
        if has_bearer {
            return Err("authorization is not compatible with bearer_token & bearer_token_file".into());
        }
        let credentials = count([authorization.credentials.expose(), &authorization.credentials_file]);
        at_most_one("authorization credentials & credentials_file", credentials)?;
        authorization.kind = authorization.kind.trim().to_owned();
        if authorization.kind.is_empty() {
            authorization.kind.push_str("Bearer");
        }
        if authorization.kind.eq_ignore_ascii_case("basic") {
            return Err("authorization type cannot be set to \"basic\", use \"basic_auth\" instead".into());
        }
        if self.basic_auth.is_some() || self.oauth2.is_some() {
            return Err("at most one of basic_auth, oauth2 & authorization must be configured".into());
        }
        Ok(())
    }
}

fn check_oauth2(oauth2: &OAuth2) -> Result<(), String> {
    let secrets = count([oauth2.client_secret.expose(), &oauth2.client_secret_file, &oauth2.client_secret_ref]);
    let keys = count([
        oauth2.client_certificate_key.expose(),
        &oauth2.client_certificate_key_file,
        &oauth2.client_certificate_key_ref,
    ]);
    if oauth2.client_id.is_empty() {
        return Err("oauth2 client_id must be configured".into());
    }
    if oauth2.token_url.is_empty() {
        return Err("oauth2 token_url must be configured".into());
    }
    if secrets == 0 && keys == 0 {
        return Err("either oauth2 client_secret or client_secret_file must be configured".into());
    }
    at_most_one("oauth2 client_secret & client_secret_file", secrets)
}

/// How many of these hold something.
fn count<const N: usize>(given: [&str; N]) -> usize {
    given.iter().filter(|text| !text.is_empty()).count()
}

fn at_most_one(names: &str, count: usize) -> Result<(), String> {
    if 1 < count { Err(format!("at most one of {names} must be configured")) } else { Ok(()) }
}

/// A header's name as Go spells it: `accEpt-enCoding` is `Accept-Encoding`.
pub(super) fn canonical(name: &str) -> String {
    let word = |word: &str| {
        let (first, rest) = word.split_at(word.len().min(1));
        first.to_ascii_uppercase() + &rest.to_ascii_lowercase()
    };
    if !name.is_ascii() {
        return name.to_owned();
    }
    name.split('-').map(word).collect::<Vec<_>>().join("-")
}
