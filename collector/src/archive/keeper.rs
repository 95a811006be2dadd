//! The collector's task that keeps the archive: seal, verify, forget, in that order, again and again;
//! once a day it disposes of what is over, and tidies up; at once it erases what must be gone.
//!
//! It stands in nobody's way: a round that fails is counted and told, evidence stays in the ledger,
//! and the next round goes on from what the books say. Two collectors may keep one archive.

use super::counts::Counts;
use super::deletion::Deletions;
use super::seal::{Promised, Sealed};
use super::{Archive, ArchiveError};
use crate::record::Record;
use config::collector::CollectorConfig;
use config::collector::evidence::{KEEP_BLOCKS_DEFAULT, SEAL_EVERY_DEFAULT};
use daemon::clock::Clock;
use daemon::error_text::whole;
use prometheus::Registry;
use rules::time::Timestamp;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// How long after a failure the next round begins, at least; up to twice as long by chance, so that
/// collectors that failed together don't come back together.
const AGAIN_AFTER: Duration = Duration::from_secs(60);
/// How often it is looked for what no longer need be kept: retentions are months.
const DISPOSE_EVERY: Duration = Duration::from_hours(24);
/// A round looks again at least so often, because the configuration may have changed.
const LOOK_EVERY: Duration = Duration::from_mins(5);

/// The task and what it needs.
pub(crate) struct Keeper {
    pub(super) archive: Arc<Archive>,
    pub(super) record: Record,
    config: watch::Receiver<Arc<CollectorConfig>>,
    pub(super) clock: Clock,
    pub(super) counts: Counts,
    /// When files were last disposed of here.
    disposed_at: Timestamp,
    pub(super) deletions: Deletions,
}

impl Keeper {
    /// A keeper of `archive` that puts disposals on `record` and counts in `registry`.
    pub(crate) fn new(
        archive: Arc<Archive>,
        record: Record,
        config: watch::Receiver<Arc<CollectorConfig>>,
        clock: Clock,
        registry: &Registry,
    ) -> Keeper {
        let (counts, deletions) = (Counts::new(registry), Deletions::default());
        Keeper { archive, record, config, clock, counts, disposed_at: Timestamp::MIN, deletions }
    }

    /// Works until `cancel`. A round that is cut short leaves at most objects that nobody names.
    pub(crate) async fn run(mut self, cancel: CancellationToken) {
        loop {
            let wait = tokio::select! {
                () = cancel.cancelled() => return,
                done = self.round() => match done {
                    Ok(due) => due,
                    Err(error) => self.failed(&error),
                },
            };
            tokio::select! {
                () = cancel.cancelled() => return,
                () = self.clock.sleep(wait) => {}
            }
        }
    }

    fn failed(&self, error: &ArchiveError) -> Duration {
        self.counts.failures.inc();
        tracing::error!(error = %whole(error), "Evidence could not be archived; it stays in the ledger");
        again_after()
    }

    /// Does what is due; says when to look again.
    pub(crate) async fn round(&mut self) -> Result<Duration, ArchiveError> {
        let config = Arc::clone(&self.config.borrow());
        let own = config.archive.as_ref();
        let every = own.map_or(SEAL_EVERY_DEFAULT, |own| own.seal_every);
        let keep = own.map_or(KEEP_BLOCKS_DEFAULT, |own| own.keep_blocks);
        self.archive.refresh().await?;
        let now = self.clock.wall();
        if self.due(every) <= now {
            self.seal_all(&config, now).await?;
        }
        self.archive.verify(now).await?;
        let forgotten = self.archive.forget(keep, now).await?;
        self.counts.forgotten.inc_by(forgotten);
        if self.disposed_at.plus(DISPOSE_EVERY) <= now {
            self.dispose(&config, now).await?;
            self.disposed_at = now;
            self.tidy(now).await;
        }
        self.counts.unsealed.set(i64::try_from(self.archive.unsealed_blocks().await?).unwrap_or(i64::MAX));
        self.counts.last_seal_seconds.set(self.archive.last_sealed_at().map_or(0, |at| at.as_millis() / 1000));
        self.counts.last_round_seconds.set(now.as_millis() / 1000);
        if let Err(error) = self.delete(&config, now).await {
            self.counts.failures.inc();
            tracing::error!(error = %whole(&error), "Data that must be gone could not be erased; trying again");
            return Ok(again_after());
        }
        let left = self.due(every).since(self.clock.wall());
        Ok(if left.is_zero() { every.min(LOOK_EVERY) } else { left.min(LOOK_EVERY) })
    }

    fn due(&self, every: Duration) -> Timestamp {
        self.archive.last_sealed_at().map_or(Timestamp::MIN, |at| at.plus(every))
    }

    /// Disposes of what no longer may or need be kept, and puts that on record.
    async fn dispose(&self, config: &CollectorConfig, now: Timestamp) -> Result<(), ArchiveError> {
        for version in config.nearest(now) {
            self.counts.disposed.inc_by(self.archive.retire(version, now).await?);
        }
        if let Some(keep) = config.archive.as_ref().and_then(|own| own.keep_unpromised) {
            let promised = Promised::by(&config.agreements);
            self.counts.disposed.inc_by(self.archive.retire_unpromised(keep, &promised, now).await?);
        }
        Ok(self.archive.account(&self.record).await?)
    }

    /// Tidies up. What nobody can tell the meaning of stays, and stands in nobody's way.
    async fn tidy(&self, now: Timestamp) {
        match self.archive.tidy(now).await {
            Ok(deleted) => self.counts.tidied.inc_by(deleted),
            Err(error) => {
                self.counts.failures.inc();
                tracing::error!(error = %whole(&error), "What a crash left in the store could not be deleted; it stays for a day");
            }
        }
    }

    async fn seal_all(&self, config: &CollectorConfig, now: Timestamp) -> Result<(), ArchiveError> {
        let promised = Promised::by(&config.agreements);
        loop {
            match self.archive.seal(&promised, now).await? {
                Sealed::Seal(number) => {
                    self.counts.seals.inc();
                    tracing::info!(seal = number, "Evidence sealed");
                    // Verified one by one, so that little is made again if one of them fails.
                    self.archive.verify(now).await?;
                }
                Sealed::Nothing | Sealed::Forestalled => return Ok(()),
            }
        }
    }
}

fn again_after() -> Duration {
    AGAIN_AFTER + AGAIN_AFTER.mul_f64(rand::random_range(0.0..1.0))
}
