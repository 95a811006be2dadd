//! The ledger in one SQLite file: write-ahead log, `synchronous=FULL`, one writer.
//!
//! Several processes may share the file, for transactions take its lock; it must not lie on a
//! network file system, where that lock can't be trusted. After a failure of the disk the
//! connection is opened anew, because the old one may believe what the disk has not kept.

mod books;
mod read;
mod schema;
mod threads;
mod write;

use crate::ledger::{
    Advance, Checkpoint, Committed, Derived, Hour, Lane, Ledger, LedgerError, Quarantined, StoredBlock,
};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use rules::id::AgentId;
use rules::interval::Interval;
use rules::result::SeriesKey;
use rules::time::Timestamp;
use rusqlite::Connection;
use std::path::Path;
use threads::{Readers, Writer};
use tokio::task::spawn_blocking;

/// A ledger in SQLite.
pub(crate) struct SqliteLedger {
    writer: Writer,
    /// None in memory, where there is only one connection to read from.
    readers: Option<Readers>,
}

impl SqliteLedger {
    /// Opens the file at `path`, or makes it and the directories it lies in.
    pub(crate) async fn open(path: &Path) -> Result<SqliteLedger, LedgerError> {
        let path = path.to_owned();
        let opening = spawn_blocking(move || {
            if let Some(directory) = path.parent() {
                let unmade = |error| LedgerError::Address { why: format!("its directory can't be made, {error}") };
                std::fs::create_dir_all(directory).map_err(unmade)?;
            }
            let refuse = |source| LedgerError::Sqlite { doing: "open the file", source };
            let mut connection = schema::connect(&path).map_err(refuse)?;
            schema::migrate(&mut connection)?;
            let readers = Readers::new(&path);
            Ok(SqliteLedger { writer: Writer::start(connection, Some(path))?, readers: Some(readers) })
        });
        opening.await.map_err(|error| LedgerError::Ended { what: error.to_string() })?
    }

    /// Makes a ledger that is gone when it is dropped.
    pub(crate) fn in_memory() -> Result<SqliteLedger, LedgerError> {
        let refuse = |source| LedgerError::Sqlite { doing: "make a ledger in memory", source };
        let mut connection = schema::connect_in_memory().map_err(refuse)?;
        schema::migrate(&mut connection)?;
        Ok(SqliteLedger { writer: Writer::start(connection, None)?, readers: None })
    }

    async fn write<T: Send + 'static>(
        &self,
        doing: &'static str,
        job: impl FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, LedgerError> {
        let job =
            move |connection: &mut Connection| job(connection).map_err(|source| LedgerError::Sqlite { doing, source });
        self.writer.run(job).await
    }

    fn read<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Connection) -> Result<T, LedgerError> + Send + 'static,
    ) -> BoxFuture<'_, Result<T, LedgerError>> {
        match &self.readers {
            Some(readers) => readers.run(job).boxed(),
            None => self.writer.run(job).boxed(),
        }
    }
}

impl Ledger for SqliteLedger {
    fn grant(&self, agent: &AgentId, first_seq: u64, now: Timestamp) -> BoxFuture<'_, Result<Lane, LedgerError>> {
        let agent = agent.clone();
        self.write("grant a lane", move |connection| write::grant(connection, agent, first_seq, now)).boxed()
    }

    fn lanes(&self) -> BoxFuture<'_, Result<Vec<Lane>, LedgerError>> {
        self.read(read::lanes)
    }

    fn positions(&self) -> BoxFuture<'_, Result<Vec<(AgentId, u64)>, LedgerError>> {
        self.read(read::positions)
    }

    fn commit(&self, advances: Vec<Advance>) -> BoxFuture<'_, Result<Committed, LedgerError>> {
        advances.iter().for_each(Advance::assert_consistent);
        self.write("commit", move |connection| write::commit(connection, &advances)).boxed()
    }

    fn quarantine(&self, refused: Quarantined) -> BoxFuture<'_, Result<(), LedgerError>> {
        self.write("quarantine a block", move |connection| write::quarantine(connection, &refused)).boxed()
    }

    fn quarantined(&self) -> BoxFuture<'_, Result<u64, LedgerError>> {
        self.read(read::quarantined)
    }

    fn blocks_from(
        &self,
        agent: &AgentId,
        position: u64,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<StoredBlock>, LedgerError>> {
        let agent = agent.clone();
        self.read(move |connection| read::blocks_from(connection, &agent, position, limit))
    }

    fn blocks_within(
        &self,
        agent: &AgentId,
        interval: Interval,
    ) -> BoxFuture<'_, Result<Vec<StoredBlock>, LedgerError>> {
        let agent = agent.clone();
        self.read(move |connection| read::blocks_within(connection, &agent, interval))
    }

    fn block(
        &self,
        agent: &AgentId,
        incarnation: u64,
        seq: u64,
    ) -> BoxFuture<'_, Result<Option<StoredBlock>, LedgerError>> {
        let agent = agent.clone();
        self.read(move |connection| read::block(connection, &agent, incarnation, seq))
    }

    fn derived(&self, agent: &AgentId, since: Timestamp) -> BoxFuture<'_, Result<Vec<Derived>, LedgerError>> {
        let agent = agent.clone();
        self.read(move |connection| read::derived(connection, &agent, since))
    }

    fn hours(&self, series: &SeriesKey, interval: Interval) -> BoxFuture<'_, Result<Vec<Hour>, LedgerError>> {
        let series = series.clone();
        self.read(move |connection| read::hours(connection, &series, interval))
    }

    fn checkpoint(&self, agent: &AgentId) -> BoxFuture<'_, Result<Option<Checkpoint>, LedgerError>> {
        let agent = agent.clone();
        self.read(move |connection| read::checkpoint(connection, &agent))
    }

    fn replace_derived(
        &self,
        agent: &AgentId,
        position: u64,
        derived: Vec<Derived>,
        checkpoint: Checkpoint,
    ) -> BoxFuture<'_, Result<Committed, LedgerError>> {
        derived.iter().for_each(|series| super::assert_on_the_hour(&series.hours));
        let agent = agent.clone();
        let replace = move |connection: &mut Connection| {
            write::replace_derived(connection, &agent, position, &derived, &checkpoint)
        };
        self.write("replace what is derived", replace).boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_ledger_in_memory_reads_what_it_wrote() {
        let ledger = crate::ledger::open("sqlite::memory:").await.unwrap();
        let lane = ledger.grant(&"a".parse().unwrap(), 3, Timestamp::from_millis(0)).await.unwrap();
        assert_eq!(ledger.lanes().await.unwrap(), [lane]);
    }

    #[tokio::test]
    async fn a_commit_is_on_the_disk_before_it_is_answered() {
        let directory = tempfile::TempDir::new().unwrap();
        let ledger = SqliteLedger::open(&directory.path().join("ledger.db")).await.unwrap();
        let pragma = |name: &'static str| {
            ledger.write("look", move |connection| {
                connection.pragma_query_value(None, name, |row| row.get::<_, String>(0))
            })
        };
        assert_eq!(pragma("journal_mode").await.unwrap(), "wal");
        let full = ledger.write("look", |c| c.pragma_query_value(None, "synchronous", |row| row.get::<_, i64>(0)));
        assert_eq!(full.await.unwrap(), 2);
    }

    #[tokio::test]
    async fn a_file_that_is_no_ledger_is_refused() {
        let directory = tempfile::TempDir::new().unwrap();
        let path = directory.path().join("ledger.db");
        std::fs::write(&path, "not a database, but long enough to be looked at as one".repeat(99)).unwrap();
        let refusal = SqliteLedger::open(&path).await.err().unwrap();
        assert!(matches!(refusal, LedgerError::Sqlite { doing: "open the file", .. }), "{refusal:?}");
    }

    #[tokio::test]
    async fn after_a_failure_of_the_disk_the_next_write_has_a_new_connection() {
        let directory = tempfile::TempDir::new().unwrap();
        let ledger = SqliteLedger::open(&directory.path().join("ledger.db")).await.unwrap();
        let mark = |value: i64| move |c: &mut Connection| c.pragma_update(None, "cache_spill", value);
        ledger.write("mark the connection", mark(12_345)).await.unwrap();
        let marked = async || {
            let read = |c: &mut Connection| c.pragma_query_value(None, "cache_spill", |row| row.get::<_, i64>(0));
            ledger.write("look", read).await.unwrap() == 12_345
        };
        assert!(marked().await);
        let failure = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_IOERR_FSYNC);
        let failed = ledger.write("fail", move |_| Err::<(), _>(rusqlite::Error::SqliteFailure(failure, None))).await;
        assert!(failed.is_err());
        assert!(!marked().await);
    }
}
