//! Where SQLite may block: one thread that writes, and a few that read.
//!
//! The writer takes one job at a time from a bounded queue; a job is a whole transaction, so a
//! batch costs one hop. Readers see the last commit and never hold up the writer.

use super::schema;
use crate::ledger::LedgerError;
use rusqlite::{Connection, ErrorCode};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::task::spawn_blocking;

/// Commits that wait for the one in progress; whoever sends a further one waits with it in hand.
const JOBS_MAX: usize = 64;
/// Reads at once: enough that a long one does not hold up the console.
const READERS_MAX: usize = 4;

type Job = Box<dyn FnOnce(Result<&mut Connection, LedgerError>) -> Soundness + Send>;

/// Whether a connection may be used again.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Soundness {
    Sound,
    /// The disk failed under it: what it believes to be written may not be, and only a new
    /// connection looks again.
    Suspect,
}

/// The one thread that writes.
pub(crate) struct Writer {
    jobs: Option<mpsc::Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Starts the thread on `connection`; after a failure of the disk it opens `path` again.
    pub(crate) fn start(connection: Connection, path: Option<PathBuf>) -> Result<Writer, LedgerError> {
        let (jobs, queue) = mpsc::channel(JOBS_MAX);
        let write = move || write_all(connection, path.as_deref(), queue);
        let thread = std::thread::Builder::new().name("ledger-writer".into()).spawn(write);
        let thread = thread.map_err(|error| ended(format!("its writer did not start, {error}")))?;
        Ok(Writer { jobs: Some(jobs), thread: Some(thread) })
    }

    /// Runs `job` on the writer's connection.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Connection) -> Result<T, LedgerError> + Send + 'static,
    ) -> Result<T, LedgerError> {
        let gone = || ended("its writer's thread has ended".into());
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |connection| {
            let outcome = connection.and_then(job);
            let soundness = soundness(&outcome);
            // Nobody listens any more if the caller was dropped; the job stands all the same.
            let _ = answer.send(outcome);
            soundness
        });
        self.jobs.as_ref().ok_or_else(gone)?.send(job).await.map_err(|_| gone())?;
        answered.await.map_err(|_| gone())?
    }
}

/// Ends the thread after the jobs that were taken, so that the file is closed when the ledger is.
impl Drop for Writer {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            // A panic there has reached every caller as an error already.
            let _ = thread.join();
        }
    }
}

fn write_all(connection: Connection, path: Option<&Path>, mut queue: mpsc::Receiver<Job>) {
    let mut connection = Some(connection);
    while let Some(job) = queue.blocking_recv() {
        if let (None, Some(path)) = (&connection, path) {
            match schema::connect(path) {
                Ok(opened) => connection = Some(opened),
                Err(source) => {
                    job(Err(LedgerError::Sqlite { doing: "open the file again", source }));
                    continue;
                }
            }
        }
        let soundness = match &mut connection {
            Some(connection) => job(Ok(connection)),
            None => job(Err(ended("its memory is lost".into()))),
        };
        if soundness == Soundness::Suspect {
            connection = None;
        }
    }
}

fn soundness<T>(outcome: &Result<T, LedgerError>) -> Soundness {
    let Err(LedgerError::Sqlite { source, .. }) = outcome else { return Soundness::Sound };
    let broken = [ErrorCode::SystemIoFailure, ErrorCode::DatabaseCorrupt, ErrorCode::NotADatabase];
    match source.sqlite_error_code().is_some_and(|code| broken.contains(&code)) {
        true => Soundness::Suspect,
        false => Soundness::Sound,
    }
}

/// The connections that read.
#[derive(Clone)]
pub(crate) struct Readers {
    path: Arc<Path>,
    idle: Arc<Mutex<Vec<Connection>>>,
    permits: Arc<Semaphore>,
}

impl Readers {
    pub(crate) fn new(path: &Path) -> Readers {
        Readers { path: Arc::from(path), idle: Arc::default(), permits: Arc::new(Semaphore::new(READERS_MAX)) }
    }

    /// Runs `job` on a reading connection, which goes back only if nothing went wrong.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Connection) -> Result<T, LedgerError> + Send + 'static,
    ) -> Result<T, LedgerError> {
        let permit = Arc::clone(&self.permits).acquire_owned().await.expect("the semaphore is never closed");
        let readers = self.clone();
        let read = spawn_blocking(move || {
            let mut connection = match readers.idle().pop() {
                Some(connection) => connection,
                None => schema::connect_reader(&readers.path)
                    .map_err(|source| LedgerError::Sqlite { doing: "open the file to read", source })?,
            };
            let outcome = job(&mut connection)?;
            readers.idle().push(connection);
            drop(permit);
            Ok(outcome)
        });
        read.await.map_err(|error| ended(format!("a reader failed, {error}")))?
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn ended(what: String) -> LedgerError {
    LedgerError::Ended { what }
}
