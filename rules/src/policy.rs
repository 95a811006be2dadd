//! What a contract says, as values: the rules that agreements follow.
//!
//! A policy that exists is complete: every default of `accounting.md` is already filled in.

use crate::decimal::Percent;
use crate::id::{ObjectiveId, PolicyId};
use crate::standing::StandingRule;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

/// The rules an agreement follows.
#[derive(Clone, PartialEq, Debug)]
pub struct Policy {
    /// Its name.
    pub id: PolicyId,
    /// What counts as an outage, and what the month must come to.
    pub availability: AvailabilityRule,
    /// Means that pages must keep to.
    pub latency: Vec<LatencyObjective>,
    /// How fast outages must end.
    pub recovery: RecoveryRule,
    /// The error rate that must not be exceeded.
    pub error_rate: Option<Percent>,
    /// What announced maintenance needs to have effect.
    pub maintenance: MaintenanceRule,
    /// The longest announced maintenance that the policy promises for a month.
    pub planned_downtime: Option<Duration>,
    /// The share of a heartbeat's due runs that must be reported in time.
    pub backup: Option<Percent>,
    /// What follows from the customer's standing.
    pub standing: StandingRule,
    /// How long evidence is kept; absent: for good.
    pub retention: Option<Duration>,
    /// People's promises by severity.
    pub response: Vec<ResponseRule>,
    /// What is owed when the objective was missed; absent: nothing ever is.
    pub credits: Option<CreditRule>,
}

/// Sections 5 to 7.
#[derive(Clone, PartialEq, Debug)]
pub struct AvailabilityRule {
    /// The fraction promised.
    pub objective: Percent,
    /// When a down stretch is an outage.
    pub outage: OutageRule,
    /// What downtime is divided by.
    pub denominator: Denominator,
    /// Whether outages count to the millisecond.
    pub minutes: Minutes,
    /// How undetermined time is read.
    pub undetermined: Undetermined,
}

/// When a service is down, and when that is an outage (sections 5 and 6).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OutageRule {
    /// `for`: the shortest down stretch that is an outage.
    pub at_least: Duration,
    /// `agents`: how many views must be down.
    pub need: Need,
    /// `min_agents`: how many views there must be before anything is said to be down.
    pub min_agents: u32,
    /// `bridge`: the longest unknown stretch between two down ones that is down.
    pub bridge: Duration,
    /// What of an outage counts.
    pub count: Counting,
    /// Whether exclusions are taken off before or after judging its length.
    pub exclusions: OutageExclusions,
}

/// How many views must be down.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Need {
    /// All that there are.
    All,
    /// More than half of those that there are.
    Majority,
    /// This many.
    Count(u32),
}

impl Need {
    /// The number of down views needed among `views` views.
    pub fn of(self, views: u32) -> u32 {
        match self {
            Need::All => views,
            Need::Majority => views / 2 + 1,
            Need::Count(count) => count,
        }
    }
}

/// What of an outage counts as downtime.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Counting {
    /// All of it, from its first failed attempt.
    Whole,
    /// Only what lies beyond `for`.
    AfterThreshold,
}

/// How exclusions bear on whether a stretch is an outage.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OutageExclusions {
    /// The whole stretch is judged, then exclusions are taken off.
    WholeRun,
    /// The stretch less exclusions must itself contain a piece of at least `for`.
    Remainder,
}

/// What downtime is divided by.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Denominator {
    /// The whole calendar month.
    Month,
    /// The part of the month in which the service existed.
    ServiceTime,
    /// The same less excluded time.
    LessExclusions,
}

/// How finely outages count.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Minutes {
    /// To the millisecond.
    Exact,
    /// Each outage's counted time cut down to whole minutes.
    Whole,
}

/// How undetermined time is read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Undetermined {
    /// As up, disclosed.
    Up,
    /// As downtime.
    Down,
}

/// A mean that pages must keep to (section 9).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LatencyObjective {
    /// Its name, which checks refer to.
    pub id: ObjectiveId,
    /// The mean must not be longer.
    pub mean_max: Duration,
}

/// Limits on recovery; what is absent is not promised (section 10).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct RecoveryRule {
    /// On the mean length of outages.
    pub mttr: Option<Duration>,
    /// On the longest outage.
    pub mttsr: Option<Duration>,
    /// On the two together.
    pub sum: Option<Duration>,
    /// Whether a figure that is just at its limit keeps it.
    pub edge: Edge,
}

/// What keeps a limit.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Edge {
    /// Less than it: "under two hours".
    #[default]
    Below,
    /// At most it: "thirty minutes or less".
    AtMost,
}

/// What announced maintenance needs to have effect (section 8).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct MaintenanceRule {
    /// How long before it begins the customer must be told.
    pub notice: Duration,
    /// How much of it a month may exclude.
    pub at_most: Option<Duration>,
}

/// People's promises for one severity; the clocks start when the outage opens.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ResponseRule {
    /// `P1` and the like.
    pub severity: String,
    /// Until somebody acknowledges.
    pub acknowledge: Option<Duration>,
    /// Until the customer is first told.
    pub first_notice: Option<Duration>,
    /// Between updates.
    pub update_every: Option<Duration>,
    /// Until work begins.
    pub start: Option<Duration>,
    /// Until a progress report.
    pub progress: Option<Duration>,
    /// Until it is resolved.
    pub resolve: Option<Duration>,
    /// Until the report afterwards.
    pub report: Option<Duration>,
}

/// What is owed (section 11).
#[derive(Clone, PartialEq, Debug)]
pub struct CreditRule {
    /// What the percentage is taken of.
    pub basis: CreditBasis,
    /// Amounts are cut down to a multiple of this many minor units of the agreement's currency (10:
    /// ten won); never zero.
    pub truncate_below: core::num::NonZeroU64,
    /// The bands.
    pub tiers: Vec<Tier>,
}

/// What a credit's percentage is taken of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CreditBasis {
    /// The fee of the month.
    Month,
    /// The mean fee of up to three months that end with this one.
    TrailingThreeMonths,
}

/// A percentage for `from ≤ availability < below`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Tier {
    /// The floor; absent: none.
    pub from: Option<Percent>,
    /// What availability must be less than.
    pub below: Percent,
    /// What it earns.
    pub percent: Percent,
}
