//! Agreements from their keys, held against the policies and agents they name.

mod advice;
mod exclusion;

use crate::check::{self, CheckDraft, Named, agents};
use crate::node::Node;
use crate::policy::Policies;
use crate::reading::keys::Keys;
use crate::reading::words::word;
use crate::reading::{Placed, Reading, list, placed, text};
use crate::scalar::{instant, parsed, words};
use crate::source::Span;
use rules::agreement::{Agreement, Eligible, Fees, Language, Service};
use rules::decimal::{Currency, Money};
use rules::id::{AgentId, AgreementId, CheckId, ServiceId};
use rules::period::{Month, Zone};
use std::collections::{BTreeMap, BTreeSet};

/// The policy of an agreement that names none: the source agreement's.
const POLICY_DEFAULT: &str = "cloud-apm";

/// What agreements are held against while they are read one after the other.
pub(crate) struct Agreements {
    pub(crate) policies: Policies,
    /// The agents that may send; absent: nothing is said about them.
    pub(crate) agents: Option<BTreeSet<AgentId>>,
    named: BTreeMap<AgreementId, Span>,
    services: BTreeMap<ServiceId, Span>,
}

/// A service, and where it says what others may be warned about.
pub(crate) struct ServiceDraft {
    service: Service,
    checks: Vec<CheckDraft>,
    id_at: Span,
    /// How many agents may probe it, if that is known.
    agents: Option<usize>,
}

impl Agreements {
    pub(crate) fn new(policies: Policies, agents: Option<BTreeSet<AgentId>>) -> Agreements {
        Agreements { policies, agents, named: BTreeMap::new(), services: BTreeMap::new() }
    }

    /// Reads one agreement.
    pub(crate) fn read(&mut self, node: &Node, reading: &mut Reading) -> Option<Agreement> {
        let mut keys = Keys::of(node, "an agreement", reading)?;
        let id: Option<Placed<AgreementId>> = keys.required("agreement", reading, placed(parsed));
        let customer = keys.optional("customer", reading, words);
        let zone = keys.or("zone", Zone::utc(), reading, parsed);
        let policy_at = keys.take("policy").map(|(_, node)| node);
        let languages = [("en", Language::English), ("ko", Language::Korean)];
        let language = keys.or("language", Language::English, reading, word(&languages));
        let eligible =
            keys.or("eligible", Eligible::Yes, reading, word(&[("true", Eligible::Yes), ("false", Eligible::No)]));
        let fees = keys.optional("fees", reading, fees);
        let services = keys.or("services", Vec::new(), reading, list(|node, reading| self.service(node, reading)));
        let promised: BTreeSet<ServiceId> = services.iter().map(|draft| draft.service.id.clone()).collect();
        let exclusions =
            keys.or("exclusions", Vec::new(), reading, list(|node, reading| exclusion::read(node, &promised, reading)));
        keys.end(reading);
        let policy = match policy_at {
            Some(node) => self.policies.named(node, reading),
            None => self.policies.default(POLICY_DEFAULT, node.at, reading),
        };
        let id = id?;
        self.name(&id, reading);
        let policy = policy?;
        let policy_at = policy_at.map_or(id.at, |node| node.at);
        advice::services(&services, &policy, policy_at, reading);
        advice::exclusions(&exclusions, &policy, reading);
        advice::fees(fees.as_ref(), &policy, id.at, reading);
        Some(Agreement {
            customer: customer.unwrap_or_else(|| id.value.as_str().to_owned()),
            id: id.value,
            zone,
            policy,
            effective: rules::agreement::Effective::default(),
            standing: Vec::new(),
            retainer: None,
            language,
            eligible,
            fees,
            services: services.into_iter().map(|draft| draft.service).collect(),
            exclusions: exclusions.into_iter().map(|placed| placed.value).collect(),
        })
    }

    fn name(&mut self, id: &Placed<AgreementId>, reading: &mut Reading) {
        if let Some(first) = self.named.insert(id.value.clone(), id.at) {
            let (name, first) = (&id.value, reading.shown(first));
            reading.problem::<()>(id.at, format!("agreement `{name}` is given twice, first at {first}; rename one"));
        }
    }

    fn service(&mut self, node: &Node, reading: &mut Reading) -> Option<ServiceDraft> {
        let mut keys = Keys::of(node, "a service", reading)?;
        let id: Option<Placed<ServiceId>> = keys.required("service", reading, placed(parsed));
        let from = keys.optional("from", reading, instant);
        let until = keys.optional("until", reading, placed(instant));
        let agents = keys.or("agents", Named::All, reading, agents);
        let checks = keys.or("checks", Vec::new(), reading, list(check::read));
        keys.end(reading);
        if let (Some(from), Some(Placed { at, value: until })) = (from, until)
            && until <= from
        {
            reading.problem::<()>(at, "a service ends no later than it begins; write an `until` after its `from`");
        }
        distinct(&checks, reading);
        self.known_agents(agents.listed().iter().chain(checks.iter().flat_map(|draft| draft.agents.listed())), reading);
        let id = id?;
        if let Some(first) = self.services.insert(id.value.clone(), id.at) {
            let (name, first) = (&id.value, reading.shown(first));
            let message = format!(
                "service `{name}` is given twice, first at {first}; a service's name is unique among all agreements: rename one"
            );
            reading.problem::<()>(id.at, message);
        }
        advice::probed(&id, &agents, &checks, reading);
        let service = Service {
            id: id.value,
            from,
            until: until.map(|until| until.value),
            agents: agents.vantages(),
            checks: checks.iter().map(|draft| draft.check.clone()).collect(),
        };
        let agents = match agents {
            Named::All => self.agents.as_ref().map(BTreeSet::len),
            Named::Only(agents) => Some(agents.len()),
        };
        Some(ServiceDraft { service, checks, id_at: id.at, agents })
    }

    /// Warns about agents that nobody lets in.
    fn known_agents<'a>(&self, named: impl Iterator<Item = &'a Placed<AgentId>>, reading: &mut Reading) {
        let Some(known) = &self.agents else { return };
        for Placed { at, value: agent } in named {
            if !known.contains(agent) {
                let message = format!(
                    "agent `{agent}` is not among the collector's `agents`, so its results are refused; add it there"
                );
                reading.warn(*at, message);
            }
        }
    }
}

/// Refuses a check's name that comes twice in a service.
fn distinct(checks: &[CheckDraft], reading: &mut Reading) {
    let mut seen: BTreeMap<&CheckId, Span> = BTreeMap::new();
    for draft in checks {
        if let Some(first) = seen.insert(&draft.check.id, draft.id_at) {
            let (id, first) = (&draft.check.id, reading.shown(first));
            reading.problem::<()>(
                draft.id_at,
                format!("check `{id}` is given twice in its service, first at {first}; rename one"),
            );
        }
    }
}

fn fees(node: &Node, reading: &mut Reading) -> Option<Fees> {
    let mut keys = Keys::of(node, "`fees`", reading)?;
    let currency: Option<Currency> = keys.required("currency", reading, parsed);
    let default = keys.take("default");
    let months = keys.rest();
    let currency = currency?;
    let default = default.and_then(|(_, node)| money(node, currency, reading));
    let mut by_month = BTreeMap::new();
    for (key, node) in months {
        let Ok(month) = key.name.parse::<Month>() else {
            let name = key.name.escape_debug();
            let message = format!(
                "unknown key `{name}` in `fees`; its keys are `currency`, `default` and months such as `2026-10`"
            );
            reading.problem::<()>(key.at, message);
            continue;
        };
        if let Some(fee) = money(node, currency, reading) {
            by_month.insert(month, fee);
        }
    }
    Some(Fees { currency, default, months: by_month })
}

fn money(node: &Node, currency: Currency, reading: &mut Reading) -> Option<Money> {
    let given = text(node, reading)?;
    match currency.amount(given) {
        Ok(amount) => Some(amount),
        Err(error) => reading.problem(node.at, error.to_string()),
    }
}
