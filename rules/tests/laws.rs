//! The reckoning against a naive evaluator that asks every cell of a small grid, rule by rule.
//!
//! The evaluator shares no code with `rules` but its plain values: no interval sets, no runs, no
//! sweeps. What it can't see is finer than a cell, so every instant here lies on the grid.

#![expect(clippy::unwrap_used, reason = "a test that can't go on says so by panicking")]

use proptest::prelude::*;
use rules::agreement::{Agreement, Eligible, Language, Service};
use rules::check::Vantages;
use rules::exclusion::{Class, Exclusion};
use rules::id::{AgentId, CheckId};
use rules::interval::Interval;
use rules::latency::Population;
use rules::outage::Verdict;
use rules::outcome::{Cause, Outcome, OutcomeKind};
use rules::period::{Month, Zone};
use rules::policy::{
    AvailabilityRule, Counting, Denominator, MaintenanceRule, Minutes, Need, OutageExclusions, OutageRule, Policy,
    RecoveryRule, Undetermined,
};
use rules::result::{Pace, ProbeResult, Weight};
use rules::run::Series;
use rules::service::SeriesRuns;
use rules::standing::{Change, Standing, StandingRule};
use rules::statement::{Reckoning, reckon};
use rules::time::Timestamp;
use std::sync::Arc;
use std::time::Duration;

/// One cell of the grid.
const CELL: Duration = Duration::from_secs(20);
/// Cells before the month begins, and in all.
const BEFORE: usize = 40;
const CELLS: usize = 200;
const MINUTE_MS: u64 = 60_000;

/// One series as the world made it: who looked, how often in cells, and what it saw, cell by cell.
#[derive(Debug, Clone)]
struct Seen {
    agent: usize,
    every: usize,
    cells: Vec<Option<Outcome>>,
    /// Each so-many-th cell's result came on top of what was due.
    extra: usize,
}

#[derive(Debug, Clone)]
struct World {
    series: Vec<Seen>,
    exclusions: Vec<(usize, usize)>,
    /// From which cell on the customer's standing was which, in the order given.
    standing: Vec<(usize, Standing)>,
    promised: (usize, usize),
    rule: AvailabilityRule,
}

fn month() -> Month {
    "2026-10".parse().unwrap()
}

fn instant(cell: usize) -> Timestamp {
    let start = month().interval(&Zone::utc()).from();
    start.minus(CELL * u32::try_from(BEFORE).unwrap()).plus(CELL * u32::try_from(cell).unwrap())
}

fn outcome() -> impl Strategy<Value = Option<Outcome>> {
    prop_oneof![
        4 => Just(Some(Outcome::Up)),
        8 => Just(Some(Outcome::Down(Cause::Timeout))),
        1 => Just(Some(Outcome::Void(Cause::AgentOffline))),
        2 => Just(None),
    ]
}

/// Stretches of one outcome, with probes at every `every`-th cell or a little off.
fn seen() -> impl Strategy<Value = Seen> {
    (0usize..3, 1usize..4, prop::collection::vec((outcome(), 1usize..40), 1..14), 1usize..5).prop_map(
        |(agent, every, stretches, extra)| {
            let mut cells = vec![None; CELLS];
            let spread = stretches.into_iter().flat_map(|(outcome, length)| std::iter::repeat_n(outcome, length));
            for (index, (cell, outcome)) in cells.iter_mut().zip(spread).enumerate() {
                *cell = outcome.filter(|_| index % every == agent % every);
            }
            Seen { agent, every, cells, extra }
        },
    )
}

fn rule() -> impl Strategy<Value = AvailabilityRule> {
    let need = prop_oneof![Just(Need::All), Just(Need::Majority), (1u32..4).prop_map(Need::Count)];
    let outage = (need, 1u32..3, 0u32..20, any::<bool>(), any::<bool>()).prop_map(
        |(need, min_agents, bridge, from_threshold, remainder)| OutageRule {
            at_least: Duration::from_secs(300),
            need,
            min_agents,
            bridge: CELL * bridge,
            count: if from_threshold { Counting::AfterThreshold } else { Counting::Whole },
            exclusions: if remainder { OutageExclusions::Remainder } else { OutageExclusions::WholeRun },
        },
    );
    let denominator =
        prop_oneof![Just(Denominator::Month), Just(Denominator::ServiceTime), Just(Denominator::LessExclusions)];
    (outage, denominator, any::<bool>(), any::<bool>()).prop_map(|(outage, denominator, whole, down)| {
        AvailabilityRule {
            objective: "99.9".parse().unwrap(),
            outage,
            denominator,
            minutes: if whole { Minutes::Whole } else { Minutes::Exact },
            undetermined: if down { Undetermined::Down } else { Undetermined::Up },
        }
    })
}

fn world() -> impl Strategy<Value = World> {
    let exclusion = (0usize..CELLS, 1usize..30).prop_map(|(from, length)| (from, from + length));
    let promised = prop_oneof![3 => Just((0, CELLS)), 1 => (0usize..80, 120usize..CELLS)];
    let word = prop_oneof![
        3 => Just(Standing::Trial),
        3 => Just(Standing::Overdue),
        4 => Just(Standing::Paid),
        1 => Just(Standing::Terminated),
    ];
    let standing = prop_oneof![1 => Just(Vec::new()), 1 => prop::collection::vec((0usize..CELLS, word), 0..5)];
    (prop::collection::vec(seen(), 1..5), prop::collection::vec(exclusion, 0..3), standing, promised, rule()).prop_map(
        |(series, exclusions, standing, promised, rule)| World { series, exclusions, standing, promised, rule },
    )
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum Cell {
    Up,
    Down,
    Unknown,
}

/// What a naive reader of `accounting.md` makes of a world.
#[derive(PartialEq, Debug)]
struct Figures {
    up: usize,
    counted: usize,
    short: usize,
    excluded: usize,
    undetermined: usize,
    downtime_ms: u64,
    total_ms: u64,
    /// (began, ended, counted) in cells, for outages that touch the period.
    outages: Vec<(usize, usize, usize)>,
}

impl World {
    /// Section 4: what one series says at a cell.
    fn says(series: &Seen, cell: usize) -> Option<bool> {
        let last = (0..=cell).rev().find(|at| series.cells[*at].is_some())?;
        let speaks = cell < last + 2 * series.every;
        match series.cells[last]?.kind() {
            OutcomeKind::Up if speaks => Some(true),
            OutcomeKind::Down if speaks => Some(false),
            OutcomeKind::Up | OutcomeKind::Down | OutcomeKind::Void => None,
        }
    }

    /// Section 5, points 1 and 2.
    fn state(&self, cell: usize) -> Cell {
        let view = |agent| {
            let of_agent = self.series.iter().filter(|series| series.agent == agent);
            let says: Vec<bool> = of_agent.filter_map(|series| World::says(series, cell)).collect();
            (!says.is_empty()).then(|| says.contains(&true))
        };
        let views: Vec<bool> = (0..3).filter_map(view).collect();
        let n = u32::try_from(views.len()).unwrap();
        let d = u32::try_from(views.iter().filter(|up| !**up).count()).unwrap();
        let need = match self.rule.outage.need {
            Need::All => n,
            Need::Majority => n / 2 + 1,
            Need::Count(count) => count,
        };
        match () {
            () if need <= d && 0 < d && self.rule.outage.min_agents <= n => Cell::Down,
            () if d < need && d < n => Cell::Up,
            () => Cell::Unknown,
        }
    }

    /// Section 5, point 3.
    fn states(&self) -> Vec<Cell> {
        let mut cells: Vec<Cell> = (0..CELLS).map(|cell| self.state(cell)).collect();
        let bridge = usize::try_from(self.rule.outage.bridge.as_secs() / CELL.as_secs()).unwrap();
        let plain = cells.clone();
        for from in 1..CELLS {
            let length = plain[from..].iter().take_while(|cell| **cell == Cell::Unknown).count();
            let closed = plain.get(from + length) == Some(&Cell::Down) && plain[from - 1] == Cell::Down;
            if closed && 0 < length && length <= bridge {
                cells[from..from + length].fill(Cell::Down);
            }
        }
        cells
    }

    /// What the customer was at a cell: by the last word from that cell or before it; before the first
    /// word it paid if that says that a bill was due or that it left, and else was nobody.
    fn standing_at(&self, cell: usize) -> Option<Standing> {
        let so_far = self.standing.iter().enumerate().filter(|(_, (from, _))| *from <= cell);
        if let Some((_, (_, standing))) = so_far.max_by_key(|(index, (from, _))| (*from, *index)) {
            return Some(*standing);
        }
        let first = self.standing.iter().map(|(from, _)| *from).min()?;
        let first = self.standing.iter().rev().find(|(from, _)| *from == first)?.1;
        matches!(first, Standing::Overdue | Standing::Terminated).then_some(Standing::Paid)
    }

    /// From which cell on the agreement has ended for good.
    fn end(&self) -> usize {
        let last = (0..=CELLS).rev().find(|cell| self.standing_at(*cell) != Some(Standing::Terminated));
        last.map_or(0, |last| last + 1)
    }

    fn is_excluded(&self, cell: usize) -> bool {
        let by_standing = match self.standing_at(cell) {
            Some(Standing::Trial | Standing::Overdue) => true,
            Some(Standing::Terminated) => cell < self.end(),
            Some(Standing::Paid) | None => false,
        };
        by_standing || self.exclusions.iter().any(|(from, until)| (*from..*until).contains(&cell))
    }

    /// The cells of the month in which the service was promised.
    fn period(&self) -> (usize, usize) {
        (BEFORE.max(self.promised.0), CELLS.min(self.promised.1).min(self.end()))
    }

    /// Sections 6 to 8.
    fn figures(&self) -> Figures {
        let states = self.states();
        let (from, until) = self.period();
        let threshold = usize::try_from(self.rule.outage.at_least.as_secs() / CELL.as_secs()).unwrap();
        let mut counts = [false; CELLS];
        let mut stretches = Vec::new();
        let mut cell = 0;
        while cell < CELLS {
            let length = states[cell..].iter().take_while(|state| **state == Cell::Down).count();
            let judged = match self.rule.outage.exclusions {
                OutageExclusions::WholeRun => length,
                OutageExclusions::Remainder => {
                    let pieces = (cell..cell + length).map(|at| if self.is_excluded(at) { ' ' } else { '#' });
                    pieces.collect::<String>().split(' ').map(str::len).max().unwrap_or(0)
                }
            };
            if threshold <= judged {
                let skipped = if self.rule.outage.count == Counting::Whole { 0 } else { threshold.min(length) };
                counts[cell + skipped..cell + length].fill(true);
                stretches.push((cell, cell + length));
            }
            cell += length.max(1);
        }
        let within = from..until;
        let count = |holds: &dyn Fn(usize) -> bool| within.clone().filter(|cell| holds(*cell)).count();
        let free = |cell: usize| !self.is_excluded(cell);
        let counted = |cell: usize| counts[cell] && free(cell) && within.contains(&cell);
        let undetermined = count(&|cell| states[cell] == Cell::Unknown && free(cell));
        let outages: Vec<(usize, usize, usize)> = stretches
            .into_iter()
            .filter(|(began, ended)| *began < until && from < *ended)
            .map(|(began, ended)| (began, ended, (began..ended).filter(|cell| counted(*cell)).count()))
            .collect();
        let cell_ms = u64::try_from(CELL.as_millis()).unwrap();
        let ms = |cells: usize| u64::try_from(cells).unwrap() * cell_ms;
        let cut =
            |length: u64| if self.rule.minutes == Minutes::Whole { length / MINUTE_MS * MINUTE_MS } else { length };
        let excluded = count(&|cell| self.is_excluded(cell));
        let read_down = if self.rule.undetermined == Undetermined::Down { ms(undetermined) } else { 0 };
        Figures {
            up: count(&|cell| states[cell] == Cell::Up && free(cell)),
            counted: count(&counted),
            short: count(&|cell| states[cell] == Cell::Down && free(cell) && !counts[cell]),
            excluded,
            undetermined,
            downtime_ms: outages.iter().map(|outage| cut(ms(outage.2))).sum::<u64>() + read_down,
            total_ms: match self.rule.denominator {
                Denominator::Month => 31 * 24 * 3_600_000,
                Denominator::ServiceTime => ms(until.saturating_sub(from)),
                Denominator::LessExclusions => ms(until.saturating_sub(from) - excluded),
            },
            outages,
        }
    }

    fn agreement(&self) -> Agreement {
        let interval = |(from, until): (usize, usize)| Interval::new(instant(from), instant(until)).unwrap();
        let exclusion = |cells: &(usize, usize)| Exclusion::new(interval(*cells), Class::ForceMajeure);
        let policy = Policy {
            id: "p".parse().unwrap(),
            availability: self.rule.clone(),
            latency: Vec::new(),
            recovery: RecoveryRule::default(),
            error_rate: None,
            maintenance: MaintenanceRule::default(),
            planned_downtime: None,
            backup: None,
            standing: StandingRule::default(),
            retention: None,
            response: Vec::new(),
            credits: None,
        };
        Agreement {
            id: "a".parse().unwrap(),
            customer: "A".into(),
            zone: Zone::utc(),
            policy: Arc::new(policy),
            effective: rules::agreement::Effective::default(),
            standing: self
                .standing
                .iter()
                .map(|(from, standing)| Change { from: instant(*from), standing: *standing })
                .collect(),
            retainer: None,
            language: Language::English,
            eligible: Eligible::Yes,
            fees: None,
            services: vec![Service {
                id: "s".parse().unwrap(),
                from: Some(instant(self.promised.0)),
                until: Some(instant(self.promised.1)),
                agents: Vantages::All,
                checks: Vec::new(),
            }],
            exclusions: self.exclusions.iter().map(exclusion).collect(),
        }
    }

    /// Folds every series and hands the reckoning to `then`.
    fn reckoned<T>(&self, then: impl FnOnce(Option<&Reckoning<'_>>) -> T) -> T {
        let agreement = self.agreement();
        let check: CheckId = "c".parse().unwrap();
        let folded: Vec<(AgentId, Series)> = self.series.iter().map(fold).collect();
        let runs: Vec<SeriesRuns<'_>> =
            folded.iter().map(|(agent, series)| SeriesRuns { agent, check: &check, runs: series.runs() }).collect();
        let reckoning = reckon(&agreement, &agreement.services[0], month(), Some(instant(CELLS)), &runs);
        then(reckoning.as_ref())
    }
}

fn results(seen: &Seen) -> Vec<(ProbeResult, Pace)> {
    let every = CELL * u32::try_from(seen.every).unwrap();
    let pace = Pace { every, timeout: CELL };
    let result = |(cell, outcome): (usize, &Option<Outcome>)| {
        let weight = if cell % seen.extra == 0 { Weight::Extra } else { Weight::Slot };
        let elapsed = Duration::from_micros(cell as u64 * 7 % 11);
        Some((ProbeResult { at: instant(cell), outcome: (*outcome)?, elapsed, weight }, pace))
    };
    seen.cells.iter().enumerate().filter_map(result).collect()
}

fn fold(seen: &Seen) -> (AgentId, Series) {
    (format!("agent-{}", seen.agent).parse().unwrap(), Series::fold(results(seen)))
}

fn cells(length: Duration) -> usize {
    assert_eq!(length.as_millis() % CELL.as_millis(), 0, "everything lies on the grid");
    usize::try_from(length.as_millis() / CELL.as_millis()).unwrap()
}

fn cell_of(at: Timestamp) -> usize {
    cells(at.since(instant(0)))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1200, ..ProptestConfig::default() })]

    #[test]
    fn the_reckoning_says_what_a_naive_reader_of_the_rules_says(world in world()) {
        let expected = world.figures();
        world.reckoned(|reckoning| {
            let Some(reckoning) = reckoning else {
                let (from, until) = world.period();
                prop_assert!(until <= from || expected.total_ms == 0, "only without time or a denominator is there no figure");
                return Ok(());
            };
            let outage = |(stretch, _): &(rules::outage::Stretch, Duration)| {
                let counted = reckoning.partition.counted.clipped(stretch.interval).length();
                (cell_of(stretch.interval.from()), cell_of(stretch.interval.until()), cells(counted))
            };
            let figures = Figures {
                up: cells(reckoning.partition.up.length()),
                counted: cells(reckoning.partition.counted.length()),
                short: cells(reckoning.partition.short.length()),
                excluded: cells(reckoning.partition.excluded.length()),
                undetermined: cells(reckoning.partition.undetermined.length()),
                downtime_ms: reckoning.availability.nominal.downtime_ms,
                total_ms: reckoning.availability.nominal.total_ms,
                outages: reckoning.outages().map(outage).collect(),
            };
            prop_assert_eq!(figures, expected);
            Ok(())
        })?;
    }

    #[test]
    fn the_partition_adds_up_to_the_period_to_the_millisecond(world in world()) {
        world.reckoned(|reckoning| {
            let Some(reckoning) = reckoning else { return Ok(()) };
            let parts = &reckoning.partition;
            let all = [&parts.up, &parts.counted, &parts.short, &parts.excluded, &parts.undetermined];
            let sum: Duration = all.iter().map(|part| part.length()).sum();
            prop_assert_eq!(sum, reckoning.period.length());
            let union = all.iter().fold(Default::default(), |union: rules::interval::IntervalSet, part| union.union(part));
            prop_assert_eq!(union.as_slice(), &[reckoning.period]);
            Ok(())
        })?;
    }

    #[test]
    fn extra_results_are_counted_and_change_no_mean_and_no_error_rate(seen in seen()) {
        let (mut all, mut due, mut extras) = (Population::default(), Population::default(), 0);
        for (result, pace) in results(&seen) {
            all.add(&result, pace);
            match result.weight {
                Weight::Slot => due.add(&result, pace),
                Weight::Extra => extras += 1,
            }
        }
        prop_assert_eq!(all, Population { extras, ..due });
        prop_assert_eq!((all.count(), all.mean_us(), all.downs()), (due.count(), due.mean_us(), due.downs()));
    }

    #[test]
    fn a_bracket_holds_the_nominal_length_and_a_near_miss_is_no_outage(world in world()) {
        world.reckoned(|reckoning| {
            for (stretch, counted) in reckoning.iter().flat_map(|reckoning| &reckoning.stretches) {
                prop_assert!(stretch.shortest() <= stretch.interval.length());
                prop_assert!(stretch.longest().is_none_or(|longest| stretch.interval.length() < longest));
                prop_assert!(stretch.verdict == Verdict::Outage || counted.is_zero());
            }
            Ok(())
        })?;
    }
}
