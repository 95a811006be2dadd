//! Where evidence is archived, and how statements are signed and closed.

use std::path::PathBuf;
use std::time::Duration;

/// How long after a period's end evidence is waited for when nothing is said.
pub const GRACE_DEFAULT: Duration = Duration::from_secs(10 * 24 * 3600);
/// How often evidence is sealed when nothing is said.
pub const SEAL_EVERY_DEFAULT: Duration = Duration::from_secs(3600);
/// How long blocks stay in the ledger after they were sealed when nothing is said: the month before
/// is then closed from the ledger itself.
pub const KEEP_BLOCKS_DEFAULT: Duration = Duration::from_secs(45 * 24 * 3600);

/// Where evidence is archived.
#[derive(Clone, PartialEq, Debug)]
pub struct ArchiveConfig {
    /// Where to.
    pub store: StoreUrl,
    /// How often.
    pub seal_every: Duration,
    /// How long a block stays in the ledger after its archive was verified.
    pub keep_blocks: Duration,
}

/// An object store.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum StoreUrl {
    /// A local directory.
    Directory(PathBuf),
    /// `s3://bucket/prefix`, `gs://…`, `az://…`: needs the feature `clouds`. Credentials come from the
    /// environment, as each cloud's own tools have them.
    Cloud(String),
}

/// How statements are signed and when they are final.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ClosingConfig {
    /// The directory of the signing keys, which only the collector reads.
    pub keys: PathBuf,
    /// How long after a period's end evidence is waited for.
    pub grace: Duration,
}
