//! Copies of a period's statement: whoever asks, in whatever form, gets what was issued.
//!
//! The JSON form of an issued version is given as it is stored, byte for byte. Its other forms are
//! drawn up again, and given only if that comes to what was signed. Only a period of which nothing was
//! issued is drawn up as it is known now, or one whose next version is asked for. Nothing is signed
//! or booked here.

use super::issue::{IssueError, amendment};
use super::issued::{AgainError, Opened};
use super::pinned::PinnedError;
use super::terms::Terms;
use super::{Statement, draw_up};
use crate::evidence::LedgerEvidence;
use crate::ledger::books::Issued;
use crate::ledger::{Ledger, LedgerError};
use crate::record::Record;
use crate::render::pdf::PdfError;
use config::collector::CollectorConfig;
use rules::id::AgreementId;
use rules::period::Month;
use rules::record::{Disposal, Entry, Fact, Ground};
use rules::time::Timestamp;
use std::sync::Arc;

/// Which of a period's statements is asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Asked {
    /// The newest version that was issued; what is known now if none was.
    Newest,
    /// This version.
    Version(u32),
    /// What is known now, whatever was issued: what an amendment would say.
    Draft,
}

/// Why there is no copy.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// The ledger failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// No such version was issued.
    #[error("{agreement} {month} has no version {version}; {issued} were issued")]
    NoVersion {
        /// Whose.
        agreement: AgreementId,
        /// Of which period.
        month: Month,
        /// Which was asked for.
        version: u32,
        /// How many there are.
        issued: usize,
    },
    /// There is nothing to draw it up under.
    #[error("no version of {agreement} is in force in {month}")]
    NotInForce {
        /// Whose.
        agreement: AgreementId,
        /// In which period.
        month: Month,
    },
    /// The evidence of an issued version is no longer there.
    #[error(
        "the evidence that version {version} of {month} rests on is no longer kept{since}; its JSON form is still there as it was signed, and its other forms can't be drawn up again"
    )]
    Gone {
        /// Of which period.
        month: Month,
        /// Which version.
        version: u32,
        /// Since when, and why, as far as it is on record.
        since: String,
        /// What was missing.
        #[source]
        source: AgainError,
    },
    /// An issued version could not be drawn up again.
    #[error("version {version} of {month} could not be drawn up again; its JSON form is there as it was signed")]
    Again {
        /// Of which period.
        month: Month,
        /// Which version.
        version: u32,
        /// Why.
        #[source]
        source: AgainError,
    },
    /// What an amendment would change can't be said.
    #[error(transparent)]
    Amendment(#[from] IssueError),
    /// The pages could not be printed.
    #[error(transparent)]
    Pages(#[from] PdfError),
}

/// Where copies are made from.
#[derive(Clone, Copy)]
pub struct Copies<'a> {
    /// Where what was issued is kept.
    pub ledger: &'a dyn Ledger,
    /// What people put on record.
    pub record: &'a Record,
    /// The agreements.
    pub config: &'a CollectorConfig,
}

impl Copies<'_> {
    /// Finds what is asked for of a period; `now` is the instant that a draft is drawn up at.
    pub async fn find(
        &self,
        agreement: &AgreementId,
        month: Month,
        asked: Asked,
        now: Timestamp,
    ) -> Result<Original, CopyError> {
        let versions = self.ledger.issued(agreement, Some(month)).await?;
        let record = self.record.entries(agreement);
        let basis = match asked {
            Asked::Newest if !versions.is_empty() => Basis::Version(versions.len() - 1),
            Asked::Version(version) => {
                let place = versions.iter().position(|issued| issued.version == version);
                let none =
                    || CopyError::NoVersion { agreement: agreement.clone(), month, version, issued: versions.len() };
                Basis::Version(place.ok_or_else(none)?)
            }
            Asked::Newest | Asked::Draft => {
                let terms = Terms::of(self.config, &record, agreement, month);
                let terms = terms.ok_or_else(|| CopyError::NotInForce { agreement: agreement.clone(), month })?;
                Basis::Draft { terms: Box::new(terms), now }
            }
        };
        Ok(Original { month, versions, record, basis })
    }
}

/// What a copy is made of, and what else was issued of the period.
pub struct Original {
    month: Month,
    versions: Vec<Issued>,
    record: Arc<Vec<Entry>>,
    basis: Basis,
}

enum Basis {
    /// The place among the versions.
    Version(usize),
    Draft {
        terms: Box<Terms>,
        now: Timestamp,
    },
}

impl Original {
    /// The version that was found; nothing if it is a draft.
    pub fn issued(&self) -> Option<&Issued> {
        match self.basis {
            Basis::Version(place) => self.versions.get(place),
            Basis::Draft { .. } => None,
        }
    }

    /// All versions of the period that were issued, the first first.
    pub fn versions(&self) -> &[Issued] {
        &self.versions
    }

    /// Draws it up and lets `read` read it.
    pub async fn read<R>(
        &self,
        evidence: &LedgerEvidence,
        read: impl FnOnce(&Statement<'_>) -> R,
    ) -> Result<R, CopyError> {
        match &self.basis {
            Basis::Version(place) => {
                let issued = &self.versions[*place];
                let before = place.checked_sub(1).map(|before| &self.versions[before]);
                let (month, version) = (self.month, issued.version);
                let unread = |source| CopyError::Again { month, version, source };
                let opened = Opened::new(issued, before).map_err(unread)?;
                let failed = |source| self.failed(version, opened.rests_from(), source);
                Ok(read(&opened.statement(evidence).await.map_err(failed)?))
            }
            Basis::Draft { terms, now } => {
                let mut statement = draw_up(evidence, terms, self.month, Some(*now)).await?;
                if let Some(newest) = self.versions.last() {
                    statement.version = newest.version + 1;
                    statement.amends = amendment(&statement, newest)?;
                }
                Ok(read(&statement))
            }
        }
    }

    /// Why a version can't be drawn up again. Erased results are read as if they had never been, so
    /// that they are gone is for the record to say.
    fn failed(&self, version: u32, rests_from: Timestamp, source: AgainError) -> CopyError {
        let month = self.month;
        let disposals = self.record.iter().rev().filter_map(|entry| Some((entry.recorded_at, disposal(entry)?)));
        let disposal = disposals.into_iter().find(|(_, disposal)| rests_from < disposal.until);
        let is_gone = match &source {
            AgainError::Evidence(PinnedError::Forgotten { .. } | PinnedError::Ledger(LedgerError::Gone { .. })) => true,
            AgainError::Differs { .. } => disposal.is_some(),
            AgainError::Sealed(_)
            | AgainError::Origin(_)
            | AgainError::Groundless
            | AgainError::Evidence(PinnedError::Ledger(_))
            | AgainError::Ledger(_)
            | AgainError::Amendment(_) => false,
        };
        if !is_gone {
            return CopyError::Again { month, version, source };
        }
        let since = disposal.map_or_else(String::new, |(at, of)| match of.ground {
            Ground::Erasure => format!(": it was erased at {at}"),
            Ground::Standing => format!(": it was erased at {at} because of the customer's standing"),
            Ground::Retention | Ground::Returned => format!(": its retention was over at {at}"),
        });
        CopyError::Gone { month, version, since, source }
    }
}

/// What took evidence away.
fn disposal(entry: &Entry) -> Option<&Disposal> {
    match &entry.fact {
        Fact::Disposal(disposal) if disposal.ground != Ground::Returned => Some(disposal),
        Fact::Disposal(_)
        | Fact::Exclusion { .. }
        | Fact::Withdrawal { .. }
        | Fact::Approval { .. }
        | Fact::Refusal { .. }
        | Fact::Incident { .. }
        | Fact::Effort(_)
        | Fact::Standing(_)
        | Fact::Issue { .. } => None,
    }
}

#[cfg(test)]
mod tests;
