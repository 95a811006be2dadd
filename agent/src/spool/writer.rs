//! The one task that writes the spool: gathers, commits, serves the uplink, and lives through a
//! disk that is away. Each piece of blocking work makes one hop to a blocking thread.

use super::lock::Lock;
use super::pending::Pending;
use super::store::{Store, Tally};
use super::{Depth, Inlet, Recorded, Request, Settings, Unavailable};
use daemon::clock::Clock;
use rules::time::Timestamp;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

/// How long a lone result waits for company.
const GATHER_FOR: Duration = Duration::from_millis(150);

/// Commits begin at least this far apart, unless a block is full before.
const COMMIT_EVERY: Duration = Duration::from_secs(1);

/// How often a disk that is away is tried again.
const REOPEN_EVERY: Duration = Duration::from_secs(2);

/// How often acknowledged blocks are looked through for expired ones.
const EXPIRE_EVERY: Duration = Duration::from_secs(600);

/// Results taken from the queue at once.
const RESULTS_TAKEN_MAX: usize = 256;

/// The spool's writer; it works while [`Spool::run`] runs.
#[derive(Debug)]
pub struct Spool {
    settings: Settings,
    clock: Clock,
    _lock: Lock,
    /// None while the disk is away.
    store: Option<Store>,
    pending: Pending,
    inlet: Inlet,
    requests: mpsc::Receiver<Request>,
    depth: watch::Sender<Depth>,
    next_commit: Duration,
    next_expiry: Duration,
    /// Buried by stores that were open before the present one.
    buried_before: u64,
}

enum Turn {
    Results,
    Full,
    Request(Request),
    Commit,
    Stop,
}

impl Spool {
    pub(super) fn new(
        settings: Settings,
        clock: Clock,
        lock: Lock,
        store: Store,
        inlet: Inlet,
        requests: mpsc::Receiver<Request>,
    ) -> Spool {
        let oldest_at = store.oldest_at().unwrap_or(None);
        let depth = watch::Sender::new(depth_of(store.tally(), oldest_at, settings.at_most));
        Spool {
            settings,
            clock,
            _lock: lock,
            store: Some(store),
            pending: Pending::default(),
            inlet,
            requests,
            depth,
            next_commit: Duration::ZERO,
            next_expiry: Duration::ZERO,
            buried_before: 0,
        }
    }

    pub(super) fn depth(&self) -> watch::Receiver<Depth> {
        self.depth.subscribe()
    }

    /// Works until `stop`; then makes durable what was handed over, and serves the uplink until
    /// its [`Outlet`](super::Outlet) is dropped.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut taken = Vec::with_capacity(RESULTS_TAKEN_MAX);
        loop {
            let due = self.due();
            // Only the first of a commit's results wakes this task; the others wait in the queue until it is
            // due, for to be woken by each would cost more than to write it.
            let is_idle = due.is_none();
            let turn = tokio::select! {
                () = stop.cancelled() => Turn::Stop,
                () = sleep_until(&self.clock, due) => Turn::Commit,
                Some(request) = self.requests.recv() => Turn::Request(request),
                1.. = self.inlet.results.recv_many(&mut taken, RESULTS_TAKEN_MAX), if is_idle => Turn::Results,
                () = self.inlet.full.notified() => Turn::Full,
            };
            match turn {
                Turn::Results => self.take(&mut taken),
                Turn::Full => self.take_waiting(),
                Turn::Request(request) => self.serve(request).await,
                Turn::Commit => {
                    self.take_waiting();
                    self.commit().await;
                }
                Turn::Stop => break,
            }
        }
        self.flush().await;
        self.depth.send_modify(|depth| depth.complete = true);
        while let Some(request) = self.requests.recv().await {
            self.serve(request).await;
        }
        let store = self.store.take();
        // Closing writes the log back into the database, which blocks.
        let _ = tokio::task::spawn_blocking(move || drop(store)).await;
    }

    fn take(&mut self, results: &mut Vec<Recorded>) {
        let now = self.clock.boot();
        results.drain(..).for_each(|recorded| self.pending.push(recorded, now));
    }

    /// Takes what waits in the queue: as much as fills a block, or all of it while the disk is away.
    fn take_waiting(&mut self) {
        let now = self.clock.boot();
        let at_risk = self.depth.borrow().evidence_at_risk;
        for _ in 0..self.inlet.results.max_capacity() {
            if self.pending.fills_a_block() && !at_risk {
                return;
            }
            let Ok(recorded) = self.inlet.results.try_recv() else { return };
            self.pending.push(recorded, now);
        }
    }

    /// When to commit: some time after the first result, a second after the last commit, or at
    /// once when a block is full.
    fn due(&self) -> Option<Duration> {
        let since = self.pending.since()?;
        if self.pending.fills_a_block() && !self.depth.borrow().evidence_at_risk {
            return Some(Duration::ZERO);
        }
        Some(self.next_commit.max(since + GATHER_FOR))
    }

    async fn flush(&mut self) {
        self.inlet.results.close();
        while let Some(recorded) = self.inlet.results.recv().await {
            let now = self.clock.boot();
            self.pending.push(recorded, now);
        }
        while self.pending.since().is_some() {
            self.commit().await;
            if self.depth.borrow().evidence_at_risk {
                tracing::error!(results = self.pending.len(), "Results are lost, the spool's disk is away");
                return;
            }
        }
    }

    /// Makes one block durable: on the open handle, or on a new one if that fails, never twice on
    /// the same. If both fail the results stay in memory.
    pub(super) async fn commit(&mut self) {
        let now = self.clock.now();
        self.next_commit = now.boot + COMMIT_EVERY;
        if self.store.is_none() {
            self.reopen().await;
        }
        for _ in 0..2 {
            let Some(seq) = self.store.as_ref().filter(|store| !store.is_full()).map(|store| store.tally().held.next)
            else {
                break;
            };
            let (block, results) = self.pending.block(&self.settings.agent, seq);
            let expire = self.next_expiry <= now.boot;
            let committed = self
                .on_disk(move |store| {
                    store.append(&block, now.wall)?;
                    if expire { store.expire(now.wall) } else { Ok(()) }
                })
                .await;
            if committed.is_err() {
                self.reopen().await;
            }
            // A commit that reported an error may have taken effect all the same.
            let durable = self.store.as_ref().is_some_and(|store| seq < store.tally().held.next);
            if durable {
                self.pending.taken(results, now.boot);
                if expire {
                    self.next_expiry = now.boot + EXPIRE_EVERY;
                }
                return self.at_risk(false);
            }
        }
        self.next_commit = now.boot + REOPEN_EVERY;
        self.pending.age(now.wall);
        self.at_risk(true);
    }

    #[cfg(test)]
    pub(super) fn pend(&mut self, recorded: Recorded) {
        self.pending.push(recorded, self.clock.boot());
    }

    #[cfg(test)]
    pub(super) fn break_the_disk(&self) {
        self.store.as_ref().unwrap().break_the_disk();
    }

    async fn serve(&mut self, request: Request) {
        let now = self.clock.wall();
        // A dropped reply tells the uplink that its request failed; an uplink that went away needs none.
        let served = match request {
            Request::Read { from, bytes_at_most, reply } => {
                let read = self.on_disk(move |store| store.read(from, bytes_at_most)).await;
                read.map(|blocks| reply.send(blocks).is_ok())
            }
            Request::Acknowledge { below, reply } => {
                let acknowledged = self.on_disk(move |store| store.acknowledge(below, now)).await;
                acknowledged.map(|()| reply.send(()).is_ok())
            }
            Request::Rewind { to, reply } => {
                let rewound = self.on_disk(move |store| store.rewind(to)).await;
                rewound.map(|()| reply.send(()).is_ok())
            }
            Request::Keep { incarnation, reply } => {
                let kept = self.on_disk(move |store| store.keep(incarnation)).await;
                kept.map(|()| reply.send(()).is_ok())
            }
        };
        if served.is_err() {
            self.reopen().await;
        }
    }

    /// Does `work` on a blocking thread. After an error the store is closed: it is not to be trusted.
    async fn on_disk<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&mut Store) -> Result<T, rusqlite::Error> + Send + 'static,
    ) -> Result<T, Unavailable> {
        let mut store = self.store.take().ok_or(Unavailable)?;
        let hop = tokio::task::spawn_blocking(move || {
            let done = work(&mut store).and_then(|done| Ok((done, store.oldest_at()?)));
            match done {
                Ok((done, oldest_at)) => Ok((store, done, oldest_at)),
                Err(error) => Err((error, store.tally().results_buried)),
            }
        });
        match unwound(hop.await) {
            Ok((store, done, oldest_at)) => {
                self.publish(&store, oldest_at);
                self.store = Some(store);
                Ok(done)
            }
            Err((error, results_buried)) => {
                self.buried_before += results_buried;
                tracing::warn!(%error, "Spool's disk failed, opening it again");
                Err(Unavailable)
            }
        }
    }

    /// Opens the store anew, after the old handle was closed.
    async fn reopen(&mut self) {
        let settings = self.settings.clone();
        let opened = tokio::task::spawn_blocking(move || Store::open(&settings));
        match unwound(opened.await) {
            Ok(store) => {
                let oldest_at = self.depth.borrow().oldest_at;
                self.publish(&store, oldest_at);
                self.store = Some(store);
            }
            Err(error) => tracing::debug!(%error, "Spool's disk is still away"),
        }
    }

    fn publish(&self, store: &Store, oldest_at: Option<Timestamp>) {
        self.depth.send_modify(|depth| {
            let (dropped, refused) = self.pending.losses();
            *depth = Depth {
                results_in_memory: depth.results_in_memory,
                evidence_at_risk: depth.evidence_at_risk,
                results_dropped: dropped + self.buried_before + store.tally().results_buried,
                results_refused: refused,
                complete: depth.complete,
                ..depth_of(store.tally(), oldest_at, self.settings.at_most)
            };
        });
    }

    fn at_risk(&self, at_risk: bool) {
        let results = self.pending.len() as u64;
        let before = self.depth.borrow().evidence_at_risk;
        if at_risk && !before {
            tracing::error!(results, "Evidence at risk, results are kept in memory until the spool can be written");
        } else if before && !at_risk {
            tracing::info!("Spool can be written again");
        }
        self.depth.send_modify(|depth| {
            depth.results_in_memory = results;
            depth.evidence_at_risk = at_risk;
        });
    }
}

fn depth_of(tally: &Tally, oldest_at: Option<Timestamp>, bytes_at_most: u64) -> Depth {
    Depth {
        held: tally.held,
        results: tally.results,
        bytes: tally.bytes,
        bytes_at_most,
        oldest_at,
        results_in_memory: 0,
        evidence_at_risk: false,
        results_dropped: 0,
        results_refused: 0,
        complete: false,
    }
}

async fn sleep_until(clock: &Clock, due: Option<Duration>) {
    match due {
        Some(due) => clock.sleep_until(due).await,
        None => std::future::pending().await,
    }
}

/// What a blocking thread returned; its panic becomes ours.
fn unwound<T>(joined: Result<T, tokio::task::JoinError>) -> T {
    match joined {
        Ok(value) => value,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(error) => panic!("a blocking task was cancelled although nobody cancels it: {error}"),
        },
    }
}
