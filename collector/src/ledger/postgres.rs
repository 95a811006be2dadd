//! The ledger in PostgreSQL, or in what speaks its protocol and its plain SQL.
//!
//! Any number of collectors share it; none of them leads. A commit moves the agents it is about by
//! compare-and-swap, so of two that were folded at one position the second finds nothing to move.
//! If the connection is lost while a commit is under way, its outcome is open and the call fails:
//! reload the agents before going on.

mod connection;
mod put;
mod read;
mod schema;
mod write;

use crate::ledger::{Advance, Checkpoint, Committed, Derived, Lane, Ledger, LedgerError, Quarantined, StoredBlock};
use connection::{Connections, refused};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use rules::id::AgentId;
use rules::interval::Interval;
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
