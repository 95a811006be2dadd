//! What an amended statement changes of the one it takes the place of.

use super::writer::Writer;
use super::{Begins, Block, ColumnKind, Row, Section};
use crate::closing::Statement;
use crate::closing::amendment::Amendment;
use crate::digest::hex;
use crate::render::figures;
use crate::render::outside;
use crate::render::words::Word;
use rules::decimal::Money;

/// The amendment in a sentence, for the first page.
pub(super) fn summary(statement: &Statement<'_>, writer: &Writer<'_>) -> Option<String> {
    let amends = statement.amends.as_ref()?;
    let (version, before, count) = (statement.version, amends.predecessor, amends.changes.len());
    let difference = difference(statement, amends, writer);
    Some(writer.either(
        format!("Version {version} takes the place of version {before}: {count} figures changed. {difference}"),
        format!("제{version}판은 제{before}판을 대신합니다. 변경된 수치 {count}건. {difference}"),
    ))
}

/// Every change.
pub(super) fn section(statement: &Statement<'_>, writer: &Writer<'_>) -> Option<Section> {
    let amends = statement.amends.as_ref()?;
    let columns =
        [(Word::Place, ColumnKind::Name), (Word::Before, ColumnKind::Prose), (Word::After, ColumnKind::Prose)];
    let side = |of: &Option<String>| of.as_deref().map_or_else(|| writer.say(Word::Absent).to_owned(), outside::shown);
    let rows = amends
        .changes
        .iter()
        .map(|change| Row::plain([outside::shown(&change.place), side(&change.before), side(&change.after)]));
    let blocks = vec![
        Block::sentence(summary(statement, writer)?),
        Block::sentence(writer.say(Word::PredecessorHash)),
        Block::Code(hex(&amends.sha256)),
        Block::Table(writer.table(Word::Changes, &columns, rows.collect())),
    ];
    Some(Section { title: writer.say(Word::AmendmentTitle).to_owned(), begins: Begins::WhereItFalls, blocks })
}

fn difference(statement: &Statement<'_>, amends: &Amendment, writer: &Writer<'_>) -> String {
    let size = Money(u64::try_from(amends.credit_difference.unsigned_abs()).unwrap_or(u64::MAX));
    let size = match &statement.agreement.fees {
        Some(fees) => writer.money(size, fees.currency),
        None => figures::grouped(size.0),
    };
    match amends.credit_difference {
        0 => writer.either("What is owed stays the same.", "할인 금액은 변동이 없습니다.").to_owned(),
        1.. => writer
            .either(format!("{size} more is owed to the customer."), format!("고객에게 추가로 할인할 금액: {size}.")),
        ..0 => writer.either(
            format!("{size} less is owed to the customer; what was granted beyond it is debited."),
            format!("할인 금액의 감소분: {size}. 이미 할인한 초과분은 다시 청구합니다."),
        ),
    }
}
