//! The drop-in beside the real thing: Debian's prometheus-blackbox-exporter and our agent read the same modules, probe the
//! same servers and must answer the same pages, but for the differences that are known by name.
//!
//! Times are not compared. A difference that is no longer there is a finding like one that is new.
#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]

mod compare;
mod differences;
mod names;
mod peers;
mod servers;
mod talk;
mod web;

use compare::differences;
use differences::{EVERYWHERE, NAMED};
use futures_util::StreamExt as _;
use futures_util::stream::iter;
use peers::{Answer, Peers, refusal};
use regex::Regex;
use servers::Servers;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::PathBuf;
use tempfile::TempDir;

/// How many cases are asked for at once: the machine may have two cores.
const AT_ONCE: usize = 8;
/// A table with fewer cases has lost some.
const CASES_MIN: usize = 100;

/// One probe of the table.
struct Case {
    query: String,
    known: Vec<String>,
}

fn cases(servers: &Servers) -> Vec<Case> {
    let lines = include_str!("cases.txt").lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| {
            let mut words = line.split_whitespace();
            let query = servers.fill(words.next().unwrap());
            Case { query, known: words.map(str::to_owned).collect() }
        })
        .collect()
}

fn modules(servers: &Servers) -> (TempDir, PathBuf) {
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("blackbox.yml");
    std::fs::write(&file, servers.fill(include_str!("modules.yml"))).unwrap();
    (dir, file)
}

/// What is wrong with a case, and which of the differences of any case it showed.
fn findings(case: &Case, [ours, theirs]: &[Answer; 2]) -> (Vec<String>, BTreeSet<&'static str>) {
    // 0.24 and later tell the serial number as well.
    let serial = Regex::new(r#",?serialnumber="[^"]*""#).unwrap();
    let plain = serial.replace_all(&ours.text, "");
    let mut everywhere = BTreeSet::new();
    if plain != ours.text {
        everywhere.insert("serial");
    }
    let mut found: Vec<String> = differences(&plain, &theirs.text).into_iter().collect();
    if ours.status != theirs.status {
        found.push(format!("status: ours {} theirs {}", ours.status, theirs.status));
    }
    for known in &case.known {
        match NAMED.iter().find(|candidate| candidate.name == known) {
            None => found.push(format!("no difference is called {known}")),
            Some(known) => {
                let before = found.len();
                found.retain(|line| !known.explains(line));
                if found.len() == before {
                    found.push(format!("{} is no longer there ({})", known.name, known.why));
                }
            }
        }
    }
    for known in EVERYWHERE {
        let before = found.len();
        found.retain(|line| !known.explains(line));
        if found.len() < before {
            everywhere.insert(known.name);
        }
    }
    (found, everywhere)
}

#[tokio::test]
async fn both_answer_alike_to_every_probe_of_the_table() {
    let servers = Servers::start().await;
    let (_dir, file) = modules(&servers);
    let (peers, cases) = (Peers::start(&file).await, cases(&servers));
    assert!(CASES_MIN <= cases.len(), "only {} cases are left", cases.len());
    let asked = iter(&cases).map(async |case| {
        let path = format!("/probe?{}", case.query);
        (case, peers.ask("GET", &path, None).await)
    });
    let answers: Vec<(&Case, [Answer; 2])> = asked.buffered(AT_ONCE).collect().await;
    let (mut report, mut everywhere) = (String::new(), BTreeSet::new());
    for (case, answers) in &answers {
        let (found, seen) = findings(case, answers);
        everywhere.extend(seen);
        if !found.is_empty() {
            let _ = writeln!(report, "{}\n    {}", case.query, found.join("\n    "));
        }
    }
    assert!(report.is_empty(), "\n{report}");
    let expected: BTreeSet<&str> = EVERYWHERE.iter().map(|known| known.name).chain(["serial"]).collect();
    assert_eq!(everywhere, expected, "a difference of any case is no longer there");
}

#[tokio::test]
async fn both_answer_alike_beside_probes() {
    let servers = Servers::start().await;
    let (_dir, file) = modules(&servers);
    let peers = Peers::start(&file).await;
    for line in include_str!("pages.txt").lines().filter(|line| !line.starts_with('#')) {
        let mut words = line.splitn(3, ' ');
        let (method, path) = (words.next().unwrap(), words.next().unwrap());
        let [ours, theirs] = peers.ask(method, path, words.next().and_then(|header| header.split_once(": "))).await;
        assert_eq!(ours, theirs, "{line}");
    }
    let [ours, theirs] = peers.ask("GET", "/config", None).await;
    // Headers that may hold secrets are hidden, and versions of TLS have had words since 0.24.
    assert!(theirs.text.contains("X-Key: value") && theirs.text.contains("_version: 771"), "{}", theirs.text);
    let theirs = theirs.text.replace("X-Key: value", "X-Key: <secret>").replace("_version: 771", "_version: TLS12");
    assert_eq!(ours.text, theirs, "/config");
}

#[tokio::test]
async fn what_is_debugged_has_the_same_parts() {
    let servers = Servers::start().await;
    let (_dir, file) = modules(&servers);
    let peers = Peers::start(&file).await;
    let path = servers.fill("/probe?debug=true&module=http_2xx&target=http://{web}/ok");
    let [ours, theirs] = peers.ask("GET", &path, None).await;
    let parts = |answer: &Answer| -> Vec<String> {
        let heads = ["Logs for the probe:", "Metrics that would have been returned:", "Module configuration:"];
        let at: Vec<usize> =
            heads.iter().map(|head| answer.text.find(head).unwrap_or_else(|| panic!("{answer:?}"))).collect();
        vec![
            answer.text[at[0]..at[1]].to_owned(),
            answer.text[at[1]..at[2]].to_owned(),
            answer.text[at[2]..].to_owned(),
        ]
    };
    let (ours, theirs) = (parts(&ours), parts(&theirs));
    for (ours, theirs) in ours.iter().zip(&theirs) {
        assert_eq!(ours.lines().next(), theirs.lines().next());
    }
    let begins = |log: &str| log.contains("msg=\"Beginning probe\"") && log.contains("msg=\"Probe succeeded\"");
    assert!(begins(&ours[0]) && begins(&theirs[0]), "{}", ours[0]);
    assert_eq!(differences(&ours[1], &theirs[1]).len(), 1, "only the timeout is new");
    // The peer's older writer indents by two.
    let words = |text: &str| -> Vec<String> { text.split_whitespace().map(str::to_owned).collect() };
    assert_eq!(words(&ours[2]), words(&theirs[2]));
}

#[test]
fn both_refuse_the_same_files_in_the_same_words() {
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("blackbox.yml");
    for text in include_str!("refused.yml").split("---\n").filter(|text| !text.trim().is_empty()) {
        std::fs::write(&file, text).unwrap();
        let ours = config::blackbox::load(&file).err().map(|error| error.to_string());
        assert_eq!(ours, refusal(&file), "\n{text}");
        assert!(ours.is_some(), "taken:\n{text}");
    }
}
