//! From a statement's JSON back to what it was drawn up from: its terms, its period, the evidence that
//! was heard. The figures themselves are never read back; they are reckoned again.

use super::terms::{NotTerms, TermsView};
use super::{AmendmentView, ChangeView, FORMAT, IssueView};
use crate::archive::digest::{Digest, NotADigest};
use crate::closing::amendment::{Amendment, Change};
use crate::closing::terms::Terms;
use crate::closing::{Heard, Issue};
use crate::record::chain;
use rules::id::NotAName;
use rules::period::{Month, NotAMonth};
use rules::time::{NotAnInstant, Timestamp};
use serde::Deserialize;
use std::collections::BTreeMap;

/// What a statement was drawn up from.
#[derive(Clone, PartialEq, Debug)]
pub struct Origin {
    /// The terms.
    pub terms: Terms,
    /// The period.
    pub month: Month,
    /// The instant up to which evidence was heard.
    pub as_of: Option<Timestamp>,
    /// Which version of the period's statement it is.
    pub version: u32,
    /// How it says that it differs from the version before it.
    pub amends: Option<Amendment>,
    /// When it was issued, and which evidence was heard.
    pub issue: Option<Issue>,
}

/// Why a text is no statement.
#[derive(Debug, thiserror::Error)]
pub enum NotAStatement {
    /// It lacks what every statement has, or has it otherwise.
    #[error("it has not the shape of a statement: {0}")]
    Shape(#[from] serde_json::Error),
    /// It is written as another version of the program writes.
    #[error(
        "it is written in format {found}, and this program reads format {FORMAT}; use the version of nines that wrote it"
    )]
    Format {
        /// Which it is.
        found: u32,
    },
    /// Its terms can't be.
    #[error("its terms can't be read: {0}")]
    Terms(#[from] NotTerms),
    /// Its period is none.
    #[error("its period: {0}")]
    Month(#[from] NotAMonth),
    /// An instant of it is none.
    #[error("{0}")]
    Instant(#[from] NotAnInstant),
    /// A hash that it names is none.
    #[error("its `record_sha256` or the `sha256` that it amends: {0}")]
    Digest(#[from] NotADigest),
    /// An agent's name is none.
    #[error("an agent of it: {0}")]
    Name(#[from] NotAName),
}

/// What is the same in every format.
#[derive(Deserialize)]
struct Written {
    statement: Format,
}

#[derive(Deserialize)]
struct Format {
    /// None: from before formats were numbered.
    #[serde(default)]
    format: u32,
}

#[derive(Deserialize)]
struct Document {
    statement: Head,
    terms: TermsView,
    amends: Option<AmendmentView>,
    issue: Option<IssueView>,
}

#[derive(Deserialize)]
struct Amended {
    amends: Option<AmendmentView>,
}

#[derive(Deserialize)]
struct Head {
    period: String,
    as_of: Option<String>,
    version: u32,
}

/// Reads what the statement `text` was drawn up from.
pub fn origin(text: &str) -> Result<Origin, NotAStatement> {
    let found = format(text.as_bytes())?;
    if found != FORMAT {
        return Err(NotAStatement::Format { found });
    }
    let Document { statement, terms, amends, issue } = serde_json::from_str(text)?;
    Ok(Origin {
        terms: terms.terms()?,
        month: statement.period.parse()?,
        as_of: instant(statement.as_of.as_deref())?,
        version: statement.version,
        amends: amends.map(read_amendment).transpose()?,
        issue: issue.map(read_issue).transpose()?,
    })
}

/// In which format the statement `text` is written.
pub fn format(text: &[u8]) -> Result<u32, NotAStatement> {
    let Written { statement: Format { format } } = serde_json::from_slice(text)?;
    Ok(format)
}

/// How the statement `text` says that it differs from the version before it; nothing of a first one.
pub fn amendment(text: &[u8]) -> Result<Option<Amendment>, NotAStatement> {
    let Amended { amends } = serde_json::from_slice(text)?;
    amends.map(read_amendment).transpose()
}

fn instant(text: Option<&str>) -> Result<Option<Timestamp>, NotAnInstant> {
    text.map(str::parse).transpose()
}

fn read_issue(view: IssueView) -> Result<Issue, NotAStatement> {
    let hash: Digest = view.record_sha256.parse()?;
    let record = chain::Head { entries: view.record, hash: hash.0 };
    let mut issue = Issue { issued_at: view.issued_at.parse()?, record, agents: BTreeMap::new() };
    for heard in view.agents {
        let complete_until = instant(heard.complete_until.as_deref())?;
        let lanes = heard.lanes.iter().map(|lane| (lane.incarnation, lane.until_seq)).collect();
        issue.agents.insert(heard.agent.parse()?, Heard { blocks: heard.blocks, lanes, complete_until });
    }
    Ok(issue)
}

fn read_amendment(view: AmendmentView) -> Result<Amendment, NotAStatement> {
    let sha256: Digest = view.sha256.parse()?;
    let change = |ChangeView { place, before, after }| Change { place, before, after };
    Ok(Amendment {
        predecessor: view.version,
        sha256: sha256.0,
        changes: view.changes.into_iter().map(change).collect(),
        credit_difference: view.credit_difference,
    })
}
