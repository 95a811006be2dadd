//! A statement in its forms and two languages, as people and tools get it.
//!
//! One worked case, one month in which everything happened, and one whose every name and text wants
//! to be something else: markup, a formula, a terminal's command.

#![expect(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod hostile;
mod pdf;
mod rich;

use collector::closing;
use collector::closing::replay::Results;
use collector::closing::terms::Terms;
use collector::lines;
use collector::render::{Format, render};
use rules::agreement::Language;
use std::path::Path;

const LANGUAGES: [(&str, Language); 2] = [("en", Language::English), ("ko", Language::Korean)];

fn text(statement: &closing::Statement<'_>, format: Format, language: Language) -> String {
    String::from_utf8(render(statement, format, language).unwrap()).unwrap()
}

/// Takes snapshots of a statement in every form that is text.
fn snapshots(name: &str, statement: &closing::Statement<'_>) {
    for (form, format) in [("json", Format::Json), ("csv", Format::Csv)] {
        let english = text(statement, format, Language::English);
        assert_eq!(english, text(statement, format, Language::Korean), "keys have no language");
        insta::assert_snapshot!(format!("{name}_{form}"), english);
    }
    for (code, language) in LANGUAGES {
        for (form, format) in [("text", Format::Text), ("html", Format::Html)] {
            // The hash is that of the JSON, which has a snapshot of its own.
            insta::with_settings!({ filters => vec![("[0-9a-f]{64}", "[hash]")] }, {
                insta::assert_snapshot!(format!("{name}_{form}_{code}"), text(statement, format, language));
            });
        }
    }
}

#[tokio::test]
async fn a_worked_case_reads_well_in_every_form() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/051");
    let config = config::collector::load(&folder.join("collector.yaml")).unwrap().value;
    let terms = Terms::new(config.agreements[0].clone());
    let file = std::fs::File::open(folder.join("results.ndjson")).unwrap();
    let mut results = Results::default();
    lines::read("results.ndjson", std::io::BufReader::new(file), |line| results.take(line)).unwrap();
    let evidence = results.fold(&terms.agreement);
    let as_of = Some(rich::at("2027-01-01T00:00:00Z"));
    let statement = closing::draw_up(&evidence, &terms, "2025-12".parse().unwrap(), as_of).await.unwrap();
    snapshots("case_051", &statement);
}

#[tokio::test]
async fn a_month_in_which_everything_happened_reads_well_in_every_form() {
    let terms = rich::terms();
    snapshots("rich", &rich::statement(&terms).await);
}

#[tokio::test]
async fn no_line_of_a_text_is_longer_than_a_hundred_columns() {
    let terms = rich::terms();
    let statement = rich::statement(&terms).await;
    for (_, language) in LANGUAGES {
        for line in text(&statement, Format::Text, language).lines() {
            let wide = line
                .chars()
                .filter(|c| ('\u{1100}'..='\u{d7a3}').contains(c) && !('\u{2000}'..='\u{2bff}').contains(c))
                .count();
            let columns = line.chars().count() + wide;
            assert!(columns <= 100, "{columns} columns: {line}");
        }
    }
}

#[tokio::test]
async fn every_form_is_the_same_bytes_every_time() {
    let terms = rich::terms();
    let (once, again) = (rich::statement(&terms).await, rich::statement(&terms).await);
    for format in [Format::Json, Format::Csv, Format::Text, Format::Html, Format::Pdf] {
        assert_eq!(render(&once, format, Language::Korean).unwrap(), render(&again, format, Language::Korean).unwrap());
    }
}
