//! Rows through a file and back, and files that are none.

use super::*;
use crate::archive::rows::{Row, SeriesRows};
use rules::note::Note;
use rules::outcome::{Cause, Outcome};
use rules::result::{Pace, ProbeResult, SeriesKey, Weight};
use rules::time::Timestamp;
use std::time::Duration;

/// 2026-10-01T00:00:00Z.
const BEGAN: i64 = 1_790_812_800_000;

fn label() -> Label {
    Label { seal: 3, agreement: Some("서비스 \"1\"".parse().unwrap()) }
}

fn series(agent: &str, check: &str, rows: Vec<Row>) -> SeriesRows {
    let (agent, service, check) = (agent.parse().unwrap(), "apm".parse().unwrap(), check.parse().unwrap());
    SeriesRows { series: SeriesKey { agent, service, check }, rows }
}

fn row(slot: i64, outcome: Outcome, elapsed: u64) -> Row {
    let at = Timestamp::from_millis(BEGAN + slot * 30_000);
    Row {
        result: ProbeResult::of_slot(at, outcome, Duration::from_micros(elapsed)),
        pace: Pace { every: Duration::from_secs(30), timeout: Duration::from_micros(1_500_001) },
        note: None,
        incarnation: 2,
        seq: slot.unsigned_abs(),
    }
}

#[test]
fn rows_survive_being_written_and_read() {
    let mut odd = row(2, Outcome::Void(Cause::Paused), 0);
    odd.note = Note::new("status 503\n<b>");
    odd.result.weight = Weight::Extra;
    let mut extreme = row(3, Outcome::Down(Cause::Timeout), u64::MAX);
    (extreme.incarnation, extreme.seq, extreme.pace.every) = (u64::MAX, u64::MAX, Duration::from_micros(u64::MAX));
    let rows = vec![row(0, Outcome::Up, 48_123), row(1, Outcome::Down(Cause::Reset), 1), odd, extreme];
    let all = vec![series("seoul-1", "login", rows), series("서울", "port", vec![row(0, Outcome::Up, 7)])];
    let bytes = write(&label(), &all).unwrap();
    assert_eq!(read(bytes.into()).unwrap(), (label(), all));
}

#[test]
fn the_same_rows_give_the_same_bytes() {
    let all =
        || vec![series("a", "c", (0..500).map(|slot| row(slot, Outcome::Up, 900 + slot.unsigned_abs())).collect())];
    assert_eq!(write(&label(), &all()).unwrap(), write(&label(), &all()).unwrap());
}

#[test]
fn a_file_that_is_none_is_refused() {
    let bytes = write(&label(), &[series("a", "c", vec![row(0, Outcome::Up, 1)])]).unwrap();
    assert!(matches!(read(bytes::Bytes::from_static(b"PAR1")), Err(FileError::Parquet(_))));
    let cut = bytes::Bytes::copy_from_slice(&bytes[..bytes.len() - 9]);
    assert!(matches!(read(cut), Err(FileError::Parquet(_))));
}

/// Draws that are the same in every run.
struct Draws(u64);

impl Draws {
    /// Between 0 and 1, never 0.
    fn even(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1u64 << 53) as f64 + f64::MIN_POSITIVE
    }

    /// Bell-shaped around 0, with a standard deviation of 1.
    fn bell(&mut self) -> f64 {
        (-2.0 * self.even().ln()).sqrt() * (std::f64::consts::TAU * self.even()).cos()
    }
}

/// By how many milliseconds an attempt starts late.
type Late = fn(&mut Draws) -> f64;

/// An hour of so many checks, each every 30 s. An attempt starts late by `late`'s milliseconds, and takes
/// what its target takes, a tenth more or less.
fn hour(series_count: usize, late: Late) -> Vec<SeriesRows> {
    let mut draws = Draws(0x9e37_79b9_7f4a_7c15);
    let one = |number: usize| {
        let (offset, base) = ((draws.even() * 30_000.0) as i64, 3_000.0 + draws.even() * 97_000.0);
        let rows = (0..120).map(|slot| {
            let mut row = row(slot, Outcome::Up, (base * (0.1 * draws.bell()).exp()) as u64);
            row.result.at = Timestamp::from_millis(BEGAN + slot * 30_000 + offset + late(&mut draws) as i64);
            // A block a second, each with what ended within it.
            let ended = row.result.at.plus(row.result.elapsed).as_millis();
            row.seq = (ended / 1_000 - BEGAN / 1_000 + 7).unsigned_abs();
            row
        });
        let rows = rows.collect();
        series(&format!("seoul-{}", number % 3), &format!("check-{:03}", number / 3), rows)
    };
    (0..series_count).map(one).collect()
}

/// The agent's goal is a lateness of which 2 ms is the 99th percentile. What no compression can beat is
/// 1.8 bytes here: 14 bits of elapsed time, half a bit of lateness. Of a small file the better part is
/// what every Parquet file has: its footer, and thirteen columns' heads.
#[test]
fn an_hour_of_real_shape_takes_three_bytes_a_result() {
    let usual = |draws: &mut Draws| -draws.even().ln() * 2.0 / 100f64.ln();
    let loaded = |draws: &mut Draws| draws.even() * 4.0;
    let cases: [(usize, Late, f64); 4] = [(300, usual, 2.5), (60, usual, 2.75), (300, loaded, 2.95), (6, usual, 5.5)];
    for (series, late, goal) in cases {
        let rows = hour(series, late);
        let bytes = write(&label(), &rows).unwrap();
        let each = bytes.len() as f64 / (series * 120) as f64;
        println!("{series} series: {each:.3} bytes a result");
        assert!(each < goal, "{each} bytes a result of {series} series");
        assert_eq!(read(bytes.into()).unwrap(), (label(), rows));
    }
}
