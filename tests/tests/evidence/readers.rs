//! DuckDB and pandas read the archive, and count and add up what we do.

use super::{SLOTS, Site, down, elapsed_us};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The same as in `tests/run`.
const READERS: [&str; 3] = ["duckdb==2.0.0", "pandas==3.1.1", "pyarrow==26.0.1"];

const SCRIPT: &str = r#"
import json, sys
import duckdb, pandas
root = sys.argv[1]
sql = f"""SELECT service, "check", outcome, cause, count(*), sum(elapsed_us), epoch_ms(min("at")), epoch_ms(max("at")),
          count(note), sum(extra::int), min(every_us), max(timeout_us)
          FROM read_parquet('{root}/agreement=acme/**/*.parquet') GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3"""
rows = [[int(v) if hasattr(v, "__int__") and not isinstance(v, str) else v for v in row] for row in duckdb.sql(sql).fetchall()]
frame = pandas.read_parquet(f"{root}/agreement=acme")
frame["ms"] = frame["at"].astype("int64") // {"ms": 1, "us": 1_000, "ns": 1_000_000}[frame["at"].dt.unit]
found = []
for (service, check, outcome, cause), of in frame.groupby(["service", "check", "outcome", "cause"], dropna=False, observed=True):
    cause = None if pandas.isna(cause) else cause
    found.append([service, check, outcome, cause, len(of), int(of["elapsed_us"].sum()), int(of["ms"].min()), int(of["ms"].max()),
                  int(of["note"].count()), int(of["extra"].sum()), int(of["every_us"].min()), int(of["timeout_us"].max())])
assert rows == found, (rows, found)
print(json.dumps(rows))
"#;

/// Counts, sums and bounds of one check's results of one outcome.
fn expected(check: &str, is_down: bool) -> serde_json::Value {
    let slots: Vec<i64> = (0..SLOTS).filter(|slot| down(check, *slot) == is_down).collect();
    let at = |slot: i64| super::BEGAN_MS + slot * 30_000;
    let (outcome, cause) = if is_down { ("down", Some("timeout")) } else { ("up", None) };
    let sum: i64 = slots.iter().map(|slot| elapsed_us(check, *slot)).sum();
    let notes = if is_down { slots.len() } else { 0 };
    let (first, last) = (at(slots[0]), at(slots[slots.len() - 1]));
    serde_json::json!(["shop", check, outcome, cause, slots.len(), sum, first, last, notes, 0, 30_000_000, 10_000_000])
}

fn python(arguments: &[&str], modules: &Path) -> String {
    let output = Command::new("python3").args(arguments).env("PYTHONPATH", modules).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Where the readers are: `tests/run` installs them, and without it they are installed here once.
fn modules() -> PathBuf {
    if let Some(installed) = std::env::var_os("NINES_TEST_READERS") {
        return installed.into();
    }
    let modules = Path::new(env!("CARGO_TARGET_TMPDIR")).join("readers");
    if !modules.join("duckdb").is_dir() {
        let to = modules.to_str().unwrap();
        let install = ["-m", "pip", "install", "--quiet", "--target", to];
        python(&[&install[..], &READERS].concat(), &modules);
    }
    modules
}

#[test]
fn duckdb_and_pandas_count_and_add_up_what_we_do() {
    let site = Site::new("evidence", Vec::new());
    site.seal();
    let modules = modules();
    let told = python(&["-c", SCRIPT, site.path("evidence").to_str().unwrap()], &modules);
    let found: serde_json::Value = serde_json::from_str(&told).unwrap();
    let rows = [("page", true), ("page", false), ("port", true), ("port", false)];
    assert_eq!(found, serde_json::Value::Array(rows.map(|(check, is_down)| expected(check, is_down)).to_vec()));
}
