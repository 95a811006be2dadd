//! What is said to a target: the key `query_response`, under blackbox_exporter's names.

use super::http::content::pattern;
use crate::node::{Node, Value};
use crate::reading::keys::Keys;
use crate::reading::words::word;
use crate::reading::{Environment, Reading, list, text};
use crate::scalar::words;
use rules::check::{DIALOG_STEPS_MAX, DialogStep, Pattern, Security, Sending, TlsBegins};
use serde_json::{Map, json};

/// What a dialog is held over.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Over {
    /// A stream of bytes, read in lines, that may turn to TLS.
    Stream,
    /// Messages.
    Messages,
}

/// Reads `query_response` from the keys of a check.
pub(super) fn read(over: Over, keys: &mut Keys<'_>, reading: &mut Reading) -> Vec<DialogStep> {
    let Some((_, node)) = keys.take("query_response") else { return Vec::new() };
    let steps = list(|node, reading: &mut Reading| step(over, node, reading))(node, reading).unwrap_or_default();
    if DIALOG_STEPS_MAX < steps.len() {
        let message = format!("a dialog of {} steps is too long; write {DIALOG_STEPS_MAX} at most", steps.len());
        reading.problem::<()>(node.at, message);
    }
    steps
}

fn step(over: Over, node: &Node, reading: &mut Reading) -> Option<DialogStep> {
    let is_empty = match &node.value {
        Value::Nothing => true,
        Value::Map(entries) => entries.is_empty(),
        Value::Text(_) | Value::List(_) => false,
    };
    let mut keys = Keys::of(node, "a step of `query_response`", reading)?;
    let expect = keys.optional("expect", reading, pattern);
    let labels_at = keys.take("labels");
    let labels = labels_at.and_then(|(_, node)| list(label)(node, reading)).unwrap_or_default();
    let send = send(expect.as_ref(), &mut keys, reading);
    let mut step = DialogStep { expect, labels, send, ..DialogStep::default() };
    if over == Over::Stream {
        step.reject = keys.optional("reject", reading, pattern);
        step.expect_bytes = expected_bytes(&mut keys, reading);
        step.tls =
            keys.or("starttls", TlsBegins::No, reading, word(&[("true", TlsBegins::Here), ("false", TlsBegins::No)]));
    }
    keys.end(reading);
    match (&step, labels_at) {
        (DialogStep { expect: None, .. }, Some((key, _))) => {
            reading.problem(key.at, "`labels` keep what `expect` matched, and there is none; add `expect`")
        }
        _ if is_empty => reading.problem(node.at, "this step does nothing; add `expect` or `send`, or take it out"),
        _ => Some(step),
    }
}

fn label(node: &Node, reading: &mut Reading) -> Option<(String, String)> {
    let mut keys = Keys::of(node, "a label", reading)?;
    let name = keys.required("name", reading, label_name);
    let value = keys.required("value", reading, text);
    keys.end(reading);
    Some((name?, value?.to_owned()))
}

/// A name as Prometheus takes it for a label.
fn label_name(node: &Node, reading: &mut Reading) -> Option<String> {
    let name = words(node, reading)?;
    let is_start = |c: char| c.is_ascii_alphabetic() || c == '_';
    if !name.starts_with(is_start) || !name.chars().all(|c| is_start(c) || c.is_ascii_digit()) {
        let name = name.escape_debug();
        return reading.problem(node.at, format!("`{name}` is no label's name; use letters, digits and `_`"));
    }
    Some(name)
}

fn send(expect: Option<&Pattern>, keys: &mut Keys<'_>, reading: &mut Reading) -> Option<Sending> {
    let (line, bytes) = (keys.take("send"), keys.take("send_hex"));
    for (_, node) in line.iter().chain(&bytes) {
        // What is sent may be a password.
        reading.conceal(node.at);
    }
    match (line, bytes) {
        (Some(_), Some((key, _))) => reading.problem(key.at, "both `send` and `send_hex` stand here; keep one of them"),
        (Some((_, node)), None) => {
            let line = with_secrets(expect, node, reading)?;
            (!line.is_empty()).then(|| Sending::Line(line.into_bytes()))
        }
        (None, Some((_, node))) => hex(node, reading).map(Sending::Bytes),
        (None, None) => None,
    }
}

/// A text in which `${NAME}` is replaced by the environment's `NAME`. A number, and a group of `expect`,
/// stay: what matched will stand in their place.
fn with_secrets(expect: Option<&Pattern>, node: &Node, reading: &mut Reading) -> Option<String> {
    let given = text(node, reading)?;
    if reading.environment == Environment::Sealed {
        return Some(given.to_owned());
    }
    let is_group = |name: &str| name.parse::<u32>().is_ok() || expect.is_some_and(|pattern| pattern.has_group(name));
    let mut out = String::new();
    let mut rest = given;
    while let Some((before, after)) = rest.split_once("${") {
        let Some((name, after)) = after.split_once('}') else { break };
        out.push_str(before);
        rest = after;
        if is_group(name) || before.ends_with('$') {
            out.push_str(&format!("${{{name}}}"));
            continue;
        }
        match std::env::var(name) {
            // A dollar sign in it must not be taken for a group's.
            Ok(value) if expect.is_some() => out.push_str(&value.replace('$', "$$")),
            Ok(value) => out.push_str(&value),
            Err(_) => {
                let name = name.escape_debug();
                let message = format!(
                    "neither `expect` has a group nor the environment a variable `{name}`; name one that is there"
                );
                return reading.problem(node.at, message);
            }
        }
    }
    out.push_str(rest);
    Some(out)
}

fn expected_bytes(keys: &mut Keys<'_>, reading: &mut Reading) -> Option<Vec<u8>> {
    match (keys.take("expect_bytes"), keys.take("expect_hex")) {
        (Some(_), Some((key, _))) => {
            reading.problem(key.at, "both `expect_bytes` and `expect_hex` stand here; keep one of them")
        }
        (Some((_, node)), None) => words(node, reading).map(String::into_bytes),
        (None, Some((_, node))) => hex(node, reading),
        (None, None) => None,
    }
}

/// Bytes as pairs of hexadecimal digits; colons and spaces may stand between them.
pub(super) fn hex(node: &Node, reading: &mut Reading) -> Option<Vec<u8>> {
    let digits: Vec<char> = text(node, reading)?.chars().filter(|c| !matches!(c, ':' | ' ')).collect();
    let byte = |pair: &[char]| {
        let [high, low] = pair else { return None };
        u8::try_from(high.to_digit(16)? * 16 + low.to_digit(16)?).ok()
    };
    match digits.chunks(2).map(byte).collect::<Option<Vec<u8>>>() {
        Some(bytes) if !bytes.is_empty() => Some(bytes),
        _ => reading.problem(node.at, "these are no bytes; write pairs of hexadecimal digits, such as `00 04 d2`"),
    }
}

/// `bytes` as [`hex`] reads them.
pub(super) fn hex_text(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Writes `steps` under the key that they are read from.
pub(super) fn write(steps: &[DialogStep], keys: &mut Map<String, serde_json::Value>) {
    if !steps.is_empty() {
        keys.insert("query_response".to_owned(), steps.iter().map(step_value).collect());
    }
}

fn step_value(step: &DialogStep) -> serde_json::Value {
    let DialogStep { expect, reject, labels, expect_bytes, send, tls } = step;
    let mut keys = Map::new();
    let mut put = |key: &str, value: serde_json::Value| keys.insert(key.to_owned(), value);
    for (key, pattern) in [("expect", expect), ("reject", reject)] {
        if let Some(pattern) = pattern {
            put(key, json!(pattern.as_str()));
        }
    }
    if !labels.is_empty() {
        put("labels", labels.iter().map(|(name, value)| json!({ "name": name, "value": value })).collect());
    }
    if let Some(bytes) = expect_bytes {
        put("expect_hex", json!(hex_text(bytes)));
    }
    match send {
        None => {}
        Some(Sending::Bytes(bytes)) => drop(put("send_hex", json!(hex_text(bytes)))),
        Some(Sending::Line(line)) => match std::str::from_utf8(line) {
            Ok(line) => drop(put("send", json!(line))),
            Err(_) => drop(put("send_hex", json!(hex_text(&[line.as_slice(), b"\n"].concat())))),
        },
    }
    if *tls == TlsBegins::Here {
        put("starttls", json!(true));
    }
    serde_json::Value::Object(keys)
}

/// Reads `tls`, whether TLS is spoken from the start.
pub(super) fn read_security(keys: &mut Keys<'_>, reading: &mut Reading) -> Security {
    keys.or("tls", Security::Plain, reading, word(&[("true", Security::Tls), ("false", Security::Plain)]))
}

/// Writes whether TLS is spoken from the start.
pub(super) fn write_security(security: Security, keys: &mut Map<String, serde_json::Value>) {
    keys.insert("tls".to_owned(), json!(security == Security::Tls));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reading::ConfigError;
    use std::path::PathBuf;

    #[track_caller]
    fn check(given: &str, expected: Result<&str, &str>) {
        let mut reading = Reading::new(PathBuf::new(), Environment::Process);
        let node = reading.parse("a.yaml", &format!("'{given}'")).unwrap();
        let expect = Pattern::new("^(a)(?P<who>b)").unwrap();
        let value = with_secrets(Some(&expect), &node, &mut reading);
        match (reading.end(value), expected) {
            (Ok(loaded), Ok(expected)) => assert_eq!(loaded.value, expected),
            (Err(ConfigError::Wrong(problems)), Err(expected)) => assert!(problems[0].message.contains(expected)),
            (outcome, expected) => panic!("{outcome:?} is not {expected:?}"),
        }
    }

    #[test]
    fn a_group_stays_and_a_variable_is_replaced() {
        check("PONG ${1} ${who} $2 ${9}", Ok("PONG ${1} ${who} $2 ${9}"));
        check("PASS ${CARGO_PKG_NAME}!", Ok("PASS config!"));
        check("$${CARGO_PKG_NAME} ${open", Ok("$${CARGO_PKG_NAME} ${open"));
        check("PASS ${NINES_NO_SUCH_VARIABLE}", Err("`NINES_NO_SUCH_VARIABLE`"));
    }
}
