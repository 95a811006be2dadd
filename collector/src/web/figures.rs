//! Every service's month so far and the month before, kept so that a scrape costs little.
//!
//! Figures are reckoned anew when a run of the service began, ended or fell silent, at every scrape
//! while it is down, and otherwise now and then: a service that stays up changes with the clock only.

use super::recent::seen;
use crate::closing::reckon;
use crate::outages::ServiceState;
use crate::render::figures::millis;
use crate::state::SeriesView;
use config::collector::CollectorConfig;
use rules::agreement::{Agreement, Service};
use rules::availability::{Partition, Ratio};
use rules::decimal::Percent;
use rules::id::{CheckId, ServiceId};
use rules::outcome::OutcomeKind;
use rules::period::Month;
use rules::policy::Policy;
use rules::run::Run;
use rules::statement::Reckoning;
use rules::time::Timestamp;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How old the figures of a service that stays up may be.
const STEADY_FOR: Duration = Duration::from_secs(240);
/// How old those of a service that nobody hears may be.
const UNKNOWN_FOR: Duration = Duration::from_secs(15);
/// Over how long the ends of that are spread, so that not all services are reckoned in one scrape.
const SPREAD: Duration = Duration::from_secs(120);

/// One service's month, as gauges show it.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct MonthFigures {
    /// Which month.
    pub(crate) month: Month,
    /// Availability so far.
    pub(crate) availability: Ratio,
    /// Undetermined time counted up.
    pub(crate) best: Ratio,
    /// Undetermined time counted down.
    pub(crate) worst: Ratio,
    /// Whether the objective is met so far.
    pub(crate) met: bool,
    /// Time without evidence.
    pub(crate) undetermined: Duration,
    /// Time that doesn't count.
    pub(crate) excluded: Duration,
    /// Outages that touch the month.
    pub(crate) outages: usize,
    /// What the figures so far would earn.
    pub(crate) credit: Percent,
    /// How much was seen of it.
    pub(crate) evidence: Evidence,
}

/// How much of a month was seen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Evidence {
    /// Nothing at all: no figure means anything.
    None,
    /// So little that the best and the worst reading mean different things.
    Incomplete,
    /// Enough: both readings mean the same.
    Enough,
}

impl Evidence {
    /// The word for pages and tools.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Evidence::None => "none",
            Evidence::Incomplete => "incomplete",
            Evidence::Enough => "enough",
        }
    }
}

/// One service, as gauges show it.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct ServiceFigures {
    /// The running month; nothing before the service's time.
    pub(crate) current: Option<MonthFigures>,
    /// The month before; nothing before the service's time.
    pub(crate) previous: Option<MonthFigures>,
}

/// The figures of all services, as last reckoned.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    kept: Mutex<HashMap<ServiceId, Kept>>,
    /// What all of `kept` was reckoned under.
    config: Mutex<Option<Arc<CollectorConfig>>>,
    means: Mutex<HashMap<(ServiceId, CheckId, Month), Duration>>,
}

#[derive(Debug)]
struct Kept {
    is: ServiceState,
    evidence: Vec<Trace>,
    month: Month,
    good_until: Timestamp,
    figures: ServiceFigures,
}

/// What of a series the figures depend on while it goes on as it is.
#[derive(Clone, PartialEq, Debug)]
struct Trace {
    closed: usize,
    last_closed: Option<Run>,
    open: Option<(OutcomeKind, Timestamp)>,
    /// Whether its last result still speaks.
    speaks: bool,
}

impl Trace {
    fn of(view: &SeriesView, now: Timestamp) -> Trace {
        Trace {
            closed: view.closed.len(),
            last_closed: view.closed.last().copied(),
            open: view.open.map(|run| (run.kind, run.first_at)),
            speaks: view.open.is_some_and(|run| now < run.until),
        }
    }
}

impl Figures {
    /// The figures of `service`, which `is` up, down or unknown, from what its series say: not
    /// older than they may be.
    pub(crate) fn of(
        &self,
        agreement: &Agreement,
        service: &Service,
        views: &[SeriesView],
        is: ServiceState,
        now: Timestamp,
    ) -> ServiceFigures {
        let evidence: Vec<Trace> = views.iter().map(|view| Trace::of(view, now)).collect();
        let month = Month::containing(now, &agreement.zone);
        if let Some(kept) = self.lock().get(&service.id)
            && kept.is == is
            && kept.evidence == evidence
            && kept.month == month
            && now < kept.good_until
        {
            return kept.figures;
        }
        let config = self.config.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let figures = reckoned(config.as_deref(), agreement, service, views, now);
        let kept = Kept { is, evidence, month, good_until: good_until(is, service, now), figures };
        self.lock().insert(service.id.clone(), kept);
        figures
    }

    /// Forgets everything that was reckoned under another configuration than `config`.
    pub(crate) fn under(&self, config: &Arc<CollectorConfig>) {
        let mut known = self.config.lock().unwrap_or_else(PoisonError::into_inner);
        if !known.as_ref().is_some_and(|known| Arc::ptr_eq(known, config)) {
            *known = Some(Arc::clone(config));
            self.lock().clear();
        }
    }

    /// The mean of a check's month, if one was drawn up lately.
    pub(crate) fn mean(&self, service: &ServiceId, check: &CheckId, month: Month) -> Option<Duration> {
        let means = self.means.lock().unwrap_or_else(PoisonError::into_inner);
        means.get(&(service.clone(), check.clone(), month)).copied()
    }

    /// Keeps the mean of a check's month; of older months nothing is kept.
    pub(crate) fn keep_mean(&self, service: &ServiceId, check: &CheckId, month: Month, mean: Option<Duration>) {
        let mut means = self.means.lock().unwrap_or_else(PoisonError::into_inner);
        means.remove(&(service.clone(), check.clone(), month.previous().previous()));
        let key = (service.clone(), check.clone(), month);
        match mean {
            Some(mean) => means.insert(key, mean),
            None => means.remove(&key),
        };
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<ServiceId, Kept>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Until when figures stand if nothing changes but the clock.
fn good_until(is: ServiceState, service: &Service, now: Timestamp) -> Timestamp {
    match is {
        ServiceState::Up => {
            let hash = |hash: u64, byte: u8| hash.wrapping_mul(31).wrapping_add(byte.into());
            let spread = service.id.as_str().bytes().fold(0, hash) % millis(SPREAD);
            now.plus(STEADY_FOR).plus(Duration::from_millis(spread))
        }
        ServiceState::Unknown => now.plus(UNKNOWN_FOR),
        ServiceState::Down => now,
    }
}

/// The month at `now` under `agreement`, and the month before under the version that was then in force.
fn reckoned(
    config: Option<&CollectorConfig>,
    agreement: &Agreement,
    service: &Service,
    views: &[SeriesView],
    now: Timestamp,
) -> ServiceFigures {
    let seen = seen(views);
    let of = |agreement: &Agreement, service: &Service, month: Month| {
        let reckoning = reckon(agreement, service, month, Some(now), &seen)?;
        Some(MonthFigures {
            month,
            availability: reckoning.availability.nominal,
            best: reckoning.availability.best,
            worst: reckoning.availability.worst,
            met: reckoning.met(&agreement.policy),
            undetermined: reckoning.partition.undetermined.length(),
            excluded: reckoning.partition.excluded.length(),
            outages: reckoning.outages().count(),
            credit: reckoning.credit.percent,
            evidence: evidence(&reckoning, &agreement.policy),
        })
    };
    let month = Month::containing(now, &agreement.zone);
    let before = month.previous();
    let then = match config {
        Some(config) => config.agreement(agreement.id.as_str(), before),
        None => Some(agreement),
    };
    let previous = then.and_then(|then| {
        let service = then.services.iter().find(|known| known.id == service.id)?;
        of(then, service, before)
    });
    ServiceFigures { current: of(agreement, service, month), previous }
}

fn evidence(reckoning: &Reckoning<'_>, policy: &Policy) -> Evidence {
    let Partition { up, counted, short, undetermined, .. } = &reckoning.partition;
    match [up, counted, short].iter().all(|seen| seen.is_empty()) {
        true if !undetermined.is_empty() => Evidence::None,
        _ if reckoning.evidence_is_incomplete(policy) => Evidence::Incomplete,
        _ => Evidence::Enough,
    }
}

/// Every service with its agreement, in the configuration's order.
pub(crate) fn services(agreements: &[Agreement], now: Timestamp) -> impl Iterator<Item = (&Agreement, &Service)> {
    let in_force = agreements.iter().filter(move |agreement| agreement.is_in_force_at(now));
    in_force.flat_map(|agreement| agreement.services.iter().map(move |service| (agreement, service)))
}
