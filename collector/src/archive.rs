//! Evidence sealed for good: results in Parquet files in an object store, and a chain of manifests
//! that says which blocks they were.
//!
//! A **seal** covers, for every agent, the blocks that were committed since the seal before: by
//! position, so coverage is exact and late results are no special case. See `docs/evidence.md` for
//! the layout, and for what a crash between any two steps leaves.
//!
//! The archive never changes a file and never judges a result. What leaves the ledger is in the
//! archive first, was read back from there, and was found to be the same.

// What lies in the store
pub mod digest;
pub mod file;
mod index;
pub mod manifest;
mod place;
pub mod rows;
pub mod store;
// How it gets there
mod belongings;
mod catalogue;
mod counts;
mod keeper;
mod seal;
mod verify;
// How it ends
mod deletion;
mod disposal;
pub mod erasure;
mod tidying;
// How it is read again
pub mod bundle;
mod deep;
pub mod export;
mod reading;
pub mod results;
pub mod scrub;

pub use belongings::Belongings;
pub use deep::{ArchivedLedger, deepened};
pub(crate) use keeper::Keeper;
pub use seal::{Promised, Sealed};

use crate::ledger::{Ledger, LedgerError};
use catalogue::Catalogue;
use digest::Digest;
use file::FileError;
use manifest::NotAManifest;
use rows::SeriesRows;
use rules::block::BlockError;
use rules::id::{AgentId, AgreementId};
use rules::time::Timestamp;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use store::{Store, StoreError};

/// How many decoded files are remembered: the two hours at an outage's ends, twice.
const FILES_REMEMBERED: usize = 4;

/// Why the archive could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// The ledger failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A manifest is none.
    #[error("failed to read the manifest {place}")]
    Manifest {
        /// Which.
        place: String,
        /// Why.
        #[source]
        source: NotAManifest,
    },
    /// The chain of manifests is broken.
    #[error("the chain of seals is broken at seal {number}: {what}")]
    Chain {
        /// At which seal.
        number: u64,
        /// How.
        what: String,
    },
    /// A file is none of the archive's.
    #[error("failed to read the evidence file `{place}`")]
    File {
        /// Which.
        place: String,
        /// Why.
        #[source]
        source: FileError,
    },
    /// An object is not what was sealed.
    #[error("the evidence file `{place}` {what}")]
    Damaged {
        /// Which.
        place: String,
        /// How.
        what: String,
    },
    /// The list of a bundle's files is not what was written.
    #[error("the list of evidence files `files.ndjson` can't be relied on: {0}")]
    Index(#[from] index::NotAnIndex),
    /// The results are no longer kept.
    #[error(
        "results up to {until}{} are gone, because their retention was over; ask for what came later",
        .agreement.as_ref().map(|id| format!(" of agreement {id}")).unwrap_or_default()
    )]
    Gone {
        /// Whose they were.
        agreement: Option<AgreementId>,
        /// The latest one's instant.
        until: Timestamp,
    },
    /// What lies in the archive is not what lies in the ledger.
    #[error("seal {number} and the ledger differ at block {position} of agent {agent}")]
    Differs {
        /// Which seal.
        number: u64,
        /// Whose block.
        agent: AgentId,
        /// Where it stands.
        position: u64,
    },
    /// A block of the ledger can't be read.
    #[error("block {position} of agent {agent} does not decode")]
    Block {
        /// Whose.
        agent: AgentId,
        /// Where it stands.
        position: u64,
        /// Why.
        #[source]
        source: BlockError,
    },
    /// A file could not be written as Parquet.
    #[error("failed to write results as Parquet")]
    Unwritten(#[from] parquet::errors::ParquetError),
    /// Work that was handed to another thread ended.
    #[error("a part of the archive ended unexpectedly")]
    Ended(#[from] tokio::task::JoinError),
}

/// The archive of one ledger.
pub struct Archive {
    ledger: Arc<dyn Ledger>,
    store: Store,
    catalogue: Catalogue,
    /// The files that were read last.
    remembered: Mutex<VecDeque<(Digest, Arc<Vec<SeriesRows>>)>>,
}

impl Archive {
    /// The archive of `ledger` in `store`.
    pub fn new(ledger: Arc<dyn Ledger>, store: Store) -> Archive {
        Archive { ledger, store, catalogue: Catalogue::default(), remembered: Mutex::default() }
    }
}

#[cfg(test)]
mod tests;
