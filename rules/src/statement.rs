//! One service's month, reckoned: every figure that a statement prints.
//!
//! Two steps, because latency is kept elsewhere than runs: [`reckon`] draws everything from runs and
//! says which time is [`Reckoning::measured`]; whoever keeps the results adds up the populations
//! over that time, and [`latency_row`] and [`error_rate`] hold them against the policy.

use crate::agreement::{Agreement, Service};
use crate::availability::{self, Availability, Partition};
use crate::check::{Check, Counts};
use crate::credit::{self, Credit};
use crate::decimal::Percent;
use crate::exclusion::{self, Judged};
use crate::id::{CheckId, ObjectiveId, ServiceId};
use crate::interval::{Interval, IntervalSet};
use crate::latency::Population;
use crate::outage::{self, Stretch, Verdict};
use crate::period::Month;
use crate::policy::{OutageExclusions, Policy};
use crate::recovery::{self, Recovery};
use crate::service::{SeriesRuns, Timeline, timeline};
use crate::standing;
use crate::time::Timestamp;
use alloc::vec::Vec;
use core::time::Duration;

/// A service's month under its agreement.
#[derive(Clone, PartialEq, Debug)]
pub struct Reckoning<'a> {
    /// What is reckoned: the month within the service's own time, up to "as of".
    pub period: Interval,
    /// What the service was, also outside the period.
    pub timeline: Timeline,
    /// The five parts of the period.
    pub partition: Partition,
    /// The fractions.
    pub availability: Availability,
    /// The policy's reading as if there were no exclusions.
    pub before_exclusions: Availability,
    /// Every down stretch that touches the period, in order, with what it adds to downtime.
    pub stretches: Vec<(Stretch, Duration)>,
    /// Every exclusion of the month, judged.
    pub exclusions: Vec<Judged<'a>>,
    /// The time whose results make up latency and the error rate.
    pub measured: IntervalSet,
    /// How fast outages ended.
    pub recovery: Recovery,
    /// Whether recovery keeps the policy's limits; nothing if it has none.
    pub recovery_met: Option<bool>,
    /// What is owed.
    pub credit: Credit,
}

impl Reckoning<'_> {
    /// The outages that touch the period.
    pub fn outages(&self) -> impl Iterator<Item = &(Stretch, Duration)> {
        self.stretches.iter().filter(|(stretch, _)| stretch.verdict == Verdict::Outage)
    }

    /// Whether availability keeps `policy`'s objective.
    pub fn met(&self, policy: &Policy) -> bool {
        self.availability.nominal.meets(policy.availability.objective)
    }

    /// Whether the best and the worst reading of undetermined time differ in what they mean: they
    /// fall on different sides of the objective or earn different credits.
    pub fn evidence_is_incomplete(&self, policy: &Policy) -> bool {
        let Availability { best, worst, .. } = self.availability;
        let objective = policy.availability.objective;
        let earned = |ratio| policy.credits.as_ref().map(|rule| credit::percent(&rule.tiers, ratio));
        best.meets(objective) != worst.meets(objective) || earned(best) != earned(worst)
    }
}

/// Reckons `service`'s `month` from the runs of its counting series. `as_of` is the instant up to
/// which evidence is heard; without it, all of it is. Nothing if the service had no time in the
/// month, or none yet.
pub fn reckon<'a>(
    agreement: &'a Agreement,
    service: &Service,
    month: Month,
    as_of: Option<Timestamp>,
    series: &[SeriesRuns<'_>],
) -> Option<Reckoning<'a>> {
    let rule = &agreement.policy.availability;
    let calendar = month.interval(&agreement.zone);
    let heard = Interval::new(Timestamp::MIN, as_of.unwrap_or(Timestamp::MAX))?;
    let promised = promised(agreement, service)?;
    let period = calendar.intersection(promised)?.intersection(heard)?;

    let timeline = timeline(series, &rule.outage, heard);
    let excluded = effective_exclusions(agreement, &service.id, calendar, &timeline);
    let touching = |stretches: Vec<Stretch>| -> Vec<Stretch> {
        stretches.into_iter().filter(|stretch| stretch.interval.intersection(period).is_some()).collect()
    };
    let stretches = touching(outage::stretches(&timeline, series, &rule.outage, &excluded));
    let partition = availability::partition(period, &timeline, &stretches, rule, &excluded);
    let availability = availability::availability(calendar, period, &partition, &stretches, rule)?;

    let nothing = IntervalSet::default();
    let plain = touching(outage::stretches(&timeline, series, &rule.outage, &nothing));
    let undivided = availability::partition(period, &timeline, &plain, rule, &nothing);
    let before_exclusions = availability::availability(calendar, period, &undivided, &plain, rule)?;

    let recovery = recovery::recovery(&stretches, period, &excluded);
    let outages: IntervalSet =
        stretches.iter().filter(|stretch| stretch.verdict == Verdict::Outage).map(|stretch| stretch.interval).collect();
    Some(Reckoning {
        period,
        measured: IntervalSet::from(period).difference(&excluded).difference(&outages),
        recovery_met: recovery.keeps_to(&agreement.policy.recovery),
        recovery,
        credit: credit::credit(agreement, month, calendar.until().min(promised.until()), availability.nominal),
        exclusions: exclusion::judge(agreement, &service.id, calendar),
        stretches: stretches
            .into_iter()
            .map(|stretch| {
                let counted = availability::counted_of(&stretch, &partition, rule);
                (stretch, counted)
            })
            .collect(),
        timeline,
        partition,
        availability,
        before_exclusions,
    })
}

/// When a service is promised: its own time, until the agreement ends.
fn promised(agreement: &Agreement, service: &Service) -> Option<Interval> {
    let until = service.until.unwrap_or(Timestamp::MAX);
    let until = standing::ended(&agreement.standing).map_or(until, |ended| until.min(ended));
    Interval::new(service.from.unwrap_or(Timestamp::MIN), until)
}

/// What is taken off down stretches within `own` before they are judged: nothing if the policy judges
/// whole runs.
pub fn taken_off(agreement: &Agreement, service: &ServiceId, own: Interval, timeline: &Timeline) -> IntervalSet {
    match agreement.policy.availability.outage.exclusions {
        OutageExclusions::WholeRun => IntervalSet::default(),
        OutageExclusions::Remainder => effective_exclusions(agreement, service, own, timeline),
    }
}

/// What exclusions have effect in the months of `own`, and in the neighbouring months that a down
/// stretch of it reaches into: each month has its own cap on maintenance.
fn effective_exclusions(agreement: &Agreement, service: &ServiceId, own: Interval, timeline: &Timeline) -> IntervalSet {
    let reach = timeline.down.iter().filter(|stretch| stretch.intersection(own).is_some());
    let (from, until) = reach.fold((own.from(), own.until()), |(from, until), stretch| {
        (from.min(stretch.from()), until.max(stretch.until()))
    });
    let first = Month::containing(from, &agreement.zone);
    let months = core::iter::successors(Some(first), |month| Some(month.next()));
    months
        .map(|month| month.interval(&agreement.zone))
        .take_while(|interval| interval.from() < until)
        .flat_map(|interval| {
            let judged = exclusion::judge(agreement, service, interval);
            exclusion::effective(&judged).as_slice().to_vec()
        })
        .collect()
}

/// One check's latency over the measured time.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LatencyRow {
    /// The check.
    pub check: CheckId,
    /// What was added up.
    pub population: Population,
    /// What it is held against.
    pub objective: Option<LatencyVerdict>,
}

/// A latency objective, held against a population.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LatencyVerdict {
    /// Its name.
    pub id: ObjectiveId,
    /// The mean must not be longer.
    pub limit: Duration,
    /// Whether it is met; nothing: not measured.
    pub met: Option<bool>,
}

/// Holds one check's population against the objective it names.
pub fn latency_row(policy: &Policy, check: &Check, population: Population) -> LatencyRow {
    let named = check.objective.as_ref();
    let objective = named.and_then(|id| policy.latency.iter().find(|objective| objective.id == *id));
    let verdict = objective.map(|objective| LatencyVerdict {
        id: objective.id.clone(),
        limit: objective.mean_max,
        met: population.keeps_to(objective.mean_max),
    });
    LatencyRow { check: check.id.clone(), population, objective: verdict }
}

/// The error rate of a service over the measured time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ErrorRate {
    /// Results that were down.
    pub downs: u64,
    /// Results that were up or down.
    pub total: u64,
    /// The rate must not be higher.
    pub limit: Option<Percent>,
}

impl ErrorRate {
    /// Whether the exact rate keeps the limit; nothing without a limit or without results.
    pub fn met(&self) -> Option<bool> {
        let limit = self.limit.filter(|_| 0 < self.total)?;
        Some(u128::from(self.downs) * Percent::DENOMINATOR <= limit.numerator() * u128::from(self.total))
    }
}

/// The error rate over the populations of the checks that count.
pub fn error_rate<'a>(policy: &Policy, checks: impl IntoIterator<Item = (&'a Check, &'a Population)>) -> ErrorRate {
    let counting = checks.into_iter().filter(|(check, _)| check.counts == Counts::Yes);
    counting.fold(ErrorRate { downs: 0, total: 0, limit: policy.error_rate }, |rate, (_, population)| ErrorRate {
        downs: rate.downs + population.downs(),
        total: rate.total + population.downs() + population.ups,
        ..rate
    })
}
