//! Waiting for what a test wants to see, and for nothing else.

use daemon::clock::Clock;
use std::time::Duration;

/// How long anything may take on a machine that does seven other things. Only a failing test waits for its end.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// The pause between two looks: short enough not to be felt, long enough to leave the machine to what is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(40);

/// Looks until there is something to see, and gives it; panics with the last reason when patience is at its end.
pub async fn eventually<T>(what: &str, look: impl AsyncFnMut() -> Result<T, String>) -> T {
    within(PATIENCE, what, look).await
}

/// Looks as [`eventually`] does, for `limit`.
pub async fn within<T>(limit: Duration, what: &str, mut look: impl AsyncFnMut() -> Result<T, String>) -> T {
    let clock = Clock::system();
    let deadline = clock.boot() + limit;
    loop {
        let why = match look().await {
            Ok(seen) => return seen,
            Err(why) => why,
        };
        assert!(clock.boot() < deadline, "{what}: not within {limit:?}; at last: {why}");
        clock.sleep(LOOK_EVERY).await;
    }
}

/// `Ok` when it holds, else the reason that `why` gives.
pub fn holds(condition: bool, why: impl FnOnce() -> String) -> Result<(), String> {
    if condition { Ok(()) } else { Err(why()) }
}
