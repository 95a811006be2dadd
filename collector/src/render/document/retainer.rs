//! The month's account of expert work bought by the year.

use super::writer::Writer;
use super::{Begins, Block, ColumnKind, Figure, Row, Section, Tone};
use crate::closing::Statement;
use crate::render::outside;
use crate::render::words::Word;
use rules::retainer::{Account, Line, ManMonths, Work};

pub(super) fn section(statement: &Statement<'_>, writer: &Writer<'_>) -> Option<Section> {
    let account = statement.retainer.as_ref()?;
    let figure =
        |label: Word, value: ManMonths, note: String| Figure { label: writer.say(label), value: mm(value), note };
    let carried = match account.carried {
        ManMonths(0) => String::new(),
        carried => writer.either(format!("{} carried over", mm(carried)), format!("이월 {} 포함", mm(carried))),
    };
    let year = writer.either(format!("year from {}", account.year), format!("{}부터 1년", account.year));
    let figures = vec![
        figure(
            Word::Available,
            account.available,
            if carried.is_empty() { year } else { format!("{year}, {carried}") },
        ),
        figure(Word::UsedBefore, account.used_before, String::new()),
        figure(Word::UsedNow, account.used, String::new()),
        left(account, writer),
    ];
    let columns = [
        (Word::Entry, ColumnKind::Name),
        (Word::When, ColumnKind::Instant),
        (Word::Work, ColumnKind::Word),
        (Word::Note, ColumnKind::Prose),
        (Word::Worked, ColumnKind::Number),
        (Word::Used, ColumnKind::Number),
    ];
    let rows = account.lines.iter().map(|line| row(line, writer)).collect();
    let mut table = writer.table(Word::EffortTitle, &columns, rows);
    if let Some(retainer) = &statement.agreement.retainer {
        let (least, carry) = (mm(retainer.incident_at_least), retainer.carry_at_most);
        table.notes.push(writer.either(
            format!(
                "Handling an incident uses at least {least}; a diagnosis uses what was worked. At most {carry} % of a year's own amount is carried into the next."
            ),
            format!(
                "장애 대응은 건당 최소 {least}을 차감하고, 진단은 실제 투입된 공수만큼 차감합니다. 미사용 공수는 연간 공수의 최대 {carry} %까지 차년도로 이월합니다."
            ),
        ));
    }
    let blocks = vec![Block::Figures(figures), Block::Table(table)];
    Some(Section { title: writer.say(Word::RetainerTitle).to_owned(), begins: Begins::WhereItFalls, blocks })
}

fn left(account: &Account, writer: &Writer<'_>) -> Figure {
    match account.over {
        ManMonths(0) => Figure { label: writer.say(Word::Left), value: mm(account.left), note: String::new() },
        over => Figure { label: writer.say(Word::Over), value: mm(over), note: writer.say(Word::OverNote).to_owned() },
    }
}

fn row(line: &Line, writer: &Writer<'_>) -> Row {
    let work = match line.effort.work {
        Work::Incident(number) => format!("{} {number}", writer.say(Word::Incident)),
        Work::Diagnosis => writer.say(Word::Diagnosis).to_owned(),
    };
    let cells = vec![
        line.entry.to_string(),
        writer.instant(line.effort.at),
        work,
        outside::shown(&line.effort.note),
        mm(line.effort.worked),
        mm(line.used),
    ];
    Row { tone: Tone::Plain, cells }
}

/// Man-months as people write them: `0.5 M/M`.
fn mm(of: ManMonths) -> String {
    format!("{of} M/M")
}
