//! What a job's reports come to: one result for each run that was due.
//!
//! A run is awaited from shortly before it is due until its deadline. Its success within that time
//! is up, its failure down; silence is down at the deadline. Whatever else is reported (a run that
//! comes late, or once more) is an extra result: evidence without weight, that turns the state.
//! A run whose time the agent did not see, because it was away, gets no result for its silence.
//!
//! Nothing here reads a clock, sleeps, or knows how reports arrive. Every step takes `now`.

use crate::check::{HeartbeatTarget, JobSchedule};
use crate::outcome::{Cause, Outcome};
use crate::result::ProbeResult;
use crate::time::Timestamp;
use core::time::Duration;

/// How much before it is due a run may report: clocks of two machines differ.
const EARLY_MAX: Duration = Duration::from_secs(60);
/// An agent that was away longer may have lost a report; clients that try again bridge less.
const AWAY_MIN: Duration = Duration::from_secs(60);
/// The wall clock was set back if it is this much before what it was.
const BACK_MIN: Duration = Duration::from_secs(1);

/// What a job reports.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Report {
    /// It has begun.
    Start,
    /// It is done.
    Success(Done),
    /// It failed.
    Failure(Done),
}

/// What a job says of a run that ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Done {
    /// How much it made.
    pub bytes: Option<u64>,
    /// How long it took, if it knows better than its reports.
    pub duration: Option<Duration>,
}

/// What became of a run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RunOutcome {
    /// It succeeded by its deadline.
    OnTime,
    /// It succeeded after its deadline, where it was counted as missed.
    Late,
    /// No success came by its deadline.
    Missed,
    /// It failed, or made too little.
    Failed,
}

impl RunOutcome {
    /// All of them, in the order of metrics and pages.
    pub const ALL: [RunOutcome; 4] = [RunOutcome::OnTime, RunOutcome::Late, RunOutcome::Missed, RunOutcome::Failed];

    /// The word used in metrics and pages.
    pub fn as_str(self) -> &'static str {
        match self {
            RunOutcome::OnTime => "on_time",
            RunOutcome::Late => "late",
            RunOutcome::Missed => "missed",
            RunOutcome::Failed => "failed",
        }
    }
}

/// A result, and what became of the run it is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Judged {
    /// What is recorded.
    pub result: ProbeResult,
    /// What is counted; nothing for a success that was told once more.
    pub run: Option<RunOutcome>,
}

/// Everything that is known of a job: what an agent keeps over its own restarts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct JobState {
    /// When the run is due that is awaited, or that was settled last.
    pub due_at: Timestamp,
    /// From when on a run that begins is that one.
    pub opens_at: Timestamp,
    /// Whether that run has its result.
    pub settled: Settled,
    /// Whether all of that run's time was seen.
    pub sight: Sight,
    /// Whether a run was missed that may still come.
    pub owed: Owed,
    /// Since when a run is under way.
    pub started_at: Option<Timestamp>,
    /// When the last success was reported.
    pub succeeded_at: Option<Timestamp>,
    /// How long the run took that succeeded last, if that is known.
    pub duration: Option<Duration>,
    /// How much it made, if it said.
    pub bytes: Option<u64>,
    /// The instant of the last result.
    pub result_at: Option<Timestamp>,
    /// Up to when the agent was there.
    pub seen_until: Timestamp,
}

/// Whether a run has its result.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Settled {
    /// It is awaited.
    No,
    /// It has its result, or gets none.
    Yes,
}

/// Whether the agent could see all reports of a run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sight {
    /// It was there.
    Whole,
    /// It was away for some of the time: silence says nothing.
    Broken,
}

/// What a job has to make good.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Owed {
    /// Nothing.
    Nothing,
    /// A run that was missed.
    Run,
}

/// A job that is watched.
#[derive(Clone, PartialEq, Debug)]
pub struct Job {
    target: HeartbeatTarget,
    state: JobState,
    /// When the run after the one of the state opens; a job without fixed times has none.
    next_opens_at: Timestamp,
    /// What opened before this may have been reported while nobody was there.
    blind_until: Timestamp,
}

impl Job {
    /// A job that nothing is known of at `now`: its next run is the first that is awaited.
    pub fn new(target: HeartbeatTarget, now: Timestamp) -> Job {
        let due_at = target.due_after(now);
        let opens_at = match target.schedule {
            JobSchedule::Cron { .. } => opening(due_at, target.due_after(due_at).since(due_at)).max(now),
            JobSchedule::Every(_) => now,
        };
        let state = JobState {
            due_at,
            opens_at,
            settled: Settled::No,
            sight: Sight::Whole,
            owed: Owed::Nothing,
            started_at: None,
            succeeded_at: None,
            duration: None,
            bytes: None,
            result_at: None,
            seen_until: now,
        };
        Job::resume(target, state)
    }

    /// A job as it was left.
    pub fn resume(target: HeartbeatTarget, state: JobState) -> Job {
        let next_opens_at = next_opening(&target, state.due_at);
        Job { target, state, next_opens_at, blind_until: Timestamp::MIN }
    }

    /// What is awaited.
    pub fn target(&self) -> &HeartbeatTarget {
        &self.target
    }

    /// What is known.
    pub fn state(&self) -> &JobState {
        &self.state
    }

    /// When a run is due next, as far as is known.
    pub fn next_due(&self) -> Timestamp {
        match self.state.settled {
            Settled::No => self.state.due_at,
            Settled::Yes => self.target.due_after(self.state.due_at),
        }
    }

    /// When [`Job::advance`] next has something to do.
    pub fn next_deadline(&self) -> Timestamp {
        match self.state.settled {
            Settled::No => self.deadline(),
            Settled::Yes => self.next_opens_at,
        }
    }

    /// Lets time pass until `now` and gives what silence came to; again, until there is no more.
    pub fn advance(&mut self, now: Timestamp) -> Option<Judged> {
        self.notice(now);
        while self.next_deadline() <= now {
            match self.state.settled {
                Settled::Yes => self.await_next(),
                Settled::No => {
                    let judged = self.give_up();
                    if judged.is_some() {
                        return judged;
                    }
                }
            }
        }
        None
    }

    /// Takes a report that came at `now`, up to which time was let pass.
    pub fn report(&mut self, report: Report, now: Timestamp) -> Option<Judged> {
        let (done, outcome) = match report {
            Report::Start => {
                self.state.started_at = Some(now);
                return None;
            }
            Report::Success(done) => (done, self.outcome(done)),
            Report::Failure(done) => (done, Outcome::Down(Cause::Unhealthy)),
        };
        let began = self.state.started_at.take();
        let elapsed = done.duration.or(began.map(|began| now.since(began)));
        if outcome == Outcome::Up {
            self.state.succeeded_at = Some(now);
            self.state.duration = elapsed;
            self.state.bytes = done.bytes;
        }
        Some(self.settle(outcome, elapsed.unwrap_or_default(), began.unwrap_or(now), now))
    }

    /// Sees whether the agent was away or somebody set the wall clock back.
    fn notice(&mut self, now: Timestamp) {
        let seen_until = self.state.seen_until;
        if now < seen_until.minus(BACK_MIN) {
            // What is to come is awaited anew, as the schedule of all other checks does.
            let fresh = Job::new(self.target.clone(), now);
            let JobState { succeeded_at, duration, bytes, .. } = self.state;
            *self = Job { state: JobState { succeeded_at, duration, bytes, ..fresh.state }, ..fresh };
        } else if seen_until.plus(AWAY_MIN) < now {
            self.blind_until = now;
            self.state.sight = self.sight(self.state.opens_at);
        }
        self.state.seen_until = self.state.seen_until.max(now);
    }

    fn sight(&self, opens_at: Timestamp) -> Sight {
        if opens_at < self.blind_until { Sight::Broken } else { Sight::Whole }
    }

    /// Since when the awaited run is under way.
    fn begun(&self) -> Option<Timestamp> {
        self.state.started_at.filter(|began| self.state.opens_at <= *began)
    }

    /// Until when the awaited run is: its grace, or its longest time once it has begun; at the
    /// latest until the next one opens.
    fn deadline(&self) -> Timestamp {
        let own = match (self.begun(), self.target.run_max) {
            (Some(began), Some(most)) => began.plus(most),
            (None, _) | (_, None) => self.state.due_at.plus(self.target.grace),
        };
        own.min(self.next_opens_at)
    }

    /// The awaited run's time is over.
    fn give_up(&mut self) -> Option<Judged> {
        let deadline = self.deadline();
        let judged = match self.state.sight {
            Sight::Broken => None,
            Sight::Whole => {
                let (cause, elapsed) = match self.begun().filter(|_| self.target.run_max.is_some()) {
                    Some(began) => (Cause::Timeout, deadline.since(began)),
                    None => (Cause::Missed, Duration::ZERO),
                };
                self.state.owed = Owed::Run;
                let result = ProbeResult::of_slot(self.stamp(deadline), Outcome::Down(cause), elapsed);
                Some(Judged { result, run: Some(RunOutcome::Missed) })
            }
        };
        match self.target.schedule {
            JobSchedule::Cron { .. } => self.state.settled = Settled::Yes,
            JobSchedule::Every(every) => {
                // After a time that nobody saw, the next run is due within a period of its end.
                let last = self.state.due_at.max(self.blind_until);
                self.expect(last.plus(every), last.plus(every / 2));
            }
        }
        judged
    }

    /// The run of the state is settled and the next one opens: that is awaited now. Those that
    /// opened while nobody was there, and whose time is over, are left out.
    fn await_next(&mut self) {
        let over = self.blind_until.minus(self.target.grace);
        if self.next_opens_at < self.blind_until && self.state.due_at < over {
            let due_at = self.target.due_after(over);
            self.expect(due_at, due_at);
        } else {
            self.expect(self.target.due_after(self.state.due_at), self.next_opens_at);
        }
    }

    fn expect(&mut self, due_at: Timestamp, opens_at: Timestamp) {
        self.state.due_at = due_at;
        self.state.opens_at = opens_at;
        self.state.settled = Settled::No;
        self.state.sight = self.sight(opens_at);
        self.next_opens_at = next_opening(&self.target, due_at);
    }

    fn outcome(&self, done: Done) -> Outcome {
        let is_enough = |least: u64| done.bytes.is_some_and(|bytes| least <= bytes);
        if self.target.bytes_min.is_none_or(is_enough) { Outcome::Up } else { Outcome::Down(Cause::Bound) }
    }

    /// The result of a run that ended: with weight if it is the awaited one, else extra.
    fn settle(&mut self, outcome: Outcome, elapsed: Duration, began: Timestamp, now: Timestamp) -> Judged {
        let is_awaited = self.state.settled == Settled::No && self.state.opens_at <= began;
        let run = match outcome {
            Outcome::Up if is_awaited => Some(RunOutcome::OnTime),
            Outcome::Up => (self.state.owed == Owed::Run).then_some(RunOutcome::Late),
            Outcome::Down(_) | Outcome::Void(_) => Some(RunOutcome::Failed),
        };
        if outcome == Outcome::Up {
            self.state.owed = Owed::Nothing;
        }
        let at = self.stamp(now);
        match (&self.target.schedule, is_awaited) {
            (JobSchedule::Cron { .. }, true) => self.state.settled = Settled::Yes,
            (JobSchedule::Cron { .. }, false) => {}
            (&JobSchedule::Every(every), true) => self.expect(now.plus(every), now.plus(every / 2)),
            (&JobSchedule::Every(every), false) => self.state.due_at = now.plus(every),
        }
        let result = match is_awaited {
            true => ProbeResult::of_slot(at, outcome, elapsed),
            false => ProbeResult::extra(at, outcome, elapsed),
        };
        Judged { result, run }
    }

    /// The instant of a result: `at`, or just after the last one's, so that none replaces another.
    fn stamp(&mut self, at: Timestamp) -> Timestamp {
        let after_last = self.state.result_at.map(|last| last.plus(Duration::from_millis(1)));
        let at = after_last.map_or(at, |after_last| after_last.max(at));
        self.state.result_at = Some(at);
        at
    }
}

/// When the run after the one due at `due_at` opens. A job without fixed times has one awaited run
/// at a time, and no next one.
fn next_opening(target: &HeartbeatTarget, due_at: Timestamp) -> Timestamp {
    match target.schedule {
        JobSchedule::Every(_) => Timestamp::MAX,
        JobSchedule::Cron { .. } => {
            let next = target.due_after(due_at);
            opening(next, next.since(due_at))
        }
    }
}

/// When a run opens that is so far from one beside it.
fn opening(due_at: Timestamp, distance: Duration) -> Timestamp {
    due_at.minus(EARLY_MAX.min(distance / 4))
}

#[cfg(test)]
mod tests;
