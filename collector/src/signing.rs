//! The keys that statements are signed with: made on first need, kept in a directory that only the
//! collector reads, published in the ledger.
//!
//! One file a key, PKCS#8 in PEM. A key whose retirement is noted in the ledger signs nothing any
//! more, from that moment on; its public half stays published, so that what it signed before can
//! still be verified. Two collectors may share a directory or have one each.

pub mod published;

use crate::closing::seal::key_name;
use crate::ledger::LedgerError;
use crate::ledger::books::{Books, PublishedKey};
use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{DecodePrivateKey as _, EncodePrivateKey as _};
use rules::time::Timestamp;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How a key's file is called after its name.
const EXTENSION: &str = "pem";
/// More key files than a directory ever has: rotation removes the old one.
const KEYS_MAX: usize = 100;
/// How long after a rotation a signature that was being made may still be booked: longer than a
/// booking may take.
pub(crate) const ROTATION_TIME: Duration = Duration::from_secs(60);

/// Why there is no key to sign with.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// The system refused.
    #[error("failed to {doing} {}", path.display())]
    Io {
        /// What was being done.
        doing: &'static str,
        /// To what.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Others than the owner may read it.
    #[error(
        "failed to use {}: its mode is {mode:o} and others may read it; signing keys are for the collector alone: chmod {right:o}", path.display()
    )]
    Loose {
        /// The file or directory.
        path: PathBuf,
        /// Its mode.
        mode: u32,
        /// What would be right.
        right: u32,
    },
    /// A file is no key.
    #[error("failed to read {}: it is no Ed25519 key as PKCS#8 in PEM", path.display())]
    NotAKey {
        /// The file.
        path: PathBuf,
    },
    /// There are more than can be.
    #[error("failed to read {}: more than {KEYS_MAX} keys lie there", path.display())]
    TooMany {
        /// The directory.
        path: PathBuf,
    },
    /// The ledger failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// What reads the directory has ended.
    #[error("failed to reach the keys' directory")]
    Ended(#[source] tokio::task::JoinError),
}

/// What a rotation did.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rotation {
    /// The new key's name.
    pub made: String,
    /// The old keys' names.
    pub retired: Vec<String>,
    /// From when on nothing that they signed is accepted.
    pub from: Timestamp,
}

/// The key to sign with now: the newest in `directory` that is published and not retired. Without
/// any, one is made and published.
pub async fn signer(books: &dyn Books, directory: &Path, now: Timestamp) -> Result<SigningKey, KeysError> {
    let held = blocking(directory, read).await?;
    let published = books.keys().await?;
    let in_force = |key: &SigningKey| {
        let name = name(key);
        published.iter().position(|known| known.id == name && known.retired_at.is_none())
    };
    let newest = held.iter().filter_map(|key| Some((in_force(key)?, key))).max_by_key(|(place, _)| *place);
    if let Some((_, key)) = newest {
        return Ok(key.clone());
    }
    // A key that was made and not yet published: whoever made it stopped in between.
    let unknown = held.into_iter().find(|key| published.iter().all(|known| known.id != name(key)));
    let key = match unknown {
        Some(key) => key,
        None => blocking(directory, make).await?,
    };
    publish(books, &key, now).await?;
    Ok(key)
}

/// Makes and publishes a new key, retires the others of `directory` and removes their files.
pub async fn rotate(books: &dyn Books, directory: &Path, now: Timestamp) -> Result<Rotation, KeysError> {
    let old = blocking(directory, read).await?;
    let key = blocking(directory, make).await?;
    publish(books, &key, now).await?;
    let from = now.plus(ROTATION_TIME);
    let retired: Vec<String> = old.iter().map(name).collect();
    for key in &old {
        publish(books, key, now).await?;
        books.retire_key(&name(key), from).await?;
    }
    let gone = retired.clone();
    blocking(directory, move |directory| gone.iter().try_for_each(|name| remove(directory, name))).await?;
    Ok(Rotation { made: name(&key), retired, from })
}

async fn publish(books: &dyn Books, key: &SigningKey, now: Timestamp) -> Result<(), KeysError> {
    let public = key.verifying_key().to_bytes();
    let published = PublishedKey { id: key_name(&public), public, published_at: now, retired_at: None };
    Ok(books.publish_key(published).await?)
}

fn name(key: &SigningKey) -> String {
    key_name(&key.verifying_key().to_bytes())
}

/// Does `work` in the directory where blocking is allowed.
async fn blocking<T: Send + 'static>(
    directory: &Path,
    work: impl FnOnce(&Path) -> Result<T, KeysError> + Send + 'static,
) -> Result<T, KeysError> {
    let directory = directory.to_owned();
    tokio::task::spawn_blocking(move || work(&directory)).await.map_err(KeysError::Ended)?
}

/// All keys in the directory, which is made if it is not there.
fn read(directory: &Path) -> Result<Vec<SigningKey>, KeysError> {
    let failed = |doing| move |source| KeysError::Io { doing, path: directory.to_owned(), source };
    DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(failed("make the directory"))?;
    refuse_loose(directory, 0o700)?;
    let mut paths = Vec::new();
    for entry in fs::read_dir(directory).map_err(failed("list"))? {
        let path = entry.map_err(failed("list"))?.path();
        if path.extension().is_some_and(|extension| extension == EXTENSION) {
            paths.push(path);
        }
        if KEYS_MAX < paths.len() {
            return Err(KeysError::TooMany { path: directory.to_owned() });
        }
    }
    paths.sort();
    paths.iter().map(|path| read_key(path)).collect()
}

fn read_key(path: &Path) -> Result<SigningKey, KeysError> {
    refuse_loose(path, 0o600)?;
    let text =
        fs::read_to_string(path).map_err(|source| KeysError::Io { doing: "read", path: path.to_owned(), source })?;
    SigningKey::from_pkcs8_pem(&text).map_err(|_| KeysError::NotAKey { path: path.to_owned() })
}

fn refuse_loose(path: &Path, right: u32) -> Result<(), KeysError> {
    let failed = |source| KeysError::Io { doing: "look at", path: path.to_owned(), source };
    let mode = fs::metadata(path).map_err(failed)?.permissions().mode() & 0o7777;
    if mode & 0o077 == 0 { Ok(()) } else { Err(KeysError::Loose { path: path.to_owned(), mode, right }) }
}

/// Makes a key from the system's randomness. Its file is written whole before it has its name, so
/// that a crash leaves no half of a key.
fn make(directory: &Path) -> Result<SigningKey, KeysError> {
    let key = SigningKey::from_bytes(&rand::random());
    let pem = key.to_pkcs8_pem(LineEnding::LF).expect("a key of 32 bytes is always PKCS#8");
    let (draft, path) = (directory.join(format!("{}.new", name(&key))), file(directory, &name(&key)));
    let written = || -> io::Result<()> {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
        file.write_all(pem.as_bytes())?;
        file.sync_all()?;
        fs::rename(&draft, &path)?;
        File::open(directory)?.sync_all()
    };
    written().map_err(|source| KeysError::Io { doing: "write", path: path.clone(), source })?;
    Ok(key)
}

fn remove(directory: &Path, name: &str) -> Result<(), KeysError> {
    let path = file(directory, name);
    fs::remove_file(&path).map_err(|source| KeysError::Io { doing: "remove", path, source })
}

fn file(directory: &Path, name: &str) -> PathBuf {
    directory.join(format!("{name}.{EXTENSION}"))
}

#[cfg(test)]
mod tests;
