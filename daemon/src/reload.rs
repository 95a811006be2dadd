//! Notices that a file says something else, by SIGHUP or by looking.
//!
//! It looks once a second rather than asking the kernel: that works on every file system, through
//! an editor's rename and through Kubernetes' swapped links. It never reads the file's meaning.

use crate::clock::Clock;
use crate::shutdown::Hangup;
use std::hash::{DefaultHasher, Hasher};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How often the file is looked at: a person who saved it waits this long at most.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Why a reload is due.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Change {
    /// The operator asked by SIGHUP; the file may say what it said before.
    Asked,
    /// The file's content is another.
    Content,
}

/// Watches one file.
#[derive(Debug)]
pub struct FileWatch {
    path: PathBuf,
    seen: Option<Look>,
    hangup: Hangup,
    clock: Clock,
}

/// What one look at a file showed; `None` in its place when it could not be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Look {
    inode: u64,
    modified: (i64, i64),
    bytes: u64,
    content: u64,
}

impl FileWatch {
    /// Watches `path` for anything but what it holds now.
    pub fn new(path: &Path, hangup: Hangup, clock: Clock) -> FileWatch {
        FileWatch { path: path.to_owned(), seen: look(path, None), hangup, clock }
    }

    /// Waits for the next change. A file that vanishes is no change until it is back with other
    /// content. Safe to drop at any time.
    pub async fn changed(&mut self) -> Change {
        loop {
            tokio::select! {
                () = self.hangup.asked() => {
                    self.seen = self.look().await.or(self.seen);
                    return Change::Asked;
                }
                () = self.clock.sleep(LOOK_EVERY) => {}
            }
            let Some(now) = self.look().await else { continue };
            let is_other = self.seen.is_none_or(|seen| seen.content != now.content);
            self.seen = Some(now);
            if is_other {
                return Change::Content;
            }
        }
    }

    /// Looks on a thread that may block: the file may lie on a network.
    async fn look(&self) -> Option<Look> {
        let (path, seen) = (self.path.clone(), self.seen);
        tokio::task::spawn_blocking(move || look(&path, seen)).await.ok().flatten()
    }
}

/// Reads the content only if the file's entry differs from what was seen.
fn look(path: &Path, seen: Option<Look>) -> Option<Look> {
    let entry = std::fs::metadata(path).ok()?;
    let modified = (entry.mtime(), entry.mtime_nsec());
    if let Some(seen) = seen
        && (seen.inode, seen.modified, seen.bytes) == (entry.ino(), modified, entry.size())
    {
        return Some(seen);
    }
    let mut hasher = DefaultHasher::new();
    hasher.write(&std::fs::read(path).ok()?);
    Some(Look { inode: entry.ino(), modified, bytes: entry.size(), content: hasher.finish() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Hand;
    use rules::time::Timestamp;
    use std::fs;

    /// Whether a change is seen once the file was looked at again.
    async fn sees_change(watch: &mut FileWatch, hand: &Hand) -> bool {
        let looks = async {
            for _ in 0..3 {
                while hand.sleepers() == 0 {
                    tokio::task::yield_now().await;
                }
                hand.advance(LOOK_EVERY);
                while hand.sleepers() != 0 {
                    tokio::task::yield_now().await;
                }
            }
            while hand.sleepers() == 0 {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            biased;
            change = watch.changed() => change == Change::Content,
            () = looks => false,
        }
    }

    #[tokio::test]
    async fn only_other_content_is_a_change() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("agent.yaml");
        fs::write(&path, "agent: a").unwrap();
        let (clock, hand) = Clock::manual(Timestamp::from_millis(0));
        let mut watch = FileWatch::new(&path, Hangup::never(), clock);

        assert!(!sees_change(&mut watch, &hand).await, "nothing happened");
        fs::write(&path, "agent: a").unwrap();
        assert!(!sees_change(&mut watch, &hand).await, "written again with the same content");
        fs::write(&path, "agent: b").unwrap();
        assert!(sees_change(&mut watch, &hand).await, "other content");
        fs::remove_file(&path).unwrap();
        assert!(!sees_change(&mut watch, &hand).await, "away");
        fs::write(dir.path().join("new"), "agent: c").unwrap();
        fs::rename(dir.path().join("new"), &path).unwrap();
        assert!(sees_change(&mut watch, &hand).await, "renamed into place");
    }
}
