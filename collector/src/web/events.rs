//! `/events`: tells pages that something changed, so that they look again.
//!
//! It says *that*, never *what*: the page is fetched anew, so a lost event loses nothing. Nobody
//! hears of a change to what they don't see.

use super::AppState;
use super::people::Actor;
use crate::state::Changed;
use axum::extract;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::stream::{self, Stream};
use std::convert::Infallible;
use std::time::Duration;
use tokio::sync::broadcast::error::RecvError;

/// The shortest time between two events to one page.
const PAUSE: Duration = Duration::from_secs(1);

/// Streams an event whenever a commit changed something.
pub(super) async fn stream(
    extract::State(app): extract::State<AppState>,
    actor: Actor,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let changes = app.state.changes();
    let events = stream::unfold((changes, app, actor), |(mut changes, app, actor)| async move {
        loop {
            let changed = tokio::select! {
                () = app.cancel.cancelled() => return None,
                changed = changes.recv() => changed,
            };
            match changed {
                Ok(changed) if concerns(&app, &actor, &changed) => break,
                Ok(_) => {}
                Err(RecvError::Lagged(_)) => break,
                Err(RecvError::Closed) => return None,
            }
        }
        tokio::select! {
            () = app.cancel.cancelled() => return None,
            () = tokio::time::sleep(PAUSE) => {}
        }
        // What came meanwhile is told by this event too.
        changes = changes.resubscribe();
        Some((Ok(Event::default().event("changed").data("")), (changes, app, actor)))
    });
    Sse::new(events).keep_alive(KeepAlive::default())
}

/// Whether a change is to a service that `actor` sees.
fn concerns(app: &AppState, actor: &Actor, changed: &Changed) -> bool {
    let config = app.config();
    actor.sees_all()
        || actor.services(&config.agreements, app.clock.wall()).any(|(_, service)| changed.contains(&service.id))
}
