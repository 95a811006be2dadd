//! Where the period's time went, under each reading, and how much of it each agent was heard for.

use super::writer::Writer;
use super::{Block, ColumnKind, Row, Table};
use crate::closing::ServiceMonth;
use crate::render::figures::{cut_percent, millis};
use crate::render::outside;
use crate::render::words::Word;
use rules::agreement::Service;
use rules::check::Counts;
use rules::interval::Interval;

/// How many undetermined stretches are listed, the longest; what is left out is said.
const UNDETERMINED_SHOWN_MAX: usize = 30;

pub(super) fn blocks(month: &ServiceMonth<'_>, writer: &Writer<'_>) -> Vec<Block> {
    let mut blocks = vec![Block::Table(partition(month, writer)), Block::Table(readings(month, writer))];
    blocks.extend(undetermined(month, writer).map(Block::Table));
    blocks.push(Block::Table(coverage(month, writer)));
    blocks.push(Block::Table(looked_at(month.service, writer)));
    blocks
}

fn partition(month: &ServiceMonth<'_>, writer: &Writer<'_>) -> Table {
    let period = month.reckoning.period;
    let partition = &month.reckoning.partition;
    let whole = millis(period.length());
    let parts = [
        (Word::Up, &partition.up),
        (Word::Counted, &partition.counted),
        (Word::Short, &partition.short),
        (Word::Excluded, &partition.excluded),
        (Word::Undetermined, &partition.undetermined),
    ];
    let row = |word: Word, length: std::time::Duration| {
        let share = cut_percent(millis(length), whole).unwrap_or_default();
        Row::plain([writer.say(word).to_owned(), writer.length(length), format!("{share} %")])
    };
    let mut rows: Vec<Row> = parts.into_iter().map(|(word, set)| row(word, set.length())).collect();
    rows.push(row(Word::Together, period.length()));
    let columns =
        [(Word::State, ColumnKind::Name), (Word::Length, ColumnKind::Number), (Word::Share, ColumnKind::Number)];
    let mut table = writer.table(Word::Partition, &columns, rows);
    let (from, until) = (writer.instant(period.from()), writer.instant(period.until()));
    table.notes.push(writer.either(
        format!("Reckoned from {from} until {until}; the parts add up to it to the millisecond."),
        format!("산정 구간: {from} – {until}. 각 부분의 합은 밀리초까지 이 구간과 같습니다."),
    ));
    table
}

fn readings(month: &ServiceMonth<'_>, writer: &Writer<'_>) -> Table {
    let availability = month.reckoning.availability;
    let readings = [
        (Word::PolicyReading, availability.nominal),
        (Word::BestReading, availability.best),
        (Word::WorstReading, availability.worst),
    ];
    let rows = readings.map(|(word, ratio)| {
        let lengths = [ratio.downtime_ms, ratio.total_ms].map(|ms| writer.millis(ms));
        let [down, total] = lengths;
        Row::plain([writer.say(word).to_owned(), down, total, format!("{ratio} %")])
    });
    let columns = [
        (Word::Reading, ColumnKind::Name),
        (Word::Downtime, ColumnKind::Number),
        (Word::DividedBy, ColumnKind::Number),
        (Word::Availability, ColumnKind::Number),
    ];
    writer.table(Word::Readings, &columns, rows.into())
}

/// When nobody can say what the service was.
fn undetermined(month: &ServiceMonth<'_>, writer: &Writer<'_>) -> Option<Table> {
    let mut of: Vec<Interval> = month.reckoning.partition.undetermined.iter().collect();
    if of.is_empty() {
        return None;
    }
    let count = of.len();
    of.sort_by_key(|stretch| (std::cmp::Reverse(stretch.length()), *stretch));
    of.truncate(UNDETERMINED_SHOWN_MAX);
    of.sort();
    let rows = of.iter().enumerate().map(|(index, stretch)| {
        let ends = [stretch.from(), stretch.until()].map(|at| writer.instant(at));
        let [from, until] = ends;
        Row::plain([(index + 1).to_string(), from, until, writer.length(stretch.length())])
    });
    let columns = [
        (Word::Number, ColumnKind::Name),
        (Word::From, ColumnKind::Instant),
        (Word::Until, ColumnKind::Instant),
        (Word::Length, ColumnKind::Number),
    ];
    let mut table = writer.table(Word::UndeterminedTitle, &columns, rows.collect());
    if UNDETERMINED_SHOWN_MAX < count {
        table.notes.push(writer.either(
            format!("The {UNDETERMINED_SHOWN_MAX} longest of {count} stretches are listed."),
            format!("전체 {count}건 중 가장 긴 {UNDETERMINED_SHOWN_MAX}건을 기재합니다."),
        ));
    }
    Some(table)
}

fn coverage(month: &ServiceMonth<'_>, writer: &Writer<'_>) -> Table {
    let whole = millis(month.reckoning.period.length());
    let rows = month.coverage.iter().map(|coverage| {
        let share = cut_percent(millis(coverage.spoken), whole).unwrap_or_default();
        Row::plain([
            outside::shown(coverage.agent.as_str()),
            outside::shown(coverage.check.as_str()),
            format!("{share} %"),
            writer.length(coverage.void),
            writer.length(coverage.silent),
        ])
    });
    let columns = [
        (Word::Agent, ColumnKind::Name),
        (Word::Check, ColumnKind::Name),
        (Word::Heard, ColumnKind::Number),
        (Word::CouldNotJudge, ColumnKind::Number),
        (Word::Silent, ColumnKind::Number),
    ];
    let mut table = writer.table(Word::CoverageTitle, &columns, rows.collect());
    table.notes.push(writer.say(Word::CoverageNote).to_owned());
    table
}

/// What agents were told to look at, as the agreement stands.
fn looked_at(service: &Service, writer: &Writer<'_>) -> Table {
    let rows = service.checks.iter().map(|check| {
        let counts = match check.counts {
            Counts::Yes => Word::Yes,
            Counts::No => Word::No,
        };
        Row::plain([
            outside::shown(check.id.as_str()),
            format!("{}: {}", check.target.kind(), target(check.target.address())),
            writer.length(check.every),
            writer.length(check.timeout),
            writer.say(counts).to_owned(),
        ])
    });
    let columns = [
        (Word::Check, ColumnKind::Name),
        (Word::Target, ColumnKind::Prose),
        (Word::Every, ColumnKind::Number),
        (Word::Timeout, ColumnKind::Number),
        (Word::Counts, ColumnKind::Word),
    ];
    writer.table(Word::LookedAtTitle, &columns, rows.collect())
}

/// Where a target is, without what could be a secret: a name and password before the host, and the query.
fn target(address: &str) -> String {
    let (scheme, rest) =
        address.split_once("://").map_or(("", address), |(_, rest)| (&address[..address.len() - rest.len()], rest));
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let path = path.split_once('?').map_or(path, |(path, _)| path);
    outside::shown(&format!("{scheme}{host}{path}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_shown_without_what_could_be_a_secret() {
        let check = |address: &str, said: &str| assert_eq!(target(address), said);
        check("https://apm.example/login", "https://apm.example/login");
        check("https://user:p@ss@apm.example:8443/login?token=1#x", "https://apm.example:8443/login");
        check("https://apm.example?token=1", "https://apm.example");
        check("apm.example:443", "apm.example:443");
    }
}
