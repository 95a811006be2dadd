//! The agent's memory: every result is made durable here before anything else happens to it.
//!
//! Results come over a bounded channel, are gathered into a [block](rules::block) and committed,
//! at most once a second; only then does the uplink hear of them. The spool knows no collector: it
//! hands out blocks in order, and is told which of them are safe elsewhere. It never invents,
//! merges or reorders a result, and drops one only as the last of the measures below.
//!
//! # On disk
//! A directory with `spool.lock`, which one process holds, and `spool.db`, SQLite in WAL mode with
//! `synchronous=FULL`:
//! ```text
//! spool   one row: agent, incarnation, next_seq, offered_through, bare_through, buried_through
//! blocks  seq | made_at | first_at | last_at | results | bytes        instants in Unix ms
//! acks    below | acknowledged_at       every block before `below` was acknowledged by then
//! ```
//! Each step is one transaction, so a crash leaves what was before it or what is after it:
//! - *append*: the block and `next_seq`; a crash before it loses at most a second of results that
//!   nobody was told of.
//! - *read*: raises `offered_through`; what may have left the machine is never rewritten, or the
//!   collector would see two blocks with one name.
//! - *acknowledge*: not synced on its own. If a power cut takes it back, the blocks are sent
//!   again, found known, and acknowledged again.
//!
//! # When it is full
//! Above 80 % of `at_most` acknowledged blocks go, which otherwise stay for 24 h so that a ledger
//! restored from a backup can ask for them; then the oldest blocks lose their latency and notes. Above 100 %
//! the oldest are replaced by a tombstone of the same `seq` that says when and how many. If the
//! disk fails, results of the last ten minutes stay in memory and `evidence_at_risk` is set.

mod lock;
mod pending;
mod room;
mod store;
mod writer;

pub use writer::Spool;

use daemon::clock::Clock;
use rules::delivery::Incarnation;
use rules::delivery::sender::Held;
use rules::id::{AgentId, CheckId, ServiceId};
use rules::note::Note;
use rules::result::{Pace, ProbeResult};
use rules::time::Timestamp;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{Notify, mpsc, oneshot, watch};

/// Results that may wait between probers and the spool: a quarter of a block. When they are more, the
/// spool is woken before its next commit is due.
const RESULTS_QUEUED_MAX: usize = 1024;

/// Questions of the uplink that may wait; it asks one at a time.
const REQUESTS_QUEUED_MAX: usize = 4;

/// A result on its way into the spool, with what its meaning depends on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Recorded {
    /// What was promised.
    pub service: ServiceId,
    /// What was looked at.
    pub check: CheckId,
    /// The check's `every` and timeout at the time.
    pub pace: Pace,
    /// What came of the probe.
    pub result: ProbeResult,
    /// What is kept of its evidence.
    pub note: Option<Note>,
}

/// Where a spool is and how large it may get.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Whose results it keeps.
    pub agent: AgentId,
    /// Its directory, which is made if it is not there.
    pub dir: PathBuf,
    /// The most bytes of blocks; the file is a little larger.
    pub at_most: u64,
}

/// Why a spool can't be used.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    /// Another process has it.
    #[error("open the spool in `{dir}`: another agent uses it; give each agent its own directory")]
    InUse {
        /// The spool's directory.
        dir: PathBuf,
    },
    /// It belongs to another agent.
    #[error("open the spool in `{dir}`: it holds results of agent `{owner}`, not of `{agent}`; use another directory")]
    OtherAgent {
        /// The spool's directory.
        dir: PathBuf,
        /// Whose it is.
        owner: String,
        /// Who wanted it.
        agent: AgentId,
    },
    /// It was written by a later version of this program.
    #[error("open the spool in `{dir}`: its layout is {found}, and this program knows {known}; use the newer program")]
    Layout {
        /// The spool's directory.
        dir: PathBuf,
        /// What it says.
        found: i64,
        /// What this program writes.
        known: i64,
    },
    /// The directory or the lock file can't be made.
    #[error("open the spool in `{dir}`: {source}")]
    Directory {
        /// The spool's directory.
        dir: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The database can't be read or written.
    #[error("use the spool in `{dir}`: {source}")]
    Database {
        /// The spool's directory.
        dir: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
}

/// The spool has ended, or its disk is away at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("use the spool: it has ended or its disk is away")]
pub struct Unavailable;

/// How full a spool is, for metrics and for the uplink.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Depth {
    /// Which blocks it has.
    pub held: Held,
    /// Results in blocks that are not acknowledged.
    pub results: u64,
    /// Bytes of all blocks, acknowledged ones too.
    pub bytes: u64,
    /// The most bytes of all blocks.
    pub bytes_at_most: u64,
    /// The first instant of the oldest block that is not acknowledged.
    pub oldest_at: Option<Timestamp>,
    /// Results in memory that are not durable yet.
    pub results_in_memory: u64,
    /// Whether the disk is away, so that a crash would lose what is in memory.
    pub evidence_at_risk: bool,
    /// Results dropped since the start because the spool was full or its disk away too long.
    pub results_dropped: u64,
    /// Results refused since the start because their instant is not to be believed.
    pub results_refused: u64,
    /// Whether the spool takes no more results: what it holds now is all.
    pub complete: bool,
}

impl Depth {
    /// Blocks that are not acknowledged.
    pub fn blocks(&self) -> u64 {
        self.held.next - self.held.unacknowledged
    }
}

/// Where probes' results go; cheap to clone.
#[derive(Clone, Debug)]
pub struct SpoolHandle {
    results: mpsc::Sender<Recorded>,
    /// Told when the queue is full.
    full: Arc<Notify>,
    depth: watch::Receiver<Depth>,
}

impl SpoolHandle {
    /// Hands over a result, and waits while the queue is full.
    pub async fn record(&self, recorded: Recorded) -> Result<(), Unavailable> {
        match self.results.try_send(recorded) {
            Ok(()) => Ok(()),
            Err(TrySendError::Closed(_)) => Err(Unavailable),
            Err(TrySendError::Full(recorded)) => {
                self.full.notify_one();
                self.results.send(recorded).await.map_err(|_| Unavailable)
            }
        }
    }

    /// How full the spool is.
    pub fn depth(&self) -> Depth {
        *self.depth.borrow()
    }

    /// Results that wait to be taken, and how many may.
    pub fn queue(&self) -> (usize, usize) {
        let most = self.results.max_capacity();
        (most - self.results.capacity(), most)
    }
}

/// The uplink's side of the spool: the blocks in order, and what became of them.
#[derive(Debug)]
pub struct Outlet {
    requests: mpsc::Sender<Request>,
    depth: watch::Receiver<Depth>,
    incarnation: Option<Incarnation>,
}

impl Outlet {
    /// The incarnation that was kept when the spool was opened.
    pub(crate) fn incarnation(&self) -> Option<Incarnation> {
        self.incarnation
    }

    /// Which blocks there are.
    pub(crate) fn held(&self) -> Held {
        self.depth.borrow().held
    }

    /// Waits until the spool has changed since the last call. Safe to drop at any time.
    pub(crate) async fn changed(&mut self) -> Result<(), Unavailable> {
        self.depth.changed().await.map_err(|_| Unavailable)
    }

    /// Waits until the spool takes no more results. Safe to drop at any time.
    pub(crate) async fn completed(&mut self) -> Result<(), Unavailable> {
        self.depth.wait_for(|depth| depth.complete).await.map(|_| ()).map_err(|_| Unavailable)
    }

    /// Blocks from `from` on, in order, that fit a body of `bytes_at_most`, but at least one.
    pub(crate) async fn read(&self, from: u64, bytes_at_most: usize) -> Result<Vec<Vec<u8>>, Unavailable> {
        self.ask(|reply| Request::Read { from, bytes_at_most, reply }).await
    }

    /// Every block before `below` is safe in the ledger or refused for good.
    pub(crate) async fn acknowledge(&self, below: u64) -> Result<(), Unavailable> {
        self.ask(|reply| Request::Acknowledge { below, reply }).await
    }

    /// The collector lost the blocks from `to` on.
    pub(crate) async fn rewind(&self, to: u64) -> Result<(), Unavailable> {
        self.ask(|reply| Request::Rewind { to, reply }).await
    }

    /// Keeps the incarnation that the collector granted.
    pub(crate) async fn keep(&self, incarnation: Incarnation) -> Result<(), Unavailable> {
        self.ask(|reply| Request::Keep { incarnation, reply }).await
    }

    async fn ask<T>(&self, request: impl FnOnce(oneshot::Sender<T>) -> Request) -> Result<T, Unavailable> {
        let (reply, answer) = oneshot::channel();
        self.requests.send(request(reply)).await.map_err(|_| Unavailable)?;
        answer.await.map_err(|_| Unavailable)
    }
}

/// What the uplink asks; a request whose reply is dropped failed.
#[derive(Debug)]
enum Request {
    Read { from: u64, bytes_at_most: usize, reply: oneshot::Sender<Vec<Vec<u8>>> },
    Acknowledge { below: u64, reply: oneshot::Sender<()> },
    Rewind { to: u64, reply: oneshot::Sender<()> },
    Keep { incarnation: Incarnation, reply: oneshot::Sender<()> },
}

/// Where the spool takes results from.
#[derive(Debug)]
struct Inlet {
    results: mpsc::Receiver<Recorded>,
    full: Arc<Notify>,
}

/// Opens the spool of an agent, and makes it if there is none. Blocks for as long as the disk does.
///
/// Results and the uplink have nothing from it until [`Spool::run`] runs.
pub fn open(settings: Settings, clock: Clock) -> Result<(SpoolHandle, Outlet, Spool), SpoolError> {
    let lock = lock::Lock::take(&settings.dir)?;
    let store = store::Store::open(&settings)?;
    let incarnation = store.incarnation();
    let (results, results_in) = mpsc::channel(RESULTS_QUEUED_MAX);
    let (requests, requests_in) = mpsc::channel(REQUESTS_QUEUED_MAX);
    let full = Arc::new(Notify::new());
    let inlet = Inlet { results: results_in, full: Arc::clone(&full) };
    let spool = Spool::new(settings, clock, lock, store, inlet, requests_in);
    let depth = spool.depth();
    let handle = SpoolHandle { results, full, depth: depth.clone() };
    Ok((handle, Outlet { requests, depth, incarnation }, spool))
}

fn database(dir: &Path) -> PathBuf {
    dir.join("spool.db")
}

#[cfg(test)]
mod tests;
