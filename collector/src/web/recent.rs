//! One service's last day and last weeks: strips and down stretches.
//!
//! Drawn from what is committed and in memory. What a service is now it doesn't say: that is
//! [`crate::outages`]. The month's figures are in `figures`.

use crate::closing::counting;
use crate::closing::evidence::Seen;
use crate::render::strip::{Kind, Piece, strip};
use crate::state::{SeriesView, State};
use rules::agreement::{Agreement, Service};
use rules::interval::{Interval, IntervalSet};
use rules::outage::{Stretch, Verdict, stretches};
use rules::outcome::OutcomeKind;
use rules::run::Run;
use rules::service::timeline;
use rules::statement::taken_off;
use rules::time::Timestamp;
use std::time::Duration;

/// What the console shows as "recent".
const RECENT: Duration = Duration::from_secs(24 * 3600);
/// How far back down stretches are looked for beyond that, so that a long one keeps its beginning.
const REACH: Duration = Duration::from_secs(35 * 24 * 3600);
/// The columns of a strip: twelve minutes each, drawn one wide.
pub(crate) const COLUMNS: usize = 288;

/// A service's recent past.
pub(crate) struct Recent {
    /// Down stretches of the last weeks, in order.
    pub(crate) stretches: Vec<Stretch>,
    pub(crate) window: Interval,
    up: IntervalSet,
}

/// Everything in memory about `service`'s series, as a source of evidence hands it over.
pub(crate) fn seen(views: &[SeriesView]) -> Vec<Seen> {
    let of = |view: &SeriesView| Seen {
        agent: view.key.agent.clone(),
        check: view.key.check.clone(),
        runs: view.runs().copied().collect(),
    };
    views.iter().map(of).collect()
}

/// Draws the recent past of `service`.
pub(crate) fn recent(state: &State, agreement: &Agreement, service: &Service, now: Timestamp) -> Recent {
    let seen = seen(&state.service(&service.id));
    let series = counting(service, &seen);
    let rule = &agreement.policy.availability.outage;
    let window = last(RECENT, now);
    let timeline = timeline(&series, rule, last(REACH, now));
    let off = taken_off(agreement, &service.id, last(REACH, now), &timeline);
    let stretches = stretches(&timeline, &series, rule, &off);
    Recent { stretches, window, up: timeline.up }
}

fn last(length: Duration, now: Timestamp) -> Interval {
    Interval::new(now.minus(length), now).unwrap_or(Interval::ALWAYS)
}

impl Recent {
    /// The last day as a strip.
    pub(crate) fn strip(&self) -> Vec<Piece> {
        let of = |wanted: fn(Verdict) -> bool| -> IntervalSet {
            let stretches = self.stretches.iter().filter(|stretch| wanted(stretch.verdict));
            stretches.map(|stretch| stretch.interval).collect()
        };
        let outages = of(|verdict| verdict == Verdict::Outage);
        let short = of(|verdict| verdict != Verdict::Outage);
        let known = outages.union(&short).union(&self.up);
        let unknown = IntervalSet::from(self.window).difference(&known);
        let layers =
            [(Kind::Up, &self.up), (Kind::Undetermined, &unknown), (Kind::Short, &short), (Kind::Outage, &outages)];
        strip(&layers, self.window, COLUMNS)
    }

    /// The last outage.
    pub(crate) fn last_outage(&self) -> Option<&Stretch> {
        self.stretches.iter().rev().find(|stretch| stretch.verdict == Verdict::Outage)
    }
}

/// What one series saw in the last day, as a strip.
pub(crate) fn series_strip(view: &SeriesView, window: Interval) -> Vec<Piece> {
    let of = |kind: OutcomeKind| -> IntervalSet {
        view.runs().filter(|run| run.kind == kind).filter_map(Run::interval).collect()
    };
    let (up, down, void) = (of(OutcomeKind::Up), of(OutcomeKind::Down), of(OutcomeKind::Void));
    let silent = IntervalSet::from(window).difference(&up.union(&down).union(&void));
    let layers = [(Kind::Up, &up), (Kind::Excluded, &void), (Kind::Undetermined, &silent), (Kind::Outage, &down)];
    strip(&layers, window, COLUMNS)
}
