//! A statement's figures reckoned again from evidence that somebody holds.

use super::given::Given;
use crate::closing::amendment::{Change, changes};
use crate::closing::issued::{Difference, difference};
use crate::closing::seal::Sealed;
use crate::closing::tree::Tree;
use crate::closing::{Document, Statement, draw_up, pinned};
use crate::command::output::print;
use crate::command::{Failure, source};
use crate::render::json;
use crate::render::json::read::Origin;
use rules::interval::Interval;
use rules::time::Timestamp;
use std::fmt::Write as _;
use std::path::Path;

/// How many differences are listed: more than anybody reads.
const DIFFERENCES_TOLD: usize = 1_000;

/// Draws the month up again from its own terms and from the results at `path`, and tells what came of it.
pub(super) async fn check(path: &Path, given: &Given, sealed: &Sealed, origin: &Origin) -> Result<(), Failure> {
    let (mut statement, read) = again(path, origin).await?;
    print(read.as_bytes())?;
    let text = json::statement(&statement);
    if text == sealed.text {
        let told = "Every figure follows from its terms and those results: drawn up from them again, it is the same to the byte.\n";
        print(told.as_bytes())?;
        statement.document = Some(Document {
            file: String::from_utf8_lossy(&given.json).into_owned(),
            sha256: sealed.sha256,
            key: sealed.key.clone(),
        });
        return print(given.check_pages(&statement)?.unwrap_or_default().as_bytes());
    }
    let tree = |text: &str| Tree::parse(text).map_err(|error| Failure::run("compare the figures", error));
    let found = changes(&tree(&sealed.text)?, &tree(&text)?);
    Err(Failure::No(match found.as_slice() {
        [] => {
            let Difference { line, signed, found } = difference(&sealed.text, &text);
            format!(
                "every figure follows from its terms and the results in {}, but drawn up again line {line} is `{found}`, \
                 and the statement says `{signed}`",
                path.display()
            )
        }
        found => listed(path, found),
    }))
}

async fn again<'a>(path: &Path, origin: &'a Origin) -> Result<(Statement<'a>, String), Failure> {
    let Origin { terms, month, as_of, version, amends, issue } = origin;
    let Some(heard) = issue else { return Err(Failure::No("the statement does not say what it rests on".into())) };
    let calendar = month.interval(&terms.agreement.zone);
    let since = terms.agreement.services.iter().map(|service| pinned::since(service, calendar)).min();
    let from = since.unwrap_or(calendar.from());
    let interval = Interval::new(from, as_of.unwrap_or(Timestamp::MAX)).unwrap_or(calendar);
    let (results, read) = source::heard(path, &terms.agreement, &heard.agents, interval).await?;
    let drawn_up = draw_up(&results, terms, *month, *as_of).await;
    let mut statement = drawn_up.map_err(|error| Failure::run("draw up the statement again", error))?;
    statement.issue_as(*version, heard.clone());
    statement.amends.clone_from(amends);
    Ok((statement, read))
}

fn listed(path: &Path, found: &[Change]) -> String {
    let text = |value: &Option<String>| value.as_deref().unwrap_or("nothing").to_owned();
    let mut listed =
        format!("{} figures don't follow from its terms and the results in {}:", found.len(), path.display());
    for Change { place, before, after } in found.iter().take(DIFFERENCES_TOLD) {
        let _ = write!(listed, "\n  {place}: the statement says {}, the results say {}", text(before), text(after));
    }
    if DIFFERENCES_TOLD < found.len() {
        let _ = write!(listed, "\n  and {} more", found.len() - DIFFERENCES_TOLD);
    }
    listed
}
