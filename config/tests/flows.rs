//! Flows, pages and queries as values: read from files, written whole, and read again.

use config::{agent, check_document};
use rules::check::{Assignment, Expectation, Runs, SecretSource, Step, Target, Timed, Tolerance};
use std::path::{Path, PathBuf};

fn shipped(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(file)
}

fn checks(file: &str) -> Vec<Assignment> {
    agent::load(&shipped(file)).unwrap_or_else(|error| panic!("{error}")).value.checks.list
}

#[test]
fn flows_pages_and_queries_come_back_whole_from_the_document_for_agents() {
    for file in ["check-flow.yaml", "check-page.yaml", "check-promql.yaml"] {
        let assignments = checks(file);
        assert!(2 <= assignments.len(), "{file}");
        let json = check_document::to_json(&assignments);
        assert!(!json.contains("flows/create-project.yaml\",\"every"), "a flow is not sent as a file's name");
        let back = check_document::from_json(&json).unwrap_or_else(|error| panic!("{file}: {error}"));
        assert_eq!(back, assignments, "{json}");
    }
}

#[test]
fn every_option_of_a_step_comes_back() {
    let text = r#"
agent: a
checks:
  - check: c
    every: 10m
    basic_auth: { username: u, password_file: /run/p }
    tls_config: { insecure_skip_verify: true }
    flow:
      name: "flow: 1"
      variables: { base: "https://a.example:1", dollar: "$$x" }
      secrets: { key_file: /run/key }
      reserve: 7s
      steps:
        - step: one
          request:
            method: POST
            url: "${base}/x?y=$$${key}"
            headers: [{ a: "1 ${key}" }, { a: "2" }]
            body: "{\"a\": \"${base}\"}\n"
          expect:
            valid_status_codes: [200, "404-405"]
            fail_if_body_matches_regexp: error
            fail_if_header_not_matches: { header: X, regexp: y, allow_missing: true }
            fail_if_body_json_not_matches_cel: body.a == 1
          until:
            valid_status_codes: 200
            header_matches: { header: x, regexp: "^y" }
            body_matches_regexp: [a, b]
            body_json_matches_cel: body.b
          every: 250ms
          capture:
            a: { json: "$.a['b'][0]", secret: true }
            b: { header: Location, regexp: "/(.*)" }
            c: { body: "x(.)y" }
            d: { cookie: "S" }
            e: { header: etag }
          timeout: 1m
        - { step: two, request: "https://a.example:1/${a}", always: true, timed: true, may_fail: true }
"#;
    let loaded = agent::parse(text, "agent.yaml", Path::new(".")).unwrap_or_else(|error| panic!("{error}"));
    let assignments = loaded.value.checks.list;
    let back = check_document::from_json(&check_document::to_json(&assignments));
    assert_eq!(back.unwrap_or_else(|error| panic!("{error}")), assignments);
    let Target::Flow(flow) = &assignments[0].check.target else { panic!("no flow") };
    assert_eq!((flow.name.as_str(), flow.variables["dollar"].as_str()), ("flow: 1", "$x"));
    assert_eq!(flow.secrets["key"], SecretSource::File("/run/key".to_owned()));
    let Step { runs, timed, tolerance, .. } = &flow.steps[1];
    assert_eq!((*runs, *timed, *tolerance), (Runs::Always, Timed::Yes, Tolerance::MayFail));
    let until = flow.steps[0].until.as_ref().map(|polling| &polling.until);
    assert!(matches!(until, Some(Expectation { content, .. }) if content.len() == 4));
}

#[test]
fn a_mistake_in_a_flow_s_file_is_shown_with_that_file_s_name() {
    let dir = tempfile::tempdir().expect("a temporary directory can be made");
    std::fs::create_dir(dir.path().join("flows")).expect("a directory can be made");
    let flow = "steps:\n  - step: a\n    request: http://a/${id}\n";
    std::fs::write(dir.path().join("flows/a.yaml"), flow).expect("a file can be written");
    let text = "agent: a\nchecks: [{ check: c, flow: flows/a.yaml }]";
    let error = agent::parse(text, "agent.yaml", dir.path()).expect_err("a name is unknown").to_string();
    assert!(error.contains("flows/a.yaml:3:14: nothing is known as `id` here"), "{error}");
}

#[test]
fn a_flow_s_file_is_found_beside_the_file_that_names_it() {
    let dir = tempfile::tempdir().expect("a temporary directory can be made");
    let write = |name: &str, text: &str| {
        let path = dir.path().join(name);
        std::fs::create_dir_all(path.parent().expect("it has a directory")).expect("a directory can be made");
        std::fs::write(path, text).expect("a file can be written");
    };
    write("agreements/flows/a.yaml", "steps: [{ step: a, request: 'http://a/' }]");
    write(
        "agreements/acme.yaml",
        "{ agreement: acme, policy: cloud-apm, services: [{ service: s, checks: [{ check: c, flow: flows/a.yaml, every: 5m }] }] }",
    );
    let loaded = config::collector::parse("agreements: agreements/*.yaml", "c.yaml", dir.path());
    let loaded = loaded.unwrap_or_else(|error| panic!("{error}"));
    let check = &loaded.value.agreements[0].services[0].checks[0];
    assert_eq!(check.target.address(), "flows/a.yaml");
}

#[test]
fn a_secret_of_a_flow_is_in_no_output() {
    let text = "{\"checks\":[{\"service\":\"s\",\"check\":\"c\",\"flow\":{\"secrets\":{\"p\":\"hunter2\"},\"steps\":[{\"step\":\"a\",\"request\":\"http://a/${p}\"}]}}]}";
    let checks = check_document::from_json(text).unwrap_or_else(|error| panic!("{error}"));
    assert!(!format!("{checks:?}").contains("hunter2"));
    assert!(check_document::to_json(&checks).contains("hunter2"), "the agent needs it");
    let wrong = text.replace("\"http://a/${p}\"", "\"http://a/${q}\"");
    let error = check_document::from_json(&wrong).expect_err("a name is unknown").to_string();
    assert!(!error.contains("hunter2"), "{error}");
}
