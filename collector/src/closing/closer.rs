//! Closes periods by itself: issues what is final, and amends what late evidence, the record or a
//! corrected agreement changed.
//!
//! Every collector runs one; the ledger lets one of them issue a version. A period is amended at most
//! once a day, so that evidence that comes in piece by piece makes one new version and not a hundred;
//! whoever can't wait asks for it (`nines-collector amend`). Periods further back than
//! [`MONTHS_BACK`] are amended only when asked for.

use super::issue::{Desk, IssueError, Prepared, Wait, Wish};
use super::terms::Terms;
use crate::closing::evidence::Evidence as _;
use crate::evidence::LedgerEvidence;
use crate::ledger::books::Issued;
use crate::ledger::{Ledger, LedgerError};
use crate::notify::booking::telling;
use crate::record::{Before, Draft, Record, RecordError};
use crate::render::json::FORMAT;
use crate::render::json::read::format;
use config::collector::CollectorConfig;
use daemon::clock::Clock;
use daemon::error_text::whole;
use rules::agreement::Agreement;
use rules::id::AgreementId;
use rules::period::Month;
use rules::record::{Fact, is_erased_since};
use rules::run::Run;
use rules::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// How many closed periods are looked after: a customer has that long to find fault with one.
pub const MONTHS_BACK: usize = 3;
/// From one look at what is not yet issued to the next.
const LOOK_EVERY: Duration = Duration::from_secs(60);
/// From one version of a period to the next, and from one look for late evidence to the next.
const AMEND_EVERY: Duration = Duration::from_secs(24 * 3600);
/// In whose name the collector records what it does of itself.
const OWN_NAME: &str = "nines";
/// How often a booking that collided is tried again at once.
const TRIES_MAX: u32 = 3;

/// Closes periods until it is told to stop.
pub struct Closer {
    ledger: Arc<dyn Ledger>,
    evidence: LedgerEvidence,
    record: Record,
    config: watch::Receiver<Arc<CollectorConfig>>,
    clock: Clock,
    /// When each period is looked at again.
    due: BTreeMap<(AgreementId, Month), Timestamp>,
}

/// What a look at a period came to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Closed {
    /// A version was issued.
    Issued(Box<Issued>),
    /// The newest version still says what is so.
    Unchanged,
    /// It can't be issued yet.
    NotYet(Wait),
    /// Another collector was faster, again and again.
    Outrun,
}

impl Closer {
    /// A closer of the periods of `config`'s agreements.
    pub fn new(
        ledger: Arc<dyn Ledger>,
        evidence: LedgerEvidence,
        record: Record,
        config: watch::Receiver<Arc<CollectorConfig>>,
        clock: Clock,
    ) -> Closer {
        Closer { ledger, evidence, record, config, clock, due: BTreeMap::new() }
    }

    /// Looks every minute until `cancel`.
    pub async fn run(mut self, cancel: CancellationToken) {
        loop {
            tokio::select! {
                () = cancel.cancelled() => return,
                () = self.clock.sleep(LOOK_EVERY) => {}
            }
            // A look is not cut off: what is signed should be booked.
            self.round(&cancel).await;
        }
    }

    /// Looks once at every period that is due, until `cancel`.
    pub async fn round(&mut self, cancel: &CancellationToken) {
        let config = Arc::clone(&self.config.borrow());
        let now = self.clock.wall();
        let periods = periods(&config, now);
        self.due.retain(|period, _| periods.contains(period));
        for period in periods {
            if cancel.is_cancelled() {
                return;
            }
            if self.due.get(&period).is_some_and(|due| now < *due) {
                continue;
            }
            let (agreement, month) = &period;
            match self.look(&config, agreement, *month, now).await {
                Ok(due) => drop(self.due.insert(period, due)),
                Err(error) => {
                    tracing::error!(%agreement, %month, error = whole(&error), "Statement could not be issued");
                }
            }
        }
    }

    /// Issues or amends one period if it is time, and says when to look again.
    async fn look(
        &self,
        config: &CollectorConfig,
        agreement: &AgreementId,
        month: Month,
        now: Timestamp,
    ) -> Result<Timestamp, IssueError> {
        let issued = self.ledger.issued(agreement, Some(month)).await?;
        if let Some(newest) = issued.last() {
            let earliest = newest.issued_at.plus(AMEND_EVERY);
            if now < earliest {
                return Ok(earliest);
            }
        } else if !self.was_heard(config, agreement, month).await? {
            return Ok(now.plus(AMEND_EVERY));
        }
        let Closer { ledger, evidence, record, .. } = self;
        let desk = Desk { ledger: &**ledger, evidence, record, config };
        let closed = close(&desk, (agreement, month), now, Wish::Due).await?;
        Ok(match closed {
            Closed::Issued(issued) => {
                let (version, key) = (issued.version, crate::digest::hex(&issued.sha256));
                tracing::info!(%agreement, %month, version, sha256 = key, "Statement issued");
                now.plus(AMEND_EVERY)
            }
            Closed::Unchanged => now.plus(AMEND_EVERY),
            Closed::NotYet(_) | Closed::Outrun => now.plus(LOOK_EVERY),
        })
    }

    /// Whether there is anything to state: evidence from the period, or a statement for it or for
    /// another one. A collector that is new signs nothing about the time before it.
    async fn was_heard(
        &self,
        config: &CollectorConfig,
        agreement: &AgreementId,
        month: Month,
    ) -> Result<bool, LedgerError> {
        let Some(version) = in_force(config, agreement, month) else { return Ok(false) };
        let calendar = month.interval(&version.zone);
        for service in &version.services {
            let seen = self.evidence.series(service, calendar).await?;
            let mut runs = seen.iter().flat_map(|seen| &seen.runs).filter_map(Run::interval);
            if runs.any(|run| run.intersection(calendar).is_some()) {
                return Ok(true);
            }
        }
        Ok(self.ledger.issued(agreement, None).await?.iter().any(|issued| issued.month < month))
    }
}

/// The closed periods that are looked after.
fn periods(config: &CollectorConfig, now: Timestamp) -> BTreeSet<(AgreementId, Month)> {
    let of_agreement = |agreement: &Agreement| {
        let running = Month::containing(now, &agreement.zone);
        let closed = std::iter::successors(Some(running.previous()), |month| Some(month.previous()));
        let id = agreement.id.clone();
        closed.take(MONTHS_BACK).map(move |month| (id.clone(), month)).collect::<Vec<_>>()
    };
    let all = config.agreements.iter().flat_map(of_agreement);
    all.filter(|(agreement, month)| in_force(config, agreement, *month).is_some()).collect()
}

fn in_force<'a>(config: &'a CollectorConfig, agreement: &AgreementId, month: Month) -> Option<&'a Agreement> {
    config.agreements.iter().find(|version| version.id == *agreement && version.is_in_force(month))
}

/// Issues the next version of a period, if there is one to issue.
pub async fn close(
    desk: &Desk<'_>,
    (agreement, month): (&AgreementId, Month),
    now: Timestamp,
    wish: Wish,
) -> Result<Closed, IssueError> {
    for _ in 0..TRIES_MAX {
        let (entries, record) = desk.record.heard(agreement);
        let Some(terms) = Terms::of(desk.config, &entries, agreement, month) else {
            return Ok(Closed::NotYet(Wait::Agreement));
        };
        let issued = desk.ledger.issued(agreement, Some(month)).await?;
        if let Some(newest) = issued.last()
            && is_erased_since(&entries, month.interval(&terms.agreement.zone).from())
        {
            return Ok(Closed::NotYet(Wait::Erased { version: newest.version }));
        }
        if let Some(newest) = issued.last()
            && let Ok(found) = format(&newest.bytes)
            && found != FORMAT
        {
            return Ok(Closed::NotYet(Wait::Format { version: newest.version, found }));
        }
        match desk.prepare(&terms, record, month, issued.last(), now, wish).await? {
            Prepared::Unchanged => return Ok(Closed::Unchanged),
            Prepared::NotYet(wait) => return Ok(Closed::NotYet(wait)),
            Prepared::Ready(issued) => {
                if book(desk, &terms.agreement, record.entries, &issued).await? {
                    return Ok(Closed::Issued(issued));
                }
            }
        }
    }
    Ok(Closed::Outrun)
}

/// Books an issue right after the entry that it heard last; says whether it was booked. If something
/// was put on record meanwhile, the statement must hear that too and nothing is booked.
async fn book(desk: &Desk<'_>, version_in_force: &Agreement, heard: u64, issued: &Issued) -> Result<bool, RecordError> {
    let Issued { agreement, month, version, sha256, .. } = issued;
    let fact = Fact::Issue { month: *month, version: *version, sha256: *sha256 };
    let draft = Draft { issued: Some(issued.clone()), ..Draft::fact(fact) };
    let decide = |before: Before<'_>| -> Result<Draft, RecordError> {
        if before.next != heard + 1 {
            return Ok(Draft::default());
        }
        Ok(telling(draft.clone(), before, OWN_NAME, desk.config, version_in_force))
    };
    Ok(!desk.record.append(agreement, OWN_NAME, decide).await?.is_empty())
}

#[cfg(test)]
pub(super) mod tests;
