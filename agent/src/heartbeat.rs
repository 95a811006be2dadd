//! Jobs that report when they run: takes their reports, and notices when none comes.
//!
//! [`rules::heartbeat`] says what each report and each silence comes to; this keeps the jobs'
//! states, over restarts too, and hands results to the spool. It never looks at anything, and the
//! scheduler has no part in these checks. One task owns all states; reports reach it as messages.

mod door;
mod kept;

pub(crate) use door::routes;

use crate::metrics::heartbeat::Figures;
use crate::orders::{Key, Orders, Standing};
use crate::vantage::Vantage;
use kept::{Kept, Resting};
use rules::check::{HeartbeatTarget, Target};
use rules::evidence::{Evidence, Failure, Fault, Said};
use rules::heartbeat::{Job, Judged, Report, Settled};
use rules::outcome::{Cause, Outcome};
use rules::time::Timestamp;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;

/// Reports that may wait, and that share one write of the states.
const REPORTS_MAX: usize = 256;
/// The longest sleep: how soon it is noticed that the agent was away.
const LOOK_EVERY: Duration = Duration::from_secs(15);
/// How old the states on disk get while a run is awaited: what a crash makes the agent forget of
/// its own presence is less than what breaks a run's sight.
const KEEP_EVERY: Duration = Duration::from_secs(30);

/// Watches the jobs.
pub(crate) struct Heartbeats {
    vantage: Arc<Vantage>,
    orders: watch::Receiver<Arc<Orders>>,
    reports: mpsc::Receiver<Reported>,
    jobs: BTreeMap<Key, Watched>,
    resting: Resting,
    kept: Kept,
    kept_at: Timestamp,
    figures: Figures,
}

/// A job and the check that it is.
struct Watched {
    job: Job,
    standing: Arc<Standing>,
}

/// A report on its way to the one who owns the states.
pub(crate) struct Reported {
    key: Key,
    report: Report,
    text: Said,
    reply: oneshot::Sender<Taken>,
}

/// What became of a report.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Taken {
    /// It is on disk.
    Yes,
    /// No such job is awaited here.
    Unknown,
    /// It counts, and the disk did not take it.
    NotKept,
}

/// Reads what was kept in `dir`; the other end is where reports go.
pub(crate) fn open(
    vantage: Arc<Vantage>,
    mut orders: watch::Receiver<Arc<Orders>>,
    dir: &Path,
) -> (Heartbeats, mpsc::Sender<Reported>) {
    let (sender, reports) = mpsc::channel(REPORTS_MAX);
    let (kept, resting) = kept::open(dir);
    let figures = Figures::new(&vantage.metrics.registry);
    orders.mark_changed();
    let (jobs, kept_at) = (BTreeMap::new(), Timestamp::MIN);
    (Heartbeats { vantage, orders, reports, jobs, resting, kept, kept_at, figures }, sender)
}

impl Heartbeats {
    /// Works until `stop`.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        let clock = self.vantage.clock.clone();
        let mut reported = Vec::with_capacity(REPORTS_MAX);
        loop {
            let wake_at = self.wake_at();
            let changed = tokio::select! {
                () = stop.cancelled() => break,
                changed = self.orders.changed() => changed.is_ok(),
                () = clock.sleep_until(wake_at) => false,
                // Without a listener nobody reports, and silence is told all the same.
                _ = self.reports.recv_many(&mut reported, REPORTS_MAX), if !self.reports.is_closed() => false,
            };
            let now = self.vantage.time.now().at;
            let mut is_news = false;
            if changed {
                self.assign(now);
                is_news = true;
            }
            is_news |= self.advance(now).await;
            let mut replies = Vec::with_capacity(reported.len());
            for Reported { key, report, text, reply } in reported.drain(..) {
                let taken = self.report(&key, report, text, now).await;
                is_news |= taken == Taken::Yes;
                replies.push((reply, taken));
            }
            let is_kept = !(is_news || self.grows_old(now)) || self.keep(now).await;
            for (reply, taken) in replies {
                let taken = if taken == Taken::Yes && !is_kept { Taken::NotKept } else { taken };
                // Whoever reported may have gone.
                let _ = reply.send(taken);
            }
        }
        let now = self.vantage.time.now().at;
        self.advance(now).await;
        self.keep(now).await;
    }

    fn wake_at(&self) -> Duration {
        let latest = self.vantage.clock.boot() + LOOK_EVERY;
        let next = self.jobs.values().map(|watched| watched.job.next_deadline()).min();
        next.map_or(latest, |next| self.vantage.time.boot_at(next).min(latest))
    }

    /// Takes over what stands now. A job that stays keeps its state, and so does one that comes back.
    fn assign(&mut self, now: Timestamp) {
        let orders = Arc::clone(&self.orders.borrow_and_update());
        for (key, watched) in std::mem::take(&mut self.jobs) {
            self.figures.forget(&key);
            self.resting.put(key, &watched.job);
        }
        for (key, standing) in &orders.standing {
            let Target::Heartbeat(target) = &standing.assignment.check.target else { continue };
            let job = self.resting.take(key, target, now);
            self.figures.show(key, &job);
            self.jobs.insert(key.clone(), Watched { job, standing: Arc::clone(standing) });
        }
        self.resting.age(now);
    }

    /// Tells what silence came to; whether it came to anything.
    async fn advance(&mut self, now: Timestamp) -> bool {
        let mut is_news = false;
        for (key, watched) in &mut self.jobs {
            let before = watched.job.next_due();
            while let Some(judged) = watched.job.advance(now) {
                is_news = true;
                let said = Said::new(match judged.result.outcome {
                    Outcome::Down(Cause::Timeout) => "the run did not end in time",
                    Outcome::Down(_) | Outcome::Up | Outcome::Void(_) => "no run reported success in time",
                });
                self.figures.count(key, judged.run);
                record(&self.vantage, watched, judged, said).await;
            }
            if watched.job.next_due() != before {
                is_news = true;
                self.figures.show(key, &watched.job);
            }
        }
        is_news
    }

    async fn report(&mut self, key: &Key, report: Report, text: Said, now: Timestamp) -> Taken {
        let Some(watched) = self.jobs.get_mut(key) else { return Taken::Unknown };
        if let Some(judged) = watched.job.report(report, now) {
            self.figures.count(key, judged.run);
            record(&self.vantage, watched, judged, text).await;
        }
        self.figures.show(key, &watched.job);
        Taken::Yes
    }

    /// Whether the states on disk say too little of how long the agent was there.
    fn grows_old(&self, now: Timestamp) -> bool {
        let is_open = |job: &Job| job.state().settled == Settled::No && job.state().opens_at <= now;
        KEEP_EVERY <= now.since(self.kept_at) && self.jobs.values().any(|watched| is_open(&watched.job))
    }

    /// Makes the states durable; whether that was possible.
    async fn keep(&mut self, now: Timestamp) -> bool {
        let jobs = self.jobs.iter().map(|(key, watched)| (key, &watched.job));
        let is_kept = self.kept.replace(jobs, &self.resting).await;
        if is_kept {
            self.kept_at = now;
        }
        is_kept
    }
}

/// Hands a result on as the vantage does with those of probes.
async fn record(vantage: &Vantage, watched: &Watched, judged: Judged, said: Said) {
    let (mut result, now) = (judged.result, vantage.time.now());
    if !now.is_believable_until(now) {
        result.outcome = Outcome::Void(Cause::Clock);
    }
    let failure =
        (result.outcome != Outcome::Up).then_some(Failure { fault: Fault::Unnamed, phase: None, detail: said });
    let evidence = Evidence { failure, elapsed: result.elapsed, ..Evidence::default() };
    vantage.keep(&watched.standing, &evidence, result).await;
}

/// What makes a schedule the one that a state was kept for.
fn schedule_of(target: &HeartbeatTarget) -> String {
    format!("{:?}", target.schedule)
}
