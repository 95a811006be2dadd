//! What a seal says of itself: which blocks it covers, in which files their results lie, and which
//! seal came before. JSON, written in one way only, so that its digest means something.
//!
//! ```json
//! {"format": 1, "number": 42, "sealed_at": "2026-10-01T05:00:00Z", "predecessor": "9f86…",
//!  "covers": [{"agent": "seoul-1", "from": 1000, "until": 1120,
//!              "lanes": [{"incarnation": 3, "seq": 977, "blocks": 120}],
//!              "tombstones": [{"position": 1003, "from_ms": …, "until_ms": …, "results": 12, "cause": "spool_full"}]}],
//!  "files": [{"place": "agreement=acme-apm/date=…/seal-….parquet", "agreement": "acme-apm", "services": ["apm-prod"],
//!             "bytes": 30211, "rows": 14400, "sha256": "…", "first_at": "…", "last_at": "…"}],
//!  "disposed": [{"seal": 7, "file": 0, "place": "agreement=…", "agreement": "acme-apm",
//!                "results": 14400, "until": "…", "ground": "retention"}]}
//! ```
//! Every seal names its predecessor's digest, so the first one vouches for none and the last one for
//! all. What is disposed of is said by a later seal and stays in the chain: that there was a file,
//! how large it was and why it is gone can be told for good.

mod json;

pub use json::NotAManifest;

use super::digest::Digest;
use rules::block::Tombstone;
use rules::id::{AgentId, AgreementId, ServiceId};
use rules::record::Ground;
use rules::time::Timestamp;

/// One seal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Manifest {
    /// Its number: 1, 2, 3, …
    pub number: u64,
    /// When.
    pub sealed_at: Timestamp,
    /// The digest of the manifest before; the first has none.
    pub predecessor: Option<Digest>,
    /// Which blocks it covers, in order of agent.
    pub covers: Vec<Cover>,
    /// Where their results lie.
    pub files: Vec<SealedFile>,
    /// Which files of earlier seals are gone from now on.
    pub disposed: Vec<Disposed>,
}

/// The blocks of one agent that a seal covers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cover {
    /// Whose.
    pub agent: AgentId,
    /// The first one's position.
    pub from: u64,
    /// The position after the last one.
    pub until: u64,
    /// Where they stood in their lanes, in order of position; all of them.
    pub lanes: Vec<Stretch>,
    /// What the agent had to drop, each with its block's position.
    pub tombstones: Vec<(u64, Tombstone)>,
}

/// Blocks of one lane with consecutive numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stretch {
    /// The lane.
    pub incarnation: u64,
    /// The first block's number.
    pub seq: u64,
    /// How many.
    pub blocks: u64,
}

/// A file of results.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SealedFile {
    /// Where it lies.
    pub place: String,
    /// Whose results; nothing: no agreement promised their services.
    pub agreement: Option<AgreementId>,
    /// The services in it, in order.
    pub services: Vec<ServiceId>,
    /// How long it is.
    pub bytes: u64,
    /// How many results it holds; never none.
    pub rows: u64,
    /// Its digest.
    pub sha256: Digest,
    /// Its earliest result's instant.
    pub first_at: Timestamp,
    /// Its latest result's instant.
    pub last_at: Timestamp,
}

/// A file that is gone.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Disposed {
    /// The seal that made it.
    pub seal: u64,
    /// Which of that seal's files, from 0.
    pub file: u32,
    /// Where it lay.
    pub place: String,
    /// Whose results it held; nothing: no agreement promised their services.
    pub agreement: Option<AgreementId>,
    /// How many.
    pub results: u64,
    /// Its latest result's instant.
    pub until: Timestamp,
    /// Why it is gone.
    pub ground: Ground,
}

impl Manifest {
    /// The manifest as it is stored.
    pub fn to_json(&self) -> String {
        json::written(self)
    }

    /// Reads a manifest, and refuses whatever [`Manifest::to_json`] did not write.
    pub fn from_json(text: &str) -> Result<Manifest, NotAManifest> {
        json::read(text)
    }

    /// The instants that its results lie between, both included.
    pub(crate) fn span(&self) -> Option<(Timestamp, Timestamp)> {
        let spans = self.files.iter().map(|file| (file.first_at, file.last_at));
        spans.reduce(|(first, last), (from, until)| (first.min(from), last.max(until)))
    }
}

impl Cover {
    /// Position, incarnation and number of each block, in order.
    pub(crate) fn blocks(&self) -> impl Iterator<Item = (u64, u64, u64)> {
        let lanes = self.lanes.iter().flat_map(|lane| (0..lane.blocks).map(|n| (lane.incarnation, lane.seq + n)));
        (self.from..self.until).zip(lanes).map(|(position, (incarnation, seq))| (position, incarnation, seq))
    }

    /// Adds the block at [`Cover::until`].
    pub(crate) fn push(&mut self, incarnation: u64, seq: u64, tombstones: &[Tombstone]) {
        match self.lanes.last_mut() {
            Some(lane) if lane.incarnation == incarnation && lane.seq + lane.blocks == seq => lane.blocks += 1,
            _ => self.lanes.push(Stretch { incarnation, seq, blocks: 1 }),
        }
        self.tombstones.extend(tombstones.iter().map(|tombstone| (self.until, *tombstone)));
        self.until += 1;
    }
}
