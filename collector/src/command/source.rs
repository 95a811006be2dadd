//! Evidence from a file of results, as `replay` and `explain --results` name it.

use super::Failure;
use crate::closing::replay::{Replayed, Results};
use crate::lines;
use rules::agreement::Agreement;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

/// Reads the results of `agreement` from the file at `path`; says on stderr how many belong to no
/// check of it.
pub(crate) fn results(path: &Path, agreement: &Agreement) -> Result<Replayed, Failure> {
    let name = path.display().to_string();
    let file = File::open(path).map_err(|error| Failure::run(format!("open {name}"), error))?;
    let mut results = Results::default();
    let taken = lines::read(&name, BufReader::new(file), |line| results.take(line));
    let read = taken.map_err(|error| Failure::run("take in results", error))?;
    let replayed = results.fold(agreement);
    if 0 < replayed.ignored {
        eprintln!("{} of {read} results belong to no check of agreement {}; ignored", replayed.ignored, agreement.id);
    }
    Ok(replayed)
}
