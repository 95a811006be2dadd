//! Names and texts that want to be something else stay names and texts in every form.

use super::{LANGUAGES, rich, snapshots, text};
use collector::closing::replay::Results;
use collector::closing::terms::Terms;
use collector::closing::{self, Statement};
use collector::lines;
use collector::render::Format;
use rules::agreement::Language;
use rules::exclusion::Bar;
use rules::incident::Event;
use std::path::Path;

/// What an attacker writes into a field that takes any text.
const WORST: &str = "=cmd|' /C calc'!A0</td></script><script>alert(1)</script><img src=x onerror=alert(1)>\u{202e}drow\u{2066}x\u{200f}\u{200b}\u{feff}\u{3164}\u{2028}\t\r\n\0\u{1b}[31m\u{7f}\u{85}{{7*7}}&lt;";
/// How long a text is at worst.
const LONG: usize = 10 * 1024;

async fn from_folder(terms: &Terms) -> Statement<'_> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hostile");
    let file = std::fs::File::open(folder.join("results.ndjson")).unwrap();
    let mut results = Results::default();
    lines::read("results.ndjson", std::io::BufReader::new(file), |line| results.take(line)).unwrap();
    let evidence = results.fold(&terms.agreement);
    let as_of = Some(rich::at("2027-01-01T00:00:00Z"));
    closing::draw_up(&evidence, terms, "2026-10".parse().unwrap(), as_of).await.unwrap()
}

fn folder_terms() -> Terms {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hostile/collector.yaml");
    Terms::new(config::collector::load(&file).unwrap().value.agreements[0].clone())
}

/// The rich month with `said` in every field that takes text from outside.
fn terms_that_say(said: &str) -> Terms {
    let mut terms = rich::terms();
    terms.agreement.customer = said.to_owned();
    for (index, of) in terms.agreement.exclusions.iter_mut().enumerate() {
        of.reason = said.to_owned();
        of.recorded_by = Some(said.to_owned());
        of.approved_by = Some(said.to_owned());
        of.bar = (index % 2 == 0).then(|| Bar::Refused { by: said.to_owned(), reason: said.to_owned() });
    }
    terms
}

async fn that_says<'a>(terms: &'a Terms, said: &str) -> Statement<'a> {
    let mut statement = rich::statement_from(terms, Results::default()).await;
    for month in &mut statement.incidents {
        month.incident.opening.title = said.to_owned();
        month.incident.severity = said.to_owned();
        for stamped in &mut month.incident.events {
            stamped.by = said.to_owned();
            stamped.event = Event::Remark(said.to_owned());
        }
    }
    if let Some(account) = &mut statement.retainer {
        account.lines.iter_mut().for_each(|line| line.effort.note = said.to_owned());
    }
    if let Some(amends) = &mut statement.amends {
        for change in &mut amends.changes {
            change.place = said.to_owned();
            change.before = Some(said.to_owned());
            change.after = Some(said.to_owned());
        }
    }
    statement
}

/// Whether `c` steers a terminal, reorders a line or hides.
fn is_harmful(c: char) -> bool {
    let control = c.is_control() && c != '\n' && c != '\r';
    let direction =
        matches!(c, '\u{200e}' | '\u{200f}' | '\u{61c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let hidden = matches!(c, '\u{ad}' | '\u{200b}'..='\u{200d}' | '\u{2028}' | '\u{2029}' | '\u{2060}'..='\u{2064}' | '\u{3164}' | '\u{feff}');
    control || direction || hidden
}

fn check_harmless(what: &str, form: &str) {
    if let Some(found) = form.chars().find(|c| is_harmful(*c)) {
        panic!("{found:?} in the {what} form");
    }
}

/// Every tag of a page is one that our templates write, with attributes that they write.
fn check_markup(html: &str) {
    let tags = [
        "html",
        "head",
        "meta",
        "title",
        "style",
        "body",
        "main",
        "header",
        "section",
        "div",
        "h1",
        "h2",
        "h3",
        "p",
        "strong",
        "code",
        "span",
        "bdi",
        "dl",
        "dt",
        "dd",
        "ul",
        "li",
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "figure",
        "figcaption",
        "svg",
        "defs",
        "pattern",
        "rect",
        "circle",
        "line",
        "polyline",
        "text",
    ];
    let mut rest = html.strip_prefix("<!doctype html>").unwrap();
    while let Some(begin) = rest.find('<') {
        let end = rest[begin..].find('>').expect("a tag ends");
        let tag = &rest[begin + 1..begin + end];
        let name = tag.trim_start_matches('/').split([' ', '\n', '/']).next().unwrap();
        assert!(tags.contains(&name), "<{tag}> is no tag of ours");
        for attribute in tag.split('"').step_by(2).filter(|part| part.contains('=')) {
            let key = attribute.trim().trim_end_matches('=').rsplit(' ').next().unwrap();
            assert!(!key.starts_with("on") && key != "src" && key != "href", "<{tag}> has {key}");
        }
        rest = &rest[begin + end + 1..];
    }
}

/// The cells of a CSV, read as RFC 4180 has it.
fn cells(csv: &str) -> Vec<Vec<String>> {
    let (mut records, mut record, mut cell, mut quoted) = (Vec::new(), Vec::new(), String::new(), false);
    let mut chars = csv.chars().peekable();
    while let Some(c) = chars.next() {
        match (c, quoted) {
            ('"', true) if chars.peek() == Some(&'"') => cell.extend(chars.next()),
            ('"', _) => quoted = !quoted,
            (',', false) => record.push(std::mem::take(&mut cell)),
            ('\r', false) => {}
            ('\n', false) => {
                record.push(std::mem::take(&mut cell));
                records.push(std::mem::take(&mut record));
            }
            _ => cell.push(c),
        }
    }
    records
}

fn check_spreadsheet(csv: &str) {
    let records = cells(csv);
    let columns = records[0].len();
    for record in &records {
        assert_eq!(record.len(), columns, "{record:?}");
        for cell in record {
            let begins = cell.trim_start().starts_with(['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠']);
            assert!(!begins, "a spreadsheet takes {cell:?} for a formula");
            assert!(cell.chars().count() <= 32_767, "a cell of {} characters", cell.chars().count());
        }
    }
}

fn check_all_forms(statement: &Statement<'_>) {
    for (_, language) in LANGUAGES {
        let html = text(statement, Format::Html, language);
        check_harmless("html", &html);
        check_markup(&html);
        check_harmless("text", &text(statement, Format::Text, language));
    }
    let csv = text(statement, Format::Csv, Language::English);
    check_harmless("csv", &csv);
    check_spreadsheet(&csv);
}

#[tokio::test]
async fn hostile_names_stay_names_in_every_form() {
    let terms = folder_terms();
    let statement = from_folder(&terms).await;
    snapshots("hostile", &statement);
    check_all_forms(&statement);
}

#[tokio::test]
async fn hostile_texts_stay_texts_wherever_people_write_them() {
    let terms = terms_that_say(WORST);
    check_all_forms(&that_says(&terms, WORST).await);
    for formula in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", " =1", "＝1", "\u{feff}=1", "\"=1"] {
        let terms = terms_that_say(formula);
        check_all_forms(&that_says(&terms, formula).await);
    }
}

#[tokio::test]
async fn an_unbreakable_word_of_ten_kilobytes_is_cut_where_people_read_and_whole_in_json() {
    for letter in ["W", "가", "\u{202e}"] {
        let word = letter.repeat(LONG / letter.len());
        let terms = terms_that_say(&word);
        let statement = that_says(&terms, &word).await;
        check_all_forms(&statement);
        let shown = letter.repeat(301);
        for (_, language) in LANGUAGES {
            for format in [Format::Html, Format::Text] {
                assert!(!text(&statement, format, language).contains(&shown), "{format:?} has all of it");
            }
        }
        let json: serde_json::Value = serde_json::from_str(&text(&statement, Format::Json, Language::English)).unwrap();
        assert_eq!(json["statement"]["customer"], serde_json::Value::String(word));
    }
}
