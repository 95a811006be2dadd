//! Who asks: the users of the configuration, what each may do, and what each sees.
//!
//! Everything behind the [`gate`] has an [`Actor`]; nothing behind it is reached without. A user is
//! known by a token (`Authorization: Bearer`, for tools) or by a session (a cookie, for browsers).
//! A configuration without users lets everybody see everything and record nothing. What somebody
//! doesn't see is not there for them: it is answered as if it didn't exist, never as forbidden.

mod attempts;
mod door;
mod fields;
mod session;
mod sight;
pub(super) mod sign_in;
mod standing;

pub(crate) use fields::Fields;

use super::AppState;
use super::frame::Frame;
use super::problem::{Problem, Told};
use attempts::Attempts;
use axum::extract::{FromRequestParts, Request, State};
use axum::http::header::{ACCEPT, SET_COOKIE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use config::collector::users::{Role, User};
use rules::id::AgreementId;
use session::Sessions;
use standing::Stopped;

/// What is kept about whoever asks, between requests.
#[derive(Debug, Default)]
pub(super) struct People {
    sessions: Sessions,
    attempts: Attempts,
}

/// Who asks.
#[derive(Clone, Debug)]
pub(crate) struct Actor {
    /// The user; nothing if the configuration has none.
    user: Option<User>,
    /// What this actor's forms carry; empty if no form of theirs is taken.
    form_token: String,
    /// What this actor would see but for its customer's standing.
    stopped: Vec<Stopped>,
}

impl Actor {
    /// Anybody, under a configuration without users.
    fn anybody() -> Actor {
        Actor { user: None, form_token: String::new(), stopped: Vec::new() }
    }

    /// The user's name.
    pub(crate) fn name(&self) -> Option<&str> {
        self.user.as_ref().map(|user| user.user.as_str())
    }

    /// The user's role.
    pub(crate) fn role(&self) -> Option<Role> {
        self.user.as_ref().map(|user| user.role)
    }

    /// What a form of this actor's must carry.
    pub(crate) fn form_token(&self) -> &str {
        &self.form_token
    }

    /// Whether this actor may do what takes `role`; it is then the name to record it under.
    pub(crate) fn may(&self, role: Role) -> Result<&str, Problem> {
        let user = self.user.as_ref().ok_or(Problem::NobodyRecords)?;
        match role <= user.role {
            true => Ok(&user.user),
            false => Err(Problem::Forbidden { needs: word(role) }),
        }
    }

    /// Whether this actor sees `agreement` at all.
    pub(crate) fn sees(&self, agreement: &AgreementId) -> bool {
        let limited = self.user.as_ref().and_then(|user| user.agreements.as_ref());
        limited.is_none_or(|own| own.contains(agreement))
    }

    /// Whether this actor sees every agreement, and what concerns all of them.
    pub(crate) fn sees_all(&self) -> bool {
        self.user.as_ref().is_none_or(|user| user.agreements.is_none())
    }
}

/// A role as the configuration writes it.
pub(super) fn word(role: Role) -> &'static str {
    match role {
        Role::Viewer => "viewer",
        Role::Operator => "operator",
        Role::Admin => "admin",
    }
}

impl<S: Sync> FromRequestParts<S> for Actor {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Actor, Problem> {
        // Absent only on a route outside the gate, where nobody is anybody.
        parts.extensions.get::<Actor>().cloned().ok_or(Problem::NotSignedIn)
    }
}

/// Lets a request through to its handler once it is known who asks and that they ask themselves.
pub(super) async fn gate(State(app): State<AppState>, request: Request, next: Next) -> Response {
    let reader = Reader::of(request.uri().path(), request.headers());
    let to = request.uri().path_and_query().map(ToString::to_string).unwrap_or_default();
    let crossed = door::comes_from_elsewhere(request.headers());
    let (request, admitted) = match door::admit(&app, request).await {
        Ok(admitted) => admitted,
        Err(Problem::NotSignedIn) if reader == Reader::Browser && crossed => return sign_in::step_over(&to),
        Err(Problem::NotSignedIn) if reader == Reader::Browser => return sign_in::redirect(&to),
        Err(problem) => return shown(problem.into_response(), reader, &app, &Actor::anybody()),
    };
    let actor = admitted.actor.clone();
    let mut response = shown(next.run(request).await, reader, &app, &actor);
    if let Some(cookie) = admitted.renewed {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    response
}

/// What kind of answer the one who asks can read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Reader {
    /// A page.
    Browser,
    /// A problem object.
    Tool,
}

impl Reader {
    fn of(path: &str, headers: &HeaderMap) -> Reader {
        let accepts = headers.get(ACCEPT).and_then(|accept| accept.to_str().ok());
        match accepts.is_some_and(|accept| accept.contains("text/html")) && !path.starts_with("/api/") {
            true => Reader::Browser,
            false => Reader::Tool,
        }
    }
}

/// A problem as a page if a person reads it; any other answer as it is.
fn shown(response: Response, reader: Reader, app: &AppState, actor: &Actor) -> Response {
    let Some(told) = response.extensions().get::<Told>().cloned() else { return response };
    if reader == Reader::Tool {
        return response;
    }
    let status = response.status();
    let frame = Frame::of(actor, told.title, app.clock.wall());
    let page = super::page(told.page(frame));
    let mut page = (status, page).into_response();
    for (name, value) in response.headers() {
        if !page.headers().contains_key(name) && name != axum::http::header::CONTENT_LENGTH {
            page.headers_mut().insert(name.clone(), HeaderValue::clone(value));
        }
    }
    page
}
