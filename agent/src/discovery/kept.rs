//! What a source named last, kept beside the spool: `discovered-<source>.json`.
//!
//! `{"place": "http_sd https://…", "lists": {"": [{"__address__": "a:80", "env": "prod"}]}}`. It holds labels and
//! not checks, so that a changed template applies to it; it counts only for the place it came from.
//! It is replaced whole: a crash leaves the old one or the new one.

use crate::checks::replace;
use config::agent::discovery::{Labels, Source};
use rules::id::SourceId;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What a source named, by part: a file, a kind of resource, or the whole.
pub(super) type Lists = BTreeMap<String, Vec<Labels>>;

/// How the files' names begin and end.
const BEGINNING: &str = "discovered-";
const ENDING: &str = ".json";

#[derive(Serialize, Deserialize)]
struct Kept<'k> {
    place: Cow<'k, str>,
    lists: Cow<'k, Lists>,
}

fn file(dir: &Path, source: &SourceId) -> PathBuf {
    dir.join(format!("{BEGINNING}{source}{ENDING}"))
}

/// What `source` named before the last stop; absent if it never did, or was elsewhere.
pub(super) fn load(dir: &Path, source: &Source) -> Option<Lists> {
    let file = file(dir, &source.id);
    let text = std::fs::read(&file).ok()?;
    match serde_json::from_slice::<Kept<'_>>(&text) {
        Ok(kept) if kept.place == source.place.to_string() => Some(kept.lists.into_owned()),
        Ok(_) => None,
        Err(error) => {
            tracing::warn!(file = %file.display(), %error, "Kept list of targets can't be read, waiting for its source");
            None
        }
    }
}

/// Keeps what `source` named.
pub(super) fn store(dir: &Path, source: &Source, lists: &Lists) {
    let kept = Kept { place: source.place.to_string().into(), lists: Cow::Borrowed(lists) };
    let file = file(dir, &source.id);
    let stored = serde_json::to_vec(&kept).map_err(std::io::Error::from).and_then(|text| replace(&file, &text));
    if let Err(error) = stored {
        tracing::warn!(file = %file.display(), %error, "List of targets can't be kept for the next start");
    }
}

/// Removes what was kept of sources that are no longer followed.
pub(super) fn sweep(dir: &Path, followed: &[SourceId]) {
    let Ok(entries) = std::fs::read_dir(dir) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let source = name.to_str().and_then(|name| name.strip_prefix(BEGINNING)?.strip_suffix(ENDING));
        if source.is_some_and(|source| !followed.iter().any(|followed| followed.as_str() == source)) {
            // If it stays, it counts only for its own place.
            let _ = std::fs::remove_file(entry.path());
        }
    }
}
