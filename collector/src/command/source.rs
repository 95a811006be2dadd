//! Evidence from a file of results, as `replay` and `explain --results` name it.

use super::Failure;
use crate::closing::replay::{Replayed, Results};
use crate::lines;
use rules::agreement::Agreement;
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

/// Reads the results of `agreement` from the file at `path`, or from every `.ndjson` file of the directory there; says on stderr how many belong to no
/// check of it.
pub(crate) fn results(path: &Path, agreement: &Agreement) -> Result<Replayed, Failure> {
    let mut results = Results::default();
    let mut read = 0;
    for path in files(path)? {
        let name = path.display().to_string();
        let file = File::open(&path).map_err(|error| Failure::run(format!("open {name}"), error))?;
        let taken = lines::read(&name, BufReader::new(file), |line| results.take(line));
        read += taken.map_err(|error| Failure::run("take in results", error))?;
    }
    let replayed = results.fold(agreement);
    if 0 < replayed.ignored {
        eprintln!("{} of {read} results belong to no check of agreement {}; ignored", replayed.ignored, agreement.id);
    }
    Ok(replayed)
}

fn files(path: &Path) -> Result<Vec<PathBuf>, Failure> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let failed = |error| Failure::run(format!("list {}", path.display()), error);
    let listed = std::fs::read_dir(path).map_err(failed)?;
    let mut files =
        listed.map(|entry| Ok(entry?.path())).collect::<Result<Vec<PathBuf>, std::io::Error>>().map_err(failed)?;
    files.retain(|file| file.extension().is_some_and(|extension| extension == "ndjson"));
    files.sort();
    if files.is_empty() {
        return Err(Failure::NotThere(format!("no `.ndjson` file lies in {}", path.display())));
    }
    Ok(files)
}
