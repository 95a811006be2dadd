//! Agreements from their keys, held against the policies and agents they name.
//!
//! What is read is one version of an agreement; `versions` makes of all versions and of the versions
//! of their policies what is in force in which month.

mod advice;
mod exclusion;
mod fees;
mod retainer;
mod standing;
mod versions;

use crate::check::{self, CheckDraft, Named, agents};
use crate::node::Node;
use crate::policy::PolicyDraft;
use crate::policy::versions::{Policies, twice};
use crate::reading::keys::Keys;
use crate::reading::words::word;
use crate::reading::{Placed, Reading, list, placed};
use crate::scalar::{instant, parsed, words};
use crate::source::Span;
use rules::agreement::{Eligible, Fees, Language, Service};
use rules::exclusion::Exclusion;
use rules::id::{AgentId, AgreementId, CheckId, ServiceId};
use rules::period::{Month, Zone};
use rules::retainer::Retainer;
use rules::standing::Change;
use std::collections::{BTreeMap, BTreeSet};

/// The policy of an agreement that names none: the source agreement's.
const POLICY_DEFAULT: &str = "cloud-apm";

/// What agreements are held against while they are read one after the other.
pub(crate) struct Agreements {
    pub(crate) policies: Policies,
    /// The agents that may send; absent: nothing is said about them.
    pub(crate) agents: Option<BTreeSet<AgentId>>,
    named: BTreeMap<AgreementId, Vec<(Option<Month>, Span)>>,
    services: BTreeMap<ServiceId, (AgreementId, Span)>,
}

/// A version of an agreement, and where it says what others may be warned about.
pub(crate) struct AgreementDraft {
    id: Placed<AgreementId>,
    effective_from: Option<Month>,
    customer: Option<String>,
    zone: Placed<Zone>,
    /// The versions of the policy it names.
    policies: Vec<PolicyDraft>,
    policy_at: Span,
    language: Language,
    eligible: Eligible,
    fees: Option<Fees>,
    standing: Vec<Placed<Change>>,
    retainer: Option<Retainer>,
    services: Vec<ServiceDraft>,
    exclusions: Vec<Placed<Exclusion>>,
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

    /// Reads one version of an agreement.
    pub(crate) fn read(&mut self, node: &Node, reading: &mut Reading) -> Option<AgreementDraft> {
        let mut keys = Keys::of(node, "an agreement", reading)?;
        let id: Option<Placed<AgreementId>> = keys.required("agreement", reading, placed(parsed));
        let effective_from = keys.optional("effective_from", reading, parsed);
        let customer = keys.optional("customer", reading, words);
        let zone = keys.or("zone", Placed { at: node.at, value: Zone::utc() }, reading, placed(parsed));
        let policy_at = keys.take("policy").map(|(_, node)| node);
        let languages = [("en", Language::English), ("ko", Language::Korean)];
        let language = keys.or("language", Language::English, reading, word(&languages));
        let eligible =
            keys.or("eligible", Eligible::Yes, reading, word(&[("true", Eligible::Yes), ("false", Eligible::No)]));
        let fees = keys.optional("fees", reading, fees::fees);
        let standing = keys.or("standing", Vec::new(), reading, standing::changes);
        let retainer = keys.optional("retainer", reading, retainer::retainer);
        let services = keys.or("services", Vec::new(), reading, list(|node, reading| self.service(node, reading)));
        let promised: BTreeSet<ServiceId> = services.iter().map(|draft| draft.service.id.clone()).collect();
        let exclusions =
            keys.or("exclusions", Vec::new(), reading, list(|node, reading| exclusion::read(node, &promised, reading)));
        keys.end(reading);
        let policies = match policy_at {
            Some(node) => self.policies.named(node, reading),
            None => self.policies.default(POLICY_DEFAULT, node.at, reading),
        };
        let id = id?;
        self.name(&id, effective_from, reading);
        self.promise(&id.value, &services, reading);
        Some(AgreementDraft {
            policy_at: policy_at.map_or(id.at, |node| node.at),
            id,
            effective_from,
            customer,
            zone,
            policies: policies?,
            language,
            eligible,
            fees,
            standing,
            retainer,
            services,
            exclusions,
        })
    }

    /// The names of all agreements that were read.
    pub(crate) fn names(&self) -> BTreeSet<AgreementId> {
        self.named.keys().cloned().collect()
    }

    fn name(&mut self, id: &Placed<AgreementId>, effective_from: Option<Month>, reading: &mut Reading) {
        let versions = self.named.entry(id.value.clone()).or_default();
        if let Some((_, first)) = versions.iter().find(|(month, _)| *month == effective_from) {
            let message = twice("agreement", id.value.as_str(), effective_from.is_some(), &reading.shown(*first));
            reading.problem::<()>(id.at, message);
        }
        versions.push((effective_from, id.at));
    }

    /// Refuses a service that stands twice in one version, or in two agreements.
    fn promise(&mut self, agreement: &AgreementId, services: &[ServiceDraft], reading: &mut Reading) {
        let mut in_version: BTreeMap<&ServiceId, Span> = BTreeMap::new();
        for ServiceDraft { service, id_at, .. } in services {
            let elsewhere = self.services.get(&service.id).filter(|(owner, _)| owner != agreement);
            let first = in_version.insert(&service.id, *id_at).or(elsewhere.map(|(_, at)| *at));
            if let Some(first) = first {
                let (name, first) = (&service.id, reading.shown(first));
                let message = format!(
                    "service `{name}` is given twice, first at {first}; a service's name is unique among all agreements: rename one"
                );
                reading.problem::<()>(*id_at, message);
            }
            self.services.entry(service.id.clone()).or_insert_with(|| (agreement.clone(), *id_at));
        }
    }

    fn service(&self, node: &Node, reading: &mut Reading) -> Option<ServiceDraft> {
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
