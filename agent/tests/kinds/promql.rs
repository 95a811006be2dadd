//! Queries to a server that answers in Prometheus' words, or not at all. A real Prometheus is asked in
//! `tests/tests/prometheus`.

use crate::{AMPLE, probe};
use rules::check::{PromqlTarget, Target};
use rules::evidence::{Evidence, Facts, PromqlFacts};
use rules::outcome::{Cause, Outcome};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A server that gives `answer` to everything, `times` over, and what it was asked.
fn server(answer: &str, times: usize) -> (SocketAddr, Arc<Mutex<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let asked = Arc::new(Mutex::new(String::new()));
    let (heard, answer) = (Arc::clone(&asked), answer.to_owned());
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut bytes = [0; 8192];
            let mut length = 0;
            // The query is the body's end.
            while !String::from_utf8_lossy(&bytes[..length]).contains("query=") {
                length += stream.read(&mut bytes[length..]).unwrap();
            }
            *heard.lock().unwrap() = String::from_utf8_lossy(&bytes[..length]).into_owned();
            for _ in 0..times {
                if stream.write_all(answer.as_bytes()).is_err() {
                    break;
                }
            }
        }
    });
    (address, asked)
}

fn target(address: SocketAddr, options: &str) -> PromqlTarget {
    let agent = format!(
        "agent: a\nchecks: [{{ check: c, promql: 'sum(up{{job=\"a b\"}}) + 1', server: 'http://{address}/', {options} }}]"
    );
    let loaded = config::agent::parse(&agent, "agent.yaml", std::path::Path::new("."));
    let loaded = loaded.unwrap_or_else(|error| panic!("{error}"));
    let Target::Promql(target) = &loaded.value.checks.list[0].check.target else { panic!("{agent} is no query") };
    target.clone()
}

async fn ask(address: SocketAddr, options: &str, timeout: Duration) -> (Evidence, Outcome) {
    probe(&Target::Promql(target(address, options)), timeout).await
}

fn vector(values: &[&str]) -> String {
    let series = |value: &&str| format!(r#"{{"metric":{{"job":"x"}},"value":[1732240000.123,"{value}"]}}"#);
    let result: Vec<String> = values.iter().map(series).collect();
    let result = result.join(",");
    with_status(200, &format!(r#"{{"status":"success","data":{{"resultType":"vector","result":[{result}]}}}}"#))
}

fn with_status(status: u16, body: &str) -> String {
    format!("HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

#[tokio::test]
async fn a_value_is_asked_for_as_a_form_and_held_against_the_bounds() {
    let (address, asked) = server(&vector(&["0.5"]), 1);
    let (evidence, outcome) = ask(address, "at_least: 0.5, below: 1", AMPLE).await;
    assert_eq!(outcome, Outcome::Up, "{evidence:?}");
    let asked = asked.lock().unwrap().clone();
    assert!(asked.starts_with("POST /api/v1/query HTTP/1.1\r\n"), "{asked}");
    assert!(asked.ends_with("query=sum%28up%7Bjob%3D%22a+b%22%7D%29+%2B+1"), "{asked}");
    assert_eq!(ask(address, "above: 0.5", AMPLE).await.1, Outcome::Down(Cause::Bound));
    let Some(Facts::Promql(facts)) = evidence.facts else { panic!("no facts") };
    assert!(matches!(*facts, PromqlFacts::Values(samples) if samples[0].labels.as_str() == "{job=\"x\"}"));
}

#[tokio::test]
async fn a_server_that_answers_no_value_leaves_the_target_unknown() {
    let bad = r#"{"status":"error","errorType":"bad_data","error":"parse error"}"#;
    for answer in [
        vector(&[]),
        vector(&["NaN"]),
        with_status(400, bad),
        with_status(502, "<html>"),
        with_status(200, &"[".repeat(100_000)),
        "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{".to_owned(),
        "SSH-2.0-x\r\n".to_owned(),
    ] {
        let (evidence, outcome) = ask(server(&answer, 1).0, "at_least: 1", AMPLE).await;
        assert_eq!(outcome, Outcome::Void(Cause::Prober), "{answer}: {evidence:?}");
    }
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    assert_eq!(ask(closed, "at_least: 1", AMPLE).await.1, Outcome::Void(Cause::Prober));
    assert_eq!(ask(closed, "at_least: 1, server_failure: down", AMPLE).await.1, Outcome::Down(Cause::Refused));
    assert_eq!(ask(server(&vector(&[]), 1).0, "at_least: 1, no_data: up", AMPLE).await.1, Outcome::Up);
}

#[tokio::test]
async fn an_answer_without_end_ends() {
    let endless = "HTTP/1.1 200 OK\r\nx: y\r\n\r\n{\"status\": \"";
    let (address, _) = server(endless, usize::MAX);
    let (evidence, outcome) = ask(address, "at_least: 1, server_failure: down", AMPLE).await;
    assert_eq!(outcome, Outcome::Down(Cause::TooLarge), "{evidence:?}");
}

#[tokio::test]
async fn a_server_that_is_silent_is_left_when_the_time_is_over() {
    let held = TcpListener::bind("127.0.0.1:0").unwrap();
    let (evidence, outcome) = ask(held.local_addr().unwrap(), "at_least: 1", Duration::from_millis(300)).await;
    assert_eq!(outcome, Outcome::Void(Cause::Prober), "{evidence:?}");
    assert!(evidence.elapsed < Duration::from_secs(2));
}
