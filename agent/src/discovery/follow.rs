//! Follows one source: looks, keeps what it names, makes checks of it and tells.

use super::files::Files;
use super::http::Http;
use super::kept::{self, Lists};
use super::making::{self, Made};
use super::metrics::Skipped;
use super::{Means, News};
use config::agent::discovery::{Place, Source};
use std::collections::BTreeSet;
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;

/// Follows one source.
pub(super) struct Follower {
    source: Arc<Source>,
    turn: u64,
    means: Means,
    teller: mpsc::Sender<News>,
    /// What it named last.
    lists: Option<Arc<Lists>>,
    /// Why it can't be heard, as it was said.
    failure: Option<String>,
    /// Which targets are skipped, as it was said.
    refusals: BTreeSet<String>,
}

/// What came of one look at a source.
pub(super) struct Look {
    /// What it names now; absent: what it named before.
    pub(super) lists: Option<Lists>,
    /// What went wrong.
    pub(super) failure: Option<String>,
    /// Whether all of its parts have been heard.
    pub(super) is_whole: bool,
}

impl Look {
    /// Nothing is new.
    pub(super) fn unchanged() -> Look {
        Look { lists: None, failure: None, is_whole: true }
    }

    /// It could not be heard.
    pub(super) fn failed(why: impl Into<String>) -> Look {
        Look { lists: None, failure: Some(why.into()), is_whole: false }
    }
}

/// Who looks, by the kind of place.
enum Seeker {
    Files(Files),
    Http(Box<Http>),
    #[cfg(feature = "kubernetes")]
    Kubernetes(Box<super::kubernetes::Kubernetes>),
}

impl Seeker {
    fn new(source: &Source, means: &Means) -> Result<Seeker, String> {
        Ok(match &source.place {
            Place::Files(patterns) => Seeker::Files(Files::new(patterns.clone(), means.clock.clone())),
            Place::Http(place) => Seeker::Http(Box::new(Http::new(place, means.clock.clone(), rand::random())?)),
            #[cfg(feature = "kubernetes")]
            Place::Kubernetes(cluster) => {
                let (recipe, clock, seed) = (&source.recipe, means.clock.clone(), rand::random());
                Seeker::Kubernetes(Box::new(super::kubernetes::Kubernetes::new(cluster, recipe, clock, seed)))
            }
            #[cfg(not(feature = "kubernetes"))]
            Place::Kubernetes(_) => return Err("this program is built without the feature `kubernetes`".to_owned()),
        })
    }

    /// Looks when it is time. `before` is what was named last.
    async fn look(&mut self, before: Option<&Arc<Lists>>) -> Look {
        match self {
            Seeker::Files(files) => files.look(before).await,
            Seeker::Http(http) => http.look().await,
            #[cfg(feature = "kubernetes")]
            Seeker::Kubernetes(kubernetes) => kubernetes.look(before).await,
        }
    }
}

impl Follower {
    pub(super) fn new(source: Source, turn: u64, means: Means, teller: mpsc::Sender<News>) -> Follower {
        means.metrics.begin(&source.id, source.checks_max);
        let source = Arc::new(source);
        Follower { source, turn, means, teller, lists: None, failure: None, refusals: BTreeSet::new() }
    }

    /// Works until it is aborted.
    pub(super) async fn run(mut self) {
        let (source, dir) = (Arc::clone(&self.source), Arc::clone(&self.means.dir));
        match spawn_blocking(move || kept::load(&dir, &source)).await.expect("reading a list doesn't panic") {
            Some(lists) => self.take(lists).await,
            None => self.means.waiting.wait(&self.source.id),
        }
        let mut seeker = match Seeker::new(&self.source, &self.means) {
            Ok(seeker) => seeker,
            Err(why) => return self.fail(&why),
        };
        loop {
            let Look { lists, failure, is_whole } = seeker.look(self.lists.as_ref()).await;
            if let Some(lists) = lists
                && self.lists.as_deref() != Some(&lists)
            {
                self.take(lists).await;
                self.keep().await;
            }
            match failure {
                Some(why) => self.fail(&why),
                None => self.succeed(),
            }
            if is_whole {
                self.means.waiting.heard(&self.source.id);
            }
        }
    }

    /// Makes checks of what is named now, and tells.
    async fn take(&mut self, lists: Lists) {
        let lists = Arc::new(lists);
        let (source, named) = (Arc::clone(&self.source), Arc::clone(&lists));
        let made = spawn_blocking(move || making::make(&source, &named)).await.expect("making checks doesn't panic");
        self.lists = Some(lists);
        self.say(&made);
        let news = News { source: self.source.id.clone(), turn: self.turn, made: Arc::new(made) };
        // Nobody listens when the agent stops.
        let _ = self.teller.send(news).await;
    }

    async fn keep(&self) {
        let Some(lists) = self.lists.clone() else { return };
        let (source, dir) = (Arc::clone(&self.source), Arc::clone(&self.means.dir));
        spawn_blocking(move || kept::store(&dir, &source, &lists)).await.expect("keeping a list doesn't panic");
    }

    fn say(&mut self, made: &Made) {
        let (source, metrics) = (&self.source.id, &self.means.metrics);
        metrics.targets(source, made.targets);
        metrics.skipped(source, Skipped::Invalid, made.invalid);
        metrics.skipped(source, Skipped::Limit, made.beyond);
        tracing::info!(%source, targets = made.targets, checks = made.assignments.len(), "Targets were discovered");
        for refusal in made.refusals.difference(&self.refusals) {
            tracing::warn!(%source, refusal, "Discovered target is skipped");
        }
        if 0 < made.beyond {
            let limit = self.source.checks_max;
            tracing::warn!(%source, skipped = made.beyond, limit, "Source makes more checks than `at_most`");
        }
        self.refusals.clone_from(&made.refusals);
    }

    fn fail(&mut self, why: &str) {
        self.means.metrics.failed(&self.source.id);
        if self.failure.as_deref() != Some(why) {
            tracing::warn!(source = %self.source.id, reason = why, "Source can't be heard, what it named last stands");
            self.means.waiting.failed(&self.source.id, why);
            self.failure = Some(why.to_owned());
        }
    }

    fn succeed(&mut self) {
        self.means.metrics.heard(&self.source.id, self.means.clock.wall());
        if self.failure.take().is_some() {
            tracing::info!(source = %self.source.id, "Source is heard again");
        }
    }
}
