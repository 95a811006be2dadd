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

#[test]
fn an_hour_of_real_shape_takes_three_bytes_a_result() {
    let mut noise = 0x9e37_79b9_7f4a_7c15_u64;
    let mut draw = move || {
        noise ^= noise << 13;
        noise ^= noise >> 7;
        noise ^= noise << 17;
        noise
    };
    let mut all = Vec::new();
    for number in 0..300i64 {
        let (offset, base) = ((draw() % 30_000).cast_signed(), 3_000 + draw() % 100_000);
        let rows = (0..120).map(|slot| {
            // The sum of four draws is bell-shaped: about a tenth of the base to either side.
            let spread = (0..4).map(|_| draw() % (base / 6)).sum::<u64>();
            let mut row = row(slot, Outcome::Up, base + spread);
            let late = i64::from(draw() % 4 == 0);
            row.result.at = Timestamp::from_millis(BEGAN + slot * 30_000 + offset + late);
            row.seq = (row.result.at.as_millis() / 1000 - BEGAN / 1000 + 7).unsigned_abs();
            row
        });
        all.push(series(&format!("a{}", number % 3), &format!("c{:03}", number / 3), rows.collect()));
    }
    let bytes = write(&label(), &all).unwrap().len();
    assert!(bytes < 3 * 36_000, "{bytes} bytes for 36000 results");
}
