//! What an amended statement says of the version that it takes the place of.

use super::{Failure, read};
use crate::closing::amendment::{changes, credit_difference};
use crate::closing::seal::{self, Sealed};
use crate::closing::tree::Tree;
use crate::digest::hex;
use crate::render::json::read::Origin;
use std::path::Path;

/// Compares the statement with the version at `path`, which it must name.
pub(super) fn check(path: &Path, sealed: &Sealed, origin: &Origin) -> Result<String, Failure> {
    let name = path.display();
    let before = seal::open(&read(path)?).map_err(|why| Failure::No(format!("{name}: {why}")))?;
    let Some(amends) = &origin.amends else {
        return Err(Failure::No(format!("the statement amends none, so {name} is not the version before it")));
    };
    if amends.sha256 != before.sha256 {
        let (said, found) = (hex(&amends.sha256), hex(&before.sha256));
        return Err(Failure::No(format!("the statement amends the one with SHA-256 {said}; {name} has {found}")));
    }
    let tree = |text: &str| Tree::parse(text).map_err(|error| Failure::run("compare the versions", error));
    let (earlier, later) = (tree(&before.text)?, tree(&sealed.text)?);
    if changes(&earlier, &later) != amends.changes || credit_difference(&earlier, &later) != amends.credit_difference {
        return Err(Failure::No(format!("the changes that the statement lists are not those from {name} to it")));
    }
    Ok(format!(
        "It amends {name}, and the {} figures that it says have changed are those that did.\n",
        amends.changes.len()
    ))
}
