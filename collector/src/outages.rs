//! What every promised service is now: up, down or unknown, and whether an outage is open.
//!
//! A service is derived again when a commit changed its runs, and when time alone may change it: a
//! result stops speaking, or a down stretch becomes long enough to be an outage. It logs and
//! publishes each transition, and never decides what a month is worth.

mod derive;

use crate::state::{Changed, State};
use config::collector::CollectorConfig;
use daemon::clock::Clock;
use derive::{Signature, derive, signature};
use rules::agreement::{Agreement, Service};
use rules::id::{AgreementId, ServiceId};
use rules::outcome::CauseSet;
use rules::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use tokio::sync::{broadcast, watch};
use tokio_util::sync::CancellationToken;

/// How many transitions a slow reader may be behind before it loses the oldest.
const TRANSITIONS_KEPT: usize = 1024;
/// How often what is due is held against the wall clock: somebody may have set it.
const LOOK_EVERY: Duration = Duration::from_secs(30);

pub use rules::service::State as ServiceState;

/// One service as of now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ServiceNow {
    /// The agreement that promises it.
    pub agreement: AgreementId,
    /// The service.
    pub service: ServiceId,
    /// What it is.
    pub state: ServiceState,
    /// Since when; nothing if there never was any evidence.
    pub since: Option<Timestamp>,
    /// Why attempts fail, while it is down.
    pub causes: CauseSet,
    /// The outage that is open.
    pub outage: Option<OpenOutage>,
}

impl ServiceNow {
    /// A service of which nobody ever heard.
    pub fn unheard(agreement: &AgreementId, service: &ServiceId) -> ServiceNow {
        ServiceNow {
            agreement: agreement.clone(),
            service: service.clone(),
            state: ServiceState::Unknown,
            since: None,
            causes: CauseSet::EMPTY,
            outage: None,
        }
    }

    /// The one word for it: `outage` while one is open, else `up`, `down` or `unknown`.
    pub fn word(&self) -> &'static str {
        match (self.outage, self.state) {
            (Some(_), _) => "outage",
            (None, ServiceState::Up) => "up",
            (None, ServiceState::Down) => "down",
            (None, ServiceState::Unknown) => "unknown",
        }
    }
}

/// An outage that has not ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OpenOutage {
    /// When it began.
    pub began_at: Timestamp,
    /// Why attempts failed in it.
    pub causes: CauseSet,
}

/// What happened to a service.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Event {
    /// It is up.
    Up,
    /// It is down.
    Down,
    /// Nobody can say.
    Unknown,
    /// It was down for long enough: an outage is open.
    OutageOpened,
    /// The outage is over.
    OutageEnded,
}

/// A change of one service.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Transition {
    /// The agreement that promises it.
    pub agreement: AgreementId,
    /// The service.
    pub service: ServiceId,
    /// What happened.
    pub event: Event,
    /// Since when it is so; for an outage, when it began or ended.
    pub at: Option<Timestamp>,
    /// Why attempts failed, if that is known.
    pub causes: CauseSet,
}

/// What services are now, for pages, metrics and whoever prints a line; cheap to clone.
#[derive(Clone, Debug)]
pub struct Outages {
    services: Arc<RwLock<BTreeMap<ServiceId, ServiceNow>>>,
    transitions: broadcast::Sender<Transition>,
}

impl Default for Outages {
    fn default() -> Outages {
        Outages { services: Arc::default(), transitions: broadcast::Sender::new(TRANSITIONS_KEPT) }
    }
}

impl Outages {
    /// One service; nothing if no agreement promises it.
    pub fn service(&self, service: &ServiceId) -> Option<ServiceNow> {
        self.services.read().unwrap_or_else(PoisonError::into_inner).get(service).cloned()
    }

    /// All promised services, by name.
    pub fn all(&self) -> Vec<ServiceNow> {
        self.services.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// Makes a service what a test wants it to be.
    #[cfg(test)]
    pub(crate) fn set(&self, is: ServiceNow) {
        self.services.write().unwrap_or_else(PoisonError::into_inner).insert(is.service.clone(), is);
    }

    /// Tells every transition from now on.
    pub fn transitions(&self) -> broadcast::Receiver<Transition> {
        self.transitions.subscribe()
    }
}

/// Why a service is derived.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Occasion {
    /// The process begins: what is found is how it was, not a transition.
    Start,
    /// Something changed, or time passed.
    Change,
}

/// The one task that derives services.
pub(crate) struct Watcher {
    outages: Outages,
    state: State,
    config: watch::Receiver<Arc<CollectorConfig>>,
    clock: Clock,
    changes: broadcast::Receiver<Changed>,
    known: BTreeMap<ServiceId, Known>,
    due: BTreeSet<(Timestamp, ServiceId)>,
    /// When other versions of agreements come into force.
    turn: Option<Timestamp>,
}

/// What the last derivation of a service was made of.
struct Known {
    signature: Signature,
    due: Option<Timestamp>,
}

impl Watcher {
    /// Looks at everything; what is committed by now is taken as found.
    pub(crate) fn begin(
        outages: Outages,
        state: State,
        config: watch::Receiver<Arc<CollectorConfig>>,
        clock: Clock,
    ) -> Watcher {
        let changes = state.changes();
        let (known, due) = (BTreeMap::new(), BTreeSet::new());
        let mut watcher = Watcher { outages, state, config, clock, changes, known, due, turn: None };
        watcher.look_at_all(Occasion::Start);
        watcher
    }

    /// Watches until `cancel`.
    pub(crate) async fn run(mut self, cancel: CancellationToken) {
        loop {
            let now = self.clock.now();
            let next = self.due.first().map(|(due, _)| *due).into_iter().chain(self.turn).min();
            let next = next.map_or(now.boot + LOOK_EVERY, |next| self.clock.boot_at(next));
            tokio::select! {
                () = cancel.cancelled() => return,
                changed = self.changes.recv() => match changed {
                    Ok(changed) => self.look_at(&changed),
                    Err(broadcast::error::RecvError::Lagged(_)) => self.look_at_all(Occasion::Change),
                    Err(broadcast::error::RecvError::Closed) => return,
                },
                changed = self.config.changed() => match changed {
                    Ok(()) => self.look_at_all(Occasion::Change),
                    Err(_) => return,
                },
                () = self.clock.sleep_until(next.min(now.boot + LOOK_EVERY)) => self.look_at_due(),
            }
        }
    }

    fn look_at(&mut self, changed: &Changed) {
        let config = Arc::clone(&self.config.borrow());
        let promised = config.services_in_force(self.clock.wall());
        for (agreement, service) in promised.filter(|(_, service)| changed.contains(&service.id)) {
            self.look(agreement, service, Occasion::Change);
        }
    }

    fn look_at_due(&mut self) {
        let config = Arc::clone(&self.config.borrow());
        let now = self.clock.wall();
        if self.turn.is_some_and(|turn| turn <= now) {
            return self.look_at_all(Occasion::Change);
        }
        let due: BTreeSet<ServiceId> =
            self.due.iter().take_while(|(at, _)| *at <= now).map(|(_, service)| service.clone()).collect();
        for service in &due {
            self.known.remove(service);
        }
        self.due.retain(|(_, service)| !due.contains(service));
        for (agreement, service) in config.services_in_force(now).filter(|(_, service)| due.contains(&service.id)) {
            self.look(agreement, service, Occasion::Change);
        }
    }

    /// Everything, and nothing that is not promised any more.
    fn look_at_all(&mut self, occasion: Occasion) {
        let config = Arc::clone(&self.config.borrow_and_update());
        self.known.clear();
        self.due.clear();
        let now = self.clock.wall();
        self.turn = config.turns_after(now);
        let names: BTreeSet<&ServiceId> = config.services_in_force(now).map(|(_, service)| &service.id).collect();
        let mut services = self.outages.services.write().unwrap_or_else(PoisonError::into_inner);
        services.retain(|service, _| names.contains(service));
        drop(services);
        for (agreement, service) in config.services_in_force(now) {
            self.look(agreement, service, occasion);
        }
    }

    fn look(&mut self, agreement: &Agreement, service: &Service, occasion: Occasion) {
        let series = self.state.service(&service.id);
        let signature = signature(&series);
        // The same runs, only longer: nothing can have changed before the instant that is due.
        if self.known.get(&service.id).is_some_and(|known| known.signature == signature) {
            return;
        }
        let (now, due) = derive(agreement, service, &series, self.clock.wall());
        if let Some(before) = self.known.insert(service.id.clone(), Known { signature, due })
            && let Some(was_due) = before.due
        {
            self.due.remove(&(was_due, service.id.clone()));
        }
        self.due.extend(due.map(|due| (due, service.id.clone())));
        let mut services = self.outages.services.write().unwrap_or_else(PoisonError::into_inner);
        let before = services.insert(service.id.clone(), now.clone());
        drop(services);
        if occasion == Occasion::Change {
            transitions(before.as_ref(), &now).into_iter().for_each(|transition| self.tell(transition));
        }
    }

    fn tell(&self, transition: Transition) {
        let Transition { agreement, service, event, at, causes } = &transition;
        let at = at.map(tracing::field::display);
        match event {
            Event::Up => tracing::info!(%agreement, %service, at, "Service is up"),
            Event::Down => tracing::info!(%agreement, %service, at, ?causes, "Service is down"),
            Event::Unknown => tracing::info!(%agreement, %service, at, "Nobody can say whether service is up"),
            Event::OutageOpened => tracing::info!(%agreement, %service, at, ?causes, "Outage opened"),
            Event::OutageEnded => tracing::info!(%agreement, %service, at, ?causes, "Outage ended"),
        }
        // Without a reader there is nobody to tell.
        let _ = self.outages.transitions.send(transition);
    }
}

/// What lies between two looks at one service.
fn transitions(before: Option<&ServiceNow>, now: &ServiceNow) -> Vec<Transition> {
    let transition = |event, at, causes| Transition {
        agreement: now.agreement.clone(),
        service: now.service.clone(),
        event,
        at,
        causes,
    };
    let mut told = Vec::new();
    let was_open = before.and_then(|before| before.outage);
    if let (Some(ended), None) = (was_open, now.outage) {
        told.push(transition(Event::OutageEnded, now.since, ended.causes));
    }
    let was = before.map_or(ServiceState::Unknown, |before| before.state);
    if was != now.state {
        let event = match now.state {
            ServiceState::Up => Event::Up,
            ServiceState::Down => Event::Down,
            ServiceState::Unknown => Event::Unknown,
        };
        told.push(transition(event, now.since, now.causes));
    }
    if let (None, Some(outage)) = (was_open, now.outage) {
        told.push(transition(Event::OutageOpened, Some(outage.began_at), outage.causes));
    }
    told
}

#[cfg(test)]
mod tests;
