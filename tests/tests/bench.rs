//! The bench runs: no figure is judged here, for this machine does other things meanwhile.

use std::process::Command;

/// Of each kind of row, words that only it has.
const ROWS: &[&str] = &[
    "one HTTP probe, CPU",
    "one HTTPS probe, CPU",
    "one TCP probe, CPU",
    "agent memory, 100 checks",
    "agent memory, 10 000 checks",
    "probes begun after their slot",
    "slots missed",
    "phase `first_byte`",
    "phase `transfer`",
    "ingest, live: blocks of 256",
    "ledger at rest, blocks of 4096",
    "`rebuild` of that ledger, blocks of 4096",
    "collector memory a series",
    "one scrape of /metrics",
    "figures from runs, 20 outages",
    "runs from blocks",
    "service told down after its first failed probe",
    "outage told after it is long enough",
];

#[test]
fn every_figure_can_be_taken() {
    let bench = Command::new(env!("CARGO_BIN_EXE_bench")).arg("--quick").output().unwrap();
    let (table, complaints) = (String::from_utf8_lossy(&bench.stdout), String::from_utf8_lossy(&bench.stderr));
    assert!(bench.status.success(), "{table}\n{complaints}");
    for row in ROWS {
        assert!(table.contains(row), "no row `{row}` in:\n{table}");
    }
}
