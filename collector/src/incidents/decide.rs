//! What has to go on record about one service's outage, from what is on record already.
//!
//! An outage is recognised by touching the stretch that an incident knows, and not by its first instant:
//! late evidence may move that.

use rules::agreement::Agreement;
use rules::id::ServiceId;
use rules::incident::{Event, Incident, Opened, Opening, first_severity, incidents};
use rules::outcome::CauseSet;
use rules::record::{Entry, Fact};
use rules::time::Timestamp;

/// What is seen of a service now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Seen {
    /// An outage is open.
    Open {
        /// When it began, as far as evidence goes now.
        began_at: Timestamp,
        /// Why attempts failed.
        causes: CauseSet,
    },
    /// It is up.
    Up {
        /// Since when.
        since: Timestamp,
    },
}

/// The number of an opening that is not numbered yet.
const UNNUMBERED: u64 = 0;

/// What is missing in the record; an opening is still without its number.
pub(super) fn facts(record: &[Entry], agreement: &Agreement, service: &ServiceId, seen: Seen) -> Vec<Fact> {
    let known = incidents(record);
    let of_service = |incident: &&Incident| {
        incident.opening.cause == Opened::ByOutage && incident.opening.services.contains(service)
    };
    let mut of_service = known.iter().rev().filter(of_service);
    match seen {
        Seen::Open { began_at, causes } => {
            let is_it = |incident: &Incident| incident.outage_ended_at().is_none_or(|ended_at| began_at < ended_at);
            if of_service.any(is_it) {
                return Vec::new();
            }
            let opening = opening(agreement, service, began_at, causes);
            vec![Fact::Incident { incident: UNNUMBERED, event: Event::Opened(opening) }]
        }
        Seen::Up { since } => {
            let open = of_service.filter(|incident| incident.outage_ended_at().is_none());
            let ended = |incident: &Incident| Fact::Incident {
                incident: incident.number,
                event: Event::OutageEnded { ended_at: since.max(incident.opening.began_at) },
            };
            open.map(ended).collect()
        }
    }
}

/// `facts` as entries from `next` on: an opening names its own number.
pub(super) fn numbered(facts: Vec<Fact>, next: u64) -> Vec<Fact> {
    let number = |(number, mut fact)| {
        if let Fact::Incident { incident, .. } = &mut fact
            && *incident == UNNUMBERED
        {
            *incident = number;
        }
        fact
    };
    (next..).zip(facts).map(number).collect()
}

fn opening(agreement: &Agreement, service: &ServiceId, began_at: Timestamp, causes: CauseSet) -> Opening {
    let language = agreement.language;
    let causes: Vec<&str> = causes.iter().map(|cause| crate::render::words::cause(cause, language)).collect();
    let title = match language {
        rules::agreement::Language::English => format!("{service} is down: {}", causes.join(", ")),
        rules::agreement::Language::Korean => format!("{service} 장애: {}", causes.join(", ")),
    };
    Opening {
        services: [service.clone()].into(),
        severity: first_severity(&agreement.policy.response).to_owned(),
        began_at,
        cause: Opened::ByOutage,
        title,
    }
}
