//! What a person at a terminal gets who forgets where a file should go.

use std::path::Path;
use std::process::Command;

/// Runs a command line of the collector on a terminal of its own; what it shows and its exit code.
fn on_a_terminal(arguments: &str) -> (String, Option<i32>) {
    let line = format!("{} {arguments}", env!("CARGO_BIN_EXE_nines-collector"));
    let mut script = Command::new("script");
    script.args(["--quiet", "--return", "--command", &line, "/dev/null"]);
    let case = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/051");
    let output = script.current_dir(case).output();
    let output = output.unwrap_or_else(|error| panic!("script, of Debian's bsdutils: {error}"));
    (String::from_utf8_lossy(&output.stdout).into_owned(), output.status.code())
}

const REPLAY: &str = "replay --config collector.yaml --results results.ndjson --period 2025-12";

#[test]
fn a_pdf_is_refused_by_a_terminal_and_written_to_a_file() {
    let (shown, code) = on_a_terminal(&format!("{REPLAY} --format pdf"));
    assert_eq!(code, Some(2), "{shown}");
    assert_eq!(shown.trim_end(), "a PDF is nothing for a terminal: name a file with --output");
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("statement.pdf");
    let (shown, code) = on_a_terminal(&format!("{REPLAY} --format pdf --output {}", file.display()));
    assert_eq!(code, Some(0), "{shown}");
    assert!(std::fs::read(file).unwrap().starts_with(b"%PDF-"));
}

#[test]
fn a_text_is_shown_on_a_terminal() {
    let (shown, code) = on_a_terminal(&format!("{REPLAY} --format text"));
    assert_eq!(code, Some(0), "{shown}");
    assert!(shown.contains("2025-12"), "{shown}");
}
