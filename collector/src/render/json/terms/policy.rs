//! A policy with every parameter, as configuration writes it.

use super::NotTerms;
use super::written::{Length, Text, Word, Worded, words};
use crate::render::json::text::bounded;
use rules::decimal::Percent;
use rules::id::{ObjectiveId, PolicyId};
use rules::policy::{
    AvailabilityRule, Counting, CreditBasis, CreditRule, Denominator, Edge, LatencyObjective, MaintenanceRule, Minutes,
    Need, OutageExclusions, OutageRule, Policy, RecoveryRule, ResponseRule, Tier, Undetermined,
};
use rules::standing::StandingRule;
use serde::{Deserialize, Serialize};
use std::num::NonZeroU64;
use std::time::Duration;

words!(Counting { Whole = "whole", AfterThreshold = "after_threshold" });
words!(OutageExclusions { WholeRun = "whole_run", Remainder = "remainder" });
words!(Denominator { Month = "month", ServiceTime = "service_time", LessExclusions = "less_exclusions" });
words!(Minutes { Exact = "exact", Whole = "whole" });
words!(Undetermined { Up = "up", Down = "down" });
words!(Edge { Below = "below", AtMost = "at_most" });
words!(CreditBasis { Month = "month", TrailingThreeMonths = "trailing_3_months" });

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PolicyView {
    policy: Text<PolicyId>,
    availability: AvailabilityView,
    latency: Vec<LatencyView>,
    recovery: RecoveryView,
    error_rate: Option<Text<Percent>>,
    maintenance: MaintenanceView,
    planned_downtime: Option<Length>,
    backup: Option<Text<Percent>>,
    standing: StandingView,
    retention: Option<Length>,
    response: Vec<ResponseView>,
    credits: Option<CreditsView>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct AvailabilityView {
    objective: Text<Percent>,
    outage: OutageView,
    denominator: Word<Denominator>,
    minutes: Word<Minutes>,
    undetermined: Word<Undetermined>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct OutageView {
    r#for: Length,
    agents: NeedView,
    min_agents: u32,
    bridge: Length,
    count: Word<Counting>,
    exclusions: Word<OutageExclusions>,
}

#[derive(Serialize, Deserialize)]
#[serde(untagged, expecting = "`all`, `majority` or a number")]
enum NeedView {
    Word(NeedWord),
    Count(u32),
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum NeedWord {
    All,
    Majority,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct LatencyView {
    objective: Text<ObjectiveId>,
    mean: Length,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RecoveryView {
    mttr: Option<Length>,
    mttsr: Option<Length>,
    sum: Option<Length>,
    /// What keeps a limit: less than it, or at most it.
    limits: Word<Edge>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct MaintenanceView {
    notice: Length,
    at_most: Option<Length>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StandingView {
    trial: Option<Length>,
    screens_stop: Option<Length>,
    collection_stops: Option<Length>,
    data_deleted: Option<Length>,
    terminated_deleted: Option<Length>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ResponseView {
    severity: String,
    acknowledge: Option<Length>,
    first_notice: Option<Length>,
    update_every: Option<Length>,
    start: Option<Length>,
    progress: Option<Length>,
    resolve: Option<Length>,
    report: Option<Length>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CreditsView {
    basis: Word<CreditBasis>,
    truncate_below: u64,
    tiers: Vec<TierView>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TierView {
    from: Option<Text<Percent>>,
    below: Text<Percent>,
    percent: Text<Percent>,
}

fn written(length: Option<Duration>) -> Option<Length> {
    length.map(Length)
}

fn read(length: Option<Length>) -> Option<Duration> {
    length.map(|length| length.0)
}

impl PolicyView {
    pub(super) fn of(policy: &Policy) -> PolicyView {
        let Policy { id, availability, latency, recovery, error_rate, maintenance, planned_downtime, .. } = policy;
        let Policy { backup, standing, retention, response, credits, .. } = policy;
        let mean = |of: &LatencyObjective| LatencyView { objective: Text(of.id.clone()), mean: Length(of.mean_max) };
        PolicyView {
            policy: Text(id.clone()),
            availability: AvailabilityView::of(availability),
            latency: latency.iter().map(mean).collect(),
            recovery: RecoveryView {
                mttr: written(recovery.mttr),
                mttsr: written(recovery.mttsr),
                sum: written(recovery.sum),
                limits: Word(recovery.edge),
            },
            error_rate: error_rate.map(Text),
            maintenance: MaintenanceView { notice: Length(maintenance.notice), at_most: written(maintenance.at_most) },
            planned_downtime: written(*planned_downtime),
            backup: backup.map(Text),
            standing: StandingView::of(*standing),
            retention: written(*retention),
            response: response.iter().map(ResponseView::of).collect(),
            credits: credits.as_ref().map(CreditsView::of),
        }
    }

    pub(super) fn policy(self) -> Result<Policy, NotTerms> {
        let mean = |view: LatencyView| LatencyObjective { id: view.objective.0, mean_max: view.mean.0 };
        let RecoveryView { mttr, mttsr, sum, limits } = self.recovery;
        Ok(Policy {
            id: self.policy.0,
            availability: self.availability.rule(),
            latency: self.latency.into_iter().map(mean).collect(),
            recovery: RecoveryRule { mttr: read(mttr), mttsr: read(mttsr), sum: read(sum), edge: limits.0 },
            error_rate: self.error_rate.map(|rate| rate.0),
            maintenance: MaintenanceRule { notice: self.maintenance.notice.0, at_most: read(self.maintenance.at_most) },
            planned_downtime: read(self.planned_downtime),
            backup: self.backup.map(|share| share.0),
            standing: self.standing.rule(),
            retention: read(self.retention),
            response: self.response.into_iter().map(ResponseView::rule).collect(),
            credits: self.credits.map(CreditsView::rule).transpose()?,
        })
    }
}

impl AvailabilityView {
    fn of(rule: &AvailabilityRule) -> AvailabilityView {
        let AvailabilityRule { objective, outage, denominator, minutes, undetermined } = rule;
        let OutageRule { at_least, need, min_agents, bridge, count, exclusions } = outage;
        AvailabilityView {
            objective: Text(*objective),
            outage: OutageView {
                r#for: Length(*at_least),
                agents: match need {
                    Need::All => NeedView::Word(NeedWord::All),
                    Need::Majority => NeedView::Word(NeedWord::Majority),
                    Need::Count(count) => NeedView::Count(*count),
                },
                min_agents: *min_agents,
                bridge: Length(*bridge),
                count: Word(*count),
                exclusions: Word(*exclusions),
            },
            denominator: Word(*denominator),
            minutes: Word(*minutes),
            undetermined: Word(*undetermined),
        }
    }

    fn rule(self) -> AvailabilityRule {
        let OutageView { r#for, agents, min_agents, bridge, count, exclusions } = self.outage;
        AvailabilityRule {
            objective: self.objective.0,
            outage: OutageRule {
                at_least: r#for.0,
                need: match agents {
                    NeedView::Word(NeedWord::All) => Need::All,
                    NeedView::Word(NeedWord::Majority) => Need::Majority,
                    NeedView::Count(count) => Need::Count(count),
                },
                min_agents,
                bridge: bridge.0,
                count: count.0,
                exclusions: exclusions.0,
            },
            denominator: self.denominator.0,
            minutes: self.minutes.0,
            undetermined: self.undetermined.0,
        }
    }
}

impl StandingView {
    fn of(rule: StandingRule) -> StandingView {
        let StandingRule { trial, screens_stop, collection_stops, data_deleted, terminated_deleted } = rule;
        StandingView {
            trial: written(trial),
            screens_stop: written(screens_stop),
            collection_stops: written(collection_stops),
            data_deleted: written(data_deleted),
            terminated_deleted: written(terminated_deleted),
        }
    }

    fn rule(self) -> StandingRule {
        StandingRule {
            trial: read(self.trial),
            screens_stop: read(self.screens_stop),
            collection_stops: read(self.collection_stops),
            data_deleted: read(self.data_deleted),
            terminated_deleted: read(self.terminated_deleted),
        }
    }
}

impl ResponseView {
    fn of(rule: &ResponseRule) -> ResponseView {
        let ResponseRule { severity, acknowledge, first_notice, update_every, start, progress, resolve, report } = rule;
        ResponseView {
            severity: bounded(severity),
            acknowledge: written(*acknowledge),
            first_notice: written(*first_notice),
            update_every: written(*update_every),
            start: written(*start),
            progress: written(*progress),
            resolve: written(*resolve),
            report: written(*report),
        }
    }

    fn rule(self) -> ResponseRule {
        ResponseRule {
            severity: self.severity,
            acknowledge: read(self.acknowledge),
            first_notice: read(self.first_notice),
            update_every: read(self.update_every),
            start: read(self.start),
            progress: read(self.progress),
            resolve: read(self.resolve),
            report: read(self.report),
        }
    }
}

impl CreditsView {
    fn of(rule: &CreditRule) -> CreditsView {
        let CreditRule { basis, truncate_below, tiers } = rule;
        let tier = |Tier { from, below, percent }: &Tier| TierView {
            from: from.map(Text),
            below: Text(*below),
            percent: Text(*percent),
        };
        CreditsView {
            basis: Word(*basis),
            truncate_below: truncate_below.get(),
            tiers: tiers.iter().map(tier).collect(),
        }
    }

    fn rule(self) -> Result<CreditRule, NotTerms> {
        let tier =
            |view: TierView| Tier { from: view.from.map(|from| from.0), below: view.below.0, percent: view.percent.0 };
        Ok(CreditRule {
            basis: self.basis.0,
            truncate_below: NonZeroU64::new(self.truncate_below).ok_or(NotTerms::Zero)?,
            tiers: self.tiers.into_iter().map(tier).collect(),
        })
    }
}
