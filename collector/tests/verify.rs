//! `verify` as an auditor uses it: a signed file, keys, results, and what comes of changing any of them.

#![expect(clippy::unwrap_used, reason = "a test that can't go on fails")]

use collector::closing::replay::Results;
use collector::closing::terms::Terms;
use collector::closing::{self, Issue, seal};
use collector::ledger::books::PublishedKey;
use collector::record::chain::Head;
use collector::render::json;
use collector::signing::published;
use collector::{lines, render::json::read::origin};
use ed25519_dalek::SigningKey;
use rules::time::Timestamp;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

fn key() -> SigningKey {
    SigningKey::from_bytes(&[5; 32])
}

fn issued_at() -> Timestamp {
    "2026-01-11T00:00:00Z".parse().unwrap()
}

fn case() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/051")
}

/// The worked case, signed.
async fn signed() -> String {
    let config = config::collector::load(&case().join("collector.yaml")).unwrap().value;
    let file = std::fs::File::open(case().join("results.ndjson")).unwrap();
    let mut results = Results::default();
    lines::read("results.ndjson", std::io::BufReader::new(file), |line| results.take(line)).unwrap();
    let terms = Terms::new(config.agreements[0].clone());
    let evidence = results.fold(&terms.agreement);
    let month = "2025-12".parse().unwrap();
    let mut statement = closing::draw_up(&evidence, &terms, month, Some(issued_at())).await.unwrap();
    statement.issue = Some(Issue { issued_at: issued_at(), record: Head::EMPTY, agents: BTreeMap::new() });
    seal::seal(&json::statement(&statement), &key())
}

fn keys(retired_at: Option<&str>) -> String {
    let public = key().verifying_key().to_bytes();
    let published_at = "2025-11-01T00:00:00Z".parse().unwrap();
    let retired_at = retired_at.map(|at| at.parse().unwrap());
    published::write(&[PublishedKey { id: seal::key_name(&public), public, published_at, retired_at }])
}

struct Desk(TempDir);

impl Desk {
    fn new(files: &[(&str, &str)]) -> Desk {
        let home = TempDir::new().unwrap();
        for (name, text) in files {
            std::fs::write(home.path().join(name), text).unwrap();
        }
        Desk(home)
    }

    /// What `verify` says and whether it is content.
    fn verify(&self, arguments: &[&str]) -> (bool, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_nines-collector"));
        let output = command.current_dir(self.0.path()).arg("verify").args(arguments).output().unwrap();
        let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
        (output.status.success(), text)
    }
}

#[tokio::test]
async fn a_signed_statement_and_its_results_say_the_same() {
    let results = std::fs::read_to_string(case().join("results.ndjson")).unwrap();
    let desk = Desk::new(&[("s.json", &signed().await), ("keys.json", &keys(None)), ("r.ndjson", &results)]);
    let (good, told) = desk.verify(&["s.json", "--keys", "keys.json", "--evidence", "r.ndjson"]);
    assert!(good, "{told}");
    insta::assert_snapshot!("verify_good", told);
    let (good, told) = desk.verify(&["s.json"]);
    assert!(good && told.contains("was not checked"), "{told}");
}

#[tokio::test]
async fn results_that_say_something_else_are_told_figure_by_figure() {
    let results = std::fs::read_to_string(case().join("results.ndjson")).unwrap();
    let fewer: String =
        results.lines().filter(|line| !line.contains("\"down\"")).map(|line| format!("{line}\n")).collect();
    let desk = Desk::new(&[("s.json", &signed().await), ("r.ndjson", &fewer)]);
    let (good, told) = desk.verify(&["s.json", "--evidence", "."]);
    assert!(!good);
    insta::assert_snapshot!("verify_differences", told);
}

#[tokio::test]
async fn a_key_that_is_unknown_or_was_retired_before_proves_nothing() {
    let other = keys(None).replace(&seal::key_name(&key().verifying_key().to_bytes()), "0");
    let nobody = "{ \"keys\": [] }";
    let retired = keys(Some("2026-01-10T23:59:59Z"));
    let later = keys(Some("2026-01-11T00:00:01Z"));
    let desk = Desk::new(&[
        ("s.json", &signed().await),
        ("nobody.json", nobody),
        ("retired.json", &retired),
        ("later.json", &later),
        ("other.json", &other),
    ]);
    for (file, words) in [
        ("nobody.json", "is none of the 0 in nobody.json: the signature proves nothing"),
        ("retired.json", "was retired at 2026-01-10T23:59:59Z"),
        ("other.json", "it is not the name of its `public_key`"),
    ] {
        let (good, told) = desk.verify(&["s.json", "--keys", file]);
        assert!(!good && told.contains(words), "{told}");
    }
    let (good, told) = desk.verify(&["s.json", "--keys", "later.json"]);
    assert!(good, "{told}");
}

#[tokio::test]
async fn one_flipped_bit_in_any_line_of_a_real_statement_is_found() {
    let file = signed().await.into_bytes();
    let mut opened = 0;
    for (index, _) in file.iter().enumerate().step_by(97) {
        let mut changed = file.clone();
        changed[index] ^= 1 << (index % 8);
        opened += u32::from(seal::open(&changed).is_ok());
    }
    assert_eq!(opened, 0);
    let (changed, place) =
        (String::from_utf8(file.clone()).unwrap().replacen("\"met\": true", "\"met\": false", 1), "s.json");
    let (good, told) = Desk::new(&[(place, &changed)]).verify(&[place]);
    assert!(!good && told.contains("the text or the seal was changed"), "{told}");
}

#[tokio::test]
async fn what_a_statement_was_drawn_up_from_is_read_back() {
    let file = signed().await;
    let sealed = seal::open(file.as_bytes()).unwrap();
    let origin = origin(&sealed.text).unwrap();
    assert_eq!((origin.month.to_string().as_str(), origin.version, origin.as_of), ("2025-12", 1, Some(issued_at())));
    assert_eq!(origin.issue.unwrap().issued_at, issued_at());
}
