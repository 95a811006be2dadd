//! What the customer was to the provider within the period, and what follows from it.

use super::writer::Writer;
use super::{Begins, Block, ColumnKind, Row, Section};
use crate::closing::Statement;
use crate::render::words::{Word, standing};
use rules::standing::StandingRule;

pub(super) fn section(statement: &Statement<'_>, writer: &Writer<'_>) -> Option<Section> {
    if statement.standing.is_empty() {
        return None;
    }
    let rows = statement.standing.iter().map(|stretch| {
        let [from, until] = [stretch.interval.from(), stretch.interval.until()].map(|at| writer.instant(at));
        Row::plain([standing(stretch.standing, writer.language).to_owned(), from, until])
    });
    let columns =
        [(Word::Standing, ColumnKind::Name), (Word::From, ColumnKind::Instant), (Word::Until, ColumnKind::Instant)];
    let mut table = writer.table(Word::StandingTable, &columns, rows.collect());
    table.notes.push(writer.say(Word::StandingNote).to_owned());
    let blocks = vec![Block::Table(table)];
    Some(Section { title: writer.say(Word::StandingTitle).to_owned(), begins: Begins::WhereItFalls, blocks })
}

/// What the policy does about standings, in sentences: a part of the method.
pub(super) fn follows(rule: StandingRule, writer: &Writer<'_>) -> Vec<String> {
    let length = |of| writer.length(of);
    let sentences = [
        rule.trial.map(length).map(|after| {
            writer.either(
                format!("A trial lasts {after}; then screens and collection stop and data is deleted."),
                format!(
                    "체험 기간은 {after}이며, 끝나면 모니터링 화면 접속과 데이터 수집을 중지하고 데이터를 삭제합니다."
                ),
            )
        }),
        rule.screens_stop.map(length).map(|after| {
            writer.either(
                format!("Screens stop {after} after a bill was due and not paid."),
                format!("결제일부터 {after} 후까지 미납이면 모니터링 화면 접속을 중지합니다."),
            )
        }),
        rule.collection_stops.map(length).map(|after| {
            writer.either(
                format!("Collection stops {after} after a bill was due and not paid."),
                format!("결제일부터 {after} 후까지 미납이면 데이터 수집을 중지합니다."),
            )
        }),
        rule.data_deleted.map(length).map(|after| {
            writer.either(
                format!("Data is deleted {after} after a bill was due and not paid."),
                format!("결제일부터 {after} 후까지 미납이면 데이터를 삭제합니다."),
            )
        }),
        rule.terminated_deleted.map(length).map(|after| {
            writer.either(
                format!("Data is deleted {after} after the agreement ended."),
                format!("계약 종료일부터 {after} 후에 데이터를 삭제합니다."),
            )
        }),
    ];
    sentences.into_iter().flatten().collect()
}
