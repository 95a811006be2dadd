//! What is committed becomes visible: changed series go from the fold into the [`State`].

use super::AgentFold;
use super::series::SeriesFold;
use crate::state::{AgentView, SeriesView, State, Update};

use rules::result::SeriesKey;
use rules::run::Run;
use std::sync::Arc;

impl AgentFold {
    /// Shows everything that changed since the last call.
    pub(crate) fn publish(&mut self, state: &State) {
        state.update(|update| self.show(update));
    }

    /// Shows everything in place of what was shown before: the agent was just loaded. What was
    /// counted before is kept, so that counters never go back.
    pub(crate) fn publish_all(&mut self, state: &State) {
        for index in 0..self.series.len() {
            let tally = state.series(&self.key(index)).map(|view| view.tally).unwrap_or_default();
            self.series[index].tally = tally;
            self.series[index].published = None;
        }
        self.changed = (0..self.series.len()).collect();
        state.update(|update| {
            update.keep_only(&self.agent, |key| self.knows(key));
            self.show(update);
        });
    }

    fn knows(&self, key: &SeriesKey) -> bool {
        self.index.get(&key.service).is_some_and(|checks| checks.contains_key(&key.check))
    }

    fn show(&mut self, update: &mut Update<'_>) {
        for index in std::mem::take(&mut self.changed) {
            let key = self.key(index);
            let series = &mut self.series[index];
            series.changed = false;
            update.series(key, |view| series.show(view));
        }
        update.remembers(&self.agent, self.since);
        update.agent(AgentView {
            agent: self.agent.clone(),
            position: self.position,
            last_at: self.last_at,
            tombstones: self.tombstones.clone(),
        });
    }
}

impl SeriesFold {
    fn show(&mut self, view: &mut SeriesView) {
        let closed: &[Run] = match self.series.runs() {
            [closed @ .., _] => closed,
            [] => &[],
        };
        match self.published {
            Some(shown) if shown <= closed.len() => {
                if shown < closed.len() {
                    Arc::make_mut(&mut view.closed).extend_from_slice(&closed[shown..]);
                }
            }
            Some(_) | None => {
                view.closed = Arc::new(closed.to_vec());
                view.revision += 1;
            }
        }
        self.published = Some(closed.len());
        view.open = self.open_run();
        view.last = self.series.last().copied();
        view.pace = self.pace;
        view.tally.clone_from(&self.tally);
    }
}
