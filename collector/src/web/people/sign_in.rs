//! `/sign-in` and `/sign-out`: how a browser comes to a session and ends it.

use super::super::frame::Frame;
use super::super::page;
use super::session::Session;
use super::{Actor, AppState, Problem, door};
use askama::Template;
use axum::extract::{Query, Request, State};
use axum::http::header::{LOCATION, RETRY_AFTER, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use std::time::Duration;

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignInPage {
    frame: Frame,
    /// Whether the configuration has users at all.
    has_users: bool,
    /// What was typed before.
    name: String,
    /// Where to go afterwards.
    to: String,
    /// What is wrong.
    wrong: Option<String>,
}

#[derive(Template)]
#[template(path = "step_over.html")]
struct StepOverPage {
    to: String,
}

/// Where to go afterwards.
#[derive(Deserialize)]
pub(in super::super) struct Wish {
    to: Option<String>,
}

/// Shows the form.
pub(in super::super) async fn ask(State(app): State<AppState>, Query(wish): Query<Wish>) -> Response {
    form(&app, String::new(), local(wish.to.as_deref()), None)
}

/// Takes the form: a right name and token begin a session.
pub(in super::super) async fn enter(State(app): State<AppState>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    if door::is_cross_origin(&parts.headers) {
        return Problem::CrossOrigin.into_response();
    }
    let fields = match door::form(body).await {
        Ok(fields) => fields,
        Err(problem) => return problem.into_response(),
    };
    let (name, to) = (fields.one("name").to_owned(), local(Some(fields.one("to"))));
    let config = app.config();
    let user = match door::by_token(&app, &config, &parts, fields.one("token")) {
        Ok(user) if user.user == name => user,
        // Which of the two was wrong is not said.
        Ok(_) | Err(Problem::WrongToken) => {
            let wrong = "There is no user of that name with that token.".to_owned();
            return (StatusCode::UNAUTHORIZED, form(&app, name, to, Some(wrong))).into_response();
        }
        Err(Problem::TooManyAttempts { wait }) => return turned_away(&app, name, to, wait),
        Err(problem) => return problem.into_response(),
    };
    let now = app.clock.wall();
    let session = Session::begin(now);
    let value = app.people.sessions.unlock(&config.closing.keys).await.seal(session, user);
    let cookie = door::cookie(&value, session.left(now).as_secs(), door::is_secure(&config, &parts.headers));
    tracing::info!(user = %user.user, "User signed in");
    ([(SET_COOKIE, cookie)], see_other(&to)).into_response()
}

fn turned_away(app: &AppState, name: String, to: String, wait: Duration) -> Response {
    let seconds = wait.as_secs().max(1);
    let wrong = format!("There were too many wrong tokens from your address. Try again in {seconds} s.");
    let headers = [(RETRY_AFTER, HeaderValue::from(seconds))];
    (StatusCode::TOO_MANY_REQUESTS, headers, form(app, name, to, Some(wrong))).into_response()
}

fn form(app: &AppState, name: String, to: String, wrong: Option<String>) -> Response {
    let frame = Frame::of(&Actor::anybody(), "Sign in", app.clock.wall());
    let has_users = !app.config().users.is_empty();
    let shown = SignInPage { frame, has_users, name, to, wrong };
    page(shown.render().expect("writing into a string can't fail"))
}

/// Ends the session that is shown.
pub(in super::super) async fn leave(State(app): State<AppState>, actor: Actor, headers: HeaderMap) -> Response {
    let config = app.config();
    let (sessions, now) = (app.people.sessions.unlock(&config.closing.keys).await, app.clock.wall());
    for (session, _) in door::cookies(&headers).filter_map(|cookie| sessions.open(cookie, &config.users, now)) {
        sessions.end(session, now);
    }
    if let Some(user) = actor.name() {
        tracing::info!(user, "User signed out");
    }
    let gone = door::cookie("", 0, door::is_secure(&config, &headers));
    ([(SET_COOKIE, gone)], see_other("/sign-in")).into_response()
}

/// Sends a browser to the form, and from there back to `to`.
pub(super) fn redirect(to: &str) -> Response {
    let to: String = url::form_urlencoded::byte_serialize(to.as_bytes()).collect();
    see_other(&format!("/sign-in?to={to}"))
}

/// Asks a browser that came from another site to come again from here: only then does it show a
/// strict cookie, and whoever follows a link in a message need not sign in a second time.
pub(super) fn step_over(to: &str) -> Response {
    let shown = StepOverPage { to: local(Some(to)) };
    page(shown.render().expect("writing into a string can't fail"))
}

fn see_other(to: &str) -> Response {
    let to = HeaderValue::from_str(to).unwrap_or(HeaderValue::from_static("/"));
    (StatusCode::SEE_OTHER, [(LOCATION, to)]).into_response()
}

/// `to` if it is a path of this console, else the overview: a link must not lead elsewhere.
fn local(to: Option<&str>) -> String {
    let is_local = |to: &&str| {
        let mut bytes = to.bytes();
        let (first, second) = (bytes.next(), bytes.next());
        first == Some(b'/') && !matches!(second, Some(b'/' | b'\\')) && to.bytes().all(|byte| byte.is_ascii_graphic())
    };
    to.filter(is_local).unwrap_or("/").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_signing_in_nobody_is_sent_elsewhere() {
        for to in ["//evil.example", "/\\evil.example", "https://evil.example", "evil", "", "/a\nb", "/ a", "/é"] {
            assert_eq!(local(Some(to)), "/", "{to}");
        }
        assert_eq!(local(Some("/services/a%20b?x=1")), "/services/a%20b?x=1");
    }
}
