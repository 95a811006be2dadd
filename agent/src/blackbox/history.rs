//! The probes asked for lately: the newest, and failures for longer.

use config::blackbox::Module;
use std::collections::VecDeque;
use std::sync::Arc;

/// A probe that was asked for.
#[derive(Debug)]
pub(crate) struct Entry {
    /// Counted from zero.
    pub(crate) id: u64,
    pub(crate) module_name: String,
    pub(crate) target: String,
    pub(crate) is_success: bool,
    /// What was noted on the way.
    pub(crate) log: String,
    /// The page that was answered.
    pub(crate) metrics: String,
    /// The module as it was then.
    pub(crate) module: Arc<Module>,
}

/// The newest probes, and as many older failures.
#[derive(Debug)]
pub(crate) struct History {
    limit: usize,
    next_id: u64,
    newest: VecDeque<Arc<Entry>>,
    failures: VecDeque<Arc<Entry>>,
}

impl History {
    pub(crate) fn new(limit: usize) -> History {
        History { limit, next_id: 0, newest: VecDeque::new(), failures: VecDeque::new() }
    }

    /// Takes in a probe; `entry` makes it with its id. What falls out of the newest is kept a while longer if it
    /// failed.
    pub(crate) fn add(&mut self, entry: impl FnOnce(u64) -> Entry) -> Arc<Entry> {
        let entry = Arc::new(entry(self.next_id));
        self.next_id += 1;
        self.newest.push_back(Arc::clone(&entry));
        if self.limit < self.newest.len()
            && let Some(oldest) = self.newest.pop_front()
            && !oldest.is_success
        {
            self.failures.push_back(oldest);
            if self.limit < self.failures.len() {
                self.failures.pop_front();
            }
        }
        entry
    }

    /// All that is kept, the oldest first.
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &Arc<Entry>> {
        self.failures.iter().chain(&self.newest)
    }

    /// The probe with this id.
    pub(crate) fn by_id(&self, id: u64) -> Option<Arc<Entry>> {
        self.iter().find(|entry| entry.id == id).cloned()
    }

    /// The oldest probe of this target that is kept, by this module if one is named.
    pub(crate) fn by_target(&self, target: &str, module: Option<&str>) -> Option<Arc<Entry>> {
        let by_module = |entry: &&Arc<Entry>| module.is_none_or(|module| module == entry.module_name);
        self.iter().filter(|entry| entry.target == target).find(by_module).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn add(history: &mut History, module: &str, target: &str, is_success: bool) {
        history.add(|id| Entry {
            id,
            module_name: module.to_owned(),
            target: target.to_owned(),
            is_success,
            log: String::new(),
            metrics: String::new(),
            module: Arc::default(),
        });
    }

    fn ids(history: &History) -> Vec<u64> {
        history.iter().map(|entry| entry.id).collect()
    }

    #[test]
    fn the_newest_are_kept_and_failures_for_longer() {
        let mut history = History::new(3);
        for index in 0..8 {
            add(&mut history, "m", &format!("t{index}"), index % 2 == 0);
        }
        // 5 to 7 are the newest; of those before, 1 and 3 failed.
        assert_eq!(ids(&history), [1, 3, 5, 6, 7]);
        for index in 8..20 {
            add(&mut history, "m", &format!("t{index}"), false);
        }
        assert_eq!(ids(&history), [14, 15, 16, 17, 18, 19]);
    }

    #[test]
    fn a_probe_is_found_by_id_by_target_and_by_target_and_module() {
        let mut history = History::new(9);
        add(&mut history, "a", "x", true);
        add(&mut history, "b", "x", true);
        add(&mut history, "b", "y", false);
        let id = |entry: Option<Arc<Entry>>| entry.map(|entry| entry.id);
        assert_eq!(id(history.by_id(2)), Some(2));
        assert_eq!(id(history.by_id(3)), None);
        assert_eq!(id(history.by_target("x", None)), Some(0));
        assert_eq!(id(history.by_target("x", Some("b"))), Some(1));
        assert_eq!(id(history.by_target("y", Some("a"))), None);
    }

    #[test]
    fn a_history_of_nothing_keeps_nothing() {
        let mut history = History::new(0);
        add(&mut history, "m", "t", true);
        add(&mut history, "m", "t", false);
        assert_eq!(ids(&history), [0_u64; 0]);
    }
}
