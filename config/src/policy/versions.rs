//! The policies that agreements may name. A name may have several versions, each in force from a month
//! on until the next one's; presets stand behind those that files give.

use super::{PolicyDraft, advice, preset};
use crate::node::{Node, Value};
use crate::reading::words::{listed, nearest};
use crate::reading::{Reading, text};
use crate::source::Span;
use rules::policy::Policy;
use std::collections::BTreeMap;
use std::sync::Arc;

/// All policies by name, the versions of one name in order of time.
pub(crate) struct Policies {
    given: BTreeMap<String, Vec<PolicyDraft>>,
    pub(crate) in_order: Vec<Arc<Policy>>,
}

impl Policies {
    /// Gathers `drafts`, refusing two versions of one name that begin at once.
    pub(crate) fn gather(drafts: Vec<PolicyDraft>, reading: &mut Reading) -> Policies {
        let mut policies = Policies { given: BTreeMap::new(), in_order: Vec::new() };
        for draft in drafts {
            let name = draft.policy.id.as_str().to_owned();
            let versions = policies.given.entry(name.clone()).or_default();
            if let Some(first) = versions.iter().find(|version| version.effective_from == draft.effective_from) {
                let message = twice("policy", &name, draft.effective_from.is_some(), &reading.shown(first.id_at));
                reading.problem::<()>(draft.id_at, message);
                continue;
            }
            advice::tiers(&draft, reading);
            policies.in_order.push(draft.policy.clone());
            versions.push(draft);
            versions.sort_by_key(|version| version.effective_from);
        }
        policies
    }

    /// The preset `name`, or the files' policy of that name, for an agreement at `at` that names none.
    pub(crate) fn default(&mut self, name: &str, at: Span, reading: &mut Reading) -> Option<Vec<PolicyDraft>> {
        reading.warn(
            at,
            format!("this agreement names no policy, so `{name}` applies; add `policy: {name}` if that is meant"),
        );
        self.named(&Node { at, value: Value::Text(name.to_owned()) }, reading)
    }

    /// The versions of the policy that `node` names, in order of time: the files', or a preset. At
    /// least one.
    pub(crate) fn named(&mut self, node: &Node, reading: &mut Reading) -> Option<Vec<PolicyDraft>> {
        let name = text(node, reading)?;
        if let Some(versions) = self.given.get(name) {
            return Some(versions.clone());
        }
        if let Some(draft) = preset::load(name, reading) {
            advice::tiers(&draft, reading);
            self.in_order.push(draft.policy.clone());
            self.given.insert(name.to_owned(), vec![draft.clone()]);
            return Some(vec![draft]);
        }
        let known: Vec<&str> =
            self.given.keys().map(String::as_str).chain(preset::names().map(|name| -> &str { name })).collect();
        let right = match nearest(name, known.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("known are {}", listed(&known)),
        };
        reading.problem(node.at, format!("no policy is called `{}`; {right}", name.escape_debug()))
    }
}

/// Says that two versions of a name begin at once; `first` is where the other one stands.
pub(crate) fn twice(what: &str, name: &str, is_dated: bool, first: &str) -> String {
    if is_dated {
        format!("{what} `{name}` is given twice from this month on, first at {first}; give each version its own month")
    } else {
        format!(
            "{what} `{name}` is given twice, first at {first}; rename one, or give the later version an `effective_from`"
        )
    }
}
