//! The archive through the real program: on a real S3 server, and read by DuckDB and pandas without us.
#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]

mod readers;
mod s3;
mod verify;

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;
use tempfile::TempDir;
use tests::program;

/// 2026-10-01T00:00:00.123Z.
const BEGAN_MS: i64 = 1_790_812_800_123;
/// A day of a result every 30 s.
const SLOTS: i64 = 2_880;

/// A directory with a configuration, a ledger and an archive.
struct Site {
    directory: TempDir,
    environment: Vec<(&'static str, String)>,
}

impl Site {
    /// A site whose evidence goes to `store`, with a day of two checks in its ledger.
    fn new(store: &str, environment: Vec<(&'static str, String)>) -> Site {
        let site = Site { directory: tempfile::tempdir().unwrap(), environment };
        let config = format!(
            "ledger: sqlite:ledger.db
evidence: {{ store: '{store}' }}
agreements:
  - agreement: acme
    policy: cloud-apm
    services:
      - service: shop
        checks: [{{ check: page, tcp: 'shop.example:443', every: 30s }}, {{ check: port, tcp: 'shop.example:1', every: 30s }}]
"
        );
        fs::write(site.config(), config).unwrap();
        fs::write(site.path("results.ndjson"), lines()).unwrap();
        site.good(&["import", "ndjson", site.path("results.ndjson").to_str().unwrap()]);
        site
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn config(&self) -> PathBuf {
        self.path("collector.yaml")
    }

    /// Runs a command of the collector to its end.
    fn run(&self, arguments: &[&str]) -> Output {
        let mut all: Vec<&OsStr> = vec!["collector".as_ref()];
        all.extend(arguments.iter().map(OsStr::new));
        let config = self.config();
        all.extend([OsStr::new("--config"), config.as_ref()]);
        let environment = self.environment.iter().map(|(key, value)| (key, value));
        program::command(&all).envs(environment).output().unwrap()
    }

    /// Runs a command that must succeed, and gives what it printed.
    fn good(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{arguments:?}: {told}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Seals everything: a bundle is of what is sealed.
    fn seal(&self) {
        let bundle = self.path("acme.zip");
        self.good(&["evidence", "bundle", "--agreement", "acme", "-o", bundle.to_str().unwrap()]);
        assert!(fs::metadata(bundle).unwrap().len() > 1_000);
    }
}

/// Whether a slot was down: seven minutes of the page, and a time-out of the port now and then.
fn down(check: &str, slot: i64) -> bool {
    match check {
        "page" => (400..414).contains(&slot),
        _ => slot % 500 == 7,
    }
}

fn elapsed_us(check: &str, slot: i64) -> i64 {
    20_000 + slot * 13 % 4_999 + if check == "page" { 70_000 } else { 0 }
}

fn lines() -> String {
    let mut text = String::new();
    for slot in 0..SLOTS {
        for check in ["page", "port"] {
            let outcome = if down(check, slot) { r#""down","cause":"timeout""# } else { r#""up""# };
            let (at, elapsed) = (BEGAN_MS + slot * 30_000, elapsed_us(check, slot));
            let note = if down(check, slot) { r#","note":"=cmd() \"<b>\" 서울""# } else { "" };
            writeln!(text, r#"{{"agent":"seoul-1","service":"shop","check":"{check}","at":{at},"outcome":{outcome},"elapsed_us":{elapsed}{note}}}"#)
                .unwrap();
        }
    }
    text
}

/// The Parquet files below a directory.
fn parquet_files(below: &Path) -> Vec<PathBuf> {
    let (mut files, mut folders) = (Vec::new(), vec![below.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.to_string_lossy().contains(".parquet")
                && !path.file_name().unwrap().to_string_lossy().starts_with('.')
            {
                files.push(path);
            }
        }
    }
    files
}

fn flip_a_bit(file: &Path) {
    let mut bytes = fs::read(file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x10;
    fs::write(file, bytes).unwrap();
}

#[test]
fn a_scrub_names_the_file_in_which_one_bit_was_flipped() {
    let site = Site::new("evidence", Vec::new());
    site.seal();
    site.good(&["evidence", "scrub"]);
    let file = parquet_files(&site.path("evidence")).pop().unwrap();
    flip_a_bit(&file);
    let output = site.run(&["evidence", "scrub"]);
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains(file.file_name().unwrap().to_str().unwrap()), "{told}");
}

#[test]
fn an_export_gives_back_what_was_imported() {
    let site = Site::new("evidence", Vec::new());
    site.seal();
    let exported = site.good(&["evidence", "export", "--agreement", "acme"]);
    let mut given: Vec<serde_json::Value> = exported.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    given.sort_by_key(|line| (line["at"].to_string(), line["check"].to_string()));
    assert_eq!(given.len(), 2 * SLOTS as usize);
    for (slot, pair) in (0..SLOTS).zip(given.chunks(2)) {
        for (line, check) in pair.iter().zip(["page", "port"]) {
            assert_eq!(line["check"], check);
            assert_eq!(line["elapsed_us"], elapsed_us(check, slot));
            assert_eq!(line["outcome"], if down(check, slot) { "down" } else { "up" });
        }
    }
    let csv = site.good(&["evidence", "export", "--format", "csv"]);
    assert_eq!(csv.lines().count(), 1 + given.len());
    assert!(csv.contains(r#""'=cmd() ""<b>"" 서울""#), "{}", csv.lines().nth(802).unwrap());
}

#[test]
fn an_erased_agreement_leaves_no_result_and_a_note_on_its_record() {
    let site = Site::new("evidence", Vec::new());
    site.seal();
    let refused = site.run(&["evidence", "erase", "--agreement", "acme"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("say --yes"));
    site.good(&["evidence", "erase", "--agreement", "acme", "--yes"]);
    assert_eq!(parquet_files(&site.path("evidence")).len(), 0);
    let exported = site.run(&["evidence", "export", "--agreement", "acme"]);
    assert_eq!(String::from_utf8_lossy(&exported.stdout), "");
    site.good(&["evidence", "scrub"]);
    site.good(&["rebuild"]);
    let ledger = rusqlite::Connection::open(site.path("ledger.db")).unwrap();
    let count = |sql: &str| ledger.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!((count("SELECT count(*) FROM runs"), count("SELECT count(*) FROM hours")), (0, 0));
    assert_eq!(count("SELECT coalesce(sum(results), 0) FROM blocks"), 0);
    let told: String =
        ledger.query_row("SELECT body FROM entries ORDER BY number DESC LIMIT 1", [], |row| row.get(0)).unwrap();
    assert!(told.contains("erasure"), "{told}");
}
