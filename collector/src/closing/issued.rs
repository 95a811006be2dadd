//! An issued statement drawn up again: for the forms that are not stored, and for whoever doubts that
//! it follows from what it says it rests on.
//!
//! Whatever it is drawn up from, what comes out is what was signed, to the byte, or an error.

use super::evidence::{Evidence, REACH};
use super::issue::{IssueError, amendment};
use super::pinned::{Pinned, PinnedError};
use super::seal::{self, NotSealed, Sealed};
use super::{Document, Issue, Statement, draw_up};
use crate::evidence::LedgerEvidence;
use crate::ledger::Ledger;
use crate::ledger::LedgerError;
use crate::ledger::books::Issued;
use crate::record::chain::Noted;
use crate::render::json;
use crate::render::json::read::{NotAStatement, Origin, origin};
use rules::id::AgreementId;
use rules::time::Timestamp;

/// Why an issued statement can't be drawn up again.
#[derive(Debug, thiserror::Error)]
pub enum AgainError {
    /// What is stored is not what was signed.
    #[error("what is stored is not what was signed: {0}")]
    Sealed(#[from] NotSealed),
    /// What was signed is no statement.
    #[error("what was signed can't be read: {0}")]
    Origin(#[from] NotAStatement),
    /// It was signed without saying what it rests on.
    #[error("it does not say what it rests on")]
    Groundless,
    /// Its evidence can't be had.
    #[error(transparent)]
    Evidence(#[from] PinnedError),
    /// What the ledger added up can't be read.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// Its predecessor can't be compared with.
    #[error(transparent)]
    Amendment(#[from] IssueError),
    /// The same evidence gives something else.
    #[error("drawn up again from the same evidence it is another: line {line} is `{found}`, signed was `{signed}`")]
    Differs {
        /// Which line of the text, from 1.
        line: usize,
        /// What is signed.
        signed: String,
        /// What the evidence gives.
        found: String,
    },
}

/// Why what was noted of a record can't be had.
#[derive(Debug, thiserror::Error)]
pub enum NotedError {
    /// The ledger failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// An issued statement can't be read.
    #[error("failed to read {by}")]
    Statement {
        /// Which.
        by: String,
        /// Why.
        #[source]
        why: Box<AgainError>,
    },
}

/// An issued statement, opened.
pub struct Opened<'a> {
    issued: &'a Issued,
    before: Option<&'a Issued>,
    sealed: Sealed,
    origin: Origin,
}

impl<'a> Opened<'a> {
    /// Opens `issued`; `before` is the version it amends.
    pub fn new(issued: &'a Issued, before: Option<&'a Issued>) -> Result<Opened<'a>, AgainError> {
        let sealed = seal::open(&issued.bytes)?;
        let origin = origin(&sealed.text)?;
        Ok(Opened { issued, before, sealed, origin })
    }

    /// From when on it rests on evidence.
    pub fn rests_from(&self) -> Timestamp {
        self.origin.month.interval(&self.origin.terms.agreement.zone).from().minus(REACH)
    }

    /// Draws it up again. What the ledger has added up is quick to read, and gives the same as long as
    /// nothing came in since it was issued; otherwise it is drawn up from the very blocks that it rests
    /// on.
    pub async fn statement(&self, evidence: &LedgerEvidence) -> Result<Statement<'_>, AgainError> {
        let issue = self.origin.issue.as_ref().ok_or(AgainError::Groundless)?;
        if let Ok(statement) = self.drawn_up_from(evidence, issue).await {
            return Ok(statement);
        }
        self.drawn_up_from(&Pinned::new(evidence.ledger(), &issue.agents), issue).await
    }

    async fn drawn_up_from<E: Evidence>(&self, evidence: &E, issue: &Issue) -> Result<Statement<'_>, AgainError>
    where
        AgainError: From<E::Error>,
    {
        let Origin { terms, month, as_of, version, .. } = &self.origin;
        let mut statement = draw_up(evidence, terms, *month, *as_of).await?;
        statement.issue_as(*version, issue.clone());
        if let Some(before) = self.before {
            statement.amends = amendment(&statement, before)?;
        }
        let again = json::statement(&statement);
        if again != self.sealed.text {
            let Difference { line, signed, found } = difference(&self.sealed.text, &again);
            return Err(AgainError::Differs { line, signed, found });
        }
        statement.document = Some(Document {
            file: String::from_utf8_lossy(&self.issued.bytes).into_owned(),
            sha256: self.sealed.sha256,
            key: self.sealed.key.clone(),
        });
        Ok(statement)
    }
}

/// What `agreement`'s issued statements noted of its record.
pub async fn noted(ledger: &dyn Ledger, agreement: &AgreementId) -> Result<Vec<Noted>, NotedError> {
    let issued = ledger.issued(agreement, None).await?;
    let opened = issued.iter().map(|issued| {
        let by = format!("version {} of the statement for {}", issued.version, issued.month);
        let read = seal::open(&issued.bytes).map_err(AgainError::from);
        let origin = read.and_then(|sealed| Ok(origin(&sealed.text)?));
        let origin = origin.map_err(|why| NotedError::Statement { by: by.clone(), why: Box::new(why) })?;
        Ok(origin.issue.map(|issue| Noted { head: issue.record, by }))
    });
    opened.filter_map(Result::transpose).collect()
}

/// Where two texts part.
pub(crate) struct Difference {
    /// Which line, from 1.
    pub(crate) line: usize,
    /// What is signed.
    pub(crate) signed: String,
    /// What was found.
    pub(crate) found: String,
}

/// The first line in which `again` is not as `signed`.
pub(crate) fn difference(signed: &str, again: &str) -> Difference {
    let (mut left, mut right) = (signed.lines(), again.lines());
    let mut line = 0;
    loop {
        line += 1;
        match (left.next(), right.next()) {
            (Some(signed), Some(found)) if signed == found => {}
            (signed, found) => {
                let text = |line: Option<&str>| line.unwrap_or_default().trim().chars().take(200).collect();
                return Difference { line, signed: text(signed), found: text(found) };
            }
        }
    }
}
