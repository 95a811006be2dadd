//! One service's part of the document: its verdict and first figures; the rest is beside.

use super::writer::Writer;
use super::{Block, Figure, Tone, Verdict, credit, evidence, exclusions, latency, objectives, outages};
use crate::closing::{Awaiting, ServiceMonth, State, Statement};
use crate::render::figures::{cut_percent, millis};
use crate::render::timeline;
use crate::render::words::Word;
use rules::availability::{Availability, Ratio};
use rules::id::AgentId;
use rules::policy::{Policy, Undetermined};
use rules::statement::Reckoning;
use std::collections::BTreeSet;
use std::time::Duration;

/// A service's month at a glance.
pub(super) struct Summary {
    pub(super) verdict: Verdict,
    /// Availability, downtime, outages, credit, and how much was observed.
    pub(super) figures: [Figure; 5],
}

impl Summary {
    pub(super) fn into_blocks(self) -> [Block; 2] {
        [Block::Verdict(self.verdict), Block::Figures(self.figures.into())]
    }
}

/// What can be said of an objective.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Answer {
    Met,
    Missed,
    /// The readings of undetermined time fall on different sides of it.
    CannotBeSaid,
}

/// All of a service's month.
pub(super) fn blocks(statement: &Statement<'_>, month: &ServiceMonth<'_>, writer: &Writer<'_>) -> Vec<Block> {
    let mut blocks = Vec::new();
    if statement.services.len() != 1 {
        blocks.extend(summary(statement, month, writer).into_blocks());
    }
    blocks.push(Block::Table(objectives::table(month, writer)));
    blocks.extend(outages::blocks(month, writer));
    blocks.extend(exclusions::blocks(month, writer));
    blocks.push(Block::Heading(writer.say(Word::TimelineTitle).to_owned()));
    blocks.push(Block::Timeline(timeline::timeline(statement, month, writer.language)));
    blocks.extend(latency::blocks(statement, month, writer));
    blocks.extend(evidence::blocks(month, writer));
    blocks.extend(credit::blocks(statement, month, writer));
    blocks
}

/// A service's month at a glance.
pub(super) fn summary(statement: &Statement<'_>, month: &ServiceMonth<'_>, writer: &Writer<'_>) -> Summary {
    let policy = &statement.agreement.policy;
    Summary { verdict: verdict(statement, month, writer), figures: first_figures(policy, month, writer) }
}

/// Whether `availability` keeps the objective under every reading, under none, or under one only.
pub(super) fn answer(policy: &Policy, availability: Availability) -> Answer {
    let keeps = |ratio: Ratio| ratio.meets(policy.availability.objective);
    match (keeps(availability.best), keeps(availability.worst)) {
        (true, true) => Answer::Met,
        (false, false) => Answer::Missed,
        _ => Answer::CannotBeSaid,
    }
}

fn verdict(statement: &Statement<'_>, month: &ServiceMonth<'_>, writer: &Writer<'_>) -> Verdict {
    let policy = &statement.agreement.policy;
    let so_far = statement.state == State::Provisional(Awaiting::PeriodEnd);
    let (tone, word) = match (answer(policy, month.reckoning.availability), so_far) {
        (Answer::Met, false) => (Tone::Good, Word::Met),
        (Answer::Met, true) => (Tone::Good, Word::MetSoFar),
        (Answer::Missed, false) => (Tone::Bad, Word::Missed),
        (Answer::Missed, true) => (Tone::Bad, Word::MissedSoFar),
        (Answer::CannotBeSaid, _) => (Tone::Weak, Word::Incomplete),
    };
    Verdict { tone, word: writer.say(word), sentences: sentences(policy, month, writer) }
}

fn sentences(policy: &Policy, month: &ServiceMonth<'_>, writer: &Writer<'_>) -> Vec<String> {
    let reckoning = &month.reckoning;
    let Availability { nominal, best, worst } = reckoning.availability;
    let objective = policy.availability.objective;
    if is_unseen(reckoning) {
        return vec![writer.say(Word::NothingSeen).to_owned()];
    }
    let doubtful = answer(policy, reckoning.availability) == Answer::CannotBeSaid;
    let mut said = vec![match reckoning.met(policy) {
        _ if doubtful => writer.either(
            format!("By the agreement's reading availability is {nominal} %; at least {objective} % was promised."),
            format!("협약의 해석에 따른 가용률은 {nominal} %이며, 약속한 가용률은 {objective} %입니다."),
        ),
        true => writer.either(
            format!("Availability is {nominal} %; at least {objective} % was promised."),
            format!("가용률은 {nominal} %로, 약속한 {objective} % 이상입니다."),
        ),
        false => writer.either(
            format!("Availability is {nominal} %; at least {objective} % was promised and not kept."),
            format!("가용률은 {nominal} %로, 약속한 {objective} %에 미치지 못합니다."),
        ),
    }];
    if best != worst {
        let undetermined = writer.length(reckoning.partition.undetermined.length());
        let read = match policy.availability.undetermined {
            Undetermined::Up => writer.either("up", "정상으"),
            Undetermined::Down => writer.either("down", "장애"),
        };
        said.push(writer.either(
            format!(
                "For {undetermined} nobody can say what the service was; the agreement reads that time as {read}. Read as up it makes {best} %, read as down {worst} %."
            ),
            format!(
                "{undetermined} 동안의 상태는 확인되지 않았으며(미확정), 협약에 따라 {read}로 봅니다. 정상으로 보면 {best} %, 장애로 보면 {worst} %입니다."
            ),
        ));
    }
    if doubtful {
        said.push(writer.say(Word::IncompleteObjective).to_owned());
    } else if reckoning.evidence_is_incomplete(policy) {
        said.push(writer.say(Word::IncompleteCredit).to_owned());
    }
    said
}

/// Whether nobody saw anything of the period, so that no figure says anything.
fn is_unseen(reckoning: &Reckoning<'_>) -> bool {
    let seen = reckoning.timeline.up.union(&reckoning.timeline.down);
    seen.clipped(reckoning.period).is_empty()
}

fn first_figures(policy: &Policy, month: &ServiceMonth<'_>, writer: &Writer<'_>) -> [Figure; 5] {
    let reckoning = &month.reckoning;
    let nominal = reckoning.availability.nominal;
    let objective = policy.availability.objective;
    let allowed = Ratio { downtime_ms: 0, ..nominal }.budget_left_ms(objective);
    let allowed = writer.length(Duration::from_millis(u64::try_from(allowed).unwrap_or(0)));
    let credit = &reckoning.credit;
    let amount = credit.currency.map(|currency| writer.money(credit.amount, currency)).unwrap_or_default();
    let figure = |label: Word, value: String, note: String| Figure { label: writer.say(label), value, note };
    let longest = reckoning.outages().map(|(stretch, _)| stretch.interval.length()).max();
    let longest = longest.map(|longest| writer.length(longest));
    let availability = match is_unseen(reckoning) {
        true => writer.say(Word::NoEvidence).to_owned(),
        false => format!("{nominal} %"),
    };
    [
        figure(
            Word::Availability,
            availability,
            writer.either(format!("objective {objective} %"), format!("목표 {objective} %")),
        ),
        figure(
            Word::Downtime,
            writer.millis(nominal.downtime_ms),
            writer.either(format!("{allowed} allowed"), format!("허용 {allowed}")),
        ),
        figure(
            Word::Outages,
            reckoning.outages().count().to_string(),
            longest.map_or_else(String::new, |of| writer.either(format!("longest {of}"), format!("최장 {of}"))),
        ),
        figure(Word::Credit, format!("{} %", credit.percent), amount),
        observed(month, writer),
    ]
}

/// How much of the period was seen, and from how many places.
fn observed(month: &ServiceMonth<'_>, writer: &Writer<'_>) -> Figure {
    let reckoning = &month.reckoning;
    let seen = reckoning.timeline.up.union(&reckoning.timeline.down).clipped(reckoning.period);
    let share = cut_percent(millis(seen.length()), millis(reckoning.period.length())).unwrap_or_default();
    let heard = month.coverage.iter().filter(|coverage| !coverage.spoken.is_zero());
    let vantages = heard.map(|coverage| &coverage.agent).collect::<BTreeSet<&AgentId>>().len();
    let undetermined = writer.length(reckoning.partition.undetermined.length());
    let plural = if vantages == 1 { "" } else { "s" };
    Figure {
        label: writer.say(Word::Observed),
        value: format!("{share} %"),
        note: writer.either(
            format!("{vantages} vantage{plural}, {undetermined} undetermined"),
            format!("관측 지점 {vantages}곳, 미확정 {undetermined}"),
        ),
    }
}
