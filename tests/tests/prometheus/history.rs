//! `import prometheus` against a real Prometheus that holds a day of probes: what was scraped becomes results, what was not
//! stays a gap, and the month is the one that the same results give by `replay`.

use crate::server::Prometheus;
use anyhow::Result;
use serde_json::Value;
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use tests::program;

const BEGAN_MS: i64 = 1_790_812_800_123;
const TARGET: &str = "https://shop.example/login";
const CONFIG: &str = "
ledger: sqlite:ledger.db
agreements:
  - agreement: acme
    policy: cloud-apm
    services:
      - service: shop
        checks: [{ check: page, http: 'https://shop.example/login', every: 15s, objective: login-page }]
";

/// What a scrape found.
#[derive(Clone, Copy)]
struct Scrape {
    at_ms: i64,
    up: bool,
    took_us: i64,
}

/// A day of scrapes every 15 s: an outage of ten minutes, two minutes down, and an hour without any.
fn scrapes() -> Vec<Scrape> {
    let scrape = |slot: i64| Scrape {
        at_ms: BEGAN_MS + slot * 15_000,
        up: !matches!(slot, 400..440 | 800..808),
        took_us: 20_000 + slot,
    };
    (0..5_760).filter(|slot| !matches!(slot, 2_000..2_240)).map(scrape).collect()
}

fn open_metrics(scrapes: &[Scrape], labels: &str) -> String {
    let mut text = String::from("# TYPE probe_success gauge\n");
    let mut samples = |name: &str, value: &dyn Fn(&Scrape) -> String| {
        for scrape in scrapes {
            let (seconds, millis) = (scrape.at_ms / 1000, scrape.at_ms % 1000);
            writeln!(text, "{name}{{{labels}}} {} {seconds}.{millis:03}", value(scrape)).unwrap();
        }
    };
    samples("probe_success", &|scrape| u8::from(scrape.up).to_string());
    samples("probe_duration_seconds", &|scrape| format!("0.{:06}", scrape.took_us));
    text + "# EOF\n"
}

fn lines(scrapes: &[Scrape]) -> String {
    let line = |scrape: &Scrape| {
        let outcome = if scrape.up { r#""up""# } else { r#""down","cause":"other""# };
        let Scrape { at_ms, took_us, .. } = scrape;
        format!(
            r#"{{"agent":"prometheus","service":"shop","check":"page","at":{at_ms},"outcome":{outcome},"elapsed_us":{took_us}}}"#
        ) + "\n"
    };
    scrapes.iter().map(line).collect()
}

struct Place {
    directory: TempDir,
    prometheus: Prometheus,
}

impl Place {
    async fn with(samples: &str) -> Result<Place> {
        let directory = tempfile::tempdir()?;
        fs::write(directory.path().join("collector.yaml"), CONFIG)?;
        Ok(Place { directory, prometheus: Prometheus::start_with_history(samples).await? })
    }

    fn config(&self) -> PathBuf {
        self.directory.path().join("collector.yaml")
    }

    fn import(&self, until: &str, more: &[&str]) -> std::process::Output {
        let config = self.config();
        let url = self.prometheus.url();
        let mut all: Vec<&OsStr> = ["collector", "import", "prometheus", "--url", url].map(OsStr::new).to_vec();
        all.extend(["--from", "2026-10-01T00:00:00Z", "--until", until, "--config"].map(OsStr::new));
        all.push(config.as_ref());
        all.extend(more.iter().map(OsStr::new));
        program::run(&all)
    }

    fn statement(&self) -> Value {
        let config = self.config();
        let all = ["collector", "statement", "--period", "2026-10", "--format", "json", "--config"].map(OsStr::new);
        let drawn_up = program::answer(&[&all[..], &[config.as_ref()]].concat());
        serde_json::from_str(&drawn_up).unwrap()
    }

    fn replayed(&self, results: &Path) -> Value {
        let config = self.config();
        let all = ["collector", "replay", "--period", "2026-10", "--format", "json", "--config"].map(OsStr::new);
        let replayed =
            program::answer(&[&all[..], &[config.as_ref(), "--results".as_ref(), results.as_ref()]].concat());
        serde_json::from_str(&replayed).unwrap()
    }
}

fn said(output: &std::process::Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_scraped_becomes_results_and_what_was_not_stays_a_gap() -> Result<()> {
    let scrapes = scrapes();
    let place = Place::with(&open_metrics(&scrapes, &format!("instance=\"{TARGET}\",job=\"blackbox\""))).await?;
    let half = place.import("2026-10-01T12:00:00Z", &[]);
    assert!(half.status.success(), "{}", said(&half));
    let whole = place.import("2026-11-01T00:00:00Z", &[]);
    assert!(whole.status.success(), "{}", said(&whole));
    assert!(said(&whole).contains("5520 samples read, 2880 new results"), "{}", said(&whole));
    let again = place.import("2026-11-01T00:00:00Z", &[]);
    assert!(said(&again).contains("5520 samples read, 0 new results"), "{}", said(&again));

    let results = place.directory.path().join("results.ndjson");
    fs::write(&results, lines(&scrapes))?;
    let (from_ledger, replayed) = (place.statement(), place.replayed(&results));
    for part in ["partition_ms", "outages", "latency", "error_rate", "coverage"] {
        assert_eq!(from_ledger["services"][0][part], replayed["services"][0][part], "{part}");
    }
    let service = &replayed["services"][0];
    assert_eq!(service["partition_ms"]["counted"], 600_000);
    assert_eq!(service["partition_ms"]["short"], 120_000);
    assert_eq!(service["outages"][0]["began_at"], "2026-10-01T01:40:00.123Z");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn probes_that_were_rarer_than_configured_are_not_taken_for_gaps() -> Result<()> {
    let rare: Vec<Scrape> = scrapes().into_iter().step_by(4).collect();
    let place = Place::with(&open_metrics(&rare, &format!("instance=\"{TARGET}\""))).await?;
    let refused = place.import("2026-10-02T00:00:00Z", &[]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(said(&refused).contains("came every 60 s, and the configuration says every 15 s: give --every 60s"));
    let taken = place.import("2026-10-02T00:00:00Z", &["--every", "60s"]);
    assert!(taken.status.success(), "{}", said(&taken));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_series_that_belongs_to_no_check_is_refused_before_anything_is_written() -> Result<()> {
    let place = Place::with(&open_metrics(&scrapes()[..40], "instance=\"https://other.example/\"")).await?;
    let refused = place.import("2026-10-02T00:00:00Z", &[]);
    let told = said(&refused);
    assert!(told.contains("there is none with target `https://other.example/`"), "{told}");
    assert_eq!(refused.status.code(), Some(1));
    let named = place.import("2026-10-02T00:00:00Z", &["--service", "shop", "--check", "page"]);
    assert!(said(&named).contains("40 new results"), "{}", said(&named));
    let wrong = place.import("2026-10-02T00:00:00Z", &["--query", "sum(probe_success)"]);
    assert!(said(&wrong).contains("parse error"), "{}", said(&wrong));
    Ok(())
}
