//! Flows against a service that plays the other side of the examples, well and badly.

mod api;

use crate::{AMPLE, probe};
use api::{Api, Script};
use rules::check::Target;
use rules::evidence::{Evidence, Facts, FlowFacts, Shortfall, StepEnd};
use rules::outcome::{Cause, Outcome};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::time::Duration;

const PASSWORD: &str = "correct horse/battery";
const PROJECT: &str = "GET /api/projects/p-1";
const REMOVAL: &str = "DELETE /api/projects/p-1";

/// The flow that `text` describes, with the service's address and the secret in their places.
fn flow(text: &str, address: SocketAddr) -> Target {
    let dir = tempfile::tempdir().unwrap();
    let secret = dir.path().join("password");
    std::fs::write(&secret, format!("{PASSWORD}\n")).unwrap();
    // The probe reads it again.
    let dir = dir.keep();
    let text = text
        .replace("https://apm.example", &format!("http://{address}"))
        .replace("/run/secrets/apm-probe-password", secret.to_str().unwrap())
        .replace("every: 2s", "every: 100ms");
    std::fs::write(dir.join("flow.yaml"), text).unwrap();
    let agent = "agent: a\nchecks: [{ check: c, every: 1h, flow: flow.yaml }]";
    let loaded = config::agent::parse(agent, "agent.yaml", &dir).unwrap_or_else(|error| panic!("{error}"));
    loaded.value.checks.list[0].check.target.clone()
}

fn example(name: &str, api: &Api) -> Target {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../config/examples/flows");
    flow(&std::fs::read_to_string(examples.join(name)).unwrap(), api.address)
}

fn facts(evidence: &Evidence) -> &FlowFacts {
    match &evidence.facts {
        Some(Facts::Flow(facts)) => facts,
        other => panic!("{other:?} are no facts of a flow"),
    }
}

fn ends(evidence: &Evidence) -> Vec<&StepEnd> {
    facts(evidence).steps.iter().map(|step| &step.end).collect()
}

#[tokio::test]
async fn each_example_is_carried_out_and_cleaned_up() {
    let option = "/api/projects/nines-standing/options/backup";
    let capacity = "/api/projects/nines-standing/capacity";
    let table = [
        ("create-project.yaml", "POST /api/projects".to_owned(), PROJECT.to_owned(), REMOVAL.to_owned()),
        ("option-service.yaml", format!("PUT {option}"), format!("GET {option}"), format!("PUT {option}")),
        ("change-capacity.yaml", format!("PATCH {capacity}"), format!("GET {capacity}"), format!("PATCH {capacity}")),
    ];
    for (name, act, look, clean_up) in table {
        let api = Api::start(Script { clean_up: 200, ..Script::default() });
        let (evidence, outcome) = probe(&example(name, &api), AMPLE).await;
        assert_eq!(outcome, Outcome::Up, "{name}: {evidence:?}");
        let expected = ["POST /api/login".to_owned(), act, look.clone(), look.clone(), look, clean_up];
        assert_eq!(api.requests(), expected, "{name}");
        let steps = &facts(&evidence).steps;
        assert_eq!((steps[2].requests, steps[2].status), (3, Some(200)), "{name}");
    }
}

#[tokio::test]
async fn a_slow_service_takes_the_time_of_its_timed_steps() {
    let api = Api::start(Script { looks: 5, ..Script::default() });
    let (evidence, outcome) = probe(&example("create-project.yaml", &api), AMPLE).await;
    assert_eq!(outcome, Outcome::Up, "{evidence:?}");
    let [login, create, ready, removal] = &facts(&evidence).steps[..] else { panic!("{evidence:?}") };
    assert!(Duration::from_millis(500) <= ready.elapsed, "{ready:?}");
    assert!(create.elapsed + ready.elapsed <= evidence.elapsed, "{evidence:?}");
    let whole = removal.began + removal.elapsed;
    assert!(evidence.elapsed + login.elapsed + removal.elapsed <= whole + Duration::from_millis(100), "{evidence:?}");
    assert!(evidence.elapsed < whole);
}

#[tokio::test]
async fn what_is_never_ready_is_down_by_timeout_and_removed_all_the_same() {
    let api = Api::start(Script { looks: u32::MAX, ..Script::default() });
    let timeout = Duration::from_secs(2);
    let (evidence, outcome) = probe(&example("create-project.yaml", &api), timeout).await;
    assert_eq!(outcome, Outcome::Down(Cause::Timeout), "{evidence:?}");
    assert_eq!(api.count(REMOVAL), 1);
    let [_, _, ready, removal] = &facts(&evidence).steps[..] else { panic!("{evidence:?}") };
    assert_eq!(removal.end, StepEnd::Done);
    assert!(removal.began + removal.elapsed < timeout);
    let StepEnd::Failed(Shortfall::Broken(failure)) = &ready.end else { panic!("{ready:?}") };
    assert!(failure.detail.as_str().starts_with("step `ready`: what it waits for did not come in time"), "{failure:?}");
}

#[tokio::test]
async fn a_service_that_hangs_is_down_by_timeout_and_cleaned_up_within_the_reserve() {
    let api = Api::start(Script { hangs: "/capacity", ..Script::default() });
    let target = example("change-capacity.yaml", &api);
    let (evidence, outcome) = probe(&target, Duration::from_secs(1)).await;
    assert_eq!(outcome, Outcome::Down(Cause::Timeout), "{evidence:?}");
    // It hangs there too, and is asked nonetheless.
    assert_eq!(api.count("PATCH /api/projects/nines-standing/capacity"), 2);
    assert!(evidence.elapsed < Duration::from_secs(1));
}

#[tokio::test]
async fn what_fails_for_good_is_not_waited_for() {
    let api = Api::start(Script { end: "FAILED", ..Script::default() });
    let (evidence, outcome) = probe(&example("create-project.yaml", &api), AMPLE).await;
    assert_eq!(outcome, Outcome::Down(Cause::Content), "{evidence:?}");
    assert_eq!((api.count(PROJECT), api.count(REMOVAL)), (3, 1));
    let start = evidence.http.as_ref().and_then(|http| http.body_start.clone());
    assert!(ends(&evidence)[2] == &StepEnd::Failed(Shortfall::Content(0)), "{evidence:?} {start:?}");
}

#[tokio::test]
async fn a_clean_up_that_fails_is_down_unless_it_may_fail() {
    let api = Api::start(Script { clean_up: 500, ..Script::default() });
    let (evidence, outcome) = probe(&example("create-project.yaml", &api), AMPLE).await;
    assert_eq!(outcome, Outcome::Down(Cause::Status), "{evidence:?}");
    assert_eq!(ends(&evidence)[3], &StepEnd::Failed(Shortfall::Status(500)));
    let (evidence, outcome) = probe(&example("change-capacity.yaml", &api), AMPLE).await;
    assert_eq!(outcome, Outcome::Up, "{evidence:?}");
    assert_eq!(ends(&evidence)[3], &StepEnd::Failed(Shortfall::Status(500)));
}

#[tokio::test]
async fn a_refused_log_in_ends_the_flow_and_there_is_nothing_to_remove() {
    let api = Api::start(Script { login: 401, ..Script::default() });
    let (evidence, outcome) = probe(&example("create-project.yaml", &api), AMPLE).await;
    assert_eq!(outcome, Outcome::Down(Cause::Status), "{evidence:?}");
    assert_eq!(api.requests(), ["POST /api/login"]);
    let expected = [
        &StepEnd::Failed(Shortfall::Status(401)),
        &StepEnd::NotBegun,
        &StepEnd::NotBegun,
        &StepEnd::Needless("project".to_owned()),
    ];
    assert_eq!(ends(&evidence), expected);
}

#[tokio::test]
async fn a_secret_that_the_service_repeats_is_in_no_evidence() {
    let api = Api::start(Script { login: 401, ..Script::default() });
    let target = example("create-project.yaml", &api);
    let (evidence, _) = probe(&target, AMPLE).await;
    assert!(api.bodies()[0].contains(PASSWORD), "it was sent");
    let start = evidence.http.as_ref().and_then(|http| http.body_start.clone()).unwrap();
    assert_eq!(start.as_str(), r#"{"user": "nines-probe", "password": "[redacted]"}"#);
    for shown in [format!("{evidence:?}"), format!("{target:?}")] {
        assert!(!shown.contains("horse") && !shown.contains("T-4711"), "{shown}");
    }
}

#[tokio::test]
async fn what_a_service_says_is_never_expanded_nor_followed_elsewhere() {
    let steps = "
variables: { base: https://apm.example }
secrets: { password_file: /run/secrets/apm-probe-password }
steps:
  - step: in
    request: { method: POST, url: '${base}/api/login' }
    capture: { token: { json: $.token } }
  - step: make
    request: { method: POST, url: '${base}/api/projects', headers: { authorization: 'Bearer ${token}' } }
    expect: { valid_status_codes: 202 }
    capture: { place: { header: location } }
  - step: go
    request: { url: '${place}', headers: { x-secret: '${password}' } }
    expect: { valid_status_codes: 401 }
";
    let lure = TcpListener::bind("127.0.0.1:0").unwrap();
    let there = Box::leak(format!("http://{}/", lure.local_addr().unwrap()).into_boxed_str());
    lure.set_nonblocking(true).unwrap();
    for location in ["http://${password}/", "/relative", there, "http://a b/", "file:///etc/passwd"] {
        let api = Api::start(Script { location, ..Script::default() });
        let (evidence, outcome) = probe(&flow(steps, api.address), AMPLE).await;
        assert_eq!(outcome, Outcome::Down(Cause::Content), "{location}: {evidence:?}");
        assert!(matches!(ends(&evidence)[2], StepEnd::Failed(Shortfall::Request(_))), "{location}: {evidence:?}");
    }
    assert!(lure.accept().is_err(), "the flow went where it was sent");
}

/// A server that answers everything with `answer` and then whatever `more` says, for ever.
fn hostile(answer: &'static str, more: &'static str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            std::thread::spawn(move || {
                let _ = stream.read(&mut [0; 4096]);
                let mut written = stream.write_all(answer.as_bytes());
                while written.is_ok() && !more.is_empty() {
                    written = stream.write_all(more.as_bytes());
                }
            });
        }
    });
    address
}

#[tokio::test]
async fn hostile_answers_end_in_time_with_their_cause() {
    let steps = "
steps:
  - step: look
    request: https://apm.example/
    capture: { id: { json: $.id } }
  - { step: remove, always: true, request: 'https://apm.example/${id}' }
";
    let deep = "HTTP/1.1 200 OK\r\ncontent-length: 20000\r\n\r\n";
    let table = [
        (deep, "[[[[[[[[[[[[[[[[[[[[", Cause::Content),
        ("HTTP/1.1 200 OK\r\n\r\n", "{\"id\": \"x\", ", Cause::TooLarge),
        ("HTTP/1.1 200 OK\r\n", "x-endless: header\r\n", Cause::TooLarge),
        ("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{\"id\"", "", Cause::Reset),
        ("SSH-2.0-OpenSSH\r\n", "", Cause::Protocol),
    ];
    for (answer, more, cause) in table {
        let (evidence, outcome) = probe(&flow(steps, hostile(answer, more)), AMPLE).await;
        assert_eq!(outcome, Outcome::Down(cause), "{answer:?} {more:?}: {evidence:?}");
        assert_eq!(ends(&evidence)[1], &StepEnd::Needless("id".to_owned()));
    }
}

#[tokio::test]
async fn a_secret_that_can_t_be_read_is_the_agent_s_failure() {
    let text = "
secrets: { password_file: /nonexistent/secret }
steps: [{ step: in, request: { url: https://apm.example/, headers: { x: '${password}' } } }]
";
    let (evidence, outcome) = probe(&flow(text, "127.0.0.1:1".parse().unwrap()), AMPLE).await;
    assert_eq!(outcome, Outcome::Void(Cause::Prober), "{evidence:?}");
}
