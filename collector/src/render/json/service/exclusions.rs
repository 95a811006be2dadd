//! Exclusions as JSON, with what the record says against them.

use crate::render::figures::millis;
use crate::render::json::text::bounded;
use rules::exclusion::{Bar, Judged};
use rules::time::Timestamp;
use serde::{Deserialize, Serialize};

#[derive(Serialize)]
pub(super) struct ExclusionView {
    from: String,
    until: String,
    class: &'static str,
    reason: String,
    told_at: Option<String>,
    recorded_by: Option<String>,
    recorded_at: Option<String>,
    /// The entry on the agreement's record; null if the configuration holds it.
    entry: Option<u64>,
    approved_by: Option<String>,
    effect_ms: u64,
    refused: Option<String>,
    bar: Option<BarView>,
}

/// What the record says against an exclusion.
#[derive(Serialize, Deserialize)]
#[serde(tag = "bar", rename_all = "snake_case", deny_unknown_fields)]
pub(in crate::render::json) enum BarView {
    NotApproved {},
    Refused { by: String, reason: String },
    Superseded { by_entry: u64 },
    Withdrawn { by_entry: u64 },
}

pub(super) fn exclusion_view(judged: &Judged<'_>) -> ExclusionView {
    let exclusion = &*judged.exclusion;
    let text = |at: Option<Timestamp>| at.map(|at| at.to_string());
    ExclusionView {
        from: exclusion.interval.from().to_string(),
        until: exclusion.interval.until().to_string(),
        class: exclusion.class.as_str(),
        reason: bounded(&exclusion.reason),
        told_at: text(exclusion.told_at),
        recorded_by: exclusion.recorded_by.as_deref().map(bounded),
        recorded_at: text(exclusion.recorded_at),
        entry: exclusion.entry,
        approved_by: exclusion.approved_by.as_deref().map(bounded),
        effect_ms: millis(judged.effective.length()),
        refused: judged.refusal.map(|refusal| refusal.to_string()),
        bar: exclusion.bar.as_ref().map(bar_view),
    }
}

pub(in crate::render::json) fn bar_view(bar: &Bar) -> BarView {
    match bar {
        Bar::NotApproved => BarView::NotApproved {},
        Bar::Refused { by, reason } => BarView::Refused { by: bounded(by), reason: bounded(reason) },
        Bar::Superseded { by } => BarView::Superseded { by_entry: *by },
        Bar::Withdrawn { by } => BarView::Withdrawn { by_entry: *by },
    }
}
