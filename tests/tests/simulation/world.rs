//! The world: moves virtual time on, carries messages, lets things fail as scripted, and heals.

use crate::agent::{Agent, PACE, Request};
use crate::collector::Collector;
use crate::script::{AGENTS, FOR, LENGTH, Script, start};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use rules::agreement::{Agreement, Eligible, Language, Service};
use rules::block::Block;
use rules::check::{Assignment, Check, Counts, Target, Vantages};
use rules::delivery::sender::Answer;
use rules::interval::Interval;
use rules::outcome::{Cause, Outcome};
use rules::period::{Month, Zone};
use rules::policy::{
    AvailabilityRule, Counting, Denominator, MaintenanceRule, Minutes, Need, OutageExclusions, OutageRule, Policy,
    RecoveryRule, Undetermined,
};
use rules::result::{Pace, ProbeResult, SeriesKey};
use rules::schedule::Schedule;
use rules::service::SeriesRuns;
use rules::statement::{Reckoning, reckon};
use rules::time::Timestamp;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// How far time moves at once.
const TICK: Duration = Duration::from_millis(250);
/// After healing, every backlog must be gone within this: the longest back-off and some.
const HEALING: Duration = Duration::from_secs(180);
/// After this an agent gives up waiting for an answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a dead agent stays dead at most.
const DEATH_MAX: Duration = Duration::from_secs(20);

pub(crate) struct World {
    pub(crate) script: Script,
    pub(crate) agents: Vec<Agent>,
    pub(crate) collector: Collector,
    schedules: Vec<Schedule>,
    deaths: Vec<Vec<Interval>>,
    under_way: Vec<Option<UnderWay>>,
    /// Copies that the network delivers late, to nobody's benefit.
    ghosts: Vec<(Timestamp, usize, Request)>,
    now: Timestamp,
    healed: bool,
    rng: StdRng,
}

/// One agent's request, and what has become of it so far.
struct UnderWay {
    life: u64,
    sent_at: Timestamp,
    arrives_at: Option<(Timestamp, Request)>,
    answer: Option<(Timestamp, Answer)>,
}

impl World {
    pub(crate) fn new(seed: u64) -> World {
        let names = (0..AGENTS).map(|agent| format!("agent-{agent}").parse().expect("a name"));
        let agents: Vec<Agent> = names.map(Agent::new).collect();
        let schedules = agents.iter().map(|agent| {
            let mut schedule = Schedule::new(agent.id.clone());
            schedule.assign(start(), [assignment()]);
            schedule
        });
        World {
            script: Script::new(seed),
            schedules: schedules.collect(),
            deaths: vec![Vec::new(); AGENTS],
            under_way: (0..AGENTS).map(|_| None).collect(),
            agents,
            collector: Collector::default(),
            ghosts: Vec::new(),
            now: start(),
            healed: false,
            rng: StdRng::seed_from_u64(seed ^ 0x5eed),
        }
    }

    /// Lives through the script.
    pub(crate) fn run(&mut self) {
        self.live_until(start().plus(LENGTH));
    }

    /// Mends everything and waits for the backlogs to drain; nobody probes any more.
    pub(crate) fn heal(&mut self) {
        self.healed = true;
        self.live_until(start().plus(LENGTH + HEALING));
    }

    fn live_until(&mut self, end: Timestamp) {
        while self.now < end {
            let before = self.now;
            self.now = before.plus(TICK);
            let tick = Interval::new(before, self.now).expect("a tick is not empty");
            if self.script.collector_deaths.iter().any(|death| tick.contains(*death)) {
                self.collector.die_and_rise();
            }
            for agent in 0..AGENTS {
                self.live_or_die(agent, tick);
                if self.agents[agent].alive {
                    self.probe(agent);
                    self.agents[agent].commit_each_second(self.now);
                    self.exchange(agent);
                }
            }
            self.deliver_ghosts();
        }
    }

    fn live_or_die(&mut self, agent: usize, tick: Interval) {
        if self.script.agent_deaths[agent].iter().any(|death| tick.contains(*death)) && self.agents[agent].alive {
            let back = self.now.plus(DEATH_MAX.mul_f64(self.rng.random_range(0.05..1.0)));
            self.deaths[agent].extend(Interval::new(self.now, back));
            self.agents[agent].die();
        }
        let is_over = self.deaths[agent].last().is_some_and(|death| death.until() <= self.now);
        if !self.agents[agent].alive && (is_over || self.healed) {
            self.agents[agent].rise();
        }
    }

    fn probe(&mut self, agent: usize) {
        while let Some(due) = self.schedules[agent].due(self.now) {
            if self.healed {
                continue;
            }
            let outcome = match (self.script.is_offline(agent, due.slot), self.script.fails(agent, due.slot)) {
                (true, _) => Outcome::Void(Cause::AgentOffline),
                (false, true) => Outcome::Down(Cause::Timeout),
                (false, false) => Outcome::Up,
            };
            let elapsed = Duration::from_micros(self.rng.random_range(500..9_000_000));
            self.agents[agent].saw(ProbeResult::of_slot(due.slot, outcome, elapsed));
        }
    }

    /// One agent and its request: sends, serves, answers, as far as time and the link allow.
    fn exchange(&mut self, agent: usize) {
        let boot = self.now.since(start());
        if let Some(under_way) = self.under_way[agent].take() {
            self.under_way[agent] = self.carry_on(agent, under_way, boot);
        }
        if self.under_way[agent].is_none()
            && let Some(request) = self.agents[agent].next_request(boot)
        {
            self.send(agent, request);
        }
    }

    fn send(&mut self, agent: usize, request: Request) {
        if self.chance(0.05) {
            self.ghosts.push((self.now.plus(Duration::from_secs(30)), agent, request.clone()));
        }
        let arrives_at = (!self.loses(agent)).then(|| (self.now.plus(self.delay()), request));
        let life = self.agents[agent].life;
        self.under_way[agent] = Some(UnderWay { life, sent_at: self.now, arrives_at, answer: None });
    }

    fn carry_on(&mut self, agent: usize, mut under_way: UnderWay, boot: Duration) -> Option<UnderWay> {
        if let Some((_, request)) = under_way.arrives_at.take_if(|(at, _)| *at <= self.now) {
            let id = self.agents[agent].id.clone();
            let answer = if self.chance(0.03) {
                Answer::NotNow { retry_after: Some(Duration::from_secs(2)) }
            } else {
                self.collector.serve(&id, &request)
            };
            under_way.answer = (!self.loses(agent)).then(|| (self.now.plus(self.delay()), answer));
        }
        let answer = match under_way.answer {
            Some((at, answer)) if at <= self.now => answer,
            _ if under_way.sent_at.plus(PATIENCE) <= self.now => Answer::Nothing,
            _ => return Some(under_way),
        };
        if under_way.life == self.agents[agent].life {
            let random = self.rng.random();
            self.agents[agent].sender().answered(answer, boot, random);
        }
        None
    }

    fn deliver_ghosts(&mut self) {
        let (due, later) = std::mem::take(&mut self.ghosts).into_iter().partition(|ghost| ghost.0 <= self.now);
        self.ghosts = later;
        let due: Vec<(Timestamp, usize, Request)> = due;
        for (_, agent, request) in due {
            self.collector.serve(&self.agents[agent].id, &request);
        }
    }

    fn loses(&mut self, agent: usize) -> bool {
        !self.healed && (self.script.link_down[agent].contains(self.now) || self.chance(0.1))
    }

    fn chance(&mut self, probability: f64) -> bool {
        !self.healed && self.rng.random_bool(probability)
    }

    fn delay(&mut self) -> Duration {
        Duration::from_millis(self.rng.random_range(1..2_000))
    }

    /// Everything that any agent made durable, by series.
    pub(crate) fn surviving_results(&self) -> BTreeMap<SeriesKey, Vec<(ProbeResult, Pace)>> {
        let mut results: BTreeMap<SeriesKey, Vec<(ProbeResult, Pace)>> = BTreeMap::new();
        for bytes in self.agents.iter().flat_map(Agent::spooled) {
            let block = Block::decode(bytes).expect("agents make valid blocks");
            for part in block.series {
                let key = SeriesKey { agent: block.agent.clone(), service: part.service, check: part.check };
                results.entry(key).or_default().extend(part.results.iter().map(|result| (*result, part.pace)));
            }
        }
        results
    }

    /// Reckons the month from what the collector folded, as of the end of the script.
    pub(crate) fn reckoned(&self, then: impl FnOnce(&Reckoning<'_>)) {
        let agreement = agreement();
        let runs = |(key, series)| {
            let (key, series): (&SeriesKey, &rules::run::Series) = (key, series);
            (key.agent.clone(), key.check.clone(), series.runs().to_vec())
        };
        let owned: Vec<_> = self.collector.series().iter().map(runs).collect();
        let series: Vec<SeriesRuns<'_>> =
            owned.iter().map(|(agent, check, runs)| SeriesRuns { agent, check, runs }).collect();
        let month: Month = "2026-10".parse().expect("a month");
        let reckoning = reckon(&agreement, &agreement.services[0], month, Some(start().plus(LENGTH)), &series);
        then(&reckoning.expect("the service has time in the month"));
    }

    /// Whether at each instant of a down stretch every agent had a scripted reason, or was dead, no
    /// longer ago than a result speaks.
    pub(crate) fn explains(&self, stretch: Interval) -> bool {
        let speech = rules::run::speech(PACE) + DEATH_MAX;
        let mut at = stretch.from();
        while at < stretch.until() {
            let window = Interval::new(at.minus(speech), at.plus(TICK)).expect("not empty");
            let is_silent = |agent: usize| self.deaths[agent].iter().any(|death| death.intersection(window).is_some());
            if !(0..AGENTS).all(|agent| self.script.has_excuse(agent, window) || is_silent(agent)) {
                return false;
            }
            at = at.plus(Duration::from_secs(5));
        }
        true
    }

    /// Whether some agent was online all through `truth`, within the script's time.
    pub(crate) fn was_watched(&self, truth: Interval) -> bool {
        let is_online = |agent: usize| self.script.offline[agent].clipped(truth).is_empty();
        truth.until() <= start().plus(LENGTH) && (0..AGENTS).any(is_online)
    }
}

fn assignment() -> Assignment {
    let check = Check {
        id: "c".parse().expect("a name"),
        target: Target::parse("http://target.example/").expect("a URL"),
        every: PACE.every,
        timeout: PACE.timeout,
        reprobe: None,
        counts: Counts::Yes,
        objective: None,
        agents: Vantages::All,
    };
    Assignment { service: "s".parse().expect("a name"), check: Arc::new(check) }
}

fn agreement() -> Agreement {
    let outage = OutageRule {
        at_least: FOR,
        need: Need::All,
        min_agents: 1,
        bridge: FOR,
        count: Counting::Whole,
        exclusions: OutageExclusions::WholeRun,
    };
    let policy = Policy {
        id: "p".parse().expect("a name"),
        availability: AvailabilityRule {
            objective: "99.9".parse().expect("a percentage"),
            outage,
            denominator: Denominator::Month,
            minutes: Minutes::Exact,
            undetermined: Undetermined::Up,
        },
        latency: Vec::new(),
        recovery: RecoveryRule::default(),
        error_rate: None,
        maintenance: MaintenanceRule::default(),
        planned_downtime: None,
        backup: None,
        standing: rules::standing::StandingRule::default(),
        retention: None,
        response: Vec::new(),
        credits: None,
    };
    Agreement {
        id: "a".parse().expect("a name"),
        customer: "A".into(),
        zone: Zone::utc(),
        policy: Arc::new(policy),
        effective: rules::agreement::Effective::default(),
        standing: Vec::new(),
        retainer: None,
        language: Language::English,
        eligible: Eligible::Yes,
        fees: None,
        services: vec![Service {
            id: "s".parse().expect("a name"),
            from: None,
            until: None,
            agents: Vantages::All,
            checks: Vec::new(),
        }],
        exclusions: Vec::new(),
    }
}
