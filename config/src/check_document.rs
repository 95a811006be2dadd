//! Checks as JSON: what a collector hands to an agent, with the keys that the files have.
//!
//! `{"checks": [{"service": "apm-prod", "check": "login", "http": "https://…", "every": "30s", …}]}`
//!
//! Every key is written, defaults too, so that a collector and an agent of different versions agree on
//! what a check means. What comes in is text from outside: it is held to the same rules as a file, and
//! `${NAME}` in it is never looked up.

use crate::check::{CheckDraft, read_assigned, write, write_reprobe};
use crate::node::Node;
use crate::reading::keys::Keys;
use crate::reading::{ConfigError, Environment, Placed, Reading, list};
use crate::scalar::duration_text;
use crate::source::Span;
use rules::check::{Assignment, Check, Counts, Vantages};
use rules::id::{CheckId, ServiceId};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

/// Writes the document.
pub fn to_json(assignments: &[Assignment]) -> String {
    let checks: Vec<Value> = assignments.iter().map(|assignment| Value::Object(check_keys(assignment))).collect();
    printable(&json!({ "checks": checks }).to_string())
}

/// `json` with the characters escaped that JSON lets stand in a string and the reader, YAML, does not.
fn printable(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}' => {
                out.push_str(&format!("\\u{:04x}", u32::from(c)));
            }
            c => out.push(c),
        }
    }
    out
}

/// Reads the document.
pub fn from_json(text: &str) -> Result<Vec<Assignment>, ConfigError> {
    let mut reading = Reading::new(PathBuf::new(), Environment::Sealed);
    let checks = reading.parse("checks", text).and_then(|node| read(&node, &mut reading));
    reading.end(checks).map(|loaded| loaded.value)
}

fn read(node: &Node, reading: &mut Reading) -> Option<Vec<Assignment>> {
    let mut keys = Keys::of(node, "a document of checks", reading)?;
    let drafts = keys.required("checks", reading, list(read_assigned));
    keys.end(reading);
    Some(assignments(drafts?, None, reading))
}

/// The checks with their services; `service` is that of a check that names none.
pub(crate) fn assignments(
    drafts: Vec<(Option<Placed<ServiceId>>, CheckDraft)>,
    service: Option<&ServiceId>,
    reading: &mut Reading,
) -> Vec<Assignment> {
    let mut seen: BTreeMap<(ServiceId, CheckId), Span> = BTreeMap::new();
    let mut assignments = Vec::with_capacity(drafts.len());
    for (named, draft) in drafts {
        let Some(service) = named.map(|named| named.value).or_else(|| service.cloned()) else {
            reading.problem::<()>(draft.id_at, "a check has no `service`; add the key `service`");
            continue;
        };
        if let Some(first) = seen.insert((service.clone(), draft.check.id.clone()), draft.id_at) {
            let (id, first) = (&draft.check.id, reading.shown(first));
            let message = format!("check `{id}` of service `{service}` is given twice, first at {first}; rename one");
            reading.problem::<()>(draft.id_at, message);
        }
        assignments.push(Assignment { service, check: Arc::new(draft.check) });
    }
    assignments
}

fn check_keys(Assignment { service, check }: &Assignment) -> Map<String, Value> {
    let Check { id, target, every, timeout, reprobe, counts, objective, agents } = &**check;
    let mut keys = Map::new();
    let mut put = |key: &str, value: Value| keys.insert(key.to_owned(), value);
    put("service", json!(service.as_str()));
    put("check", json!(id.as_str()));
    put("every", json!(duration_text(*every)));
    put("timeout", json!(duration_text(*timeout)));
    put("reprobe", write_reprobe(*reprobe));
    put("counts", json!(matches!(counts, Counts::Yes)));
    if let Some(objective) = objective {
        put("objective", json!(objective.as_str()));
    }
    match agents {
        Vantages::All => put("agents", json!("all")),
        Vantages::Only(agents) => put("agents", agents.iter().map(|agent| agent.as_str()).collect()),
    };
    write(target, &mut keys);
    keys
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rules::check::{HttpTarget, IpPreference, Route, SecretSource, Target, TcpTarget};
    use std::time::Duration;

    fn http_check(url: &str) -> Check {
        Check {
            id: "login".parse().unwrap(),
            target: Target::Http(Box::new(HttpTarget::parse(url).unwrap())),
            every: Duration::from_secs(30),
            timeout: Duration::from_millis(9_999),
            reprobe: None,
            counts: Counts::Yes,
            objective: None,
            agents: Vantages::All,
        }
    }

    fn assigned(check: Check) -> Assignment {
        Assignment { service: "apm-prod".parse().unwrap(), check: Arc::new(check) }
    }

    #[track_caller]
    fn check(assignments: &[Assignment]) {
        let json = to_json(assignments);
        match from_json(&json) {
            Ok(back) => assert_eq!(back, assignments, "{json}"),
            Err(error) => panic!("{error}"),
        }
    }

    #[test]
    fn a_check_with_everything_about_it_set_comes_back_as_it_was() {
        check(&[assigned(Check {
            counts: Counts::No,
            objective: Some("login-page".parse().unwrap()),
            agents: Vantages::Only(["seoul-1", "null", "7"].iter().map(|agent| agent.parse().unwrap()).collect()),
            ..http_check("https://apm.example/login?a=b&c=%20#d")
        })]);
    }

    #[test]
    fn checks_with_defaults_only_come_back_as_they_were() {
        check(&[]);
        check(&[
            assigned(http_check("http://[::1]:8080/")),
            assigned(Check {
                id: "port".parse().unwrap(),
                target: Target::Tcp(TcpTarget::parse("[::1]:443").unwrap()),
                ..http_check("https://a/")
            }),
        ]);
    }

    #[test]
    fn every_preference_of_an_address_family_comes_back() {
        for ip in [
            IpPreference::Any,
            IpPreference::PreferV4,
            IpPreference::PreferV6,
            IpPreference::OnlyV4,
            IpPreference::OnlyV6,
        ] {
            let target = TcpTarget { route: Route { ip, source: None }, ..TcpTarget::parse("a:1").unwrap() };
            check(&[assigned(Check { target: Target::Tcp(target), ..http_check("https://a/") })]);
        }
    }

    #[test]
    fn a_check_without_service_or_given_twice_is_refused() {
        let one = r#"{"service":"s","check":"c","tcp":"a:1"}"#;
        let twice = format!(r#"{{"checks":[{one},{one}]}}"#);
        assert!(from_json(&twice).unwrap_err().to_string().contains("given twice"));
        let nowhere = r#"{"checks":[{"check":"c","tcp":"a:1"}]}"#;
        assert!(from_json(nowhere).unwrap_err().to_string().contains("no `service`"));
    }

    proptest! {
        #[test]
        fn any_text_in_a_body_comes_back(body in proptest::collection::vec(any::<char>(), 0..40), long in 0usize..20_000) {
            let body = body.into_iter().chain("x".repeat(long).chars()).collect::<String>();
            let mut check = http_check("https://a/");
            if let Target::Http(http) = &mut check.target {
                http.body = Some(SecretSource::given(body));
            }
            let assignments = [assigned(check)];
            let back = from_json(&to_json(&assignments)).map_err(|error| TestCaseError::fail(error.to_string()))?;
            prop_assert_eq!(&back[..], &assignments[..]);
        }

        #[test]
        fn no_document_makes_the_reader_panic(text in "\\PC{0,80}|[{}\\[\\]\",:a-c\n -]{0,60}") {
            let _ = from_json(&text);
        }
    }
}
