//! Issues a period's statement: decides whether it is time, draws it up from evidence that stands
//! still, says how it differs from the version before, signs it and books it.
//!
//! Of several collectors that issue the same version the ledger lets one: its booking is one
//! transaction over the statement, the entry on record and the messages. An issued version is never
//! changed; what comes later makes the next one.

use super::amendment::{Amendment, changes, credit_difference};
use super::seal::{self, hash};
use super::terms::Terms;
use super::tree::Tree;
use super::{Heard, Issue, State, Statement, draw_up};
use crate::closing::evidence::Evidence as _;
use crate::evidence::LedgerEvidence;
use crate::ledger::books::Issued;
use crate::ledger::{Ledger, LedgerError};
use crate::record::chain::Head;
use crate::record::{Record, RecordError};
use crate::render::json;
use crate::signing::{KeysError, signer};
use config::collector::CollectorConfig;
use rules::agreement::{Agreement, Service};
use rules::id::AgentId;
use rules::interval::Interval;
use rules::period::Month;
use rules::time::Timestamp;
use std::collections::BTreeMap;
use std::time::Duration;

/// More blocks than an agent sends while a month is drawn up; if there are more, it is catching up.
const BLOCKS_MEANWHILE_MAX: usize = 256;

/// Why a statement could not be issued: the world's errors.
#[derive(Debug, thiserror::Error)]
pub enum IssueError {
    /// The ledger failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The record can't be read or written.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// There is no key to sign with.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// The version before can't be compared with.
    #[error("failed to compare with version {version} of {month}: what is stored is no JSON")]
    Predecessor {
        /// Of which period.
        month: Month,
        /// Which version.
        version: u32,
        /// What is wrong with it.
        #[source]
        source: serde_json::Error,
    },
}

/// What became of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Prepared {
    /// It is signed and ready to be booked.
    Ready(Box<Issued>),
    /// No figure differs from the version before.
    Unchanged,
    /// It can't be issued yet.
    NotYet(Wait),
}

/// What an issue waits for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Wait {
    /// A version of the agreement that is in force in the period.
    Agreement,
    /// The period's end.
    PeriodEnd,
    /// These agents' evidence, or the end of the grace; none are named if nobody sent any.
    Evidence(Vec<AgentId>),
    /// The end of an outage that began in the period, or the end of the grace.
    OutageEnd,
    /// Evidence for the period came in while it was drawn up: the next try will have it.
    Standstill,
    /// For nothing: the version before is written in another format, and figures of two formats can't be
    /// compared.
    Format {
        /// The version.
        version: u32,
        /// Its format.
        found: u32,
    },
    /// For nothing: evidence of the period was erased, so the version that was issued before stays the last.
    Erased {
        /// The version.
        version: u32,
    },
}

/// Whether the next version is asked for by a person.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wish {
    /// The collector does it by itself.
    Due,
    /// A person wants what is known now, without waiting for the end of an outage.
    Now,
}

/// Whether what was heard is all there is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Settled {
    /// It is.
    Still,
    /// More came in that matters.
    Moved,
}

/// What an issue is made of.
pub struct Desk<'a> {
    /// Where it is booked, and where blocks are counted.
    pub ledger: &'a dyn Ledger,
    /// What it is drawn up from.
    pub evidence: &'a LedgerEvidence,
    /// What people put on record.
    pub record: &'a Record,
    /// The agreements, and where the signing keys are.
    pub config: &'a CollectorConfig,
}

impl Desk<'_> {
    /// Prepares the next version of `month` under `terms`, whose record was heard up to its head
    /// `record`; `before` is the newest version that was issued.
    pub async fn prepare(
        &self,
        terms: &Terms,
        record: Head,
        month: Month,
        before: Option<&Issued>,
        now: Timestamp,
        wish: Wish,
    ) -> Result<Prepared, IssueError> {
        let agreement = &terms.agreement;
        let calendar = month.interval(&agreement.zone);
        let grace_ends = calendar.until().plus(terms.grace);
        let mut agents = self.heard(agreement, calendar).await?;
        let as_of = match as_of(calendar.until(), grace_ends, &agents, now) {
            Ok(as_of) => as_of,
            Err(wait) => return Ok(Prepared::NotYet(wait)),
        };
        let mut statement = draw_up(self.evidence, terms, month, Some(as_of)).await?;
        let ongoing = statement.services.iter().any(|of| of.reckoning.outages().any(|(outage, _)| outage.ongoing));
        if ongoing && now < grace_ends && wish == Wish::Due {
            return Ok(Prepared::NotYet(Wait::OutageEnd));
        }
        if !matches!(statement.state, State::Final { .. }) {
            return Ok(Prepared::NotYet(Wait::Standstill));
        }
        let heard_until = if ongoing { Timestamp::MAX } else { as_of };
        if self.settle(&mut agents, heard_until).await? == Settled::Moved {
            return Ok(Prepared::NotYet(Wait::Standstill));
        }
        let version = before.map_or(1, |before| before.version + 1);
        statement.issue_as(version, Issue { issued_at: now, record, agents });
        if let Some(before) = before {
            let Some(amends) = amendment(&statement, before)? else { return Ok(Prepared::Unchanged) };
            statement.amends = Some(amends);
        }
        self.signed(&statement, now).await
    }

    async fn signed(&self, statement: &Statement<'_>, now: Timestamp) -> Result<Prepared, IssueError> {
        let text = json::statement(statement);
        let key = signer(self.ledger, &self.config.closing.keys, now).await?;
        Ok(Prepared::Ready(Box::new(Issued {
            agreement: statement.agreement.id.clone(),
            month: statement.month,
            version: statement.version,
            issued_at: now,
            sha256: hash(&text),
            bytes: seal::seal(&text, &key).into_bytes(),
        })))
    }

    /// How much of each agent that looks at a service with time in the month is committed.
    async fn heard(&self, agreement: &Agreement, calendar: Interval) -> Result<BTreeMap<AgentId, Heard>, LedgerError> {
        let mut heard = BTreeMap::new();
        for service in agreement.services.iter().filter(|service| has_time(service, calendar)) {
            for watermark in self.evidence.watermarks(service).await? {
                let agent = watermark.agent;
                let blocks = self.evidence.blocks_of(&agent);
                let complete_until = (watermark.complete_until != Timestamp::MIN).then_some(watermark.complete_until);
                heard.insert(agent, Heard { blocks, complete_until, ..Heard::default() });
            }
        }
        Ok(heard)
    }

    /// Finds out whether evidence from before `until` came in after what was heard, and if none did, how
    /// far each lane was heard. Lanes are read first: whatever moved one of them since is then among
    /// the blocks that are read.
    async fn settle(&self, agents: &mut BTreeMap<AgentId, Heard>, until: Timestamp) -> Result<Settled, LedgerError> {
        let lanes = self.ledger.lanes().await?;
        for (agent, heard) in agents {
            let since = self.ledger.blocks_from(agent, heard.blocks, BLOCKS_MEANWHILE_MAX).await?;
            let matters = since.iter().any(|block| block.span.is_some_and(|(first, _)| first < until));
            if matters || since.len() == BLOCKS_MEANWHILE_MAX {
                return Ok(Settled::Moved);
            }
            let own = lanes.iter().filter(|lane| lane.agent == *agent);
            heard.lanes = own.map(|lane| (lane.incarnation, lane.next_seq)).collect();
            for block in &since {
                heard.lanes.entry(block.incarnation).and_modify(|until| *until = block.seq.min(*until));
            }
        }
        Ok(Settled::Still)
    }
}

fn has_time(service: &Service, calendar: Interval) -> bool {
    let promised = Interval::new(service.from.unwrap_or(Timestamp::MIN), service.until.unwrap_or(Timestamp::MAX));
    promised.and_then(|promised| promised.intersection(calendar)).is_some()
}

/// The instant up to which a final statement hears evidence: so far, every agent that is waited for
/// has sent all of it, and what comes in meanwhile is later.
fn as_of(
    end: Timestamp,
    grace_ends: Timestamp,
    agents: &BTreeMap<AgentId, Heard>,
    now: Timestamp,
) -> Result<Timestamp, Wait> {
    if now < end {
        return Err(Wait::PeriodEnd);
    }
    let complete = agents.values().filter_map(|heard| heard.complete_until).filter(|until| end <= *until);
    let complete = complete.min().map(|until| until.plus(Duration::from_millis(1)));
    let late = |heard: &Heard| heard.complete_until.is_none_or(|until| until < end);
    let late: Vec<AgentId> = agents.iter().filter(|(_, heard)| late(heard)).map(|(agent, _)| agent.clone()).collect();
    match complete {
        Some(until) if late.is_empty() => Ok(until),
        _ if now < grace_ends => Err(Wait::Evidence(late)),
        complete => Ok(complete.unwrap_or(grace_ends).max(grace_ends)),
    }
}

/// How `statement` differs from the version before it; nothing if no figure does.
pub(super) fn amendment(statement: &Statement<'_>, before: &Issued) -> Result<Option<Amendment>, IssueError> {
    let stored = String::from_utf8_lossy(&before.bytes);
    let predecessor = |source| IssueError::Predecessor { month: before.month, version: before.version, source };
    let earlier = Tree::parse(&stored).map_err(predecessor)?;
    let later = Tree::parse(&json::statement(statement)).expect("what is rendered as JSON is JSON");
    let changes = changes(&earlier, &later);
    Ok((!changes.is_empty()).then(|| Amendment {
        predecessor: before.version,
        sha256: before.sha256,
        credit_difference: credit_difference(&earlier, &later),
        changes,
    }))
}
