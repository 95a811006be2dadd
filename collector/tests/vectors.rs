//! The worked cases: every figure of a statement, reproduced to the digit from results in a file.
//!
//! A few small ones lie beside this file; the whole collection is read from `../shared/vectors` when
//! the tree stands beside it.

#![expect(clippy::unwrap_used, reason = "a test that can't go on fails")]

use collector::closing::replay::Results;
use collector::closing::{self};
use collector::{lines, render};
use rules::period::Month;
use serde_json::Value;
use std::path::{Path, PathBuf};

fn folders(of: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(of) else { return Vec::new() };
    let mut folders: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()).collect();
    folders.sort();
    folders
}

async fn replayed(folder: &Path, month: Month) -> Value {
    let config = config::collector::load(&folder.join("collector.yaml")).unwrap().value;
    let file = std::fs::File::open(folder.join("results.ndjson")).unwrap();
    let mut results = Results::default();
    lines::read("results.ndjson", std::io::BufReader::new(file), |line| results.take(line)).unwrap();
    let terms = collector::closing::terms::Terms::new(config.agreements[0].clone());
    let evidence = results.fold(&terms.agreement);
    assert_eq!(evidence.ignored, 0, "{}", folder.display());
    let statement = closing::draw_up(&evidence, &terms, month, None).await.unwrap();
    serde_json::from_str(&render::json::statement(&statement)).unwrap()
}

/// Every key that is expected is there and the same; a key that is not expected is free.
fn differences(path: &str, expected: &Value, found: &Value, into: &mut Vec<String>) {
    match (expected, found) {
        (Value::Object(keys), Value::Object(_)) => {
            for (key, value) in keys {
                differences(&format!("{path}.{key}"), value, &found[key], into);
            }
        }
        (Value::Array(expected), Value::Array(found)) if expected.len() == found.len() => {
            for (index, (expected, found)) in expected.iter().zip(found).enumerate() {
                differences(&format!("{path}[{index}]"), expected, found, into);
            }
        }
        _ if expected == found => {}
        _ => into.push(format!("{path}: expected {expected}, found {found}")),
    }
}

async fn check(folder: &Path) -> Vec<String> {
    let expected = std::fs::read_to_string(folder.join("expected.json")).unwrap();
    let expected: Value = serde_json::from_str(&expected).unwrap();
    let found = replayed(folder, expected["period"].as_str().unwrap().parse().unwrap()).await;
    let name = folder.file_name().unwrap().to_string_lossy().into_owned();
    let mut wrong = Vec::new();
    differences(&name, &expected["services"], &found["services"], &mut wrong);
    differences(&name, &expected["agreement"], &found["statement"]["agreement"], &mut wrong);
    differences(&name, &expected["period"], &found["statement"]["period"], &mut wrong);
    wrong
}

#[tokio::test]
async fn replay_reproduces_every_worked_case_to_the_digit() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let own = folders(&here.join("tests/vectors"));
    assert_eq!(own.len(), 3, "the cases beside this file");
    let shared = folders(&here.join("../../shared/vectors"));
    let mut wrong = Vec::new();
    for folder in own.iter().chain(&shared) {
        wrong.extend(check(folder).await);
    }
    assert!(wrong.is_empty(), "{} figures differ:\n{}", wrong.len(), wrong.join("\n"));
}
