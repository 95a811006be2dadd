//! Whether a record goes as far as the statement heard it, and has the statement on it.

use super::{Failure, read};
use crate::archive::bundle::entries;
use crate::closing::seal::Sealed;
use crate::record::body;
use crate::record::chain::{Noted, Walk};
use crate::render::json::read::Origin;
use rules::record::Fact;
use std::path::Path;

/// Follows the record in the file at `path` from its first entry to its last.
pub(super) fn check(path: &Path, sealed: &Sealed, origin: &Origin) -> Result<String, Failure> {
    let name = path.display();
    let issue = origin.issue.as_ref().ok_or_else(|| Failure::No("the statement does not say what it heard".into()))?;
    let by = format!("version {} of the statement for {}", origin.version, origin.month);
    let noted = [Noted { head: issue.record, by }];
    let bytes = read(path)?;
    let text = std::str::from_utf8(&bytes).map_err(|error| Failure::run(format!("read {name}"), error))?;
    let mut walk = Walk::new(&origin.terms.agreement.id, &noted);
    let mut on_record = None;
    for (index, line) in text.lines().enumerate() {
        let entry = entries::read(line).map_err(|error| Failure::run(format!("read {name}:{}", index + 1), error))?;
        walk.take(&entry).map_err(|why| Failure::No(format!("{name}: {why}")))?;
        if let Ok(Fact::Issue { month, version, sha256 }) = body::read(&entry.body)
            && (month, version, sha256) == (origin.month, origin.version, sealed.sha256)
        {
            on_record = Some(entry.number);
        }
    }
    let head = walk.end().map_err(|why| Failure::No(format!("{name}: {why}")))?;
    let Some(number) = on_record else {
        return Err(Failure::No(format!("no entry of {name} says that this statement was issued")));
    };
    Ok(format!(
        "{name}: {} entries, each follows its predecessor. The statement heard the first {}; entry {number} says that it was issued.\n",
        head.entries, issue.record.entries
    ))
}
