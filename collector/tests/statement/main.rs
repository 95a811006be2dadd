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

const TWO_SERVICES: &str = "
ledger: sqlite::memory:
policies:
  - policy: p
    availability: { objective: 99.9, outage: { for: 5m } }
    credits: { truncate_below: 10, tiers: [ { from: 95.0, below: 99.9, percent: 25 }, { below: 95.0, percent: 100 } ] }
agreements:
  - agreement: acme
    zone: UTC
    policy: p
    fees: { currency: KRW, default: 1199999 }
    services:
      - { service: one, checks: [ { check: port, tcp: 'one.example:443', every: 1h } ] }
      - { service: two, checks: [ { check: port, tcp: 'two.example:443', every: 1h } ] }
";

#[tokio::test]
async fn two_services_are_owed_at_most_the_fee_and_every_form_says_so() {
    let config = config::collector::parse(TWO_SERVICES, "collector.yaml", Path::new(".")).unwrap().value;
    let terms = Terms::new(config.agreements[0].clone());
    // One was down all month, the other as many hours as are given.
    let drawn_up = async |hours: usize| {
        let line = |service: &str, hour: usize, is_down: bool| {
            let at = rich::at("2026-10-01T00:00:00Z").plus(std::time::Duration::from_secs(3600 * hour as u64));
            let outcome = if is_down { "\"down\",\"cause\":\"refused\"" } else { "\"up\"" };
            format!(
                "{{\"agent\":\"a\",\"service\":\"{service}\",\"check\":\"port\",\"at\":\"{at}\",\"outcome\":{outcome},\"elapsed_us\":1}}\n"
            )
        };
        let all = (0..744).flat_map(|hour| [line("one", hour, true), line("two", hour, hour < hours)]);
        let mut results = Results::default();
        lines::read("results", all.collect::<String>().as_bytes(), |line| results.take(line)).unwrap();
        let evidence = results.fold(&terms.agreement);
        closing::draw_up(&evidence, &terms, "2026-10".parse().unwrap(), None).await.unwrap()
    };
    let capped = drawn_up(10).await;
    let json: serde_json::Value = serde_json::from_str(&text(&capped, Format::Json, Language::English)).unwrap();
    assert_eq!(json["credit"], serde_json::json!({ "of_services": 1_199_990 + 299_990, "amount": 1_199_990 }));
    let english = text(&capped, Format::Text, Language::English).replace("\n", " ");
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words(&english).contains("at most the fee that they are shares of: 1,199,990 KRW is owed"));
    let korean = text(&capped, Format::Html, Language::Korean);
    assert!(korean.contains("실제 할인 금액은") && korean.contains("1,499,980"));
    let csv = text(&capped, Format::Csv, Language::English);
    assert!(csv.contains("acme,2026-10,,credit,amount,,,1199990,KRW minor units"), "{csv}");

    let within = drawn_up(0).await;
    let json: serde_json::Value = serde_json::from_str(&text(&within, Format::Json, Language::English)).unwrap();
    assert!(json.get("credit").is_none(), "nothing is taken off, so nothing is said");
}
