//! Everything that is kept, read again and held against its checksum: objects, the chain of seals,
//! the ledger's blocks, and the chains of people's records.
//!
//! It changes nothing but, if asked, deletes objects that nobody names. It finds one flipped bit
//! wherever it is, and says where.

mod blocks;

use super::catalogue::checked;
use super::digest::Digest;
use super::manifest::Manifest;
use super::place::{self, number_in};
use super::reading::decoded;
use super::{Archive, ArchiveError};
use daemon::error_text::whole;
use rules::id::AgentId;
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// How many seals are read at once.
const SEALS_AT_ONCE: usize = 64;

/// What a scrub read and found.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Scrubbed {
    /// How many seals there are.
    pub seals: u64,
    /// How many files were read.
    pub files: u64,
    /// How many results they hold.
    pub results: u64,
    /// How many blocks of the ledger were read.
    pub blocks: u64,
    /// How many entries of records were read.
    pub entries: u64,
    /// Objects that no seal names: what a crash left. They are harmless.
    pub orphans: Vec<String>,
    /// What is not as it was written, each in a sentence.
    pub findings: Vec<String>,
}

/// Up to which position each agent is sealed, while the chain is read.
type Reached = BTreeMap<AgentId, u64>;

impl Archive {
    /// Reads every object of the archive.
    pub async fn scrub(&self, found: &mut Scrubbed) -> Result<(), ArchiveError> {
        let places: BTreeSet<String> = self.store.list().await?.into_iter().collect();
        let (mut named, mut gone) = (BTreeSet::new(), HashSet::new());
        let (mut before, mut reached): (Option<(u64, Digest)>, _) = (None, Reached::new());
        loop {
            let next = before.map_or(1, |(number, _)| number + 1);
            let seals = self.ledger.seals_from(next, SEALS_AT_ONCE).await?;
            for seal in &seals {
                found.seals += 1;
                match checked(seal, before) {
                    Ok(manifest) => {
                        gone.extend(manifest.disposed.iter().map(|gone| (gone.seal, gone.file)));
                        covers(&manifest, &mut reached, found);
                    }
                    Err(error) => found.findings.push(whole(&error)),
                }
                before = Some((seal.number, Digest(seal.sha256)));
            }
            if seals.len() < SEALS_AT_ONCE {
                break;
            }
        }
        for number in 1..=before.map_or(0, |(number, _)| number) {
            self.scrub_seal(number, &gone, &mut named, found).await?;
        }
        let last = before.map_or(0, |(number, _)| number);
        // An object of the next number may be on its way into a seal at this moment.
        let old = |place: &&String| number_in(place).is_some_and(|number| number <= last);
        let orphans = places.difference(&named).filter(old).cloned();
        found.orphans.extend(orphans);
        Ok(())
    }

    /// Deletes objects that nobody names.
    pub async fn sweep(&self, orphans: &[String]) -> Result<(), ArchiveError> {
        for place in orphans {
            self.store.delete(place).await?;
        }
        Ok(())
    }

    async fn scrub_seal(
        &self,
        number: u64,
        gone: &HashSet<(u64, u32)>,
        named: &mut BTreeSet<String>,
        found: &mut Scrubbed,
    ) -> Result<(), ArchiveError> {
        let Some(seal) = self.ledger.seals_from(number, 1).await?.into_iter().next() else { return Ok(()) };
        let place = place::of_manifest(number, &Digest(seal.sha256));
        named.insert(place.clone());
        match self.store.read(&place).await? {
            Some(bytes) if bytes == seal.manifest => {}
            Some(_) => found.findings.push(format!("the manifest `{place}` is not the one in the ledger")),
            None => found.findings.push(format!("the manifest `{place}` is not there")),
        }
        // What its row says was told by the chain; without it nothing is known of its files.
        let Ok(manifest) = Manifest::from_json(&seal.manifest) else { return Ok(()) };
        for (file, index) in manifest.files.iter().zip(0u32..) {
            if gone.contains(&(number, index)) {
                continue;
            }
            named.insert(file.place.clone());
            let Some(bytes) = self.store.read(&file.place).await? else {
                found.findings.push(format!("the evidence file `{}` is not there", file.place));
                continue;
            };
            match decoded(number, file.clone(), bytes).await {
                Ok(_) => (found.files, found.results) = (found.files + 1, found.results + file.rows),
                Err(error) => found.findings.push(whole(&error)),
            }
        }
        Ok(())
    }
}

fn covers(manifest: &Manifest, reached: &mut Reached, found: &mut Scrubbed) {
    for cover in &manifest.covers {
        let until = reached.insert(cover.agent.clone(), cover.until).unwrap_or(0);
        if until != cover.from {
            let (number, agent, from) = (manifest.number, &cover.agent, cover.from);
            found.findings.push(format!("seal {number} begins at block {from} of agent {agent}; {until} comes next"));
        }
    }
}
