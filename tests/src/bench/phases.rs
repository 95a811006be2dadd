//! Phase times held against a server that reads the same clock: what a waterfall shows is what happened.

use super::Effort;
use super::table::{Goal, Row};
use daemon::clock::Clock;
use serde_json::Value;
use std::ffi::OsStr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tests::program;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// How long the server thinks, and how long its answer takes.
const FIRST_BYTE: Duration = Duration::from_millis(60);
const TRANSFER: Duration = Duration::from_millis(40);

/// What one visitor really met.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Known {
    first_byte: Duration,
    transfer: Duration,
}

pub(crate) async fn rows(effort: Effort) -> Vec<Row> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (url, known) = (format!("http://{}/", listener.local_addr().unwrap()), Arc::<Mutex<Vec<Known>>>::default());
    let mut serving = JoinSet::new();
    serving.spawn(serve(listener, Arc::clone(&known)));
    let (mut first_byte, mut transfer) = (Vec::new(), Vec::new());
    for _ in 0..effort.of(30, 3) {
        let shown = shown(url.clone()).await;
        let known = known.lock().unwrap().pop().unwrap();
        first_byte.push(apart(&shown["first_byte"], known.first_byte));
        transfer.push(apart(&shown["transfer"], known.transfer));
    }
    let rows = |phase: &str, mut errors: Vec<f64>| {
        errors.sort_by(f64::total_cmp);
        let (median, largest) = (errors[errors.len() / 2], errors[errors.len() - 1]);
        let row = |which, error| Row::new(format!("phase `{phase}`, {which} error"), "ms", error);
        [row("median", median).goal(Goal::AtMost(1.0)), row("largest", largest).goal(Goal::AtMost(1.0))]
    };
    [rows("first_byte", first_byte), rows("transfer", transfer)].concat()
}

/// The phases that one probe tells, in microseconds.
async fn shown(url: String) -> Value {
    let check = move || {
        let arguments: [&OsStr; 3] = ["check".as_ref(), url.as_ref(), "--json".as_ref()];
        program::answer(&arguments)
    };
    let line: Value = serde_json::from_str(&tokio::task::spawn_blocking(check).await.unwrap()).unwrap();
    assert_eq!(line["outcome"], "up", "{line}");
    line["phases_us"].clone()
}

fn apart(shown: &Value, known: Duration) -> f64 {
    (shown.as_f64().unwrap() / 1e3 - known.as_secs_f64() * 1e3).abs()
}

async fn serve(listener: TcpListener, known: Arc<Mutex<Vec<Known>>>) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        meet(stream, &known).await;
    }
}

async fn meet(mut stream: TcpStream, known: &Mutex<Vec<Known>>) {
    let (clock, mut head) = (Clock::system(), Vec::new());
    stream.set_nodelay(true).unwrap();
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_buf(&mut head).await.unwrap();
    }
    let asked = clock.boot();
    clock.sleep(FIRST_BYTE).await;
    stream.write_all(b"HTTP/1.1 200 Well\r\ncontent-length: 8\r\n\r\nhalf").await.unwrap();
    let answered = clock.boot();
    clock.sleep(TRANSFER).await;
    stream.write_all(b"half").await.unwrap();
    let ended = clock.boot();
    known.lock().unwrap().push(Known { first_byte: answered - asked, transfer: ended - answered });
}
