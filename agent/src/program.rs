//! An agent from start to stop, as its own program or inside another.
//!
//! It opens what it needs before it says that it has started, and stops in an order that loses
//! nothing: no new probes, running ones end, the spool is made complete, the uplink tries once
//! more, and the operator's endpoints close last.

use crate::blackbox::{self, Blackbox, OpenError};
use crate::checks::{self, Keeper, Source};
use crate::discovery::Discovery;
use crate::heartbeat::{self, Heartbeats, Reported};
use crate::local::LocalRule;
use crate::metrics::{self, Metrics};
use crate::orders::Orders;
use crate::prober::NoResolver;
use crate::references;
use crate::scheduler::Scheduler;
use crate::spool::{self, SpoolError, SpoolHandle};
use crate::timekeeping::Timekeeper;
use crate::uplink::{ClientError, Collector, Uplink, UplinkHandle};
use crate::vantage::Vantage;
use axum::Router;
use config::agent::AgentConfig;
use daemon::admin::{self, Readiness};
use daemon::clock::Clock;
use daemon::descriptors;
use daemon::exposition::Exposition;
use daemon::listener::{BindError, Listener};
use daemon::reload::FileWatch;
use daemon::shutdown::within;
use rules::judge;
use std::io;
use std::iter::once;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::{JoinError, JoinSet, spawn_blocking};
use tokio_util::sync::CancellationToken;

/// How long probing may take to stop: the scheduler's own limit and what it takes to notice.
const PROBING_END_TIME: Duration = Duration::from_secs(20);
/// How long the spool and the uplink may take to end: a commit on a slow disk and one last post.
const DELIVERY_END_TIME: Duration = Duration::from_secs(15);
/// How long the operator's endpoints may take to close.
const SERVING_END_TIME: Duration = Duration::from_secs(11);

/// How often readiness learns whether the spool's disk is there.
const DISK_LOOK_EVERY: Duration = Duration::from_secs(1);

/// What an agent is given beside its configuration.
#[derive(Debug)]
pub struct Surroundings {
    /// The time.
    pub clock: Clock,
    /// The file that the configuration was read from; it is read again on change and on SIGHUP.
    pub config_file: Option<FileWatch>,
    /// What it also answers in blackbox_exporter's place, and what watches the file of modules.
    pub blackbox: Option<(blackbox::Settings, FileWatch)>,
    /// Told once everything is open.
    pub started: Option<oneshot::Sender<Started>>,
}

/// An agent that has started.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Started {
    /// Where its endpoints are, with the real port.
    pub listen: Option<SocketAddr>,
}

/// An agent that can't start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Its spool can't be used.
    #[error(transparent)]
    Spool(#[from] SpoolError),
    /// The way to its collector can't be set up.
    #[error(transparent)]
    Collector(#[from] ClientError),
    /// Its address is taken or not its own.
    #[error(transparent)]
    Listen(#[from] BindError),
    /// The machine says nothing about names.
    #[error(transparent)]
    Resolver(#[from] NoResolver),
    /// There is no thread or descriptor left to probe with.
    #[error("failed to set up the thread that probes")]
    Probing(#[source] io::Error),
    /// It can't stand in blackbox_exporter's place.
    #[error(transparent)]
    Blackbox(#[from] OpenError),
}

/// Runs the agent that `config` describes until `cancel`.
pub async fn run(config: AgentConfig, surroundings: Surroundings, cancel: CancellationToken) -> Result<(), StartError> {
    let Surroundings { clock, config_file, blackbox, started } = surroundings;
    descriptors::raise();
    let (metrics, readiness) = (Metrics::new(), Readiness::new());
    let blackbox = open_blackbox(blackbox, &metrics, &clock).await?;
    let (spool, outlet, writer) = open_spool(&config, &clock).await?;
    let collector = match &config.collector {
        Some(uplink) => Some(Collector::new(config.agent.clone(), uplink, clock.clone())?),
        None => None,
    };
    let listener = match config.listen {
        Some(address) => Some(Listener::bind(address).await?),
        None => None,
    };
    let listen = listener.as_ref().map(Listener::address);

    let (flush, deliver, close) = (CancellationToken::new(), CancellationToken::new(), CancellationToken::new());
    let (mut probing, mut delivery, mut serving) = (JoinSet::new(), JoinSet::new(), JoinSet::new());
    delivery.spawn(writer.run(flush.clone()));
    let uplink = collector.clone().map(|collector| {
        let (handle, uplink) = Uplink::new(collector, outlet, clock.clone(), rand::random());
        delivery.spawn(uplink.run(deliver.clone()));
        handle
    });

    let (orders, standing) = watch::channel(Arc::new(Orders::none(&clock)?));
    probing.spawn(watch_disk(spool.clone(), clock.clone(), readiness.clone(), cancel.clone()));
    let local = LocalRule::new(config.agent.clone());
    let time = Timekeeper::new(clock.clone(), uplink.clone());
    let vantage = Arc::new(Vantage::new(clock.clone(), time, spool, metrics.clone(), local));
    let scheduler = Scheduler::new(config.agent.clone(), Arc::clone(&vantage), standing.clone());
    probing.spawn(run_apart(scheduler, probing_runtime()?, cancel.clone()));
    probing.spawn(watch_references(standing.clone(), clock.clone(), metrics.clone(), cancel.clone()));
    let (heartbeats, reports) = open_heartbeats(&vantage, standing.clone(), &config).await;
    probing.spawn(heartbeats.run(cancel.clone()));
    if let Some(listener) = listener {
        let is_loopback = listener.address().ip().is_loopback();
        let router = router(&vantage, standing, uplink, readiness.clone());
        let router = router.merge(heartbeat::routes(reports, &config.reports, is_loopback));
        let router = blackbox.iter().fold(router, |router, (blackbox, _)| router.merge(blackbox.router()));
        serving.spawn(listener.serve(router, close.clone()));
    }
    if let Some((blackbox, file)) = blackbox {
        probing.spawn(blackbox.keep(file, cancel.clone()));
    }

    let kept = if config.checks.from_collector { checks::kept(&config.spool.dir) } else { Some(Vec::new()) };
    if kept.is_none() {
        checks::await_collector(&readiness);
    }
    let source = collector.map(|collector| Source::new(collector, &config.spool.dir, clock.clone(), rand::random()));
    tracing::info!(agent = %config.agent, listen = listen.map(tracing::field::display), "Agent started");
    let from_collector = kept.unwrap_or_default();
    let discovery = Discovery::new(&config.spool.dir, clock.clone(), &metrics, readiness.clone());
    let file = config_file;
    let keeper = Keeper { config, file, source, discovery, from_collector, orders, clock, metrics, readiness };
    probing.spawn(keeper.run(cancel.clone()));
    if let Some(started) = started {
        // Nobody may be waiting any more.
        let _ = started.send(Started { listen });
    }

    until(&cancel, [&mut probing, &mut delivery, &mut serving]).await;
    end("probing", PROBING_END_TIME, &mut probing).await;
    flush.cancel();
    deliver.cancel();
    end("delivery", DELIVERY_END_TIME, &mut delivery).await;
    close.cancel();
    end("serving", SERVING_END_TIME, &mut serving).await;
    tracing::info!("Agent stopped");
    Ok(())
}

/// What the scheduler and its probes run on, apart from all else: the many small steps of a probe then wake
/// one thread and no other, and neither a commit nor a scrape can make a slot late.
fn probing_runtime() -> Result<Runtime, StartError> {
    Builder::new_current_thread().enable_all().build().map_err(StartError::Probing)
}

/// Runs `scheduler` on `runtime`, on a thread of its own, until `stop` or until nobody waits for it any more.
async fn run_apart(scheduler: Scheduler, runtime: Runtime, stop: CancellationToken) {
    let stop = stop.child_token();
    let _ends_with_this = stop.clone().drop_guard();
    pass_on(spawn_blocking(move || runtime.block_on(scheduler.run(stop))).await);
}

async fn open_spool(
    config: &AgentConfig,
    clock: &Clock,
) -> Result<(SpoolHandle, spool::Outlet, spool::Spool), SpoolError> {
    let settings =
        spool::Settings { agent: config.agent.clone(), dir: config.spool.dir.clone(), at_most: config.spool.bytes_max };
    let clock = clock.clone();
    spawn_blocking(move || spool::open(settings, clock)).await.expect("opening a spool doesn't panic")
}

async fn open_heartbeats(
    vantage: &Arc<Vantage>,
    orders: watch::Receiver<Arc<Orders>>,
    config: &AgentConfig,
) -> (Heartbeats, mpsc::Sender<Reported>) {
    let (vantage, dir) = (Arc::clone(vantage), config.spool.dir.clone());
    let open = move || heartbeat::open(vantage, orders, &dir);
    spawn_blocking(open).await.expect("reading heartbeats doesn't panic")
}

async fn open_blackbox(
    given: Option<(blackbox::Settings, FileWatch)>,
    metrics: &Metrics,
    clock: &Clock,
) -> Result<Option<(Arc<Blackbox>, FileWatch)>, OpenError> {
    let Some((settings, file)) = given else { return Ok(None) };
    let (registry, clock) = (metrics.registry.clone(), clock.clone());
    let opening = spawn_blocking(move || Blackbox::open(settings, &registry, clock));
    Ok(Some((opening.await.expect("reading modules doesn't panic")?, file)))
}

/// The operator's endpoints.
fn router(
    vantage: &Arc<Vantage>,
    orders: watch::Receiver<Arc<Orders>>,
    uplink: Option<UplinkHandle>,
    readiness: Readiness,
) -> Router {
    let registry = vantage.metrics.registry.clone();
    let vantage = Arc::clone(vantage);
    let metrics = admin::metrics(registry, move || {
        let mut own = Exposition::default();
        metrics::write_spool(&mut own, &vantage.spool);
        if let Some(uplink) = &uplink {
            metrics::write_uplink(&mut own, &uplink.state(), vantage.clock.now());
        }
        metrics::write_local(&mut own, &vantage.local());
        once(own).chain(metrics::checks(&orders.borrow()))
    });
    admin::health(readiness).merge(metrics)
}

/// Looks at the references regularly, whether or not anything fails.
async fn watch_references(
    mut orders: watch::Receiver<Arc<Orders>>,
    clock: Clock,
    metrics: Metrics,
    stop: CancellationToken,
) {
    loop {
        let current = Arc::clone(&orders.borrow_and_update());
        if current.references.are_configured() {
            let is_there = current.references.since(clock.boot()).await == judge::References::There;
            metrics.references_up.with_label_values::<&str>(&[]).set(i64::from(is_there));
        } else {
            metrics.references_up.reset();
        }
        tokio::select! {
            () = stop.cancelled() => return,
            Ok(()) = orders.changed() => {}
            () = clock.sleep(references::LOOK_EVERY) => {}
        }
    }
}

/// Says that the agent is not ready while results can't be made durable.
async fn watch_disk(spool: SpoolHandle, clock: Clock, readiness: Readiness, stop: CancellationToken) {
    while !stop.is_cancelled() {
        match spool.depth().evidence_at_risk {
            true => readiness.block("spool", "the disk is away, results are kept in memory only"),
            false => readiness.clear("spool"),
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = clock.sleep(DISK_LOOK_EVERY) => {}
        }
    }
}

/// Waits for `cancel`; passes on the panic of a task that ends before.
async fn until(cancel: &CancellationToken, [probing, delivery, serving]: [&mut JoinSet<()>; 3]) {
    loop {
        let ended = tokio::select! {
            () = cancel.cancelled() => return,
            Some(ended) = probing.join_next() => ended,
            Some(ended) = delivery.join_next() => ended,
            Some(ended) = serving.join_next() => ended,
        };
        pass_on(ended);
    }
}

async fn end(phase: &'static str, limit: Duration, tasks: &mut JoinSet<()>) {
    let all = async {
        while let Some(ended) = tasks.join_next().await {
            pass_on(ended);
        }
    };
    within(phase, limit, all).await;
    tasks.shutdown().await;
}

fn pass_on(ended: Result<(), JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        std::panic::resume_unwind(error.into_panic());
    }
}

#[cfg(test)]
mod tests;
