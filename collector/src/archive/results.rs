//! Results out of a store, without a ledger: what `verify --evidence` recomputes from.
//!
//! Where manifests lie, their chain is checked from the first to the last, and each file against its
//! digest. Where none lie (a bundle, an export), every Parquet file is taken for what it says.

use super::digest::Digest;
use super::file::read as read_file;
use super::manifest::Manifest;
use super::place::{MANIFESTS, number_in};
use super::reading::{damaged, decoded};
use super::rows::SeriesRows;
use super::store::Store;
use super::{ArchiveError, file::Label};
use crate::lines::Line;
use rules::id::AgreementId;
use rules::interval::Interval;
use rules::result::Pace;
use std::collections::{BTreeMap, HashSet};

/// Which results are wanted.
#[derive(Clone, Debug)]
pub struct Selection {
    /// Only those of this agreement.
    pub agreement: Option<AgreementId>,
    /// Only those of attempts that started within this.
    pub interval: Interval,
}

/// One result with its check's pace at the time.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Archived {
    /// The result, as a line.
    pub line: Line,
    /// The check's `every` and timeout.
    pub pace: Pace,
}

/// Hands every result in `store` that is wanted to `take`, file by file; says how many.
pub async fn read(store: &Store, wanted: &Selection, mut take: impl FnMut(Archived)) -> Result<u64, ArchiveError> {
    let places = store.list().await?;
    let manifests = manifests(store, &places).await?;
    let gone: HashSet<(u64, u32)> =
        manifests.iter().flat_map(|manifest| &manifest.disposed).map(|gone| (gone.seal, gone.file)).collect();
    let mut taken = 0;
    if manifests.is_empty() {
        for place in places.iter().filter(|place| place.ends_with(".parquet")) {
            let Some(bytes) = store.read(place).await? else { continue };
            let refused = |source| ArchiveError::File { place: place.clone(), source };
            let (label, series) = tokio::task::spawn_blocking(move || read_file(bytes)).await?.map_err(refused)?;
            taken += select(&label, series, wanted, &mut take);
        }
        return Ok(taken);
    }
    for manifest in &manifests {
        for (file, index) in manifest.files.iter().zip(0u32..) {
            let touches = file.first_at < wanted.interval.until() && wanted.interval.from() <= file.last_at;
            let own = wanted.agreement.is_none() || wanted.agreement == file.agreement;
            if !touches || !own || gone.contains(&(manifest.number, index)) {
                continue;
            }
            let bytes = store.read(&file.place).await?.ok_or_else(|| damaged(file, "is not there"))?;
            let series = decoded(manifest.number, file.clone(), bytes).await?;
            let label = Label { seal: manifest.number, agreement: file.agreement.clone() };
            taken += select(&label, series, wanted, &mut take);
        }
    }
    Ok(taken)
}

fn select(label: &Label, series: Vec<SeriesRows>, wanted: &Selection, take: &mut impl FnMut(Archived)) -> u64 {
    if wanted.agreement.is_some() && wanted.agreement != label.agreement {
        return 0;
    }
    let mut taken = 0;
    for of in series {
        for row in of.rows.into_iter().filter(|row| wanted.interval.contains(row.result.at)) {
            let line = Line { series: of.series.clone(), result: row.result, note: row.note };
            take(Archived { line, pace: row.pace });
            taken += 1;
        }
    }
    taken
}

/// The manifests among `places`, in order; each must name the one before it.
pub(crate) async fn manifests(store: &Store, places: &[String]) -> Result<Vec<Manifest>, ArchiveError> {
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
        manifests.push(manifest);
    }
    if next.is_some() {
        let first = manifests.last().map_or(0, |manifest| manifest.number);
        return Err(ArchiveError::Chain { number: first, what: "the seal before it is missing".to_owned() });
    }
    manifests.reverse();
    Ok(manifests)
}
