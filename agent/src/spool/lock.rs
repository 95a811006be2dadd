//! One process a spool: a lock that the system gives back when its holder dies.

use super::SpoolError;
use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

/// The lock on a spool's directory, held until dropped.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    /// Makes the directory if need be, readable by its owner only, and takes the lock.
    pub(super) fn take(dir: &Path) -> Result<Lock, SpoolError> {
        let refuse = |source| SpoolError::Directory { dir: dir.to_owned(), source };
        DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(refuse)?;
        let mut options = OpenOptions::new();
        let file = options.write(true).create(true).truncate(false).mode(0o600).open(dir.join("spool.lock"));
        let file = file.map_err(refuse)?;
        match file.try_lock() {
            Ok(()) => Ok(Lock { _file: file }),
            Err(TryLockError::WouldBlock) => Err(SpoolError::InUse { dir: dir.to_owned() }),
            Err(TryLockError::Error(source)) => Err(refuse(source)),
        }
    }
}
