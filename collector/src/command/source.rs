//! Evidence that somebody holds: a file of results, a directory of them, a bundle's evidence, an archive's
//! own layout. What `replay`, `explain --results` and `verify --evidence` name.
//!
//! Lines of JSON and Parquet may lie side by side. Whatever can't be read is told with its name; what is
//! left aside is counted and told.

use super::Failure;
use crate::archive::ArchiveError;
use crate::archive::results::{self, Against, Found, Selection};
use crate::archive::store::Store;
use crate::closing::Heard;
use crate::closing::replay::{Replayed, Results};
use crate::lines::{self, Line};
use config::collector::evidence::StoreUrl;
use rules::agreement::Agreement;
use rules::id::AgentId;
use rules::interval::Interval;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, Read as _};
use std::path::Path;

/// How a Parquet file begins, and how a ZIP file does.
const PARQUET: &[u8; 4] = b"PAR1";
const ZIP: &[u8; 4] = b"PK\x03\x04";

/// Reads the results of `agreement` from what lies at `path`; says on stderr how many belong to no check
/// of it.
pub(crate) async fn results(path: &Path, agreement: &Agreement) -> Result<Replayed, Failure> {
    let mut taken = Taken::default();
    let wanted = Selection { services: None, interval: Interval::ALWAYS };
    read(path, &wanted, &mut taken).await?;
    let replayed = taken.results.fold(agreement);
    if 0 < replayed.ignored {
        eprintln!(
            "{} of {} results belong to no check of agreement {}; ignored",
            replayed.ignored, taken.count, agreement.id
        );
    }
    Ok(replayed)
}

/// Reads those results at `path` that a statement of `agreement` heard: of the agents' blocks that it
/// names, and within `interval`. Says in sentences what was read and what was left aside.
pub(crate) async fn heard(
    path: &Path,
    agreement: &Agreement,
    agents: &BTreeMap<AgentId, Heard>,
    interval: Interval,
) -> Result<(Replayed, String), Failure> {
    let mut taken = Taken { heard: Some(agents), ..Taken::default() };
    let services = agreement.services.iter().map(|service| service.id.clone()).collect();
    let found = read(path, &Selection { services: Some(services), interval }, &mut taken).await?;
    let told = told(path, &found, &taken);
    Ok((taken.results.fold(agreement).complete_as(agents), told))
}

/// Results as they are taken in.
#[derive(Default)]
struct Taken<'a> {
    results: Results,
    count: u64,
    /// What a statement heard; nothing: everything is.
    heard: Option<&'a BTreeMap<AgentId, Heard>>,
    /// Results of blocks that it did not hear.
    later: u64,
    /// Results that don't say in which block they came, so they were heard.
    unplaced: u64,
}

impl Taken<'_> {
    fn take(&mut self, line: Line) {
        self.count += 1;
        if let Some(agents) = self.heard {
            match line.sent {
                Some(sent) if !agents.get(&line.series.agent).is_some_and(|of| of.has(sent.incarnation, sent.seq)) => {
                    self.later += 1;
                    return;
                }
                Some(_) => {}
                None => self.unplaced += 1,
            }
        }
        self.results.take(line);
    }
}

async fn read(path: &Path, wanted: &Selection, taken: &mut Taken<'_>) -> Result<Found, Failure> {
    match path.is_dir() {
        true => directory(path, wanted, taken).await,
        false => file(path, wanted, taken).await,
    }
}

async fn directory(path: &Path, wanted: &Selection, taken: &mut Taken<'_>) -> Result<Found, Failure> {
    let failed = |error: ArchiveError| Failure::run(format!("read evidence from {}", path.display()), error);
    // Whoever names an unpacked bundle means the evidence in it.
    let inner = path.join("evidence");
    let path = if inner.join("files.ndjson").is_file() { &inner } else { path };
    let store = Store::open_existing(&StoreUrl::Directory(path.to_owned())).map_err(|error| failed(error.into()))?;
    let places = store.list().await.map_err(|error| failed(error.into()))?;
    let found = results::read(&store, &places, wanted, |line| taken.take(line)).await;
    let mut found = found.map_err(failed)?;
    let lines = places.iter().filter(|place| place.ends_with(".ndjson") && *place != results::INDEX);
    for place in lines {
        found.files += 1;
        found.results += lines_of(&path.join(place), wanted, taken)?;
    }
    match found {
        Found { files: 0, against: Against::Nothing, .. } => {
            Err(Failure::NotThere(format!("no `.parquet` or `.ndjson` file lies in {}", path.display())))
        }
        found => Ok(found),
    }
}

async fn file(path: &Path, wanted: &Selection, taken: &mut Taken<'_>) -> Result<Found, Failure> {
    let name = path.display().to_string();
    let unread = |error: io::Error| Failure::run(format!("open {name}"), error);
    let mut file = File::open(path).map_err(unread)?;
    let mut begin = Vec::new();
    file.by_ref().take(4).read_to_end(&mut begin).map_err(unread)?;
    if begin == ZIP {
        return Err(Failure::NotThere(format!("{name} is a ZIP file; unpack it and name the directory")));
    }
    if begin != PARQUET {
        let results = lines_of(path, wanted, taken)?;
        return Ok(Found { files: 1, results, ..Found::default() });
    }
    let mut bytes = begin;
    file.read_to_end(&mut bytes).map_err(unread)?;
    let read = results::read_one(&name, bytes.into(), wanted, |line| taken.take(line)).await;
    read.map_err(|error| Failure::run("take in results", error))
}

fn lines_of(path: &Path, wanted: &Selection, taken: &mut Taken<'_>) -> Result<u64, Failure> {
    let name = path.display().to_string();
    let file = File::open(path).map_err(|error| Failure::run(format!("open {name}"), error))?;
    let mut results = 0;
    let read = lines::read(&name, BufReader::new(file), |line| {
        if wanted.takes(&line) {
            taken.take(line);
            results += 1;
        }
    });
    read.map_err(|error| Failure::run("take in results", error))?;
    Ok(results)
}

fn told(path: &Path, found: &Found, taken: &Taken<'_>) -> String {
    let place = path.display();
    let mut told =
        format!("Of {} files in {place}, {} results belong to its services and period.\n", found.files, found.results);
    told += &match found.against {
        Against::Nothing => {
            "No manifest lies beside them: that none of them was changed or is missing was not checked, \
             other than by the figures.\n"
                .to_owned()
        }
        Against::Index { files } => {
            format!("They are the {files} files that `files.ndjson` names, and each has the SHA-256 that it says.\n")
        }
        Against::Chain { seals, last } => format!(
            "Manifests 1 to {seals} follow each other, the last has SHA-256 {last}, and each file has the one that its manifest says.\n"
        ),
    };
    let mut aside = |count: u64, what: &str| {
        if 0 < count {
            told += &format!("{count} {what}\n");
        }
    };
    aside(taken.later, "results came in blocks that the statement did not hear, and were left aside.");
    aside(taken.unplaced, "results don't say in which block they came; they were taken for heard.");
    aside(found.unnamed, "files of results are named by nothing, and were left aside.");
    aside(found.gone, "files with results of that time are gone, as a later manifest says.");
    told
}
