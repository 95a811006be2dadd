//! What is to be probed, made ready: plans, references and each check's figures.
//!
//! A configuration or a document from the collector becomes one [`Orders`]; whoever works with it
//! holds it whole, so a reload never mixes two. Making one may read files; nothing here probes.

use crate::metrics::series::Figures;
use crate::notes::Notes;
use crate::prober::{NoResolver, Plan, Prober};
use crate::references::References;
use crate::sequence::Sequence;
use daemon::clock::Clock;
use rules::check::{Assignment, Target};
use rules::id::{CheckId, ServiceId};
use rules::reach::Reach;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What names a check of a service.
pub(crate) type Key = (ServiceId, CheckId);

/// Everything that is probed at one time.
pub(crate) struct Orders {
    pub(crate) standing: BTreeMap<Key, Arc<Standing>>,
    pub(crate) prober: Arc<Prober>,
    pub(crate) references: References,
}

/// A check that stands: how it is probed, what it came to so far, and when it was probed last.
pub(crate) struct Standing {
    pub(crate) assignment: Assignment,
    pub(crate) plan: Plan,
    pub(crate) figures: Arc<Figures>,
    pub(crate) sequence: Arc<Sequence>,
    pub(crate) notes: Arc<Notes>,
}

impl Orders {
    /// Nothing to probe.
    pub(crate) fn none(clock: &Clock) -> Result<Orders, NoResolver> {
        Orders::prepare(Vec::new(), &[], &Reach::default(), None, clock)
    }

    /// Prepares `assignments` and `references` for probes within `reach`; checks that were in `before`
    /// keep their figures and order.
    /// Blocks for as long as the files it reads do.
    pub(crate) fn prepare(
        assignments: Vec<Assignment>,
        references: &[Target],
        reach: &Reach,
        before: Option<&Orders>,
        clock: &Clock,
    ) -> Result<Orders, NoResolver> {
        let prober = Arc::new(Prober::within(reach.clone(), clock.clone())?);
        let mut standing = BTreeMap::new();
        for assignment in assignments {
            let key = key(&assignment);
            let kept = before.and_then(|before| before.standing.get(&key));
            let (figures, sequence, notes) = match kept {
                Some(kept) => (Arc::clone(&kept.figures), Arc::clone(&kept.sequence), Arc::clone(&kept.notes)),
                None => (Arc::new(Figures::new(&assignment)), Arc::new(Sequence::new()), Arc::default()),
            };
            let plan = prober.plan(&assignment.check.target, assignment.check.timeout);
            if let Some(defect) = plan.defect().filter(|_| is_probed(&assignment)) {
                tracing::warn!(service = %key.0, check = %key.1, defect, "Check can't be probed here");
            }
            standing.insert(key, Arc::new(Standing { assignment, plan, figures, sequence, notes }));
        }
        let references = References::new(references, &prober, clock.clone());
        Ok(Orders { standing, prober, references })
    }

    /// What is looked at, and not waited for.
    pub(crate) fn probed(&self) -> impl Iterator<Item = &Assignment> {
        self.assignments().filter(|assignment| is_probed(assignment))
    }

    /// What is assigned, in the order of services and checks.
    pub(crate) fn assignments(&self) -> impl Iterator<Item = &Assignment> {
        self.standing.values().map(|standing| &standing.assignment)
    }
}

fn is_probed(assignment: &Assignment) -> bool {
    !matches!(assignment.check.target, Target::Heartbeat(_))
}

pub(crate) fn key(assignment: &Assignment) -> Key {
    (assignment.service.clone(), assignment.check.id.clone())
}
