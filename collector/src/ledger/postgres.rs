//! The ledger in PostgreSQL, or in what speaks its protocol and its plain SQL.
//!
//! Any number of collectors share it; none of them leads. A commit moves the agents it is about by
//! compare-and-swap, so of two that were folded at one position the second finds nothing to move.
//! If the connection is lost while a commit is under way, its outcome is open and the call fails:
//! reload the agents before going on.

mod books;
mod connection;
mod put;
mod read;
mod schema;
mod write;

use crate::ledger::{
    Advance, Checkpoint, Committed, Derived, Hour, Lane, Ledger, LedgerError, Quarantined, StoredBlock,
};
use connection::{Connections, refused};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use rules::id::AgentId;
use rules::interval::Interval;
use rules::result::SeriesKey;
use rules::time::Timestamp;
use std::sync::Arc;

const GRANT: &str = "grant a lane";
const COMMIT: &str = "commit";
const QUARANTINE: &str = "quarantine a block";
const REPLACE: &str = "replace what is derived";
const READ: &str = "read";

/// A ledger in PostgreSQL.
pub(crate) struct PostgresLedger {
    connections: Connections,
}

impl PostgresLedger {
    /// Connects to the database at `url` and makes the tables if they are not there.
    pub(crate) async fn open_url(url: &str) -> Result<PostgresLedger, LedgerError> {
        let connections = Connections::to(url)?;
        connections.run("make the tables", |connection| schema::migrate(connection).boxed()).await?;
        Ok(PostgresLedger { connections })
    }
}

impl Ledger for PostgresLedger {
    fn grant(&self, agent: &AgentId, first_seq: u64, now: Timestamp) -> BoxFuture<'_, Result<Lane, LedgerError>> {
        let agent = agent.clone();
        let run = self.connections.run(GRANT, move |connection| {
            let agent = agent.clone();
            async move { write::grant(connection, &agent, first_seq, now).await.map_err(refused(GRANT)) }.boxed()
        });
        run.boxed()
    }

    fn lanes(&self) -> BoxFuture<'_, Result<Vec<Lane>, LedgerError>> {
        self.connections.run(READ, |connection| read::lanes(connection).boxed()).boxed()
    }

    fn positions(&self) -> BoxFuture<'_, Result<Vec<(AgentId, u64)>, LedgerError>> {
        self.connections.run(READ, |connection| read::positions(connection).boxed()).boxed()
    }

    fn commit(&self, advances: Vec<Advance>) -> BoxFuture<'_, Result<Committed, LedgerError>> {
        advances.iter().for_each(Advance::assert_consistent);
        let advances = Arc::new(advances);
        let run = self.connections.run(COMMIT, move |connection| {
            let advances = Arc::clone(&advances);
            async move { write::commit(connection, &advances).await.map_err(refused(COMMIT)) }.boxed()
        });
        run.boxed()
    }

    fn quarantine(&self, refused_bytes: Quarantined) -> BoxFuture<'_, Result<(), LedgerError>> {
        let bytes = Arc::new(refused_bytes);
        let run = self.connections.run(QUARANTINE, move |connection| {
            let bytes = Arc::clone(&bytes);
            async move { write::quarantine(connection, &bytes).await.map_err(refused(QUARANTINE)) }.boxed()
        });
        run.boxed()
    }

    fn quarantined(&self) -> BoxFuture<'_, Result<u64, LedgerError>> {
        self.connections.run(READ, |connection| read::quarantined(connection).boxed()).boxed()
    }

    fn blocks_from(
        &self,
        agent: &AgentId,
        position: u64,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<StoredBlock>, LedgerError>> {
        let agent = agent.clone();
        let run = self.connections.run(READ, move |connection| {
            let agent = agent.clone();
            async move { read::blocks_from(connection, &agent, position, limit).await }.boxed()
        });
        run.boxed()
    }

    fn blocks_within(
        &self,
        agent: &AgentId,
        interval: Interval,
    ) -> BoxFuture<'_, Result<Vec<StoredBlock>, LedgerError>> {
        let agent = agent.clone();
        let run = self.connections.run(READ, move |connection| {
            let agent = agent.clone();
            async move { read::blocks_within(connection, &agent, interval).await }.boxed()
        });
        run.boxed()
    }

    fn block(
        &self,
        agent: &AgentId,
        incarnation: u64,
        seq: u64,
    ) -> BoxFuture<'_, Result<Option<StoredBlock>, LedgerError>> {
        let agent = agent.clone();
        let run = self.connections.run(READ, move |connection| {
            let agent = agent.clone();
            async move { read::block(connection, &agent, incarnation, seq).await }.boxed()
        });
        run.boxed()
    }

    fn derived(&self, agent: &AgentId, since: Timestamp) -> BoxFuture<'_, Result<Vec<Derived>, LedgerError>> {
        let agent = agent.clone();
        let run = self.connections.run(READ, move |connection| {
            let agent = agent.clone();
            async move { read::derived(connection, &agent, since).await }.boxed()
        });
        run.boxed()
    }

    fn hours(&self, series: &SeriesKey, interval: Interval) -> BoxFuture<'_, Result<Vec<Hour>, LedgerError>> {
        let series = series.clone();
        let run = self.connections.run(READ, move |connection| {
            let series = series.clone();
            async move { read::hours(connection, &series, interval).await }.boxed()
        });
        run.boxed()
    }

    fn checkpoint(&self, agent: &AgentId) -> BoxFuture<'_, Result<Option<Checkpoint>, LedgerError>> {
        let agent = agent.clone();
        let run = self.connections.run(READ, move |connection| {
            let agent = agent.clone();
            async move { read::checkpoint(connection, &agent).await }.boxed()
        });
        run.boxed()
    }

    fn replace_derived(
        &self,
        agent: &AgentId,
        position: u64,
        derived: Vec<Derived>,
        checkpoint: Checkpoint,
    ) -> BoxFuture<'_, Result<Committed, LedgerError>> {
        derived.iter().for_each(|series| super::assert_on_the_hour(&series.hours));
        let anew = Arc::new((agent.clone(), derived, checkpoint));
        let run = self.connections.run(REPLACE, move |connection| {
            let anew = Arc::clone(&anew);
            async move {
                let (agent, derived, checkpoint) = &*anew;
                let replaced = write::replace_derived(connection, agent, position, derived, checkpoint);
                replaced.await.map_err(refused(REPLACE))
            }
            .boxed()
        });
        run.boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::contract::place::Place;
    use std::sync::atomic::{AtomicU32, Ordering};
    use tokio::sync::Barrier;

    async fn setting(ledger: &PostgresLedger, name: &'static str) -> String {
        let shown = ledger.connections.run("show a setting", move |connection| {
            async move {
                let row =
                    connection.query_one(&format!("SHOW {name}"), &[]).await.map_err(refused("show a setting"))?;
                Ok(row.get(0))
            }
            .boxed()
        });
        shown.await.unwrap()
    }

    #[tokio::test]
    async fn commits_are_durable_whatever_the_database_prefers() {
        let place = Place::postgres().await;
        drop(place.open().await);
        let hasty =
            "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET synchronous_commit = off', current_database()); END $$";
        place.tamper(hasty).await;
        let ledger = PostgresLedger::open_url(&place.url()).await.unwrap();
        assert_eq!(setting(&ledger, "synchronous_commit").await, "on");
        assert_eq!(setting(&ledger, "statement_timeout").await, "30s");
        place.remove().await;
    }

    #[tokio::test]
    async fn a_cut_connection_costs_at_most_the_calls_that_used_it() {
        let place = Place::postgres().await;
        let ledger = place.open().await;
        let lane = ledger.grant(&"a".parse().unwrap(), 0, Timestamp::from_millis(0)).await.unwrap();
        let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE datname = current_database() AND pid <> pg_backend_pid()";
        place.tamper(cut).await;
        let mut read = ledger.lanes().await;
        if let Err(error) = &read {
            assert!(matches!(error, LedgerError::Postgres { .. }), "{error:?}");
            read = ledger.lanes().await;
        }
        assert_eq!(read.unwrap(), [lane]);
        place.remove().await;
    }

    #[tokio::test]
    async fn a_deadlock_costs_its_victim_only_another_attempt() {
        let place = Place::postgres().await;
        let ledger = PostgresLedger::open_url(&place.url()).await.unwrap();
        for agent in ["a", "b"] {
            ledger.grant(&agent.parse().unwrap(), 0, Timestamp::from_millis(0)).await.unwrap();
        }
        let both_hold_one = Arc::new(Barrier::new(2));
        let attempts = Arc::new(AtomicU32::new(0));
        let lock = |first: &'static str, second: &'static str| {
            let (both_hold_one, attempts) = (Arc::clone(&both_hold_one), Arc::clone(&attempts));
            ledger.connections.run("lock both", move |connection| {
                let (both_hold_one, attempts) = (Arc::clone(&both_hold_one), Arc::clone(&attempts));
                let work = async move {
                    let lock = "SELECT 1 FROM agents WHERE agent = $1 FOR UPDATE";
                    let transaction = connection.transaction().await?;
                    transaction.execute(lock, &[&first]).await?;
                    if attempts.fetch_add(1, Ordering::Relaxed) < 2 {
                        both_hold_one.wait().await;
                    }
                    transaction.execute(lock, &[&second]).await?;
                    transaction.commit().await
                };
                work.map(|outcome| outcome.map_err(refused("lock both"))).boxed()
            })
        };
        let (one, other) = tokio::join!(lock("a", "b"), lock("b", "a"));
        assert!(one.is_ok() && other.is_ok(), "{one:?} {other:?}");
        assert_eq!(attempts.load(Ordering::Relaxed), 3);
        place.remove().await;
    }
}
