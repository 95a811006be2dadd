//! What is committed, for everyone to read: each series' runs and each agent's position.
//!
//! Only folds write here, and only after the ledger's commit is durable, so nobody ever sees what
//! might still be undone. It never reads the ledger and never reckons.

use crate::fold::series::Tally;
use rules::block::Tombstone;
use rules::id::{AgentId, CheckId, ServiceId};
use rules::result::{Pace, ProbeResult, SeriesKey};
use rules::run::Run;
use rules::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};
use std::time::Duration;
use tokio::sync::broadcast;

/// How many changes a slow reader may be behind before it must look at everything anew.
const CHANGES_KEPT: usize = 256;

/// One series as of the last commit.
#[derive(Clone, Debug)]
pub struct SeriesView {
    /// Which one.
    pub key: SeriesKey,
    /// The runs that only late results can change, in order of time.
    pub closed: Arc<Vec<Run>>,
    /// How often those were replaced rather than added to.
    pub revision: u64,
    /// The run that its next result may extend.
    pub open: Option<Run>,
    /// Its last result.
    pub last: Option<ProbeResult>,
    /// That result's pace.
    pub pace: Pace,
    /// What this process counted.
    pub tally: Tally,
}

impl SeriesView {
    fn new(key: SeriesKey) -> SeriesView {
        SeriesView {
            key,
            closed: Arc::default(),
            revision: 0,
            open: None,
            last: None,
            pace: Pace { every: Duration::ZERO, timeout: Duration::ZERO },
            tally: Tally::default(),
        }
    }

    /// All its runs, in order of time.
    pub fn runs(&self) -> impl Iterator<Item = &Run> {
        self.closed.iter().chain(&self.open)
    }
}

/// One agent as of the last commit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AgentView {
    /// Which one.
    pub agent: AgentId,
    /// How many of its blocks are committed.
    pub position: u64,
    /// Up to and including when its results have come: its watermark.
    pub last_at: Option<Timestamp>,
    /// What it had to drop lately.
    pub tombstones: Vec<Tombstone>,
}

/// The services that a commit changed.
pub type Changed = Arc<BTreeSet<ServiceId>>;

/// What is committed; cheap to clone.
#[derive(Clone, Debug)]
pub struct State {
    committed: Arc<RwLock<Content>>,
    changes: broadcast::Sender<Changed>,
}

#[derive(Debug, Default)]
struct Content {
    series: BTreeMap<ServiceId, BTreeMap<(CheckId, AgentId), SeriesView>>,
    agents: BTreeMap<AgentId, AgentView>,
    since: BTreeMap<AgentId, Timestamp>,
}

impl Default for State {
    fn default() -> State {
        State { committed: Arc::default(), changes: broadcast::Sender::new(CHANGES_KEPT) }
    }
}

impl State {
    /// All series of `service`, by check and agent; runs are shared, not copied.
    pub fn service(&self, service: &ServiceId) -> Vec<SeriesView> {
        self.read().series.get(service).into_iter().flat_map(|series| series.values().cloned()).collect()
    }

    /// One series.
    pub fn series(&self, key: &SeriesKey) -> Option<SeriesView> {
        let content = self.read();
        content.series.get(&key.service)?.get(&(key.check.clone(), key.agent.clone())).cloned()
    }

    /// All series, service by service, while nothing is committed: keep it short.
    pub fn for_each(&self, mut visit: impl FnMut(&SeriesView)) {
        self.read().series.values().flat_map(BTreeMap::values).for_each(&mut visit);
    }

    /// All services that ever had a result.
    pub fn services(&self) -> Vec<ServiceId> {
        self.read().series.keys().cloned().collect()
    }

    /// All agents that ever committed a block.
    pub fn agents(&self) -> Vec<AgentView> {
        self.read().agents.values().cloned().collect()
    }

    /// Runs of `agent` that ended at or before this are in the ledger only.
    pub fn remembers_since(&self, agent: &AgentId) -> Timestamp {
        self.read().since.get(agent).copied().unwrap_or(Timestamp::MIN)
    }

    /// Tells from now on which services each commit changed.
    pub fn changes(&self) -> broadcast::Receiver<Changed> {
        self.changes.subscribe()
    }

    /// Shows what one commit changed, all at once.
    pub(crate) fn update(&self, change: impl FnOnce(&mut Update<'_>)) {
        let mut content = self.committed.write().unwrap_or_else(PoisonError::into_inner);
        let mut update = Update { content: &mut content, changed: BTreeSet::new() };
        change(&mut update);
        let changed = update.changed;
        drop(content);
        if !changed.is_empty() {
            // Without a reader there is nobody to tell.
            let _ = self.changes.send(Arc::new(changed));
        }
    }

    fn read(&self) -> RwLockReadGuard<'_, Content> {
        self.committed.read().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A commit being shown.
pub(crate) struct Update<'a> {
    content: &'a mut Content,
    changed: BTreeSet<ServiceId>,
}

impl Update<'_> {
    pub(crate) fn series(&mut self, key: SeriesKey, show: impl FnOnce(&mut SeriesView)) {
        if !self.changed.contains(&key.service) {
            self.changed.insert(key.service.clone());
        }
        let service = self.content.series.entry(key.service.clone()).or_default();
        show(service.entry((key.check.clone(), key.agent.clone())).or_insert_with(|| SeriesView::new(key)));
    }

    pub(crate) fn agent(&mut self, view: AgentView) {
        self.content.agents.insert(view.agent.clone(), view);
    }

    pub(crate) fn remembers(&mut self, agent: &AgentId, since: Timestamp) {
        self.content.since.insert(agent.clone(), since);
    }

    /// Drops those series of `agent` that it has no longer.
    pub(crate) fn keep_only(&mut self, agent: &AgentId, has: impl Fn(&SeriesKey) -> bool) {
        for (service, series) in &mut self.content.series {
            let before = series.len();
            series.retain(|(_, other), view| other != agent || has(&view.key));
            if series.len() < before {
                self.changed.insert(service.clone());
            }
        }
    }
}
