//! Many effects on one series as a single one, so that a store can write them in one statement.
//!
//! It changes only how often a row is written, never what lies there afterwards.

use crate::ledger::{Effect, Hour};
use rules::result::SeriesKey;
use rules::run::Run;
use rules::time::Timestamp;
use std::collections::BTreeMap;

#[derive(Default)]
struct Merged {
    forget_from: Option<Timestamp>,
    runs: BTreeMap<Timestamp, Run>,
    hours: BTreeMap<Timestamp, Hour>,
}

/// One effect a series that does what `effects` do in their order; in order of series.
pub(crate) fn merge<'a>(effects: impl IntoIterator<Item = &'a Effect>) -> Vec<Effect> {
    let mut by_series: BTreeMap<&SeriesKey, Merged> = BTreeMap::new();
    for effect in effects {
        let merged = by_series.entry(&effect.series).or_default();
        if let Some(from) = effect.forget_from {
            merged.forget_from = Some(merged.forget_from.map_or(from, |earlier| earlier.min(from)));
            merged.runs.split_off(&from);
            merged.hours.split_off(&from);
        }
        merged.runs.extend(effect.runs.iter().map(|run| (run.first_at, *run)));
        merged.hours.extend(effect.hours.iter().map(|hour| (hour.hour, hour.clone())));
    }
    let effect = |(series, merged): (&SeriesKey, Merged)| Effect {
        series: series.clone(),
        forget_from: merged.forget_from,
        runs: merged.runs.into_values().collect(),
        hours: merged.hours.into_values().collect(),
    };
    by_series.into_iter().map(effect).collect()
}
