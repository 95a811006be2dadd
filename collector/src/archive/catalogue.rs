//! Which seals there are and what they cover: small enough to be remembered for all of them.
//!
//! The chain is followed from the ledger's books, and each link is held against the one before it.
//! Manifests and files are read again whenever they are needed.

use super::ArchiveError;
use super::digest::Digest;
use super::manifest::{Disposed, Manifest};
use crate::ledger::Ledger;
use crate::ledger::books::{Forgotten, Seal};
use rules::id::{AgentId, AgreementId};
use rules::interval::Interval;
use rules::record::{Disposal, Ground};
use rules::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

/// How many seals are read at once.
const SEALS_AT_ONCE: usize = 64;

/// What is remembered of a seal.
#[derive(Clone, Debug)]
pub(crate) struct Summary {
    pub(crate) number: u64,
    pub(crate) sha256: Digest,
    pub(crate) sealed_at: Timestamp,
    pub(crate) verified_at: Option<Timestamp>,
    /// The instants that its results lie between, both included.
    pub(crate) span: Option<(Timestamp, Timestamp)>,
    /// The positions of each agent's blocks.
    pub(crate) covers: Vec<(AgentId, u64, u64)>,
}

/// All seals, in order of their numbers from 1.
#[derive(Debug, Default)]
pub(crate) struct Catalogue {
    known: RwLock<Known>,
}

#[derive(Debug, Default)]
struct Known {
    seals: Vec<Summary>,
    /// Files that later seals say are gone, by seal and index.
    disposed: HashMap<(u64, u32), Ground>,
    /// How much of each agreement is gone, and why.
    gone: BTreeMap<AgreementId, Vec<Disposal>>,
}

impl Known {
    fn dispose(&mut self, file: &Disposed) {
        // A file is gone once, whoever says so again.
        if self.disposed.insert((file.seal, file.file), file.ground).is_some() {
            return;
        }
        let Disposed { agreement, ground, results, until, .. } = file;
        // What nobody was promised is on nobody's record.
        let Some(agreement) = agreement else { return };
        let totals = self.gone.entry(agreement.clone()).or_default();
        match totals.iter_mut().find(|total| total.ground == *ground) {
            Some(total) => {
                total.until = total.until.max(*until);
                total.files += 1;
                total.results += results;
            }
            None => totals.push(Disposal { ground: *ground, until: *until, files: 1, results: *results }),
        }
    }
}

impl Catalogue {
    /// Reads what was sealed, verified and disposed of since the last call.
    pub(crate) async fn refresh(&self, ledger: &dyn Ledger) -> Result<(), ArchiveError> {
        // Seals that are known to be verified don't change any more.
        let verified = self.look(|known| known.seals.iter().take_while(|seal| seal.verified_at.is_some()).count());
        let mut next = verified as u64 + 1;
        loop {
            let seals = ledger.seals_from(next, SEALS_AT_ONCE).await?;
            for seal in &seals {
                next = seal.number + 1;
                self.take(seal)?;
            }
            if seals.len() < SEALS_AT_ONCE {
                return Ok(());
            }
        }
    }

    /// Adds a seal, or notes that a known one was verified.
    pub(crate) fn take(&self, seal: &Seal) -> Result<(), ArchiveError> {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        let index = usize::try_from(seal.number).ok().and_then(|number| number.checked_sub(1));
        if let Some(seen) = index.and_then(|index| known.seals.get_mut(index)) {
            seen.verified_at = seal.verified_at;
            return Ok(());
        }
        let before = known.seals.last();
        let manifest = checked(seal, before.map(|last| (last.number, last.sha256)))?;
        let covers = manifest.covers.iter().map(|cover| (cover.agent.clone(), cover.from, cover.until));
        manifest.disposed.iter().for_each(|file| known.dispose(file));
        known.seals.push(Summary {
            number: seal.number,
            sha256: Digest(seal.sha256),
            sealed_at: manifest.sealed_at,
            verified_at: seal.verified_at,
            span: manifest.span(),
            covers: covers.collect(),
        });
        Ok(())
    }

    /// The last seal's number and digest.
    pub(crate) fn last(&self) -> Option<(u64, Digest)> {
        self.look(|known| known.seals.last().map(|seal| (seal.number, seal.sha256)))
    }

    /// When the last seal was made.
    pub(crate) fn last_sealed_at(&self) -> Option<Timestamp> {
        self.look(|known| known.seals.last().map(|seal| seal.sealed_at))
    }

    /// Up to which position each agent is sealed.
    pub(crate) fn sealed(&self) -> BTreeMap<AgentId, u64> {
        self.covered(|_| true)
    }

    /// Up to which position each agent is sealed by seals that were verified at or before `instant`,
    /// and so were all before them.
    pub(crate) fn verified_by(&self, instant: Timestamp) -> BTreeMap<AgentId, u64> {
        self.covered(|seal| seal.verified_at.is_some_and(|at| at <= instant))
    }

    fn covered(&self, fit: impl Fn(&Summary) -> bool) -> BTreeMap<AgentId, u64> {
        self.look(|known| {
            let mut covered = BTreeMap::new();
            for (agent, _, until) in known.seals.iter().take_while(|seal| fit(seal)).flat_map(|seal| &seal.covers) {
                covered.insert(agent.clone(), *until);
            }
            covered
        })
    }

    /// The seals that were not verified yet.
    pub(crate) fn unverified(&self) -> Vec<u64> {
        self.look(|known| {
            known.seals.iter().filter(|seal| seal.verified_at.is_none()).map(|seal| seal.number).collect()
        })
    }

    /// The seal that covers `agent`'s block at `position`.
    pub(crate) fn covering(&self, agent: &AgentId, position: u64) -> Option<u64> {
        self.look(|known| {
            let covers = |seal: &&Summary| {
                let mut own = seal.covers.iter().filter(|(of, _, _)| of == agent);
                own.any(|(_, from, until)| (*from..*until).contains(&position))
            };
            known.seals.iter().find(covers).map(|seal| seal.number)
        })
    }

    /// The seals that may hold results of `agent` within `interval`, in order.
    pub(crate) fn within(&self, agent: &AgentId, interval: Interval) -> Vec<u64> {
        self.look(|known| {
            let touches = |seal: &&Summary| {
                seal.span.is_some_and(|(first, last)| first < interval.until() && interval.from() <= last)
                    && seal.covers.iter().any(|(of, _, _)| of == agent)
            };
            known.seals.iter().filter(touches).map(|seal| seal.number).collect()
        })
    }

    /// Why a file is gone, if a later seal says so.
    pub(crate) fn disposed(&self, seal: u64, file: u32) -> Option<Ground> {
        self.look(|known| known.disposed.get(&(seal, file)).copied())
    }

    /// Which of `agent`'s blocks lack results because a retention was over.
    pub(crate) fn retired(&self, agent: &AgentId) -> Option<Forgotten> {
        self.look(|known| {
            let of_retention = known.disposed.iter().filter(|(_, ground)| **ground == Ground::Retention);
            let seals: BTreeSet<u64> = of_retention.map(|((seal, _), _)| *seal).collect();
            let covered = known.seals.iter().filter(|seal| seals.contains(&seal.number)).flat_map(|seal| &seal.covers);
            let position = covered.filter(|(of, _, _)| of == agent).map(|(_, _, until)| *until).max()?;
            let totals = known.gone.values().flatten().filter(|total| total.ground == Ground::Retention);
            let last = totals.map(|total| total.until).max()?;
            Some(Forgotten { position, until: last.plus(Duration::from_millis(1)) })
        })
    }

    /// How much of each agreement is gone, and why.
    pub(crate) fn gone(&self) -> BTreeMap<AgreementId, Vec<Disposal>> {
        self.look(|known| known.gone.clone())
    }

    fn look<T>(&self, at: impl FnOnce(&Known) -> T) -> T {
        at(&self.known.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The manifest of `seal`, if it is what its row says and follows `before`.
pub(crate) fn checked(seal: &Seal, before: Option<(u64, Digest)>) -> Result<Manifest, ArchiveError> {
    let broken = |what: &str| ArchiveError::Chain { number: seal.number, what: what.to_owned() };
    if seal.number != before.map_or(1, |(number, _)| number + 1) {
        return Err(broken("a seal before it is missing"));
    }
    if Digest::of(seal.manifest.as_bytes()) != Digest(seal.sha256) {
        return Err(broken("its manifest has another digest than was noted"));
    }
    let manifest = Manifest::from_json(&seal.manifest)
        .map_err(|source| ArchiveError::Manifest { place: format!("of seal {}", seal.number), source })?;
    if manifest.number != seal.number {
        return Err(broken("its manifest is that of another seal"));
    }
    if manifest.predecessor != before.map(|(_, digest)| digest) {
        return Err(broken("it does not name the seal before it"));
    }
    Ok(manifest)
}
