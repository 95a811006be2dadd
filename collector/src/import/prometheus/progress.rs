//! How far an import has come, in a file: `{"import": FINGERPRINT, "done_until": INSTANT}`.
//!
//! It is put in place by a rename, after its window is durable in the ledger. A crash between the
//! two leaves the file one window behind, and doing that window again changes nothing. At the end it
//! is removed.

use rules::time::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::path::{Path, PathBuf};

/// An import's progress.
pub(super) struct Progress {
    path: PathBuf,
    import: String,
    done_until: Option<Timestamp>,
}

/// Why progress can't be kept.
#[derive(Debug, thiserror::Error)]
pub enum ProgressError {
    /// The file can't be read, written or removed.
    #[error("failed to {doing} the import's progress in {}", .path.display())]
    Unusable {
        /// What was being done.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The file is another import's.
    #[error(
        "{} is the progress of an import with other settings; finish that one, remove the file, or give --progress another",
        .0.display()
    )]
    Another(PathBuf),
    /// The file is none.
    #[error("{} is no import's progress: {why}; remove it to begin anew", .path.display())]
    Wrong {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    import: String,
    done_until: String,
}

impl Progress {
    /// The progress of the import that `fingerprint` tells from others.
    pub(super) fn open(path: &Path, fingerprint: &str) -> Result<Progress, ProgressError> {
        let digest = Sha256::digest(fingerprint.as_bytes());
        let import: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        let mut progress = Progress { path: path.to_owned(), import, done_until: None };
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(progress),
            Err(source) => return Err(progress.unusable("read", source)),
        };
        let wrong = |why: String| ProgressError::Wrong { path: path.to_owned(), why };
        let written: Written = serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
        if written.import != progress.import {
            return Err(ProgressError::Another(path.to_owned()));
        }
        progress.done_until = Some(written.done_until.parse().map_err(|why| wrong(format!("{why}")))?);
        Ok(progress)
    }

    /// Everything before this instant was done earlier.
    pub(super) fn done_until(&self) -> Option<Timestamp> {
        self.done_until
    }

    /// Everything before `done_until` is durable.
    pub(super) fn note(&self, done_until: Timestamp) -> Result<(), ProgressError> {
        let written = Written { import: self.import.clone(), done_until: done_until.to_string() };
        let text = serde_json::to_string(&written).expect("texts are always JSON");
        let beside = self.path.with_extension("new");
        let put = std::fs::write(&beside, text).and_then(|()| std::fs::rename(&beside, &self.path));
        put.map_err(|source| self.unusable("write", source))
    }

    /// All is done.
    pub(super) fn end(self) -> Result<(), ProgressError> {
        match std::fs::remove_file(&self.path) {
            Err(source) if source.kind() != std::io::ErrorKind::NotFound => Err(self.unusable("remove", source)),
            _ => Ok(()),
        }
    }

    fn unusable(&self, doing: &'static str, source: std::io::Error) -> ProgressError {
        ProgressError::Unusable { doing, path: self.path.clone(), source }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_import_goes_on_where_it_was_cut_off_and_never_as_another() {
        let directory = tempfile::TempDir::new().unwrap();
        let path = directory.path().join("progress.json");
        let noon: Timestamp = "2026-10-01T12:00:00Z".parse().unwrap();
        let first = Progress::open(&path, "one").unwrap();
        assert_eq!(first.done_until(), None);
        first.note(noon).unwrap();
        let again = Progress::open(&path, "one").unwrap();
        assert_eq!(again.done_until(), Some(noon));
        assert!(matches!(Progress::open(&path, "other"), Err(ProgressError::Another(_))));
        again.end().unwrap();
        assert_eq!(Progress::open(&path, "other").unwrap().done_until(), None);
    }

    #[test]
    fn a_file_that_is_no_progress_is_left_alone() {
        let directory = tempfile::TempDir::new().unwrap();
        let path = directory.path().join("progress.json");
        std::fs::write(&path, "{}").unwrap();
        assert!(matches!(Progress::open(&path, "one"), Err(ProgressError::Wrong { .. })));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "{}");
    }
}
