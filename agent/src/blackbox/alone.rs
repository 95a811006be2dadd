//! The drop-in without an agent around it: modules and probes, no checks, no spool, nothing sent anywhere.

use super::{Blackbox, OpenError, Settings};
use crate::program::Started;
use daemon::admin::{self, Readiness};
use daemon::clock::Clock;
use daemon::descriptors;
use daemon::exposition::Exposition;
use daemon::listener::{BindError, Listener};
use daemon::reload::FileWatch;
use daemon::shutdown::within;
use prometheus::Registry;
use std::iter::empty;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::task::{JoinSet, spawn_blocking};
use tokio_util::sync::CancellationToken;

/// How long open requests may take to end: the listener's own limit and what it takes to notice.
const SERVING_END_TIME: Duration = Duration::from_secs(11);

/// A drop-in that can't start.
#[derive(Debug, thiserror::Error)]
pub enum AloneError {
    /// Its modules can't be used, or the machine can't.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// Its address is taken or not its own.
    #[error(transparent)]
    Listen(#[from] BindError),
}

/// Serves blackbox_exporter's endpoints at `listen` until `cancel`; `file` watches the modules.
pub async fn run(
    settings: Settings,
    listen: SocketAddr,
    file: FileWatch,
    clock: Clock,
    started: Option<oneshot::Sender<Started>>,
    cancel: CancellationToken,
) -> Result<(), AloneError> {
    descriptors::raise();
    let registry = Registry::new();
    let own = registry.clone();
    let opening = spawn_blocking(move || Blackbox::open(settings, &own, clock));
    let blackbox = opening.await.expect("reading modules doesn't panic")?;
    let listener = Listener::bind(listen).await?;
    let listen = listener.address();
    let router =
        blackbox.router().merge(admin::health(Readiness::new())).merge(admin::metrics(registry, empty::<Exposition>));
    let mut tasks = JoinSet::new();
    tasks.spawn(listener.serve(router, cancel.clone()));
    tasks.spawn(Arc::clone(&blackbox).keep(file, cancel.clone()));
    tracing::info!(%listen, "Agent started in blackbox_exporter's place");
    if let Some(started) = started {
        // Nobody may be waiting any more.
        let _ = started.send(Started { listen: Some(listen) });
    }
    tokio::select! {
        () = cancel.cancelled() => {}
        Some(ended) = tasks.join_next() => pass_on(ended),
    }
    let all = async {
        while let Some(ended) = tasks.join_next().await {
            pass_on(ended);
        }
    };
    within("serving", SERVING_END_TIME, all).await;
    tasks.shutdown().await;
    tracing::info!("Agent stopped");
    Ok(())
}

fn pass_on(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        std::panic::resume_unwind(error.into_panic());
    }
}
