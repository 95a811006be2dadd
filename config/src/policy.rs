//! A policy from its keys. Every default of `accounting.md` is filled in here.

pub(crate) mod advice;
pub(crate) mod preset;
mod standing;
pub(crate) mod versions;

use crate::node::{Node, Value};
use crate::reading::keys::Keys;
use crate::reading::words::word;
use crate::reading::{Placed, Reading, list, placed, text};
use crate::scalar::{count, duration, length, parsed, percent, whole, words};
use crate::source::Span;
use rules::decimal::Percent;
use rules::period::Month;
use rules::policy::{
    AvailabilityRule, Counting, CreditBasis, CreditRule, Denominator, Edge, LatencyObjective, MaintenanceRule, Minutes,
    Need, OutageExclusions, OutageRule, Policy, RecoveryRule, ResponseRule, Tier, Undetermined,
};
use rules::standing::StandingRule;
use std::collections::BTreeMap;
use std::num::NonZeroU64;
use std::sync::Arc;
use std::time::Duration;

/// The objective when a policy doesn't say.
const OBJECTIVE_DEFAULT: &str = "99.9";
/// `for` when a policy doesn't say: the source agreement's five minutes.
const OUTAGE_DEFAULT: Duration = Duration::from_secs(300);

/// A version of a policy, and where it says what others may be warned about.
#[derive(Clone, Debug)]
pub(crate) struct PolicyDraft {
    pub(crate) policy: Arc<Policy>,
    /// The first month that it is in force in; absent: always.
    pub(crate) effective_from: Option<Month>,
    pub(crate) id_at: Span,
    pub(crate) tiers: Vec<Placed<Tier>>,
}

/// Reads one version of a policy.
pub(crate) fn read(node: &Node, reading: &mut Reading) -> Option<PolicyDraft> {
    let mut keys = Keys::of(node, "a policy", reading)?;
    let id = keys.required("policy", reading, placed(parsed));
    let effective_from = keys.optional("effective_from", reading, parsed);
    let availability = keys.optional("availability", reading, availability);
    let availability = availability.or_else(|| default_availability(node.at, reading));
    let latency = keys.or("latency", Vec::new(), reading, list(latency));
    let recovery = keys.or("recovery", RecoveryRule::default(), reading, recovery);
    let error_rate = keys.optional("error_rate", reading, percent);
    let maintenance = keys.or("maintenance", MaintenanceRule::default(), reading, maintenance);
    let planned_downtime = keys.optional("planned_downtime", reading, duration);
    let backup = keys.optional("backup", reading, percent);
    let standing = keys.or("standing", StandingRule::default(), reading, standing::rule);
    let retention = keys.optional("retention", reading, standing::retention);
    let response = keys.or("response", Vec::new(), reading, list(placed(response)));
    let credits = keys.optional("credits", reading, credits);
    keys.end(reading);
    let latency = distinct(latency, reading);
    let response = one_a_severity(response, reading);
    let tiers = credits.as_ref().map_or_else(Vec::new, |(_, tiers)| tiers.clone());
    let credits = credits.map(|(rule, _)| rule);
    let id = id?;
    let policy = Policy {
        id: id.value,
        availability: availability?,
        latency,
        recovery,
        error_rate,
        maintenance,
        planned_downtime,
        backup,
        standing,
        retention,
        response,
        credits,
    };
    Some(PolicyDraft { policy: Arc::new(policy), effective_from, id_at: id.at, tiers })
}

fn default_availability(at: Span, reading: &mut Reading) -> Option<AvailabilityRule> {
    availability(&Node { at, value: Value::Nothing }, reading)
}

fn availability(node: &Node, reading: &mut Reading) -> Option<AvailabilityRule> {
    let mut keys = Keys::of(node, "`availability`", reading)?;
    let objective = keys.optional("objective", reading, percent);
    let objective = objective.or_else(|| OBJECTIVE_DEFAULT.parse().ok())?;
    let outage_node = keys.take("outage").map(|(_, node)| node.clone());
    let outage = outage(&outage_node.unwrap_or(Node { at: node.at, value: Value::Nothing }), reading);
    let denominators = [
        ("month", Denominator::Month),
        ("service_time", Denominator::ServiceTime),
        ("less_exclusions", Denominator::LessExclusions),
    ];
    let denominator = keys.or("denominator", Denominator::Month, reading, word(&denominators));
    let minutes = [("exact", Minutes::Exact), ("whole", Minutes::Whole)];
    let minutes = keys.or("minutes", Minutes::Exact, reading, word(&minutes));
    let undetermined = [("up", Undetermined::Up), ("down", Undetermined::Down)];
    let undetermined = keys.or("undetermined", Undetermined::Up, reading, word(&undetermined));
    keys.end(reading);
    Some(AvailabilityRule { objective, outage: outage?, denominator, minutes, undetermined })
}

fn outage(node: &Node, reading: &mut Reading) -> Option<OutageRule> {
    let mut keys = Keys::of(node, "`outage`", reading)?;
    let at_least = keys.or("for", OUTAGE_DEFAULT, reading, length);
    keys.optional("checks", reading, word(&[("all", ())]));
    let need = keys.or("agents", Need::All, reading, need);
    let min_agents = keys.or("min_agents", 1, reading, count);
    let bridge = keys.or("bridge", at_least, reading, duration);
    let counts = [("whole", Counting::Whole), ("after_threshold", Counting::AfterThreshold)];
    let count = keys.or("count", Counting::Whole, reading, word(&counts));
    let ways = [("whole_run", OutageExclusions::WholeRun), ("remainder", OutageExclusions::Remainder)];
    let exclusions = keys.or("exclusions", OutageExclusions::WholeRun, reading, word(&ways));
    keys.end(reading);
    Some(OutageRule { at_least, need, min_agents, bridge, count, exclusions })
}

fn need(node: &Node, reading: &mut Reading) -> Option<Need> {
    match text(node, reading)? {
        "all" => Some(Need::All),
        "majority" => Some(Need::Majority),
        given => match whole(given) {
            Some(number) if 0 < number => Some(Need::Count(number)),
            _ => {
                let given = given.escape_debug();
                reading.problem(
                    node.at,
                    format!("`{given}` is no number of agents; write `all`, `majority` or a number from 1"),
                )
            }
        },
    }
}

fn latency(node: &Node, reading: &mut Reading) -> Option<Placed<LatencyObjective>> {
    let mut keys = Keys::of(node, "a latency objective", reading)?;
    let id = keys.required("objective", reading, placed(parsed));
    let mean_max = keys.required("mean", reading, length);
    keys.end(reading);
    let id = id?;
    Some(Placed { at: id.at, value: LatencyObjective { id: id.value, mean_max: mean_max? } })
}

/// The objectives, each name once.
fn distinct(objectives: Vec<Placed<LatencyObjective>>, reading: &mut Reading) -> Vec<LatencyObjective> {
    let mut seen: BTreeMap<_, Span> = BTreeMap::new();
    for Placed { at, value } in &objectives {
        if let Some(first) = seen.insert(value.id.clone(), *at) {
            let (id, first) = (&value.id, reading.shown(first));
            reading.problem::<()>(*at, format!("objective `{id}` is given twice, first at {first}; rename one"));
        }
    }
    objectives.into_iter().map(|objective| objective.value).collect()
}

/// The response rules, each severity once.
fn one_a_severity(rules: Vec<Placed<ResponseRule>>, reading: &mut Reading) -> Vec<ResponseRule> {
    let mut seen: BTreeMap<String, Span> = BTreeMap::new();
    for Placed { at, value } in &rules {
        if let Some(first) = seen.insert(value.severity.clone(), *at) {
            let (severity, first) = (value.severity.escape_debug(), reading.shown(first));
            reading.problem::<()>(*at, format!("severity `{severity}` is given twice, first at {first}; keep one"));
        }
    }
    rules.into_iter().map(|rule| rule.value).collect()
}

fn recovery(node: &Node, reading: &mut Reading) -> Option<RecoveryRule> {
    let mut keys = Keys::of(node, "`recovery`", reading)?;
    let rule = RecoveryRule {
        mttr: keys.optional("mttr", reading, length),
        mttsr: keys.optional("mttsr", reading, length),
        sum: keys.optional("sum", reading, length),
        edge: keys.or("limits", Edge::Below, reading, word(&[("below", Edge::Below), ("at_most", Edge::AtMost)])),
    };
    keys.end(reading);
    Some(rule)
}

fn maintenance(node: &Node, reading: &mut Reading) -> Option<MaintenanceRule> {
    let mut keys = Keys::of(node, "`maintenance`", reading)?;
    let notice = keys.or("notice", Duration::ZERO, reading, duration);
    let at_most = keys.optional("at_most", reading, duration);
    keys.end(reading);
    Some(MaintenanceRule { notice, at_most })
}

fn response(node: &Node, reading: &mut Reading) -> Option<ResponseRule> {
    let mut keys = Keys::of(node, "a response rule", reading)?;
    let severity = keys.required("severity", reading, words);
    let acknowledge = keys.optional("acknowledge", reading, length);
    let first_notice = keys.optional("first_notice", reading, length);
    let update_every = keys.optional("update_every", reading, length);
    let start = keys.optional("start", reading, length);
    let progress = keys.optional("progress", reading, length);
    let resolve = keys.optional("resolve", reading, length);
    let report = keys.optional("report", reading, length);
    keys.end(reading);
    let severity = severity?;
    Some(ResponseRule { severity, acknowledge, first_notice, update_every, start, progress, resolve, report })
}

fn credits(node: &Node, reading: &mut Reading) -> Option<(CreditRule, Vec<Placed<Tier>>)> {
    let mut keys = Keys::of(node, "`credits`", reading)?;
    let bases = [("month", CreditBasis::Month), ("trailing_3_months", CreditBasis::TrailingThreeMonths)];
    let basis = keys.or("basis", CreditBasis::Month, reading, word(&bases));
    let truncate_below = keys.or("truncate_below", NonZeroU64::MIN, reading, minor_units);
    let tiers = keys.or("tiers", Vec::new(), reading, list(tier));
    keys.end(reading);
    let rule = CreditRule { basis, truncate_below, tiers: tiers.iter().map(|tier| tier.value).collect() };
    Some((rule, tiers))
}

fn minor_units(node: &Node, reading: &mut Reading) -> Option<NonZeroU64> {
    let given = text(node, reading)?;
    let message = "is no number of minor units; write a whole number from 1, such as 10 to cut amounts to ten won";
    whole::<u64>(given)
        .and_then(NonZeroU64::new)
        .or_else(|| reading.problem(node.at, format!("`{}` {message}", given.escape_debug())))
}

fn tier(node: &Node, reading: &mut Reading) -> Option<Placed<Tier>> {
    let mut keys = Keys::of(node, "a tier", reading)?;
    let from = keys.optional("from", reading, placed(percent));
    let below = keys.required("below", reading, percent);
    let earned = keys.required("percent", reading, percent);
    keys.end(reading);
    let below = below?;
    if let Some(Placed { at, value: from }) = from
        && below <= from
    {
        let message =
            format!("a tier from {from} to below {below} holds nothing; write a `from` less than its `below`");
        return reading.problem(at, message);
    }
    Some(Placed { at: node.at, value: Tier { from: from.map(|from| from.value), below, percent: earned? } })
}

/// A range of availability in messages: `99 to 99.7`.
pub(crate) fn band(from: Percent, below: Percent) -> String {
    format!("{from} to {below}")
}
