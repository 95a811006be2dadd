//! A flow as the keys that it is read from: always whole, never the name of a file.

use crate::check::http::{content, options, written_status_codes};
use crate::scalar::duration_text;
use rules::check::{
    Capture, CaptureFrom, Confidence, Expectation, FlowTarget, Look, Polling, Runs, SecretSource, Step, StepRequest,
    Timed, Tolerance,
};
use serde_json::{Map, Value, json};

type Keys = Map<String, Value>;

fn put(keys: &mut Keys, key: &str, value: Value) {
    keys.insert(key.to_owned(), value);
}

/// Writes `flow` under the keys that it is read from.
pub(in crate::check) fn write(flow: &FlowTarget, keys: &mut Keys) {
    let FlowTarget { name, variables, secrets, reserve, steps, options } = flow;
    let mut inner = Map::new();
    put(&mut inner, "name", json!(name));
    let variables = variables.iter().map(|(name, value)| (name.clone(), json!(value)));
    put(&mut inner, "variables", Value::Object(variables.collect()));
    put(&mut inner, "secrets", Value::Object(secrets.iter().map(secret).collect()));
    if let Some(reserve) = reserve {
        put(&mut inner, "reserve", json!(duration_text(*reserve)));
    }
    put(&mut inner, "steps", steps.iter().map(|step| Value::Object(step_keys(step))).collect());
    put(keys, "flow", Value::Object(inner));
    options::write(options, keys);
}

fn secret((name, source): (&String, &SecretSource)) -> (String, Value) {
    match source {
        SecretSource::Given(secret) => (name.clone(), json!(secret.expose())),
        SecretSource::File(file) => (format!("{name}_file"), json!(file)),
    }
}

fn step_keys(step: &Step) -> Keys {
    let Step { name, request, expect, until, captures, timeout, runs, timed, tolerance } = step;
    let mut keys = Map::new();
    put(&mut keys, "step", json!(name.as_str()));
    put(&mut keys, "request", Value::Object(request_keys(request)));
    put(&mut keys, "expect", Value::Object(expect_keys(expect)));
    if let Some(Polling { until, every }) = until {
        put(&mut keys, "until", Value::Object(until_keys(until)));
        put(&mut keys, "every", json!(duration_text(*every)));
    }
    put(&mut keys, "capture", Value::Object(captures.iter().map(capture).collect()));
    if let Some(timeout) = timeout {
        put(&mut keys, "timeout", json!(duration_text(*timeout)));
    }
    put(&mut keys, "always", json!(*runs == Runs::Always));
    put(&mut keys, "timed", json!(*timed == Timed::Yes));
    put(&mut keys, "may_fail", json!(*tolerance == Tolerance::MayFail));
    keys
}

fn request_keys(StepRequest { method, url, headers, body }: &StepRequest) -> Keys {
    let mut keys = Map::new();
    put(&mut keys, "method", json!(method));
    put(&mut keys, "url", json!(url.as_str()));
    put(&mut keys, "headers", headers.iter().map(|(name, value)| json!({ name.clone(): value.as_str() })).collect());
    if let Some(body) = body {
        put(&mut keys, "body", json!(body.as_str()));
    }
    keys
}

fn expect_keys(Expectation { valid_status_codes, content }: &Expectation) -> Keys {
    let mut keys = Map::new();
    put(&mut keys, "valid_status_codes", written_status_codes(valid_status_codes));
    content::write(content, &mut keys);
    keys
}

fn until_keys(Expectation { valid_status_codes, content }: &Expectation) -> Keys {
    let mut keys = Map::new();
    put(&mut keys, "valid_status_codes", written_status_codes(valid_status_codes));
    for rule in content {
        let key = match &rule.look {
            Look::Body(_) => "body_matches_regexp",
            Look::Header { .. } => "header_matches",
            Look::Json(_) => "body_json_matches_cel",
        };
        let (_, value) = content::entry(rule);
        if let Value::Array(list) = keys.entry(key).or_insert_with(|| json!([])) {
            list.push(value);
        }
    }
    keys
}

fn capture(Capture { name, from, confidence }: &Capture) -> (String, Value) {
    let mut keys = Map::new();
    match from {
        CaptureFrom::Json(path) => put(&mut keys, "json", json!(path)),
        CaptureFrom::Body(pattern) => put(&mut keys, "body", json!(pattern.as_str())),
        CaptureFrom::Cookie(name) => put(&mut keys, "cookie", json!(name)),
        CaptureFrom::Header { name, pattern } => {
            put(&mut keys, "header", json!(name));
            if let Some(pattern) = pattern {
                put(&mut keys, "regexp", json!(pattern.as_str()));
            }
        }
    }
    put(&mut keys, "secret", json!(*confidence == Confidence::Secret));
    (name.clone(), Value::Object(keys))
}
