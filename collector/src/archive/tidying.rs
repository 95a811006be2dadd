//! What a crash left in the store: files that a seal says are gone, and files that nobody ever named.
//!
//! It is careful, because a store may hold more than this ledger knows: the archive of another ledger,
//! or seals made after the backup that the ledger was restored from. A file goes only if some manifest of
//! this ledger says that it is gone, or if none in the store names it and its seal's number was given to
//! another file long ago. Manifests stay.

use super::manifest::Manifest;
use super::place::{self, MANIFESTS, number_in};
use super::{Archive, ArchiveError};
use crate::archive::digest::Digest;
use rules::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// How many seals are read at once.
const SEALS_AT_ONCE: usize = 64;
/// How long ago another seal must have got a file's number: whoever wrote the file has given up by then.
const LEFT_FOR: Duration = Duration::from_hours(24);

/// What the ledger's seals say of the objects in the store.
#[derive(Default)]
struct Said {
    /// Manifests, and files that are there.
    named: BTreeSet<String>,
    /// Files that are gone.
    gone: BTreeSet<String>,
    /// When each seal was made.
    sealed_at: BTreeMap<u64, Timestamp>,
}

impl Archive {
    /// Deletes files that are declared gone and still lie there; says how many.
    pub(crate) async fn bury(&self) -> Result<u64, ArchiveError> {
        let (places, said) = self.looked().await?;
        self.delete_all(places.intersection(&said.gone)).await
    }

    /// Deletes what a crash left in the store; says how many objects.
    pub(crate) async fn tidy(&self, now: Timestamp) -> Result<u64, ArchiveError> {
        let (places, said) = self.looked().await?;
        let buried = self.delete_all(places.intersection(&said.gone)).await?;
        let is_left = |place: &&String| {
            let sealed_at = number_in(place).and_then(|number| said.sealed_at.get(&number));
            let unnamed = !said.named.contains(*place) && !said.gone.contains(*place);
            unnamed && !place.starts_with(MANIFESTS) && sealed_at.is_some_and(|at| at.plus(LEFT_FOR) <= now)
        };
        let left: Vec<&String> = places.iter().filter(is_left).collect();
        if left.is_empty() {
            return Ok(buried);
        }
        let kept = self.named_elsewhere(&places, &said).await?;
        Ok(buried + self.delete_all(left.into_iter().filter(|place| !kept.contains(*place))).await?)
    }

    async fn delete_all<'a>(&self, places: impl Iterator<Item = &'a String>) -> Result<u64, ArchiveError> {
        let mut deleted = 0;
        for place in places {
            self.store.delete(place).await?;
            deleted += 1;
        }
        Ok(deleted)
    }

    /// The places of all objects, and what is said of them.
    async fn looked(&self) -> Result<(BTreeSet<String>, Said), ArchiveError> {
        // Listed first: whatever is named later is not looked at.
        let places = self.store.list().await?.into_iter().collect();
        self.refresh().await?;
        Ok((places, self.said().await?))
    }

    async fn said(&self) -> Result<Said, ArchiveError> {
        let (mut said, mut next) = (Said::default(), 1);
        loop {
            let seals = self.ledger.seals_from(next, SEALS_AT_ONCE).await?;
            for seal in &seals {
                next = seal.number + 1;
                let place = place::of_manifest(seal.number, &Digest(seal.sha256));
                let manifest = Manifest::from_json(&seal.manifest)
                    .map_err(|source| ArchiveError::Manifest { place: place.clone(), source })?;
                said.named.insert(place);
                said.sealed_at.insert(seal.number, manifest.sealed_at);
                for (file, index) in manifest.files.into_iter().zip(0u32..) {
                    let is_gone = self.catalogue.disposed(seal.number, index).is_some();
                    if is_gone { &mut said.gone } else { &mut said.named }.insert(file.place);
                }
            }
            if seals.len() < SEALS_AT_ONCE {
                return Ok(said);
            }
        }
    }

    /// The files that manifests in the store name which are not this ledger's. If one of them can't be
    /// read, nobody knows, and nothing is deleted.
    async fn named_elsewhere(&self, places: &BTreeSet<String>, said: &Said) -> Result<BTreeSet<String>, ArchiveError> {
        let mut kept = BTreeSet::new();
        let foreign = places.iter().filter(|place| place.starts_with(MANIFESTS) && !said.named.contains(*place));
        for place in foreign {
            let Some(bytes) = self.store.read(place).await? else { continue };
            let manifest = Manifest::from_json(&String::from_utf8_lossy(&bytes))
                .map_err(|source| ArchiveError::Manifest { place: place.clone(), source })?;
            kept.extend(manifest.files.into_iter().map(|file| file.place));
        }
        Ok(kept)
    }
}
