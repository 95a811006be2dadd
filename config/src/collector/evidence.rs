//! Where evidence is archived, and how statements are signed and closed.

use crate::node::Node;
use crate::reading::keys::Keys;
use crate::reading::{Placed, Reading, placed, text};
use crate::scalar::{days_text, duration, duration_text, length};
use crate::secret::path;
use crate::source::Span;
use std::path::PathBuf;
use std::time::Duration;

/// How long after a period's end evidence is waited for when nothing is said.
pub const GRACE_DEFAULT: Duration = Duration::from_secs(10 * DAY);
/// How often evidence is sealed when nothing is said.
pub const SEAL_EVERY_DEFAULT: Duration = Duration::from_secs(3600);
/// How long blocks stay in the ledger after they were sealed when nothing is said: the month before
/// is then closed from the ledger itself.
pub const KEEP_BLOCKS_DEFAULT: Duration = Duration::from_secs(45 * DAY);
/// The archive when nothing is said of where, relative to the configuration's directory.
const STORE_DEFAULT: &str = "data/evidence";
/// The directory of signing keys when nothing is said, relative to the configuration's directory.
const KEYS_DEFAULT: &str = "data/keys";
/// Sealing more often makes files of a few results each; more rarely keeps a day unsealed.
const SEAL_EVERY: std::ops::RangeInclusive<Duration> = Duration::from_secs(60)..=Duration::from_secs(DAY);
/// The longest month.
const MONTH_MAX: Duration = Duration::from_secs(31 * DAY);
const DAY: u64 = 24 * 3600;

/// Where evidence is archived.
#[derive(Clone, PartialEq, Debug)]
pub struct ArchiveConfig {
    /// Where to.
    pub store: StoreUrl,
    /// How often.
    pub seal_every: Duration,
    /// How long a block stays in the ledger after its archive was verified.
    pub keep_blocks: Duration,
    /// How long results are kept whose services no agreement promises; absent: for good.
    pub keep_unpromised: Option<Duration>,
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

impl ClosingConfig {
    /// What holds when nothing is said.
    pub(super) fn default_in(reading: &Reading) -> ClosingConfig {
        ClosingConfig { keys: reading.base_dir.join(KEYS_DEFAULT), grace: GRACE_DEFAULT }
    }
}

/// Reads the key `evidence`.
pub(super) fn archive(node: &Node, reading: &mut Reading) -> Option<Placed<ArchiveConfig>> {
    let mut keys = Keys::of(node, "`evidence`", reading)?;
    let default = StoreUrl::Directory(reading.base_dir.join(STORE_DEFAULT));
    let store = keys.or("store", default, reading, store);
    let seal_every = keys.or("seal_every", SEAL_EVERY_DEFAULT, reading, seal_every);
    let keep = Placed { at: node.at, value: KEEP_BLOCKS_DEFAULT };
    let keep = keys.or("keep_blocks", keep, reading, placed(length));
    let keep_unpromised = keys.optional("keep_unpromised", reading, keep_unpromised);
    keys.end(reading);
    Some(Placed { at: keep.at, value: ArchiveConfig { store, seal_every, keep_blocks: keep.value, keep_unpromised } })
}

fn store(node: &Node, reading: &mut Reading) -> Option<StoreUrl> {
    let given = text(node, reading)?;
    match given.split_once(':') {
        Some(("file", rest)) if !rest.trim_start_matches('/').is_empty() => {
            let path = rest.strip_prefix("//").unwrap_or(rest);
            Some(StoreUrl::Directory(reading.base_dir.join(path)))
        }
        Some(("s3" | "gs" | "az", rest)) => {
            let bucket = rest.strip_prefix("//").and_then(|rest| rest.split('/').next());
            if rest.contains('@') {
                reading.conceal(node.at);
                let message = "a store's URL has credentials; leave them out, they come from the environment as the cloud's own tools have them";
                return reading.problem(node.at, message);
            }
            if bucket.is_none_or(str::is_empty) {
                let message =
                    format!("`{}` names no bucket; write one such as `s3://bucket/prefix`", given.escape_debug());
                return reading.problem(node.at, message);
            }
            Some(StoreUrl::Cloud(given.to_owned()))
        }
        None if !given.is_empty() => path(node, reading).map(StoreUrl::Directory),
        _ => {
            let message = format!(
                "`{}` is no store; write a directory such as `data/evidence`, or `s3://bucket/prefix`, `gs://…` or `az://…`",
                given.escape_debug()
            );
            reading.problem(node.at, message)
        }
    }
}

fn seal_every(node: &Node, reading: &mut Reading) -> Option<Duration> {
    let every = length(node, reading)?;
    if SEAL_EVERY.contains(&every) {
        return Some(every);
    }
    let (given, least, most) =
        (duration_text(every), duration_text(*SEAL_EVERY.start()), duration_text(*SEAL_EVERY.end()));
    reading.problem(node.at, format!("evidence can't be sealed every {given}; write {least} to {most}, such as `1h`"))
}

/// Whoever forgets an agreement in the configuration, or its service, has this long to notice.
const KEEP_UNPROMISED_MIN: Duration = MONTH_MAX;

fn keep_unpromised(node: &Node, reading: &mut Reading) -> Option<Duration> {
    let keep = length(node, reading)?;
    if KEEP_UNPROMISED_MIN <= keep {
        return Some(keep);
    }
    let (given, least) = (days_text(keep), days_text(KEEP_UNPROMISED_MIN));
    let message = format!(
        "results that no agreement promises can't be kept for {given} only, because an agreement may be added for them; write `{least}` or more, or leave it out to keep them"
    );
    reading.problem(node.at, message)
}

/// Reads the key `closing`.
pub(super) fn closing(node: &Node, reading: &mut Reading) -> Option<ClosingConfig> {
    let mut keys = Keys::of(node, "`closing`", reading)?;
    let default = ClosingConfig::default_in(reading);
    let keys_dir = keys.or("keys", default.keys, reading, path);
    let grace = keys.or("grace", default.grace, reading, duration);
    keys.end(reading);
    Some(ClosingConfig { keys: keys_dir, grace })
}

/// Warns when blocks leave the ledger before the month they belong to is closed.
pub(super) fn kept_until_closed(keep: Duration, at: Span, closing: &ClosingConfig, reading: &mut Reading) {
    let needed = MONTH_MAX + closing.grace;
    if keep < needed {
        let (keep, needed) = (days_text(keep), days_text(needed));
        let message = format!(
            "blocks leave the ledger after {keep} and a month may be open for {needed}, so statements are drawn up from the archive; keep blocks for {needed} or more"
        );
        reading.warn(at, message);
    }
}
