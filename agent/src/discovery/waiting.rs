//! Which sources have said nothing yet: the agent is not ready without them.

use daemon::admin::Readiness;
use rules::id::SourceId;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// The part of readiness that sources have a say in.
const READINESS: &str = "discovery";

/// The sources that are waited for, and what keeps each.
pub(super) struct Waiting {
    readiness: Readiness,
    sources: Mutex<BTreeMap<SourceId, Option<String>>>,
}

impl Waiting {
    pub(super) fn new(readiness: Readiness) -> Waiting {
        Waiting { readiness, sources: Mutex::default() }
    }

    /// Begins to wait for `source`.
    pub(super) fn wait(&self, source: &SourceId) {
        self.change(|sources| {
            sources.insert(source.clone(), None);
        });
    }

    /// Says why `source` is silent, if it is waited for.
    pub(super) fn failed(&self, source: &SourceId, why: &str) {
        self.change(|sources| {
            if let Some(reason) = sources.get_mut(source) {
                *reason = Some(why.to_owned());
            }
        });
    }

    /// `source` has answered, or nobody asks it any more.
    pub(super) fn heard(&self, source: &SourceId) {
        self.change(|sources| {
            sources.remove(source);
        });
    }

    fn change(&self, change: impl FnOnce(&mut BTreeMap<SourceId, Option<String>>)) {
        let mut sources = self.sources.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut sources);
        let said = sources.iter().map(|(source, why)| match why {
            Some(why) => format!("`{source}` ({why})"),
            None => format!("`{source}`"),
        });
        let said: Vec<String> = said.collect();
        match said.is_empty() {
            true => self.readiness.clear(READINESS),
            false => self.readiness.block(READINESS, format!("waiting for the first answer of {}", said.join(", "))),
        }
    }
}
