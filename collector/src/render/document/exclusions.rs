//! Time that does not count: on what ground, who recorded and approved it, what effect it has, and
//! the figures before and after.

use super::writer::Writer;
use super::{Block, ColumnKind, Row, Table, Tone};
use crate::closing::ServiceMonth;
use crate::render::outside;
use crate::render::words::{Word, class};
use rules::availability::Ratio;
use rules::exclusion::{Bar, Class, Exclusion, Judged, Refusal};

pub(super) fn blocks(month: &ServiceMonth<'_>, writer: &Writer<'_>) -> Vec<Block> {
    let mut blocks = vec![Block::Table(exclusions(month, writer))];
    if !month.reckoning.exclusions.is_empty() {
        blocks.push(Block::Table(before_and_after(month, writer)));
    }
    blocks
}

fn exclusions(month: &ServiceMonth<'_>, writer: &Writer<'_>) -> Table {
    let columns = [
        (Word::Entry, ColumnKind::Name),
        (Word::FromUntil, ColumnKind::Instant),
        (Word::Class, ColumnKind::Prose),
        (Word::OnRecord, ColumnKind::Prose),
        (Word::Effect, ColumnKind::Prose),
    ];
    let rows = month.reckoning.exclusions.iter().map(|judged| row(judged, writer));
    writer.table(Word::Exclusions, &columns, rows.collect())
}

fn row(judged: &Judged<'_>, writer: &Writer<'_>) -> Row {
    let of = &*judged.exclusion;
    let mut ground = class(of.class, writer.language).to_owned();
    if !of.reason.is_empty() {
        ground = format!("{ground}\n{}", outside::shown(&of.reason));
    }
    let cells = vec![
        of.entry.map_or_else(|| "–".to_owned(), |entry| entry.to_string()),
        writer.ends(of.interval),
        ground,
        on_record(of, writer),
        effect(judged, writer),
    ];
    Row { tone: if judged.effective.is_empty() { Tone::Weak } else { Tone::Plain }, cells }
}

/// When the customer was told, and who put it on record and approved it.
fn on_record(of: &Exclusion, writer: &Writer<'_>) -> String {
    let mut lines = Vec::new();
    if let Some(told_at) = of.told_at {
        let (at, before) = (writer.instant(told_at), writer.length(of.interval.from().since(told_at)));
        lines.push(match told_at < of.interval.from() {
            true => {
                writer.either(format!("customer told {at}, {before} before"), format!("고객 통지 {at}, {before} 전"))
            }
            false => {
                writer.either(format!("customer told {at}, not before it began"), format!("고객 통지 {at}, 시작 이후"))
            }
        });
    } else if of.class == Class::AnnouncedMaintenance {
        lines.push(writer.either("no notice to the customer on record", "고객 통지 기록 없음").to_owned());
    }
    let by = of.recorded_by.as_deref().map(outside::shown);
    let at = of.recorded_at.map(|at| writer.instant(at));
    lines.push(match (at, by) {
        (Some(at), Some(by)) => writer.either(format!("recorded {at} by {by}"), format!("기록 {at}, {by}")),
        (Some(at), None) => writer.either(format!("recorded {at}"), format!("기록 {at}")),
        (None, Some(by)) => writer.either(format!("recorded by {by}"), format!("기록자 {by}")),
        (None, None) => writer.either("written in the agreement", "협약에 기재됨").to_owned(),
    });
    lines.extend(
        of.approved_by
            .as_deref()
            .map(outside::shown)
            .map(|by| writer.either(format!("approved by {by}"), format!("승인 {by}"))),
    );
    lines.join("\n")
}

fn effect(judged: &Judged<'_>, writer: &Writer<'_>) -> String {
    let effect = match judged.effective.is_empty() {
        true => writer.say(Word::NoEffect).to_owned(),
        false => writer.length(judged.effective.length()),
    };
    match judged.refusal {
        None => effect,
        Some(refusal) => format!("{effect}\n{}", why(refusal, judged.exclusion.bar.as_ref(), writer)),
    }
}

/// Why an exclusion has no effect, or less than all of it.
fn why(refusal: Refusal, bar: Option<&Bar>, writer: &Writer<'_>) -> String {
    match refusal {
        Refusal::Barred => barred(bar, writer),
        Refusal::NotTold => writer.either("the customer was not told", "고객에게 통지되지 않음").to_owned(),
        Refusal::ToldTooLate { given, notice } => {
            let (given, notice) = (writer.length(given), writer.length(notice));
            writer.either(
                format!("told {given} before it began; the policy asks for {notice}"),
                format!("시작 {given} 전에 통지됨. 정책은 {notice} 전 통지를 요구함"),
            )
        }
        Refusal::CapUsedUp { at_most } => {
            let at_most = writer.length(at_most);
            writer.either(
                format!("the month's {at_most} of announced maintenance were used up"),
                format!("월 한도 {at_most}의 사전 공지 점검 시간을 모두 사용함"),
            )
        }
    }
}

/// What the record says against it.
fn barred(bar: Option<&Bar>, writer: &Writer<'_>) -> String {
    match bar {
        None => writer.either("the record says so", "기록에 따라 적용되지 않음").to_owned(),
        Some(Bar::NotApproved) => writer
            .either(
                "claimed afterwards, and no second person has approved it",
                "사후에 주장되었으며 제2의 담당자가 승인하지 않음",
            )
            .to_owned(),
        Some(Bar::Refused { by, reason }) => {
            let (by, reason) = (outside::shown(by), outside::shown(reason));
            writer.either(format!("refused by {by}: {reason}"), format!("{by} 거부: {reason}"))
        }
        Some(Bar::Superseded { by }) => {
            writer.either(format!("corrected by entry {by}"), format!("기록 {by}번으로 정정됨"))
        }
        Some(Bar::Withdrawn { by }) => {
            writer.either(format!("taken back by entry {by}"), format!("기록 {by}번으로 철회됨"))
        }
    }
}

fn before_and_after(month: &ServiceMonth<'_>, writer: &Writer<'_>) -> Table {
    let columns = [
        (Word::Reading, ColumnKind::Name),
        (Word::Downtime, ColumnKind::Number),
        (Word::Availability, ColumnKind::Number),
    ];
    let reckoning = &month.reckoning;
    let row = |word: Word, ratio: Ratio| {
        Row::plain([writer.say(word).to_owned(), writer.millis(ratio.downtime_ms), format!("{ratio} %")])
    };
    let rows = vec![
        row(Word::BeforeExclusions, reckoning.before_exclusions.nominal),
        row(Word::AfterExclusions, reckoning.availability.nominal),
    ];
    writer.table(Word::BeforeAndAfter, &columns, rows)
}
