//! The ledger: what is committed has happened, once.
//!
//! One trait over two stores, SQLite and PostgreSQL, one schema in meaning, one contract suite
//! (`contract.rs`) run against both. **Blocks are the truth; runs, hours and checkpoints are
//! derived** and can be rebuilt from them. The ledger never folds, judges or reckons.
//!
//! Every agent has a **position**: how many blocks are committed for it, over all its lanes. A
//! commit names the position it was folded at; if another collector was faster, nothing of the
//! commit happens and the caller reloads. So no leader is needed and nothing counts twice.

pub mod books;
#[cfg(test)]
pub(crate) mod contract;
mod effects;
mod postgres;
mod rows;
mod sqlite;

use books::{Books, Forgotten};
use futures_util::future::BoxFuture;
use rules::id::{AgentId, ServiceId};
use rules::interval::Interval;
use rules::latency::Population;
use rules::result::SeriesKey;
use rules::run::Run;
use rules::time::Timestamp;
use std::path::Path;
use std::sync::Arc;

/// What went wrong with the store itself; the world's errors, never a collision.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// SQLite refused.
    #[error("failed to {doing} in the SQLite ledger")]
    Sqlite {
        /// What was being done.
        doing: &'static str,
        /// SQLite's own error.
        #[source]
        source: rusqlite::Error,
    },
    /// PostgreSQL refused.
    #[error("failed to {doing} in the PostgreSQL ledger")]
    Postgres {
        /// What was being done.
        doing: &'static str,
        /// The client's own error.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// What was given as the ledger's address is none.
    #[error(
        "failed to open the ledger: {why}; give `sqlite:PATH`, `sqlite::memory:` or `postgres://USER@HOST/DATABASE`"
    )]
    Address {
        /// What is wrong with it; never the address itself, which may hold a password.
        why: String,
    },
    /// A later version of this program wrote the ledger.
    #[error(
        "failed to open the ledger: its schema is version {found} and this program knows up to {known}; \
         start the version that wrote it, or restore a backup from before it did"
    )]
    Newer {
        /// What the ledger says.
        found: i64,
        /// The latest that this program reads.
        known: i64,
    },
    /// What serves the ledger within this process has ended.
    #[error("failed to reach the ledger: {what}")]
    Ended {
        /// What has ended, and why.
        what: String,
    },
    /// Blocks that are needed have left the ledger.
    #[error(
        "failed to read the blocks of agent `{agent}`: its first {blocks} have left the ledger for the archive; \
         what needs them must be given the archive as well"
    )]
    Forgotten {
        /// Whose.
        agent: AgentId,
        /// How many are gone.
        blocks: u64,
    },
    /// A result can't be folded any more.
    #[error(
        "failed to fold a result of check {} of {} from {} at {at}: \
         the blocks of that time have left the ledger for the archive",
        series.check, series.service, series.agent
    )]
    TooLate {
        /// Its series.
        series: SeriesKey,
        /// Its instant.
        at: Timestamp,
    },
    /// What was asked for was disposed of.
    #[error("failed to read evidence: {what}")]
    Gone {
        /// What, and why.
        what: String,
    },
    /// What was forgotten could not be read in the archive.
    #[error("failed to read what lies in the archive")]
    Archive(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// What lies in the store is not what this version writes.
    #[error("failed to read the ledger: {what}")]
    Corrupt {
        /// Where and what.
        what: String,
    },
}

/// One agent's lane under one incarnation: what the next block's `seq` must be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Lane {
    /// Whose it is.
    pub agent: AgentId,
    /// Which grant. Incarnation 0 is the lane of imported history.
    pub incarnation: u64,
    /// The `seq` that comes next.
    pub next_seq: u64,
}

/// A block as it lies in the ledger: the agent's bytes and where they stand.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StoredBlock {
    /// The agent's count of committed blocks before this one.
    pub position: u64,
    /// The lane it came in.
    pub incarnation: u64,
    /// Its number in that lane.
    pub seq: u64,
    /// When the collector had it, by the collector's clock.
    pub received_at: Timestamp,
    /// From its first result's instant up to and including its last; nothing if it has no result.
    pub span: Option<(Timestamp, Timestamp)>,
    /// How many results it holds.
    pub results: u32,
    /// The block itself (`rules::block`).
    pub bytes: Vec<u8>,
}

/// One UTC hour of one series, whole: what latency needs of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Hour {
    /// The hour's first instant.
    pub hour: Timestamp,
    /// The sums.
    pub population: Population,
    /// The contributions as an HDR histogram in its V2 form; empty if there are none.
    pub histogram: Vec<u8>,
}

/// How a commit changes what is derived for one series.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Effect {
    /// The series.
    pub series: SeriesKey,
    /// First forget the runs that begin, and the hours that lie, at or after this: late results
    /// were folded in.
    pub forget_from: Option<Timestamp>,
    /// Runs that are closed now, inserted or replaced by their `first_at`.
    pub runs: Vec<Run>,
    /// Hours that are over now, inserted or replaced.
    pub hours: Vec<Hour>,
}

/// What is derived but still open at some position: the fold's own bytes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Checkpoint {
    /// How many of the agent's blocks are in it.
    pub position: u64,
    /// The fold's own format.
    pub bytes: Vec<u8>,
}

/// One agent's part of a commit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Advance {
    /// Whose blocks.
    pub agent: AgentId,
    /// The position that the blocks were folded at.
    pub position: u64,
    /// The lane they come in.
    pub incarnation: u64,
    /// What the lane's next `seq` must be now; the first block's.
    pub next_seq: u64,
    /// What the lane's next `seq` is afterwards; more than one past the last block's if blocks in
    /// between were refused for good.
    pub next_seq_after: u64,
    /// The blocks, with consecutive positions from `position`.
    pub blocks: Vec<StoredBlock>,
    /// What they change.
    pub effects: Vec<Effect>,
    /// Replaces the agent's checkpoint.
    pub checkpoint: Option<Checkpoint>,
    /// Bytes that were refused for good.
    pub quarantined: Vec<Quarantined>,
}

/// Bytes that were refused for good, kept for a person to look at.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Quarantined {
    /// Who sent them.
    pub agent: AgentId,
    /// The lane they were meant for.
    pub incarnation: u64,
    /// Their number there.
    pub seq: u64,
    /// When.
    pub received_at: Timestamp,
    /// Why they were refused.
    pub reason: String,
    /// The bytes as they came.
    pub bytes: Vec<u8>,
}

/// What became of a commit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Committed {
    /// All of it is durable.
    Durable,
    /// None of it happened: these agents' position or lane had moved on. In order of name.
    Collided(Vec<AgentId>),
}

impl Committed {
    fn collided(mut agents: Vec<AgentId>) -> Committed {
        agents.sort_unstable();
        agents.dedup();
        Committed::Collided(agents)
    }
}

/// What is derived for one series, as it lies in the ledger.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Derived {
    /// The series.
    pub series: SeriesKey,
    /// Its closed runs in order of time.
    pub runs: Vec<Run>,
    /// Its closed hours in order of time.
    pub hours: Vec<Hour>,
}

/// Opens the ledger at `url` and brings its schema up to date: `sqlite:PATH` (made if it is not
/// there), `sqlite::memory:` or `postgres://…`.
pub async fn open(url: &str) -> Result<Arc<dyn Ledger>, LedgerError> {
    match url.split_once(':') {
        Some(("sqlite", ":memory:")) => Ok(Arc::new(sqlite::SqliteLedger::in_memory()?)),
        Some(("sqlite", path)) if path.starts_with("//") => {
            Err(LedgerError::Address { why: "`sqlite://` does not say where its path begins".into() })
        }
        Some(("sqlite", path)) if !path.is_empty() => Ok(Arc::new(sqlite::SqliteLedger::open(Path::new(path)).await?)),
        Some(("postgres" | "postgresql", _)) => Ok(Arc::new(postgres::PostgresLedger::open_url(url).await?)),
        Some(("sqlite", _)) => Err(LedgerError::Address { why: "its path is empty".into() }),
        Some((scheme, _)) => Err(LedgerError::Address { why: format!("`{scheme}` is no store") }),
        None => Err(LedgerError::Address { why: "its address names no store".into() }),
    }
}

/// The promise of a store.
///
/// An error from a call that writes leaves open whether it happened (the connection may have been
/// lost while it committed), and so does dropping the call's future. Whoever goes on must first
/// read the agent's position and lane again; to send the same commit once more is safe, because at
/// most one of the two can find the position it names.
pub trait Ledger: Books {
    /// Grants `agent` a fresh incarnation (one more than any before, at least 1) whose lane begins
    /// at `first_seq`.
    fn grant(&self, agent: &AgentId, first_seq: u64, now: Timestamp) -> BoxFuture<'_, Result<Lane, LedgerError>>;

    /// All lanes.
    fn lanes(&self) -> BoxFuture<'_, Result<Vec<Lane>, LedgerError>>;

    /// Every agent and its position: what a collector polls to follow its neighbours.
    fn positions(&self) -> BoxFuture<'_, Result<Vec<(AgentId, u64)>, LedgerError>>;

    /// Makes all advances durable in one transaction, or none of them. An agent's first commit
    /// (position 0) creates it; the lane of incarnation 0 is created by its first commit, at
    /// whatever `next_seq` that names. Advances of one agent take effect in their order.
    ///
    /// # Panics
    /// If an advance contradicts itself: blocks whose positions are not consecutive or whose `seq`
    /// is outside its lane's step, hours that don't begin on the hour.
    fn commit(&self, advances: Vec<Advance>) -> BoxFuture<'_, Result<Committed, LedgerError>>;

    /// Keeps bytes that were refused for good without a lane to move (forged, forbidden, conflicting).
    fn quarantine(&self, bytes: Quarantined) -> BoxFuture<'_, Result<(), LedgerError>>;

    /// How many blocks lie in quarantine.
    fn quarantined(&self) -> BoxFuture<'_, Result<u64, LedgerError>>;

    /// `agent`'s blocks from `position` on, in order, at most `limit`.
    fn blocks_from(
        &self,
        agent: &AgentId,
        position: u64,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<StoredBlock>, LedgerError>>;

    /// `agent`'s blocks that may hold results within `interval`, in order of position.
    fn blocks_within(
        &self,
        agent: &AgentId,
        interval: Interval,
    ) -> BoxFuture<'_, Result<Vec<StoredBlock>, LedgerError>>;

    /// `agent`'s blocks that may hold results of `service` within `interval`, in order of position;
    /// other services' results may be left out of them.
    fn blocks_of(
        &self,
        agent: &AgentId,
        service: &ServiceId,
        interval: Interval,
    ) -> BoxFuture<'_, Result<Vec<StoredBlock>, LedgerError>> {
        let _ = service;
        self.blocks_within(agent, interval)
    }

    /// What of `agent`'s blocks with results of `service` can't be read any more; nothing if reading
    /// them tells by itself.
    fn forgotten_of(
        &self,
        agent: &AgentId,
        service: &ServiceId,
    ) -> BoxFuture<'_, Result<Option<Forgotten>, LedgerError>> {
        let _ = service;
        self.forgotten(agent)
    }

    /// One block by its lane and number.
    fn block(
        &self,
        agent: &AgentId,
        incarnation: u64,
        seq: u64,
    ) -> BoxFuture<'_, Result<Option<StoredBlock>, LedgerError>>;

    /// What is derived for all of `agent`'s series, leaving out runs and hours that ended before
    /// `since`, and series of which then nothing is left. In order of series.
    fn derived(&self, agent: &AgentId, since: Timestamp) -> BoxFuture<'_, Result<Vec<Derived>, LedgerError>>;

    /// The closed hours of one series that begin within `interval`, in order of time.
    fn hours(&self, series: &SeriesKey, interval: Interval) -> BoxFuture<'_, Result<Vec<Hour>, LedgerError>>;

    /// `agent`'s checkpoint.
    fn checkpoint(&self, agent: &AgentId) -> BoxFuture<'_, Result<Option<Checkpoint>, LedgerError>>;

    /// Puts everything derived for `agent` anew, if its position is still `position`.
    fn replace_derived(
        &self,
        agent: &AgentId,
        position: u64,
        derived: Vec<Derived>,
        checkpoint: Checkpoint,
    ) -> BoxFuture<'_, Result<Committed, LedgerError>>;
}

impl Advance {
    /// The agent's position afterwards.
    pub(crate) fn position_after(&self) -> u64 {
        self.position + self.blocks.len() as u64
    }

    /// The longest span of its blocks, in milliseconds: what a search for an instant must allow for.
    fn span_ms_max(&self) -> i64 {
        let spans = self.blocks.iter().filter_map(|block| block.span);
        spans.map(|(first, last)| rules::time::millis(last.since(first))).max().unwrap_or(0)
    }

    /// Stops the program if the advance contradicts itself: that is our mistake, and the ledger
    /// must not keep it.
    fn assert_consistent(&self) {
        let agent = &self.agent;
        let mut next_seq = self.next_seq;
        for (position, block) in (self.position..).zip(&self.blocks) {
            assert_eq!(block.position, position, "blocks of {agent} have consecutive positions");
            assert_eq!(block.incarnation, self.incarnation, "blocks of {agent} come in one lane");
            assert!(
                next_seq <= block.seq && block.seq < self.next_seq_after,
                "blocks of {agent} rise within their lane"
            );
            next_seq = block.seq + 1;
        }
        for effect in &self.effects {
            assert_eq!(effect.series.agent, self.agent, "blocks of {agent} change its own series");
            assert_on_the_hour(&effect.hours);
        }
    }
}

fn assert_on_the_hour(hours: &[Hour]) {
    for hour in hours {
        assert_eq!(hour.hour, hour.hour.hour(), "an hour begins on the hour");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_address_that_is_none_is_refused_with_what_would_be_right() {
        for address in
            ["", "ledger.db", "sqlite:", "sqlite:///var/lib/nines/ledger.db", "mysql://nines:secret@db/nines"]
        {
            let refusal = open(address).await.err().unwrap().to_string();
            assert!(refusal.contains("give `sqlite:PATH`"), "{refusal}");
            assert!(!refusal.contains("secret"), "{refusal}");
        }
    }
}
