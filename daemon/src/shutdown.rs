//! How a process ends: once by asking, at once when asked twice.
//!
//! The first SIGTERM or SIGINT cancels one token that everything was handed; what runs then stops
//! in phases (stop taking new, let work end, flush, close), each [`within`] a deadline. A second
//! signal ends the process on the spot. SIGHUP never ends anything: it asks for a reload.

use std::future::Future;
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// The status of a process that a second signal ended, as shells report an interrupt.
const EXIT_AT_ONCE: i32 = 130;

/// Signals could not be listened to.
#[derive(Debug, thiserror::Error)]
#[error("listen to the signals that stop and reload the process")]
pub struct SignalsUnavailable(#[source] std::io::Error);

/// The process's signals; dropping it stops listening.
#[derive(Debug)]
pub struct Shutdown {
    stop: CancellationToken,
    hangup: Hangup,
    _listening: JoinSet<()>,
}

impl Shutdown {
    /// Begins to listen to SIGTERM, SIGINT and SIGHUP.
    pub fn listen() -> Result<Shutdown, SignalsUnavailable> {
        let open = |kind| signal(kind).map_err(SignalsUnavailable);
        let signals = [open(SignalKind::terminate())?, open(SignalKind::interrupt())?, open(SignalKind::hangup())?];
        let stop = CancellationToken::new();
        let (hangups, hangup) = watch::channel(());
        let mut listening = JoinSet::new();
        listening.spawn(listen(signals, stop.clone(), hangups));
        Ok(Shutdown { stop, hangup: Hangup { hangups: hangup }, _listening: listening })
    }

    /// The token that the first signal cancels.
    pub fn token(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// What SIGHUP wakes.
    pub fn hangup(&self) -> Hangup {
        self.hangup.clone()
    }
}

async fn listen(
    [mut terminate, mut interrupt, mut hangup]: [Signal; 3],
    stop: CancellationToken,
    hangups: watch::Sender<()>,
) {
    loop {
        tokio::select! {
            Some(()) = hangup.recv() => {
                hangups.send_replace(());
                continue;
            }
            Some(()) = terminate.recv() => {}
            Some(()) = interrupt.recv() => {}
            else => return,
        }
        if stop.is_cancelled() {
            tracing::warn!("Second signal, ending at once");
            std::process::exit(EXIT_AT_ONCE);
        }
        tracing::info!("Stopping");
        stop.cancel();
    }
}

/// Wakes when a reload is asked for.
#[derive(Clone, Debug)]
pub struct Hangup {
    hangups: watch::Receiver<()>,
}

impl Hangup {
    /// One that never wakes, for a program inside another.
    pub fn never() -> Hangup {
        Hangup { hangups: watch::channel(()).1 }
    }

    /// Waits for the next SIGHUP since the last one seen. Safe to drop at any time.
    pub async fn asked(&mut self) {
        if self.hangups.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// Lets one phase of stopping take up to `limit`; says so in the log when it takes longer.
pub async fn within<T>(phase: &'static str, limit: Duration, work: impl Future<Output = T>) -> Option<T> {
    let done = tokio::time::timeout(limit, work).await.ok();
    if done.is_none() {
        tracing::warn!(phase, limit_ms = limit.as_millis(), "Phase of stopping took too long and was cut off");
    }
    done
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::process::{Signal as Number, getpid, kill_process};

    #[tokio::test]
    async fn a_hangup_asks_for_a_reload_and_a_terminate_stops() {
        let shutdown = Shutdown::listen().unwrap();
        let mut hangup = shutdown.hangup();
        kill_process(getpid(), Number::HUP).unwrap();
        hangup.asked().await;
        assert!(!shutdown.token().is_cancelled());
        kill_process(getpid(), Number::TERM).unwrap();
        shutdown.token().cancelled().await;
    }

    #[tokio::test]
    async fn a_phase_that_hangs_is_cut_off_and_one_that_ends_yields_its_value() {
        let limit = Duration::from_millis(5);
        assert_eq!(within("hang", limit, std::future::pending::<u8>()).await, None);
        assert_eq!(within("end", limit, async { 7 }).await, Some(7));
    }

    #[tokio::test]
    async fn a_hangup_that_never_comes_waits_for_ever() {
        let mut hangup = Hangup::never();
        assert!(within("wait", Duration::from_millis(5), hangup.asked()).await.is_none());
    }
}
