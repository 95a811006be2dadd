//! Sleeps until a check falls due or is to have its first look, and starts its probe.
//!
//! A slot gets a probe or is counted as missed; none waits in a queue. Looks between slots at
//! targets that fail come after all slots, and have places of their own. The loop itself never
//! probes and never touches a disk, so that its being late means that the whole agent was.

use crate::metrics::Missed;
use crate::orders::{Orders, key};
use crate::timekeeping::{Moment, STEP_MIN_MS, Standing};
use crate::vantage::Vantage;
use daemon::shutdown::within;
use rules::id::AgentId;
use rules::outcome::OutcomeKind;
use rules::result::Weight;
use rules::schedule::{Due, Schedule};
use rules::time::{Timestamp, millis};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::{self, JoinSet};
use tokio_util::sync::CancellationToken;

/// Probes at once: ten thousand checks every 30 s that all run into a timeout of 10 s need 3 400.
const PROBES_MAX: usize = 4096;
/// Looks between slots at once, beside those: as many as begin in two seconds and a half.
const REPROBES_MAX: usize = 256;
/// The longest sleep: how soon a pause or a stepped clock is noticed when nothing is due.
const SLEEP_MAX: Duration = Duration::from_millis(250);
/// How long running probes may take to end when the agent stops: the usual timeout and a margin.
const PROBES_END_TIME: Duration = Duration::from_secs(15);

pub(crate) struct Scheduler {
    schedule: Schedule,
    vantage: Arc<Vantage>,
    orders: watch::Receiver<Arc<Orders>>,
    current: Arc<Orders>,
    permits: Arc<Semaphore>,
    permits_again: Arc<Semaphore>,
    probes: JoinSet<Option<OutcomeKind>>,
    /// What each running probe was started for.
    running: HashMap<task::Id, Due>,
    /// The time less boot time, in milliseconds.
    offset_ms: i64,
    standing: Standing,
}

impl Scheduler {
    pub(crate) fn new(agent: AgentId, vantage: Arc<Vantage>, mut orders: watch::Receiver<Arc<Orders>>) -> Scheduler {
        let current = Arc::clone(&orders.borrow_and_update());
        let now = vantage.time.now();
        vantage.metrics.probes_running_limit.set(PROBES_MAX as i64);
        vantage.metrics.reprobes_running_limit.set(REPROBES_MAX as i64);
        let mut scheduler = Scheduler {
            schedule: Schedule::new(agent),
            orders,
            current: Arc::clone(&current),
            permits: Arc::new(Semaphore::new(PROBES_MAX)),
            permits_again: Arc::new(Semaphore::new(REPROBES_MAX)),
            probes: JoinSet::new(),
            running: HashMap::new(),
            offset_ms: offset_ms(now),
            standing: now.standing,
            vantage,
        };
        scheduler.assign(now.at, current);
        scheduler
    }

    /// Works until `stop`; then lets running probes end and be recorded.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        let clock = self.vantage.clock.clone();
        loop {
            let wake_at = self.wake_at(clock.boot());
            self.vantage.pauses.promise(wake_at);
            let changed = tokio::select! {
                () = stop.cancelled() => break,
                Ok(()) = self.orders.changed() => true,
                () = clock.sleep_until(wake_at) => false,
            };
            let moment = self.vantage.time.now();
            self.notice(moment);
            let now = moment.at;
            if changed {
                let orders = Arc::clone(&self.orders.borrow_and_update());
                self.assign(now, orders);
            }
            self.reap(now);
            while let Some(due) = self.schedule.due(now) {
                self.start(due, now);
            }
            self.start_again(now);
        }
        self.vantage.pauses.promise(Duration::MAX);
        within("probes", PROBES_END_TIME, async { while self.probes.join_next().await.is_some() {} }).await;
    }

    fn wake_at(&self, now: Duration) -> Duration {
        let latest = now + SLEEP_MAX;
        // Without a place there is nothing to wake for: one becomes free when a probe is reaped.
        let again = self.schedule.next_reprobe().filter(|_| 0 < self.permits_again.available_permits());
        let next = self.schedule.next_deadline().into_iter().chain(again).min();
        next.map_or(latest, |next| self.vantage.time.boot_at(next).min(latest))
    }

    /// Sees whether the agent overslept or somebody set the wall clock.
    fn notice(&mut self, now: Moment) {
        if let Some(late) = self.vantage.pauses.awake(now.reading.boot) {
            self.vantage.metrics.pauses.inc();
            tracing::warn!(late_ms = late.as_millis(), "Agent stood still, time-outs of that time are void");
        }
        let offset_ms = offset_ms(now);
        if STEP_MIN_MS < offset_ms.abs_diff(self.offset_ms) {
            self.vantage.metrics.clock_steps.inc();
            tracing::warn!(step_ms = offset_ms - self.offset_ms, "Wall clock was stepped, slots begin anew");
            self.schedule.realign(now.at);
        }
        self.offset_ms = offset_ms;
        if now.standing != self.standing {
            self.told(now);
            self.standing = now.standing;
        }
    }

    /// Says what became of the wall clock.
    fn told(&self, now: Moment) {
        let off_ms = now.reading.wall.as_millis() - now.at.as_millis();
        self.vantage.metrics.clock_alarm.set(i64::from(Standing::Alarming <= now.standing));
        match now.standing {
            Standing::Alone | Standing::Right => tracing::info!("Wall clock is believed"),
            Standing::Corrected => {
                tracing::warn!(off_ms, "Wall clock is off, results are stamped with the collector's time");
            }
            Standing::Alarming => tracing::error!(off_ms, "Wall clock is far off, set it right"),
            Standing::Disbelieved => {
                tracing::error!(off_ms, "Wall clock is more than a minute off, results are void until it is set right");
            }
        }
    }

    fn assign(&mut self, now: Timestamp, orders: Arc<Orders>) {
        self.schedule.assign(now, orders.probed().cloned());
        self.vantage.local().assign(orders.assignments());
        self.vantage.metrics.checks.set(i64::try_from(orders.standing.len()).unwrap_or(i64::MAX));
        self.current = orders;
    }

    fn start(&mut self, due: Due, now: Timestamp) {
        let (vantage, metrics) = (Arc::clone(&self.vantage), &self.vantage.metrics);
        metrics.missed(Missed::Late, due.missed);
        let Ok(permit) = Arc::clone(&self.permits).try_acquire_owned() else {
            metrics.missed(Missed::Busy, 1);
            return self.schedule.ended(&due, None, now);
        };
        let late = vantage.clock.boot().saturating_sub(vantage.time.boot_at(due.slot));
        metrics.lateness_seconds.observe(late.as_secs_f64());
        self.spawn(due, permit, now);
    }

    /// Starts looks between slots, as far as there are places for them.
    fn start_again(&mut self, now: Timestamp) {
        while let Ok(permit) = Arc::clone(&self.permits_again).try_acquire_owned() {
            let Some(due) = self.schedule.due_again(now) else { break };
            self.spawn(due, permit, now);
        }
        let waiting = i64::try_from(self.schedule.reprobes_waiting(now)).unwrap_or(i64::MAX);
        self.vantage.metrics.reprobes_waiting.set(waiting);
    }

    fn spawn(&mut self, due: Due, permit: OwnedSemaphorePermit, now: Timestamp) {
        let Some(standing) = self.current.standing.get(&key(&due.assignment)).map(Arc::clone) else {
            return self.schedule.ended(&due, None, now);
        };
        let (vantage, orders, weight) = (Arc::clone(&self.vantage), Arc::clone(&self.current), due.weight);
        let running = match weight {
            Weight::Slot => vantage.metrics.probes_running.clone(),
            Weight::Extra => vantage.metrics.reprobes_running.clone(),
        };
        running.inc();
        let task = self.probes.spawn(async move {
            let outcome = vantage.probe(orders, standing, weight).await;
            running.dec();
            drop(permit);
            outcome
        });
        self.running.insert(task.id(), due);
    }

    /// Takes in what ended; a probe that panicked leaves a gap, and a trace of itself.
    fn reap(&mut self, now: Timestamp) {
        while let Some(ended) = self.probes.try_join_next_with_id() {
            let (id, outcome) = match ended {
                Ok((id, outcome)) => (id, outcome),
                Err(error) => {
                    self.vantage.metrics.results_lost.inc();
                    tracing::error!(%error, "Probe broke, its result is lost");
                    (error.id(), None)
                }
            };
            if let Some(due) = self.running.remove(&id) {
                self.schedule.ended(&due, outcome, now);
            }
        }
    }
}

fn offset_ms(now: Moment) -> i64 {
    now.at.as_millis() - millis(now.reading.boot)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::local::LocalRule;
    use crate::metrics::Metrics;
    use crate::spool;
    use crate::timekeeping::Timekeeper;
    use daemon::clock::{Clock, Hand};
    use daemon::exposition::Exposition;
    use rules::check::{Assignment, Check, Counts, Reprobe, Target, Vantages};
    use rules::reach::Reach;
    use tokio::task::yield_now;

    /// A scheduler on a clock that stands still, with one check every second.
    struct Bench {
        vantage: Arc<Vantage>,
        hand: Hand,
        tasks: JoinSet<()>,
        _dir: tempfile::TempDir,
        orders: watch::Sender<Arc<Orders>>,
    }

    fn assignment() -> Assignment {
        assignment_every(Duration::from_secs(1), None)
    }

    fn assignment_every(every: Duration, reprobe: Option<Reprobe>) -> Assignment {
        let check = Check {
            id: "port".parse().unwrap(),
            target: Target::parse("tcp:127.0.0.1:1").unwrap(),
            every,
            timeout: Duration::from_secs(1),
            reprobe,
            counts: Counts::Yes,
            objective: None,
            agents: Vantages::All,
        };
        Assignment { service: "s".parse().unwrap(), check: Arc::new(check) }
    }

    fn bench() -> Bench {
        bench_with(PROBES_MAX, assignment())
    }

    fn bench_with(probes_max: usize, assignment: Assignment) -> Bench {
        let (clock, hand) = Clock::manual(Timestamp::from_millis(1_800_000_000_000));
        let (dir, agent) = (tempfile::tempdir().unwrap(), "a".parse::<AgentId>().unwrap());
        let settings = spool::Settings { agent: agent.clone(), dir: dir.path().to_owned(), at_most: 1 << 20 };
        let (spool, _outlet, writer) = spool::open(settings, clock.clone()).unwrap();
        let orders = Orders::prepare(vec![assignment], &[], &Reach::default(), None, &clock).unwrap();
        let (orders, standing) = watch::channel(Arc::new(orders));
        let local = LocalRule::new(agent.clone());
        let time = Timekeeper::new(clock.clone(), None);
        let vantage = Arc::new(Vantage::new(clock.clone(), time, spool, Metrics::new(), local));
        let mut tasks = JoinSet::new();
        tasks.spawn(writer.run(CancellationToken::new()));
        let mut scheduler = Scheduler::new(agent, Arc::clone(&vantage), standing);
        scheduler.permits = Arc::new(Semaphore::new(probes_max));
        tasks.spawn(scheduler.run(CancellationToken::new()));
        Bench { vantage, hand, tasks, _dir: dir, orders }
    }

    impl Bench {
        fn started(&self) -> u64 {
            self.vantage.metrics.lateness_seconds.get_sample_count()
        }

        fn missed(&self, reason: &str) -> u64 {
            self.vantage.metrics.slots_missed.with_label_values(&[reason]).get()
        }

        /// Lets time pass in steps that a scheduler on time wakes for.
        async fn pass(&self, length: Duration) {
            const STEP: Duration = Duration::from_millis(50);
            for _ in 0..length.as_millis() / STEP.as_millis() {
                self.hand.advance(STEP);
                for _ in 0..20 {
                    yield_now().await;
                }
            }
        }
    }

    #[tokio::test]
    async fn a_new_check_gets_a_first_look_and_every_slot_one_probe_and_none_is_late() {
        let bench = bench();
        bench.pass(Duration::from_millis(50)).await;
        assert_eq!(bench.started(), 1, "the slot is still to come");
        bench.pass(Duration::from_secs(10)).await;
        assert_eq!((bench.started(), bench.missed("late")), (11, 0));
        assert!(bench.vantage.metrics.lateness_seconds.get_sample_sum() < 10.0 * 0.05);
        assert_eq!(bench.tasks.len(), 2, "both still run");
    }

    #[tokio::test]
    async fn a_slot_that_finds_all_places_taken_is_counted_and_not_kept_for_later() {
        let bench = bench_with(0, assignment());
        bench.pass(Duration::from_secs(3)).await;
        assert_eq!((bench.started(), bench.missed("busy"), bench.missed("late")), (0, 1 + 3, 0));
    }

    #[tokio::test]
    async fn a_target_that_refuses_is_looked_at_between_its_slots_and_its_slots_stay() {
        let hour = Duration::from_secs(3600);
        let bench = bench_with(PROBES_MAX, assignment_every(hour, Some(Reprobe::default())));
        let looks = || -> Option<u64> {
            let page: String = crate::metrics::checks(&bench.orders.borrow()).map(Exposition::into_text).collect();
            let line = page.lines().find(|line| line.starts_with("nines_probe_extra_results_total{"))?;
            line.rsplit_once(' ')?.1.parse().ok()
        };
        let began = bench.vantage.clock.boot();
        while looks() != Some(3) {
            bench.pass(Duration::from_millis(50)).await;
            assert!(bench.started() <= 2, "at most the first look and one slot");
        }
        let took = bench.vantage.clock.boot() - began;
        assert!(Duration::from_secs(15) <= took, "{took:?}");
        assert_eq!((bench.missed("late"), bench.missed("busy")), (0, 0));
    }

    #[tokio::test]
    async fn a_pause_is_noticed_and_its_slots_are_counted_as_missed() {
        let bench = bench();
        bench.pass(Duration::from_secs(2)).await;
        let before = bench.started();
        bench.hand.advance(Duration::from_secs(60));
        bench.pass(Duration::from_secs(1)).await;
        assert_eq!(bench.vantage.metrics.pauses.get(), 1);
        assert_eq!(bench.started() + bench.missed("late"), before + 61);
        assert!((59..=60).contains(&bench.missed("late")), "{}", bench.missed("late"));
    }

    #[tokio::test]
    async fn a_stepped_clock_neither_stops_probing_nor_invents_missed_slots() {
        let bench = bench();
        bench.pass(Duration::from_secs(2)).await;
        for step in [-120_000, 240_000] {
            let (before, wall) = (bench.started(), bench.vantage.clock.wall().as_millis());
            bench.hand.step_wall(Timestamp::from_millis(wall + step));
            bench.pass(Duration::from_secs(5)).await;
            assert!((5..=6).contains(&(bench.started() - before)), "{}", bench.started() - before);
        }
        assert_eq!(bench.vantage.metrics.clock_steps.get(), 2);
        assert_eq!(bench.missed("late"), 0);
    }
}
