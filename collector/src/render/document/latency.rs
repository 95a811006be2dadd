//! How long checks took: exact means with their populations, percentiles marked as what they are, and a chart.

use super::writer::Writer;
use super::{Block, ColumnKind, Row, Table};
use crate::closing::{CheckMonth, ServiceMonth, Statement};
use crate::render::chart::{self, Means};
use crate::render::figures;
use crate::render::outside;
use crate::render::words::Word;

pub(super) fn blocks(statement: &Statement<'_>, month: &ServiceMonth<'_>, writer: &Writer<'_>) -> Vec<Block> {
    if month.latency.is_empty() {
        return Vec::new();
    }
    let charts = month.latency.iter().filter_map(|of| chart::chart(&means(statement, of), writer.language));
    std::iter::once(Block::Table(table(month, writer))).chain(charts.map(Block::Chart)).collect()
}

fn means<'a>(statement: &Statement<'a>, of: &'a CheckMonth<'_>) -> Means<'a> {
    Means {
        check: of.check,
        policy: &statement.agreement.policy,
        zone: &statement.agreement.zone,
        window: statement.calendar,
        population: &of.row.population,
        hours: &of.hours,
    }
}

fn table(month: &ServiceMonth<'_>, writer: &Writer<'_>) -> Table {
    let rows = month.latency.iter().map(|check| {
        let population = &check.row.population;
        let mean = population.mean_us().map_or_else(|| writer.say(Word::NotMeasured).to_owned(), figures::latency);
        let percentiles = check.percentiles.map(|of| {
            let micros = [of.p50, of.p90, of.p95, of.p99, of.max].map(|took| took.as_micros());
            micros.map(|micros| figures::about(u64::try_from(micros).unwrap_or(u64::MAX))).join(" / ")
        });
        let [timeouts, downs, voids] =
            [population.timeouts, population.other_downs, population.voids].map(figures::grouped);
        Row::plain([
            outside::shown(check.row.check.as_str()),
            figures::grouped(population.count()),
            mean,
            percentiles.unwrap_or_else(|| "–".to_owned()),
            timeouts,
            downs,
            voids,
        ])
    });
    let columns = [
        (Word::Check, ColumnKind::Name),
        (Word::Count, ColumnKind::Number),
        (Word::Mean, ColumnKind::Number),
        (Word::Percentiles, ColumnKind::Prose),
        (Word::Timeouts, ColumnKind::Number),
        (Word::OtherDowns, ColumnKind::Number),
        (Word::Voids, ColumnKind::Number),
    ];
    let mut table = writer.table(Word::LatencyTitle, &columns, rows.collect());
    table.notes.push(writer.say(Word::PercentilesNote).to_owned());
    table
}
