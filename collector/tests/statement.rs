//! A statement in its four forms and two languages, as people and tools get it.
//!
//! One worked case, and one whose every name and text wants to be something else: markup, a
//! formula, a terminal's command.

#![expect(clippy::unwrap_used, reason = "a test that can't go on fails")]

use collector::closing;
use collector::closing::replay::Results;
use collector::closing::terms::Terms;
use collector::lines;
use collector::render::{Format, render};
use rules::agreement::Language;
use std::path::Path;

async fn rendered(folder: &str, period: &str, format: Format, language: Language) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(folder);
    let config = config::collector::load(&folder.join("collector.yaml")).unwrap().value;
    let file = std::fs::File::open(folder.join("results.ndjson")).unwrap();
    let mut results = Results::default();
    lines::read("results.ndjson", std::io::BufReader::new(file), |line| results.take(line)).unwrap();
    let terms = Terms::new(config.agreements[0].clone());
    let as_of = Some("2027-01-01T00:00:00Z".parse().unwrap());
    let evidence = results.fold(&terms.agreement);
    let statement = closing::draw_up(&evidence, &terms, period.parse().unwrap(), as_of).await.unwrap();
    String::from_utf8(render(&statement, format, language)).unwrap()
}

async fn snapshot(name: &str, folder: &str, period: &str) {
    for (form, format) in [("json", Format::Json), ("csv", Format::Csv)] {
        let english = rendered(folder, period, format, Language::English).await;
        assert_eq!(english, rendered(folder, period, format, Language::Korean).await, "keys have no language");
        insta::assert_snapshot!(format!("{name}_{form}"), english);
    }
    for (code, language) in [("en", Language::English), ("ko", Language::Korean)] {
        for (form, format) in [("text", Format::Text), ("html", Format::Html)] {
            insta::assert_snapshot!(format!("{name}_{form}_{code}"), rendered(folder, period, format, language).await);
        }
    }
}

#[tokio::test]
async fn a_worked_case_reads_well_in_every_form() {
    snapshot("case_051", "vectors/051", "2025-12").await;
}

#[tokio::test]
async fn hostile_names_stay_names_in_every_form() {
    snapshot("hostile", "hostile", "2026-10").await;
    for language in [Language::English, Language::Korean] {
        let html = rendered("hostile", "2026-10", Format::Html, language).await;
        for markup in ["<script", "<b>", "<u>", "</td><td>\"", "\u{1b}"] {
            assert!(!html.contains(markup), "{markup:?} in the page");
        }
        let text = rendered("hostile", "2026-10", Format::Text, language).await;
        assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "a control character in the text");
    }
    let csv = rendered("hostile", "2026-10", Format::Csv, Language::English).await;
    for line in csv.lines() {
        let formula = |cell: &str| cell.trim_matches('"').starts_with(['=', '+', '-', '@']);
        assert!(!line.split(',').any(formula), "a formula in {line}");
    }
}

#[tokio::test]
async fn a_page_is_the_same_bytes_every_time() {
    let once = rendered("hostile", "2026-10", Format::Html, Language::Korean).await;
    assert_eq!(once, rendered("hostile", "2026-10", Format::Html, Language::Korean).await);
}
