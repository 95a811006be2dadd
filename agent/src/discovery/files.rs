//! Targets in files, found by patterns and read again whenever they say something else.
//!
//! Files are read every second rather than watched through the kernel: that works on every file system
//! and through Kubernetes' swapped links. A file that matched a pattern and is gone takes its targets
//! with it; one that is broken, named without a pattern and away, or in a directory that is away,
//! leaves them as they were.

use super::follow::Look;
use super::kept::Lists;
use config::agent::discovery::{Labels, targets};
use daemon::clock::Clock;
use glob::Pattern;
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hasher};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::spawn_blocking;

/// How often the files are read: who saved one waits this long at most.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How many files the patterns of a source may name.
const FILES_MAX: usize = 1_000;
/// How long the files of a source may be together: a hundred thousand targets with ten labels each.
const BYTES_MAX: u64 = 64 * 1024 * 1024;
/// How many of several failures are said.
const SAID_MAX: usize = 3;
/// The label that says which file a target stands in, as in Prometheus.
const ORIGIN: &str = "__meta_filepath";

/// Looks into files.
pub(super) struct Files {
    patterns: Arc<[String]>,
    clock: Clock,
    /// Absent before the first look.
    seen: Option<Arc<Seen>>,
}

/// What each file held: a hash of its text, and why it can't be used.
type Seen = BTreeMap<String, (u64, Option<String>)>;

impl Files {
    pub(super) fn new(patterns: Vec<String>, clock: Clock) -> Files {
        Files { patterns: patterns.into(), clock, seen: None }
    }

    /// Looks once more, a second after the look before.
    pub(super) async fn look(&mut self, before: Option<&Arc<Lists>>) -> Look {
        let is_first = self.seen.is_none();
        if !is_first {
            self.clock.sleep(LOOK_EVERY).await;
        }
        let (patterns, seen) = (Arc::clone(&self.patterns), self.seen.clone().unwrap_or_default());
        let lists = before.cloned().unwrap_or_default();
        let looked = spawn_blocking(move || Glance::at(&patterns, &seen, &lists));
        let glance = looked.await.expect("reading files doesn't panic");
        self.seen = Some(Arc::new(glance.seen));
        let lists = (is_first && glance.failures.is_empty() || glance.is_other).then_some(glance.lists);
        let failure = glance.failures.iter().take(SAID_MAX).cloned().collect::<Vec<_>>().join("; ");
        Look { lists, is_whole: failure.is_empty(), failure: Some(failure).filter(|failure| !failure.is_empty()) }
    }
}

/// What one look found.
#[derive(Default)]
struct Glance {
    seen: Seen,
    lists: Lists,
    failures: Vec<String>,
    is_other: bool,
}

impl Glance {
    fn at(patterns: &[String], seen: &Seen, before: &Lists) -> Glance {
        let mut glance = Glance::default();
        let mut room = BYTES_MAX;
        for pattern in patterns {
            match matching(pattern) {
                Ok(paths) => paths.iter().for_each(|path| glance.take(path, seen, before, &mut room)),
                Err(why) => {
                    glance.failures.push(why);
                    glance.keep(pattern, seen, before);
                }
            }
        }
        glance.is_other |= glance.lists.keys().ne(before.keys());
        glance
    }

    /// Takes in one file, which may be the same as before.
    fn take(&mut self, path: &Path, seen: &Seen, before: &Lists, room: &mut u64) {
        let name = path.display().to_string();
        if self.seen.contains_key(&name) {
            return;
        }
        let read = read(path, room);
        let hash = read.as_ref().map_or_else(|why| hash(why.as_bytes()), |text| hash(text.as_bytes()));
        let failure = match seen.get(&name) {
            Some((same, failure)) if *same == hash => {
                self.stay(&name, before);
                failure.clone()
            }
            _ => match read.and_then(|text| parse(&text, &name)) {
                Ok(list) => {
                    self.is_other = true;
                    self.lists.insert(name.clone(), list);
                    None
                }
                Err(why) => {
                    self.stay(&name, before);
                    Some(why)
                }
            },
        };
        self.failures.extend(failure.clone());
        self.seen.insert(name, (hash, failure));
    }

    /// Leaves the targets of `file` as they were.
    fn stay(&mut self, file: &str, before: &Lists) {
        self.lists.extend(before.get_key_value(file).map(|(file, list)| (file.clone(), list.clone())));
    }

    /// Leaves everything as it was that `pattern` would name.
    fn keep(&mut self, pattern: &str, seen: &Seen, before: &Lists) {
        let Ok(pattern) = Pattern::new(pattern) else { return };
        for file in before.keys().filter(|file| pattern.matches(file)) {
            self.stay(file, before);
            self.seen.extend(seen.get_key_value(file).map(|(file, seen)| (file.clone(), seen.clone())));
        }
    }
}

/// The files that `pattern` names, or why that can't be said.
fn matching(pattern: &str) -> Result<Vec<PathBuf>, String> {
    let literal = pattern.find(['*', '?', '[']).map_or(pattern, |at| &pattern[..at]);
    let is_name = literal.len() == pattern.len();
    let base =
        if is_name { Path::new(pattern) } else { Path::new(literal.rsplit_once('/').map_or(".", |(dir, _)| dir)) };
    let (there, what) =
        if is_name { (base.is_file(), "file") } else { (base.is_dir() || base == Path::new(""), "directory") };
    if !there {
        return Err(format!("the {what} {} is not there", base.display()));
    }
    let found = glob::glob(pattern).map_err(|error| error.to_string())?;
    let found: Result<Vec<PathBuf>, _> = found.take(FILES_MAX + 1).collect();
    let found = found.map_err(|error| error.to_string())?;
    if FILES_MAX < found.len() {
        return Err(format!("{pattern} names more than {FILES_MAX} files"));
    }
    Ok(found.into_iter().filter(|path| path.is_file()).collect())
}

fn read(path: &Path, room: &mut u64) -> Result<String, String> {
    let unreadable = |error: std::io::Error| format!("{} can't be read: {error}", path.display());
    let mut text = String::new();
    let file = std::fs::File::open(path).map_err(unreadable)?;
    let length = file.take(*room + 1).read_to_string(&mut text).map_err(unreadable)?;
    match u64::try_from(length).ok().and_then(|length| room.checked_sub(length)) {
        Some(left) => *room = left,
        None => return Err(format!("{}: the source's files are longer than {BYTES_MAX} bytes", path.display())),
    }
    Ok(text)
}

fn parse(text: &str, name: &str) -> Result<Vec<Labels>, String> {
    if text.trim().is_empty() {
        return Err(format!("{name} is empty; write `[]` if it has no targets"));
    }
    targets(text, name, ORIGIN).map_err(|error| error.to_string().lines().next().unwrap_or_default().to_owned())
}

fn hash(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(bytes);
    hasher.finish()
}
