//! What a customer holds, and what `verify` makes of it: a bundle, exports, an archive's own layout, each
//! whole, changed by one byte, and with something missing.

use crate::{parquet_files, program};
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// 2025-12-01T00:00:00Z.
const BEGAN: i64 = 1_764_547_200;
const EVERY: i64 = 300;
const MONTH: i64 = 31 * 86_400;

const CONFIG: &str = "
ledger: sqlite:ledger.db
evidence: { store: store }
policies:
  - policy: p
    availability: { objective: 99.9, outage: { for: 5m } }
    latency: [ { objective: fast, mean: 50ms } ]
    credits: { basis: month, truncate_below: 10, tiers: [ { below: 99.9, percent: 10 } ] }
agreements:
  - agreement: acme
    zone: Asia/Seoul
    policy: p
    fees: { currency: KRW, default: 1200000 }
    services:
      - service: shop
        checks:
          - { check: page, tcp: 'shop.example:443', every: 5m, objective: fast }
          - { check: port, tcp: 'shop.example:1', every: 5m }
  - agreement: neighbour
    policy: cloud-apm
    services: [{ service: other, checks: [{ check: page, tcp: 'other.example:443', every: 5m }] }]
";

/// A month that was issued, sealed, amended because of late results, sealed again and handed over.
struct Customer {
    home: TempDir,
}

impl Customer {
    fn new() -> Customer {
        Customer::of(CONFIG)
    }

    fn of(config: &str) -> Customer {
        let customer = Customer { home: tempfile::tempdir().unwrap() };
        fs::write(customer.path("collector.yaml"), config).unwrap();
        // Two agents; nothing of one of them for an hour of the second day; an hour's outage on the third.
        let heard = |agent: usize, second: i64| agent == 0 || !(90_000..93_600).contains(&second);
        customer.import("month.ndjson", &lines(-86_400..MONTH, heard));
        customer.good(&["amend", "--period", "2025-12", "--agreement", "acme", "--config", "collector.yaml"]);
        customer.bundle("first.zip");
        customer.import("late.ndjson", &lines(89_000..94_000, |agent, second| !heard(agent, second)));
        customer.good(&["amend", "--period", "2025-12", "--agreement", "acme", "--config", "collector.yaml"]);
        customer.bundle("acme.zip");
        unpack(&customer.path("acme.zip"), &customer.path("bundle"));
        customer
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    fn import(&self, name: &str, lines: &str) {
        fs::write(self.path(name), lines).unwrap();
        self.good(&["import", "ndjson", name, "--config", "collector.yaml"]);
    }

    fn bundle(&self, name: &str) {
        self.good(&["evidence", "bundle", "--agreement", "acme", "-o", name, "--config", "collector.yaml"]);
    }

    /// Whether a command succeeds, and all that it says.
    fn run(&self, arguments: &[&str]) -> (bool, String) {
        let all: Vec<&OsStr> = ["collector"].iter().chain(arguments).map(OsStr::new).collect();
        let output = program::command(&all).current_dir(self.home.path()).output().unwrap();
        let told = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
        (output.status.success(), told)
    }

    fn good(&self, arguments: &[&str]) -> String {
        let (good, told) = self.run(arguments);
        assert!(good, "{arguments:?}: {told}");
        told
    }

    /// What `verify` says that is wrong.
    fn refused(&self, arguments: &[&str]) -> String {
        let (good, told) = self.run(arguments);
        assert!(!good, "{arguments:?}: {told}");
        told
    }
}

fn lines(seconds: std::ops::Range<i64>, wanted: impl Fn(usize, i64) -> bool) -> String {
    let mut text = String::new();
    for second in seconds.step_by(usize::try_from(EVERY).unwrap()) {
        for agent in (0..2).filter(|agent| wanted(*agent, second)) {
            for check in ["page", "port"] {
                let down = (180_000..183_600).contains(&second) || (90_000..92_000).contains(&second);
                let outcome = if down { r#""down","cause":"refused""# } else { r#""up""# };
                let (at, elapsed) = ((BEGAN + second) * 1_000 + agent as i64, 20_000 + second / EVERY * 13 % 4_999);
                // On the first day the agents looked half as often, said so, and missed a slot.
                let sent = match second < 86_400 {
                    true if second == 43_200 => continue,
                    true => r#","every_us":600000000,"timeout_us":10000000,"incarnation":7,"seq":1"#,
                    false => "",
                };
                writeln!(text, r#"{{"agent":"seoul-{agent}","service":"shop","check":"{check}","at":{at},"outcome":{outcome},"elapsed_us":{elapsed}{sent}}}"#)
                    .unwrap();
            }
        }
        if wanted(0, second) {
            let at = (BEGAN + second) * 1_000;
            writeln!(
                text,
                r#"{{"agent":"seoul-0","service":"other","check":"page","at":{at},"outcome":"up","elapsed_us":1}}"#
            )
            .unwrap();
        }
    }
    text
}

fn unpack(zip: &Path, to: &Path) {
    let mut zip = zip::ZipArchive::new(fs::File::open(zip).unwrap()).unwrap();
    for index in 0..zip.len() {
        let mut file = zip.by_index(index).unwrap();
        let place = to.join(file.name().unwrap().as_ref());
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).unwrap();
        fs::write(place, bytes).unwrap();
    }
}

const V1: &str = "bundle/statements/2025-12-v1.json";
const V2: &str = "bundle/statements/2025-12-v2.json";
const SAME: &str = "drawn up from them again, it is the same to the byte.";

#[test]
fn every_version_follows_from_a_bundle_as_its_readme_says_whatever_came_later() {
    let customer = Customer::new();
    let first = customer.good(&["verify", V1, "--evidence", "bundle/evidence/", "--record", "bundle/record.ndjson"]);
    assert!(first.contains(SAME) && first.contains("files that `files.ndjson` names"), "{first}");
    assert!(
        first.contains("24 results came in blocks that the statement did not hear, and were left aside."),
        "{first}"
    );
    let second = customer.good(&["verify", V2, "--evidence", "bundle", "--before", V1]);
    assert!(second.contains(SAME) && !second.contains("left aside"), "{second}");
    assert!(second.contains("figures that it says have changed are those that did"), "{second}");
    let store = customer.good(&["verify", V1, "--evidence", "store"]);
    assert!(store.contains(SAME) && store.contains("Manifests 1 to 2 follow each other"), "{store}");
    let other = customer.refused(&["verify", V1, "--before", V2]);
    assert!(other.contains("the statement amends none"), "{other}");
    // What nobody vouches for is not heard, wherever it lies.
    for (evidence, name) in [("bundle", "bundle/evidence/more.parquet"), ("store", "store/more.parquet")] {
        let file = parquet_files(&customer.path("store")).pop().unwrap();
        fs::copy(file, customer.path(name)).unwrap();
        let told = customer.good(&["verify", V2, "--evidence", evidence]);
        assert!(told.contains("1 files of results are named by nothing, and were left aside."), "{told}");
    }
    let replay = ["replay", "--config", "collector.yaml", "--agreement", "acme", "--period", "2025-12"];
    let replayed = customer.good(&[&replay[..], &["--results", "bundle/evidence"]].concat());
    assert!(replayed.contains("\"downtime_ms\": 5399999"), "{replayed}");
}

#[test]
fn a_bundle_of_a_provider_without_an_archive_is_checked_like_any_other() {
    let customer = Customer::of(&CONFIG.replace("evidence: { store: store }\n", ""));
    for version in [V1, V2] {
        let told = customer.good(&["verify", version, "--evidence", "bundle", "--record", "bundle/record.ndjson"]);
        assert!(told.contains(SAME) && told.contains("They are the 32 files that `files.ndjson` names"), "{told}");
    }
    let file = parquet_files(&customer.path("bundle/evidence")).pop().unwrap();
    fs::remove_file(&file).unwrap();
    let told = customer.refused(&["verify", V1, "--evidence", "bundle"]);
    assert!(told.contains("is not there, but the index names it"), "{told}");
}

#[test]
fn one_flipped_byte_or_missing_file_of_a_bundle_is_found_and_named() {
    let customer = Customer::new();
    let arguments = ["verify", V1, "--evidence", "bundle/evidence", "--record", "bundle/record.ndjson"];
    let mut files = parquet_files(&customer.path("bundle/evidence"));
    files.extend(["bundle/evidence/files.ndjson", "bundle/record.ndjson", V1].map(|name| customer.path(name)));
    assert_eq!(files.len(), 5, "two seals, their list, the record and the statement: {files:?}");
    for file in files {
        let whole = fs::read(&file).unwrap();
        let name = file.file_name().unwrap().to_str().unwrap();
        for at in [0, whole.len() / 3, whole.len() / 2, whole.len() - 2] {
            let mut bytes = whole.clone();
            bytes[at] ^= 0x04;
            fs::write(&file, &bytes).unwrap();
            let told = customer.refused(&arguments);
            assert!(told.contains(name), "byte {at} of {name}: {told}");
        }
        fs::remove_file(&file).unwrap();
        let (good, told) = customer.run(&arguments);
        // Without the list nobody says what there should be, and the figures do follow.
        let words = if name == "files.ndjson" { "No manifest lies beside them" } else { name };
        assert!(good == (name == "files.ndjson") && told.contains(words), "without {name}: {told}");
        fs::write(&file, &whole).unwrap();
    }
    customer.good(&arguments);
}

#[test]
fn exports_in_every_form_say_the_same_side_by_side_and_what_is_none_is_named() {
    let customer = Customer::new();
    let middle = "2025-12-15T12:34:00Z";
    let export = ["evidence", "export", "--config", "collector.yaml"];
    customer.good(&[&export[..], &["-o", "all.ndjson"]].concat());
    customer.good(&[&export[..], &["--format", "parquet", "--from", middle, "-o", "mixed/half"]].concat());
    customer.good(&[&export[..], &["--until", middle, "-o", "mixed/half.ndjson"]].concat());
    for version in [V1, V2] {
        for evidence in ["all.ndjson", "mixed"] {
            let told = customer.good(&["verify", version, "--evidence", evidence]);
            assert!(told.contains(SAME) && told.contains("No manifest lies beside them"), "{evidence}: {told}");
        }
    }
    let half = customer.refused(&["verify", V1, "--evidence", "mixed/half.ndjson"]);
    assert!(half.contains("figures don't follow from its terms and the results in mixed/half.ndjson"), "{half}");
    fs::write(customer.path("mixed/notes.parquet"), "none").unwrap();
    fs::write(customer.path("lines.ndjson"), "{}\n").unwrap();
    fs::create_dir(customer.path("empty")).unwrap();
    for (evidence, told) in [
        ("mixed", "failed to read the evidence file `notes.parquet`: it is not readable as Parquet"),
        ("lines.ndjson", "lines.ndjson:1: not a result"),
        ("acme.zip", "acme.zip is a ZIP file; unpack it and name the directory"),
        ("empty", "no `.parquet` or `.ndjson` file lies in empty"),
        ("nowhere", "failed to open nowhere"),
    ] {
        let found = customer.refused(&["verify", V1, "--evidence", evidence]);
        assert!(found.contains(told), "{evidence}: {found}");
    }
}

#[test]
fn a_pdf_gives_its_statement_and_its_pages_are_printed_again_and_compared() {
    let customer = Customer::new();
    for (version, name) in [("1", "one.pdf"), ("2", "two.pdf")] {
        let statement = ["statement", "--config", "collector.yaml", "--agreement", "acme", "--period", "2025-12"];
        customer.good(&[&statement[..], &["--version", version, "--format", "pdf", "-o", name]].concat());
        let told = customer.good(&["verify", name, "--evidence", "bundle"]);
        assert!(told.contains(&format!("statement-2025-12-v{version}.json in {name}: version {version}")), "{told}");
        assert!(told.contains(SAME) && told.contains("its pages say what the statement says"), "{told}");
    }
    let alone = customer.good(&["verify", "one.pdf"]);
    assert!(alone.contains("Whether its pages say the same was not: that takes --evidence."), "{alone}");
    assert!(
        alone.contains("  service shop: availability 99.7983 %, downtime 5399998 ms, credit 120000 KRW"),
        "{alone}"
    );
    // A page's content is changed, and nothing else: the attachment is read as before.
    let mut pages = fs::read(customer.path("one.pdf")).unwrap();
    let stream = pages.windows(7).position(|bytes| bytes == b"stream\n").unwrap();
    pages[stream + 40] ^= 1;
    fs::write(customer.path("painted.pdf"), &pages).unwrap();
    customer.good(&["verify", "painted.pdf"]);
    let told = customer.refused(&["verify", "painted.pdf", "--evidence", "bundle"]);
    assert!(told.contains("painted.pdf is not the PDF that this version prints from it"), "{told}");
    for (name, bytes, words) in [
        ("other.pdf", &b"%PDF-1.7\nnothing"[..], "other.pdf: it can't be read as a PDF"),
        ("page.html", b"<!doctype html>", "page.html is a page, and pages are not signed"),
        ("s.csv", b"agreement,period", "s.csv is no statement; give its JSON, or the PDF that it is embedded in"),
    ] {
        fs::write(customer.path(name), bytes).unwrap();
        let told = customer.refused(&["verify", name]);
        assert!(told.contains(words), "{told}");
    }
}

#[test]
fn a_record_that_ends_before_what_a_statement_heard_is_found_in_the_bundle_and_in_the_ledger() {
    let customer = Customer::new();
    let record = fs::read_to_string(customer.path("bundle/record.ndjson")).unwrap();
    let entries: Vec<&str> = record.split_inclusive('\n').collect();
    fs::write(customer.path("cut.ndjson"), entries[..2].concat()).unwrap();
    let told = customer.refused(&["verify", V2, "--record", "cut.ndjson"]);
    insta::assert_snapshot!(told.lines().last().unwrap(), @"cut.ndjson: failed to verify the record of `acme`: version 2 of the statement for 2025-12 heard its entry 2 and was put on record as the next, but it ends at entry 2; its end was cut off");
    let whole = customer.good(&["record", "verify", "--config", "collector.yaml"]);
    assert!(whole.contains("2 issued statements heard it so"), "{whole}");
    let ledger = rusqlite::Connection::open(customer.path("ledger.db")).unwrap();
    ledger.execute_batch("DELETE FROM entries WHERE 2 < number; UPDATE records SET entries = 2").unwrap();
    for command in ["record verify", "evidence scrub"] {
        let arguments: Vec<&str> = command.split(' ').chain(["--config", "collector.yaml"]).collect();
        let told = customer.refused(&arguments);
        assert!(told.contains("its end was cut off"), "{command}: {told}");
    }
}
