//! Finds out who asks, and that they ask themselves rather than some other site's page.
//!
//! A session's cookie is shown by the browser whoever wrote the page, so it authorises nothing that
//! changes something but a form of the console that carries the session's own token; the API takes
//! no session for a change. A bearer token is shown by nobody but its holder.

use super::fields::{FORM_BYTES_MAX, Fields};
use super::session::Session;
use super::{Actor, AppState, Problem};
use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{AUTHORIZATION, COOKIE, HOST, ORIGIN};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue};
use config::collector::CollectorConfig;
use config::collector::users::User;
use daemon::listener::PeerAddress;
use http_body_util::{BodyExt, Limited};
use sha2::{Digest, Sha256};
use std::net::{IpAddr, Ipv4Addr};
use subtle::ConstantTimeEq;

/// The name of the session's cookie.
pub(super) const COOKIE_NAME: &str = "nines-session";

/// A request's actor, and what its answer must carry.
pub(super) struct Admitted {
    pub(super) actor: Actor,
    /// The cookie of a session that was renewed by being used.
    pub(super) renewed: Option<HeaderValue>,
}

/// How somebody showed who they are.
enum Shown {
    /// By a token.
    Token(User),
    /// By a session.
    Session(Session, User),
}

/// Hands a request on with its [`Actor`] and, if it is a form, its [`Fields`] in it.
pub(super) async fn admit(app: &AppState, request: Request) -> Result<(Request, Admitted), Problem> {
    let config = app.config();
    let (mut parts, mut body) = request.into_parts();
    let changes = !parts.method.is_safe();
    if changes && is_cross_origin(&parts.headers) {
        return Err(Problem::CrossOrigin);
    }
    let is_api = parts.uri.path().starts_with("/api/");
    if changes && !is_api {
        let fields = form(body).await?;
        parts.extensions.insert(fields);
        body = Body::empty();
    }
    let admitted = if config.users.is_empty() {
        Admitted { actor: Actor::anybody(), renewed: None }
    } else {
        known(app, &config, &parts).await?
    };
    parts.extensions.insert(admitted.actor.clone());
    Ok((Request::from_parts(parts, body), admitted))
}

async fn known(app: &AppState, config: &CollectorConfig, parts: &Parts) -> Result<Admitted, Problem> {
    let (session, user) = match identify(app, config, parts).await? {
        Shown::Token(user) => {
            return Ok(Admitted { actor: Actor::known(app, user, String::new()), renewed: None });
        }
        Shown::Session(session, user) => (session, user),
    };
    let sessions = app.people.sessions.unlock(&config.closing.keys).await;
    if !parts.method.is_safe() {
        // The form was read before: a change without one is the API's.
        let fields = parts.extensions.get::<Fields>().ok_or(Problem::SessionForApi)?;
        if !sessions.is_form_token(session, fields.one("form_token")) {
            return Err(Problem::StaleForm);
        }
    }
    let now = app.clock.wall();
    let renewed = session.renewed(now).map(|session| {
        let value = sessions.seal(session, &user);
        cookie(&value, session.left(now).as_secs(), is_secure(config, &parts.headers))
    });
    let form_token = sessions.form_token(session);
    Ok(Admitted { actor: Actor::known(app, user, form_token), renewed })
}

async fn identify(app: &AppState, config: &CollectorConfig, parts: &Parts) -> Result<Shown, Problem> {
    if let Some(value) = parts.headers.get(AUTHORIZATION) {
        let token = value.to_str().ok().and_then(|value| value.strip_prefix("Bearer ")).ok_or(Problem::WrongToken)?;
        return Ok(Shown::Token(by_token(app, config, parts, token)?.clone()));
    }
    let sessions = app.people.sessions.unlock(&config.closing.keys).await;
    let now = app.clock.wall();
    let opened = cookies(&parts.headers).find_map(|cookie| sessions.open(cookie, &config.users, now));
    opened.map(|(session, user)| Shown::Session(session, user.clone())).ok_or(Problem::NotSignedIn)
}

/// The user whose token this is; whoever tries too many is turned away.
pub(super) fn by_token<'a>(
    app: &AppState,
    config: &'a CollectorConfig,
    parts: &Parts,
    token: &str,
) -> Result<&'a User, Problem> {
    let hash = Sha256::digest(token.trim());
    let find = || {
        // No early end: how long it takes must not say which token was nearly right.
        let mut found = None;
        for user in &config.users {
            if bool::from(user.token_sha256.as_slice().ct_eq(hash.as_slice())) {
                found = Some(user);
            }
        }
        found
    };
    let attempt = app.people.attempts.attempt(address(parts), app.clock.boot(), find);
    attempt.map_err(|wait| Problem::TooManyAttempts { wait })?.ok_or(Problem::WrongToken)
}

/// The sessions that a request shows.
pub(super) fn cookies(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let all = headers.get_all(COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    let pairs = all.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.filter(|(name, _)| *name == COOKIE_NAME).map(|(_, value)| value)
}

/// The cookie that holds `value` for `seconds`.
pub(super) fn cookie(value: &str, seconds: u64, is_secure: bool) -> HeaderValue {
    let secure = if is_secure { "; Secure" } else { "" };
    let text = format!("{COOKIE_NAME}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}");
    HeaderValue::from_str(&text).expect("base64 and words are visible")
}

/// Whether the browser speaks TLS, with the collector or with a proxy before it. Whoever pretends
/// so only keeps their own cookie from being sent in the clear.
pub(super) fn is_secure(config: &CollectorConfig, headers: &HeaderMap) -> bool {
    let starts = |name: &str| headers.get(name).is_some_and(|value| value.as_bytes().starts_with(b"https"));
    config.listen.tls.is_some() || starts("origin") || starts("x-forwarded-proto")
}

/// Reads a form, which is small.
pub(super) async fn form(body: Body) -> Result<Fields, Problem> {
    let read = Limited::new(body, FORM_BYTES_MAX).collect().await;
    let bytes = read.map_err(|_| Problem::NoForm)?.to_bytes();
    Ok(Fields::parse(&bytes))
}

/// Whether a browser says that another site's page sends this. A tool says nothing of the kind.
pub(super) fn is_cross_origin(headers: &HeaderMap) -> bool {
    let said = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    if let Some(site) = said("sec-fetch-site") {
        return !matches!(site, "same-origin" | "none");
    }
    let Some(origin) = headers.get(ORIGIN) else { return false };
    let origin = origin.to_str().ok().and_then(|origin| origin.split_once("://"));
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    origin.is_none_or(|(_, origin)| Some(origin) != host)
}

/// Whether a browser comes here from another site, and shows no cookie because of that.
pub(super) fn comes_from_elsewhere(headers: &HeaderMap) -> bool {
    headers.get("sec-fetch-site").is_some_and(|site| site == "cross-site")
}

/// Where a request comes from. What a proxy says is believed of one on this machine only.
fn address(parts: &Parts) -> IpAddr {
    let peer = parts.extensions.get::<PeerAddress>().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.0.ip());
    let forwarded = parts.headers.get_all("x-forwarded-for").into_iter().next_back();
    let last = forwarded.and_then(|value| value.to_str().ok()?.rsplit(',').next()?.trim().parse().ok());
    last.filter(|_| peer.to_canonical().is_loopback()).unwrap_or(peer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderName;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        pairs.iter().map(pair).collect()
    }

    #[test]
    fn a_browser_cannot_be_made_to_send_from_elsewhere_and_a_tool_can() {
        let check = |pairs: &[(&'static str, &'static str)], expected| {
            assert_eq!(is_cross_origin(&headers(pairs)), expected, "{pairs:?}");
        };
        check(&[("host", "nines.example")], false);
        check(&[("sec-fetch-site", "same-origin"), ("origin", "https://nines.example"), ("host", "inner:9600")], false);
        check(&[("sec-fetch-site", "none")], false);
        check(&[("sec-fetch-site", "cross-site"), ("origin", "https://evil.example"), ("host", "nines.example")], true);
        check(&[("sec-fetch-site", "same-site"), ("host", "nines.example")], true);
        check(&[("origin", "https://nines.example"), ("host", "nines.example")], false);
        check(&[("origin", "https://nines.example.evil"), ("host", "nines.example")], true);
        check(&[("origin", "null"), ("host", "nines.example")], true);
        check(&[("origin", "https://nines.example")], true);
    }

    #[test]
    fn a_proxy_is_believed_on_this_machine_only() {
        let check = |peer: &str, expected: &str| {
            let mut request = Request::new(());
            *request.headers_mut() = headers(&[("x-forwarded-for", "203.0.113.9, 198.51.100.7")]);
            request.extensions_mut().insert(PeerAddress(peer.parse().unwrap()));
            assert_eq!(address(&request.into_parts().0), expected.parse::<IpAddr>().unwrap());
        };
        check("127.0.0.1:5000", "198.51.100.7");
        check("[::1]:5000", "198.51.100.7");
        check("192.0.2.1:5000", "192.0.2.1");
    }
}
