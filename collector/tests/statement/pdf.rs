//! Statements as PDF, read back by poppler: what it says, what is embedded, and where it stands.

use super::{LANGUAGES, rich};
use collector::closing::replay::Results;
use collector::closing::terms::Terms;
use collector::closing::{self, Statement};
use collector::lines;
use collector::render::{Format, pdf, render};
use rules::agreement::Language;
use serde_json::Value;
use std::collections::HashSet;
use std::fmt::Write as _;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command;

fn terms(folder: &str) -> Terms {
    let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(folder).join("collector.yaml");
    Terms::new(config::collector::load(&config).unwrap().value.agreements[0].clone())
}

async fn drawn_up<'a>(terms: &'a Terms, period: &str, results: impl Read) -> Statement<'a> {
    let mut read = Results::default();
    lines::read("results", std::io::BufReader::new(results), |line| read.take(line)).unwrap();
    let evidence = read.fold(&terms.agreement);
    closing::draw_up(&evidence, terms, period.parse().unwrap(), Some(rich::at("2027-01-01T00:00:00Z"))).await.unwrap()
}

fn results(folder: &str) -> std::fs::File {
    std::fs::File::open(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(folder).join("results.ndjson"))
        .unwrap()
}

fn printed(statement: &Statement<'_>, language: Language) -> Kept {
    kept(&render(statement, Format::Pdf, language).unwrap())
}

fn json(statement: &Statement<'_>) -> Vec<u8> {
    render(statement, Format::Json, Language::English).unwrap()
}

/// A file in a directory that goes with it.
struct Kept {
    path: PathBuf,
    dir: tempfile::TempDir,
}

fn kept(pdf: &[u8]) -> Kept {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("statement.pdf");
    std::fs::write(&path, pdf).unwrap();
    Kept { path, dir }
}

/// What one of poppler's programs says of the file.
fn poppler(program: &str, arguments: &[&str], file: &Kept) -> String {
    let mut command = Command::new(program);
    command.args(arguments).arg(&file.path).current_dir(file.dir.path());
    if program == "pdftotext" {
        command.arg("-");
    }
    let output = command.output().unwrap_or_else(|error| panic!("{program}, of Debian's poppler-utils: {error}"));
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The text in reading order, its lines joined.
fn text(file: &Kept) -> String {
    poppler("pdftotext", &["-raw"], file).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// An instant of the JSON as it is printed in `zone`.
fn local(instant: &Value, zone: &str) -> String {
    let instant: jiff::Timestamp = instant.as_str().unwrap().parse().unwrap();
    let civil = instant.to_zoned(jiff::tz::TimeZone::get(zone).unwrap());
    let format = if civil.subsec_nanosecond() == 0 { "%F %T" } else { "%F %T.%3f" };
    civil.strftime(format).to_string()
}

/// Every figure of the JSON that a reader must find on the pages.
fn figures(json: &Value) -> Vec<String> {
    let zone = json["statement"]["zone"].as_str().unwrap();
    let mut figures = Vec::new();
    for service in json["services"].as_array().unwrap() {
        let availability = &service["availability"];
        for key in ["percent", "best_percent", "worst_percent", "objective_percent"] {
            figures.extend(availability[key].as_str().map(|percent| format!("{percent} %")));
        }
        figures.extend(service["credit"]["percent"].as_str().map(|percent| format!("{percent} %")));
        for outage in service["outages"].as_array().unwrap() {
            figures.extend(["began_at", "ended_at"].map(|key| local(&outage[key], zone)));
        }
    }
    figures
}

fn check_figures(statement: &Statement<'_>) {
    let json = serde_json::from_slice(&json(statement)).unwrap();
    let figures = figures(&json);
    assert!(4 <= figures.len());
    for ((_, language), title) in LANGUAGES.into_iter().zip(["Service level statement", "서비스 수준 명세서"]) {
        let text = text(&printed(statement, language));
        for figure in figures.iter().map(String::as_str).chain([title]) {
            assert!(text.contains(figure), "{figure} is not in {text}");
        }
    }
}

#[tokio::test]
async fn text_in_both_languages_has_every_figure_of_the_json() {
    let worked = terms("vectors/051");
    check_figures(&drawn_up(&worked, "2025-12", results("vectors/051")).await);
    let hostile = terms("hostile");
    check_figures(&drawn_up(&hostile, "2026-10", results("hostile")).await);
    let rich = rich::terms();
    check_figures(&rich::statement(&rich).await);
}

#[tokio::test]
async fn the_json_comes_back_byte_for_byte() {
    let terms = terms("hostile");
    let mut statement = drawn_up(&terms, "2026-10", results("hostile")).await;
    let file = printed(&statement, Language::Korean);
    assert!(poppler("pdfdetach", &["-list"], &file).contains("statement-2026-10-v1.json"));
    assert_eq!(detached(&file), json(&statement));
    let signed = "{\"as it\": \"was signed\"} \r\n".to_owned();
    let document = closing::Document { file: signed.clone(), sha256: [0xab; 32], key: "key".to_owned() };
    statement.document = Some(document);
    let file = printed(&statement, Language::Korean);
    assert_eq!(detached(&file), signed.as_bytes());
    assert!(text(&file).contains("SHA-256 abababababababab"), "the foot says the signed text's own hash");
}

#[tokio::test]
async fn any_bytes_can_be_embedded_as_they_are() {
    let terms = terms("hostile");
    let statement = drawn_up(&terms, "2026-10", results("hostile")).await;
    let bytes = b"\xff\x00 \r\n endstream";
    let file = kept(&pdf::statement(&statement, Language::English, bytes).unwrap());
    assert_eq!(detached(&file), bytes);
}

fn detached(file: &Kept) -> Vec<u8> {
    poppler("pdfdetach", &["-save", "1", "-o", "detached"], file);
    std::fs::read(file.dir.path().join("detached")).unwrap()
}

#[tokio::test]
async fn the_file_is_tagged_a4_titled_and_says_its_language_and_standards() {
    let terms = rich::terms();
    let statement = rich::statement(&terms).await;
    for (code, language) in LANGUAGES {
        let file = printed(&statement, language);
        let info = poppler("pdfinfo", &[], &file);
        let says = |key: &str, value: &str| {
            let line = info.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':'));
            assert!(line.is_some_and(|line| line.contains(value)), "{key} {value}: {info}");
        };
        says("Tagged", "yes");
        says("Page size", "A4");
        says("Title", &terms.agreement.customer);
        says("CreationDate", "Nov 20");
        let metadata = poppler("pdfinfo", &["-meta"], &file);
        let language = format!("<rdf:li>{code}</rdf:li>");
        for part in ["<pdfaid:part>3<", "<pdfaid:conformance>A<", "<pdfuaid:part>1<", &language] {
            assert!(metadata.contains(part), "{part}: {metadata}");
        }
        let structure = poppler("pdfinfo", &["-struct"], &file);
        for element in ["H1", "H2", "H3", "Table", "THead", "TH", "TD", "Figure", "LI"] {
            let found = structure.lines().any(|line| line.trim().split([' ', '"', ':']).next() == Some(element));
            assert!(found, "{element}: {structure}");
        }
    }
}

#[tokio::test]
async fn no_word_stands_outside_a_page_however_hostile_the_names() {
    let terms = terms("hostile");
    let statement = drawn_up(&terms, "2026-10", results("hostile")).await;
    let boxes = poppler("pdftotext", &["-bbox"], &printed(&statement, Language::English));
    let words: Vec<&str> = boxes.lines().filter(|line| line.trim_start().starts_with("<word")).collect();
    assert!(100 < words.len());
    for word in words {
        let side = |name: &str| -> f32 {
            let (_, after) = word.split_once(&format!("{name}=\"")).unwrap();
            after.split('"').next().unwrap().parse().unwrap()
        };
        let inside = 0.0 <= side("xMin") && side("xMax") <= 595.3 && 0.0 <= side("yMin") && side("yMax") <= 841.9;
        assert!(inside, "{word}");
    }
}

#[tokio::test]
async fn thousands_of_outages_are_listed_on_numbered_pages() {
    // Six minutes down, four up, all December, looked at each minute.
    let mut results = String::new();
    for minute in 0..44_640 {
        let at = 1_764_547_200_000_i64 + minute * 60_000;
        let outcome = if minute % 10 < 6 { "\"down\",\"cause\":\"timeout\"" } else { "\"up\"" };
        let _ = writeln!(
            results,
            r#"{{"agent":"a","service":"apm-prod","check":"login","at":{at},"outcome":{outcome},"elapsed_us":1000}}"#
        );
    }
    let terms = terms("vectors/051");
    let statement = drawn_up(&terms, "2025-12", results.as_bytes()).await;
    let json: Value = serde_json::from_slice(&json(&statement)).unwrap();
    assert!(4_000 < json["services"][0]["outages"].as_array().unwrap().len());
    let file = printed(&statement, Language::English);
    let info = poppler("pdfinfo", &[], &file);
    let pages = info.lines().find_map(|line| line.strip_prefix("Pages:")).unwrap().trim();
    let text = text(&file);
    for page in 1..=pages.parse().unwrap() {
        assert!(text.contains(&format!("Page {page} of {pages}")), "page {page}");
    }
    let said: HashSet<&str> = text.split(' ').collect();
    for figure in figures(&json) {
        assert!(figure.split(' ').all(|word| said.contains(word)), "{figure}");
    }
}
