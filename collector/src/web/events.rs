//! `/events`: tells pages that something changed, so that they look again.
//!
//! It says *that*, never *what*: the page is fetched anew, so a lost event loses nothing.

use super::AppState;
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
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let changes = app.state.changes();
    let events = stream::unfold((changes, app.cancel.clone()), |(mut changes, cancel)| async move {
        let changed = tokio::select! {
            () = cancel.cancelled() => return None,
            changed = changes.recv() => changed,
        };
        match changed {
            Ok(_) | Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => return None,
        }
        tokio::select! {
            () = cancel.cancelled() => return None,
            () = tokio::time::sleep(PAUSE) => {}
        }
        // What came meanwhile is told by this event too.
        changes = changes.resubscribe();
        Some((Ok(Event::default().event("changed").data("")), (changes, cancel)))
    });
    Sse::new(events).keep_alive(KeepAlive::default())
}
