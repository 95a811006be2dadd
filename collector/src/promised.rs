//! What is promised as of now: the configuration with what stands on record joined to it, for the parts
//! that follow what happens. An exclusion or a standing that somebody records counts there at once.
//!
//! It never draws up a month: a statement joins the record itself, to the version of its month.

use crate::closing::terms;
use crate::record::Record;
use config::collector::CollectorConfig;
use std::sync::Arc;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// The configuration's agreements with what is on record about each; the configuration itself if there is
/// nothing.
pub(crate) fn joined(config: &Arc<CollectorConfig>, record: &Record) -> Arc<CollectorConfig> {
    let entries = |agreement: &rules::agreement::Agreement| record.entries(&agreement.id);
    if config.agreements.iter().all(|agreement| entries(agreement).is_empty()) {
        return Arc::clone(config);
    }
    let mut joined = CollectorConfig::clone(config);
    for agreement in &mut joined.agreements {
        *agreement = terms::joined(agreement, &entries(agreement));
    }
    Arc::new(joined)
}

/// Joins anew whenever the configuration or a record changes, until `cancel`. What changes nothing about
/// what is promised, such as an incident's update, is told nobody.
pub(crate) async fn keep_up(
    mut config: watch::Receiver<Arc<CollectorConfig>>,
    record: Record,
    promised: watch::Sender<Arc<CollectorConfig>>,
    cancel: CancellationToken,
) {
    let mut entries = record.changes();
    loop {
        // What changed before the first wait is joined here, not waited for.
        let now = joined(&config.borrow_and_update(), &record);
        promised.send_if_modified(|known| {
            let differs = **known != *now;
            if differs {
                *known = now;
            }
            differs
        });
        let changed = tokio::select! {
            () = cancel.cancelled() => return,
            changed = config.changed() => changed.is_ok(),
            changed = entries.changed() => changed.is_ok(),
        };
        if !changed {
            return;
        }
    }
}
