//! Statements as PDF, read back by poppler: what it says, what is embedded, and where it stands.

#![expect(clippy::unwrap_used, reason = "a test that can't go on fails")]

use collector::closing;
use collector::closing::replay::Results;
use collector::closing::terms::Terms;
use collector::lines;
use collector::render::{Format, pdf, render};
use rules::agreement::Language;
use serde_json::Value;
use std::fmt::Write as _;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A statement in both forms that must agree.
struct Printed {
    pdf: Vec<u8>,
    json: Vec<u8>,
}

async fn printed(folder: &str, period: &str, language: Language, results: impl Read) -> Printed {
    let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(folder).join("collector.yaml");
    let config = config::collector::load(&config).unwrap().value;
    let mut read = Results::default();
    lines::read("results", std::io::BufReader::new(results), |line| read.take(line)).unwrap();
    let terms = Terms::new(config.agreements[0].clone());
    let as_of = Some("2027-01-01T00:00:00Z".parse().unwrap());
    let evidence = read.fold(&terms.agreement);
    let statement = closing::draw_up(&evidence, &terms, period.parse().unwrap(), as_of).await.unwrap();
    let of = |format| render(&statement, format, language).unwrap();
    Printed { pdf: of(Format::Pdf), json: of(Format::Json) }
}

fn results(folder: &str) -> std::fs::File {
    std::fs::File::open(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(folder).join("results.ndjson"))
        .unwrap()
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
    String::from_utf8(output.stdout).unwrap()
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

#[tokio::test]
async fn text_in_both_languages_has_every_figure_of_the_json() {
    for (folder, period) in [("vectors/051", "2025-12"), ("hostile", "2026-10")] {
        for (language, title) in
            [(Language::English, "Service level statement"), (Language::Korean, "서비스 수준 명세서")]
        {
            let printed = printed(folder, period, language, results(folder)).await;
            let (text, json) = (text(&kept(&printed.pdf)), serde_json::from_slice(&printed.json).unwrap());
            assert!(text.contains(title), "{text}");
            let figures = figures(&json);
            assert!(4 <= figures.len());
            for figure in figures {
                assert!(text.contains(&figure), "{figure} of {folder} is not in {text}");
            }
        }
    }
}

#[tokio::test]
async fn the_json_comes_back_byte_for_byte() {
    let printed = printed("hostile", "2026-10", Language::Korean, results("hostile")).await;
    let file = kept(&printed.pdf);
    assert!(poppler("pdfdetach", &["-list"], &file).contains("statement-2026-10-v1.json"));
    poppler("pdfdetach", &["-save", "1", "-o", "detached.json"], &file);
    assert_eq!(std::fs::read(file.dir.path().join("detached.json")).unwrap(), printed.json);
}

#[tokio::test]
async fn any_bytes_can_be_embedded_as_they_are() {
    let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/051/collector.yaml");
    let config = config::collector::load(&config).unwrap().value;
    let terms = Terms::new(config.agreements[0].clone());
    let evidence = Results::default().fold(&terms.agreement);
    let statement = closing::draw_up(&evidence, &terms, "2025-12".parse().unwrap(), None).await.unwrap();
    let signed = b"{\"signed\": \"bytes\"} \r\n\xff\x00";
    let file = kept(&pdf::statement(&statement, Language::English, signed).unwrap());
    poppler("pdfdetach", &["-save", "1", "-o", "detached"], &file);
    assert_eq!(std::fs::read(file.dir.path().join("detached")).unwrap(), signed);
}

#[tokio::test]
async fn the_file_is_tagged_a4_titled_and_says_its_language_and_standards() {
    for (language, code) in [(Language::English, "en"), (Language::Korean, "ko")] {
        let printed = printed("vectors/051", "2025-12", language, results("vectors/051")).await;
        let file = kept(&printed.pdf);
        let info = poppler("pdfinfo", &[], &file);
        let says = |key: &str, value: &str| {
            let line = info.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':'));
            assert!(line.is_some_and(|line| line.contains(value)), "{key} {value}: {info}");
        };
        says("Tagged", "yes");
        says("Page size", "A4");
        says("Title", "Acme, 2025-12");
        says("CreationDate", "2027");
        let metadata = poppler("pdfinfo", &["-meta"], &file);
        for part in
            ["<pdfaid:part>3<", "<pdfaid:conformance>A<", "<pdfuaid:part>1<", &format!("<rdf:li>{code}</rdf:li>")]
        {
            assert!(metadata.contains(part), "{part}: {metadata}");
        }
        let structure = poppler("pdfinfo", &["-struct"], &file);
        for element in ["H1", "H2", "H3", "Table", "THead", "TH", "TD", "Figure", "LI"] {
            assert!(structure.lines().any(|line| line.trim().split(' ').next() == Some(element)), "{element}");
        }
    }
}

#[tokio::test]
async fn the_same_statement_is_the_same_bytes() {
    let once = printed("hostile", "2026-10", Language::Korean, results("hostile")).await;
    assert_eq!(once.pdf, printed("hostile", "2026-10", Language::Korean, results("hostile")).await.pdf);
}

#[tokio::test]
async fn no_word_stands_outside_a_page_however_hostile_the_names() {
    let printed = printed("hostile", "2026-10", Language::English, results("hostile")).await;
    let boxes = poppler("pdftotext", &["-bbox"], &kept(&printed.pdf));
    let words = boxes.lines().filter(|line| line.trim_start().starts_with("<word"));
    let mut count = 0;
    for word in words {
        let side = |name: &str| -> f32 {
            let (_, after) = word.split_once(&format!("{name}=\"")).unwrap();
            after.split('"').next().unwrap().parse().unwrap()
        };
        let inside = 0.0 <= side("xMin") && side("xMax") <= 595.3 && 0.0 <= side("yMin") && side("yMax") <= 841.9;
        assert!(inside, "{word}");
        count += 1;
    }
    assert!(100 < count);
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
    let printed = printed("vectors/051", "2025-12", Language::English, results.as_bytes()).await;
    let json: Value = serde_json::from_slice(&printed.json).unwrap();
    let file = kept(&printed.pdf);
    let pages: usize = {
        let info = poppler("pdfinfo", &[], &file);
        info.lines().find_map(|line| line.strip_prefix("Pages:")).unwrap().trim().parse().unwrap()
    };
    let text = text(&file);
    for page in 1..=pages {
        assert!(text.contains(&format!("Page {page} of {pages}")), "page {page}");
    }
    assert!(4_000 < json["services"][0]["outages"].as_array().unwrap().len());
    for figure in figures(&json) {
        assert!(text.contains(&figure), "{figure}");
    }
}
