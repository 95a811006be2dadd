//! Results out of a store, without a ledger: what `verify --evidence` recomputes from.
//!
//! Where manifests lie, their chain is checked from the first to the last, and each file against its
//! digest; where an index lies (a bundle), each file against that. What neither names is left aside and
//! counted. Where nothing says what there should be (an export), every Parquet file is taken for what
//! it says of itself. Nothing is judged here, and nothing is repaired.

use super::digest::Digest;
use super::file::read as read_file;
use super::index::{self, Listed};
use super::manifest::Manifest;
use super::place::{MANIFESTS, number_in};
use super::reading::{damaged, decoded};
use super::rows::SeriesRows;
use super::store::Store;
use super::{ArchiveError, file::Label};
use crate::lines::Line;
use bytes::Bytes;
use rules::id::ServiceId;
use rules::interval::Interval;
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// The ending of files of results.
const PARQUET: &str = ".parquet";

/// Which results are wanted.
#[derive(Clone, Debug)]
pub struct Selection {
    /// Only those of these services; nothing: of all.
    pub services: Option<BTreeSet<ServiceId>>,
    /// Only those of attempts that started within this.
    pub interval: Interval,
}

/// What was read, and what it was held against.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Found {
    /// Files that were read.
    pub files: u64,
    /// Wanted results in them.
    pub results: u64,
    /// What says which files there should be.
    pub against: Against,
    /// Files of results that it does not name, and that were left aside.
    pub unnamed: u64,
    /// Files with wanted results that are gone, because a later manifest says so.
    pub gone: u64,
}

/// What says which files there should be.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Against {
    /// Nothing does.
    #[default]
    Nothing,
    /// A bundle's index of so many files.
    Index {
        /// How many.
        files: u64,
    },
    /// A chain of so many manifests.
    Chain {
        /// How many.
        seals: u64,
        /// The last one's digest, which vouches for all.
        last: Digest,
    },
}

pub use super::index::NAME as INDEX;

impl Selection {
    /// Whether it takes a result.
    pub fn takes(&self, line: &Line) -> bool {
        self.has(&line.series.service) && self.interval.contains(line.result.at)
    }

    fn has(&self, service: &ServiceId) -> bool {
        self.services.as_ref().is_none_or(|services| services.contains(service))
    }
}

/// Hands every result in `store` that is wanted to `take`, file by file. `places` are those of all its
/// objects.
pub async fn read(
    store: &Store,
    places: &[String],
    wanted: &Selection,
    mut take: impl FnMut(Line),
) -> Result<Found, ArchiveError> {
    let lying: BTreeSet<&str> = places.iter().map(String::as_str).filter(|place| place.ends_with(PARQUET)).collect();
    let chain = manifests(store, places).await?;
    if let Some((_, last)) = chain.last() {
        let against = Against::Chain { seals: chain.len() as u64, last: *last };
        let manifests: Vec<Manifest> = chain.into_iter().map(|(manifest, _)| manifest).collect();
        return sealed(store, &manifests, &lying, Found { against, ..Found::default() }, wanted, take).await;
    }
    if places.iter().any(|place| place == index::NAME) {
        return listed(store, &lying, wanted, take).await;
    }
    let mut found = Found::default();
    for place in lying {
        let Some(bytes) = store.read(place).await? else { continue };
        let (_, series) = opened(place, bytes).await?;
        found.files += 1;
        found.results += select(series, wanted, &mut take);
    }
    Ok(found)
}

/// Hands every wanted result of one Parquet file to `take`; `place` is what messages call it.
pub async fn read_one(
    place: &str,
    bytes: Bytes,
    wanted: &Selection,
    mut take: impl FnMut(Line),
) -> Result<Found, ArchiveError> {
    let (_, series) = opened(place, bytes).await?;
    Ok(Found { files: 1, results: select(series, wanted, &mut take), ..Found::default() })
}

/// What the manifests name.
async fn sealed(
    store: &Store,
    manifests: &[Manifest],
    lying: &BTreeSet<&str>,
    mut found: Found,
    wanted: &Selection,
    mut take: impl FnMut(Line),
) -> Result<Found, ArchiveError> {
    let gone: HashSet<(u64, u32)> =
        manifests.iter().flat_map(|manifest| &manifest.disposed).map(|gone| (gone.seal, gone.file)).collect();
    let named = manifests.iter().flat_map(|manifest| &manifest.files).filter(|file| lying.contains(&*file.place));
    found.unnamed = (lying.len() - named.count()) as u64;
    for manifest in manifests {
        for (file, index) in manifest.files.iter().zip(0u32..) {
            let touches = file.first_at < wanted.interval.until() && wanted.interval.from() <= file.last_at;
            if !touches || !file.services.iter().any(|service| wanted.has(service)) {
                continue;
            }
            if gone.contains(&(manifest.number, index)) {
                found.gone += 1;
                continue;
            }
            let bytes = store.read(&file.place).await?.ok_or_else(|| damaged(file, "is not there"))?;
            let series = decoded(manifest.number, file.clone(), bytes).await?;
            found.files += 1;
            found.results += select(series, wanted, &mut take);
        }
    }
    Ok(found)
}

/// What the index names. It says nothing of services, so all of its files are read.
async fn listed(
    store: &Store,
    lying: &BTreeSet<&str>,
    wanted: &Selection,
    mut take: impl FnMut(Line),
) -> Result<Found, ArchiveError> {
    let text = store.read(index::NAME).await?.unwrap_or_default();
    let files = index::read(&text).map_err(ArchiveError::Index)?;
    let named = files.iter().filter(|file| lying.contains(&*file.place)).count();
    let against = Against::Index { files: files.len() as u64 };
    let mut found = Found { against, unnamed: (lying.len() - named) as u64, ..Found::default() };
    for file in files {
        let damaged = |what: &str| ArchiveError::Damaged { place: file.place.clone(), what: what.to_owned() };
        let bytes = store.read(&file.place).await?;
        let bytes = bytes.ok_or_else(|| damaged("is not there, but the index names it"))?;
        if Digest::of(&bytes).to_string() != file.sha256 || bytes.len() as u64 != file.bytes {
            return Err(damaged("has another digest than the index says"));
        }
        let (label, series) = opened(&file.place, bytes).await?;
        if !describes(&file, &label, &series) {
            return Err(damaged("is labelled otherwise than the index says"));
        }
        found.files += 1;
        found.results += select(series, wanted, &mut take);
    }
    Ok(found)
}

fn describes(listed: &Listed, label: &Label, series: &[SeriesRows]) -> bool {
    let rows = || series.iter().flat_map(|of| &of.rows).map(|row| row.result.at);
    let (first, last) = (rows().min().map(|at| at.to_string()), rows().max().map(|at| at.to_string()));
    listed.seal.unwrap_or(0) == label.seal
        && listed.rows == rows().count() as u64
        && first.as_ref() == Some(&listed.first_at)
        && last.as_ref() == Some(&listed.last_at)
}

async fn opened(place: &str, bytes: Bytes) -> Result<(Label, Vec<SeriesRows>), ArchiveError> {
    let read = tokio::task::spawn_blocking(move || read_file(bytes)).await?;
    read.map_err(|source| ArchiveError::File { place: place.to_owned(), source })
}

fn select(series: Vec<SeriesRows>, wanted: &Selection, take: &mut impl FnMut(Line)) -> u64 {
    let mut taken = 0;
    for of in series.into_iter().filter(|of| wanted.has(&of.series.service)) {
        for row in of.rows.iter().filter(|row| wanted.interval.contains(row.result.at)) {
            take(row.line(&of.series));
            taken += 1;
        }
    }
    taken
}

/// The manifests among `places` with their digests, in order; each must name the one before it.
async fn manifests(store: &Store, places: &[String]) -> Result<Vec<(Manifest, Digest)>, ArchiveError> {
    let mut chain: BTreeMap<u64, Vec<&String>> = BTreeMap::new();
    for place in places.iter().filter(|place| place.starts_with(MANIFESTS)) {
        if let Some(number) = number_in(place) {
            chain.entry(number).or_default().push(place);
        }
    }
    let mut manifests = Vec::new();
    let mut next: Option<Digest> = None;
    // From the last to the first: each says which of two that were written at once came before it.
    for (number, places) in chain.iter().rev() {
        let mut found = None;
        for place in places {
            let Some(bytes) = store.read(place).await? else { continue };
            let digest = Digest::of(&bytes);
            if next.is_none_or(|wanted| wanted == digest) {
                found = Some((place, bytes));
            }
        }
        let broken = |what: &str| ArchiveError::Chain { number: *number, what: what.to_owned() };
        let (place, bytes) = found.ok_or_else(|| broken("the seal after it names another manifest"))?;
        let text = std::str::from_utf8(&bytes).map_err(|_| broken("its manifest is not UTF-8"))?;
        let manifest =
            Manifest::from_json(text).map_err(|source| ArchiveError::Manifest { place: (*place).clone(), source })?;
        if manifest.number != *number || manifest.predecessor.is_some() != (1 < *number) {
            return Err(broken("its manifest is that of another seal"));
        }
        next = manifest.predecessor;
        manifests.push((manifest, Digest::of(&bytes)));
    }
    if next.is_some() {
        let first = manifests.last().map_or(0, |(manifest, _): &(Manifest, Digest)| manifest.number);
        return Err(ArchiveError::Chain { number: first, what: "the seal before it is missing".to_owned() });
    }
    manifests.reverse();
    Ok(manifests)
}
