//! The jobs' states on disk, in one file beside the spool.
//!
//! `heartbeats.json`, replaced whole and synced, so a crash leaves the old states or the new ones:
//! ```text
//! {"version": 1, "jobs": [{"service": …, "check": …, "schedule": …, "due_at": …, …}, …]}   instants in Unix ms
//! ```
//! A file that can't be read is put aside in the log and begun anew: the runs under way are then
//! not judged. A later version of the file is treated like one that can't be read.

use super::schedule_of;
use crate::checks::replace;
use crate::orders::Key;
use rules::check::HeartbeatTarget;
use rules::heartbeat::{Job, JobState, Owed, Settled, Sight};
use rules::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::task::spawn_blocking;

const FILE: &str = "heartbeats.json";
/// The layout drawn above.
const VERSION: u32 = 1;
/// How long the state of a job is kept that nobody awaits: it may come back with its collector.
const RESTS_MAX: Duration = Duration::from_secs(90 * 86_400);
/// How many states of such jobs are kept.
const RESTING_MAX: usize = 10_000;

#[derive(Serialize, Deserialize)]
struct Document {
    version: u32,
    jobs: Vec<Entry>,
}

#[derive(Clone, Serialize, Deserialize)]
struct Entry {
    service: String,
    check: String,
    schedule: String,
    due_at: i64,
    opens_at: i64,
    settled: bool,
    seen_whole: bool,
    owes_run: bool,
    started_at: Option<i64>,
    succeeded_at: Option<i64>,
    duration_us: Option<u64>,
    bytes: Option<u64>,
    result_at: Option<i64>,
    seen_until: i64,
}

/// Where states are kept.
pub(super) struct Kept {
    path: PathBuf,
}

/// States of jobs that are not awaited: those read at the start, and those whose checks went.
#[derive(Default)]
pub(super) struct Resting {
    states: BTreeMap<Key, (String, JobState)>,
}

/// Reads what was kept in `dir`. Blocks for as long as the disk does.
pub(super) fn open(dir: &Path) -> (Kept, Resting) {
    let path = dir.join(FILE);
    let mut resting = Resting::default();
    match read(&path) {
        Ok(entries) => resting.states.extend(entries.iter().filter_map(state)),
        Err(error) => {
            tracing::error!(file = %path.display(), %error, "Heartbeats can't be read, runs under way are not judged");
        }
    }
    (Kept { path }, resting)
}

fn read(path: &Path) -> std::io::Result<Vec<Entry>> {
    let text = match std::fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let document: Document = serde_json::from_slice(&text)?;
    match document.version {
        VERSION => Ok(document.jobs),
        found => Err(std::io::Error::other(format!("its layout is {found}, and this program knows {VERSION}"))),
    }
}

impl Kept {
    /// Replaces the file; whether that was possible.
    pub(super) async fn replace<'a>(&self, jobs: impl Iterator<Item = (&'a Key, &'a Job)>, resting: &Resting) -> bool {
        let awaited = jobs.map(|(key, job)| entry(key, &schedule_of(job.target()), job.state()));
        let others = resting.states.iter().map(|(key, (schedule, state))| entry(key, schedule, state));
        let document = Document { version: VERSION, jobs: awaited.chain(others).collect() };
        if document.jobs.is_empty() && !self.path.exists() {
            return true;
        }
        let path = self.path.clone();
        let write = move || replace(&path, &serde_json::to_vec(&document)?);
        match spawn_blocking(write).await.expect("writing a file doesn't panic") {
            Ok(()) => true,
            Err(error) => {
                tracing::error!(file = %self.path.display(), %error, "Heartbeats can't be kept");
                false
            }
        }
    }
}

impl Resting {
    /// The job of `target`, as it was left if it is due as it was then.
    pub(super) fn take(&mut self, key: &Key, target: &HeartbeatTarget, now: Timestamp) -> Job {
        match self.states.remove(key) {
            Some((schedule, state)) if schedule == schedule_of(target) => Job::resume(target.clone(), state),
            Some(_) | None => Job::new(target.clone(), now),
        }
    }

    pub(super) fn put(&mut self, key: Key, job: &Job) {
        self.states.insert(key, (schedule_of(job.target()), *job.state()));
    }

    /// Forgets what rests too long, or is too much.
    pub(super) fn age(&mut self, now: Timestamp) {
        self.states.retain(|_, (_, state)| now.since(state.seen_until) < RESTS_MAX);
        while RESTING_MAX < self.states.len() {
            self.states.pop_first();
        }
    }
}

fn entry((service, check): &Key, schedule: &str, state: &JobState) -> Entry {
    let millis = Timestamp::as_millis;
    Entry {
        service: service.as_str().to_owned(),
        check: check.as_str().to_owned(),
        schedule: schedule.to_owned(),
        due_at: state.due_at.as_millis(),
        opens_at: state.opens_at.as_millis(),
        settled: state.settled == Settled::Yes,
        seen_whole: state.sight == Sight::Whole,
        owes_run: state.owed == Owed::Run,
        started_at: state.started_at.map(millis),
        succeeded_at: state.succeeded_at.map(millis),
        duration_us: state.duration.map(|duration| u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)),
        bytes: state.bytes,
        result_at: state.result_at.map(millis),
        seen_until: state.seen_until.as_millis(),
    }
}

/// Nothing for a name that is none any longer.
fn state(entry: &Entry) -> Option<(Key, (String, JobState))> {
    let key = (entry.service.parse().ok()?, entry.check.parse().ok()?);
    let instant = Timestamp::from_millis;
    let state = JobState {
        due_at: instant(entry.due_at),
        opens_at: instant(entry.opens_at),
        settled: if entry.settled { Settled::Yes } else { Settled::No },
        sight: if entry.seen_whole { Sight::Whole } else { Sight::Broken },
        owed: if entry.owes_run { Owed::Run } else { Owed::Nothing },
        started_at: entry.started_at.map(instant),
        succeeded_at: entry.succeeded_at.map(instant),
        duration: entry.duration_us.map(Duration::from_micros),
        bytes: entry.bytes,
        result_at: entry.result_at.map(instant),
        seen_until: instant(entry.seen_until),
    };
    Some((key, (entry.schedule.clone(), state)))
}
