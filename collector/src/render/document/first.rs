//! The first page: whose month it is, whether the objective was met, and how good the evidence is.

use super::service::{self, Summary};
use super::writer::Writer;
use super::{Badge, Block, ColumnKind, Fact, Row, Table, Tone, amendment};
use crate::closing::{Awaiting, State, Statement};
use crate::digest::hex;
use crate::render::outside;
use crate::render::words::Word;
use rules::agreement::{Effective, Language};

/// Whether figures can still change, in a word. Only what was issued is called final.
pub(super) fn state(statement: &Statement<'_>, language: Language) -> Badge {
    let (tone, word) = match (&statement.state, &statement.issue, &statement.amends) {
        (State::Provisional(_), _, _) => (Tone::Weak, Word::Provisional),
        (State::Final { .. }, None, _) => (Tone::Weak, Word::NotIssued),
        (State::Final { .. }, Some(_), None) => (Tone::Good, Word::Final),
        (State::Final { .. }, Some(_), Some(_)) => (Tone::Good, Word::Amended),
    };
    Badge { tone, word: word.say(language) }
}

/// All that the first page says below its title.
pub(super) fn blocks(statement: &Statement<'_>, writer: &Writer<'_>) -> Vec<Block> {
    let mut blocks = Vec::new();
    blocks.extend(state_note(&statement.state, writer).map(Block::doubt));
    blocks.extend(amendment::summary(statement, writer).map(Block::doubt));
    match statement.services.as_slice() {
        [] => blocks.push(Block::doubt(writer.say(Word::NoServices))),
        [month] => blocks.extend(service::summary(statement, month, writer).into_blocks()),
        several => {
            let summaries: Vec<(String, Summary)> = several
                .iter()
                .map(|month| (month.service.id.to_string(), service::summary(statement, month, writer)))
                .collect();
            blocks.push(Block::Table(overview(&summaries, writer)));
            blocks.extend(capped(statement, writer).map(Block::sentence));
        }
    }
    if !statement.without_time.is_empty() {
        let names = writer.names(&statement.without_time);
        blocks.push(Block::sentence(format!("{}: {names}.", writer.say(Word::WithoutTime))));
    }
    blocks.push(Block::Facts(facts(statement, writer)));
    blocks
}

fn overview(summaries: &[(String, Summary)], writer: &Writer<'_>) -> Table {
    let rows = summaries.iter().map(|(name, summary)| {
        let [availability, downtime, outages, credit, observed] = &summary.figures;
        let two = |figure: &super::Figure| match figure.note.is_empty() {
            true => figure.value.clone(),
            false => format!("{}\n{}", figure.value, figure.note),
        };
        let cells = vec![
            outside::shown(name),
            summary.verdict.word.to_owned(),
            two(availability),
            two(downtime),
            outages.value.clone(),
            two(credit),
            observed.value.clone(),
        ];
        Row { tone: summary.verdict.tone, cells }
    });
    let columns = [
        (Word::Service, ColumnKind::Name),
        (Word::Result, ColumnKind::Word),
        (Word::Availability, ColumnKind::Number),
        (Word::Downtime, ColumnKind::Number),
        (Word::Outages, ColumnKind::Number),
        (Word::Credit, ColumnKind::Number),
        (Word::Observed, ColumnKind::Number),
    ];
    writer.table(Word::Overview, &columns, rows.collect())
}

/// What is owed in all, if that is less than the services' credits come to.
fn capped(statement: &Statement<'_>, writer: &Writer<'_>) -> Option<String> {
    let (total, fees) = (statement.owed().filter(|total| total.is_capped())?, statement.agreement.fees.as_ref()?);
    let [sum, amount] = [total.of_services, total.amount].map(|of| writer.money(of, fees.currency));
    Some(writer.either(
        format!("The services' credits come to {sum}. All together are at most the fee that they are shares of: {amount} is owed."),
        format!("서비스별 할인 금액의 합계는 {sum}이나, 합계는 산정 기준이 되는 이용요금을 넘지 않으므로 실제 할인 금액은 {amount}입니다."),
    ))
}

fn facts(statement: &Statement<'_>, writer: &Writer<'_>) -> Vec<Fact> {
    let agreement = statement.agreement;
    let fact = |label: Word, value: String| Fact { label: writer.say(label), value };
    let mut facts = vec![
        fact(Word::Customer, outside::shown(&agreement.customer)),
        fact(Word::Agreement, outside::shown(agreement.id.as_str())),
        fact(Word::Period, format!("{}\n{}", statement.month, writer.ends(statement.calendar))),
        fact(Word::Zone, agreement.zone.name().to_owned()),
        fact(Word::Policy, outside::shown(agreement.policy.id.as_str())),
    ];
    facts.extend(effective(agreement.effective, writer).map(|of| fact(Word::InForce, of)));
    facts.extend(statement.as_of.map(|at| fact(Word::AsOf, writer.instant(at))));
    facts.extend(statement.issue.as_ref().map(|issue| fact(Word::Issued, writer.instant(issue.issued_at))));
    facts.push(fact(Word::Version, statement.version.to_string()));
    facts.extend(statement.amends.as_ref().map(|amends| {
        let hash = hex(&amends.sha256);
        let before = amends.predecessor;
        let before = writer.either(format!("version {before}"), format!("제{before}판"));
        fact(Word::Predecessor, format!("{before}\nSHA-256 {hash}"))
    }));
    facts
}

fn effective(Effective { from, until }: Effective, writer: &Writer<'_>) -> Option<String> {
    let from_word = |from| writer.either(format!("from {from}"), format!("{from}부터"));
    let until_word = |until| writer.either(format!("until before {until}"), format!("{until} 전까지"));
    match (from, until) {
        (None, None) => None,
        (Some(from), None) => Some(from_word(from)),
        (None, Some(until)) => Some(until_word(until)),
        (Some(from), Some(until)) => Some(format!("{} {}", from_word(from), until_word(until))),
    }
}

fn state_note(state: &State, writer: &Writer<'_>) -> Option<String> {
    let said = match state {
        State::Final { missing } if missing.is_empty() => return None,
        State::Final { missing } => {
            let names = writer.names(missing);
            writer.either(
                format!("The evidence of these agents was not waited for any longer: {names}."),
                format!("다음 에이전트의 증거는 대기 기간이 지나 더 기다리지 않았습니다: {names}."),
            )
        }
        State::Provisional(Awaiting::PeriodEnd) => writer
            .either(
                "Provisional: the period still runs, and every figure is one so far.",
                "잠정: 대상 월이 아직 끝나지 않았으며, 모든 수치는 현재까지의 값입니다.",
            )
            .to_owned(),
        State::Provisional(Awaiting::Evidence(agents)) if agents.is_empty() => writer
            .either("Provisional: no agent has sent evidence.", "잠정: 증거를 보낸 에이전트가 없습니다.")
            .to_owned(),
        State::Provisional(Awaiting::Evidence(agents)) => {
            let names = writer.names(agents);
            writer.either(
                format!("Provisional: evidence up to the period's end is still due from {names}."),
                format!("잠정: 다음 에이전트의 월말까지의 증거를 기다리고 있습니다: {names}."),
            )
        }
    };
    Some(said)
}
