//! Notices that a file says something else, by SIGHUP or by looking.
//!
//! It reads the file once a second rather than asking the kernel or trusting times of change: that
//! works on every file system, through an editor's rename, through Kubernetes' swapped links and
//! for two changes within one tick. It never reads the file's meaning.

use crate::clock::Clock;
use crate::shutdown::Hangup;
use std::hash::{DefaultHasher, Hasher};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How often the file is read: a person who saved it waits this long at most, and a megabyte of
/// checks costs a thousandth of a core.
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
    /// A hash of the content seen last; none if it could not be read yet.
    seen: Option<u64>,
    hangup: Hangup,
    /// Whether SIGHUP came and was not reported yet.
    asked: bool,
    clock: Clock,
}

impl FileWatch {
    /// Watches `path` for anything but what it holds now. Make it before the file is read for its
    /// meaning, so that no change falls between the two.
    pub fn new(path: &Path, hangup: Hangup, clock: Clock) -> FileWatch {
        FileWatch { path: path.to_owned(), seen: content(path), hangup, asked: false, clock }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Waits for the next change. A file that vanishes is no change until it is back with other
    /// content. Safe to drop at any time.
    pub async fn changed(&mut self) -> Change {
        loop {
            if !self.asked {
                self.asked = tokio::select! {
                    () = self.hangup.asked() => true,
                    () = self.clock.sleep(LOOK_EVERY) => false,
                };
            }
            let path = self.path.clone();
            // On a thread that may block: the file may lie on a network.
            let found = tokio::task::spawn_blocking(move || content(&path)).await.ok().flatten();
            let is_other = found.is_some() && found != self.seen;
            self.seen = found.or(self.seen);
            if std::mem::take(&mut self.asked) {
                return Change::Asked;
            }
            if is_other {
                return Change::Content;
            }
        }
    }
}

fn content(path: &Path) -> Option<u64> {
    let mut hasher = DefaultHasher::new();
    hasher.write(&std::fs::read(path).ok()?);
    Some(hasher.finish())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Hand;
    use rules::time::Timestamp;
    use std::fs;
    use tokio::task::yield_now;

    /// Lets the watch look at least once.
    async fn look(hand: &Hand) {
        for _ in 0..2 {
            while hand.sleepers() == 0 {
                yield_now().await;
            }
            hand.advance(LOOK_EVERY);
            yield_now().await;
        }
        while hand.sleepers() == 0 {
            yield_now().await;
        }
    }

    #[tokio::test]
    async fn only_other_content_is_a_change() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("agent.yaml");
        fs::write(&path, "agent: a").unwrap();
        let (clock, hand) = Clock::manual(Timestamp::from_millis(0));
        let mut watch = FileWatch::new(&path, Hangup::never(), clock);
        let quiet = async |watch: &mut FileWatch, why: &str| {
            tokio::select! {
                change = watch.changed() => panic!("{change:?}: {why}"),
                () = look(&hand) => {}
            }
        };
        let noticed = async |watch: &mut FileWatch| {
            tokio::select! {
                change = watch.changed() => assert_eq!(change, Change::Content),
                () = async { loop { look(&hand).await } } => {}
            }
        };
        quiet(&mut watch, "nothing happened").await;
        fs::write(&path, "agent: a").unwrap();
        quiet(&mut watch, "the same content was written again").await;
        fs::write(&path, "agent: b").unwrap();
        noticed(&mut watch).await;
        fs::remove_file(&path).unwrap();
        quiet(&mut watch, "the file is away").await;
        fs::write(dir.path().join("new"), "agent: c").unwrap();
        fs::rename(dir.path().join("new"), &path).unwrap();
        noticed(&mut watch).await;
    }
}
