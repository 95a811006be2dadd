//! Checks that nobody listed: targets named by files, by a server or by a cluster, made into checks.
//!
//! Each source is followed by a task of its own; what it named last stands while it is away, and is
//! kept beside the spool for the next start. A target that makes no check is skipped, said once and
//! counted; it stops nothing else. Nothing here probes.

// One file a kind of place
mod files;
mod http;
#[cfg(feature = "kubernetes")]
mod kubernetes;
// From what a source said to checks
mod follow;
mod kept;
mod making;
mod metrics;
mod waiting;

use crate::metrics::Metrics;
use crate::orders::key;
use config::agent::discovery::Source;
use daemon::admin::Readiness;
use daemon::clock::Clock;
use follow::Follower;
use making::Made;
use metrics::{DiscoveryMetrics, Skipped};
use rules::check::Assignment;
use rules::id::SourceId;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinSet};
use waiting::Waiting;

/// How long changes are gathered before checks are made ready anew: a rollout changes many at once.
const SETTLE: Duration = Duration::from_millis(500);
/// How much news may wait; a source that has more waits too.
const NEWS_MAX: usize = 16;

/// Follows the sources of a configuration.
pub(crate) struct Discovery {
    means: Means,
    followed: BTreeMap<SourceId, Followed>,
    /// The sources in the order of the configuration.
    order: Vec<SourceId>,
    tasks: JoinSet<()>,
    news: mpsc::Receiver<News>,
    teller: mpsc::Sender<News>,
    /// Tells the tasks of a source apart: news of an older one is no news.
    turn: u64,
    /// When what has changed since the last report is to be reported.
    report_at: Option<Duration>,
}

/// What every source is followed with.
#[derive(Clone)]
struct Means {
    dir: Arc<Path>,
    clock: Clock,
    metrics: DiscoveryMetrics,
    waiting: Arc<Waiting>,
}

/// A source that is followed.
struct Followed {
    source: Source,
    turn: u64,
    task: AbortHandle,
    made: Arc<Made>,
    /// Names that others had before, as they were said.
    displaced: BTreeSet<String>,
}

/// What became of a source's targets.
struct News {
    source: SourceId,
    turn: u64,
    made: Arc<Made>,
}

impl Discovery {
    /// Keeps lists in `dir` and follows nothing yet.
    pub(crate) fn new(dir: &Path, clock: Clock, metrics: &Metrics, readiness: Readiness) -> Discovery {
        let (teller, news) = mpsc::channel(NEWS_MAX);
        let means = Means {
            dir: dir.into(),
            clock,
            metrics: DiscoveryMetrics::new(&metrics.registry),
            waiting: Arc::new(Waiting::new(readiness)),
        };
        let (followed, order, tasks) = (BTreeMap::new(), Vec::new(), JoinSet::new());
        Discovery { means, followed, order, tasks, news, teller, turn: 0, report_at: None }
    }

    /// Follows `sources` and no others. One that is as before goes on undisturbed; what one of the
    /// same place named stands until the new one has something to say.
    pub(crate) fn follow(&mut self, sources: &[Source]) {
        self.order = sources.iter().map(|source| source.id.clone()).collect();
        let gone: Vec<_> = self.followed.keys().filter(|id| !self.order.contains(id)).cloned().collect();
        for id in gone {
            if let Some(followed) = self.followed.remove(&id) {
                followed.task.abort();
                self.means.forget(&id);
            }
        }
        kept::sweep(&self.means.dir, &self.order);
        for source in sources {
            let before = self.followed.remove(&source.id);
            let followed = match before {
                Some(before) if before.source == *source => before,
                before => self.begin(source, before),
            };
            self.followed.insert(source.id.clone(), followed);
        }
    }

    fn begin(&mut self, source: &Source, before: Option<Followed>) -> Followed {
        let made = match before {
            Some(before) => {
                before.task.abort();
                if before.source.place == source.place { before.made } else { Arc::default() }
            }
            None => Arc::default(),
        };
        self.turn += 1;
        let follower = Follower::new(source.clone(), self.turn, self.means.clone(), self.teller.clone());
        let task = self.tasks.spawn(follower.run());
        Followed { source: source.clone(), turn: self.turn, task, made, displaced: BTreeSet::new() }
    }

    /// Waits until the checks are others. Safe to drop at any time.
    pub(crate) async fn changed(&mut self) {
        loop {
            let clock = self.means.clock.clone();
            let report_at = self.report_at;
            let settled = async move {
                match report_at {
                    Some(at) => clock.sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                Some(news) = self.news.recv() => self.hear(news),
                () = settled => {
                    self.report_at = None;
                    return;
                }
                Some(Err(error)) = self.tasks.join_next(), if !self.tasks.is_empty() => {
                    if error.is_panic() {
                        std::panic::resume_unwind(error.into_panic());
                    }
                }
            }
        }
    }

    fn hear(&mut self, news: News) {
        let Some(followed) = self.followed.get_mut(&news.source) else { return };
        if followed.turn == news.turn {
            followed.made = news.made;
            self.report_at.get_or_insert(self.means.clock.boot() + SETTLE);
        }
    }

    /// The checks of all sources, but for those whose names are taken: by `written` ones, or by those
    /// of a source that stands before.
    pub(crate) fn assignments(&mut self, written: &[Assignment]) -> Vec<Assignment> {
        let mut taken: BTreeSet<_> = written.iter().map(key).collect();
        let mut all = Vec::new();
        for id in &self.order {
            let Some(followed) = self.followed.get_mut(id) else { continue };
            let mut displaced = BTreeSet::new();
            for assignment in &followed.made.assignments {
                if taken.insert(key(assignment)) {
                    all.push(assignment.clone());
                } else {
                    displaced.insert(format!("{}/{}", assignment.service, assignment.check.id));
                }
            }
            for name in displaced.difference(&followed.displaced).take(making::SAID_MAX) {
                tracing::warn!(source = %id, name, "Discovered check is left out, another has its name");
            }
            let skipped = followed.made.collisions + displaced.len();
            self.means.metrics.skipped(id, Skipped::Collision, skipped);
            self.means.metrics.checks(id, followed.made.assignments.len() - displaced.len());
            followed.displaced = displaced;
        }
        all
    }
}

impl Means {
    fn forget(&self, source: &SourceId) {
        self.metrics.forget(source);
        self.waiting.heard(source);
    }
}
